/** Every crash point of an operator on its own: each commit (before and after it is durable), each write to the chain. */
import { describe, expect, it } from 'vitest'
import {
  allActive,
  assertOneKey,
  bootAll,
  createWorld,
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
})
