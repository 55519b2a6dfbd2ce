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

  it.each([11, 12])('ends in one key over a network that loses a third (seed %i)', async (seed) => {
    const world = createWorld({ seed, n: 4, loss: 0.33 })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 400)).toBe(true)
    assertOneKey(world)
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

  it('serves an operator that hears and says nothing: log and bodies are enough', async () => {
    const world = createWorld({ seed: 22, n: 4 })
    const deaf = nodeAt(world, 3)
    for (const sim of world.nodes)
      sim.tamper = (message, receiver) =>
        sim === deaf || receiver === deaf.identity.info.address ? undefined : message
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 160)).toBe(true)
    const { output } = keyServiceOf(world, deaf).at(0)
    expect(output.dealings.map(({ dealer }) => dealer)).not.toContain(deaf.identity.info.address)
    assertOneKey(world)
  })

  it('posts again when a reorganisation removed the entry', async () => {
    const world = createWorld({ seed: 23, n: 3, depth: 4, options: { postSeconds: 40 } })
    await bootAll(world)
    expect(await runUntil(world, () => world.chain.entries().length > 0, 80)).toBe(true)
    world.chain.reorg(3)
    expect(world.chain.entries()).toHaveLength(0)
    expect(await runUntil(world, allActive(world), 240)).toBe(true)
    assertOneKey(world)
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
