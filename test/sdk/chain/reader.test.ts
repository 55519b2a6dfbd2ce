import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createApp, type Devnet, deployDevnet } from '../../../helper/sim/contracts.ts'
import type { ProviderAlarm } from '../../../sdk/chain/quorum.ts'
import {
  type ChainReader,
  type ChainReaderConfig,
  createChainReader,
} from '../../../sdk/chain/reader.ts'
import { readAppDecision } from '../../../sdk/chain/release.ts'
import type { Address } from '../../../sdk/chain/types.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { type Anvil, callNode, finalise, mineBlocks, startAnvil } from '../../kit/anvil.ts'
import { type RpcProxy, startRpcProxy, type Tamper } from '../../kit/rpc-proxy.ts'

const SECRET = 'key-never-to-be-seen-8213'
const TIMEOUT_MS = 1000
let anvil: Anvil
let devnet: Devnet
let app: Address

beforeAll(async () => {
  anvil = await startAnvil()
  devnet = await deployDevnet({ rpcUrl: anvil.url })
  app = await createApp(devnet, { release: { imageDigest: `sha256:${'a'.repeat(64)}` } })
  await finalise(anvil.url)
})

afterAll(() => anvil.stop())

const opened: { stop(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const item of opened.splice(0)) await item.stop()
})

const honest: Tamper = () => undefined
const hanging: Tamper = () => 'hang'
const statusOf =
  (code: number): Tamper =>
  (call, result) =>
    call.method === 'eth_call' && JSON.stringify(call.params).includes('0xd5aae178')
      ? { result: `0x${code.toString(16).padStart(64, '0')}` }
      : { result }

type Setup = { reader: ChainReader; proxies: RpcProxy[]; alarms: ProviderAlarm[] }

async function setUp(
  tampers: readonly Tamper[],
  quorum: number,
  config: Partial<ChainReaderConfig> = {},
): Promise<Setup> {
  const proxies: RpcProxy[] = []
  for (const tamper of tampers) proxies.push(await startRpcProxy(anvil.url, tamper, SECRET))
  const alarms: ProviderAlarm[] = []
  const reader = createChainReader({
    rpcUrls: proxies.map((proxy) => proxy.url),
    quorum,
    chainId: 31337,
    timeoutMs: TIMEOUT_MS,
    onAlarm: (alarm) => alarms.push(alarm),
    ...config,
  })
  opened.push({ stop: () => reader.close() }, ...proxies)
  return { reader, proxies, alarms }
}

async function decide(setup: Setup): Promise<string> {
  try {
    return (await readAppDecision(setup.reader, devnet, app)).status
  } catch (error) {
    // Whatever went wrong: nothing that leaves may name the provider.
    const shown = [String(error), JSON.stringify(error), inspect(error, { depth: 10 })].join('\n')
    expect(shown).not.toContain(SECRET)
    expect(shown).not.toMatch(/127\.0\.0\.1:\d/)
    if (isEigenxError(error)) return error.code
    throw error
  }
}

describe('2 of 3 providers', () => {
  const outvoted: [string, Tamper, string | undefined][] = [
    ['is honest', honest, undefined],
    ['claims another status', statusOf(3), 'disagrees'],
    ['hangs', hanging, undefined],
    [
      'is another chain',
      (call, result) => ({ result: call.method === 'eth_chainId' ? '0x1' : result }),
      'wrong-chain',
    ],
    ['floods', () => ({ flood: 32 * 1024 * 1024 }), undefined],
    ['answers with HTML', () => ({ raw: '<html>busy</html>', status: 503 }), undefined],
    ['answers with half a document', () => ({ raw: '{"jsonrpc":"2.0","id":1,"res' }), undefined],
    ['answers with null', () => ({ raw: 'null' }), undefined],
    ['answers with an array', () => ({ raw: '[]' }), undefined],
    [
      'refuses everything',
      () => ({ error: { code: -32005, message: `limit for ${SECRET}` } }),
      undefined,
    ],
    [
      'says that all calls revert',
      (call, result) =>
        call.method === 'eth_call'
          ? { error: { code: 3, message: 'execution reverted' } }
          : { result },
      'disagrees',
    ],
    [
      'knows no block',
      (call, result) => ({ result: call.method.startsWith('eth_getBlock') ? null : result }),
      undefined,
    ],
    [
      'hides the release',
      (call, result) => ({ result: call.method === 'eth_getLogs' ? [] : result }),
      'disagrees',
    ],
    [
      'claims a far future as final',
      (call, result) =>
        call.method === 'eth_getBlockByNumber'
          ? { result: { ...(result as object), number: '0xffffffff' } }
          : { result },
      undefined,
    ],
    [
      'answers everything with a block of its own',
      () => ({ result: { number: '0x1', hash: `0x${'66'.repeat(32)}`, timestamp: '0x1' } }),
      undefined,
    ],
  ]
  it.each(outvoted)('decide while one %s', async (_name, tamper, alarm) => {
    const setup = await setUp([tamper, honest, honest], 2)
    expect(await decide(setup)).toBe('STARTED')
    if (alarm !== undefined) {
      // The liar may be slower than the two whose answer was taken.
      await expect
        .poll(() => setup.alarms.map(({ provider, kind }) => `${provider} ${kind}`))
        .toContain(`0 ${alarm}`)
      expect(JSON.stringify(setup.alarms)).not.toContain(SECRET)
    }
  })

  it('refuse to decide when two of them are gone', async () => {
    expect(await decide(await setUp([hanging, honest, hanging], 2))).toBe('CHAIN_UNAVAILABLE')
  })

  it('refuse to decide when one lies and one is gone', async () => {
    expect(await decide(await setUp([statusOf(3), honest, hanging], 2))).toBe('CHAIN_DISAGREES')
  })

  it('keep the newest block that two have: an old view of one does not count', async () => {
    const old = await callNode(anvil.url, 'eth_getBlockByNumber', ['0x1', false])
    const stale: Tamper = (call, result) => ({
      result:
        call.method === 'eth_getBlockByNumber' && call.params[0] === 'finalized' ? old : result,
    })
    const { reader } = await setUp([stale, honest, honest], 2)
    const now = await createReaderOf(anvil.url).pinnedBlock()
    expect(await reader.pinnedBlock()).toEqual(now)
  })

  it('do not wait for one that keeps hanging', async () => {
    const setup = await setUp([hanging, honest, honest], 2)
    await decide(setup)
    const start = performance.now()
    expect(await decide(setup)).toBe('STARTED')
    expect(performance.now() - start).toBeLessThan(TIMEOUT_MS)
  })

  it('do not wait for one that hangs at times, and refuses at others', async () => {
    let mood: 'hang' | 'refuse' = 'hang'
    const moody: Tamper = () =>
      mood === 'hang' ? 'hang' : { error: { code: -32005, message: 'limit' } }
    const { reader } = await setUp([moody, honest, honest], 2)
    await reader.latestBlock()
    mood = 'refuse'
    await reader.latestBlock()
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS / 2))
    mood = 'hang'
    const start = performance.now()
    await reader.latestBlock()
    expect(performance.now() - start).toBeLessThan(TIMEOUT_MS / 2)
  })

  it('know the newest block at once while one leaves other questions unanswered', async () => {
    const half: Tamper = ({ method }) => (method === 'eth_call' ? 'hang' : undefined)
    const { reader, proxies } = await setUp([honest, honest, half], 2)
    const block = await reader.latestBlock()
    const questions = Array.from({ length: 40 }, (_, i): Address => {
      const place = i.toString(16).padStart(2, '0')
      return `0x${'c0'.repeat(19)}${place}`
    })
    await Promise.all(questions.map((to) => reader.call({ to, data: '0x', block })))
    const start = performance.now()
    await reader.latestBlock()
    expect(performance.now() - start).toBeLessThan(TIMEOUT_MS / 2)
    const asked = proxies[2]?.calls.filter(({ method }) => method === 'eth_call')
    expect(asked?.length).toBeGreaterThanOrEqual(16)
  })

  it('agree at the tip although one is ahead', async () => {
    const ahead: Tamper = (call, result) => {
      const isTip = call.method === 'eth_getBlockByNumber' && call.params[0] === 'latest'
      const block = { ...(result as object), number: '0xfffff', hash: `0x${'55'.repeat(32)}` }
      return { result: isTip ? block : result }
    }
    const { reader } = await setUp([ahead, honest, honest], 2)
    expect(await reader.latestBlock()).toEqual(await createReaderOf(anvil.url).latestBlock())
  })
})

describe('all providers are needed', () => {
  it('2 of 2: one liar stops every grant', async () => {
    expect(await decide(await setUp([statusOf(1), honest], 2))).toBe('STARTED')
    expect(await decide(await setUp([statusOf(2), honest], 2))).toBe('CHAIN_DISAGREES')
  })

  it('1 of 1: a wrong chain id, garbage and silence are no answers', async () => {
    const wrong: Tamper = (call, result) => ({
      result: call.method === 'eth_chainId' ? '0x1' : result,
    })
    expect(await decide(await setUp([wrong], 1))).toBe('CHAIN_UNAVAILABLE')
    expect(await decide(await setUp([() => ({ raw: '' })], 1))).toBe('CHAIN_UNAVAILABLE')
    expect(await decide(await setUp([hanging], 1))).toBe('CHAIN_UNAVAILABLE')
  })

  it('nothing listens: the refusal names no address', async () => {
    const setup = await setUp([honest], 1)
    await setup.proxies[0]?.stop()
    expect(await decide(setup)).toBe('CHAIN_UNAVAILABLE')
  })

  it('a redirect is not followed', async () => {
    const target = await setUp([honest], 1)
    const location = target.proxies[0]?.url ?? ''
    const away: Tamper = () => ({ raw: '', status: 307, location })
    expect(await decide(await setUp([away], 1))).toBe('CHAIN_UNAVAILABLE')
    expect(target.proxies[0]?.calls).toEqual([])
  })

  it('events that were not asked for are refused', async () => {
    const foreign: Tamper = (call, result) => {
      if (call.method !== 'eth_getLogs' || !Array.isArray(result)) return { result }
      return { result: result.map((log) => ({ ...log, address: `0x${'99'.repeat(20)}` })) }
    }
    expect(await decide(await setUp([foreign], 1))).toBe('CHAIN_UNAVAILABLE')
    const repeated: Tamper = (call, result) =>
      call.method === 'eth_getLogs' && Array.isArray(result)
        ? { result: [...result, ...result] }
        : { result }
    expect(await decide(await setUp([repeated], 1))).toBe('CHAIN_UNAVAILABLE')
  })
})

describe('reads of one decision', () => {
  it('name the block by its hash, and demand that it is canonical', async () => {
    const setup = await setUp([honest], 1)
    const decision = await readAppDecision(setup.reader, devnet, app)
    const calls = setup.proxies[0]?.calls ?? []
    const blocks = calls
      .filter(({ method }) => method === 'eth_call')
      .map(({ params }) => JSON.stringify(params[1]))
    const pinned = [decision.block, decision.latest].map(({ hash }) =>
      JSON.stringify({ blockHash: hash, requireCanonical: true }),
    )
    expect(new Set(blocks)).toEqual(new Set(pinned))
    const logs = calls.filter(({ method }) => method === 'eth_getLogs')
    expect(logs.map(({ params }) => params[0])).toMatchObject([
      { blockHash: decision.release.block.hash },
    ])
  })

  it('end when the caller cancels or the reader closes', async () => {
    const { reader } = await setUp([hanging], 1, { timeoutMs: 30_000 })
    const controller = new AbortController()
    const cancelled = reader.latestBlock({ signal: controller.signal })
    setTimeout(() => controller.abort(), 20)
    await expect(cancelled).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
    const second = await setUp([honest], 1)
    second.reader.close()
    await expect(second.reader.latestBlock()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
  })

  it('stay within the concurrency that is allowed, and all come through', async () => {
    const { reader, proxies } = await setUp([honest], 1, { maxConcurrent: 3, timeoutMs: 5000 })
    const tasks = Array.from({ length: 40 }, () => reader.blockByNumber(1n))
    const blocks = await Promise.all(tasks)
    expect(new Set(blocks.map((block) => block?.hash)).size).toBe(1)
    // How many of the three overlap is the scheduler's choice; a fourth would be a gate that does not hold.
    expect(proxies[0]?.peak()).toBeLessThanOrEqual(3)
    expect(proxies[0]?.calls.length).toBeGreaterThanOrEqual(40)
  })

  it('ask once what is the same for a block, and for the newest block anew each time', async () => {
    const setup = await setUp([honest], 1)
    const methods = () => setup.proxies[0]?.calls.map(({ method }) => method) ?? []
    await decide(setup)
    const first = methods().filter((method) => method === 'eth_call').length
    await decide(setup)
    expect(methods().filter((method) => method === 'eth_call')).toHaveLength(first)
    await mineBlocks(anvil.url, 1)
    await decide(setup)
    expect(methods().filter((method) => method === 'eth_call').length).toBeGreaterThan(first)
    const before = methods().length
    await Promise.all([setup.reader.latestBlock(), setup.reader.latestBlock()])
    expect(methods()).toHaveLength(before + 1)
    await setup.reader.latestBlock()
    expect(methods()).toHaveLength(before + 2)
  })

  it('do not keep what failed', async () => {
    let isDown = true
    const flaky: Tamper = (call, result) =>
      isDown && call.method === 'eth_call' ? { raw: '' } : { result }
    const setup = await setUp([flaky], 1)
    expect(await decide(setup)).toBe('CHAIN_UNAVAILABLE')
    isDown = false
    expect(await decide(setup)).toBe('STARTED')
  })

  it('of blocks: by height and by hash, or undefined', async () => {
    const reader = createReaderOf(anvil.url)
    await mineBlocks(anvil.url, 1)
    const head = await reader.latestBlock()
    expect(await reader.blockByNumber(head.number)).toEqual(head)
    expect(await reader.blockByHash(head.hash)).toEqual(head)
    expect(await reader.blockByNumber(head.number + 1000n)).toBeUndefined()
    expect(await reader.blockByHash(`0x${'12'.repeat(32)}`)).toBeUndefined()
  })
})

describe('a configuration is refused', () => {
  const url = (name: string) => `https://${name}.example/${SECRET}`
  const wrong: [string, Partial<ChainReaderConfig>, string][] = [
    ['without providers', { rpcUrls: [], quorum: 1 }, 'chain.quorum'],
    ['with a quorum of none', { rpcUrls: [url('a')], quorum: 0 }, 'chain.quorum'],
    ['with a quorum beyond them', { rpcUrls: [url('a')], quorum: 2 }, 'chain.quorum'],
    ['with half of them as quorum', { rpcUrls: [url('a'), url('b')], quorum: 1 }, 'chain.quorum'],
    ['with one provider twice', { rpcUrls: [url('a'), url('a')], quorum: 2 }, 'chain.rpc_urls'],
    ['with another scheme', { rpcUrls: [`ftp://a/${SECRET}`], quorum: 1 }, 'chain.rpc_urls'],
    ['with no URL', { rpcUrls: [SECRET], quorum: 1 }, 'chain.rpc_urls'],
    ['with no chain', { rpcUrls: [url('a')], quorum: 1, chainId: 0 }, 'chain.chain_id'],
  ]
  it.each(wrong)('%s', (_name, config, path) => {
    try {
      createChainReader({ chainId: 1, rpcUrls: [], quorum: 1, ...config })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', details: { path } })
      expect(inspect(error)).not.toContain(SECRET)
    }
  })
})

function createReaderOf(url: string): ChainReader {
  const reader = createChainReader({ rpcUrls: [url], quorum: 1, chainId: 31337 })
  opened.push({ stop: () => reader.close() })
  return reader
}
