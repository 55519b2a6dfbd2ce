/**
 * Reads the epoch log: entries and complaints of one operator set, complete and in chain order.
 *
 * An answer that leaves something out is the danger here, since it would make a node follow another history. So the
 * events are not searched for, they are walked: the contract says at the newest block's hash where the last post is,
 * and every post names the block of the one before. A gap in that chain is an error, never a shorter list. Walking
 * needs no long ranges of blocks either, which public endpoints refuse.
 *
 * Anybody may post, and providers may lie together: so one reading has an end, in posts and in bytes.
 * @module
 */
import { decodeEventLog, encodeAbiParameters, keccak256 } from 'viem'
import { type Hex, parseHex } from '../bytes.ts'
import { EigenxError, isEigenxError } from '../errors.ts'
import type { LogComplaint, LogEntry, LogSnapshot } from '../protocol/types.ts'
import {
  COMPLAINT_POSTED_TOPIC,
  complaintPosted,
  ENTRY_POSTED_TOPIC,
  entryPosted,
  epochLogAbi,
} from './abi/epoch-log.ts'
import { mapBounded } from './bounded.ts'
import { readContract } from './contract.ts'
import { readHeads } from './heads.ts'
import type { ChainReader, ReadOptions } from './reader.ts'
import type { Address, BlockRef, Hash32 } from './types.ts'
import type { ChainLog } from './wire.ts'

export type EpochLogSource = {
  epochLog: Address
  /** `epochSetId(...)` */
  set: Hash32
}

/** What one reading takes at most: entries and complaints, and the bytes of their bodies. */
export type LogLimits = { posts: number; bytes: number }

/**
 * Decades of daily epochs of twenty operators. To fill either with noise takes some three thousand million gas, a hundred full blocks.
 */
export const LOG_LIMITS: LogLimits = { posts: 65_536, bytes: 64 * 1024 * 1024 }

export type ReadLogOptions = ReadOptions & {
  /** @default LOG_LIMITS */
  limits?: LogLimits
}

/** Blocks that one step fetches at most, ending at a block with a post. */
const SPAN = 1000n
/** The tip may move to another fork while it is read. */
const MAX_TRIES = 3

/** The log's name of an operator set: keccak256(abi.encode(address avs, uint32 operatorSetId)). */
export function epochSetId(avs: Address, operatorSetId: number): Hash32 {
  const types = [{ type: 'address' }, { type: 'uint32' }] as const
  return keccak256(encodeAbiParameters(types, [avs, operatorSetId]))
}

/**
 * @returns All posts from `fromBlock` to the newest block. Posts up to `finalized` are final, later ones pending.
 * @throws EigenxError CHAIN_DISAGREES when the answers have gaps or the tip does not come to rest, CHAIN_UNAVAILABLE,
 *   CONTRACT_UNEXPECTED, INPUT_TOO_LARGE above the limits.
 */
export async function readLogEntries(
  reader: ChainReader,
  source: EpochLogSource,
  fromBlock: bigint,
  options?: ReadLogOptions,
): Promise<LogSnapshot> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(reader, source, fromBlock, options)
    } catch (error) {
      if (!isEigenxError(error, 'CHAIN_DISAGREES') || attempt >= MAX_TRIES) throw error
    }
  }
}

async function readOnce(
  reader: ChainReader,
  source: EpochLogSource,
  fromBlock: bigint,
  options: ReadLogOptions | undefined,
): Promise<LogSnapshot> {
  const limits = options?.limits ?? LOG_LIMITS
  const { final: finalized, latest } = await readHeads(reader, options)
  const [firstBlock, lastBlock, count] = await readContract(
    reader,
    {
      contract: 'EpochLog',
      address: source.epochLog,
      abi: epochLogAbi,
      functionName: 'heads',
      args: [source.set],
      block: latest,
    },
    options,
  )
  const isWhole = fromBlock <= firstBlock
  if (isWhole && count > BigInt(limits.posts)) throw tooLarge('posts', limits.posts)
  const posts =
    count === 0n ? [] : await walkBack({ reader, source, options, limits }, lastBlock, fromBlock)
  if (isWhole && BigInt(posts.length) !== count) throw gap()
  // The walk went by numbers: it was on the fork of `latest` only if that block is canonical still.
  if (posts.some((post) => post.log.blockNumber > finalized.number)) {
    const still = await reader.blockByNumber(latest.number, options)
    if (still?.hash !== latest.hash) throw gap()
  }
  const headers = await readHeaders(reader, posts, options)
  const entries: LogEntry[] = []
  const complaints: LogComplaint[] = []
  for (const post of posts) {
    const block = headers.get(post.log.blockHash)
    if (block === undefined || block.number !== post.log.blockNumber) throw gap()
    if (post.epoch === undefined) continue
    const position = { block, logIndex: post.log.logIndex }
    const { epoch, poster, body } = post
    if (post.kind === 'entry')
      entries.push({
        ...position,
        epoch,
        poster,
        body,
        prev: post.prev,
        outputHash: post.outputHash,
      })
    else complaints.push({ ...position, epoch, poster, body })
  }
  return { fromBlock, finalized, latest, entries, complaints }
}

type Post = {
  log: ChainLog
  previousBlock: bigint
  /** Absent for a number that no epoch can have. */
  epoch: number | undefined
  poster: Address
  body: Uint8Array
} & ({ kind: 'entry'; prev: Hash32; outputHash: Hash32 } | { kind: 'complaint' })

type WalkContext = {
  reader: ChainReader
  source: EpochLogSource
  options: ReadOptions | undefined
  limits: LogLimits
}

async function walkBack(
  context: WalkContext,
  lastBlock: bigint,
  fromBlock: bigint,
): Promise<Post[]> {
  const { limits } = context
  const chunks: Post[][] = []
  let count = 0
  let bytes = 0
  let toBlock = lastBlock
  let span = SPAN
  while (toBlock >= fromBlock && toBlock > 0n) {
    const start = toBlock - span + 1n
    const from = start < fromBlock ? fromBlock : start
    let posts: Post[]
    try {
      posts = await readPosts(context, from, toBlock)
    } catch (error) {
      if (!isEigenxError(error, 'CHAIN_UNAVAILABLE') || span === 1n) throw error
      span = span > 10n ? span / 10n : 1n
      continue
    }
    checkLinks(posts, toBlock)
    count += posts.length
    bytes += posts.reduce((sum, { body }) => sum + body.length, 0)
    if (count > limits.posts) throw tooLarge('posts', limits.posts)
    if (bytes > limits.bytes) throw tooLarge('bytes', limits.bytes)
    chunks.push(posts)
    toBlock = posts[0]?.previousBlock ?? 0n
  }
  return chunks.reverse().flat()
}

/** The newest post must lie in the block where the walk expects it, and each must name the block before it. */
function checkLinks(posts: readonly Post[], newestBlock: bigint): void {
  let expected = newestBlock
  for (const post of [...posts].reverse()) {
    if (post.log.blockNumber !== expected) throw gap()
    expected = post.previousBlock
  }
  const oldest = posts[0]
  // A post before the oldest one in the same block would have been in this answer.
  if (oldest === undefined || expected >= oldest.log.blockNumber) throw gap()
}

async function readPosts(
  { reader, source, options }: WalkContext,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<Post[]> {
  const logs = await reader.logs(
    {
      address: source.epochLog,
      topics: [[ENTRY_POSTED_TOPIC, COMPLAINT_POSTED_TOPIC], source.set],
      in: { fromBlock, toBlock },
    },
    options,
  )
  return logs.map(parsePost)
}

/** The contract encodes its events well; what does not decode is not from our contract. */
function parsePost(log: ChainLog): Post {
  const [topic0, ...rest] = log.topics
  try {
    if (topic0 === ENTRY_POSTED_TOPIC) {
      const { args } = decodeEventLog({
        abi: [entryPosted],
        data: log.data,
        topics: [topic0, ...rest],
        strict: true,
      })
      const { prev, outputHash } = args
      return { kind: 'entry', log, ...common(args), prev, outputHash }
    }
    if (topic0 === COMPLAINT_POSTED_TOPIC) {
      const { args } = decodeEventLog({
        abi: [complaintPosted],
        data: log.data,
        topics: [topic0, ...rest],
        strict: true,
      })
      return { kind: 'complaint', log, ...common(args) }
    }
  } catch {
    // Told below.
  }
  throw new EigenxError({
    code: 'CONTRACT_UNEXPECTED',
    message: 'EpochLog emitted an event that does not fit its ABI',
    stage: 'chain',
    details: { contract: 'EpochLog', call: 'events' },
  })
}

function common(args: { epoch: bigint; poster: Address; previousBlock: bigint; body: Hex }) {
  const body = parseHex(args.body)
  if (body === undefined) throw new TypeError('viem gives bytes as hex')
  const isEpoch = args.epoch <= BigInt(Number.MAX_SAFE_INTEGER)
  return {
    epoch: isEpoch ? Number(args.epoch) : undefined,
    poster: `0x${args.poster.slice(2).toLowerCase()}` as const,
    previousBlock: args.previousBlock,
    body,
  }
}

async function readHeaders(
  reader: ChainReader,
  posts: readonly Post[],
  options: ReadOptions | undefined,
): Promise<ReadonlyMap<Hash32, BlockRef>> {
  const hashes = [...new Set(posts.map((post) => post.log.blockHash))]
  const headers = await mapBounded(hashes, (hash) => reader.blockByHash(hash, options))
  return new Map(headers.flatMap((block) => (block === undefined ? [] : [[block.hash, block]])))
}

function tooLarge(unit: keyof LogLimits, limit: number): EigenxError<'INPUT_TOO_LARGE'> {
  return new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message: `The epoch log holds more than ${limit} ${unit}`,
    stage: 'chain',
    details: { field: `epoch log, ${unit}`, limit },
  })
}

function gap(): EigenxError<'CHAIN_DISAGREES'> {
  return new EigenxError({
    code: 'CHAIN_DISAGREES',
    message: 'The epoch log as answered has gaps, or the chain moved while it was read',
    stage: 'chain',
    details: { what: 'the epoch log' },
  })
}
