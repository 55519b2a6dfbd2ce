/**
 * The candidates of a session: which are taken, which are refused because a dealing of theirs was convicted, and when they are over.
 *
 * Whoever signed a candidate keeps its bodies and its share until the final part of the log shows that it did not win: by the chain's
 * time, because a clock that is ahead would erase a share that is needed. What members can make others keep until then is bounded here.
 * @module
 */
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { sortByAddress } from '../../sdk/protocol/codec.ts'
import {
  type AbandonedCandidate,
  type CandidateRecord,
  certifies,
  type EpochOptions,
  type Millis,
  type Session,
  type Step,
  skip,
  valid,
} from './state.ts'

/** Of one proposer in one session at a time: they cost the others work. */
const MAX_CANDIDATES_EACH = 3
/** With those that are over and may have won all the same: the chain's time to finality is many times that to post. */
const MAX_KEPT_EACH = 12

export type NewCandidate = Pick<
  CandidateRecord,
  'hash' | 'blob' | 'proposer' | 'signature' | 'dealings' | 'postBy'
>

/** @param finalTime - Unix seconds: what has to be posted before can be in the final part of the log only, and is not. */
export function receiveCandidate(
  session: Session,
  candidate: NewCandidate,
  { postSeconds }: Pick<EpochOptions, 'postSeconds'>,
  finalTime: number,
  now: Millis,
): Step<Session> {
  const { candidates } = session
  if (candidates.some((known) => known.hash === candidate.hash)) return skip('known candidate')
  if (candidate.postBy < finalTime) return skip('a candidate that is over')
  const others = candidates.filter((known) => known.proposer === candidate.proposer)
  // Not by `postBy` alone: one that is in the past already would hold its place for no time.
  const recent = others.filter(
    ({ postBy, arrivedAt }) => now <= 1000 * Math.max(postBy, arrivedAt / 1000 + postSeconds),
  )
  if (recent.length >= MAX_CANDIDATES_EACH || others.length >= MAX_KEPT_EACH)
    return skip('too many candidates of one proposer')
  const convicted = new Set(
    session.dealings.filter(({ status }) => status === 'convicted').map(({ hash }) => hash),
  )
  const record: CandidateRecord = {
    ...candidate,
    arrivedAt: now,
    status: candidate.dealings.some(({ hash }) => convicted.has(hash)) ? 'bad' : 'unchecked',
    signatures: [],
    certifiedAt: undefined,
  }
  return valid({ ...session, candidates: [...candidates, record] })
}

/**
 * What has to be kept of a session that is followed no more: what this node signed there. A signature is never taken back, so others may
 * have a certificate of it that they did not show, or will have.
 */
export function abandon(
  abandoned: readonly AbandonedCandidate[],
  { candidates, terms }: Session,
  self: Address,
): readonly AbandonedCandidate[] {
  const signed = candidates.filter(
    ({ hash, signatures }) =>
      signatures.some(({ operator }) => operator === self) &&
      abandoned.every((known) => known.hash !== hash),
  )
  const { epoch } = terms
  const kept = signed.map(({ hash, blob, proposer, dealings, postBy }) => {
    return { epoch, hash, blob, proposer, dealings, postBy }
  })
  return [...abandoned, ...kept]
}

/** Whether so much is kept of this proposer already that nothing new of it is taken before something is over: it pays, not the others. */
export function hasAbandonedMuch(
  abandoned: readonly AbandonedCandidate[],
  proposer: Address,
): boolean {
  return abandoned.filter((one) => one.proposer === proposer).length >= MAX_KEPT_EACH
}

/** Whether a dealing of that dealer in this session is proven to be false. */
export function isConvicted({ dealings }: Pick<Session, 'dealings'>, dealer: Address): boolean {
  return dealings.some((known) => known.dealer === dealer && known.status === 'convicted')
}

/** What names a convicted dealing is signed and posted no more: it would be voided. */
export function refuseConvicted(session: Session, hash: Hash32): Session {
  const candidates = session.candidates.map((candidate) =>
    candidate.dealings.some((named) => named.hash === hash)
      ? { ...candidate, status: 'bad' as const }
      : candidate,
  )
  return { ...session, candidates }
}

/** @param ok - What checking it gave. A complaint that came meanwhile counts more. */
export function judgeCandidate(session: Session, hash: Hash32, ok: boolean): Step<Session> {
  return setCandidate(session, hash, (candidate) =>
    candidate.status === 'unchecked' ? { ...candidate, status: ok ? 'good' : 'bad' } : candidate,
  )
}

export function receiveSignature(
  session: Session,
  { hash, operator, signature }: { hash: Hash32; operator: Address; signature: Uint8Array },
  now: Millis,
): Step<Session> {
  return setCandidate(session, hash, (candidate) => {
    if (candidate.signatures.some((known) => known.operator === operator)) return candidate
    const signatures = sortByAddress(
      [...candidate.signatures, { operator, signature }],
      (entry) => entry.operator,
    )
    const grown = { ...candidate, signatures }
    return certifies(grown, session.terms)
      ? { ...grown, certifiedAt: candidate.certifiedAt ?? now }
      : grown
  })
}

function setCandidate(
  session: Session,
  hash: Hash32,
  change: (candidate: CandidateRecord) => CandidateRecord,
): Step<Session> {
  const known = session.candidates.find((candidate) => candidate.hash === hash)
  if (known === undefined) return skip('unknown candidate')
  const changed = change(known)
  if (changed === known) return skip('nothing new about the candidate')
  return valid({
    ...session,
    candidates: session.candidates.map((candidate) => (candidate === known ? changed : candidate)),
  })
}

/**
 * Without the candidates of an open epoch that did not win in time, and without the dealings that only they named. The first
 * dealing of each dealer stays, and those that prove a lie.
 */
export function withoutOver(session: Session, finalTime: number): Session {
  const candidates = session.candidates.filter(({ postBy }) => postBy >= finalTime)
  if (candidates.length === session.candidates.length) return session
  const named = new Set(candidates.flatMap(({ dealings }) => dealings.map(({ hash }) => hash)))
  const dealings = session.dealings.filter(
    (dealing, i) =>
      dealing.status === 'convicted' ||
      named.has(dealing.hash) ||
      session.dealings.findIndex(({ dealer }) => dealer === dealing.dealer) === i,
  )
  const failed =
    session.failed ||
    session.candidates.some((one) => one.status === 'good' && one.postBy < finalTime)
  return { ...session, candidates, dealings, failed }
}
