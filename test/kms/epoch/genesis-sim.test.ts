import { describe, expect, it } from 'vitest'
import { activeHash, assertOneKey, boot, createWorld, runUntil, type World } from './kit.ts'

async function bootAll(world: World): Promise<void> {
  for (const sim of world.nodes) await boot(world, sim)
}

const allActive = (world: World) => () =>
  world.nodes.every((sim) => sim.node !== undefined && activeHash(world, sim) !== undefined)

describe('genesis', () => {
  it.each([1, 2, 3, 4, 7])('gives %i operators shares of one key', async (n) => {
    const world = createWorld({ seed: n, n })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 120)).toBe(true)
    assertOneKey(world)
    expect(world.chain.entries()).toHaveLength(1)
  })
})
