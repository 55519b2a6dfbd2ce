/**
 * Sends transactions so that they get mined: one at a time, with a growing fee, through all providers.
 *
 * No provider is trusted with a number: nonce, gas and fee are the lower median of what they say, and the fee has a ceiling. A moment after a
 * quorum has answered it goes on without the others; with nonce and gas, which a lie makes useless, only once the median lies between two
 * honest numbers, as it does where the honest agree. A transaction that does not get into a block is replaced under the same nonce, so at most
 * one of them counts. What is sent is public; the key signs here and goes nowhere.
 * @module
 */
import { keccak256, type LocalAccount } from 'viem'
import type { Hex } from '../../sdk/bytes.ts'
import {
  type Answer,
  createProvider,
  type Provider,
  parseQuantity,
  type Refusal,
} from '../../sdk/chain/provider.ts'
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { type Answers, askAll, isDecided, type Rule } from './ask.ts'

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
/** Enough for a provider that is only slower: its number counts in the median too. */
const GRACE_MS = 1000
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
  const [gas, nonce, firstFees] = await Promise.all([
    estimateGas(context, { from, ...transaction }, what),
    readNonce(context, from, what),
    readFees(context, what),
  ])
  let fees = firstFees
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
    // At the ceiling it is the same one again.
    const hash = keccak256(signed)
    if (!hashes.includes(hash)) hashes.push(hash)
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
  const answers = await askAll(context, 'eth_estimateGas', [call], exactNumbersOf(context))
  if (answers.filter((answer) => answer.kind === 'revert').length >= context.quorum)
    throw failed(what, 'the contract refuses it')
  if (countRefusals(answers, 'no-funds') >= context.quorum) throw failed(what, CANNOT_PAY)
  return mustBe(honestOf(context, answers), context, answers, what)
}

async function readFees(context: Context, what: string): Promise<Fees> {
  const [blocks, tips] = await Promise.all([
    askAll(context, 'eth_getBlockByNumber', ['latest', false], numbersOf(context)),
    askAll(context, 'eth_maxPriorityFeePerGas', [], numbersOf(context)),
  ])
  const baseFees = blocks.map((answer): Answer<unknown> => {
    if (answer.kind !== 'value') return answer
    const block = answer.value
    const isBlock = typeof block === 'object' && block !== null && 'baseFeePerGas' in block
    return { kind: 'value', value: isBlock ? block.baseFeePerGas : undefined }
  })
  const baseFee = mustBe(medianOf(context, baseFees), context, baseFees, what)
  // Not every node offers the second method, and one alone that does could ask for all up to the ceiling.
  const tip = medianOf(context, tips) ?? GWEI
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
  const answers = await sendToAll(context, signed)
  const refusals = answers.map((answer) => (answer.kind === 'fault' ? answer.refusal : undefined))
  const isTaken = answers.some((answer) => answer.kind === 'value') || refusals.includes('known')
  if (isTaken) return 'taken'
  if (refusals.includes('underpriced')) return 'underpriced'
  if (refusals.includes('nonce-too-low')) return 'nonce-used'
  if (refusals.includes('no-funds')) throw failed(what, CANNOT_PAY)
  throw failed(what, 'no chain provider takes it')
}

/** One that takes it is enough. The others get it all the same. */
function sendToAll(context: Context, signed: Hex): Promise<readonly Answer<unknown>[]> {
  return askAll(context, 'eth_sendRawTransaction', [signed], {
    isEnough: (answers) =>
      answers.some((answer) => answer?.kind === 'value') ||
      REFUSALS.some((refusal) => countRefusals(answers, refusal) >= context.quorum),
    graceMs: GRACE_MS,
    cutsOff: false,
  })
}

const REFUSALS: readonly Refusal[] = ['known', 'underpriced', 'nonce-too-low', 'no-funds']

function countRefusals(answers: Answers, refusal: Refusal): number {
  return answers.filter((answer) => answer?.kind === 'fault' && answer.refusal === refusal).length
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
      const statusOf = (answer: Answer<unknown>) =>
        answer.kind === 'value' ? receiptStatus(answer.value, hash) : undefined
      const answers = await askAll(context, 'eth_getTransactionReceipt', [hash], {
        isEnough: (given) => isDecided(given, context.quorum, statusOf),
        graceMs: 0,
        cutsOff: true,
      })
      const statuses = answers.map(statusOf)
      for (const status of ['success', 'reverted'] as const)
        if (statuses.filter((found) => found === status).length >= context.quorum)
          return { hash, status }
    }
    if (context.signal.aborted || context.now() >= until) return undefined
    if (context.now() >= resendAt) {
      // Whoever has it says so; what else they say shows in the receipt.
      await sendToAll(context, signed)
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

async function readNonce(context: Context, from: Address, what: string): Promise<bigint> {
  const rule = exactNumbersOf(context)
  const answers = await askAll(context, 'eth_getTransactionCount', [from, 'latest'], rule)
  return mustBe(honestOf(context, answers), context, answers, what)
}

function numbersOf({ quorum }: Pick<Context, 'quorum'>): Rule {
  const kindOf = ({ kind }: Answer<unknown>) => (kind === 'fault' ? undefined : kind)
  return {
    isEnough: (answers) => isDecided(answers, quorum, kindOf),
    graceMs: GRACE_MS,
    cutsOff: true,
  }
}

/** For numbers that a lie makes useless: more than a quorum may have to answer, up to the time that a request has. */
function exactNumbersOf(context: Context): Rule {
  const kindOf = (answer: Answer<unknown>) =>
    answer.kind === 'revert' || quantitiesOf([answer]).length > 0 ? answer.kind : undefined
  return {
    isEnough: (answers) => {
      const median = medianOf(context, answers)
      return (
        isDecided(answers, context.quorum, kindOf) &&
        (median === undefined || isHonest(context, answers, median))
      )
    },
    graceMs: GRACE_MS,
    cutsOff: true,
  }
}

/** Where a quorum tells the truth: between two true numbers, if the median is one that must be; else some are missing, and the greatest is the newest. */
function honestOf(context: Context, answers: Answers): bigint | undefined {
  const median = medianOf(context, answers)
  if (median === undefined || isHonest(context, answers, median)) return median
  return quantitiesOf(answers).reduce((a, b) => (a < b ? b : a))
}

/** Whether more than can lie say so much or less, and more than can lie so much or more. */
function isHonest({ providers, quorum }: Context, answers: Answers, value: bigint): boolean {
  const liars = providers.length - quorum
  const values = quantitiesOf(answers)
  const atMost = values.filter((other) => other <= value).length
  const atLeast = values.filter((other) => other >= value).length
  return atMost > liars && atLeast > liars
}

/** The lower median of a quorum or more; `undefined` when fewer gave a number. */
function medianOf({ quorum }: Pick<Context, 'quorum'>, answers: Answers): bigint | undefined {
  const values = quantitiesOf(answers)
  values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return values.length >= quorum ? values[Math.floor((values.length - 1) / 2)] : undefined
}

function quantitiesOf(answers: Answers): bigint[] {
  return answers.flatMap((answer) => {
    const value = answer?.kind === 'value' ? parseQuantity(answer.value) : undefined
    return value === undefined ? [] : [value]
  })
}

function mustBe(
  median: bigint | undefined,
  { quorum }: Pick<Context, 'quorum'>,
  answers: readonly Answer<unknown>[],
  what: string,
): bigint {
  if (median !== undefined) return median
  throw new EigenxError({
    code: 'CHAIN_UNAVAILABLE',
    message: `Too few chain providers answered while ${what} was prepared`,
    stage: 'chain',
    details: { needed: quorum, got: quantitiesOf(answers).length },
  })
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
