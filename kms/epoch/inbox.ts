/**
 * Messages from peers: parse, check cheaply, store, and only then say "accepted". Expensive checks come later,
 * as due work. Never throws on any bytes; a message that proves nothing changes nothing.
 * @module
 */
import { equalBytes, toHex } from '../../sdk/bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../../sdk/chain/types.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { messageKind } from '../../sdk/protocol/codec.ts'
import { accusedDealing, parseComplaint } from '../../sdk/protocol/complaint.ts'
import { blobHash, isDealingOf, parseDealing } from '../../sdk/protocol/dealing.ts'
import { isSignedBy } from '../../sdk/protocol/digest.ts'
import { isLeaveOf, parseLeave } from '../../sdk/protocol/leave.ts'
import { lastWinner, MAX_CONFIG_AGE_SECONDS } from '../../sdk/protocol/log.ts'
import {
  isAcksOf,
  isCandidateOf,
  isSignatureOf,
  parseAcks,
  parseCandidate,
  parseSignature,
} from '../../sdk/protocol/messages.ts'
import { encodeOutput, parseOutput } from '../../sdk/protocol/output.ts'
import {
  isAbsent,
  operatorsByAddress,
  parseSetup,
  type Setup,
  setupStatement,
  sidOf,
  verifySetup,
} from '../../sdk/protocol/terms.ts'
import type { Member, Terms } from '../../sdk/protocol/types.ts'
import type { Write } from '../store/store.ts'
import { contextOf, type Lookup } from './context.ts'
import type { NodeEvent } from './machine.ts'
import {
  isStranger,
  learnEncryptionKeys,
  learnFromSetup,
  missingFrom,
  passOn,
  receiveEncryptionKey,
} from './peer-keys.ts'
import { MAX_MESSAGE_BYTES, type PushResult } from './ports.ts'
import { candidateEvent } from './recipient.ts'
import type { SessionEvent } from './session.ts'
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
  if (result === 'accepted' && lookup.taken.size < MAX_TAKEN) lookup.taken.set(blobHash(bytes), sid)
  return result
}

function sessionBy(lookup: Lookup, sid: `0x${string}`): Session | undefined {
  return lookup.runtime.state().sessions.find((session) => session.sid === sid)
}

async function receiveSetup(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  const { runtime } = lookup
  const setup = parseSetup(bytes)
  const { terms, proposer } = setup
  const sid = sidOf(runtime.deps.domain, terms)
  if (sessionBy(lookup, sid) !== undefined) return 'accepted'
  const { log, through } = runtime.state()
  if (terms.epoch < log.nextEpoch) return 'refused'
  // We may be behind with the chain, or be told of a block that is not final for us yet.
  if (terms.epoch > log.nextEpoch || terms.configBlock.number > through) return 'later'
  if (terms.prev !== (lastWinner(log)?.hash ?? runtime.self.root)) return 'refused'
  if (!isFresh(lookup, terms)) return 'refused'
  if (isEarly(lookup, terms)) return 'later'
  if (!isFromOperator(lookup, setup)) return 'later'
  const set = await lookup.operatorsAt(terms.configBlock)
  if (set === undefined || set.block.timestamp !== terms.configBlock.timestamp) return 'refused'
  verifySetup(runtime.deps.domain, setup, set.operators)
  learnOfOwnKey(lookup, setup)
  // A proposer could leave a member out, or name its lost key, before we have met it: ask that member ourselves first.
  if (terms.members.some(({ address }) => isStranger(lookup, address)))
    await learnEncryptionKeys(lookup)
  const missing = missingFrom(lookup, setup)
  const sender = operatorsByAddress(runtime.view().operators?.operators ?? []).get(proposer)
  if (sender !== undefined) passOn(lookup, missing, [sender])
  if (missing.length > 0 || !isNamedRightly(lookup, terms) || !leavesAreHonoured(lookup, terms))
    return 'refused'
  learnFromSetup(lookup, setup)
  const leaves = terms.leaves.map((leave): NodeEvent => ({ type: 'leave', leave }))
  const event = { type: 'setup' as const, sid, terms, proposer, setup: blobHash(bytes) }
  const verdict = await runtime.apply([event, ...leaves], [{ type: 'putBlob', bytes }])
  // A session that was pushed out by others starts with nothing when it is opened again.
  for (const [message, of] of lookup.taken) if (of === sid) lookup.taken.delete(message)
  // A proposer with an open session, or an epoch that was decided meanwhile: it may come again.
  return verdict === 'valid' || sessionBy(lookup, sid) !== undefined ? 'accepted' : 'later'
}

/** Half of what the log allows, so that the entry is still in time. */
function isFresh(lookup: Lookup, terms: Terms): boolean {
  const { log, finalTime } = lookup.runtime.state()
  const oldest = lastWinner(log)?.output.configBlock.number ?? 0n
  const { number, timestamp } = terms.configBlock
  return number >= oldest && finalTime - timestamp <= MAX_CONFIG_AGE_SECONDS / 2
}

/**
 * The same members with the same keys before their time: one whose clock is ahead, or who wants the others to work and pay, must not
 * make epoch after epoch. By the chain's clock, with some time left for ours and theirs to differ.
 */
function isEarly({ runtime }: Lookup, terms: Terms): boolean {
  const { log, finalTime } = runtime.state()
  const last = lastWinner(log)?.output
  if (last === undefined || !isSameMembers(last.members, terms.members)) return false
  const { reshareSeconds, postSeconds } = runtime.self.options
  if (reshareSeconds === 0) return true
  const due = last.activateAt + reshareSeconds - Math.min(postSeconds, reshareSeconds / 2)
  return Math.max(finalTime, runtime.view().latestTime) < due
}

/** Signed by an operator of a set that we know: the words of a stranger are not worth a question to the chain. */
function isFromOperator(lookup: Lookup, { terms, proposer, signature }: Setup): boolean {
  const { deps, view } = lookup.runtime
  const sets = [view().operators, ...lookup.sets.values()]
  const keys = new Map(
    sets.flatMap((set) =>
      (set?.operators ?? [])
        .filter(({ address }) => address.toLowerCase() === proposer)
        .map((operator) => [JSON.stringify(operator.signingKey), operator]),
    ),
  )
  const statement = setupStatement(deps.domain, terms, proposer)
  return [...keys.values()].some((operator) => isSignedBy(operator, statement, signature))
}

function isSameMembers(before: readonly Member[], coming: readonly Member[]): boolean {
  return (
    before.length === coming.length &&
    before.every(
      ({ address, encryptionKey }, i) =>
        address === coming[i]?.address && equalBytes(encryptionKey, coming[i].encryptionKey),
    )
  )
}

/** A key that we signed and do not have: the others wait for one with a higher number. */
function learnOfOwnKey(lookup: Lookup, { terms, records }: Setup): void {
  const index = terms.members.findIndex(
    (member) => member.address === lookup.runtime.self.operator && !isAbsent(member),
  )
  const member = terms.members[index]
  if (member === undefined || lookup.keys.secrets.has(toHex(member.encryptionKey))) return
  lookup.lostSequence = Math.max(lookup.lostSequence, records[index]?.sequence ?? -1)
}

/** Our own newest key. */
function isNamedRightly({ runtime, keys }: Lookup, { members }: Terms): boolean {
  const own = members.find(({ address }) => address === runtime.self.operator)
  return own === undefined || equalBytes(own.encryptionKey, keys.record.encryptionKey)
}

/** Who is known to leave is not dealt in. */
function leavesAreHonoured(lookup: Lookup, terms: Terms): boolean {
  const leaving = new Set(terms.leaves.map((leave) => leave.operator))
  return lookup.runtime
    .view()
    .leaves.every(
      ({ operator, notAfter }) =>
        leaving.has(operator) ||
        notAfter < terms.configBlock.timestamp ||
        !terms.members.some((member) => member.address === operator),
    )
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
  if (!(await lookup.court.judge(terms, complaint, dealing, held))) return 'refused'
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
  const encoded = encodeOutput(output)
  const event = candidateEvent(lookup, proposer, output, encoded)
  return applyIn(lookup, sid, bytes, event, { type: 'putBlob', bytes: encoded })
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
