/**
 * Proposals of others: which terms this node takes part in (docs/protocol.md, Epochs). What a node alone knows may only refuse what an honest
 * proposer would not have proposed either, or nobody's proposal would be good enough for all.
 * @module
 */
import { equalBytes, toHex } from '../../sdk/bytes.ts'
import type { Hash32, OperatorSet } from '../../sdk/chain/types.ts'
import { isUrgent } from '../../sdk/protocol/changes.ts'
import { blobHash } from '../../sdk/protocol/dealing.ts'
import { isSignedBy } from '../../sdk/protocol/digest.ts'
import { lastWinner, MAX_CONFIG_AGE_SECONDS } from '../../sdk/protocol/log.ts'
import {
  isAbsent,
  operatorsByAddress,
  parseSetup,
  type Setup,
  setupStatement,
  sidOf,
  verifySetup,
} from '../../sdk/protocol/terms.ts'
import type { Terms } from '../../sdk/protocol/types.ts'
import { hasOpenSession, hasRoom } from './attempts.ts'
import { type Lookup, type Question, recentQuestions } from './context.ts'
import type { NodeEvent } from './machine.ts'
import {
  isStranger,
  learnEncryptionKeys,
  learnFromSetup,
  missingFrom,
  passOn,
} from './peer-keys.ts'
import type { PushResult } from './ports.ts'

function isOpen({ runtime }: Lookup, sid: Hash32): boolean {
  return runtime.state().sessions.some((session) => session.sid === sid)
}

export async function receiveSetup(lookup: Lookup, bytes: Uint8Array): Promise<PushResult> {
  const { runtime } = lookup
  const setup = parseSetup(bytes)
  const { terms, proposer } = setup
  const sid = sidOf(runtime.deps.domain, terms)
  if (isOpen(lookup, sid)) return 'accepted'
  const { log, through } = runtime.state()
  if (terms.epoch < log.nextEpoch) return 'refused'
  // We may be behind with the chain, or be told of a block that is not final for us yet.
  if (terms.epoch > log.nextEpoch || terms.configBlock.number > through) return 'later'
  // Decided, if the chain does not take it back: further attempts would push out the one that won, with the bodies that others need.
  if (terms.epoch < runtime.view().pending.nextEpoch) return 'later'
  if (terms.prev !== (lastWinner(log)?.hash ?? runtime.self.root)) return 'refused'
  if (!isFresh(lookup, terms)) return 'refused'
  const { self, deps } = runtime
  if (hasOpenSession(self, runtime.state(), proposer, deps.clock())) return 'later'
  // Whoever misses an answer shows the session again: without this, more than there is room for would push out each other without end.
  if (lookup.begun.has(sid) && !hasRoom(runtime.state(), terms)) return 'later'
  if (isEarly(lookup, terms) || !isFromOperator(lookup, setup)) return 'later'
  const set = await askForSet(lookup, sid, setup)
  if (set === 'refused' || set === 'later') return set
  if (set.block.timestamp !== terms.configBlock.timestamp) return 'refused'
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
  if (verdict === 'valid') lookup.begun.set(sid, terms.epoch)
  // A session that was pushed out by others starts with nothing when it is opened again.
  for (const [message, of] of lookup.taken) if (of === sid) lookup.taken.delete(message)
  // A proposer with an open session, or an epoch that was decided meanwhile: it may come again.
  return verdict === 'valid' || isOpen(lookup, sid) ? 'accepted' : 'later'
}

/** Sets that the chain is asked for in the time of one session, on the word of one proposer. */
const MAX_QUESTIONS = 8

/**
 * The operator set that a proposal names: a member can sign proposals of ever other blocks. By the signed id, not by the message, of which others
 * can make as many as they like.
 * @throws CHAIN_UNAVAILABLE
 */
async function askForSet(
  lookup: Lookup,
  sid: Hash32,
  { terms, proposer }: Setup,
): Promise<OperatorSet | 'later' | 'refused'> {
  const { sets, questions, runtime } = lookup
  const block = terms.configBlock
  if (sets.has(block.hash)) return (await lookup.operatorsAt(block)) ?? 'refused'
  const now = runtime.deps.clock()
  const asked = questions.get(proposer) ?? new Map<Hash32, Question>()
  const recent = recentQuestions(asked, now, runtime.self.options.sessionMs)
  questions.set(proposer, recent)
  const before = recent.get(sid)
  if (before !== undefined) return before.isVain ? 'refused' : 'later'
  if (recent.size >= MAX_QUESTIONS) return 'later'
  recent.set(sid, { at: now, isVain: false })
  try {
    const set = await lookup.operatorsAt(block)
    if (set === undefined) recent.set(sid, { at: now, isVain: true })
    return set ?? 'refused'
  } catch (error) {
    // Not the proposer's fault: it may come again at once.
    recent.delete(sid)
    throw error
  }
}

/** Half of what the log allows, so that the entry is still in time. */
function isFresh(lookup: Lookup, terms: Terms): boolean {
  const { log, finalTime } = lookup.runtime.state()
  const oldest = lastWinner(log)?.output.configBlock.number ?? 0n
  const { number, timestamp } = terms.configBlock
  return number >= oldest && finalTime - timestamp <= MAX_CONFIG_AGE_SECONDS / 2
}

/**
 * No change that cannot wait, and before its time: one whose clock is ahead, or who wants the others to work and pay, must not make epoch
 * after epoch. By the log and the chain's clock, with some time left for ours and theirs to differ.
 */
function isEarly({ runtime }: Lookup, terms: Terms): boolean {
  const { log, finalTime } = runtime.state()
  const last = lastWinner(log)?.output
  const seconds = Math.max(finalTime, runtime.view().latestTime)
  if (last === undefined || isUrgent(log.changes, last, terms, seconds)) return false
  const { reshareSeconds, postSeconds } = runtime.self.options
  if (reshareSeconds === 0) return true
  return seconds < last.activateAt + reshareSeconds - Math.min(postSeconds, reshareSeconds / 2)
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
