/** One member of four lies in a reshare, epoch after epoch: the honest ones get their outputs, and nobody innocent is blamed. */
import { describe, expect, it } from 'vitest'
import { createMemoryMedium } from '../../../kms/store/memory.ts'
import type { Address } from '../../../sdk/chain/types.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { parseCertifiedBody } from '../../../sdk/protocol/output.ts'
import { boot, kill, nodeAt, runUntil } from './kit.ts'
import { corrupt, type LieName } from './lies.ts'
import { addressOf, epochOf, establish, goOn, newest, pass } from './scenario-kit.ts'
import { HEALTHY_RPC } from './sim-chain.ts'
import type { SimNode, World } from './world.ts'

const dealersOf = (world: World): readonly Address[] =>
  newest(world).output.dealings.map(({ dealer }) => dealer)
const others = (world: World, sim: SimNode) => world.nodes.filter((other) => other !== sim)
const told = (world: World, event: string) =>
  world.reports.filter((report) => report.event.startsWith(event)).length

/** Epochs of a set with a member that lies for as long; afterwards it is one of them. */
async function withLiar(
  seed: number,
  lie: LieName,
  each: (world: World, liar: SimNode) => void = () => undefined,
): Promise<World> {
  const { world, sealed } = await establish({ seed, n: 4, options: { graceSeconds: 90 } })
  await goOn(world, sealed)
  const liar = nodeAt(world, 1)
  const reform = corrupt(world, liar, lie)
  const begun = world.clock
  for (let epoch = 0; epoch < 3; epoch++) {
    await goOn(world, sealed, { who: others(world, liar) })
    each(world, liar)
  }
  // An undisturbed epoch takes twenty seconds: a liar costs the others time, and not much of it.
  expect((world.clock - begun) / 3000).toBeLessThan(60)
  expect(liar.lied).toBeGreaterThan(0)
  reform()
  await goOn(world, sealed)
  expect(told(world, 'output voided')).toBe(0)
  return world
}

const isLeftOut = (world: World, liar: SimNode): void =>
  expect(dealersOf(world)).not.toContain(addressOf(liar))

describe('a dealing', () => {
  it('scenario 25: in two versions, each shown to a half', async () => {
    await withLiar(1025, 'equivocates')
  })

  it('scenario 27: of a higher or a lower degree is left out by everybody', async () => {
    await withLiar(1027, 'deals too high a degree', isLeftOut)
    await withLiar(1028, 'deals too low a degree', isLeftOut)
  })

  it('scenario 28: of the share before the last is left out by everybody', async () => {
    await withLiar(1029, 'deals a stale share', isLeftOut)
  })

  it('scenario 29: of a random constant is left out by everybody', async () => {
    await withLiar(1030, 'deals a random constant', isLeftOut)
  })
})

describe('scenario 26: a wrong share', () => {
  it('for a member that is there: the dealing is left out, without a word on the chain', async () => {
    const world = await withLiar(1126, 'deals wrong shares')
    expect(told(world, 'a dealing holds no good share')).toBeGreaterThan(0)
    expect(world.chain.complaints()).toHaveLength(0)
  })

  it('for a member whom the others do not hear: it complains on the chain in time, and the dealer is barred', async () => {
    const { world, sealed } = await establish({ seed: 1127, n: 4, options: { vetoSeconds: 20 } })
    const liar = nodeAt(world, 1)
    const reform = corrupt(world, liar, 'deals wrong shares to the silenced')
    expect(await runUntil(world, () => world.chain.complaints().length > 0, 200)).toBe(true)
    reform()
    await goOn(world, sealed)
    isLeftOut(world, liar)
    expect(told(world, 'output voided')).toBeGreaterThan(0)
    expect([...world.witness.convicted.keys()]).toEqual([addressOf(liar)])
  })

  it('for a member that is away and comes back in the window: likewise', async () => {
    const { world, sealed } = await establish({ seed: 1128, n: 7, options: { vetoSeconds: 30 } })
    const [liar, away] = [nodeAt(world, 3), nodeAt(world, 4)]
    const reform = corrupt(world, liar, 'deals wrong shares to the absent')
    kill(away)
    const entries = world.chain.entries().length
    expect(await runUntil(world, () => world.chain.entries().length > entries, 200)).toBe(true)
    await boot(world, away)
    expect(await runUntil(world, () => world.chain.complaints().length > 0, 40)).toBe(true)
    reform()
    await goOn(world, sealed)
    isLeftOut(world, liar)
  })
})

describe('a dealer that was convicted', () => {
  it('deals again after a day, if too few others hold shares for any epoch without it', async () => {
    const { world, sealed } = await establish({ seed: 1129, n: 4, options: { vetoSeconds: 20 } })
    const [liar, poor] = [nodeAt(world, 1), nodeAt(world, 3)]
    const reform = corrupt(world, liar, 'deals wrong shares to the silenced')
    expect(await runUntil(world, () => world.chain.complaints().length > 0, 200)).toBe(true)
    reform()
    // One more than the set can bear loses its share at the same time.
    kill(poor)
    poor.medium = createMemoryMedium()
    await boot(world, poor)
    const { epoch } = newest(world).output
    await pass(world, 200)
    expect(newest(world).output.epoch).toBe(epoch)
    const hours = 24 * 6
    await runUntil(world, () => false, hours, undefined, 600_000)
    await goOn(world, sealed, { turns: 600 })
  })
})

describe('scenario 31: a body that is kept back', () => {
  it('after its hash was acknowledged: who needs it gets it from those that have it', async () => {
    await withLiar(1031, 'withholds bodies')
  })

  it('and was never there: the candidate that names it holds up nobody', async () => {
    await withLiar(1131, 'proposes what nobody can check')
  })
})

describe('scenario 32: a complaint', () => {
  it('that is false convicts nobody, said to peers or on the chain', async () => {
    const { world, sealed } = await establish({ seed: 1032, n: 4 })
    const liar = nodeAt(world, 1)
    const reform = corrupt(world, liar, 'complains falsely')
    await goOn(world, sealed, { epochs: 3, who: others(world, liar) })
    reform()
    expect(world.chain.complaints().length).toBeGreaterThan(0)
    expect(world.witness.convicted.size).toBe(0)
    expect(told(world, 'output voided')).toBe(0)
    await goOn(world, sealed)
  })

  it.each(['the last', 'the first after the last'])('in %s block of the window', async (which) => {
    const { world, sealed } = await establish({ seed: 1132, n: 4, options: { vetoSeconds: 20 } })
    const liar = nodeAt(world, 1)
    const reform = corrupt(world, liar, 'deals wrong shares to the silenced')
    const victim = world.nodes.find(({ muted }) => muted) as SimNode
    victim.rpc = { ...HEALTHY_RPC, refuses: true }
    const { epoch } = newest(world).output
    const settling = () => victim.node?.status().phase === 'settling'
    expect(await runUntil(world, settling, 200)).toBe(true)
    const entry = world.chain.entries().at(-1)
    const proof = [...victim.medium.blobs.values()].find(
      (body) => messageKind(body) === 'complaint',
    )
    if (entry === undefined || proof === undefined) throw new Error('no entry or no complaint')
    reform()
    victim.muted = true
    const { vetoBy } = parseCertifiedBody(entry.body).output
    const inTime = which === 'the last'
    // The next block is two seconds later.
    const isNow = () => world.chain.now() + 2 > vetoBy - 2 + (inTime ? 0 : 2)
    expect(await runUntil(world, isNow, 200)).toBe(true)
    await world.chain.log.complain({ epoch: entry.epoch, body: proof })
    await pass(world, 12)
    const complaint = world.chain.complaints().at(-1)
    expect((complaint?.block.timestamp ?? 0) <= vetoBy).toBe(inTime)
    expect(told(world, 'output voided') > 0).toBe(inTime)
    victim.muted = false
    victim.rpc = HEALTHY_RPC
    await goOn(world, sealed)
    const numbers = world.witness.history.map((winner) => winner.output.epoch)
    expect(numbers.includes(epoch + 1)).toBe(!inTime)
    // Said again it moves nothing: the dealer is barred already, or the epoch is over.
    const voided = told(world, 'output voided')
    const { hash, output } = newest(world)
    await world.chain.log.complain({ epoch: output.epoch, body: proof })
    await world.chain.log.complain({ epoch: entry.epoch, body: proof })
    await goOn(world, sealed)
    expect(told(world, 'output voided')).toBe(voided)
    expect(newest(world).output.prev).toBe(hash)
    expect(dealersOf(world).includes(addressOf(liar))).toBe(!inTime)
  })
})

describe('scenario 33: one that proposes', () => {
  it.each<LieName>([
    'proposes differently to everyone',
    'proposes nonsense',
    'floods with sessions',
    'spams the log',
  ])('%s: the others come to their output as soon as ever', async (lie) => {
    await withLiar(1033, lie)
  })

  it('says nothing when its turn comes, or garbage', async () => {
    await withLiar(1133, 'says nothing')
    await withLiar(1134, 'sends garbage')
  })
})

describe('what was said in an epoch that is over', () => {
  it('scenario 42: moves nothing when it is said again, whoever hears it', async () => {
    const { world, sealed } = await establish({ seed: 1042, n: 3 })
    const heard: Uint8Array[] = []
    for (const sim of world.nodes)
      sim.tamper = (message) => {
        heard.push(message)
        return message
      }
    await goOn(world, sealed)
    for (const sim of world.nodes) sim.tamper = undefined
    await goOn(world, sealed)
    const kinds = new Set(heard.map(messageKind))
    expect(kinds.size).toBeGreaterThan(4)
    const heads = world.nodes.map(({ medium }) => medium.head)
    const answers = new Set<string | undefined>()
    for (const message of heard)
      for (const { node } of world.nodes) answers.add(await node?.handler.receive(message))
    // Refused as over, or unknown: never taken.
    expect(answers.has('accepted')).toBe(false)
    expect(world.nodes.map(({ medium }) => medium.head)).toEqual(heads)
    for (const sim of world.nodes) expect(epochOf(world, sim)).toBe(newest(world).output.epoch)
    await goOn(world, sealed)
  })
})
