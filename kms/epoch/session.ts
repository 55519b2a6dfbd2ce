/**
 * One session as a pure state machine. Facts come in as events; what should be done next is a function of
 * the state (`dueInSession`), so a restart needs no memory of what was under way.
 *
 *   dealings arrive ─▶ checked ─▶ acknowledged ─▶ candidate ─▶ checked, share stored ─▶ signed ─▶ certified ─▶ posted
 *                        └─ bad share ─▶ complaint ─▶ convicted: out of every candidate
 *
 * A dealer that equivocates gets one dealing recorded per node; the one that a threshold acknowledged can be used, and a node
 * that holds the other fetches it by its hash when a candidate names it.
 * @module
 */
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { sortByAddress } from '../../sdk/protocol/codec.ts'
import { isAbsent } from '../../sdk/protocol/terms.ts'
import {
  isConvicted,
  judgeCandidate,
  type NewCandidate,
  receiveCandidate,
  receiveSignature,
  refuseConvicted,
} from './candidates.ts'
import {
  type CandidateRecord,
  candidateIsLive,
  type DealingRecord,
  type DealingRef,
  type DealingStatus,
  type EpochOptions,
  type Millis,
  type Session,
  type Step,
  skip,
  turnOf,
  valid,
} from './state.ts'

export type SessionEvent =
  /** A body with the dealer's signature on it is stored. */
  | { type: 'dealing'; dealing: DealingRef }
  /** A body that a candidate names was fetched and stored. */
  | { type: 'fetched'; dealing: DealingRef }
  | { type: 'checked'; hash: Hash32; status: Exclude<DealingStatus, 'unchecked' | 'convicted'> }
  | { type: 'convicted'; dealing: DealingRef }
  | { type: 'acks'; recipient: Address; dealings: readonly DealingRef[] }
  | { type: 'candidate'; candidate: NewCandidate }
  | { type: 'candidateChecked'; hash: Hash32; ok: boolean }
  | { type: 'signature'; hash: Hash32; operator: Address; signature: Uint8Array }

export type SessionEffect =
  | { type: 'deal'; sid: Hash32 }
  | { type: 'check'; sid: Hash32; hashes: readonly Hash32[] }
  | { type: 'complain'; sid: Hash32; hash: Hash32 }
  | { type: 'propose'; sid: Hash32; dealings: readonly DealingRef[] }
  | { type: 'checkCandidate'; sid: Hash32; hash: Hash32 }
  | { type: 'sign'; sid: Hash32; hash: Hash32 }
  | { type: 'sendSetup'; sid: Hash32 }
  | { type: 'sendDealing'; sid: Hash32; hash: Hash32 }
  | { type: 'sendAcks'; sid: Hash32; dealings: readonly DealingRef[] }
  | { type: 'sendCandidate'; sid: Hash32; hash: Hash32 }
  | { type: 'sendSignature'; sid: Hash32; hash: Hash32 }
  | { type: 'post'; sid: Hash32; hash: Hash32 }

/** @param finalTime - Timestamp of the last final block, Unix seconds. */
export function stepSession(
  session: Session,
  event: SessionEvent,
  options: EpochOptions,
  finalTime: number,
  now: Millis,
): Step<Session> {
  switch (event.type) {
    case 'dealing':
      return receiveDealing(session, event.dealing)
    case 'fetched':
      return session.dealings.some((known) => known.hash === event.dealing.hash)
        ? skip('known dealing')
        : addDealing(session, event.dealing)
    case 'checked':
      return setDealing(session, event.hash, (status) =>
        status === 'unchecked' ? event.status : status,
      )
    case 'convicted':
      return convictDealing(session, event.dealing)
    case 'acks':
      return receiveAcks(session, event)
    case 'candidate':
      return receiveCandidate(session, event.candidate, options, finalTime, now)
    case 'candidateChecked':
      return judgeCandidate(session, event.hash, event.ok)
    case 'signature':
      return receiveSignature(session, event, now)
  }
}

function receiveDealing(session: Session, dealing: DealingRef): Step<Session> {
  if (!session.dealers.includes(dealing.dealer))
    return { verdict: 'fault', by: dealing.dealer, reason: 'not a dealer' }
  const known = session.dealings.find((other) => other.dealer === dealing.dealer)
  if (known === undefined) return addDealing(session, dealing)
  return known.hash === dealing.hash
    ? skip('known dealing')
    : { verdict: 'fault', by: dealing.dealer, reason: 'two dealings' }
}

function addDealing(session: Session, dealing: DealingRef): Step<Session> {
  const record: DealingRecord = { ...dealing, status: 'unchecked' }
  return valid({ ...session, dealings: [...session.dealings, record] })
}

function setDealing(
  session: Session,
  hash: Hash32,
  change: (status: DealingStatus) => DealingStatus,
): Step<Session> {
  const known = session.dealings.find((dealing) => dealing.hash === hash)
  if (known === undefined) return skip('unknown dealing')
  const status = change(known.status)
  if (status === known.status) return skip('nothing new about the dealing')
  return valid({
    ...session,
    dealings: session.dealings.map((dealing) =>
      dealing === known ? { ...dealing, status } : dealing,
    ),
  })
}

function convictDealing(session: Session, dealing: DealingRef): Step<Session> {
  const known = session.dealings.some((other) => other.hash === dealing.hash)
  const added = known ? valid(session) : addDealing(session, dealing)
  if (added.verdict !== 'valid') return added
  const refused = refuseConvicted(added.state, dealing.hash)
  return setDealing(refused, dealing.hash, () => 'convicted')
}

function receiveAcks(
  session: Session,
  { recipient, dealings }: Extract<SessionEvent, { type: 'acks' }>,
): Step<Session> {
  if (!session.terms.members.some((member) => member.address === recipient))
    return { verdict: 'fault', by: recipient, reason: 'not a member' }
  const before = session.acks.find((other) => other.recipient === recipient)
  const hashes = [...new Set([...(before?.dealings ?? []), ...dealings.map(({ hash }) => hash)])]
  if (before !== undefined && hashes.length === before.dealings.length) return skip('known acks')
  // Two acknowledged dealings per dealer at most: an equivocating dealer has no more camps that matter.
  if (hashes.length > 2 * session.dealers.length)
    return { verdict: 'fault', by: recipient, reason: 'too many acknowledgements' }
  const others = session.acks.filter((other) => other !== before)
  return valid({ ...session, acks: [...others, { recipient, dealings: hashes }] })
}

/** What this node should do in the session now; sends repeat for as long as they make sense. */
export function dueInSession(
  session: Session,
  self: Address,
  mayDeal: boolean,
  options: EpochOptions,
  now: Millis,
): readonly SessionEffect[] {
  const { sid, terms } = session
  const member = terms.members.find((other) => other.address === self)
  const effects: SessionEffect[] = []
  if (session.proposer === self) effects.push({ type: 'sendSetup', sid })
  const own = session.dealings.find((dealing) => dealing.dealer === self)
  if (own === undefined && mayDeal && session.dealers.includes(self))
    effects.push({ type: 'deal', sid })
  if (own !== undefined) effects.push({ type: 'sendDealing', sid, hash: own.hash })
  const unchecked = session.dealings.filter((dealing) => dealing.status === 'unchecked')
  if (unchecked.length > 0)
    effects.push({ type: 'check', sid, hashes: unchecked.map(({ hash }) => hash) })
  if (member === undefined || isAbsent(member)) return effects
  for (const dealing of session.dealings)
    if (dealing.status === 'badShare') effects.push({ type: 'complain', sid, hash: dealing.hash })
  const good = goodDealings(session)
  if (good.length > 0) effects.push({ type: 'sendAcks', sid, dealings: good })
  const proposal = dueProposal(session, self, options, now)
  if (proposal !== undefined) effects.push({ type: 'propose', sid, dealings: proposal })
  for (const candidate of session.candidates)
    effects.push(...dueForCandidate(session, candidate, self, options, now))
  return effects
}

/** One good dealing per dealer that is not convicted, sorted by dealer: what this node acknowledges. */
function goodDealings(session: Session): readonly DealingRef[] {
  const first = new Map<Address, DealingRef>()
  for (const { dealer, hash, status } of session.dealings)
    if (status === 'good' && !first.has(dealer) && !isConvicted(session, dealer))
      first.set(dealer, { dealer, hash })
  return sortByAddress([...first.values()], (dealing) => dealing.dealer)
}

/** The dealings to propose, when it is this node's turn and there is enough to propose. */
function dueProposal(
  session: Session,
  self: Address,
  options: EpochOptions,
  now: Millis,
): readonly DealingRef[] | undefined {
  const { terms, openedAt, usableAt } = session
  const turn = turnOf(
    terms.members.map((member) => member.address),
    self,
    terms.epoch,
  )
  if (turn === undefined || usableAt === undefined) return undefined
  const slot = slotOf(session, options)
  const waited = now - usableAt - turn * slot
  if (waited < 0) return undefined
  // Another's candidate that cannot be checked, because a body is kept back, is waited for in the first round only.
  const isFirstRound = waited < terms.members.length * slot
  const isAwaited = (candidate: CandidateRecord) =>
    candidate.status === 'good' || candidate.proposer === self || isFirstRound
  if (session.candidates.some((one) => candidateIsLive(one, now) && isAwaited(one)))
    return undefined
  const usable = usableDealings(session, self)
  if (usable.length < session.needed) return undefined
  const recipients = terms.members.filter((member) => !isAbsent(member)).length
  const complete =
    usable.length === session.dealers.length &&
    usable.every(({ hash }) => ackCount(session, self, hash) >= recipients)
  return complete || now >= openedAt + options.patienceMs ? usable : undefined
}

/** Whether this node could propose. */
export function isUsable(session: Session, self: Address): boolean {
  return usableDealings(session, self).length >= session.needed
}

/**
 * How long each member in turn has the first word. A candidate costs the others about what its dealings cost them, so where those
 * took long, the turns are longer too: else every member would propose before it has seen the first one's candidate.
 */
function slotOf({ openedAt, usableAt }: Session, { slotMs }: EpochOptions): Millis {
  return Math.max(slotMs, ((usableAt ?? openedAt) - openedAt) / 2)
}

/** Good dealings that a threshold of members, this node among them, acknowledged. */
function usableDealings(session: Session, self: Address): readonly DealingRef[] {
  return goodDealings(session).filter(
    ({ hash }) => ackCount(session, self, hash) >= session.terms.threshold,
  )
}

function ackCount(session: Session, self: Address, hash: Hash32): number {
  const others = session.acks.filter((ack) => ack.recipient !== self && ack.dealings.includes(hash))
  return others.length + 1
}

function dueForCandidate(
  session: Session,
  candidate: CandidateRecord,
  self: Address,
  options: EpochOptions,
  now: Millis,
): readonly SessionEffect[] {
  const { sid, terms } = session
  const { hash } = candidate
  if (!candidateIsLive(candidate, now)) return []
  const effects: SessionEffect[] = []
  if (candidate.proposer === self) effects.push({ type: 'sendCandidate', sid, hash })
  if (candidate.status === 'unchecked') return [...effects, { type: 'checkCandidate', sid, hash }]
  const signed = candidate.signatures.some((known) => known.operator === self)
  effects.push(signed ? { type: 'sendSignature', sid, hash } : { type: 'sign', sid, hash })
  if (candidate.certifiedAt === undefined) return effects
  const turn = turnOf(
    terms.members.map((member) => member.address),
    self,
    terms.epoch,
  )
  // The proposer posts at once; the others only when nothing came of it, as far as they can tell: its entry has to get into a block, and they
  // have to look at the chain again. A turn is too short for that on most chains; a quarter of the time for posting is not.
  const slot = slotOf(session, options)
  const patience = Math.max(slot, (options.postSeconds * 1000) / 4)
  const wait = candidate.proposer === self ? 0 : patience + (turn ?? 0) * slot
  return now >= candidate.certifiedAt + wait ? [...effects, { type: 'post', sid, hash }] : effects
}
