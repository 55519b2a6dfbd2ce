/**
 * Reads from the chain what a quorum round needs. Loaded only when an identity is to be obtained.
 *
 * Operator sets of the past need a provider that keeps old state. Most sets never change, so every output is
 * first judged against today's members and keys, which needs none; only where that leaves nothing standing are the
 * sets of their own blocks read. An output that today's operators have signed with today's keys is theirs either way.
 * @module
 */
import { mapBounded } from '../sdk/chain/bounded.ts'
import { epochSetId, readLogEntries } from '../sdk/chain/epoch-log.ts'
import { recentBlock } from '../sdk/chain/freshness.ts'
import { type OperatorContracts, readOperatorSet } from '../sdk/chain/operators.ts'
import { type ChainReader, createChainReader } from '../sdk/chain/reader.ts'
import type { BlockRef, Hash32, OperatorInfo, OperatorSet } from '../sdk/chain/types.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import {
  configBlocksOf,
  EMPTY_LOG,
  type LogEvents,
  lastWinner,
  type OperatorSets,
  resolveLog,
} from '../sdk/protocol/log.ts'
import type { CertifiedOutput, Domain, LogPosition } from '../sdk/protocol/types.ts'
import type { EigenxConfig } from './config.ts'
import type { QuorumView, QuorumViewer } from './identity.ts'
import { composeSingleView, composeView } from './quorum-view.ts'

/** The view is read afresh for each attempt. */
export function createQuorumViewer(config: EigenxConfig, signal?: AbortSignal): QuorumViewer {
  return async () => {
    const { chain } = config
    if (chain === undefined) return composeSingleView(config, undefined)
    const reader = createChainReader({ ...chain })
    const close = (): void => reader.close()
    signal?.addEventListener('abort', close, { once: true })
    try {
      return await readView(reader, config)
    } finally {
      signal?.removeEventListener('abort', close)
      reader.close()
    }
  }
}

async function readView(reader: ChainReader, config: EigenxConfig): Promise<QuorumView> {
  const freshness = await recentBlock(reader)
  const { single, allocationManager, keyRegistrar, avs, operatorSetId, epochLog } = config.operators
  if (single !== undefined) return composeSingleView(config, freshness)
  if (allocationManager === undefined || keyRegistrar === undefined) throw contractsMissing()
  const contracts = { allocationManager, keyRegistrar, avs, operatorSetId }
  const set = await readOperatorSet(reader, contracts, freshness)
  if (epochLog === undefined) return composeView({ config, set, log: undefined, freshness })
  const domain = { chainId: reader.chainId, epochLog, avs, operatorSetId }
  const log = await readOutputs(reader, domain, contracts, set)
  return composeView({ config, set, log, freshness })
}

/** Standing outputs whose entry is final and can no longer be voided. */
async function readOutputs(
  reader: ChainReader,
  domain: Domain,
  contracts: OperatorContracts,
  today: OperatorSet,
): Promise<{ outputs: readonly CertifiedOutput[]; now: number }> {
  const { epochLog, avs, operatorSetId } = domain
  const source = { epochLog, set: epochSetId(avs, operatorSetId) }
  const snapshot = await readLogEntries(reader, source, 0n)
  const { finalized, latest } = snapshot
  const isFinal = (at: LogPosition): boolean => at.block.number <= finalized.number
  const events = {
    entries: snapshot.entries.filter(isFinal),
    complaints: snapshot.complaints.filter(isFinal),
  }
  const blocks = await findConfigBlocks(reader, events)
  let state = resolveLog(domain, EMPTY_LOG, events, assumeSet(blocks, today.operators))
  const newest = events.entries.reduce((epoch, entry) => Math.max(epoch, entry.epoch), -1)
  if (lastWinner(state)?.output.epoch !== newest && newest >= 0) {
    const past = await readPastSets(reader, contracts, blocks)
    const second = resolveLog(domain, EMPTY_LOG, events, past.sets)
    if (past.complete || second.winners.length > state.winners.length) state = second
    else if (state.winners.length === 0) throw past.failure
  }
  const outputs = state.winners.filter(({ output }) => output.vetoBy < finalized.timestamp)
  return { outputs, now: latest.timestamp }
}

/** Config blocks that are on the chain at the height they claim. */
async function findConfigBlocks(reader: ChainReader, events: LogEvents): Promise<BlockRef[]> {
  const found = await mapBounded(configBlocksOf(events.entries), async ({ number, hash }) => {
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
  for (const block of blocks) {
    try {
      const { operators } = await readOperatorSet(reader, contracts, block)
      sets.set(block.hash, { number: block.number, timestamp: block.timestamp, operators })
    } catch (error) {
      if (!isEigenxError(error)) throw error
      failure ??= historyMissing(error)
    }
  }
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
