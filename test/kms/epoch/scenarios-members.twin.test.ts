/** Operators that go, move and change their minds, and sets of every size. */
import { describe, expect, it } from 'vitest'
import { createMemoryMedium } from '../../../kms/store/memory.ts'
import { encodeLeave, leaveStatement } from '../../../sdk/protocol/leave.ts'
import {
  boot,
  createIdentities,
  DOMAIN,
  keyServiceOf,
  kill,
  nodeAt,
  runUntil,
  serviceWatch,
} from './kit.ts'
import { addressOf, epochOf, establish, goOn, infos, newest, pass } from './scenario-kit.ts'
import type { SimNode, World } from './world.ts'

const membersOf = (world: World) => newest(world).output.members.map(({ address }) => address)

const LEAVE_SECONDS = 150

async function announceLeave(world: World, sim: SimNode): Promise<void> {
  const unsigned = { operator: addressOf(sim), notAfter: world.chain.now() + LEAVE_SECONDS }
  const signature = await sim.identity.signer.sign(leaveStatement(DOMAIN, unsigned))
  expect(await sim.node?.handler.receive(encodeLeave({ ...unsigned, signature }))).toBe('accepted')
}

const inDealing = (world: World) => () =>
  world.nodes.some(({ node }) => (node?.status().sessions.length ?? 0) > 0)

describe('scenario 14: an operator that lost its disk and its keys', () => {
  const lose = async (world: World, sim: SimNode, medium = createMemoryMedium()) => {
    kill(sim)
    sim.medium = medium
    await boot(world, sim)
  }

  it('refuses, announces a new key and is dealt in in the next epoch', async () => {
    const { world, sealed } = await establish({ seed: 1014, n: 3, options: { reshareSeconds: 0 } })
    const sim = nodeAt(world, 1)
    await lose(world, sim)
    await pass(world, 2)
    expect(() => keyServiceOf(world, sim).at(0)).toThrow(/does not hold a share/)
    await goOn(world, sealed, { between: serviceWatch(world) })
  })

  it('and finds an old copy of them: it makes a newer key than the one that the others know', async () => {
    const { world, sealed } = await establish({ seed: 1114, n: 4 })
    const sim = nodeAt(world, 1)
    const copy = structuredClone(sim.medium)
    await pass(world, 2)
    await lose(world, sim)
    await goOn(world, sealed, { epochs: 2 })
    await lose(world, sim, copy)
    await goOn(world, sealed, { epochs: 2 })
    await goOn(world, sealed, { between: serviceWatch(world) })
  })
})

describe('scenario 15: operators join', () => {
  it.each([
    ['one', 3, 4],
    ['so many that the new threshold is above the old number', 2, 5],
    ['two of three', 3, 5],
  ])('%s, from %i to %i members, in one epoch', async (_name, from, to) => {
    const { world, sealed } = await establish({ seed: 1015 + to, n: to, members: from })
    world.chain.members = infos(to)
    const before = newest(world).output.epoch
    const all = () => world.nodes.every((sim) => epochOf(world, sim) > before)
    expect(await runUntil(world, all, 300, serviceWatch(world))).toBe(true)
    expect(membersOf(world)).toHaveLength(to)
    await goOn(world, sealed, { between: serviceWatch(world) })
  })
})

describe('an operator set', () => {
  it.each([2, 3, 4])('scenario 17: of %i replaces one by another in one epoch', async (n) => {
    const { world, sealed } = await establish({ seed: 1017 + n, n: n + 1, members: n })
    const others = world.nodes.slice(1)
    world.chain.members = infos(n + 1).slice(1)
    const isReplaced = () => !membersOf(world).includes(addressOf(nodeAt(world, 0)))
    expect(await runUntil(world, isReplaced, 300)).toBe(true)
    const before = world.witness.history.at(-2)?.output.members ?? []
    expect(before.map(({ address }) => address)).toContain(addressOf(nodeAt(world, 0)))
    kill(nodeAt(world, 0))
    await goOn(world, sealed, { who: others })
    expect(membersOf(world)).toEqual(others.map(addressOf))
  })
})

describe('scenario 16: operators leave', () => {
  it('until exactly as many are left as the old key needs', async () => {
    const { world, sealed } = await establish({ seed: 1016, n: 4 })
    world.chain.members = infos(4).slice(0, 3)
    kill(nodeAt(world, 3))
    const three = world.nodes.slice(0, 3)
    await goOn(world, sealed, { who: three })
    await goOn(world, sealed, { who: three })
    expect(membersOf(world)).toEqual(three.map(addressOf))
  })

  it('and below that nothing new is made, the old shares stay, and the others’ return ends it', async () => {
    const { world, sealed } = await establish({ seed: 1116, n: 4 })
    const { epoch } = newest(world).output
    world.chain.members = infos(4).slice(0, 2)
    for (const sim of world.nodes.slice(2)) kill(sim)
    await pass(world, 120)
    expect(newest(world).output.epoch).toBe(epoch)
    for (const sim of world.nodes.slice(0, 2)) {
      expect(epochOf(world, sim)).toBe(epoch)
      // Visible to the operator: an epoch that is open and does not get on.
      expect(sim.node?.status()).toMatchObject({ phase: 'dealing', stalled: true })
    }
    await boot(world, nodeAt(world, 2))
    const two = world.nodes.slice(0, 2)
    expect(await runUntil(world, () => membersOf(world).length === 2, 600)).toBe(true)
    await goOn(world, sealed, { who: two })
    expect(membersOf(world)).toEqual(two.map(addressOf))
  })
})

describe('scenario 18: an operator', () => {
  it.each([2, 4])('of %i moves to another address in the middle of an epoch', async (n) => {
    const { world, sealed } = await establish({ seed: 1018 + n, n })
    expect(await runUntil(world, inDealing(world), 200)).toBe(true)
    const sim = nodeAt(world, 1)
    const info = { ...sim.identity.info, socket: 'http://moved' }
    sim.identity = { ...sim.identity, info }
    world.chain.members = infos(n).map((known) => (known.address === info.address ? info : known))
    await goOn(world, sealed, { turns: 120 })
    await goOn(world, sealed)
  })

  it('comes back under another signing key in the middle of an epoch, with the store that it had', async () => {
    const { world, sealed } = await establish({ seed: 1218, n: 4 })
    expect(await runUntil(world, inDealing(world), 200)).toBe(true)
    const sim = nodeAt(world, 2)
    const { info } = sim.identity
    const other = createIdentities(5).find(
      ({ info: { address } }) => !world.chain.members.some((known) => known.address === address),
    )
    if (other === undefined) throw new Error('five identities')
    kill(sim)
    sim.identity = {
      info: { ...info, signingKey: other.info.signingKey },
      privateKey: other.privateKey,
      signer: { ...other.signer, operator: info.address },
    }
    world.chain.members = infos(4).map((known) =>
      known.address === info.address ? sim.identity.info : known,
    )
    await boot(world, sim)
    await goOn(world, sealed, { turns: 200 })
    const dealers = () => newest(world).output.dealings.map(({ dealer }) => dealer)
    expect(await runUntil(world, () => dealers().includes(info.address), 600)).toBe(true)
    await goOn(world, sealed)
  })

  it('starts with new keys in the middle of an epoch, and is dealt in in the next', async () => {
    const { world, sealed } = await establish({ seed: 1118, n: 4 })
    expect(await runUntil(world, inDealing(world), 200)).toBe(true)
    const sim = nodeAt(world, 2)
    kill(sim)
    sim.medium = createMemoryMedium()
    await boot(world, sim)
    await goOn(world, sealed, { epochs: 2 })
  })
})

describe('an operator', () => {
  it('scenario 19: joins, leaves in the next epoch and is back in a later one', async () => {
    const { world, sealed } = await establish({ seed: 1019, n: 4, members: 3 })
    const guest = nodeAt(world, 3)
    const hosts = world.nodes.slice(0, 3)
    world.chain.members = infos(4)
    expect(await runUntil(world, () => epochOf(world, guest) > 0, 300)).toBe(true)
    await announceLeave(world, guest)
    const isOut = () => !membersOf(world).includes(addressOf(guest))
    expect(await runUntil(world, isOut, 300)).toBe(true)
    world.chain.members = infos(3)
    await goOn(world, sealed, { who: hosts })
    // The leave keeps out who registers again while it holds, and no longer.
    world.chain.members = infos(4)
    await goOn(world, sealed, { who: hosts })
    expect(isOut()).toBe(true)
    await pass(world, LEAVE_SECONDS)
    await goOn(world, sealed)
    expect(isOut()).toBe(false)
  })

  it('scenario 41: goes while an epoch is under way: that one ends as it began, the next is without it', async () => {
    const { world, sealed } = await establish({ seed: 1041, n: 4 })
    expect(await runUntil(world, inDealing(world), 200)).toBe(true)
    const { configBlock } = world.overheard.setup?.terms ?? { configBlock: undefined }
    world.chain.members = infos(4).slice(0, 3)
    const others = world.nodes.slice(0, 3)
    await goOn(world, sealed)
    expect(newest(world).output.configBlock).toEqual(configBlock)
    expect(membersOf(world)).toHaveLength(4)
    await goOn(world, sealed, { who: others })
    expect(membersOf(world)).toHaveLength(3)
  })
})

describe('scenario 43: sets', () => {
  it.each([1, 2, 3, 4, 7, 10, 15])('of %i make a key and move it on', async (n) => {
    const { world, sealed } = await establish({ seed: 1043 + n, n })
    await goOn(world, sealed)
    expect(world.chain.entries()).toHaveLength(2)
  })

  it('of 30 make a key and move it on', async () => {
    const { world, sealed } = await establish({ seed: 1073, n: 30 })
    await goOn(world, sealed)
    expect(world.chain.entries()).toHaveLength(2)
  }, 180_000)
})
