import { describe, expect, it } from 'vitest'
import type { Address } from '../../../sdk/chain/types.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { encodeComplaint, makeComplaint } from '../../../sdk/protocol/complaint.ts'
import {
  blobHash,
  type Dealing,
  dealingDigest,
  encodeDealing,
  parseDealing,
} from '../../../sdk/protocol/dealing.ts'
import { acksDigest, encodeAcks, parseAcks } from '../../../sdk/protocol/messages.ts'
import {
  allActive,
  assertOneKey,
  boot,
  bootAll,
  createWorld,
  DOMAIN,
  keyServiceOf,
  kill,
  nodeAt,
  runUntil,
  type SimNode,
  seededRng,
  type Tamper,
  type World,
} from './kit.ts'

/** A dealing changed and signed again by its dealer. */
async function redeal(
  sim: SimNode,
  message: Uint8Array,
  change: (dealing: Dealing) => Partial<Dealing>,
): Promise<Uint8Array> {
  const dealing = parseDealing(message)
  const changed = { ...dealing, ...change(dealing) }
  const signature = await sim.identity.signer.sign(dealingDigest(DOMAIN, changed))
  return encodeDealing({ ...changed, signature })
}

const forDealings =
  (sim: SimNode, change: (dealing: Dealing, receiver: Address) => Partial<Dealing>): Tamper =>
  (message, receiver) =>
    messageKind(message) === 'dealing'
      ? redeal(sim, message, (dealing) => change(dealing, receiver))
      : message

const spoilShare = (shares: readonly Uint8Array[], index: number): Uint8Array[] =>
  shares.map((share, i) => (i === index ? share.map((byte) => byte ^ 1) : share))

async function runWith(seed: number, lie: (world: World, liar: SimNode) => void): Promise<World> {
  const world = createWorld({ seed, n: 4 })
  lie(world, nodeAt(world, 1))
  await bootAll(world)
  expect(await runUntil(world, allActive(world), 240)).toBe(true)
  assertOneKey(world)
  return world
}

const dealersOf = (world: World): readonly Address[] =>
  keyServiceOf(world, nodeAt(world, 0))
    .at(0)
    .output.dealings.map(({ dealer }) => dealer)

describe('three honest members of four get one key beside a member', () => {
  it('that deals a wrong share: the victim proves it and the dealing is left out', async () => {
    const world = await runWith(31, (_world, liar) => {
      liar.tamper = forDealings(liar, ({ shares }) => ({ shares: spoilShare(shares, 3) }))
    })
    expect(dealersOf(world)).not.toContain(nodeAt(world, 1).identity.info.address)
  })

  it('that deals differently to everyone', async () => {
    await runWith(32, (world, liar) => {
      liar.tamper = forDealings(liar, ({ shares }, receiver) => ({
        shares: spoilShare(
          shares,
          world.nodes.findIndex((sim) => sim.identity.info.address === receiver),
        ),
      }))
    })
  })

  it('that withholds its dealing from one and serves no bodies', async () => {
    await runWith(33, (world, liar) => {
      liar.withholds = true
      liar.tamper = (message, receiver) =>
        messageKind(message) === 'dealing' && receiver === nodeAt(world, 2).identity.info.address
          ? undefined
          : message
    })
  })

  it('that complains falsely: nobody is convicted', async () => {
    const world = await runWith(34, (_world, liar) => {
      const rng = seededRng(34, 'lies')
      let victim: Uint8Array | undefined
      liar.tamper = (message) => {
        if (messageKind(message) === 'dealing') victim = message
        if (messageKind(message) !== 'acks' || victim === undefined) return message
        const made = makeComplaint(
          {
            recipient: liar.identity.info.address,
            secret: BigInt(rng(1)[0] ?? 1) + 2n,
            dealing: parseDealing(victim),
            bytes: victim,
          },
          5n,
        )
        return made === undefined ? message : encodeComplaint(made)
      }
    })
    expect(world.chain.complaints()).toHaveLength(0)
    expect(dealersOf(world)).toHaveLength(4)
  })

  it('that sends garbage of every kind', async () => {
    await runWith(35, (_world, liar) => {
      const rng = seededRng(35, 'garbage')
      liar.tamper = (message) => {
        const [choice = 0] = rng(1)
        if (choice < 80) return rng(200)
        if (choice < 160) return message.slice(0, -1)
        return message.map((byte, i) => (i === message.length - 3 ? byte ^ 4 : byte))
      }
    })
  })

  it('that is silent from the start', async () => {
    await runWith(36, (_world, liar) => {
      liar.tamper = () => undefined
    })
  })
})

describe('a bad share for a member that was away', () => {
  it('is proven on chain in the veto window; the epoch is burnt and the next one leaves the dealer out', async () => {
    const world = createWorld({
      seed: 41,
      n: 4,
      options: { postSeconds: 6, vetoSeconds: 30, finalitySeconds: 6 },
    })
    const liar = nodeAt(world, 1)
    const victim = nodeAt(world, 3)
    const hidden = new Map<string, `0x${string}`>()
    liar.tamper = async (message) => {
      if (messageKind(message) === 'dealing') {
        const spoilt = await redeal(liar, message, ({ shares }) => ({
          shares: spoilShare(shares, 3),
        }))
        hidden.set(blobHash(message), blobHash(spoilt))
        return spoilt
      }
      if (messageKind(message) !== 'acks') return message
      const acks = parseAcks(message)
      const dealings = acks.dealings.map(({ dealer, hash }) => ({
        dealer,
        hash: hidden.get(hash) ?? hash,
      }))
      const unsigned = { ...acks, dealings }
      return encodeAcks({
        ...unsigned,
        signature: await liar.identity.signer.sign(acksDigest(DOMAIN, unsigned)),
      })
    }
    // The victim announces its key and is then away until the entry is in the log.
    for (const sim of world.nodes)
      if (sim !== liar && sim !== victim)
        sim.tamper = (message, receiver) =>
          receiver === victim.identity.info.address ? undefined : message
    await bootAll(world)
    expect(
      await runUntil(
        world,
        () => world.nodes.some(({ node }) => (node?.status().sessions.length ?? 0) > 0),
        20,
      ),
    ).toBe(true)
    kill(victim)
    expect(await runUntil(world, () => world.chain.entries().length > 0, 80)).toBe(true)
    for (const sim of world.nodes) if (sim !== liar) sim.tamper = undefined
    await boot(world, victim)
    expect(await runUntil(world, () => world.chain.complaints().length > 0, 60)).toBe(true)
    expect(await runUntil(world, allActive(world), 300)).toBe(true)
    const { output } = keyServiceOf(world, victim).at(0)
    expect(output.epoch).toBe(1)
    expect(dealersOf(world)).not.toContain(liar.identity.info.address)
    assertOneKey(world)
  })
})
