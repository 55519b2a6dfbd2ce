/** The places that a session has for candidates: who fills them fills its own. */
import { expect, it } from 'vitest'
import { parseOutput } from '../../../sdk/protocol/output.ts'
import { allActive, bootAll, createWorld, nodeAt, runUntil } from './kit.ts'
import { corrupt } from './lies.ts'
import { candidateOf } from './lies-proposer.ts'
import { keyServiceOf } from './world.ts'

const POST_SECONDS = 60

const createSlowWorld = () =>
  createWorld({
    seed: 7,
    n: 4,
    depth: 60,
    options: {
      reshareSeconds: 30,
      slotMs: 5_000,
      patienceMs: 5_000,
      sessionMs: 60_000,
      postSeconds: POST_SECONDS,
    },
  })

it('are filled by a member that gives each other one candidates of its own, and the others get theirs through', async () => {
  const world = createSlowWorld()
  await bootAll(world)
  expect(await runUntil(world, allActive(world), 900)).toBe(true)
  const liar = nodeAt(world, 3)
  nodeAt(world, 0).skewMs = 1_300
  nodeAt(world, 1).skewMs = -1_100
  corrupt(world, liar, 'takes all places for candidates')
  const honest = world.nodes.filter((sim) => sim !== liar)
  const epochs = () => honest.map((sim) => keyServiceOf(world, sim).active()?.epoch ?? -1)
  // An epoch takes about 195 s, as where that member says nothing.
  expect(await runUntil(world, () => Math.min(...epochs()) >= 2, 1_000)).toBe(true)
})

it('are asked for again by a candidate that found none free', async () => {
  const world = createSlowWorld()
  await bootAll(world)
  const isHeard = () => world.overheard.candidate !== undefined
  expect(await runUntil(world, isHeard, 200)).toBe(true)
  world.partition = () => true
  const { sid, output: bytes } = world.overheard.candidate ?? {}
  if (sid === undefined || bytes === undefined) throw new Error('no candidate')
  const heard = parseOutput(bytes)
  const show = async (place: number) => {
    const output = { ...heard, activateAt: heard.activateAt + place }
    return nodeAt(world, 0).node?.handler.receive(await candidateOf(nodeAt(world, 3), sid, output))
  }
  for (const place of [1, 2, 3]) expect(await show(place)).toBe('accepted')
  expect(await show(4)).toBe('later')
  world.clock = (heard.postBy + POST_SECONDS + 1) * 1000
  expect(await show(4)).toBe('accepted')
})
