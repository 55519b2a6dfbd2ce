/**
 * Reads from the chain what a quorum round needs. Loaded only when an identity is to be obtained.
 *
 * Operator sets of the past need a provider that keeps old state. Most sets never change, so every output is
 * first judged against today's members and keys, which needs none; only where that leaves nothing standing are the
 * sets of their own blocks read. An output that today's operators have signed with today's keys is theirs either way.
 *
 * A start reads the log from its first post, up to `LOG_LIMITS` posts and bytes. What was final then is kept for the attempts that follow, which
 * read on from there.
 *
 * No clock judges how old the view is, as operators do: a pod's clock is set by its host. An old view cannot bring a pod to another key than that of
 * its master public key, nor to shares that have been erased since; it can only have operators refuse.
 * @module
 */
import { mapBounded } from '../sdk/chain/bounded.ts'
import {
  type EpochLogSource,
  epochSetId,
  LOG_LIMITS,
  type LogLimits,
  readLogEntries,
} from '../sdk/chain/epoch-log.ts'
import { recentBlock } from '../sdk/chain/freshness.ts'
import { type OperatorContracts, readOperatorSet } from '../sdk/chain/operators.ts'
import { type ChainReader, createChainReader } from '../sdk/chain/reader.ts'
import type { BlockRef, Hash32, OperatorInfo, OperatorSet } from '../sdk/chain/types.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import {
  claimsOf,
  EMPTY_LOG,
  type LogEvents,
  lastWinner,
  type OperatorSets,
  resolveLog,
} from '../sdk/protocol/log.ts'
import type { CertifiedOutput, Domain, LogPosition, Output } from '../sdk/protocol/types.ts'
import type { EigenxConfig } from './config.ts'
import type { QuorumView, QuorumViewer } from './identity.ts'
import { composeSingleView, composeView } from './quorum-view.ts'

/** What attempts of one process with one configuration know of the log: its final posts up to a block. */
export type LogMemory = { known?: { events: LogEvents; through: BlockRef } }

/** The view is read afresh for each attempt, but for the posts that `memory` holds. */
export function createQuorumViewer(
  config: EigenxConfig,
  signal?: AbortSignal,
  memory: LogMemory = {},
): QuorumViewer {
  return async () => {
    const { chain } = config
    if (chain === undefined) return composeSingleView(config, undefined)
    const reader = createChainReader({ ...chain })
    const close = (): void => reader.close()
    signal?.addEventListener('abort', close, { once: true })
    try {
      return await readView(reader, config, memory)
    } finally {
      signal?.removeEventListener('abort', close)
      reader.close()
    }
  }
}

async function readView(
  reader: ChainReader,
  config: EigenxConfig,
  memory: LogMemory,
): Promise<QuorumView> {
  const freshness = await recentBlock(reader)
  const { single, allocationManager, keyRegistrar, avs, operatorSetId, epochLog } = config.operators
  if (single !== undefined) return composeSingleView(config, freshness)
  if (allocationManager === undefined || keyRegistrar === undefined) throw contractsMissing()
  const contracts = { allocationManager, keyRegistrar, avs, operatorSetId }
  const set = await readOperatorSet(reader, contracts, freshness)
  if (epochLog === undefined) return composeView({ config, set, log: undefined, freshness })
  const domain = { chainId: reader.chainId, epochLog, avs, operatorSetId }
  const log = await readOutputs(reader, domain, contracts, set, memory)
  return composeView({ config, set, log, freshness })
}

/** Standing outputs whose entry is final and can no longer be voided. */
async function readOutputs(
  reader: ChainReader,
  domain: Domain,
  contracts: OperatorContracts,
  today: OperatorSet,
  memory: LogMemory,
): Promise<{ outputs: readonly CertifiedOutput[]; now: number }> {
  const { epochLog, avs, operatorSetId } = domain
  const source = { epochLog, set: epochSetId(avs, operatorSetId) }
  const { events, finalized, latest } = await readFinalEvents(reader, source, memory)
  const claims = claimsOf(domain, events.entries)
  const blocks = await findConfigBlocks(reader, claims)
  const assumed = assumeSet(blocks, today.operators)
  let state = resolveLog(domain, EMPTY_LOG, events, assumed)
  // What today's operators did not sign but others may have. Noise that no operators could make an entry of is not among it.
  const newest = lastWinner(state)?.output.epoch ?? -1
  const open = new Set(
    claims
      .filter(({ output }) => output.epoch > newest)
      .map(({ output }) => output.configBlock.hash),
  )
  const unread = blocks.filter(({ hash }) => open.has(hash))
  if (unread.length > 0) {
    const past = await readPastSets(reader, contracts, unread)
    const kept = [...assumed].filter(([hash]) => !open.has(hash))
    const second = resolveLog(domain, EMPTY_LOG, events, new Map([...kept, ...past.sets]))
    if (past.complete || second.winners.length > state.winners.length) state = second
    else if (state.winners.length === 0) throw past.failure
  }
  const outputs = state.winners.filter(({ output }) => output.vetoBy < finalized.timestamp)
  return { outputs, now: latest.timestamp }
}

/** All final posts, and the two ends of the chain they were read at. */
async function readFinalEvents(
  reader: ChainReader,
  source: EpochLogSource,
  memory: LogMemory,
): Promise<{ events: LogEvents; finalized: BlockRef; latest: BlockRef }> {
  const known = await standing(reader, memory)
  const from = known === undefined ? 0n : known.through.number + 1n
  const limits = remaining(known?.events)
  const snapshot = await readLogEntries(reader, source, from, { limits }).catch(explainLimit)
  const { finalized, latest } = snapshot
  const isFinal = (at: LogPosition): boolean => at.block.number <= finalized.number
  const events = {
    entries: [...(known?.events.entries ?? []), ...snapshot.entries.filter(isFinal)],
    complaints: [...(known?.events.complaints ?? []), ...snapshot.complaints.filter(isFinal)],
  }
  // Providers that fell behind take nothing back.
  if (known === undefined || finalized.number > known.through.number)
    memory.known = { events, through: finalized }
  return { events, finalized, latest }
}

/** What is remembered, if it belongs to this chain still: a devnet may take what it called final back. */
async function standing(reader: ChainReader, { known }: LogMemory): Promise<LogMemory['known']> {
  if (known === undefined) return undefined
  const block = await reader.blockByNumber(known.through.number)
  return block?.hash === known.through.hash ? known : undefined
}

function remaining(events: LogEvents | undefined): LogLimits {
  const posts = [...(events?.entries ?? []), ...(events?.complaints ?? [])]
  return {
    posts: LOG_LIMITS.posts - posts.length,
    bytes: LOG_LIMITS.bytes - posts.reduce((sum, { body }) => sum + body.length, 0),
  }
}

function explainLimit(error: unknown): never {
  if (!isEigenxError(error, 'INPUT_TOO_LARGE')) throw error
  const { code, shortMessage: message, stage, details } = error
  throw new EigenxError({
    code,
    message,
    stage,
    details,
    hint: 'An eigenx.toml with operators.master_public_key and without operators.epoch_log needs no log.',
  })
}

/** Config blocks that are on the chain as the outputs name them. */
async function findConfigBlocks(
  reader: ChainReader,
  claims: readonly { output: Output }[],
): Promise<BlockRef[]> {
  const named = new Map(claims.map(({ output }) => [output.configBlock.hash, output.configBlock]))
  const found = await mapBounded([...named.values()], async ({ number, hash }) => {
    const block = await reader.blockByNumber(number)
    return block?.hash === hash ? block : undefined
  })
  return found.filter((block) => block !== undefined)
}

function assumeSet(blocks: readonly BlockRef[], operators: readonly OperatorInfo[]): OperatorSets {
  return new Map(
    blocks.map(({ hash, number, timestamp }) => [hash, { number, timestamp, operators }]),
  )
}

/** Each set takes several reads of its own. */
const SETS_AT_ONCE = 8

type PastSets = { sets: OperatorSets; complete: boolean; failure: unknown }

async function readPastSets(
  reader: ChainReader,
  contracts: OperatorContracts,
  blocks: readonly BlockRef[],
): Promise<PastSets> {
  const sets = new Map<
    Hash32,
    { number: bigint; timestamp: number; operators: readonly OperatorInfo[] }
  >()
  let failure: unknown
  const read = async (block: BlockRef): Promise<void> => {
    try {
      const { operators } = await readOperatorSet(reader, contracts, block)
      sets.set(block.hash, { number: block.number, timestamp: block.timestamp, operators })
    } catch (error) {
      if (!isEigenxError(error)) throw error
      failure ??= historyMissing(error)
    }
  }
  await mapBounded(blocks, read, SETS_AT_ONCE)
  return { sets, complete: failure === undefined, failure }
}

function historyMissing(cause: unknown): EigenxError<'CHAIN_UNAVAILABLE'> {
  return new EigenxError({
    code: 'CHAIN_UNAVAILABLE',
    message: 'the operator set of an earlier epoch cannot be read',
    stage: 'chain',
    details: { needed: 1, got: 0 },
    hint: 'The operator set has changed since: name a provider in chain.rpc_urls that keeps old state.',
    cause,
  })
}

function contractsMissing(): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: 'eigenx.toml: operators.allocation_manager and operators.key_registrar are missing',
    stage: 'config',
    details: { path: 'operators' },
  })
}
