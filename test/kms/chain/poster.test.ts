import { inspect } from 'node:util'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type Devnet,
  deployDevnet,
  devAddress,
  devKey,
  submit,
} from '../../../helper/sim/contracts.ts'
import { createEpochLogPort } from '../../../kms/chain/epoch-log-port.ts'
import { createPoster, type Poster, type PosterConfig } from '../../../kms/chain/poster.ts'
import type { EpochLogPort } from '../../../kms/epoch/ports.ts'
import { type ChainReader, createChainReader } from '../../../sdk/chain/reader.ts'
import type { Hash32 } from '../../../sdk/chain/types.ts'
import { type Anvil, callNode, mineBlocks, startAnvil } from '../../kit/anvil.ts'
import { startRpcProxy, type Tamper } from '../../kit/rpc-proxy.ts'

const SECRET = 'key-never-to-be-seen-5521'
const GWEI = 1_000_000_000n
let anvil: Anvil
let devnet: Devnet
let reader: ChainReader
let sets = 0

beforeAll(async () => {
  anvil = await startAnvil()
  devnet = await deployDevnet({ rpcUrl: anvil.url })
  reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: 31337 })
})

afterAll(async () => {
  reader.close()
  await anvil.stop()
})

const opened: { stop(): Promise<void> | void }[] = []
afterEach(async () => {
  await callNode(anvil.url, 'evm_setAutomine', [true])
  for (const item of opened.splice(0)) await item.stop()
  await callNode(anvil.url, 'anvil_dropAllTransactions')
})

type Opened = { port: EpochLogPort; poster: Poster }

function openPort(config: Partial<PosterConfig> = {}, key = devKey(7)): Opened {
  const poster = createPoster({
    rpcUrls: [anvil.url],
    quorum: 1,
    chainId: 31337,
    account: privateKeyToAccount(key),
    pollMs: 20,
    replaceAfterMs: 150,
    giveUpAfterMs: 10_000,
    ...config,
  })
  opened.push({ stop: () => poster.close() })
  const { epochLog, avs } = devnet
  const port = createEpochLogPort({ reader, poster, epochLog, avs, operatorSetId: 200 + sets++ })
  return { port, poster }
}

const hashOf = (byte: number): Hash32 => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
const entryOf = (epoch: number, length = 100) => ({
  epoch,
  prev: hashOf(0),
  outputHash: hashOf(epoch),
  body: new Uint8Array(length).fill(epoch),
})
const epochsOf = async (port: EpochLogPort) =>
  (await port.read(0n)).entries.map(({ epoch }) => epoch)
const nonceOf = async (index: number) =>
  Number(await callNode(anvil.url, 'eth_getTransactionCount', [devAddress(index), 'latest']))

type PoolTransaction = { maxFeePerGas: string; maxPriorityFeePerGas: string; hash: string }

async function pooled(index: number): Promise<PoolTransaction[]> {
  const pool = (await callNode(anvil.url, 'txpool_content')) as {
    pending: Record<string, Record<string, PoolTransaction>>
  }
  const entries = Object.entries(pool.pending)
  const mine = entries.find(([address]) => address.toLowerCase() === devAddress(index))
  return Object.values(mine?.[1] ?? {})
}

describe('a post', () => {
  it('is in the log when the promise resolves', async () => {
    const { port } = openPort()
    await port.post(entryOf(1))
    await port.complain({ epoch: 1, body: new Uint8Array([1, 2, 3]) })
    const { entries, complaints } = await port.read(0n)
    expect(entries).toMatchObject([{ ...entryOf(1), poster: devAddress(7) }])
    expect(complaints).toMatchObject([{ epoch: 1, body: new Uint8Array([1, 2, 3]) }])
  })

  it('that is there already is not sent again, whoever sent it', async () => {
    const { port } = openPort()
    await port.post(entryOf(1))
    await port.complain({ epoch: 1, body: new Uint8Array([1]) })
    const nonce = await nonceOf(7)
    await port.post(entryOf(1))
    await port.complain({ epoch: 1, body: new Uint8Array([1]) })
    expect(await nonceOf(7)).toBe(nonce)
    expect(await epochsOf(port)).toEqual([1])
    await port.post({ ...entryOf(1), body: new Uint8Array([9]) })
    expect(await epochsOf(port)).toEqual([1, 1])
  })

  it('and another at the same time both land', async () => {
    const { port } = openPort()
    await Promise.all([port.post(entryOf(1)), port.post(entryOf(2)), port.post(entryOf(3))])
    expect((await epochsOf(port)).sort()).toEqual([1, 2, 3])
  })
})

describe('scenario 37: a transaction that is not mined', () => {
  it('is replaced under its nonce with a higher fee, and counts once', async () => {
    await callNode(anvil.url, 'evm_setAutomine', [false])
    const { port } = openPort()
    const nonce = await nonceOf(7)
    const posted = port.post(entryOf(1))
    await expect.poll(async () => (await pooled(7)).length).toBe(1)
    const [first] = await pooled(7)
    await expect
      .poll(async () => (await pooled(7))[0]?.hash, { timeout: 5000 })
      .not.toBe(first?.hash)
    const pool = await pooled(7)
    expect(pool).toHaveLength(1)
    expect(BigInt(pool[0]?.maxFeePerGas ?? 0)).toBeGreaterThan(BigInt(first?.maxFeePerGas ?? 0))
    await mineBlocks(anvil.url, 1)
    await posted
    expect(await epochsOf(port)).toEqual([1])
    expect(await nonceOf(7)).toBe(nonce + 1)
  })

  it('and that its node has forgotten is sent again as it was', async () => {
    await callNode(anvil.url, 'evm_setAutomine', [false])
    const { port } = openPort({ replaceAfterMs: 60_000, resendAfterMs: 1500 })
    const posted = port.post(entryOf(1))
    await expect.poll(async () => (await pooled(7)).length).toBe(1)
    const [first] = await pooled(7)
    await callNode(anvil.url, 'anvil_dropAllTransactions', [])
    expect(await pooled(7)).toEqual([])
    await expect.poll(async () => (await pooled(7))[0]?.hash, { timeout: 5000 }).toBe(first?.hash)
    await mineBlocks(anvil.url, 1)
    await posted
    expect(await epochsOf(port)).toEqual([1])
  })

  it('of somebody else on the same nonce is outbid', async () => {
    await callNode(anvil.url, 'evm_setAutomine', [false])
    // Left by an earlier life of this operator: fee 100 gwei, tip 1 gwei.
    await submit(anvil.url, devKey(8), [{ to: devAddress(1), data: '0x', gas: 21_000n }])
    const [stuck] = await pooled(8)
    const { port } = openPort({ replaceAfterMs: 5000 }, devKey(8))
    const posted = port.post(entryOf(1))
    await expect
      .poll(async () => (await pooled(8))[0]?.hash, { timeout: 8000 })
      .not.toBe(stuck?.hash)
    await mineBlocks(anvil.url, 1)
    await posted
    expect(await epochsOf(port)).toEqual([1])
  })

  it('in time is a failure that names what was to be written', async () => {
    await callNode(anvil.url, 'evm_setAutomine', [false])
    const { port } = openPort({ giveUpAfterMs: 300 })
    await expect(port.post(entryOf(4))).rejects.toMatchObject({
      code: 'CHAIN_WRITE_FAILED',
      details: { what: 'the output of epoch 4' },
      message: expect.stringMatching(/not mined in time/),
    })
  })

  it('never offers more than the ceiling', async () => {
    await callNode(anvil.url, 'evm_setAutomine', [false])
    const ceiling = 3n * GWEI
    const { port } = openPort({ giveUpAfterMs: 900, replaceAfterMs: 100, maxFeePerGas: ceiling })
    const failed = expect(port.post(entryOf(1))).rejects.toMatchObject({
      code: 'CHAIN_WRITE_FAILED',
    })
    await expect.poll(async () => (await pooled(7)).length).toBe(1)
    await failed
    for (const { maxFeePerGas, maxPriorityFeePerGas } of await pooled(7)) {
      expect(BigInt(maxFeePerGas)).toBeLessThanOrEqual(ceiling)
      expect(BigInt(maxPriorityFeePerGas)).toBeLessThanOrEqual(ceiling)
    }
  })

  it('and offers the ceiling already is sent and looked for as the one that it is', async () => {
    await callNode(anvil.url, 'evm_setAutomine', [false])
    const proxy = await startRpcProxy(anvil.url, () => undefined, SECRET)
    opened.push(proxy)
    const config = { replaceAfterMs: 60, giveUpAfterMs: 1500, maxFeePerGas: 5n * GWEI }
    const { port } = openPort({ rpcUrls: [proxy.url], ...config })
    await expect(port.post(entryOf(1))).rejects.toMatchObject({ code: 'CHAIN_WRITE_FAILED' })
    const asked = proxy.calls
      .filter(({ method }) => method === 'eth_getTransactionReceipt')
      .map(({ params }) => params[0])
    const names = new Set(asked)
    expect(names.size).toBeGreaterThan(1)
    // Of the last looks: each transaction once.
    const last = asked.slice(-names.size)
    expect(new Set(last)).toEqual(names)
  })

  it('ends when the poster closes', async () => {
    await callNode(anvil.url, 'evm_setAutomine', [false])
    const { port, poster } = openPort({ giveUpAfterMs: 60_000, replaceAfterMs: 60_000 })
    const failed = expect(port.post(entryOf(1))).rejects.toMatchObject({
      code: 'CHAIN_WRITE_FAILED',
    })
    await expect.poll(async () => (await pooled(7)).length).toBe(1)
    poster.close()
    await failed
  })
})

describe('scenario 37: a transaction is not sent', () => {
  it('when the contract refuses it', async () => {
    const { port } = openPort()
    const nonce = await nonceOf(7)
    await expect(port.post(entryOf(1, 65_537))).rejects.toMatchObject({
      code: 'CHAIN_WRITE_FAILED',
      message: expect.stringMatching(/contract refuses/),
    })
    expect(await nonceOf(7)).toBe(nonce)
  })

  it('when the account cannot pay', async () => {
    const { port } = openPort({}, `0x${'42'.repeat(32)}`)
    await expect(port.post(entryOf(1))).rejects.toMatchObject({
      code: 'CHAIN_WRITE_FAILED',
      message: expect.stringMatching(/cannot pay/),
    })
    expect(await epochsOf(port)).toEqual([])
  })
})

describe('with 2 of 3 providers', () => {
  const lies: [string, Tamper][] = [
    [
      'an absurd base fee',
      (call, result) => ({
        result:
          call.method === 'eth_getBlockByNumber'
            ? { ...(result as object), baseFeePerGas: `0x${'f'.repeat(20)}` }
            : result,
      }),
    ],
    [
      'an absurd tip',
      (call, result) => ({
        result: call.method === 'eth_maxPriorityFeePerGas' ? `0x${'f'.repeat(20)}` : result,
      }),
    ],
    [
      'another nonce',
      (call, result) => ({ result: call.method === 'eth_getTransactionCount' ? '0xffff' : result }),
    ],
    ['no gas', (call, result) => ({ result: call.method === 'eth_estimateGas' ? '0x1' : result })],
    [
      'that it reverts',
      (call, result) =>
        call.method === 'eth_estimateGas'
          ? { error: { code: 3, message: 'execution reverted' } }
          : { result },
    ],
    [
      'that it was mined',
      (call, result) => ({
        result:
          call.method === 'eth_getTransactionReceipt'
            ? { status: '0x1', transactionHash: call.params[0] }
            : result,
      }),
    ],
    [
      'refusals',
      (call, result) =>
        call.method === 'eth_sendRawTransaction'
          ? { error: { code: -32000, message: `nonce too low ${SECRET}` } }
          : { result },
    ],
    ['nothing at all', () => ({ raw: '' })],
  ]
  it.each(lies)('one that answers %s does no harm', async (_name, tamper) => {
    const proxies = []
    for (const next of [tamper, () => undefined, () => undefined] as Tamper[])
      proxies.push(await startRpcProxy(anvil.url, next, SECRET))
    opened.push(...proxies)
    const { port } = openPort({ rpcUrls: proxies.map(({ url }) => url), quorum: 2 })
    await port.post(entryOf(1))
    const { entries } = await port.read(0n)
    expect(entries).toHaveLength(1)
    const block = await callNode(anvil.url, 'eth_getBlockByNumber', ['latest', true])
    const [transaction] = (block as { transactions: PoolTransaction[] }).transactions
    expect(BigInt(transaction?.maxFeePerGas ?? 0)).toBeLessThan(100n * GWEI)
  })

  it.each([0, 2])('provider %i that hangs holds nothing up', async (place) => {
    const proxies = []
    for (let i = 0; i < 3; i++)
      proxies.push(await startRpcProxy(anvil.url, () => (i === place ? 'hang' : undefined), SECRET))
    opened.push(...proxies)
    const { port } = openPort({
      rpcUrls: proxies.map(({ url }) => url),
      quorum: 2,
      timeoutMs: 30_000,
      giveUpAfterMs: 60_000,
    })
    const begun = performance.now()
    await port.post(entryOf(1))
    expect(performance.now() - begun).toBeLessThan(15_000)
    expect(await epochsOf(port)).toEqual([1])
  })

  it.each([
    ['nonce', 'eth_getTransactionCount', '0x0'],
    ['gas', 'eth_estimateGas', '0x1'],
  ])(
    'one that lies about the %s does no harm while an honest one is slow',
    async (_name, method, result) => {
      // So that the account's nonce is above the one that is lied.
      await openPort().port.post(entryOf(9))
      const lie: Tamper = (call) => (call.method === method ? { result } : undefined)
      const slow: Tamper = (call) => (call.method === method ? { delayMs: 2000 } : undefined)
      const proxies = []
      for (const tamper of [lie, () => undefined, slow] as Tamper[])
        proxies.push(await startRpcProxy(anvil.url, tamper, SECRET))
      opened.push(...proxies)
      const { port } = openPort({ rpcUrls: proxies.map(({ url }) => url), quorum: 2 })
      await port.post(entryOf(1))
      expect(await epochsOf(port)).toEqual([1])
    },
  )

  it('one alone that knows of tips does not say how much is paid', async () => {
    const greedy: Tamper = ({ method }) =>
      method === 'eth_maxPriorityFeePerGas'
        ? { result: `0x${(400n * GWEI).toString(16)}` }
        : undefined
    const old: Tamper = ({ method }) =>
      method === 'eth_maxPriorityFeePerGas'
        ? { error: { code: -32601, message: 'method not found' } }
        : undefined
    const proxies = []
    for (const tamper of [old, greedy, old])
      proxies.push(await startRpcProxy(anvil.url, tamper, SECRET))
    opened.push(...proxies)
    const { port } = openPort({ rpcUrls: proxies.map(({ url }) => url), quorum: 2 })
    await port.post(entryOf(1))
    const block = await callNode(anvil.url, 'eth_getBlockByNumber', ['latest', true])
    const [transaction] = (block as { transactions: PoolTransaction[] }).transactions
    expect(BigInt(transaction?.maxPriorityFeePerGas ?? 0)).toBe(GWEI)
  })

  it('a failure names none of them', async () => {
    const away: Tamper = () => ({ error: { code: -32000, message: `quota of ${SECRET} used` } })
    const proxies = []
    for (let i = 0; i < 3; i++) proxies.push(await startRpcProxy(anvil.url, away, SECRET))
    opened.push(...proxies)
    const { port } = openPort({ rpcUrls: proxies.map(({ url }) => url), quorum: 2 })
    const failure = await port.post(entryOf(1)).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
    expect(inspect(failure, { depth: 10 })).not.toContain(SECRET)
  })
})
