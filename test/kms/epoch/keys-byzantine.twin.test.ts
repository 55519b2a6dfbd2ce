/** Members that lie about their encryption keys. */
import { describe, expect, it } from 'vitest'
import { createMemoryMedium } from '../../../kms/store/memory.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { ristrettoPublicKey } from '../../../sdk/protocol/ristretto.ts'
import {
  type EncryptionKeyRecord,
  encodeSetup,
  NO_ENCRYPTION_KEY,
  parseEncryptionKey,
  setupStatement,
} from '../../../sdk/protocol/terms.ts'
import { boot, bootAll, createWorld, DOMAIN, kill, nodeAt, runUntil, seededRng } from './kit.ts'
import { corrupt } from './lies.ts'
import { announcementOf, leavesAndReturns } from './lies-keys.ts'
import { addressOf, epochOf, establish, goOn, infos, newest, pass } from './scenario-kit.ts'
import type { SimNode, World } from './world.ts'

const keyOf = (world: World, sim: SimNode) =>
  newest(world).output.members.find(({ address }) => address === addressOf(sim))?.encryptionKey

describe('a key that is none, signed by its member', () => {
  it('holds up no epoch: its last good one counts', async () => {
    const { world, sealed } = await establish({ seed: 2001, n: 4 })
    const liar = nodeAt(world, 3)
    const before = keyOf(world, liar)
    const begun = world.clock
    corrupt(world, liar, 'announces a key that is none')
    await goOn(world, sealed, { epochs: 4 })
    expect((world.clock - begun) / 4000).toBeLessThan(30)
    expect(keyOf(world, liar)).toEqual(before)
  })

  it('holds up no genesis: its member is dealt out', async () => {
    const world = createWorld({ seed: 2002, n: 4 })
    const liar = nodeAt(world, 3)
    corrupt(world, liar, 'announces a key that is none')
    liar.tamper = () => undefined
    await bootAll(world)
    const others = world.nodes.slice(0, 3)
    expect(await runUntil(world, () => others.every((sim) => epochOf(world, sim) === 0), 300)).toBe(
      true,
    )
  })
})

describe('a number of a key that each asker gets another of', () => {
  it('is not held against those that could not know it', async () => {
    const { world, sealed } = await establish({ seed: 2004, n: 4 })
    const liar = nodeAt(world, 3)
    const others = world.nodes.filter((sim) => sim !== liar)
    const reform = corrupt(world, liar, 'announces to each another number')
    const begun = world.clock
    await goOn(world, sealed, { epochs: 6, who: others })
    // As long as with a member that says nothing.
    expect((world.clock - begun) / 6000).toBeLessThan(30)
    reform()
    await goOn(world, sealed, { epochs: 2 })
  })

  it('counts for nobody while it may be on its way to the proposer', async () => {
    const { world, sealed } = await establish({ seed: 2006, n: 4 })
    const [told, away, owner] = [nodeAt(world, 1), nodeAt(world, 2), nodeAt(world, 3)]
    kill(away)
    // It is needed, and what it knows does not reach the others.
    const isKept = (message: Uint8Array) =>
      ['setup', 'encryptionKey'].includes(messageKind(message) ?? '')
    told.tamper = (message) => (isKept(message) ? undefined : message)
    const { encryptionKey, sequence } = parseEncryptionKey(
      (await owner.node?.handler.encryptionKey()) ?? new Uint8Array(),
    )
    let number = sequence
    owner.announces = (asker) =>
      announcementOf(owner, encryptionKey, asker === addressOf(told) ? ++number : sequence)
    const present = world.nodes.filter((sim) => sim !== away)
    await goOn(world, sealed, { epochs: 2, who: present })
    expect(number).toBeGreaterThan(sequence)
    // Then it counts.
    owner.announces = () => announcementOf(owner, encryptionKey, sequence)
    await pass(world, 60)
    const { epoch } = newest(world).output
    await pass(world, 120)
    expect(newest(world).output.epoch).toBe(epoch)
    told.tamper = undefined
    await goOn(world, sealed, { who: present })
  })

  it('goes from the one that was told to all others', async () => {
    const { world } = await establish({ seed: 2005, n: 4, options: { reshareSeconds: 0 } })
    const [told, owner] = [nodeAt(world, 1), nodeAt(world, 3)]
    const newest = 2_000_000_000
    let tells = false
    owner.announces = (asker) => {
      tells ||= asker === addressOf(told)
      const sequence = asker === addressOf(told) ? newest : 1
      return announcementOf(owner, ristrettoPublicKey(5n), sequence)
    }
    expect(await runUntil(world, () => tells, 60)).toBe(true)
    kill(told)
    const isNamed = () => {
      const { proposer, terms, records } = world.overheard.setup ?? {}
      const place = terms?.members.findIndex(({ address }) => address === addressOf(owner)) ?? -1
      return proposer !== addressOf(told) && records?.[place]?.sequence === newest
    }
    expect(await runUntil(world, isNamed, 60)).toBe(true)
  })
})

/** A proposal of member 3 that names this record of another, for the epoch that somebody else has begun. */
async function namesOld(world: World, old: EncryptionKeyRecord): Promise<Uint8Array> {
  const { terms, records } = world.overheard.setup ?? {}
  if (terms === undefined || records === undefined) throw new Error('no proposal yet')
  const { operator, sign } = nodeAt(world, 3).identity.signer
  const place = terms.members.findIndex(({ address }) => address === old.operator)
  const members = terms.members.map((member, i) =>
    i === place ? { ...member, encryptionKey: old.encryptionKey } : member,
  )
  const changed = { ...terms, members }
  return encodeSetup({
    terms: changed,
    records: records.map((record, i) => (i === place ? old : record)),
    proposer: operator,
    signature: await sign(setupStatement(DOMAIN, changed, operator)),
  })
}

describe('a key that was replaced long ago, and that its operator has erased', () => {
  it('is named by no session, whatever the others heard last', async () => {
    const options = { reshareSeconds: 60, keyRotationSeconds: 70 }
    const { world, sealed } = await establish({ seed: 2007, n: 4, options })
    const [judge, owner, liar] = [nodeAt(world, 0), nodeAt(world, 2), nodeAt(world, 3)]
    const record = async () =>
      parseEncryptionKey((await owner.node?.handler.encryptionKey()) ?? new Uint8Array())
    const old = await record()
    const hasErased = () =>
      ![...owner.medium.secrets.values()].some(({ name }) => name.id === String(old.sequence))
    expect(await runUntil(world, hasErased, 2000)).toBe(true)
    liar.tamper = (message) => (messageKind(message) === 'setup' ? undefined : message)
    const epoch = judge.node?.status().nextEpoch ?? 0
    const hasBegun = () => world.overheard.setup?.terms.epoch === epoch
    expect(await runUntil(world, hasBegun, 300)).toBe(true)
    const proposal = await namesOld(world, old)
    const others = [judge, nodeAt(world, 1)]
    const answers = () => Promise.all(others.map(({ node }) => node?.handler.receive(proposal)))
    expect(await answers()).toEqual(['refused', 'refused'])
    // While a newer key is on its way, the one that it replaces is good, and none before.
    const { sequence } = await record()
    const newer = await announcementOf(owner, ristrettoPublicKey(5n), sequence + 1)
    for (const { node } of others) expect(await node?.handler.receive(newer)).toBe('accepted')
    expect(await answers()).toEqual(['refused', 'refused'])
    // Who has just started asks its operator first.
    kill(judge)
    await boot(world, judge)
    await judge.node?.tick()
    await judge.node?.idle()
    expect(await judge.node?.handler.receive(proposal)).toBe('refused')
    liar.tamper = undefined
    await goOn(world, sealed, { turns: 600 })
  })
})

describe('an operator that registered another signing key', () => {
  it('and is away is dealt out: nobody names the record that the old one signed', async () => {
    const { world, sealed } = await establish({ seed: 2003, n: 4 })
    const sim = nodeAt(world, 2)
    const { signingKey } = nodeAt(createWorld({ seed: 2003, n: 5 }), 4).identity.info
    kill(sim)
    world.chain.members = infos(4).map((info) =>
      info.address === addressOf(sim) ? { ...info, signingKey } : info,
    )
    await goOn(world, sealed, { epochs: 2, who: world.nodes.filter((other) => other !== sim) })
    expect(keyOf(world, sim)).toEqual(NO_ENCRYPTION_KEY)
  })
})

describe('a member that makes the others make epochs', () => {
  const OFTEN = { reshareSeconds: 0 }
  const epochsIn = async (world: World, seconds: number): Promise<number> => {
    const before = newest(world).output.epoch
    await pass(world, seconds)
    return newest(world).output.epoch - before
  }

  it('by ever new keys has one an hour', async () => {
    const { world } = await establish({ seed: 2007, n: 4, options: OFTEN })
    corrupt(world, nodeAt(world, 3), 'announces ever new keys')
    expect(await epochsIn(world, 300)).toBe(1)
    await runUntil(world, () => false, 60, undefined, 60_000)
    expect(await epochsIn(world, 60)).toBe(0)
    // Two more by now: what happens in steps of a minute takes longer.
    expect(newest(world).output.epoch).toBeLessThanOrEqual(2)
    expect(newest(world).output.epoch).toBeGreaterThan(1)
  })

  it('by leaves that end at once: is dealt out, and back in after the hour', async () => {
    const { world } = await establish({ seed: 2008, n: 4, options: OFTEN })
    const liar = nodeAt(world, 3)
    const { act } = leavesAndReturns({ world, sim: liar, rng: seededRng(1, 'leaves') })
    liar.act = act
    expect(await epochsIn(world, 300)).toBe(1)
    expect(keyOf(world, liar)).toBeUndefined()
    liar.act = undefined
    await runUntil(world, () => keyOf(world, liar) !== undefined, 90, undefined, 60_000)
    expect(keyOf(world, liar)).toBeDefined()
    expect(newest(world).output.epoch).toBe(2)
  })

  it('does not keep another from being dealt in again at once', async () => {
    const { world, sealed } = await establish({ seed: 2009, n: 7, options: OFTEN })
    corrupt(world, nodeAt(world, 6), 'announces ever new keys')
    await pass(world, 100)
    const loser = nodeAt(world, 1)
    kill(loser)
    loser.medium = createMemoryMedium()
    await boot(world, loser)
    await goOn(world, sealed, { who: world.nodes.slice(0, 6) })
  })
})
