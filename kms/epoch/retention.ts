/**
 * What a node drops and erases: shares that are replaced, seeds of closed epochs, bodies that nothing names. Erasures are writes of the step
 * that makes them right, so they commit with it.
 * @module
 */
import type { Hash32 } from '../../sdk/chain/types.ts'
import { type LogState, lastWinner, type Winner } from '../../sdk/protocol/log.ts'
import type { Write } from '../store/store.ts'
import { withoutOver } from './candidates.ts'
import {
  type EpochOptions,
  isSettled,
  isWinner,
  type Millis,
  type NodeState,
  type Step,
  skip,
  valid,
} from './state.ts'

/**
 * Every version that was in force at this time or later is kept, Unix seconds. The chain says so, not the clock alone: one that is ahead
 * would erase the share in force. A clock that is behind may keep shares for longer.
 */
export function keptSince(
  { graceSeconds }: Pick<EpochOptions, 'graceSeconds'>,
  { finalTime }: Pick<NodeState, 'finalTime'>,
  now: Millis,
): number {
  return Math.min(now / 1000, finalTime) - graceSeconds
}

/** The first winner that is needed: the newest of those that replaced all before them for the whole grace time. */
function oldestKept(
  options: Pick<EpochOptions, 'graceSeconds'>,
  { log, finalTime }: Pick<NodeState, 'log' | 'finalTime'>,
  now: Millis,
): number {
  const graceEnd = keptSince(options, { finalTime }, now)
  const index = log.winners.findLastIndex(
    (winner) => winner.output.activateAt <= graceEnd && isSettled(winner, { finalTime }),
  )
  return Math.max(0, index)
}

/**
 * A log in the middle of being read, without what will not be needed: a node that has been away for a year reads fifty thousand entries. The
 * last winner and the one before stay, whatever the clock says: a complaint further on can void the last.
 */
export function withoutOld(
  options: Pick<EpochOptions, 'graceSeconds'>,
  log: LogState,
  finalTime: number,
  now: Millis,
): LogState {
  const first = Math.min(oldestKept(options, { log, finalTime }, now), log.winners.length - 2)
  return first > 0 ? { ...log, winners: log.winners.slice(first) } : log
}

/** Drops and erases what no rule needs any more. */
export function prune(
  { graceSeconds }: Pick<EpochOptions, 'graceSeconds'>,
  state: NodeState,
  now: Millis,
): { state: NodeState; writes: readonly Write[]; dropped: boolean } {
  const { nextEpoch: open } = state.log
  const first = oldestKept({ graceSeconds }, state, now)
  const log = first > 0 ? { ...state.log, winners: state.log.winners.slice(first) } : state.log
  const last = lastWinner(log)
  const undecided = state.sessions.filter((session) => session.terms.epoch >= open)
  const sessions = undecided.map((session) => withoutOver(session, state.finalTime))
  const over = new Set(
    [...undecided.flatMap(({ candidates }) => candidates), ...state.abandoned]
      .filter(({ postBy }) => postBy < state.finalTime)
      .map(({ hash }) => hash),
  )
  const kept: NodeState = {
    ...state,
    log,
    sessions,
    abandoned: state.abandoned.filter(({ epoch, hash }) => epoch >= open && !over.has(hash)),
    complaints: state.complaints.filter(
      ({ epoch }) =>
        epoch >= open ||
        (last !== undefined && epoch === last.output.epoch && !isSettled(last, state)),
    ),
    shares: state.shares.filter(
      ({ epoch, output }) => (epoch >= open && !over.has(output)) || isWinner(log, output),
    ),
    leaves: state.leaves.filter((leave) => leave.notAfter >= state.finalTime),
  }
  const dropped =
    first > 0 ||
    kept.sessions.length < state.sessions.length ||
    over.size > 0 ||
    kept.abandoned.length < state.abandoned.length ||
    kept.complaints.length < state.complaints.length ||
    kept.shares.length < state.shares.length ||
    kept.leaves.length < state.leaves.length
  if (!dropped) return { state, writes: [], dropped }
  const openEpochs = new Set(kept.sessions.map((session) => session.terms.epoch))
  const closed = state.sessions
    .map((session) => session.terms.epoch)
    .filter((epoch) => !openEpochs.has(epoch))
  const writes: Write[] = [
    ...[...new Set(closed)].map(
      (epoch): Write => ({ type: 'eraseSecret', name: { kind: 'dealer-seed', epoch, id: '' } }),
    ),
    ...state.shares
      .filter((share) => !kept.shares.includes(share) && share.status === 'held')
      .map(
        (share): Write => ({
          type: 'eraseSecret',
          name: { kind: 'share', epoch: share.epoch, id: share.output },
        }),
      ),
    ...unreferenced(state, kept),
  ]
  return { state: kept, writes, dropped }
}

export function unreferenced(before: NodeState, after: NodeState): Write[] {
  const kept = new Set(blobsOf(after))
  return [...new Set(blobsOf(before))]
    .filter((hash) => !kept.has(hash))
    .map((hash) => ({ type: 'deleteBlob', hash }))
}

/** Every body that the state refers to. */
function blobsOf(state: NodeState): readonly Hash32[] {
  return [
    ...state.sessions.flatMap((session) => [
      session.setup,
      ...session.dealings.map((dealing) => dealing.hash),
      ...session.candidates.map((candidate) => candidate.blob),
    ]),
    ...state.abandoned.flatMap(({ blob, dealings }) => [blob, ...dealings.map(({ hash }) => hash)]),
    ...state.complaints.map((complaint) => complaint.blob),
    ...state.log.winners.flatMap(blobsOfWinner),
  ]
}

function blobsOfWinner({ blob, output }: Winner): readonly Hash32[] {
  return [blob, ...output.dealings.map((dealing) => dealing.hash)]
}

/** Bodies of entries that a reorganisation took away, or of writes whose facts were late, are named by nothing. */
export function sweep(
  state: NodeState,
  event: { stored: readonly Hash32[]; pending: LogState },
): Step<NodeState> {
  const named = new Set([...blobsOf(state), ...event.pending.winners.flatMap(blobsOfWinner)])
  const writes = event.stored
    .filter((hash) => !named.has(hash))
    .map((hash): Write => ({ type: 'deleteBlob', hash }))
  return writes.length === 0 ? skip('nothing to sweep') : valid({ ...state }, ...writes)
}
