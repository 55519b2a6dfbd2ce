/**
 * Bringing the final log and the view of its head up to date: the only place where a node learns what the chain says.
 *
 * However far a node is behind, this is one step: what became final since the last look is resolved in order, some entries at a
 * time so that others get a turn, and stored as one fact.
 * @module
 */
import type { Address, Hash32, OperatorSet } from '../../sdk/chain/types.ts'
import { sortByAddress } from '../../sdk/protocol/codec.ts'
import { isLeaveOf } from '../../sdk/protocol/leave.ts'
import {
  comparePositions,
  configBlocksOf,
  type LogState,
  lastWinner,
  type OperatorSets,
  resolveLog,
} from '../../sdk/protocol/log.ts'
import { operatorsByAddress } from '../../sdk/protocol/terms.ts'
import type { Leave, LogEntry, LogSnapshot } from '../../sdk/protocol/types.ts'
import type { Lookup } from './context.ts'
import { afterWrites, operatorSetWrites } from './operator-sets.ts'
import { withoutOld } from './retention.ts'
import type { Runtime } from './runtime.ts'

/** Entries that are judged without a pause: each costs some certificate signatures. */
const ENTRIES_AT_ONCE = 4

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
  const final = await resolve(lookup, log, events, (part) =>
    withoutOld(runtime.self.options, part, finalTime, deps.clock()),
  )
  const pending = await heads.resolve(lookup, final, {
    entries: snapshot.entries.filter((entry) => !isFinal(entry)),
    complaints: snapshot.complaints.filter((complaint) => !isFinal(complaint)),
  })
  reportNews(runtime, log, final)
  const event = {
    type: 'log' as const,
    log: final,
    through: snapshot.finalized.number,
    finalTime,
  }
  const { sessions } = runtime.state()
  const writes = operatorSetWrites({ log: final, sessions }, lookup.sets, lookup.storedSets)
  const verdict = await runtime.apply([event], writes)
  if (verdict === 'valid') lookup.storedSets = afterWrites(lookup.storedSets, writes)
  runtime.look({
    pending,
    latestTime: snapshot.latest.timestamp,
    operators,
    leaves: leavesFor(lookup, operators),
    keys: newestKeys(lookup),
  })
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

/** Resolves what is not final only when it changed: most looks at the chain show the same few events. */
export function createPendingResolver(): PendingResolver {
  let known: { start: LogState; events: string; result: LogState } | undefined
  return {
    resolve: async (lookup, start, { entries, complaints }) => {
      const events = [...entries, ...complaints]
        .map(({ block, logIndex }) => `${block.hash}/${logIndex}`)
        .join()
      if (known?.start === start && known.events === events) return known.result
      const result = await resolve(lookup, start, { entries, complaints })
      known = { start, events, result }
      return result
    },
  }
}

async function resolve(
  lookup: Lookup,
  start: LogState,
  events: Events,
  trim: (part: LogState) => LogState = (part) => part,
): Promise<LogState> {
  const { deps } = lookup.runtime
  const entries = [...events.entries].sort(comparePositions)
  let { complaints } = events
  let state = start
  while (entries.length > 0 || complaints.length > 0) {
    const some = entries.splice(0, ENTRIES_AT_ONCE)
    const next = entries[0]
    // Complaints up to the next entry belong to this part.
    const isNow = (complaint: (typeof complaints)[number]) =>
      next === undefined || comparePositions(complaint, next) < 0
    const sets = await setsFor(lookup, some)
    const part = { entries: some, complaints: complaints.filter(isNow) }
    state = trim(resolveLog(deps.domain, state, part, sets))
    complaints = complaints.filter((complaint) => !isNow(complaint))
    await deps.pause()
  }
  return state
}

async function setsFor(lookup: Lookup, entries: readonly LogEntry[]): Promise<OperatorSets> {
  const sets = new Map<Hash32, OperatorSets extends ReadonlyMap<Hash32, infer Set> ? Set : never>()
  for (const block of configBlocksOf(entries)) {
    const set = await lookup.operatorsAt(block)
    if (set === undefined) continue
    const { number, timestamp } = set.block
    sets.set(block.hash, { number, timestamp, operators: set.operators })
  }
  return sets
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
