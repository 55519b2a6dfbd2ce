/**
 * How many attempts (sessions) at one epoch a node follows, and which goes when there is no room for another.
 * @module
 */
import type { Address } from '../../sdk/chain/types.ts'
import type { Terms } from '../../sdk/protocol/types.ts'
import {
  candidateIsLive,
  type EpochOptions,
  type Millis,
  type NodeState,
  type Session,
} from './state.ts'

/** Parallel attempts at one epoch that a node follows, in a small set. */
const MIN_SESSIONS = 6

/** One attempt per proposer at a time, so nobody keeps the others dealing. */
export function hasOpenSession(
  { options }: { options: Pick<EpochOptions, 'sessionMs'> },
  { sessions }: Pick<NodeState, 'sessions'>,
  proposer: Address,
  now: Millis,
): boolean {
  return sessions.some(
    (session) => session.proposer === proposer && now < session.openedAt + options.sessionMs,
  )
}

/**
 * With too many attempts one goes that cannot make it by itself any more: one whose proposer has begun another since, else the oldest.
 * So those who lie can only push each other out. What was signed in it can make it with the signatures of others: see `abandon`.
 * @returns The one that goes, if any.
 */
export function pushedOut(
  sessions: readonly Session[],
  session: Session,
  now: Millis,
): Session | undefined {
  const all = [...sessions, session]
  if (sessions.length < roomFor(session.terms)) return undefined
  const idle = sessions.filter((other) => !isUnderWay(other, now))
  const isReplaced = (one: Session) =>
    all.findLast(({ proposer }) => proposer === one.proposer) !== one
  return idle.find(isReplaced) ?? idle[0] ?? sessions[0]
}

/** All that may lie have one, and two are left for the others. */
function roomFor({ members, threshold }: Terms): number {
  return Math.max(MIN_SESSIONS, members.length - threshold + 2)
}

/** Whether a session of these terms would push out none. */
export function hasRoom({ sessions }: Pick<NodeState, 'sessions'>, terms: Terms): boolean {
  return sessions.length < roomFor(terms)
}

/** Whether a candidate that this node found good can still make it, and none that could be checked has failed to. */
export function isUnderWay(
  { candidates, failed }: Pick<Session, 'candidates' | 'failed'>,
  now: Millis,
): boolean {
  const good = candidates.filter(({ status }) => status === 'good')
  return !failed && good.length > 0 && good.every((candidate) => candidateIsLive(candidate, now))
}
