/**
 * Crash points: every commit (before and after it is durable), every send, every write to the chain. The crashed node comes back
 * two virtual seconds later with what its disk holds.
 */
import { describe, expect, it } from 'vitest'
import {
  allActive,
  assertOneKey,
  boot,
  bootAll,
  createWorld,
  kill,
  nodeAt,
  reviver,
  runUntil,
  type World,
} from './kit.ts'

async function survives(world: World): Promise<void> {
  await bootAll(world)
  const done = await runUntil(world, allActive(world), 300, reviver(world))
  expect(done, `seed ${world.seed}`).toBe(true)
  assertOneKey(world)
}

describe('a crash', () => {
  it.each([3, 15, 27, 39])('of the proposer at point %i is survived by three', async (fuse) => {
    const world = createWorld({ seed: 200 + fuse, n: 3 })
    nodeAt(world, 0).fuse = fuse
    await survives(world)
  })

  it.each([6, 30])('of all at once at point %i is survived by three', async (fuse) => {
    const world = createWorld({ seed: 300 + fuse, n: 3 })
    for (const sim of world.nodes) sim.fuse = fuse
    await survives(world)
  })

  it('again and again over a lossy network is survived by four', async () => {
    const world = createWorld({ seed: 400, n: 4, loss: 0.15 })
    for (const sim of world.nodes) sim.fuse = 5 + world.dice.below(30)
    const revive = reviver(world)
    await bootAll(world)
    let crashes = 0
    const done = await runUntil(world, allActive(world), 500, async () => {
      for (const sim of world.nodes)
        if (sim.node === undefined && sim.fuse <= 0 && crashes < 12) {
          crashes += 1
          sim.fuse = 5 + world.dice.below(40)
        }
      await revive()
    })
    expect(done).toBe(true)
    assertOneKey(world)
  })
})

describe('a store that turns out damaged', () => {
  it('ends the node instead of letting it deal again or serve', async () => {
    const world = createWorld({ seed: 500, n: 1 })
    await bootAll(world)
    await runUntil(world, () => (nodeAt(world, 0).node?.status().sessions.length ?? 0) > 0, 40)
    const sim = nodeAt(world, 0)
    kill(sim)
    // The head still says that a share is held, but it is gone.
    await bootAll(world)
    await runUntil(world, allActive(world), 100)
    kill(sim)
    for (const [key, { name }] of sim.medium.secrets)
      if (name.kind === 'share') sim.medium.secrets.delete(key)
    await expect(boot(world, sim)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    sim.medium.head = new Uint8Array(10)
    await expect(boot(world, sim)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(sim.node).toBeUndefined()
  })
})
