import { describe, expect, it } from 'vitest'
import { openEpochNode } from '../../../kms/epoch/driver.ts'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import {
  allActive,
  assertOneKey,
  bootAll,
  createWorld,
  keyServiceOf,
  kill,
  nodeAt,
  runUntil,
} from './kit.ts'
import { depsOf } from './sim-ports.ts'
import type { SimNode, World } from './world.ts'

/** Blocks of state that its provider keeps: finality lies two behind the head. */
const STATE_BLOCKS = 8

const storedSets = (sim: SimNode): string[] =>
  [...sim.medium.secrets.values()].flatMap(({ name }) =>
    name.kind === 'operator-set' ? [name.id] : [],
  )

/** Restarts a node whose provider has lost the state of older blocks. @returns Numbers of the blocks that were asked for in vain. */
async function restartForgetful(world: World, sim: SimNode): Promise<bigint[]> {
  kill(sim)
  const deps = depsOf(world, sim)
  const missed: bigint[] = []
  const at: typeof deps.membership.at = async (block) => {
    const head = BigInt(Math.floor((world.chain.now() - 1_800_000_000) / 2))
    if (block.number + BigInt(STATE_BLOCKS) > head) return deps.membership.at(block)
    missed.push(block.number)
    throw new Error('missing trie node')
  }
  const membership = { ...deps.membership, at }
  sim.node = await openEpochNode({ ...deps, membership }, world.options)
  return missed
}

async function worldWithOldKey(seed: number): Promise<World> {
  const world = createWorld({ seed, n: 3, options: { reshareSeconds: 120, graceSeconds: 4 } })
  await bootAll(world)
  expect(await runUntil(world, allActive(world), 160)).toBe(true)
  // The set of the first epoch is old by now.
  await runUntil(world, () => false, 80)
  return world
}

const atEpoch = (world: World, epoch: number) => () =>
  world.nodes.every((sim) => keyServiceOf(world, sim).active()?.epoch === epoch)

describe('operators whose providers keep no old state', () => {
  it('restart and deal on, with the stored set of the last epoch; older sets are erased', async () => {
    const world = await worldWithOldKey(71)
    const sealed = assertOneKey(world)
    const before = storedSets(nodeAt(world, 0))
    expect(before).toHaveLength(1)
    const missed = [
      await restartForgetful(world, nodeAt(world, 0)),
      await restartForgetful(world, nodeAt(world, 1)),
      await restartForgetful(world, nodeAt(world, 2)),
    ]
    expect(await runUntil(world, atEpoch(world, 1), 400)).toBe(true)
    assertOneKey(world, sealed)
    expect(missed.flat()).toEqual([])
    await runUntil(world, () => false, 40)
    const after = storedSets(nodeAt(world, 0))
    expect(after).toHaveLength(1)
    expect(after).not.toEqual(before)
  })

  it('could not without it', async () => {
    const world = await worldWithOldKey(72)
    const sim = nodeAt(world, 0)
    kill(sim)
    for (const [key, { name }] of sim.medium.secrets)
      if (name.kind === 'operator-set') sim.medium.secrets.delete(key)
    const missed = await restartForgetful(world, sim)
    await runUntil(world, () => missed.length > 0, 400)
    expect(missed.length).toBeGreaterThan(0)
  })

  it.each<[string, (text: string) => string]>([
    ['garbage', () => '{'],
    ['of another block', (text) => text.replace(/"hash":"0x../, '"hash":"0x00')],
    ['with a key that is none', (text) => text.replace('"ecdsa"', '"none"')],
    ['with more than it has', (text) => text.replace('{', '{"more":1,')],
  ])('do not start with a stored set that is %s', async (_name, change) => {
    const world = createWorld({ seed: 73, n: 1 })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 160)).toBe(true)
    const sim = nodeAt(world, 0)
    kill(sim)
    for (const entry of sim.medium.secrets.values())
      if (entry.name.kind === 'operator-set')
        entry.value = utf8ToBytes(change(new TextDecoder().decode(entry.value)))
    await expect(restartForgetful(world, sim)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
