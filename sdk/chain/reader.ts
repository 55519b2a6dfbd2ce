/**
 * Reads the chain through m providers and believes what k of them say.
 *
 * Every read of one decision is made at one block hash (EIP-1898), so that no two reads see different chains and
 * no provider can answer from another fork. Only the choice of that block goes by number: the highest one that k
 * providers have. Fewer than k that lie cannot push it ahead, and no more than m - k that lag or lie can hold it back:
 * with k = m a single one can, so whoever decides something compares the newest block with a clock (`currentView`).
 * @module
 */

import type { Hex } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { createLru } from './lru.ts'
import { type Answer, createProvider, type Fault, type Lane, type Provider } from './provider.ts'
import { type Agreed, askQuorum, type ProviderAlarm, unavailable } from './quorum.ts'
import type { Address, BlockRef, Hash32 } from './types.ts'
import {
  type ChainLog,
  canonicalHeader,
  canonicalLogs,
  parseCallResult,
  parseHeader,
  parseLogs,
} from './wire.ts'

export type Finality = 'finalized' | 'safe' | 'latest'

export type ChainReaderConfig = {
  /** http or https; may hold an API key, so they never leave the reader. */
  rpcUrls: readonly string[]
  /** How many must agree: more than half of them. */
  quorum: number
  chainId: number
  /** What counts as final. @default 'finalized' */
  finality?: Finality
  /** A request to one provider, from its wait for a turn to the end of the body. @default 5000 */
  timeoutMs?: number
  /** @default 8 MiB */
  maxResponseBytes?: number
  /** Requests to one provider at once, beside those for its newest blocks. @default 16 */
  maxConcurrent?: number
  /** Told of providers that contradict the quorum; carries no URL. */
  onAlarm?: (alarm: ProviderAlarm) => void
}

export type ReadOptions = { signal?: AbortSignal }

export type LogFilter = {
  address: Address
  /** By position: one topic, one of several, or any. */
  topics: readonly (Hash32 | readonly Hash32[] | null)[]
  /** The one block by its hash, or a range by numbers, both ends included. */
  in: { blockHash: Hash32 } | { fromBlock: bigint; toBlock: bigint }
}

export type ChainReader = {
  chainId: number
  finality: Finality
  /** The newest block that k providers hold as final. */
  pinnedBlock(options?: ReadOptions): Promise<BlockRef>
  /** The newest block that k providers have. */
  latestBlock(options?: ReadOptions): Promise<BlockRef>
  /** The canonical block of that height; `undefined` when k providers have none. */
  blockByNumber(number: bigint, options?: ReadOptions): Promise<BlockRef | undefined>
  /** That block, canonical or not; `undefined` when k providers do not know it. */
  blockByHash(hash: Hash32, options?: ReadOptions): Promise<BlockRef | undefined>
  /** `eth_call` at that block's hash. */
  call(
    call: { to: Address; data: Hex; block: Pick<BlockRef, 'hash'> },
    options?: ReadOptions,
  ): Promise<{ kind: 'value'; value: Hex } | { kind: 'revert' }>
  /** In chain order. An answer that does not fit the filter counts as malformed. */
  logs(filter: LogFilter, options?: ReadOptions): Promise<ChainLog[]>
  /** Cancels what is under way. */
  close(): void
}

const MAX_LOGS = 10_000
/** Answers kept, and the longest one that is. */
const MAX_KNOWN = 4096
const MAX_KNOWN_CHARS = 4096
const NO_ANSWER_YET: Answer<never> = { kind: 'fault', fault: 'timeout' }
/** At the tip providers may sit on different forks for a moment; one block deeper they have met. */
const TIP_RETRIES = 2

/** @throws EigenxError CONFIG_INVALID on impossible quorums and URLs. */
export function createChainReader(config: ChainReaderConfig): ChainReader {
  checkConfig(config)
  const { rpcUrls, chainId, quorum, finality = 'finalized', onAlarm = () => {} } = config
  const closing = new AbortController()
  const providers = rpcUrls.map((url) =>
    createProvider({
      url,
      chainId,
      timeoutMs: config.timeoutMs ?? 5000,
      maxResponseBytes: config.maxResponseBytes ?? 8 * 1024 * 1024,
      maxConcurrent: config.maxConcurrent ?? 16,
    }),
  )
  const ask: Ask = async (question, options) => {
    const signals = joinSignals(closing.signal, options?.signal)
    const { canonical, what } = question
    const answers = providers.map((provider) => askOne(provider, question, signals))
    return askQuorum({ what, quorum, answers, canonical, onAlarm })
  }
  // Providers whose last head request timed out: still asked, but not waited for while the others suffice.
  const slow = new Set<number>()
  const heads = async (tag: Finality, options?: ReadOptions) => {
    const signals = joinSignals(closing.signal, options?.signal)
    const params = [tag, false]
    const settled: Answer<BlockRef | undefined>[] = providers.map(() => NO_ANSWER_YET)
    const asked = providers.map(async (provider, index) => {
      const answer = await askOne(
        provider,
        { method: 'eth_getBlockByNumber', params, parse: parseHeader, lane: 'head' },
        signals,
      )
      if (answer.kind === 'fault' && answer.fault === 'timeout') slow.add(index)
      // Another fault is no sign that it answers again.
      else if (answer.kind === 'value') slow.delete(index)
      settled[index] = answer
    })
    await Promise.all(asked.filter((_, index) => !slow.has(index)))
    if (settled.filter((answer) => answer.kind === 'value').length < quorum)
      await Promise.all(asked)
    return [...settled]
  }
  const blockByNumber = async (number: bigint, options?: ReadOptions) => {
    const params = [`0x${number.toString(16)}`, false]
    // A header of another height is no answer to the question.
    const parse = (value: unknown) => {
      const block = parseHeader(value)
      return block?.number === number ? block : undefined
    }
    return agreedValue(
      await ask(
        {
          what: `block ${number}`,
          method: 'eth_getBlockByNumber',
          params,
          parse,
          canonical: canonicalHeader,
        },
        options,
      ),
    )
  }
  const askHead = async (tag: Finality, options?: ReadOptions) =>
    agreeOnHead({ tag, quorum, heads: await heads(tag, options), blockByNumber, options })
  const headsUnderWay = new Map<Finality, Promise<BlockRef>>()
  /** Decisions that start together share the question. */
  const head = (tag: Finality, options?: ReadOptions): Promise<BlockRef> => {
    // A caller that may cancel gets a question of its own.
    if (options?.signal !== undefined) return askHead(tag, options)
    const known = headsUnderWay.get(tag)
    if (known !== undefined) return known
    const asked = askHead(tag, options).finally(() => headsUnderWay.delete(tag))
    headsUnderWay.set(tag, asked)
    return asked
  }
  // What was agreed about one block hash stays true for ever.
  const knownBlocks = createLru<BlockRef>(MAX_KNOWN)
  const knownResults = createLru<Hex>(MAX_KNOWN)

  return {
    chainId,
    finality,
    pinnedBlock: (options) => head(finality, options),
    latestBlock: (options) => head('latest', options),
    blockByNumber,
    blockByHash: async (hash, options) => {
      const known = knownBlocks.get(hash)
      if (known !== undefined) return known
      const parse = (value: unknown) => {
        const block = parseHeader(value)
        return block?.hash === hash ? block : undefined
      }
      const block = agreedValue(
        await ask(
          {
            what: `block ${hash}`,
            method: 'eth_getBlockByHash',
            params: [hash, false],
            parse,
            canonical: canonicalHeader,
          },
          options,
        ),
      )
      if (block !== undefined) knownBlocks.set(hash, block)
      return block
    },
    call: async ({ to, data, block }, options) => {
      const key = `${block.hash}:${to}:${data}`
      const known = knownResults.get(key)
      if (known !== undefined) return { kind: 'value', value: known }
      const answer = await ask(
        {
          what: `a call to ${to}`,
          method: 'eth_call',
          params: [
            { to, data },
            { blockHash: block.hash, requireCanonical: true },
          ],
          parse: parseCallResult,
          canonical: (result) => result,
        },
        options,
      )
      if (answer.kind === 'value' && answer.value.length <= MAX_KNOWN_CHARS)
        knownResults.set(key, answer.value)
      // Null is no answer to eth_call; askOne has refused it as malformed.
      return answer.kind === 'value' ? answer : { kind: 'revert' }
    },
    logs: async (filter, options) => {
      const answer = await ask(
        {
          what: `events of ${filter.address}`,
          method: 'eth_getLogs',
          params: [logParams(filter)],
          parse: (value) => {
            const logs = parseLogs(value, MAX_LOGS)
            return logs?.every((log) => fitsFilter(log, filter)) ? logs : undefined
          },
          canonical: canonicalLogs,
        },
        options,
      )
      return answer.kind === 'value' ? answer.value : []
    },
    close: () => closing.abort(),
  }
}

type Request<T> = {
  method: string
  params: readonly unknown[]
  parse: (value: unknown) => T | undefined
  lane?: Lane
}

type Question<T> = Request<T> & { what: string; canonical: (value: T) => string }

type Ask = <T>(question: Question<T>, options?: ReadOptions) => Promise<Agreed<T>>

async function askOne<T>(
  provider: Provider,
  { method, params, parse, lane }: Request<T>,
  signals: readonly AbortSignal[],
): Promise<Answer<T | undefined>> {
  const answer = await provider.request(method, params, signals, lane)
  if (answer.kind !== 'value') return answer
  if (answer.value === null && method.startsWith('eth_getBlock'))
    return { kind: 'value', value: undefined }
  const value = parse(answer.value)
  return value === undefined ? { kind: 'fault', fault: 'malformed' } : { kind: 'value', value }
}

type HeadInput = {
  tag: Finality
  quorum: number
  heads: readonly Answer<BlockRef | undefined>[]
  blockByNumber: ChainReader['blockByNumber']
  options: ReadOptions | undefined
}

/**
 * All providers were heard or timed out before this: stopping at the first k answers would let one quick liar with
 * an old block choose what everybody sees.
 */
async function agreeOnHead(input: HeadInput): Promise<BlockRef> {
  const { tag, quorum, heads, blockByNumber, options } = input
  const blocks: BlockRef[] = []
  const faults: Fault[] = []
  for (const head of heads) {
    if (head.kind === 'fault') faults.push(head.fault)
    else if (head.kind === 'value' && head.value !== undefined) blocks.push(head.value)
  }
  blocks.sort((a, b) => (a.number === b.number ? 0 : a.number < b.number ? 1 : -1))
  const kth = blocks[quorum - 1]
  if (kth === undefined) throw unavailable(`the ${tag} block`, quorum, blocks.length, faults)
  // In the common case k providers name the same block, and no further question is needed.
  const same = blocks.filter((block) => canonicalHeader(block) === canonicalHeader(kth))
  if (same.length >= quorum) return kth
  const tries = tag === 'finalized' ? 0 : TIP_RETRIES
  for (let depth = 0; ; depth++) {
    const number = kth.number - BigInt(depth)
    try {
      const block = await blockByNumber(number, options)
      if (block !== undefined) return block
      throw unavailable(`the ${tag} block`, quorum, 0, faults)
    } catch (error) {
      if (depth >= tries || number === 0n) throw error
    }
  }
}

function agreedValue<T>(agreed: Agreed<T>): T | undefined {
  return agreed.kind === 'value' ? agreed.value : undefined
}

function logParams(filter: LogFilter): Record<string, unknown> {
  const { address, topics } = filter
  if ('blockHash' in filter.in) return { address, topics, blockHash: filter.in.blockHash }
  const { fromBlock, toBlock } = filter.in
  return {
    address,
    topics,
    fromBlock: `0x${fromBlock.toString(16)}`,
    toBlock: `0x${toBlock.toString(16)}`,
  }
}

function fitsFilter(log: ChainLog, filter: LogFilter): boolean {
  if (log.address !== filter.address.toLowerCase()) return false
  if ('blockHash' in filter.in) {
    if (log.blockHash !== filter.in.blockHash) return false
  } else if (log.blockNumber < filter.in.fromBlock || log.blockNumber > filter.in.toBlock) {
    return false
  }
  return filter.topics.every((wanted, position) => {
    if (wanted === null) return true
    const topic = log.topics[position]
    const options = typeof wanted === 'string' ? [wanted] : wanted
    return topic !== undefined && options.some((option) => option.toLowerCase() === topic)
  })
}

function joinSignals(closing: AbortSignal, caller: AbortSignal | undefined): AbortSignal[] {
  return caller === undefined ? [closing] : [closing, caller]
}

function checkConfig({ rpcUrls, quorum, chainId }: ChainReaderConfig): void {
  const urls = rpcUrls.map(parseRpcUrl)
  const distinct = new Set(urls)
  if (distinct.size !== urls.length)
    throw invalid('chain.rpc_urls', 'A chain provider is listed twice: it would count as two')
  if (!Number.isSafeInteger(quorum) || quorum < 1 || quorum > urls.length)
    throw invalid(
      'chain.quorum',
      `A quorum of ${quorum} of ${urls.length} chain providers is not possible`,
    )
  if (2 * quorum <= urls.length)
    throw invalid('chain.quorum', 'The quorum must be more than half of the chain providers')
  if (!Number.isSafeInteger(chainId) || chainId < 1)
    throw invalid('chain.chain_id', 'The chain id is not a positive whole number')
}

/** @returns The normal form; the message of a refusal does not quote the URL. */
function parseRpcUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol))
    throw invalid('chain.rpc_urls', 'A chain provider is not an http or https URL')
  return parsed.href
}

function invalid(path: string, message: string): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({ code: 'CONFIG_INVALID', message, stage: 'config', details: { path } })
}
