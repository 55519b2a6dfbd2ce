import { describe, expect, it } from 'vitest'
import {
  allActive,
  assertOneKey,
  bootAll,
  createWorld,
  keyServiceOf,
  nodeAt,
  runUntil,
} from './kit.ts'

describe('genesis over a bad network or chain', () => {
  it.each([11, 12])('ends in one key over a network that loses a third (seed %i)', async (seed) => {
    const world = createWorld({ seed, n: 4, loss: 0.33 })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 400)).toBe(true)
    assertOneKey(world)
  })

  it('scenario 11: serves an operator that hears and says nothing: log and bodies are enough', async () => {
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
})

describe('operators that sign with BN254 keys', () => {
  it('make and refresh a key like those with secp256k1 keys', async () => {
    const world = createWorld({ seed: 95, n: 2, curve: 'bn254', options: { reshareSeconds: 2 } })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 120)).toBe(true)
    const sealed = assertOneKey(world)
    const refreshed = () =>
      world.nodes.every((sim) => (keyServiceOf(world, sim).active()?.epoch ?? 0) >= 1)
    expect(await runUntil(world, refreshed, 120)).toBe(true)
    assertOneKey(world, sealed)
  })
})
