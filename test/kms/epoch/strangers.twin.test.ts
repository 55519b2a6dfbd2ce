/** What anybody can do who has no key, only money for a transaction. */
import { describe, expect, it } from 'vitest'
import { createMembershipPort } from '../../../kms/chain/epoch-log-port.ts'
import type { ChainReader } from '../../../sdk/chain/reader.ts'
import type { BlockRef, OperatorSet } from '../../../sdk/chain/types.ts'
import { allActive, boot, bootAll, createWorld, kill, runUntil, turn } from './kit.ts'
import { forgesNext } from './lies-chain.ts'
import { ChainDown, DOMAIN } from './sim-chain.ts'
import { keyServiceOf, type World } from './world.ts'

const OPTIONS = { reshareSeconds: 2, slotMs: 1_500, patienceMs: 2_000, sessionMs: 20_000 }

/** What the real port makes of a block before the contracts: every provider answers a call to them with nothing. */
function withoutContracts(block: BlockRef): Promise<OperatorSet | undefined> {
  const reader = {
    blockByNumber: async () => block,
    call: async () => ({ kind: 'value', value: '0x' }),
  } as Pick<ChainReader, 'blockByNumber' | 'call'> as ChainReader
  const { avs, operatorSetId } = DOMAIN
  const contracts = { allocationManager: avs, keyRegistrar: avs, avs, operatorSetId }
  return createMembershipPort(reader, contracts).at(block)
}

/** `asked`: numbers of the blocks whose operator sets nodes have asked for. */
async function worldThatCounts(seed: number, unusable: { block?: BlockRef } = {}) {
  const world = createWorld({ seed, n: 4, options: OPTIONS })
  const asked: bigint[] = []
  const { view } = world.chain
  world.chain.view = (rpc) => {
    const { log, membership } = view(rpc)
    return {
      log,
      membership: {
        ...membership,
        at: async (block) => {
          asked.push(block.number)
          return block.hash === unusable.block?.hash
            ? withoutContracts(block)
            : membership.at(block)
        },
      },
    }
  }
  await bootAll(world)
  expect(await runUntil(world, allActive(world), 300)).toBe(true)
  return { world, asked }
}

const epochs = (world: World) =>
  world.nodes.map((sim) => keyServiceOf(world, sim).active()?.epoch ?? -1)

const allOthersAt = (world: World, epoch: number) => () =>
  epochs(world)
    .slice(1)
    .every((now) => now >= epoch)

const allAt = (world: World, epoch: number) => () => epochs(world).every((now) => now >= epoch)

describe('a stranger who posts what could be the next entry but for its signatures', () => {
  it('does not stop anybody, whatever block it names', async () => {
    const { world } = await worldThatCounts(91)
    const { first, membership } = world.chain
    const { block } = await membership.current()
    const places = [
      first,
      { ...first, timestamp: block.timestamp },
      { ...block, hash: first.hash },
      block,
    ]
    for (const place of places) await forgesNext(world, place)
    expect(await runUntil(world, allAt(world, 3), 400)).toBe(true)
  })

  it('does not stop anybody with a block at which there was no operator set', async () => {
    const unusable: { block?: BlockRef } = {}
    const { world } = await worldThatCounts(92, unusable)
    unusable.block = (await world.chain.membership.current()).block
    world.chain.mine()
    await forgesNext(world, unusable.block)
    expect(await runUntil(world, allAt(world, 3), 400)).toBe(true)
  })

  it('makes nobody ask the chain while it has not as many signatures as an entry needs', async () => {
    const { world, asked } = await worldThatCounts(93)
    const { block } = await world.chain.membership.current()
    world.chain.mine()
    for (const count of [0, 1, 2]) await forgesNext(world, block, count)
    for (let i = 0; i < 8; i++) await turn(world)
    expect(asked).not.toContain(block.number)
  })

  it('makes a node ask once for what it names, however many posts are not final', async () => {
    const { world, asked } = await worldThatCounts(96)
    const { chain } = world
    // One alone makes no epoch that would come before those posts.
    for (const sim of world.nodes.slice(1)) kill(sim)
    chain.finalityStalled = true
    const named: bigint[] = []
    const counts = () => named.map((place) => asked.filter((number) => number === place).length)
    for (let i = 0; i < 6; i++) {
      const { latest } = await chain.log.read(0n)
      named.push(latest.number)
      chain.mine()
      await forgesNext(world, latest)
      await forgesNext(world, { ...latest, timestamp: latest.timestamp - 1 })
      chain.mine()
      for (let j = 0; j < 4; j++) await turn(world)
    }
    const once = named.map(() => 2)
    expect(counts()).toEqual(once)
    // On another branch the answers are other ones.
    chain.reorg(100, 'reversed')
    for (let i = 0; i < 4; i++) await turn(world)
    expect(counts()).toEqual(once.map(() => 4))
  })
})

describe('an entry whose operator set cannot be read now', () => {
  it('holds up what comes after it, is told of, and not what came before', async () => {
    const { world } = await worldThatCounts(94)
    const [sim] = world.nodes
    if (sim === undefined) throw new Error('no nodes')
    kill(sim)
    expect(await runUntil(world, allOthersAt(world, 2), 400)).toBe(true)
    const { epoch, configBlock } = world.witness.history.at(-1)?.output ?? {}
    const { view } = world.chain
    world.chain.view = (rpc) => {
      const { log, membership } = view(rpc)
      const at: typeof membership.at = async (block) => {
        if (block.hash === configBlock?.hash) throw new ChainDown('missing trie node')
        return membership.at(block)
      }
      return { log, membership: { ...membership, at } }
    }
    expect(await runUntil(world, allOthersAt(world, 4), 400)).toBe(true)
    await boot(world, sim)
    // It cannot come to what is settled, which is what the invariants demand of those that read the chain.
    for (let i = 0; i < 4; i++) await turn(world)
    expect(sim.node?.status().nextEpoch).toBe(epoch)
    expect(world.reports.at(-1)).toMatchObject({
      level: 'warn',
      event: expect.stringContaining('cannot be judged'),
      detail: { block: Number(configBlock?.number) },
    })
    world.chain.view = view
    kill(sim)
    await boot(world, sim)
    expect(await runUntil(world, allAt(world, 5), 400)).toBe(true)
  })

  it('holds up nothing while it is not final', async () => {
    const { world } = await worldThatCounts(95)
    const { view, membership } = world.chain
    world.chain.finalityStalled = true
    const { block } = await membership.current()
    await forgesNext(world, block)
    for (let i = 0; i < 4; i++) await turn(world)
    const [sim] = world.nodes
    if (sim === undefined) throw new Error('no nodes')
    kill(sim)
    world.chain.finalityStalled = false
    world.chain.view = (rpc) => {
      const ports = view(rpc)
      const at = () => Promise.reject(new ChainDown('not yet'))
      return { ...ports, membership: { ...ports.membership, at } }
    }
    await boot(world, sim)
    const through = () =>
      BigInt(/"through":"(\d+)"/.exec(new TextDecoder().decode(sim.medium.head))?.[1] ?? 0)
    const before = through()
    for (let i = 0; i < 4; i++) await turn(world)
    expect(through()).toBeGreaterThan(before)
  })
})
