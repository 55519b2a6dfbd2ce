/**
 * How far the epoch protocol has come, as one operator sees it: phase, who has done its part, who is waited for, what comes when. Public facts.
 * @module
 */
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { lastWinner } from '../../sdk/protocol/log.ts'
import {
  certifies,
  type EpochOptions,
  isSettled,
  isWinner,
  type NodeState,
  type Session,
  type View,
} from './state.ts'

export const PHASES = ['idle', 'opening', 'dealing', 'certifying', 'posting', 'settling'] as const

export type SessionStatus = {
  sid: Hash32
  dealings: number
  good: number
  signatures: number
}

export type EpochStatus = {
  /** Epoch of the newest settled output, and its version. */
  epoch: number | undefined
  activateAt: number | undefined
  /** `idle`, or how far the newest open session has come; `settling` once an output stands in the log. */
  phase: (typeof PHASES)[number]
  nextEpoch: number
  /** Final chain time this node has seen, Unix seconds. */
  finalTime: number
  /** Unix milliseconds at which this node first saw the epoch under way open. */
  openedAt: number | undefined
  /** Without a post for so long that several whole sessions must have failed. */
  stalled: boolean
  /** Unix seconds from which the next epoch is due; `undefined` when only a change of members or their keys brings one. */
  nextEpochAt: number | undefined
  /** Unix seconds at which an output that stands in the log, perhaps not final yet, becomes active; `undefined` when none is ahead. */
  nextActivation: number | undefined
  sessions: readonly SessionStatus[]
  /** Of the newest session: whose dealings are here and how many it takes, who signed and how many must. */
  dealt: readonly Address[]
  dealingsNeeded: number
  signed: readonly Address[]
  signaturesNeeded: number
  /** Whose part is missing now: dealers while dealing, members that have not signed while certifying. */
  late: readonly Address[]
  /** Registered operators that have announced a leave which still holds. */
  leaving: readonly Address[]
}

/** Sessions that may fail before an epoch counts as stalled. */
const STALLED_SESSIONS = 5

/** @param now - Unix milliseconds. */
export function epochStatus(
  state: NodeState,
  view: View,
  options: Pick<EpochOptions, 'reshareSeconds' | 'sessionMs'>,
  now: number,
): EpochStatus {
  const settled = state.log.winners.findLast((winner) => isSettled(winner, state))
  const phase = phaseOf(state, view)
  const openedAt =
    phase !== 'idle' && state.opened?.epoch === state.log.nextEpoch ? state.opened.at : undefined
  const isUnderWay = phase !== 'idle' && phase !== 'settling'
  const newest = lastWinner(view.pending) ?? lastWinner(state.log)
  const last = lastWinner(state.log)
  const ahead = newest !== undefined && newest.output.activateAt > now / 1000
  return {
    epoch: settled?.output.epoch,
    activateAt: settled?.output.activateAt,
    phase,
    nextEpoch: state.log.nextEpoch,
    finalTime: state.finalTime,
    openedAt,
    stalled:
      isUnderWay && openedAt !== undefined && now - openedAt > STALLED_SESSIONS * options.sessionMs,
    nextEpochAt:
      options.reshareSeconds > 0 && last !== undefined
        ? last.output.activateAt + options.reshareSeconds
        : undefined,
    nextActivation: ahead ? newest.output.activateAt : undefined,
    sessions: state.sessions.map(({ sid, dealings, candidates }) => ({
      sid,
      dealings: dealings.length,
      good: dealings.filter((dealing) => dealing.status === 'good').length,
      signatures: Math.max(0, ...candidates.map((candidate) => candidate.signatures.length)),
    })),
    ...partsOf(state.sessions.at(-1), phase),
    leaving: view.leaves.map(({ operator }) => operator),
  }
}

function phaseOf(state: NodeState, view: View): EpochStatus['phase'] {
  const last = lastWinner(view.pending)
  if (last !== undefined && (!isSettled(last, state) || !isWinner(state.log, last.hash)))
    return 'settling'
  const session = state.sessions.at(-1)
  if (session === undefined) return state.opened?.epoch === state.log.nextEpoch ? 'opening' : 'idle'
  if (session.candidates.length === 0) return 'dealing'
  return session.candidates.some((candidate) => certifies(candidate, session.terms))
    ? 'posting'
    : 'certifying'
}

type Parts = Pick<EpochStatus, 'dealt' | 'dealingsNeeded' | 'signed' | 'signaturesNeeded' | 'late'>

function partsOf(session: Session | undefined, phase: EpochStatus['phase']): Parts {
  if (session === undefined)
    return { dealt: [], dealingsNeeded: 0, signed: [], signaturesNeeded: 0, late: [] }
  const dealt = session.dealings
    .filter(({ status }) => status !== 'bad')
    .map(({ dealer }) => dealer)
  const [best] = session.candidates.toSorted((a, b) => b.signatures.length - a.signatures.length)
  const signed = (best?.signatures ?? []).map(({ operator }) => operator)
  const members = session.terms.members.map(({ address }) => address)
  const late =
    phase === 'dealing'
      ? session.dealers.filter((dealer) => !dealt.includes(dealer))
      : phase === 'certifying'
        ? members.filter((member) => !signed.includes(member))
        : []
  return {
    dealt,
    dealingsNeeded: session.needed,
    signed,
    signaturesNeeded: session.terms.threshold,
    late,
  }
}
