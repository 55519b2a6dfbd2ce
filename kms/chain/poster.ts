/**
 * Sends transactions so that they get mined: one at a time, with a growing fee, through all providers.
 *
 * No provider is trusted with a number: nonce, gas and fee are the lower median of what they say, and the fee has a
 * ceiling. A transaction that does not get into a block is replaced under the same nonce, so at most one of them
 * counts. What is sent is public; the key signs here and goes nowhere.
 * @module
 */
import { keccak256, type LocalAccount } from 'viem'
import type { Hex } from '../../sdk/bytes.ts'
import {
  type Answer,
  createProvider,
  type Provider,
  parseQuantity,
} from '../../sdk/chain/provider.ts'
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'

export type PosterConfig = {
  rpcUrls: readonly string[]
  /** How many must show the receipt. */
  quorum: number
  chainId: number
  /** Pays for the transactions. */
  account: Pick<LocalAccount, 'address' | 'signTransaction'>
  /** A request to one provider. @default 5000 */
  timeoutMs?: number
  /** Send it again as it is: a node forgets what a reorganisation or its own restart took away. @default 5000 */
  resendAfterMs?: number
  /** Raise the fee when nothing was mined for so long. @default 30000 */
  replaceAfterMs?: number
  /** Give up. @default 240000 */
  giveUpAfterMs?: number
  /** Longest pause between looks for the receipt. @default 1000 */
  pollMs?: number
  /** Ceiling of the fee in wei per gas. @default 500 gwei */
  maxFeePerGas?: bigint
  /** Monotonic milliseconds. */
  now?: () => number
}

export type Transaction = { to: Address; data: Hex }

export type Poster = {
  /**
   * Resolves once the transaction is in a block and did not revert.
   * @throws EigenxError CHAIN_WRITE_FAILED, CHAIN_UNAVAILABLE.
   */
  send(transaction: Transaction, what: string): Promise<Hash32>
  /** Gives up what is under way. */
  close(): void
}

const CANNOT_PAY = 'the account cannot pay for it'
const GWEI = 1_000_000_000n
/** A replacement must offer at least a tenth more; a quarter leaves room for nodes that ask more. */
const raise = (fee: bigint) => fee + fee / 4n + 1n
const FIRST_POLL_MS = 100
/** An unknown pending transaction may sit on the nonce with any fee: 25 % more so often is a factor of 86. */
const MAX_RAISES = 20

export function createPoster(config: PosterConfig): Poster {
  const { rpcUrls, chainId, timeoutMs = 5000 } = config
  const closing = new AbortController()
  const providers = rpcUrls.map((url) =>
    createProvider({
      url,
      chainId,
      timeoutMs,
      maxResponseBytes: 4 * 1024 * 1024,
      maxConcurrent: 4,
    }),
  )
  const context: Context = {
    providers,
    quorum: config.quorum,
    chainId,
    account: config.account,
    resendAfterMs: config.resendAfterMs ?? 5000,
    replaceAfterMs: config.replaceAfterMs ?? 30_000,
    giveUpAfterMs: config.giveUpAfterMs ?? 240_000,
    pollMs: config.pollMs ?? 1000,
    maxFeePerGas: config.maxFeePerGas ?? 500n * GWEI,
    now: config.now ?? (() => performance.now()),
    signal: closing.signal,
  }
  // One at a time: two transactions in flight would compete for one nonce.
  let last: Promise<unknown> = Promise.resolve()
  return {
    send(transaction, what) {
      const sent = last.then(() => sendOne(context, transaction, what))
      last = sent.catch(() => {})
      return sent
    },
    close: () => closing.abort(),
  }
}

type Context = Required<Omit<PosterConfig, 'rpcUrls' | 'timeoutMs'>> & {
  providers: readonly Provider[]
  signal: AbortSignal
}

type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }

type Outcome = 'taken' | 'underpriced' | 'nonce-used'

async function sendOne(context: Context, transaction: Transaction, what: string): Promise<Hash32> {
  const { account, chainId, signal, now } = context
  const from = account.address
  const gas = await estimateGas(context, { from, ...transaction }, what)
  const nonce = await readMedian(context, 'eth_getTransactionCount', [from, 'latest'], what)
  let fees = await readFees(context, what)
  const deadline = now() + context.giveUpAfterMs
  const hashes: Hash32[] = []
  for (let raises = 0; !signal.aborted && now() < deadline; ) {
    const signed = await account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce: Number(nonce),
      gas: (gas * 6n) / 5n,
      ...transaction,
      ...fees,
    })
    hashes.push(keccak256(signed))
    const outcome = await broadcast(context, signed, what)
    const waitMs = outcome === 'taken' ? context.replaceAfterMs : context.pollMs
    // Whatever the nodes said: one of the earlier ones may have been mined meanwhile.
    const until = Math.min(now() + waitMs, deadline)
    const mined = await waitForReceipt(context, hashes, until, signed)
    if (mined?.status === 'success') return mined.hash
    if (mined !== undefined) throw failed(what, 'its transaction reverted')
    if (outcome === 'nonce-used') throw failed(what, 'another transaction took its nonce')
    const next = raiseFees(fees, context.maxFeePerGas)
    if (next !== undefined && raises < MAX_RAISES) {
      raises++
      fees = next
    }
  }
  throw failed(what, signal.aborted ? 'it was given up' : 'it was not mined in time')
}

async function estimateGas(
  context: Context,
  call: Transaction & { from: Address },
  what: string,
): Promise<bigint> {
  const answers = await askAll(context, 'eth_estimateGas', [call])
  if (answers.filter((answer) => answer.kind === 'revert').length >= context.quorum)
    throw failed(what, 'the contract refuses it')
  if (answers.every((answer) => answer.kind === 'fault' && answer.refusal === 'no-funds'))
    throw failed(what, CANNOT_PAY)
  return medianOf(context, answers, what)
}

async function readFees(context: Context, what: string): Promise<Fees> {
  const [blocks, tips] = await Promise.all([
    askAll(context, 'eth_getBlockByNumber', ['latest', false]),
    askAll(context, 'eth_maxPriorityFeePerGas', []),
  ])
  const baseFees = blocks.map((answer): Answer<unknown> => {
    if (answer.kind !== 'value') return answer
    const block = answer.value
    const isBlock = typeof block === 'object' && block !== null && 'baseFeePerGas' in block
    return { kind: 'value', value: isBlock ? block.baseFeePerGas : undefined }
  })
  const baseFee = medianOf(context, baseFees, what)
  // Not every node offers the second method.
  const tip = tips.some((answer) => answer.kind === 'value')
    ? medianOf({ ...context, quorum: 1 }, tips, what)
    : GWEI
  const ceiling = context.maxFeePerGas
  const maxFeePerGas = smaller(2n * baseFee + tip, ceiling)
  return { maxFeePerGas, maxPriorityFeePerGas: smaller(tip, maxFeePerGas) }
}

function raiseFees(fees: Fees, ceiling: bigint): Fees | undefined {
  if (fees.maxFeePerGas >= ceiling) return undefined
  const maxFeePerGas = smaller(raise(fees.maxFeePerGas), ceiling)
  return {
    maxFeePerGas,
    maxPriorityFeePerGas: smaller(raise(fees.maxPriorityFeePerGas), maxFeePerGas),
  }
}

async function broadcast(context: Context, signed: Hex, what: string): Promise<Outcome> {
  const answers = await askAll(context, 'eth_sendRawTransaction', [signed])
  const refusals = answers.map((answer) => (answer.kind === 'fault' ? answer.refusal : undefined))
  const isTaken = answers.some((answer) => answer.kind === 'value') || refusals.includes('known')
  if (isTaken) return 'taken'
  if (refusals.includes('underpriced')) return 'underpriced'
  if (refusals.includes('nonce-too-low')) return 'nonce-used'
  if (refusals.includes('no-funds')) throw failed(what, CANNOT_PAY)
  throw failed(what, 'no chain provider takes it')
}

type Mined = { hash: Hash32; status: 'success' | 'reverted' }

async function waitForReceipt(
  context: Context,
  hashes: readonly Hash32[],
  until: number,
  signed: Hex,
): Promise<Mined | undefined> {
  let resendAt = context.now() + context.resendAfterMs
  // Quick at first, for chains with quick blocks.
  for (let waitMs = FIRST_POLL_MS; ; waitMs *= 2) {
    for (const hash of hashes) {
      const answers = await askAll(context, 'eth_getTransactionReceipt', [hash])
      const statuses = answers.map((answer) =>
        answer.kind === 'value' ? receiptStatus(answer.value, hash) : undefined,
      )
      for (const status of ['success', 'reverted'] as const)
        if (statuses.filter((found) => found === status).length >= context.quorum)
          return { hash, status }
    }
    if (context.signal.aborted || context.now() >= until) return undefined
    if (context.now() >= resendAt) {
      // Whoever has it says so; what else they say shows in the receipt.
      await askAll(context, 'eth_sendRawTransaction', [signed])
      resendAt = context.now() + context.resendAfterMs
    }
    await pause(Math.min(waitMs, context.pollMs), context.signal)
  }
}

function receiptStatus(value: unknown, hash: Hash32): Mined['status'] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!('transactionHash' in value) || value.transactionHash !== hash) return undefined
  if (!('status' in value)) return undefined
  return value.status === '0x1' ? 'success' : value.status === '0x0' ? 'reverted' : undefined
}

async function readMedian(
  context: Context,
  method: string,
  params: readonly unknown[],
  what: string,
): Promise<bigint> {
  return medianOf(context, await askAll(context, method, params), what)
}

/** The lower median: with an honest majority it lies between two honest values. */
function medianOf(
  { quorum }: Pick<Context, 'quorum'>,
  answers: readonly Answer<unknown>[],
  what: string,
): bigint {
  const values = answers.flatMap((answer) => {
    const value = answer.kind === 'value' ? parseQuantity(answer.value) : undefined
    return value === undefined ? [] : [value]
  })
  values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const median = values[Math.floor((values.length - 1) / 2)]
  if (median !== undefined && values.length >= quorum) return median
  throw new EigenxError({
    code: 'CHAIN_UNAVAILABLE',
    message: `Too few chain providers answered while ${what} was prepared`,
    stage: 'chain',
    details: { needed: quorum, got: values.length },
  })
}

function askAll(
  { providers, signal }: Pick<Context, 'providers' | 'signal'>,
  method: string,
  params: readonly unknown[],
): Promise<Answer<unknown>[]> {
  return Promise.all(providers.map((provider) => provider.request(method, params, [signal])))
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function failed(what: string, reason: string): EigenxError<'CHAIN_WRITE_FAILED'> {
  return new EigenxError({
    code: 'CHAIN_WRITE_FAILED',
    message: `Could not write ${what}: ${reason}`,
    stage: 'chain',
    details: { what },
  })
}
