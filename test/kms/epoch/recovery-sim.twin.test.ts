/** Nodes that were away: the log and one peer that holds the bodies are enough, in one step. */
import { describe, expect, it } from 'vitest'
import type { MemoryMedium } from '../../../kms/store/memory.ts'
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
  serviceWatch,
  type World,
} from './kit.ts'

const reached = (world: World, members: readonly number[], epoch: number) => () =>
  members.every((i) => (keyServiceOf(world, nodeAt(world, i)).active()?.epoch ?? -1) >= epoch)

const copyOf = (medium: MemoryMedium): MemoryMedium => ({
  head: medium.head?.slice(),
  secrets: new Map(medium.secrets),
  blobs: new Map(medium.blobs),
})

describe('a node that comes back', () => {
  it.each([1, 5, 1000])(
    'scenario 12: after %i epochs has the share in force in one step; no dealer is alive, one peer holds the bodies',
    async (missed) => {
      const options = { reshareSeconds: 2, vetoSeconds: 2 }
      const world = createWorld({ seed: 70 + missed, n: 3, options })
      await bootAll(world)
      await runUntil(world, allActive(world), 120)
      const sealed = assertOneKey(world)
      const away = nodeAt(world, 2)
      const last = keyServiceOf(world, away).at(0).epoch
      kill(away)
      expect(
        await runUntil(
          world,
          reached(world, [0, 1], last + missed),
          60 * missed,
          serviceWatch(world),
          // The chain takes most of the time: long steps are enough to follow it.
          missed > 100 ? 4_000 : 500,
        ),
      ).toBe(true)
      const holder = nodeAt(world, 0)
      const inForce = activeHash(world, holder)
      kill(nodeAt(world, 1))
      // It serves bodies and says nothing: nobody deals again.
      holder.tamper = () => undefined
      await boot(world, away)
      await away.node?.tick()
      await away.node?.idle()
      expect(activeHash(world, away)).toBe(inForce)
      assertOneKey(world, sealed)
      // However much it read, it wrote what it needs: its key, and shares and operator sets of the last outputs.
      expect(away.medium.secrets.size).toBeLessThan(12)
    },
    180_000,
  )

  it('scenario 13: with its encryption keys but nothing else takes its share up from the log', async () => {
    const world = createWorld({ seed: 80, n: 3 })
    await bootAll(world)
    await runUntil(world, allActive(world), 120)
    const sealed = assertOneKey(world)
    const sim = nodeAt(world, 2)
    const inForce = activeHash(world, sim)
    kill(sim)
    sim.medium.head = undefined
    sim.medium.blobs.clear()
    for (const [key, { name }] of sim.medium.secrets)
      if (name.kind !== 'encryption-key') sim.medium.secrets.delete(key)
    await boot(world, sim)
    await sim.node?.tick()
    await sim.node?.idle()
    expect(activeHash(world, sim)).toBe(inForce)
    assertOneKey(world, sealed)
    expect(world.chain.entries()).toHaveLength(1)
  })

  it('with an old copy of its disk never serves the old share as a newer version', async () => {
    const world = createWorld({ seed: 81, n: 1, options: { reshareSeconds: 2, graceSeconds: 4 } })
    await bootAll(world)
    await runUntil(world, allActive(world), 60)
    const sim = nodeAt(world, 0)
    const sealed = assertOneKey(world)
    const old = copyOf(sim.medium)
    expect(await runUntil(world, reached(world, [0], 30), 3000)).toBe(true)
    kill(sim)
    const bodies = sim.medium.blobs
    sim.medium = old
    await boot(world, sim)
    await sim.node?.tick()
    await sim.node?.idle()
    // Thirty epochs later nobody else holds the bodies: it knows the version in force and refuses.
    expect(keyServiceOf(world, sim).inForce()?.output.epoch).toBeGreaterThanOrEqual(30)
    expect(() => keyServiceOf(world, sim).at(0)).toThrow(/does not hold a share/)
    for (const [hash, body] of bodies) sim.medium.blobs.set(hash, body)
    expect(await runUntil(world, allActive(world), 40)).toBe(true)
    assertOneKey(world, sealed)
  })
})

describe('bodies that nothing names', () => {
  it('are swept when the log moves on', async () => {
    const world = createWorld({ seed: 82, n: 1, options: { reshareSeconds: 2 } })
    await bootAll(world)
    await runUntil(world, allActive(world), 60)
    const sim = nodeAt(world, 0)
    const stray = new Uint8Array([1, 2, 3])
    sim.medium.blobs.set(`0x${'ab'.repeat(32)}`, stray)
    expect(await runUntil(world, reached(world, [0], 2), 200)).toBe(true)
    expect([...sim.medium.blobs.values()]).not.toContain(stray)
    assertOneKey(world)
  })
})
