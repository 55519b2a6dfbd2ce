import { encodeFunctionData } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createQuorumViewer, type LogMemory } from '../../helper/chain-view.ts'
import { parseEigenxToml } from '../../helper/config.ts'
import {
  type Devnet,
  deployDevnet,
  devKey,
  registerOperators,
  send,
  updateSocket,
} from '../../helper/sim/contracts.ts'
import { bytesToHex, compareBytes, parseHex, toHex } from '../../sdk/bytes.ts'
import { epochLogAbi } from '../../sdk/chain/abi/epoch-log.ts'
import { epochSetId } from '../../sdk/chain/epoch-log.ts'
import { createChainReader } from '../../sdk/chain/reader.ts'
import type { Address, BlockRef, Hash32 } from '../../sdk/chain/types.ts'
import { randomScalar } from '../../sdk/crypto/bls.ts'
import { signStatement } from '../../sdk/protocol/digest.ts'
import { outputStatement } from '../../sdk/protocol/messages.ts'
import { encodeCertifiedBody, outputHash } from '../../sdk/protocol/output.ts'
import { NO_OUTPUT, sidOf } from '../../sdk/protocol/terms.ts'
import type { Domain, Output } from '../../sdk/protocol/types.ts'
import { type Anvil, callNode, finalise, mineBlocks, startAnvil } from '../kit/anvil.ts'
import { type RpcCall, startRpcProxy } from '../kit/rpc-proxy.ts'
import { APP_ID, type Cluster, makeCluster } from './kit.ts'

type Operator = { address: Address; key: Uint8Array }

/** In the order of their addresses. */
const operators: readonly Operator[] = [4, 5, 6, 7]
  .map((index): Operator => {
    const key = devKey(index)
    return {
      address: lower(privateKeyToAccount(key).address),
      key: parseHex(key) ?? new Uint8Array(),
    }
  })
  .sort((a, b) => compareBytes(parseHex(a.address) ?? a.key, parseHex(b.address) ?? b.key))
const secret = randomScalar()

let anvil: Anvil
let devnet: Devnet
let domain: Domain

beforeAll(async () => {
  anvil = await startAnvil()
})
afterAll(async () => {
  await anvil.stop()
})
/** Contracts of its own for each test. */
beforeEach(async () => {
  devnet = await deployDevnet({ rpcUrl: anvil.url })
  const { chainId, avs, operatorSetId, epochLog } = devnet
  domain = { chainId, avs, operatorSetId, epochLog }
})

function lower(address: Address): Address {
  return `0x${address.slice(2).toLowerCase()}`
}

async function register(members: readonly Operator[]): Promise<void> {
  await registerOperators(
    devnet,
    members.map(({ address }, i) => ({
      address,
      socket: `http://127.0.0.1:${9000 + i}`,
      signingKey: { curve: 'ecdsa', address },
    })),
  )
}

async function headBlock(): Promise<BlockRef> {
  const reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: domain.chainId })
  const block = await reader.latestBlock()
  reader.close()
  return block
}

type OutputInput = {
  members: readonly Operator[]
  previous?: { output: Output; hash: Hash32 }
  change?: (output: Output) => Output
  signers?: readonly Operator[]
  delaySeconds?: number
}

/** What the operators would post: a real table of shares with signatures of the members. */
async function post(
  input: OutputInput,
): Promise<{ output: Output; hash: Hash32; cluster: Cluster }> {
  const { members, previous, signers = members, delaySeconds = 4 } = input
  const configBlock = await headBlock()
  await mineBlocks(anvil.url, 1)
  const addresses = members.map(({ address }) => address)
  const cluster = makeCluster(members.length, addresses, secret)
  const epoch = previous === undefined ? 0 : previous.output.epoch + 1
  const table = cluster.table(0)
  const honest: Output = {
    epoch,
    prev: previous?.hash ?? NO_OUTPUT,
    configBlock,
    leaves: [],
    members: addresses.map((address) => ({ address, encryptionKey: new Uint8Array(32).fill(1) })),
    threshold: cluster.threshold,
    dealings: (
      previous?.output ?? { members: addresses.map((address) => ({ address })) }
    ).members.map(({ address }) => ({ dealer: address, hash: `0x${'d1'.repeat(32)}` as const })),
    publicShares: addresses.map((address) => table.publicShares.get(address) ?? new Uint8Array()),
    mpk: cluster.masterPublicKey,
    postBy: configBlock.timestamp + 1000,
    vetoBy: configBlock.timestamp + 1001,
    activateAt: configBlock.timestamp + 1001 + delaySeconds,
  }
  const output = input.change?.(honest) ?? honest
  const hash = outputHash(domain, output)
  const statement = outputStatement(domain, sidOf(domain, output), hash)
  const signatures = signers.map(({ address, key }) => ({
    operator: address,
    signature: signStatement(key, statement),
  }))
  await postBody(
    output.epoch,
    output.prev,
    hash,
    encodeCertifiedBody({ output, certificate: { signatures } }),
  )
  return { output, hash, cluster }
}

async function postBody(
  epoch: number,
  prev: Hash32,
  hash: Hash32,
  body: Uint8Array,
): Promise<void> {
  const set = epochSetId(domain.avs, domain.operatorSetId)
  const args = [set, BigInt(epoch), prev, hash, toHex(body)] as const
  const data = encodeFunctionData({ abi: epochLogAbi, functionName: 'post', args })
  await send(anvil.url, devKey(1), [{ to: devnet.epochLog, data, gas: 5_000_000n }])
}

/** Past every veto window and activation of what was posted. */
async function passTime(seconds = 2000): Promise<void> {
  await callNode(anvil.url, 'evm_increaseTime', [seconds])
  await finalise(anvil.url)
  await finalise(anvil.url)
}

function look(options: { url?: string; pin?: string; epochLog?: false; memory?: LogMemory } = {}) {
  const config = parseEigenxToml(
    [
      `app_id = "${APP_ID}"`,
      '[chain]',
      `chain_id = ${domain.chainId}`,
      `rpc_urls = ["${options.url ?? anvil.url}"]`,
      '[operators]',
      `avs_address = "${domain.avs}"`,
      `operator_set_id = ${domain.operatorSetId}`,
      `allocation_manager = "${devnet.allocationManager}"`,
      `key_registrar = "${devnet.keyRegistrar}"`,
      ...(options.epochLog === false ? [] : [`epoch_log = "${domain.epochLog}"`]),
      ...(options.pin === undefined ? [] : [`master_public_key = "${options.pin}"`]),
    ].join('\n'),
  )
  return createQuorumViewer(config, undefined, options.memory)()
}

describe('the view of the operators', () => {
  test('comes from the certified log: key, shares, version, addresses', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    const { output, cluster } = await post({ members })
    await passTime()
    const view = await look()
    expect(bytesToHex(view.masterPublicKey)).toBe(bytesToHex(cluster.masterPublicKey))
    expect(view.attestationTime).toBe(output.activateAt)
    expect(view.operators).toEqual(
      members.map(({ address }, i) => ({ address, url: `http://127.0.0.1:${9000 + i}` })),
    )
    expect(view.tables).toHaveLength(1)
    expect(view.tables[0]).toMatchObject({ version: output.activateAt, epoch: 0, threshold: 2 })
    expect(view.freshness?.hash).toMatch(/^0x[0-9a-f]{64}$/)
  })

  test('agrees with the pin, or is refused', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    const { cluster } = await post({ members })
    await passTime()
    await look({ pin: bytesToHex(cluster.masterPublicKey) })
    const other = bytesToHex(makeCluster(3).masterPublicKey)
    await expect(look({ pin: other })).rejects.toMatchObject({ code: 'KEY_MISMATCH' })
  })

  test('is the pin alone where the operators keep no log', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    const pin = bytesToHex(makeCluster(3).masterPublicKey)
    const view = await look({ pin, epochLog: false })
    expect(view).toMatchObject({ tables: [], attestationTime: 0, threshold: 2 })
    expect(bytesToHex(view.masterPublicKey)).toBe(pin)
  })

  test('leaves out an operator without a usable address, and asks the rest', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    await post({ members })
    await passTime()
    const [first] = members
    if (first === undefined) throw new Error('no operator')
    await updateSocket(devnet, first.address, 'javascript:alert(1)')
    await passTime(10)
    const view = await look()
    expect(view.operators.map(({ address }) => address)).toEqual(
      members.slice(1).map(({ address }) => address),
    )
    expect(view.tables[0]?.publicShares.size).toBe(3)
  })

  test('does not exist before the first output is active', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    await finalise(anvil.url)
    await expect(look()).rejects.toMatchObject({ code: 'KEY_NOT_READY' })
    await post({ members, delaySeconds: 100_000 })
    await passTime()
    await expect(look()).rejects.toMatchObject({ code: 'KEY_NOT_READY' })
  })
})

describe('later attempts of one process', () => {
  /** First blocks of the log readings among these calls. */
  const readFrom = (calls: readonly RpcCall[]) =>
    calls
      .filter(({ method }) => method === 'eth_getLogs')
      .map(({ params }) => /"fromBlock":"(0x[0-9a-f]+)"/.exec(JSON.stringify(params))?.[1])
      .map((hex) => BigInt(hex ?? -1))

  test('read on from what was final, and come to the same view as a first one', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    const memory: LogMemory = {}
    const first = await post({ members })
    await passTime()
    const proxy = await startRpcProxy(anvil.url, () => undefined)
    try {
      const attempt = () => look({ url: proxy.url, memory })
      await attempt()
      expect(memory.known?.events.entries).toHaveLength(1)
      expect(readFrom(proxy.calls.splice(0))).toHaveLength(1)
      expect((await attempt()).attestationTime).toBe(first.output.activateAt)
      expect(readFrom(proxy.calls.splice(0))).toEqual([])
      const through = memory.known?.through.number ?? 0n

      const second = await post({ members, previous: first })
      await passTime()
      const view = await attempt()
      expect(readFrom(proxy.calls.splice(0))).toEqual([through + 1n])
      expect(view.attestationTime).toBe(second.output.activateAt)
      expect({ ...view, freshness: undefined }).toEqual({ ...(await look()), freshness: undefined })
    } finally {
      await proxy.stop()
    }
  })

  test('begin anew where the block they remember is not on the chain', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    const { output } = await post({ members })
    await passTime()
    const through = { ...(await headBlock()), hash: `0x${'ee'.repeat(32)}` as const }
    const memory: LogMemory = { known: { events: { entries: [], complaints: [] }, through } }
    expect((await look({ memory })).attestationTime).toBe(output.activateAt)
    expect(memory.known?.events.entries).toHaveLength(1)
  })
})

test('a log of more posts than a start takes is refused before it is read, with a way out', async () => {
  await register(operators.slice(0, 3))
  await post({ members: operators.slice(0, 3) })
  await passTime()
  const heads = encodeFunctionData({
    abi: epochLogAbi,
    functionName: 'heads',
    args: [epochSetId(domain.avs, domain.operatorSetId)],
  })
  const proxy = await startRpcProxy(anvil.url, ({ params: [call] }, result) => {
    const isHeads =
      typeof call === 'object' && call !== null && 'data' in call && call.data === heads
    if (!isHeads || typeof result !== 'string') return undefined
    return { result: `${result.slice(0, -64)}${(65_537).toString(16).padStart(64, '0')}` }
  })
  try {
    await expect(look({ url: proxy.url })).rejects.toMatchObject({
      code: 'INPUT_TOO_LARGE',
      details: { field: 'epoch log, posts', limit: 65_536 },
      hint: expect.stringContaining('master_public_key'),
    })
    expect(proxy.calls.filter(({ method }) => method === 'eth_getLogs')).toEqual([])
  } finally {
    await proxy.stop()
  }
})

describe('what anybody may write into the log changes nothing', () => {
  test.each<[string, (members: readonly Operator[]) => Promise<unknown>]>([
    ['garbage', () => postBody(0, NO_OUTPUT, `0x${'11'.repeat(32)}`, new Uint8Array(300).fill(7))],
    ['an output that nobody signed', (members) => post({ members, signers: [] })],
    ['too few signatures', (members) => post({ members, signers: members.slice(0, 1) })],
    ['an output of strangers', () => post({ members: operators.slice(1, 4) })],
    [
      'an output over another threshold',
      (members) => post({ members, change: (output) => ({ ...output, threshold: 1 }) }),
    ],
  ])('%s', async (_, spam) => {
    const members = operators.slice(0, 3)
    await register(members)
    await spam(members)
    const { output } = await post({ members })
    await passTime()
    expect((await look()).attestationTime).toBe(output.activateAt)
  })

  test('a table of shares that is none is refused even when the operators signed it', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    await post({
      members,
      change: (output) => ({ ...output, publicShares: [...output.publicShares].reverse() }),
    })
    await passTime()
    await expect(look()).rejects.toMatchObject({ code: 'CANDIDATE_INVALID' })
  })
})

describe('after the operator set has changed', () => {
  async function reshare() {
    const before = operators.slice(0, 3)
    await register(before)
    const first = await post({ members: before })
    await passTime()
    await register(operators.slice(3))
    await finalise(anvil.url)
    return { first, second: await post({ members: operators, previous: first }) }
  }

  test('the newest active version counts, and the one before is still understood', async () => {
    const { first, second } = await reshare()
    expect((await look()).attestationTime).toBe(first.output.activateAt)
    await passTime()
    const view = await look()
    expect(view.attestationTime).toBe(second.output.activateAt)
    expect(view.threshold).toBe(3)
    expect(view.tables.map(({ epoch, threshold }) => [epoch, threshold])).toEqual([
      [0, 2],
      [1, 3],
    ])
  })

  test('a provider without old state is named as the reason', async () => {
    await reshare()
    await passTime()
    const newest = await headBlock()
    const recent = await recentHashes(newest)
    const proxy = await startRpcProxy(anvil.url, ({ method, params }) =>
      method === 'eth_call' && isOld(params[1], recent)
        ? { error: { code: -32000, message: 'missing trie node' } }
        : undefined,
    )
    try {
      await expect(look({ url: proxy.url })).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
    } finally {
      await proxy.stop()
    }
  })

  test('an unchanged set needs no old state at all', async () => {
    const members = operators.slice(0, 3)
    await register(members)
    const { output } = await post({ members })
    await passTime()
    const newest = await headBlock()
    const recent = await recentHashes(newest)
    const proxy = await startRpcProxy(anvil.url, ({ method, params }) =>
      method === 'eth_call' && isOld(params[1], recent)
        ? { error: { code: -32000, message: 'missing trie node' } }
        : undefined,
    )
    try {
      expect((await look({ url: proxy.url })).attestationTime).toBe(output.activateAt)
    } finally {
      await proxy.stop()
    }
  })

  test("nor do strangers' posts of later epochs make it read more than the sets they name", async () => {
    const members = operators.slice(0, 3)
    await register(members)
    const first = await post({ members })
    await passTime()
    const second = await post({ members, previous: first })
    await passTime()
    const far = (output: Output): Output => ({ ...output, epoch: 999 })
    await postBody(999, NO_OUTPUT, second.hash, new Uint8Array(300))
    await post({ members, previous: second, change: far, signers: [] })
    const [stranger] = operators.slice(3)
    const forgers = members.map(({ address, key }) => ({ address, key: stranger?.key ?? key }))
    const forged = await post({ members, previous: second, change: far, signers: forgers })
    await passTime()
    const recent = await recentHashes(await headBlock())
    const proxy = await startRpcProxy(anvil.url, () => undefined)
    try {
      expect((await look({ url: proxy.url })).attestationTime).toBe(second.output.activateAt)
      const asked = proxy.calls.flatMap(({ method, params }) => {
        const block: unknown = params[1]
        const isPast = method === 'eth_call' && isOld(block, recent)
        return isPast && typeof block === 'object' && block !== null && 'blockHash' in block
          ? [block.blockHash]
          : []
      })
      expect(new Set(asked)).toEqual(new Set([forged.output.configBlock.hash]))
    } finally {
      await proxy.stop()
    }
  })
})

/** A node that keeps the state of the last four blocks. */
async function recentHashes(newest: BlockRef): Promise<ReadonlySet<string>> {
  const reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: domain.chainId })
  const blocks = await Promise.all(
    [0n, 1n, 2n, 3n].map((n) => reader.blockByNumber(newest.number - n)),
  )
  reader.close()
  return new Set(blocks.flatMap((block) => (block === undefined ? [] : [block.hash])))
}

function isOld(block: unknown, recent: ReadonlySet<string>): boolean {
  const hash =
    typeof block === 'object' && block !== null && 'blockHash' in block
      ? block.blockHash
      : undefined
  return typeof hash === 'string' && !recent.has(hash)
}
