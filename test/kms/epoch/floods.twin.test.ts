/** What members can make others keep, and whom they can make others doubt. */
import { describe, expect, it } from 'vitest'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { nodeAt, runUntil } from './kit.ts'
import { corrupt, type LieName } from './lies.ts'
import { convictsItself } from './lies-floods.ts'
import { setupOf } from './lies-proposer.ts'
import { addressOf, establish, goOn, newest } from './scenario-kit.ts'
import { seededRng } from './sim-ports.ts'
import type { SimNode, World } from './world.ts'

/** The most that an honest node kept while an epoch that takes minutes was open. */
async function mostKept(
  lie: LieName | undefined,
): Promise<{ shares: number; bodies: number; head: number }> {
  const { world, sealed } = await establish({
    seed: 1301,
    n: 4,
    depth: 30,
    options: { finalitySeconds: 90 },
  })
  const [honest, liar] = [nodeAt(world, 0), nodeAt(world, 3)]
  const reform = lie === undefined ? () => undefined : corrupt(world, liar, lie)
  const most = { shares: 0, bodies: 0, head: 0 }
  const who = world.nodes.filter((sim) => sim !== liar)
  await goOn(world, sealed, {
    who,
    turns: 900,
    between: async () => {
      const { secrets, blobs, head } = honest.medium
      const shares = [...secrets.values()].filter(({ name }) => name.kind === 'share').length
      most.shares = Math.max(most.shares, shares)
      most.bodies = Math.max(most.bodies, blobs.size)
      most.head = Math.max(most.head, head?.length ?? 0)
    },
  })
  reform()
  return most
}

describe('a member that goes on for ever', () => {
  it.each<LieName>(['floods with candidates', 'deals wrong shares to itself without end'])(
    '%s: the others keep a few things of it',
    async (lie) => {
      const calm = await mostKept(undefined)
      const most = await mostKept(lie)
      expect(most.shares - calm.shares).toBeLessThanOrEqual(12)
      expect(most.bodies - calm.bodies).toBeLessThanOrEqual(2 * 12 + 2)
      expect(most.head).toBeLessThan(4 * calm.head)
    },
  )
})

describe('two that prove their own lies', () => {
  /** From now on the liar proves its lies to that one alone, acknowledges and signs nothing. */
  const lieTo = (world: World, sim: SimNode, told: SimNode): void => {
    const { address } = sim.identity.info
    world.liars.add(address)
    const rng = seededRng(1, address)
    const { act, tamper } = convictsItself(
      { world, sim, rng },
      (receiver) => receiver === addressOf(told),
    )
    sim.act = act
    sim.tamper = (message, receiver) =>
      messageKind(message) === 'dealing' ? tamper(message, receiver) : undefined
  }

  it('each to another member: whoever refuses a candidate says why, and the epoch goes on without both', async () => {
    const { world, sealed } = await establish({ seed: 1302, n: 7 })
    const liars = [nodeAt(world, 2), nodeAt(world, 5)] as const
    const honest = world.nodes.filter((sim) => !liars.some((liar) => liar === sim))
    const [a, b] = honest as [SimNode, SimNode]
    lieTo(world, liars[0], a)
    lieTo(world, liars[1], b)
    await goOn(world, sealed, { who: honest, epochs: 2, turns: 200 })
    expect(world.chain.complaints()).toHaveLength(0)
    const dealers = newest(world).output.dealings.map(({ dealer }) => dealer)
    expect(dealers).toEqual(honest.map(addressOf))
  })
})

describe('an entry that is not final', () => {
  it('ends the attempts at its epoch: another could push out the session that won', async () => {
    const { world, sealed } = await establish({
      seed: 1303,
      n: 4,
      depth: 30,
      options: { finalitySeconds: 90 },
    })
    const [honest, liar] = [nodeAt(world, 0), nodeAt(world, 3)]
    const entries = world.chain.entries().length
    expect(await runUntil(world, () => world.chain.entries().length > entries, 400)).toBe(true)
    await runUntil(world, () => false, 30)
    const { setup } = world.overheard
    const { block: configBlock } = await world.chain.membership.current()
    if (setup === undefined) throw new Error('no setup')
    const another = await setupOf(liar, { ...setup, terms: { ...setup.terms, configBlock } })
    expect(await honest.node?.handler.receive(another)).toBe('later')
    await goOn(world, sealed, { turns: 900 })
  })
})
