/**
 * Bringing the final log and the view of its head up to date: the only place where a node learns what the chain says.
 *
 * However far a node is behind, this is one step: what became final since the last look is resolved in order, some entries at a
 * time so that others get a turn, and stored as one fact.
 * @module
 */
import type { Address, BlockRef, Hash32, OperatorSet } from '../../sdk/chain/types.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { sortByAddress } from '../../sdk/protocol/codec.ts'
import { isLeaveOf } from '../../sdk/protocol/leave.ts'
import {
  applyEvent,
  decidingBlock,
  inOrder,
  type LogState,
  lastWinner,
  type OperatorSets,
} from '../../sdk/protocol/log.ts'
import { operatorsByAddress } from '../../sdk/protocol/terms.ts'
import type { Leave, LogEntry, LogSnapshot } from '../../sdk/protocol/types.ts'
import type { Lookup } from './context.ts'
import { afterWrites, operatorSetWrites } from './operator-sets.ts'
import { withoutOld } from './retention.ts'
import type { Runtime } from './runtime.ts'

/** Posts that are judged without a pause: an entry costs some certificate signatures. */
const POSTS_AT_ONCE = 4

type Events = Pick<LogSnapshot, 'entries' | 'complaints'>

export type PendingResolver = {
  resolve(lookup: Lookup, start: LogState, events: Events): Promise<LogState>
}

export async function readLog(lookup: Lookup, heads: PendingResolver): Promise<void> {
  const { runtime } = lookup
  const { deps } = runtime
  const { log, through } = runtime.state()
  const from = through < 0n ? deps.fromBlock : through + 1n
  const [snapshot, operators] = await Promise.all([deps.log.read(from), deps.membership.current()])
  const isFinal = ({ block }: Pick<LogEntry, 'block'>) => block.number <= snapshot.finalized.number
  // A provider that fell behind would take final entries back: keep what we have.
  if (snapshot.finalized.number < through) return
  lookup.final = snapshot.finalized.number
  const finalTime = snapshot.finalized.timestamp
  const events = {
    entries: snapshot.entries.filter(isFinal),
    complaints: snapshot.complaints.filter(isFinal),
  }
  const progress: { log: LogState; block?: BlockRef } = { log }
  let final: LogState
  try {
    final = await resolve(lookup, log, events, new Map(), (part, block) => {
      progress.log = withoutOld(runtime.self.options, part, finalTime, deps.clock())
      progress.block = block
      return progress.log
    })
  } catch (error) {
    // An entry that cannot be judged now holds up what comes after it, but not what came before: the next look goes on from there.
    if (progress.block !== undefined) await follow(lookup, progress.log, progress.block)
    throw error
  }
  const [pending] = await Promise.allSettled([
    heads.resolve(lookup, final, {
      entries: snapshot.entries.filter((entry) => !isFinal(entry)),
      complaints: snapshot.complaints.filter((complaint) => !isFinal(complaint)),
    }),
  ])
  // Before what is final is acted on: whoever takes up an output asks the operators of the view for its bodies.
  if (pending.status === 'fulfilled')
    runtime.look({
      pending: pending.value,
      latestTime: snapshot.latest.timestamp,
      operators,
      leaves: leavesFor(lookup, operators),
      keys: newestKeys(lookup),
    })
  await follow(lookup, final, snapshot.finalized)
  // An entry that is not final and cannot be judged yet holds up nothing that is.
  if (pending.status === 'rejected') throw pending.reason
}

/** Stores the final log up to a block. */
async function follow(lookup: Lookup, log: LogState, block: BlockRef): Promise<void> {
  const { runtime } = lookup
  const { log: before, sessions } = runtime.state()
  reportNews(runtime, before, log)
  const event = {
    type: 'log' as const,
    log,
    through: block.number,
    finalTime: block.timestamp,
  }
  const writes = operatorSetWrites({ log, sessions }, lookup.sets, lookup.storedSets)
  const verdict = await runtime.apply([event], writes)
  if (verdict === 'valid') lookup.storedSets = afterWrites(lookup.storedSets, writes)
}

/** The stored leaves that hold for a set: an operator may have another key by now, or have gone. */
function leavesFor(lookup: Lookup, set: OperatorSet): readonly Leave[] {
  const { deps, state } = lookup.runtime
  const operators = operatorsByAddress(set.operators)
  const holding = state().leaves.filter((leave) => {
    const operator = operators.get(leave.operator)
    return operator !== undefined && isLeaveOf(deps.domain, operator, leave, set.block.timestamp)
  })
  return sortByAddress(holding, (leave) => leave.operator)
}

function newestKeys({ keys, peerKeys }: Lookup): ReadonlyMap<Address, Uint8Array> {
  return new Map(
    [...peerKeys.values(), keys.record].map(({ operator, encryptionKey }) => [
      operator,
      encryptionKey,
    ]),
  )
}

/**
 * Operator sets that posts of one chain were judged by, by the block that they name; without a set: there is none at that block. `asker` is the
 * block of the last of those posts: while it is part of the chain, so is all before it, and the answer is the same.
 */
type Answers = Map<string, { set: OperatorSet | undefined; asker: Hash32 }>

/**
 * Resolves what is not final only when it changed: most looks at the chain show the same few events. Where it grew, blocks that older posts named
 * are not asked for again.
 */
export function createPendingResolver(): PendingResolver {
  let known: { start: LogState; events: string; result: LogState } | undefined
  const answers: Answers = new Map()
  return {
    resolve: async (lookup, start, { entries, complaints }) => {
      const events = [...entries, ...complaints]
        .map(({ block, logIndex }) => `${block.hash}/${logIndex}`)
        .join()
      if (known?.start === start && known.events === events) return known.result
      const askers = new Set(entries.map(({ block }) => block.hash))
      for (const [block, { asker }] of answers) if (!askers.has(asker)) answers.delete(block)
      const result = await resolve(lookup, start, { entries, complaints }, answers)
      known = { start, events, result }
      return result
    },
  }
}

/**
 * @param covered - Told of each block whose events are all resolved; what it returns is gone on from.
 */
async function resolve(
  lookup: Lookup,
  start: LogState,
  events: Events,
  answers: Answers,
  covered: (part: LogState, block: BlockRef) => LogState = (part) => part,
): Promise<LogState> {
  const { deps } = lookup.runtime
  const ordered = inOrder(events)
  let state = start
  for (const [i, event] of ordered.entries()) {
    const sets =
      event.entry === undefined ? NO_SETS : await setFor(lookup, state, event.entry, answers)
    state = applyEvent(deps.domain, state, event, sets)
    const { block } = event.at
    if (ordered[i + 1]?.at.block.number !== block.number) state = covered(state, block)
    if (i % POSTS_AT_ONCE === POSTS_AT_ONCE - 1) await deps.pause()
  }
  return state
}

const NO_SETS: OperatorSets = new Map()

/**
 * The operator set that decides an entry. Strangers post in numbers: a block is asked for once at most, for those that are final in one reading and for
 * those that are not while a post that names it is in sight.
 */
async function setFor(
  lookup: Lookup,
  state: LogState,
  entry: LogEntry,
  answers: Answers,
): Promise<OperatorSets> {
  const block = decidingBlock(lookup.runtime.deps.domain, state, entry)
  if (block === undefined) return NO_SETS
  const name = `${block.hash}/${block.number}/${block.timestamp}`
  const known = answers.get(name)
  const set = known === undefined ? await askFor(lookup, entry, block) : known.set
  answers.set(name, { set, asker: entry.block.hash })
  if (set === undefined) return NO_SETS
  const { hash, number, timestamp } = set.block
  return new Map([[hash, { number, timestamp, operators: set.operators }]])
}

/** @throws CHAIN_UNAVAILABLE, CHAIN_DISAGREES */
function askFor(
  lookup: Lookup,
  entry: LogEntry,
  block: BlockRef,
): Promise<OperatorSet | undefined> {
  return lookup.operatorsAt(block).catch((error: unknown) => {
    const code = isEigenxError(error) ? error.code : 'INTERNAL'
    lookup.runtime.deps.report({
      level: 'warn',
      event: 'an entry of the log cannot be judged: the operator set of its block cannot be read',
      epoch: entry.epoch,
      detail: { code, block: Number(block.number), ...hintOf(error) },
    })
    throw error
  })
}

function hintOf(error: unknown): { hint?: string } {
  return isEigenxError(error) && error.hint !== undefined ? { hint: error.hint } : {}
}

function reportNews(runtime: Runtime, before: LogState, after: LogState): void {
  const last = lastWinner(after)
  const known = lastWinner(before)
  if (last !== undefined && last.hash !== known?.hash)
    runtime.deps.report({
      level: 'info',
      event: known && last.output.epoch < known.output.epoch ? 'output voided' : 'output final',
      epoch: last.output.epoch,
      detail: { output: last.hash, activateAt: last.output.activateAt },
    })
}
