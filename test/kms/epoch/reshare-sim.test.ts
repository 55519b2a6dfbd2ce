import { describe, expect, it } from 'vitest'
import {
  activeHash,
  allActive,
  assertOneKey,
  bootAll,
  createIdentities,
  createWorld,
  keyServiceOf,
  nodeAt,
  runUntil,
  type World,
} from './kit.ts'

const epochOf = (world: World, index: number): number | undefined =>
  keyServiceOf(world, nodeAt(world, index)).active()?.epoch

describe('the same machine, resharing', () => {
  it('moves the key to new shares, opens old ciphertexts and erases what was replaced', async () => {
    const world = createWorld({ seed: 51, n: 3, options: { reshareSeconds: 4 } })
    await bootAll(world)
    await runUntil(world, allActive(world), 120)
    const sealed = assertOneKey(world)
    const first = activeHash(world, nodeAt(world, 0))
    const reached = (epoch: number) => () =>
      [0, 1, 2].every((i) => (epochOf(world, i) ?? 0) >= epoch)
    expect(await runUntil(world, reached(3), 360)).toBe(true)
    assertOneKey(world, sealed)
    for (const { medium } of world.nodes) {
      const shares = [...medium.secrets.values()].filter(({ name }) => name.kind === 'share')
      expect(shares.some(({ name }) => name.id === first)).toBe(false)
      expect(shares.length).toBeLessThanOrEqual(4)
    }
  })

  it('deals a joining operator in and a leaving one out', async () => {
    const world = createWorld({ seed: 52, n: 4, options: { reshareSeconds: 4 } })
    const everybody = createIdentities(4).map(({ info }) => info)
    world.chain.members = everybody.slice(0, 3)
    await bootAll(world)
    const active = (members: readonly number[], epoch: number) => () =>
      members.every((i) => (epochOf(world, i) ?? -1) >= epoch)
    expect(await runUntil(world, active([0, 1, 2], 0), 120)).toBe(true)
    const sealed = assertOneKey(world)
    world.chain.members = everybody.slice(1)
    expect(await runUntil(world, () => epochOf(world, 3) !== undefined, 240)).toBe(true)
    const { output } = keyServiceOf(world, nodeAt(world, 3)).at(0)
    expect(output.members.map(({ address }) => address)).toEqual(
      everybody.slice(1).map(({ address }) => address),
    )
    assertOneKey(world, sealed)
    expect(() => keyServiceOf(world, nodeAt(world, 0)).at(0)).toThrow(/does not hold a share/)
  })
})
