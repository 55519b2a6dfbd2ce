/**
 * What the driver looks up on the way: operator sets by block, session contexts, encryption keys, bodies.
 * Everything here is a cache of what chain, store or peers hold, and may be empty after a restart; only the sets that the final log refers
 * to are stored, because the chain's providers may have forgotten that state.
 * @module
 */
import { toHex } from '../../sdk/bytes.ts'
import type { Address, BlockRef, Hash32, OperatorInfo, OperatorSet } from '../../sdk/chain/types.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { blobHash, type Dealing, parseDealing } from '../../sdk/protocol/dealing.ts'
import { operatorsByAddress, sidOf } from '../../sdk/protocol/terms.ts'
import type { Output } from '../../sdk/protocol/types.ts'
import { type Court, createCourt } from './complaints.ts'
import type { EncryptionKeys } from './encryption-keys.ts'
import type { KnownKey } from './peer-keys.ts'
import { bodyUnavailable, type Runtime } from './runtime.ts'
import type { Millis, Session } from './state.ts'
import type { DealingVerdict, OpenedDealing, SessionContext } from './verify.ts'

export type Lookup = {
  runtime: Runtime
  /** Replaced as a whole when a key is added or erased. */
  keys: EncryptionKeys
  /**
   * Sets by block hash, as far as they were needed. Of final blocks only: a set of a block that a reorganisation took away must not
   * count for those who happened to ask in time.
   */
  sets: Map<Hash32, OperatorSet>
  /** Number of the last block known to be final. */
  final: bigint
  /** Which of them are stored. Replaced as a whole. */
  storedSets: ReadonlySet<Hash32>
  /** As `MembershipPort.at`. */
  operatorsAt(block: BlockRef): Promise<OperatorSet | undefined>
  /** Highest sequence number of a key that this operator once announced and does not have. */
  lostSequence: number
  /** Newest verified encryption key of each peer. */
  peerKeys: Map<Address, KnownKey>
  /** By proposer and session id, what the chain was asked on the proposer's word. */
  questions: Map<Address, Map<Hash32, Question>>
  /** Sessions of the open epoch that were opened here once, and the epoch of each: one that was pushed out pushes out none. */
  begun: Map<Hash32, number>
  /** Checked dealings by hash, with their points parsed, each judged in the session that it names; never written down. */
  opened: Map<Hash32, { sid: Hash32; verdict: DealingVerdict }>
  /** Shares this node holds, by output: secret. */
  shares: Map<Hash32, bigint>
  /**
   * Messages of open sessions that were taken, by the hash of their bytes, with their session. Senders repeat them until
   * the session is over; a repetition costs a hash instead of a signature check.
   */
  taken: Map<Hash32, Hash32>
  contexts: Map<Hash32, { context: SessionContext; members: readonly OperatorInfo[] }>
  court: Court
}

/** The oldest are forgotten first: an epoch may be open for days. */
const MAX_BEGUN = 256

/** For the operator set that a proposal names. `isVain`: the chain has none there. */
export type Question = { at: Millis; isVain: boolean }

/** Forgets questions of an earlier session's time, also where the clock was set back. */
export function recentQuestions(
  asked: Map<Hash32, Question>,
  now: Millis,
  sessionMs: Millis,
): Map<Hash32, Question> {
  for (const [sid, { at }] of asked) if (Math.abs(now - at) >= sessionMs) asked.delete(sid)
  return asked
}

/** @param sets - Those stored, by block hash. */
export function createLookup(
  runtime: Runtime,
  keys: EncryptionKeys,
  sets: Map<Hash32, OperatorSet>,
): Lookup {
  const lookup: Lookup = {
    runtime,
    keys,
    sets,
    final: runtime.state().through,
    storedSets: new Set(sets.keys()),
    lostSequence: -1,
    peerKeys: new Map(),
    questions: new Map(),
    begun: new Map(),
    opened: new Map(),
    shares: new Map(),
    taken: new Map(),
    contexts: new Map(),
    court: createCourt(runtime.deps.domain, runtime.deps),
    operatorsAt: async (block) => {
      const known = sets.get(block.hash)
      if (known !== undefined) return isSameBlock(known.block, block) ? known : undefined
      const set = await runtime.deps.membership.at(block)
      if (set !== undefined && block.number <= lookup.final) sets.set(block.hash, set)
      return set
    },
  }
  return lookup
}

/** A hash names one block, but who names it may lie about the rest. */
function isSameBlock(known: BlockRef, named: BlockRef): boolean {
  return known.number === named.number && known.timestamp === named.timestamp
}

/** Forgets what belongs to sessions that are over. */
export function trimLookup(lookup: Lookup): void {
  const { deps, self } = lookup.runtime
  for (const [proposer, asked] of lookup.questions)
    if (recentQuestions(asked, deps.clock(), self.options.sessionMs).size === 0)
      lookup.questions.delete(proposer)
  const { sessions, log, shares } = lookup.runtime.state()
  const held = new Set(shares.map((share) => share.output))
  for (const output of lookup.shares.keys()) if (!held.has(output)) lookup.shares.delete(output)
  const sids = new Set(sessions.map((session) => session.sid))
  for (const [message, sid] of lookup.taken) if (!sids.has(sid)) lookup.taken.delete(message)
  for (const sid of lookup.contexts.keys()) if (!sids.has(sid)) lookup.contexts.delete(sid)
  const hashes = new Set([
    ...sessions.flatMap((session) => session.dealings.map((dealing) => dealing.hash)),
    ...log.winners.flatMap((winner) => winner.output.dealings.map((dealing) => dealing.hash)),
  ])
  for (const hash of lookup.opened.keys()) if (!hashes.has(hash)) lookup.opened.delete(hash)
  const begun = [...lookup.begun]
  for (const [i, [sid, epoch]] of begun.entries())
    if (epoch < log.nextEpoch || i < begun.length - MAX_BEGUN) lookup.begun.delete(sid)
  trimSets(lookup)
  trimCourt(lookup)
}

/** Complaints about outputs that stand come when their sessions are over. */
function trimCourt({ court, runtime }: Lookup): void {
  if (court.size() === 0) return
  const { sessions, log } = runtime.state()
  const winners = [...log.winners, ...runtime.view().pending.winners]
  court.keep(
    new Set([
      ...sessions.map((session) => session.sid),
      ...winners.map(({ output }) => sidOf(runtime.deps.domain, output)),
    ]),
  )
}

/** Every epoch brings another block with its set; what nothing refers to is only here to save questions. */
const MAX_SPARE_SETS = 16

function trimSets({ sets, runtime }: Lookup): void {
  const { sessions, log } = runtime.state()
  const blocks = new Set([
    ...sessions.map(({ terms }) => terms.configBlock.hash),
    ...[...log.winners, ...runtime.view().pending.winners].map(
      ({ output }) => output.configBlock.hash,
    ),
  ])
  const spare = [...sets.keys()].filter((hash) => !blocks.has(hash))
  for (const hash of spare.slice(0, -MAX_SPARE_SETS)) sets.delete(hash)
}

function decryptionKeyFor(lookup: Lookup, terms: Pick<Output, 'members'>): bigint | undefined {
  const self = lookup.runtime.self.operator
  const member = terms.members.find((other) => other.address === self)
  return member === undefined
    ? undefined
    : lookup.keys.secrets.get(toHex(member.encryptionKey))?.secret
}

/** The context of a session and its members' registered keys and sockets. @throws CHAIN_UNAVAILABLE */
export async function contextOf(
  lookup: Lookup,
  session: Session,
): Promise<{ context: SessionContext; members: readonly OperatorInfo[] }> {
  const known = lookup.contexts.get(session.sid)
  if (known !== undefined) return known
  const { runtime } = lookup
  const { terms } = session
  const previous = runtime.state().log.winners.find((winner) => winner.hash === terms.prev)?.output
  const registered = await mustKnow(lookup, terms.configBlock)
  const members = registered.filter(({ address }) =>
    terms.members.some((member) => member.address === address.toLowerCase()),
  )
  const dealers = previous === undefined ? members : await mustKnow(lookup, previous.configBlock)
  const context: SessionContext = {
    domain: runtime.deps.domain,
    terms,
    sid: session.sid,
    previous,
    dealers: operatorsByAddress(dealers),
    self: runtime.self.operator,
    decryptionKey: decryptionKeyFor(lookup, terms),
    certified: false,
  }
  const made = { context, members }
  lookup.contexts.set(session.sid, made)
  return made
}

/** The context for taking up an output that the log already certified. */
export function certifiedContext(lookup: Lookup, output: Output): SessionContext {
  const { deps, self } = lookup.runtime
  return {
    domain: deps.domain,
    terms: output,
    sid: sidOf(deps.domain, output),
    previous: undefined,
    dealers: new Map(),
    self: self.operator,
    decryptionKey: decryptionKeyFor(lookup, output),
    certified: true,
  }
}

async function mustKnow(lookup: Lookup, block: BlockRef): Promise<readonly OperatorInfo[]> {
  const set = await lookup.operatorsAt(block)
  if (set !== undefined) return set.operators
  throw new EigenxError({
    code: 'CHAIN_DISAGREES',
    message: 'The chain no longer has a block that was final.',
    stage: 'chain',
    details: { what: 'operator set' },
  })
}

/** Members of an older block at the sockets that they have now. */
export function asReachable(
  lookup: Lookup,
  members: readonly OperatorInfo[],
): readonly OperatorInfo[] {
  const now = operatorsByAddress(lookup.runtime.view().operators?.operators ?? [])
  return members.map((member) => now.get(member.address.toLowerCase() as Address) ?? member)
}

/** The body from the store, else from any of the peers. @throws BODY_UNAVAILABLE */
export async function obtainBody(
  lookup: Lookup,
  hash: Hash32,
  peers: readonly OperatorInfo[],
): Promise<Uint8Array> {
  const { deps, self } = lookup.runtime
  const stored = await deps.store.blob(hash)
  if (stored !== undefined) return stored
  for (const peer of peers) {
    if (peer.address.toLowerCase() === self.operator) continue
    // One peer that lies, hangs or is down must not keep us from the next.
    const body = await deps.peers.fetchBlob(peer, hash).catch(() => undefined)
    if (body !== undefined && blobHash(body) === hash) return body
  }
  throw bodyUnavailable(hash)
}

/** @returns The dealing, or `undefined` when the body is none: its hash then names a fault. */
export function dealingIn(body: Uint8Array): Dealing | undefined {
  try {
    return parseDealing(body)
  } catch (error) {
    if (isEigenxError(error)) return undefined
    throw error
  }
}

export function isOpened(
  verdict: DealingVerdict | undefined,
): verdict is { verdict: 'good'; opened: OpenedDealing } {
  return verdict?.verdict === 'good'
}

/** The session may have ended while the effect waited its turn. */
export class SessionOver extends Error {}

export function isSessionOver(error: unknown): boolean {
  return error instanceof SessionOver
}

export async function storedBlob(lookup: Lookup, hash: Hash32): Promise<Uint8Array> {
  const bytes = await lookup.runtime.deps.store.blob(hash)
  if (bytes === undefined) throw new SessionOver('the body was dropped')
  return bytes
}
