/**
 * The newest UpgradeConfirmed for one block of releases.
 *
 * It may lie anywhere between that block and the head, and there may be none: half a year is hundreds of requests, one after the other.
 * So what the settled past holds is remembered for a while, and the next search begins above it.
 * @module
 */
import { UPGRADE_CONFIRMED_TOPIC } from './abi/app-controller.ts'
import { findNewestLog } from './log-search.ts'
import type { ChainReader, ReadOptions } from './reader.ts'
import { confirmsBlock } from './release-rule.ts'
import type { Address, BlockRef } from './types.ts'
import { addressTopic, type ChainLog } from './wire.ts'

/** Of the blocks up to `to`: the newest confirmation, or that there is none from `from` on. */
export type ConfirmedPast = {
  from: bigint
  to: bigint
  newest: ChainLog | undefined
  /** The final block when the past was searched without memory. */
  since: bigint
}

/** Bounded; `key` names contract, release block by hash, and app. */
export type ConfirmationMemory = {
  get(key: string): ConfirmedPast | undefined
  set(key: string, app: Address, past: ConfirmedPast): void
}

export type ConfirmationQuestion = {
  appController: Address
  app: Address
  /** The block with the releases. */
  releaseBlock: BlockRef
  /** Up to this block, included. */
  head: bigint
  /** The newest final block. */
  final: bigint
}

/**
 * Only what lies this many blocks below the final one is remembered (3 hours): a provider's machine that lags has no events of blocks
 * it does not know, and says so to nobody.
 */
const SETTLED_DEPTH = 1000n
/** Blocks for which it is remembered (1 hour): as long can a wrong answer of the quorum last. */
const REMEMBERED_BLOCKS = 300n

/** @returns The event, `none`, or `gave-up` when the range is too long to search. @throws EigenxError CHAIN_* */
export async function findConfirmation(
  reader: Pick<ChainReader, 'logs' | 'finality'>,
  question: ConfirmationQuestion,
  memory: ConfirmationMemory | undefined,
  options?: ReadOptions,
): Promise<ChainLog | 'none' | 'gave-up'> {
  const { appController, app, releaseBlock, head, final } = question
  const key = `${appController}:${releaseBlock.hash}:${app}`
  const past = usable(memory?.get(key), question)
  const found = await findNewestLog(
    reader,
    {
      address: appController,
      topics: [UPGRADE_CONFIRMED_TOPIC, addressTopic(app)],
      ...unsearched(releaseBlock, past),
      toBlock: head,
      matches: (log) => confirmsBlock(log, releaseBlock.number),
    },
    options,
  )
  const remember = (from: bigint, newest: ChainLog | undefined) => {
    const to = final - SETTLED_DEPTH
    // Where the newest block counts as final, nothing is: it may be replaced. A confirmation near the head is soon found again.
    if (reader.finality === 'latest' || from > to || (newest?.blockNumber ?? to) > to) return
    memory?.set(key, app, { from, to, newest, since: past?.since ?? final })
  }
  if (found.kind === 'gave-up') {
    // The next search goes on below; above an event that is known, there is a gap that only a whole search closes.
    if (past?.newest === undefined) remember(found.searchedFrom, undefined)
    return 'gave-up'
  }
  const newest = found.kind === 'found' ? found.log : past?.newest
  remember(releaseBlock.number, newest)
  return newest ?? 'none'
}

function unsearched(releaseBlock: BlockRef, past: ConfirmedPast | undefined) {
  if (past === undefined) return { fromBlock: releaseBlock.number }
  if (past.newest !== undefined) return { fromBlock: past.to + 1n }
  return { fromBlock: releaseBlock.number, without: { from: past.from, to: past.to } }
}

/** Nothing is known after the time, or of a past that reaches beyond the question. */
function usable(
  past: ConfirmedPast | undefined,
  { head, final }: ConfirmationQuestion,
): ConfirmedPast | undefined {
  if (past === undefined || head < past.to || final > past.since + REMEMBERED_BLOCKS)
    return undefined
  return past
}
