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
}

/** Blocks of one step at first, and the fewest that are tried when providers refuse so many. */
const SPAN = 5000n
const MIN_SPAN = 50n
/** Half a year of blocks at 12 s with the span above. */
const MAX_STEPS = 260

/** @returns The event, `none`, or `gave-up` when the range is too long to search. */
export async function findNewestLog(
  reader: ChainReader,
  search: LogSearch,
  options?: ReadOptions,
): Promise<ChainLog | 'none' | 'gave-up'> {
  const { address, topics, fromBlock, matches } = search
  let toBlock = search.toBlock
  let span = SPAN
  // Backwards, so that what is found first is the newest.
  for (let step = 0; toBlock >= fromBlock; step++) {
    if (step >= MAX_STEPS) return 'gave-up'
    const start = toBlock - span + 1n
    const from = start < fromBlock ? fromBlock : start
    try {
      const logs = await reader.logs({ address, topics, in: { fromBlock: from, toBlock } }, options)
      const found = logs.filter(matches).at(-1)
      if (found !== undefined) return found
      toBlock = from - 1n
    } catch (error) {
      if (!isEigenxError(error, 'CHAIN_UNAVAILABLE') || span <= MIN_SPAN) throw error
      span /= 10n
    }
  }
  return 'none'
}
