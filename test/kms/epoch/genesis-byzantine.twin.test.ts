import { describe, expect, it } from 'vitest'
import type { Address } from '../../../sdk/chain/types.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { encodeComplaint, makeComplaint } from '../../../sdk/protocol/complaint.ts'
import { parseDealing } from '../../../sdk/protocol/dealing.ts'
import {
  allActive,
  assertOneKey,
  bootAll,
  createWorld,
  keyServiceOf,
  nodeAt,
  runUntil,
  type SimNode,
  seededRng,
  type World,
} from './kit.ts'
import { forDealings, spoilShare } from './liars.ts'

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
