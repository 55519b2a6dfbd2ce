import { describe, expect, it } from 'vitest'
import {
  activeHash,
  allActive,
  assertOneKey,
  boot,
  bootAll,
  createWorld,
  keyServiceOf,
  kill,
  nodeAt,
  runUntil,
} from './kit.ts'

describe('genesis', () => {
  it.each([1, 2, 3, 4])('gives %i operators shares of one key in one log entry', async (n) => {
    const world = createWorld({ seed: n, n })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 120)).toBe(true)
    assertOneKey(world)
    expect(world.chain.entries()).toHaveLength(1)
    expect(world.chain.complaints()).toHaveLength(0)
  })

  it('goes on without an operator that never came, and the late one refuses to serve', async () => {
    const world = createWorld({ seed: 21, n: 4 })
    const [late, ...present] = world.nodes
    for (const sim of present) await boot(world, sim)
    const done = () => present.every((sim) => activeHash(world, sim) !== undefined)
    expect(await runUntil(world, done, 160)).toBe(true)
    const sealed = assertOneKey(world)
    if (late === undefined) throw new Error('four nodes')
    await boot(world, late)
    await runUntil(world, () => false, 20)
    expect(() => keyServiceOf(world, late).at(0)).toThrow(/does not hold a share/)
    assertOneKey(world, sealed)
  })

  it('starts no key where genesis is not allowed', async () => {
    const world = createWorld({ seed: 24, n: 3, options: { genesis: false } })
    await bootAll(world)
    await runUntil(world, () => false, 40)
    expect(world.chain.entries()).toHaveLength(0)
    expect(() => keyServiceOf(world, nodeAt(world, 0)).at(0)).toThrow(/no active key/)
  })

  it('does not finish below the threshold, and does when one more comes', async () => {
    const world = createWorld({ seed: 25, n: 4 })
    await boot(world, nodeAt(world, 0))
    await boot(world, nodeAt(world, 1))
    await runUntil(world, () => false, 60)
    expect(world.chain.entries()).toHaveLength(0)
    await boot(world, nodeAt(world, 2))
    const three = () => world.nodes.slice(0, 3).every((sim) => activeHash(world, sim) !== undefined)
    expect(await runUntil(world, three, 200)).toBe(true)
    assertOneKey(world)
  })

  it('keeps the key over a restart of everybody', async () => {
    const world = createWorld({ seed: 26, n: 3 })
    await bootAll(world)
    await runUntil(world, allActive(world), 120)
    const sealed = assertOneKey(world)
    for (const sim of world.nodes) kill(sim)
    await bootAll(world)
    expect(allActive(world)()).toBe(true)
    assertOneKey(world, sealed)
  })
})
