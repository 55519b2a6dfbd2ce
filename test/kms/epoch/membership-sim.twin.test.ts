/** Operators that come, go and change their keys: the key stays, and clients are served in every phase. */
import { describe, expect, it } from 'vitest'
import { encodeLeave, leaveStatement } from '../../../sdk/protocol/leave.ts'
import {
  activeHash,
  allActive,
  assertOneKey,
  bootAll,
  createIdentities,
  createWorld,
  DOMAIN,
  keyServiceOf,
  nodeAt,
  runUntil,
  type SimNode,
  serviceWatch,
  type World,
} from './kit.ts'

const infos = (n: number) => createIdentities(n).map(({ info }) => info)
const addressOf = (sim: SimNode) => sim.identity.info.address
const epochOf = (world: World, index: number): number =>
  keyServiceOf(world, nodeAt(world, index)).active()?.epoch ?? -1
const reached = (world: World, members: readonly number[], epoch: number) => () =>
  members.every((i) => epochOf(world, i) >= epoch)
const membersOf = (world: World, index: number) =>
  keyServiceOf(world, nodeAt(world, index))
    .at(0)
    .output.members.map(({ address }) => address)

async function announceLeave(world: World, sim: SimNode): Promise<void> {
  const unsigned = { operator: addressOf(sim), notAfter: world.chain.now() + 3600 }
  const signature = await sim.identity.signer.sign(leaveStatement(DOMAIN, unsigned))
  expect(await sim.node?.handler.receive(encodeLeave({ ...unsigned, signature }))).toBe('accepted')
}

describe('an operator set without periodic epochs', () => {
  it('deals a leaving operator out while it is registered; its deregistration changes nothing', async () => {
    const world = createWorld({ seed: 61, n: 4 })
    await bootAll(world)
    await runUntil(world, allActive(world), 120)
    const sealed = assertOneKey(world)
    const leaver = nodeAt(world, 3)
    await announceLeave(world, leaver)
    const watch = serviceWatch(world)
    expect(await runUntil(world, reached(world, [0, 1, 2], 1), 200, watch)).toBe(true)
    expect(membersOf(world, 0)).not.toContain(addressOf(leaver))
    expect(keyServiceOf(world, nodeAt(world, 0)).at(0).output.leaves).toHaveLength(1)
    // It dealt once more: its part of the key went to the others.
    assertOneKey(world, sealed)
    world.chain.members = infos(4).slice(0, 3)
    await runUntil(world, () => false, 30, watch)
    expect(world.chain.entries()).toHaveLength(2)
    assertOneKey(world, sealed)
  })

  it('deals one in that joins, at once', async () => {
    const world = createWorld({ seed: 62, n: 3 })
    world.chain.members = infos(3).slice(0, 2)
    await bootAll(world)
    await runUntil(world, reached(world, [0, 1], 0), 120)
    const sealed = assertOneKey(world)
    await runUntil(world, () => false, 60)
    expect(world.chain.entries()).toHaveLength(1)
    world.chain.members = infos(3)
    expect(await runUntil(world, reached(world, [0, 1, 2], 1), 200, serviceWatch(world))).toBe(true)
    assertOneKey(world, sealed)
    await runUntil(world, () => false, 60)
    expect(world.chain.entries()).toHaveLength(2)
  })

  it('replaces a member by another in one epoch, and more than half of the set at once', async () => {
    const world = createWorld({ seed: 63, n: 5 })
    world.chain.members = infos(5).slice(0, 2)
    await bootAll(world)
    await runUntil(world, reached(world, [0, 1], 0), 120)
    const sealed = assertOneKey(world)
    world.chain.members = infos(5).slice(1)
    expect(await runUntil(world, reached(world, [1, 2, 3, 4], 1), 240)).toBe(true)
    assertOneKey(world, sealed)
    expect(() => keyServiceOf(world, nodeAt(world, 0)).at(0)).toThrow(/does not hold a share/)
  })

  it('rotates encryption keys, deals to the new ones and erases the old', async () => {
    const world = createWorld({ seed: 65, n: 2, options: { keyRotationSeconds: 60 } })
    await bootAll(world)
    await runUntil(world, allActive(world), 80)
    const sealed = assertOneKey(world)
    const keysOf = (sim: SimNode) =>
      [...sim.medium.secrets.values()].filter(({ name }) => name.kind === 'encryption-key')
    const first = world.nodes.map((sim) => keysOf(sim)[0]?.name.id)
    const rotated = () =>
      world.nodes.every((sim, i) => {
        const ids = keysOf(sim).map(({ name }) => name.id)
        return !ids.includes(first[i] ?? '')
      })
    expect(await runUntil(world, rotated, 500, serviceWatch(world))).toBe(true)
    for (const sim of world.nodes) expect(keysOf(sim).length).toBeLessThanOrEqual(2)
    assertOneKey(world, sealed)
    expect(activeHash(world, nodeAt(world, 0))).toBe(activeHash(world, nodeAt(world, 1)))
  })
})
