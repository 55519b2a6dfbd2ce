import { describe, expect, it } from 'vitest'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { blobHash } from '../../../sdk/protocol/dealing.ts'
import { acksStatement, encodeAcks, parseAcks } from '../../../sdk/protocol/messages.ts'
import { assertInvariants } from './invariants.ts'
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
} from './kit.ts'
import { redeal, spoilShare } from './liars.ts'
import { createWitness } from './world.ts'

describe('a bad share for a member that was away', () => {
  it('is proven on chain in the veto window; the epoch is burnt and the next one leaves the dealer out', async () => {
    const world = createWorld({
      seed: 41,
      n: 4,
      options: { postSeconds: 6, vetoSeconds: 30, finalitySeconds: 6 },
    })
    const liar = nodeAt(world, 1)
    const victim = nodeAt(world, 3)
    world.liars.add(liar.identity.info.address)
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
        signature: await liar.identity.signer.sign(acksStatement(DOMAIN, unsigned)),
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
    expect(output.dealings.map(({ dealer }) => dealer)).not.toContain(liar.identity.info.address)
    assertOneKey(world)
    // What every run asserts beside: that this happens to liars only.
    const blamesTheHonest = () =>
      assertInvariants({ ...world, liars: new Set(), witness: createWitness() })
    expect(blamesTheHonest).toThrow(/never lied/)
  })
})
