/** An attempt that the others push out after its candidate was signed and sent to the chain. */
import { expect, it } from 'vitest'
import { outputHash, parseOutput } from '../../../sdk/protocol/output.ts'
import { boot, DOMAIN, kill, nodeAt, runUntil } from './kit.ts'
import { candidateOf, setupOf } from './lies-proposer.ts'
import { establish, goOn, newest, pass } from './scenario-kit.ts'
import type { SimNode, World } from './world.ts'

const N = 4
/** More than a node follows. */
const ATTEMPTS = 8

const attempts = (sim: SimNode) => sim.node?.status().sessions ?? []

/** Every member signed a candidate, and its entry waits to get into a block. */
async function certify(world: World) {
  world.chain.stuck = true
  const isSigned = () =>
    world.nodes.every((sim) => attempts(sim).some(({ signatures }) => signatures === N))
  expect(await runUntil(world, isSigned, 200)).toBe(true)
  // Another turn for the one that posts.
  await pass(world, 2)
  const { candidate, setup } = world.overheard
  if (candidate === undefined || setup === undefined) throw new Error('nothing was said')
  return { sid: candidate.sid, output: parseOutput(candidate.output), setup }
}

it('leaves the bodies of that candidate where they are: it wins, and everybody gets a share', async () => {
  const options = { postSeconds: 90, sessionMs: 5_000 }
  const { world, sealed } = await establish({ seed: 1401, n: N, options })
  const { sid, output, setup } = await certify(world)
  const tellAll = async (message: Uint8Array) => {
    for (const { node } of world.nodes) await node?.handler.receive(message)
  }
  // A second candidate has so little time that it comes to nothing, so that nobody waits for this attempt any more.
  const earlier = output.postBy - Math.ceil(world.clock / 1000) - 3
  const hasty = {
    ...output,
    postBy: output.postBy - earlier,
    vetoBy: output.vetoBy - earlier,
    activateAt: output.activateAt - earlier,
  }
  await tellAll(await candidateOf(nodeAt(world, 0), sid, hasty))
  await pass(world, 5)
  // Nothing comes of the further attempts.
  world.partition = () => true
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { block: configBlock } = await world.chain.membership.current()
    const proposer = nodeAt(world, attempt % N)
    await tellAll(await setupOf(proposer, { ...setup, terms: { ...setup.terms, configBlock } }))
    await pass(world, 3)
  }
  for (const sim of world.nodes) {
    expect(attempts(sim).map((session) => session.sid)).not.toContain(sid)
    expect(output.dealings.filter(({ hash }) => !sim.medium.blobs.has(hash))).toEqual([])
  }
  // What is kept has to outlast a restart, which deletes every body that nothing names.
  for (const sim of world.nodes) {
    kill(sim)
    await boot(world, sim)
  }
  world.chain.stuck = false
  world.partition = () => false
  await goOn(world, sealed)
  expect(newest(world).hash).toBe(outputHash(DOMAIN, output))
})
