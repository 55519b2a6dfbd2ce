/**
 * Messages from peers: parse, check cheaply, store, and only then say "accepted". Expensive checks come later,
 * as due work. Never throws on any bytes; a message that proves nothing changes nothing.
 * @module
 */
import type { Address, Hash32, OperatorInfo } from '../../sdk/chain/types.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { messageKind } from '../../sdk/protocol/codec.ts'
import { accusedDealing, parseComplaint } from '../../sdk/protocol/complaint.ts'
import { blobHash, isDealingOf, parseDealing } from '../../sdk/protocol/dealing.ts'
import { isLeaveOf, parseLeave } from '../../sdk/protocol/leave.ts'
import {
  isAcksOf,
  isCandidateOf,
  isSignatureOf,
  parseAcks,
  parseCandidate,
  parseSignature,
} from '../../sdk/protocol/messages.ts'
import { parseOutput } from '../../sdk/protocol/output.ts'
import { operatorsByAddress, sidOf } from '../../sdk/protocol/terms.ts'
import type { Write } from '../store/store.ts'
import { contextOf, type Lookup } from './context.ts'
import type { NodeEvent } from './machine.ts'
import { receiveEncryptionKey } from './peer-keys.ts'
import { MAX_MESSAGE_BYTES, type PushResult } from './ports.ts'
import { candidateEvent } from './recipient.ts'
import type { SessionEvent } from './session.ts'
import { receiveSetup } from './setups.ts'
import type { Session } from './state.ts'

/** Bounds the memory of taken messages; beyond it they are read again. */
const MAX_TAKEN = 16_384

export async function receiveMessage(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  if (bytes.length > MAX_MESSAGE_BYTES) return 'refused'
  if (lookup.taken.has(blobHash(bytes))) return 'accepted'
  try {
    return await route(lookup, bytes)
  } catch (error) {
    const { report } = lookup.runtime.deps
    // A parser's or verifier's refusal is the sender's affair; anything else (chain, store) is ours.
    const theirs = isEigenxError(error) && error.stage === 'protocol'
    const code = isEigenxError(error) ? error.code : 'INTERNAL'
    report({ level: theirs ? 'debug' : 'warn', event: 'message not taken', detail: { code } })
    return theirs ? 'refused' : 'later'
  }
}

async function route(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  switch (messageKind(bytes)) {
    case 'setup':
      return receiveSetup(lookup, bytes)
    case 'encryptionKey':
      return receiveEncryptionKey(lookup, bytes)
    case 'dealing':
      return receiveDealing(lookup, bytes)
    case 'acks':
      return receiveAcks(lookup, bytes)
    case 'complaint':
      return receiveComplaint(lookup, bytes)
    case 'candidate':
      return receiveCandidate(lookup, bytes)
    case 'signature':
      return receiveSignature(lookup, bytes)
    case 'leave':
      return receiveLeave(lookup, bytes)
    default:
      return 'refused'
  }
}

async function apply(lookup: Lookup, event: NodeEvent, ...writes: Write[]): Promise<PushResult> {
  const verdict = await lookup.runtime.apply([event], writes)
  return verdict === 'fault' ? 'refused' : 'accepted'
}

/** The message says what `event` says; when it is taken, it need not be read again. */
async function applyIn(
  lookup: Lookup,
  sid: Hash32,
  bytes: Uint8Array,
  event: SessionEvent,
  ...writes: Write[]
): Promise<PushResult> {
  const result = await apply(lookup, { type: 'session', sid, event }, ...writes)
  return result === 'accepted' ? remember(lookup, sid, bytes) : result
}

function remember(lookup: Lookup, sid: Hash32, bytes: Uint8Array): 'accepted' {
  if (lookup.taken.size < MAX_TAKEN) lookup.taken.set(blobHash(bytes), sid)
  return 'accepted'
}

function sessionBy(lookup: Lookup, sid: `0x${string}`): Session | undefined {
  return lookup.runtime.state().sessions.find((session) => session.sid === sid)
}

/** An operator, this one among them, that wants to be dealt out. */
async function receiveLeave(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  const { runtime } = lookup
  const leave = parseLeave(bytes)
  const set = runtime.view().operators
  if (set === undefined) return 'later'
  const operator = operatorsByAddress(set.operators).get(leave.operator)
  const { domain } = runtime.deps
  if (operator === undefined || !isLeaveOf(domain, operator, leave, set.block.timestamp))
    return 'refused'
  return apply(lookup, { type: 'leave', leave })
}

async function receiveDealing(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  const dealing = parseDealing(bytes)
  const { sid, dealer } = dealing
  const session = sessionBy(lookup, sid)
  if (session === undefined) return 'later'
  const hash = blobHash(bytes)
  if (session.dealings.some((known) => known.hash === hash)) return 'accepted'
  const { context } = await contextOf(lookup, session)
  const operator = context.dealers.get(dealer)
  if (operator === undefined || !isDealingOf(context.domain, operator, dealing)) return 'refused'
  const event: SessionEvent = { type: 'dealing', dealing: { dealer, hash } }
  return applyIn(lookup, sid, bytes, event, { type: 'putBlob', bytes })
}

async function memberOf(
  lookup: Lookup,
  session: Session,
  address: Address,
): Promise<OperatorInfo | undefined> {
  const { members } = await contextOf(lookup, session)
  return operatorsByAddress(members).get(address)
}

async function receiveAcks(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  const acks = parseAcks(bytes)
  const { sid, recipient, dealings } = acks
  const session = sessionBy(lookup, sid)
  if (session === undefined) return 'later'
  const operator = await memberOf(lookup, session, recipient)
  if (operator === undefined || !isAcksOf(lookup.runtime.deps.domain, operator, acks))
    return 'refused'
  return applyIn(lookup, sid, bytes, { type: 'acks', recipient, dealings })
}

async function receiveComplaint(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  const { runtime } = lookup
  const { domain } = runtime.deps
  const complaint = parseComplaint(bytes)
  const { dealing, hash } = accusedDealing(complaint)
  if (runtime.state().complaints.some((known) => known.dealing === hash)) return 'accepted'
  const session = sessionBy(lookup, dealing.sid)
  const winner = [...runtime.view().pending.winners, ...runtime.state().log.winners].find(
    ({ output }) => output.dealings.some((used) => used.hash === hash),
  )
  if (session !== undefined) {
    if (winner === undefined && isMoot(session, dealing.dealer, hash)) return 'later'
    // Unless an output names it, the dealing in the complaint must be the dealer's own.
    const { context } = await contextOf(lookup, session)
    const dealer = context.dealers.get(dealing.dealer)
    if (dealer === undefined || !isDealingOf(domain, dealer, dealing)) return 'refused'
  } else if (winner === undefined) return 'later'
  const terms = session?.terms ?? winner?.output
  if (terms === undefined) return 'later'
  const held = session?.dealings.find((known) => known.hash === hash)?.hash
  const verdict = await lookup.court.judge(terms, complaint, dealing, held)
  // Once more when the dealing is here: then it is judged.
  if (verdict === 'unheard' && held === undefined) return 'later'
  if (verdict !== 'right') return 'refused'
  // Another against the same dealer may have been right meanwhile.
  const now = sessionBy(lookup, dealing.sid)
  if (now !== undefined && winner === undefined && isMoot(now, dealing.dealer, hash)) return 'later'
  const event: NodeEvent = {
    type: 'complaint',
    sid: dealing.sid,
    complaint: {
      epoch: terms.epoch,
      dealing: hash,
      dealer: dealing.dealer,
      recipient: complaint.recipient,
      blob: blobHash(bytes),
    },
  }
  return apply(
    lookup,
    event,
    { type: 'putBlob', bytes },
    { type: 'putBlob', bytes: complaint.dealing },
  )
}

/** With each the complaint is kept. */
const MAX_CONVICTED_EACH = 4

/**
 * About another dealing of a dealer that is convicted here already: this node proposes nothing of it any more, and two members that
 * conspire could go on for ever.
 */
function isMoot({ dealings }: Session, dealer: Address, hash: Hash32): boolean {
  const convicted = dealings.filter(
    (known) => known.dealer === dealer && known.status === 'convicted',
  )
  const isHeld = dealings.some((known) => known.hash === hash)
  return convicted.length >= (isHeld ? MAX_CONVICTED_EACH : 1)
}

async function receiveCandidate(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  const candidate = parseCandidate(bytes)
  const { sid, proposer } = candidate
  const session = sessionBy(lookup, sid)
  if (session === undefined) return 'later'
  const operator = await memberOf(lookup, session, proposer)
  const { domain } = lookup.runtime.deps
  if (operator === undefined || !isCandidateOf(domain, operator, candidate)) return 'refused'
  const output = parseOutput(candidate.output)
  if (sidOf(domain, output) !== sid) return 'refused'
  const { output: encoded, signature } = candidate
  const event = candidateEvent(lookup, { proposer, signature }, output, encoded)
  const write: Write = { type: 'putBlob', bytes: encoded }
  await apply(lookup, { type: 'session', sid, event }, write)
  // There may be no room for it now, but when it comes again.
  return sessionBy(lookup, sid)?.candidates.some(({ hash }) => hash === event.candidate.hash)
    ? remember(lookup, sid, bytes)
    : 'later'
}

async function receiveSignature(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  const message = parseSignature(bytes)
  const { sid, output, operator, signature } = message
  const session = sessionBy(lookup, sid)
  if (session?.candidates.some((candidate) => candidate.hash === output) !== true) return 'later'
  const info = await memberOf(lookup, session, operator)
  if (info === undefined || !isSignatureOf(lookup.runtime.deps.domain, info, message))
    return 'refused'
  const event: SessionEvent = { type: 'signature', hash: output, operator, signature }
  return applyIn(lookup, sid, bytes, event)
}
