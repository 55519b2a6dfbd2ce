import { describe, expect, it } from 'vitest'
import { allActive, assertOneKey, bootAll, createWorld, runUntil } from './kit.ts'

describe('genesis of a larger set', () => {
  it('gives seven operators shares of one key in one log entry', async () => {
    const world = createWorld({ seed: 7, n: 7 })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 160)).toBe(true)
    assertOneKey(world)
    expect(world.chain.entries()).toHaveLength(1)
  })
})
