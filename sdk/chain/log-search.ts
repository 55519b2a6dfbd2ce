/**
 * Finds the newest event of a kind in a range of blocks, in steps that public endpoints accept.
 * @module
 */
import { isEigenxError } from '../errors.ts'
import type { ChainReader, LogFilter, ReadOptions } from './reader.ts'
import type { ChainLog } from './wire.ts'

export type LogSearch = Omit<LogFilter, 'in'> & {
  fromBlock: bigint
  toBlock: bigint
  matches: (log: ChainLog) => boolean
  /** Blocks that hold none, as an earlier search has shown: they are not asked for again. */
  without?: BlockRange
}

/** Both ends included. */
export type BlockRange = { from: bigint; to: bigint }

export type LogSearchResult =
  | { kind: 'found'; log: ChainLog }
  | { kind: 'none' }
  /** The range is too long for one search; from that block up there is none. */
  | { kind: 'gave-up'; searchedFrom: bigint }

/** Blocks of one step at first, and the fewest that are tried when providers refuse so many. */
const SPAN = 5000n
const MIN_SPAN = 50n
/** Half a year of blocks at 12 s with the span above. */
const MAX_STEPS = 260

export async function findNewestLog(
  reader: Pick<ChainReader, 'logs'>,
  search: LogSearch,
  options?: ReadOptions,
): Promise<LogSearchResult> {
  const { address, topics, fromBlock, matches, without } = search
  let toBlock = search.toBlock
  let span = SPAN
  // Backwards, so that what is found first is the newest.
  for (let step = 0; ; step++) {
    if (without !== undefined && toBlock >= without.from && toBlock <= without.to)
      toBlock = without.from - 1n
    if (toBlock < fromBlock) return { kind: 'none' }
    if (step >= MAX_STEPS) return { kind: 'gave-up', searchedFrom: toBlock + 1n }
    const end = without !== undefined && toBlock > without.to ? without.to + 1n : fromBlock
    const start = toBlock - span + 1n
    const from = start < end ? end : start
    try {
      const logs = await reader.logs({ address, topics, in: { fromBlock: from, toBlock } }, options)
      const log = logs.filter(matches).at(-1)
      if (log !== undefined) return { kind: 'found', log }
      toBlock = from - 1n
    } catch (error) {
      if (!isEigenxError(error, 'CHAIN_UNAVAILABLE') || span <= MIN_SPAN) throw error
      span /= 10n
    }
  }
}
