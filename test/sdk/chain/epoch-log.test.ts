import { keccak_256 } from '@noble/hashes/sha3.js'
import { encodeFunctionData } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Devnet,
  deployDevnet,
  devAddress,
  devKey,
  send,
  submit,
} from '../../../helper/sim/contracts.ts'
import { concatBytes, type Hex, toHex, uintBE } from '../../../sdk/bytes.ts'
import { epochLogAbi } from '../../../sdk/chain/abi/epoch-log.ts'
import { epochSetId, readLogEntries } from '../../../sdk/chain/epoch-log.ts'
import { type ChainReader, createChainReader } from '../../../sdk/chain/reader.ts'
import type { Hash32 } from '../../../sdk/chain/types.ts'
import type { LogSnapshot } from '../../../sdk/protocol/types.ts'
import {
  type Anvil,
  callNode,
  finalise,
  inOneBlock,
  mineBlocks,
  startAnvil,
} from '../../kit/anvil.ts'
import { startRpcProxy } from '../../kit/rpc-proxy.ts'

let anvil: Anvil
let devnet: Devnet
let reader: ChainReader
let sets = 0

beforeAll(async () => {
  anvil = await startAnvil({ blockGasLimit: 300_000_000 })
  devnet = await deployDevnet({ rpcUrl: anvil.url })
  reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: 31337 })
})

afterAll(async () => {
  reader.close()
  await anvil.stop()
})

const key = devKey(6)
const hashOf = (byte: number): Hash32 => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
const newSet = (): Hash32 => epochSetId(devnet.avs, 100 + sets++)
const bodyOf = (length: number, byte = 7): Uint8Array => new Uint8Array(length).fill(byte)

function entry(set: Hash32, epoch: number | bigint, body = bodyOf(3)) {
  const args = [set, BigInt(epoch), hashOf(1), hashOf(2), toHex(body)] as const
  return call(encodeFunctionData({ abi: epochLogAbi, functionName: 'post', args }))
}

function complaint(set: Hash32, epoch: number, body = bodyOf(3)) {
  const args = [set, BigInt(epoch), toHex(body)] as const
  return call(encodeFunctionData({ abi: epochLogAbi, functionName: 'complain', args }))
}

function call(data: Hex) {
  return { to: devnet.epochLog, data, gas: 4_000_000n }
}

const post = (...calls: ReturnType<typeof call>[]) => send(anvil.url, key, calls)
const read = (set: Hash32, fromBlock = 0n, from: ChainReader = reader): Promise<LogSnapshot> =>
  readLogEntries(from, { epochLog: devnet.epochLog, set }, fromBlock)
const epochsOf = ({ entries }: LogSnapshot) => entries.map(({ epoch }) => epoch)

describe('the epoch log', () => {
  it('of a set that never posted is empty', async () => {
    expect(await read(newSet())).toMatchObject({ entries: [], complaints: [] })
  })

  it('gives back what was posted, in chain order, with block and time', async () => {
    const set = newSet()
    await post(entry(set, 1, bodyOf(1000, 9)), entry(set, 2), complaint(set, 1, bodyOf(5, 8)))
    await mineBlocks(anvil.url, 3)
    await post(entry(set, 3))
    const snapshot = await read(set)
    expect(epochsOf(snapshot)).toEqual([1, 2, 3])
    const [first] = snapshot.entries
    expect(first).toMatchObject({
      epoch: 1,
      prev: hashOf(1),
      outputHash: hashOf(2),
      poster: devAddress(6),
      body: bodyOf(1000, 9),
    })
    expect(first?.block).toEqual(await reader.blockByNumber(first?.block.number ?? 0n))
    expect(snapshot.complaints).toMatchObject([
      { epoch: 1, body: bodyOf(5, 8), poster: devAddress(6) },
    ])
  })

  it('holds one set apart from another', async () => {
    const [one, other] = [newSet(), newSet()]
    await post(entry(one, 1), entry(other, 2), entry(one, 3))
    expect(epochsOf(await read(one))).toEqual([1, 3])
    expect(epochsOf(await read(other))).toEqual([2])
  })

  it('tells final posts from pending ones', async () => {
    const set = newSet()
    await post(entry(set, 1))
    await finalise(anvil.url)
    await post(entry(set, 2))
    const { entries, finalized, latest } = await read(set)
    expect(entries.map(({ block }) => block.number <= finalized.number)).toEqual([true, false])
    expect(latest.number).toBe(entries[1]?.block.number)
  })

  it('is read from a block on', async () => {
    const set = newSet()
    for (const epoch of [1, 2, 3]) await post(entry(set, epoch))
    const { entries, latest } = await read(set)
    const [, second, third] = entries
    expect(epochsOf(await read(set, second?.block.number))).toEqual([2, 3])
    expect(epochsOf(await read(set, (third?.block.number ?? 0n) + 1n))).toEqual([])
    expect(epochsOf(await read(set, latest.number + 1000n))).toEqual([])
  })

  it('keeps the order inside one block', async () => {
    const set = newSet()
    await post(entry(set, 1))
    await inOneBlock(anvil.url, () =>
      submit(anvil.url, key, [entry(set, 2), complaint(set, 2), entry(set, 3), entry(set, 4)]),
    )
    const snapshot = await read(set)
    expect(epochsOf(snapshot)).toEqual([1, 2, 3, 4])
    const indexes = snapshot.entries.slice(1).map(({ logIndex }) => logIndex)
    expect(indexes).toEqual(indexes.toSorted((a, b) => a - b))
    expect(new Set(snapshot.entries.slice(1).map(({ block }) => block.hash)).size).toBe(1)
  })

  it('is read up to a limit of posts and of bytes, and not one answer further', async () => {
    const set = newSet()
    await post(entry(set, 1, bodyOf(100)), complaint(set, 1, bodyOf(50)))
    await post(entry(set, 2, bodyOf(70)))
    let steps = 0
    const counting: ChainReader = {
      ...reader,
      logs: (filter, options) => {
        steps++
        return reader.logs(filter, options)
      },
    }
    const readUpTo = (limits: { posts: number; bytes: number }, fromBlock = 0n) =>
      readLogEntries(counting, { epochLog: devnet.epochLog, set }, fromBlock, { limits })
    const refusal = (field: string, limit: number) => ({
      code: 'INPUT_TOO_LARGE',
      stage: 'chain',
      details: { field: `epoch log, ${field}`, limit },
    })
    const exact = await readUpTo({ posts: 3, bytes: 220 })
    expect(epochsOf(exact)).toEqual([1, 2])
    steps = 0
    // The contract's own count is enough for a whole reading; a later one counts what it meets.
    await expect(readUpTo({ posts: 2, bytes: 220 })).rejects.toMatchObject(refusal('posts', 2))
    expect(steps).toBe(0)
    const second = exact.entries[1]?.block.number
    await expect(readUpTo({ posts: 0, bytes: 220 }, second)).rejects.toMatchObject(
      refusal('posts', 0),
    )
    await expect(readUpTo({ posts: 3, bytes: 219 })).rejects.toMatchObject(refusal('bytes', 219))
  })

  it('walks far apart posts without long ranges', async () => {
    const set = newSet()
    await post(entry(set, 1))
    await mineBlocks(anvil.url, 1100)
    await post(entry(set, 2))
    const ranges: bigint[] = []
    const counting: ChainReader = {
      ...reader,
      logs: (filter, options) => {
        if ('toBlock' in filter.in) ranges.push(filter.in.toBlock - filter.in.fromBlock)
        return reader.logs(filter, options)
      },
    }
    expect(epochsOf(await read(set, 0n, counting))).toEqual([1, 2])
    expect(ranges).toHaveLength(2)
    expect(ranges.every((length) => length < 1000n)).toBe(true)
  })

  it('is read through providers that allow a single block at a time', async () => {
    const set = newSet()
    for (const epoch of [1, 2, 3]) await post(entry(set, epoch))
    const proxy = await startRpcProxy(anvil.url, ({ method, params }, result) => {
      const [filter] = params as [{ fromBlock?: string; toBlock?: string }]
      const isLong = method === 'eth_getLogs' && filter.fromBlock !== filter.toBlock
      return isLong ? { error: { code: -32600, message: 'range too large' } } : { result }
    })
    const limited = createChainReader({ rpcUrls: [proxy.url], quorum: 1, chainId: 31337 })
    expect(epochsOf(await read(set, 0n, limited))).toEqual([1, 2, 3])
    limited.close()
    await proxy.stop()
  })

  it('leaves out epoch numbers that no epoch can have', async () => {
    const set = newSet()
    await post(entry(set, 1), entry(set, 2n ** 63n), entry(set, 2))
    expect(epochsOf(await read(set))).toEqual([1, 2])
  })

  it('follows a reorganisation: a dropped pending post is gone', async () => {
    const set = newSet()
    await post(entry(set, 1))
    await mineBlocks(anvil.url, 3)
    await post(entry(set, 2))
    expect(epochsOf(await read(set))).toEqual([1, 2])
    await callNode(anvil.url, 'anvil_reorg', [1, []])
    expect(epochsOf(await read(set))).toEqual([1])
  })
})

describe('scenario 36: an answer with a gap is an error', () => {
  it.each([
    ['the newest post', (epochs: number) => epochs === 3],
    ['a post in the middle', (epochs: number) => epochs === 2],
    ['the first post', (epochs: number) => epochs === 1],
    ['all posts', () => true],
  ])('%s left out', async (_name, isHidden) => {
    const set = newSet()
    for (const epoch of [1, 2, 3]) await post(entry(set, epoch))
    const hiding: ChainReader = {
      ...reader,
      logs: async (filter, options) =>
        (await reader.logs(filter, options)).filter((log) => !isHidden(Number(log.topics[2]))),
    }
    await expect(read(set, 0n, hiding)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
  })

  it('one of two posts of a block left out', async () => {
    const set = newSet()
    await inOneBlock(anvil.url, () => submit(anvil.url, key, [entry(set, 1), entry(set, 2)]))
    for (const hidden of [1, 2]) {
      const hiding: ChainReader = {
        ...reader,
        logs: async (filter, options) =>
          (await reader.logs(filter, options)).filter((log) => Number(log.topics[2]) !== hidden),
      }
      await expect(read(set, 0n, hiding)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
    }
  })
})

describe('the contract', () => {
  it('names a set by avs and number', () => {
    const word = (bytes: Uint8Array) => concatBytes(new Uint8Array(32 - bytes.length), bytes)
    const avs = new Uint8Array(20).fill(0x4a)
    const expected = keccak_256(concatBytes(word(avs), word(uintBE(7, 4))))
    expect(epochSetId(toHex(avs), 7)).toBe(toHex(expected))
  })

  it('takes bodies up to their limits and refuses empty and larger ones', async () => {
    const set = newSet()
    await post(entry(set, 1, bodyOf(65_536)), complaint(set, 1, bodyOf(32_768)))
    const snapshot = await read(set)
    expect(snapshot.entries[0]?.body).toHaveLength(65_536)
    expect(snapshot.complaints[0]?.body).toHaveLength(32_768)
    for (const wrong of [
      entry(set, 1, bodyOf(0)),
      entry(set, 1, bodyOf(65_537)),
      complaint(set, 1, bodyOf(0)),
      complaint(set, 1, bodyOf(32_769)),
    ])
      await expect(post(wrong)).rejects.toThrow(/reverted/)
  })

  it('bounds what one block holds for a set, so that it stays readable', async () => {
    const set = newSet()
    const calls = Array.from({ length: 50 }, (_, index) => entry(set, index, bodyOf(65_536, 0)))
    await inOneBlock(anvil.url, () => submit(anvil.url, key, calls))
    const { entries } = await read(set)
    const bytes = entries.reduce((sum, { body }) => sum + body.length + 512, 0)
    expect(new Set(entries.map(({ block }) => block.hash)).size).toBe(1)
    expect(bytes).toBeLessThanOrEqual(3 * 1024 * 1024)
    expect(entries).toHaveLength(47)
    await post(entry(set, 99))
    expect((await read(set)).entries).toHaveLength(48)
  })
})
