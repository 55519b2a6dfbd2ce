/** The places that a session has for candidates: who fills them fills its own. */
import { expect, it } from 'vitest'
import { buildKeyTable } from '../../../kms/epoch/verify.ts'
import type { Address, Hash32 } from '../../../sdk/chain/types.ts'
import { parseG2 } from '../../../sdk/crypto/bls.ts'
import { messageKind, sortByAddress } from '../../../sdk/protocol/codec.ts'
import { blobHash, type Dealing, parseDealing } from '../../../sdk/protocol/dealing.ts'
import { parseOutput } from '../../../sdk/protocol/output.ts'
import type { Output, Terms } from '../../../sdk/protocol/types.ts'
import { allActive, bootAll, createWorld, nodeAt, runUntil, seededRng, type World } from './kit.ts'
import { candidateOf } from './lies-proposer.ts'
import { addressOf } from './scenario-kit.ts'
import { keyServiceOf, type SimNode } from './world.ts'

const POST_SECONDS = 60

/** The dealings of all but one, sorted by dealer, as soon as somebody has them. */
function heardDealings(world: World, sid: Hash32, without: Address) {
  const heard = new Map<Address, { dealing: Dealing; hash: Hash32 }>()
  for (const body of nodeAt(world, 0).medium.blobs.values()) {
    if (messageKind(body) !== 'dealing') continue
    const dealing = parseDealing(body)
    if (dealing.sid === sid && dealing.dealer !== without)
      heard.set(dealing.dealer, { dealing, hash: blobHash(body) })
  }
  return sortByAddress([...heard.values()], ({ dealing }) => dealing.dealer)
}

type Heard = ReturnType<typeof heardDealings>

const tableOf = (terms: Terms, dealings: Heard) =>
  buildKeyTable(
    { rng: seededRng(1, 'table'), pause: async () => undefined },
    terms,
    dealings.map(({ dealing: { dealer, commitment } }) => ({
      dealer,
      points: commitment.map((point) => parseG2(point)),
      share: undefined,
    })),
  )

/** Of each session, as soon as it can be, three good candidates to each other member in turn, other ones to each, that have to be posted at once. */
function fillsPlaces(world: World, liar: SimNode): NonNullable<SimNode['act']> {
  const victims = world.nodes.filter((sim) => sim !== liar)
  const tables = new Map<Hash32, ReturnType<typeof tableOf>>()
  const told = new Map<Hash32, { next: number; at: number }>()
  return async () => {
    for (const [sid, terms] of world.overheard.terms) {
      const { next, at } = told.get(sid) ?? { next: 0, at: 0 }
      if (terms.epoch !== victims[0]?.node?.status().nextEpoch || world.clock < at) continue
      const dealings = heardDealings(world, sid, addressOf(liar))
      if (dealings.length < victims.length) continue
      const table = tables.get(sid) ?? tableOf(terms, dealings)
      tables.set(sid, table)
      const isLast = next === victims.length - 1
      const pause = isLast ? (POST_SECONDS + 1) * 1000 : 0
      told.set(sid, { next: isLast ? 0 : next + 1, at: world.clock + pause })
      const now = Math.ceil(world.clock / 1000)
      for (let i = 0; i < 3; i++) {
        const output: Output = {
          ...terms,
          dealings: dealings.map(({ dealing, hash }) => ({ dealer: dealing.dealer, hash })),
          ...(await table),
          postBy: now + 3,
          vetoBy: now + 5 + POST_SECONDS,
          activateAt: now + 12 + POST_SECONDS + 3 * next + i,
        }
        await victims[next]?.node?.handler.receive(await candidateOf(liar, sid, output))
      }
    }
  }
}

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
  liar.tamper = () => undefined
  liar.act = fillsPlaces(world, liar)
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
