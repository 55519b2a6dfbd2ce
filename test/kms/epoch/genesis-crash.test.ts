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
  nodeAt,
  runUntil,
  type World,
} from './kit.ts'

/** Restarts what crashed after four turns. */
function reviver(world: World): () => Promise<void> {
  const downFor = new Map<number, number>()
  return async () => {
    for (const [i, sim] of world.nodes.entries()) {
      if (sim.node !== undefined) continue
      const turns = (downFor.get(i) ?? 0) + 1
      downFor.set(i, turns % 4)
      if (turns === 4) await boot(world, sim)
    }
  }
}

async function survives(world: World): Promise<void> {
  await bootAll(world)
  const done = await runUntil(world, allActive(world), 300, reviver(world))
  expect(done, `seed ${world.seed}`).toBe(true)
  assertOneKey(world)
}

describe('a crash', () => {
  it('at any single point leaves a lone operator able to finish', async () => {
    let points = 0
    for (let fuse = 1; ; fuse++) {
      const world = createWorld({ seed: 100, n: 1 })
      nodeAt(world, 0).fuse = fuse
      await survives(world)
      if (nodeAt(world, 0).restarts === 1) break
      points += 1
    }
    // Key, seed, dealing, check, candidate, share, signature, post, log steps: each twice at least.
    expect(points).toBeGreaterThan(15)
  })

  it.each([3, 9, 15, 21, 27, 33, 39])(
    'of the proposer at point %i is survived by three',
    async (fuse) => {
      const world = createWorld({ seed: 200 + fuse, n: 3 })
      nodeAt(world, 0).fuse = fuse
      await survives(world)
    },
  )

  it.each([6, 18, 30])('of all at once at point %i is survived by three', async (fuse) => {
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
