/**
 * A node's epochs as a pure state machine: `step` takes facts in, `due` says what to do next.
 *
 *   (log read to a final block) ─▶ epoch open ─▶ sessions (`session.ts`) ─▶ entry in the log ─▶ final, window over ─▶ activated
 *                                                                               └─ voided: the number is burnt, the next epoch opens
 *
 * Both are total and read no clock, disk, socket or randomness. The driver stores the state of a step before it acts on it, and on a
 * restart acts on what is due in the stored state: every effect may run twice. Erasures are writes of the step itself, so they
 * commit together with the state that makes them right.
 * @module
 */
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { isBarred, type LogState, lastWinner, type Winner } from '../../sdk/protocol/log.ts'
import { isAbsent, NO_OUTPUT } from '../../sdk/protocol/terms.ts'
import type { Leave, Output, Terms } from '../../sdk/protocol/types.ts'
import type { Write } from '../store/store.ts'
import { hasOpenSession, isUnderWay, pushedOut } from './attempts.ts'
import { abandon, hasAbandonedMuch } from './candidates.ts'
import { prune, sweep, unreferenced } from './retention.ts'
import {
  dueInSession,
  isUsable,
  type SessionEffect,
  type SessionEvent,
  stepSession,
} from './session.ts'
import {
  type ComplaintRecord,
  comingMembers,
  type EpochOptions,
  isSettled,
  isWinner,
  type Millis,
  membershipChanged,
  type NodeState,
  type Session,
  type ShareRecord,
  type Step,
  skip,
  turnOf,
  type View,
  valid,
} from './state.ts'
import { dealersOf, dealingsNeeded } from './verify.ts'

/** How much longer than usual a session may take on slow machines before somebody proposes the next. */
const MAX_SESSION_GROWTH = 16

export type NodeEvent =
  | { type: 'tick'; view: View }
  /** The final part of the log grew; `log` continues the state's own. */
  | { type: 'log'; log: LogState; through: bigint; finalTime: number }
  /** A verified setup. */
  | { type: 'setup'; sid: Hash32; terms: Terms; proposer: Address; setup: Hash32 }
  | { type: 'session'; sid: Hash32; event: SessionEvent }
  /** A verified complaint, its bytes stored. */
  | { type: 'complaint'; sid: Hash32; complaint: ComplaintRecord }
  | { type: 'share'; share: ShareRecord }
  /** A verified leave. */
  | { type: 'leave'; leave: Leave }
  /** Bodies that the store holds: those that nothing names go. */
  | { type: 'sweep'; stored: readonly Hash32[]; pending: LogState }

export type NodeEffect =
  | SessionEffect
  | { type: 'proposeSetup'; epoch: number; prev: Hash32 }
  | { type: 'sendComplaint'; blob: Hash32; epoch: number }
  | { type: 'accuse'; blob: Hash32; epoch: number }
  | { type: 'adopt'; winner: Winner }
  | { type: 'sendLeave'; leave: Leave }
  | { type: 'learnKeys' }

export type Self = {
  operator: Address
  options: EpochOptions
  /** The `prev` of the first epoch: no output, or the key that this operator imported a share of. */
  root: Hash32
}

export function step(self: Self, state: NodeState, event: NodeEvent, now: Millis): Step<NodeState> {
  switch (event.type) {
    case 'tick':
      return tick(self, state, event.view, now)
    case 'log':
      return followLog(self, state, event, now)
    case 'setup':
      return openSession(self, state, event, now)
    case 'session':
      return inSession(self, state, event.sid, event.event, now)
    case 'complaint':
      return recordComplaint(self, state, event, now)
    case 'share':
      return hasRecord(state, event.share.output)
        ? skip('known share')
        : event.share.epoch < state.log.nextEpoch && !isWinner(state.log, event.share.output)
          ? skip('share of an output that is over')
          : valid({ ...state, shares: [...state.shares, event.share] })
    case 'leave':
      return recordLeave(state, event.leave)
    case 'sweep':
      return sweep(state, event)
  }
}

function tick(self: Self, before: NodeState, view: View, now: Millis): Step<NodeState> {
  const state = notAfter(before, now)
  const next = nextEpoch(self, state)
  const opens =
    isDue(self, state, view, now) &&
    (state.opened?.epoch !== next.epoch || state.opened.prev !== next.prev)
  const opened = opens ? { ...next, at: now } : state.opened
  const pruned = prune(self.options, { ...state, opened }, now)
  return opens || pruned.dropped || state !== before
    ? valid(pruned.state, ...pruned.writes)
    : skip('nothing to do')
}

/** A clock that was set back: what began later than now begins now, or turns would not come before the clock is that late again. */
function notAfter(state: NodeState, now: Millis): NodeState {
  const { opened, sessions } = state
  const times = sessions.flatMap((session) => [
    session.openedAt,
    session.usableAt ?? 0,
    ...session.candidates.flatMap(({ arrivedAt, certifiedAt }) => [arrivedAt, certifiedAt ?? 0]),
  ])
  if (Math.max(opened?.at ?? 0, ...times) <= now) return state
  const clamp = <T extends Millis | undefined>(at: T) => (at === undefined ? at : Math.min(at, now))
  return {
    ...state,
    opened: opened === undefined ? undefined : { ...opened, at: Math.min(opened.at, now) },
    sessions: sessions.map((session) => ({
      ...session,
      openedAt: Math.min(session.openedAt, now),
      usableAt: clamp(session.usableAt),
      candidates: session.candidates.map((candidate) => ({
        ...candidate,
        arrivedAt: Math.min(candidate.arrivedAt, now),
        certifiedAt: clamp(candidate.certifiedAt),
      })),
    })),
  }
}

/** Number and predecessor of the epoch after the last final winner. */
function nextEpoch(self: Self, state: NodeState): { epoch: number; prev: Hash32 } {
  return { epoch: state.log.nextEpoch, prev: lastWinner(state.log)?.hash ?? self.root }
}

function isDue(self: Self, state: NodeState, view: View, now: Millis): boolean {
  // An entry that is not final yet decides this epoch one way or the other: wait for it.
  if (view.operators === undefined || view.pending.nextEpoch !== state.log.nextEpoch) return false
  const last = lastWinner(state.log)
  if (last === undefined) return self.options.genesis || self.root !== NO_OUTPUT
  const { reshareSeconds } = self.options
  const age = now / 1000 - last.output.activateAt
  if (!isSettled(last, state) || age < 0) return false
  return (
    (reshareSeconds > 0 && age >= reshareSeconds) ||
    membershipChanged(view, state.log, state.finalTime)
  )
}

function followLog(
  self: Self,
  state: NodeState,
  event: Extract<NodeEvent, { type: 'log' }>,
  now: Millis,
): Step<NodeState> {
  if (event.through <= state.through) return skip('nothing new is final')
  const grown = {
    ...state,
    log: event.log,
    through: event.through,
    finalTime: event.finalTime,
  }
  const pruned = prune(self.options, grown, now)
  const bodies = pruned.state.log.winners
    .filter((winner) => !isWinner(state.log, winner.hash))
    .map((winner): Write => ({ type: 'putBlob', bytes: winner.body }))
  return valid(pruned.state, ...pruned.writes, ...bodies)
}

function openSession(
  self: Self,
  state: NodeState,
  event: Extract<NodeEvent, { type: 'setup' }>,
  now: Millis,
): Step<NodeState> {
  const { sid, terms, proposer, setup } = event
  if (state.sessions.some((session) => session.sid === sid)) return skip('known session')
  const next = nextEpoch(self, state)
  if (terms.epoch !== next.epoch || terms.prev !== next.prev) return skip('another epoch')
  if (hasOpenSession(self, state, proposer, now)) return skip('the proposer has an open session')
  const previous = lastWinner(state.log)?.output
  const session: Session = {
    sid,
    terms,
    proposer,
    setup,
    openedAt: now,
    usableAt: undefined,
    dealers: dealersOf(terms, previous),
    needed: dealingsNeeded(terms, previous),
    dealings: [],
    acks: [],
    candidates: [],
    failed: false,
  }
  const dropped = pushedOut(state.sessions, session, now)
  const grown: NodeState = {
    ...state,
    sessions: [...state.sessions.filter((other) => other !== dropped), session],
    abandoned:
      dropped === undefined ? state.abandoned : abandon(state.abandoned, dropped, self.operator),
  }
  return valid(grown, ...unreferenced(state, grown))
}

function inSession(
  self: Self,
  state: NodeState,
  sid: Hash32,
  event: SessionEvent,
  now: Millis,
): Step<NodeState> {
  const session = state.sessions.find((known) => known.sid === sid)
  if (session === undefined) return skip('unknown session')
  if (event.type === 'candidate' && hasAbandonedMuch(state.abandoned, event.candidate.proposer))
    return skip('too many candidates of one proposer in other sessions')
  const moved = stepSession(session, event, self.options, state.finalTime, now)
  if (moved.verdict !== 'valid') return moved
  const usableAt = session.usableAt ?? (isUsable(moved.state, self.operator) ? now : undefined)
  const changed = { ...moved.state, usableAt }
  const sessions = state.sessions.map((known) => (known === session ? changed : known))
  return valid({ ...state, sessions }, ...moved.writes)
}

function recordComplaint(
  self: Self,
  state: NodeState,
  { sid, complaint }: Extract<NodeEvent, { type: 'complaint' }>,
  now: Millis,
): Step<NodeState> {
  const { dealing, dealer } = complaint
  const known = state.complaints.some((other) => other.dealing === dealing)
  const complaints = known ? state.complaints : [...state.complaints, complaint]
  const event: SessionEvent = { type: 'convicted', dealing: { dealer, hash: dealing } }
  const moved = inSession(self, { ...state, complaints }, sid, event, now)
  if (moved.verdict === 'valid') return moved
  return known ? skip('known complaint') : valid({ ...state, complaints })
}

function recordLeave(state: NodeState, leave: Leave): Step<NodeState> {
  const known = state.leaves.find((other) => other.operator === leave.operator)
  if (known !== undefined && known.notAfter >= leave.notAfter) return skip('known leave')
  const others = state.leaves.filter((other) => other !== known)
  return valid({ ...state, leaves: [...others, leave] })
}

/** What to do now, in no particular order. */
export function due(self: Self, state: NodeState, view: View, now: Millis): readonly NodeEffect[] {
  const effects: NodeEffect[] = []
  const setup = dueSetup(self, state, view, now)
  if (setup !== undefined) effects.push(setup)
  for (const session of state.sessions) {
    const mayDeal = !isBarred(state.log, self.operator, session.terms)
    effects.push(
      ...dueInSession(session, self.operator, mayDeal, self.options, now).filter(
        (effect) => effect.type !== 'post' || mayPost(self, session, effect.hash, view.pending),
      ),
    )
  }
  for (const complaint of state.complaints)
    if (complaint.recipient === self.operator || isReason(state, complaint, now))
      effects.push({ type: 'sendComplaint', blob: complaint.blob, epoch: complaint.epoch })
  effects.push(...dueAccusations(self, state, view, now))
  for (const leave of state.leaves)
    if (leave.operator === self.operator) effects.push({ type: 'sendLeave', leave })
  effects.push({ type: 'learnKeys' })
  // Whom to ask for bodies is known from the first look on.
  if (view.operators === undefined) return effects
  // What the view shows of epochs that are decided may be older than the state: shares that were erased stay erased.
  const undecided = view.pending.winners.filter(({ output }) => output.epoch >= state.log.nextEpoch)
  for (const winner of [...state.log.winners, ...undecided])
    if (isRecipient(winner.output, self.operator) && !hasRecord(state, winner.hash))
      effects.push({ type: 'adopt', winner })
  return effects
}

/**
 * Whether a candidate is refused here because of the complaint: its proposer may not know of it, and two that conspire could show
 * theirs to some alone, so that nobody's candidate is signed by enough.
 */
function isReason({ sessions }: NodeState, { dealing }: ComplaintRecord, now: Millis): boolean {
  return sessions.some(({ candidates }) =>
    candidates.some(
      ({ dealings, postBy }) =>
        now / 1000 <= postBy && dealings.some(({ hash }) => hash === dealing),
    ),
  )
}

function isRecipient(output: Output, operator: Address): boolean {
  return output.members.some((member) => member.address === operator && !isAbsent(member))
}

function hasRecord(state: NodeState, output: Hash32): boolean {
  return state.shares.some((share) => share.output === output)
}

/** An entry is worth posting while nothing in the log decides its epoch. */
function mayPost(self: Self, session: Session, hash: Hash32, pending: LogState): boolean {
  return (
    !isWinner(pending, hash) &&
    session.terms.epoch >= pending.nextEpoch &&
    session.terms.prev === (lastWinner(pending)?.hash ?? self.root)
  )
}

function dueSetup(self: Self, state: NodeState, view: View, now: Millis): NodeEffect | undefined {
  const next = nextEpoch(self, state)
  const { opened } = state
  if (opened === undefined || opened.epoch !== next.epoch || opened.prev !== next.prev)
    return undefined
  if (!isDue(self, state, view, now)) return undefined
  const turn = turnOf(comingMembers(view), self.operator, next.epoch)
  if (turn === undefined) return undefined
  const { sessionMs, slotMs } = self.options
  // A session with a candidate on its way is left alone, unless one came to nothing there before. Each further session is given
  // as long as all before it took: members that are slower than sessionMs would otherwise be interrupted for ever. But not without
  // bounds: what an epoch has waited for since yesterday must not wait until tomorrow once it is there.
  const longest = MAX_SESSION_GROWTH * sessionMs
  const busyUntil = state.sessions.map(({ openedAt, ...session }) =>
    isUnderWay(session, now)
      ? now + 1
      : openedAt + Math.min(longest, Math.max(sessionMs, openedAt - opened.at)),
  )
  const from = Math.max(opened.at, ...busyUntil)
  return now >= from + turn * slotMs ? { type: 'proposeSetup', ...next } : undefined
}

function dueAccusations(
  self: Self,
  state: NodeState,
  view: View,
  now: Millis,
): readonly NodeEffect[] {
  const winner = lastWinner(view.pending)
  if (winner === undefined || view.latestTime >= winner.output.vetoBy) return []
  const turn = turnOf(
    winner.output.members.map((member) => member.address),
    self.operator,
    winner.output.epoch,
  )
  const posted = winner.at.block.timestamp * 1000
  return state.complaints
    .filter(
      ({ dealing, recipient }) =>
        winner.output.dealings.some((used) => used.hash === dealing) &&
        (recipient === self.operator || now >= posted + ((turn ?? 0) + 1) * self.options.slotMs),
    )
    .map(({ blob, epoch }) => ({ type: 'accuse', blob, epoch }))
}
