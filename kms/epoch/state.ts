/**
 * Everything a node remembers about epochs beside secrets and bodies: the head record's content, as plain immutable data.
 * `session.ts` and `machine.ts` move it, `head.ts` writes and reads it.
 * @module
 */
import type { Address, Hash32, OperatorSet } from '../../sdk/chain/types.ts'
import { isUrgent } from '../../sdk/protocol/changes.ts'
import { EMPTY_LOG, type LogState, lastWinner, type Winner } from '../../sdk/protocol/log.ts'
import { NO_ENCRYPTION_KEY } from '../../sdk/protocol/terms.ts'
import type { Leave, Output, Terms } from '../../sdk/protocol/types.ts'
import type { Write } from '../store/store.ts'

/** Milliseconds since 1970. */
export type Millis = number

/**
 * `unchecked` → `good` | `bad` (anybody sees why) | `badShare` (only we do; a complaint is due) → `convicted` (proven to everybody).
 */
export type DealingStatus = 'unchecked' | 'good' | 'bad' | 'badShare' | 'convicted'

export type DealingRef = { dealer: Address; hash: Hash32 }

export type DealingRecord = DealingRef & { status: DealingStatus }

export type CandidateRecord = {
  /** Output hash. */
  hash: Hash32
  /** Blob of the encoded output. */
  blob: Hash32
  proposer: Address
  /** The proposer's, with which others show it; `undefined` where this node proposed it, and signs it as it goes out. */
  signature: Uint8Array | undefined
  dealings: readonly DealingRef[]
  /** Unix seconds. */
  postBy: number
  arrivedAt: Millis
  /** `bad` also when it was good and one of its dealers was convicted since. */
  status: 'unchecked' | 'good' | 'bad'
  signatures: readonly { operator: Address; signature: Uint8Array }[]
  /** When enough signatures were first here. */
  certifiedAt: Millis | undefined
}

/** One attempt at one epoch: everything filed under one session id. */
export type Session = {
  sid: Hash32
  terms: Terms
  proposer: Address
  /** Blob of the setup message, to show it to peers that missed it. */
  setup: Hash32
  openedAt: Millis
  /** When this node first could propose: enough dealings that a threshold of members, it among them, acknowledged. */
  usableAt: Millis | undefined
  dealers: readonly Address[]
  /** Dealings needed: t_old. */
  needed: number
  dealings: readonly DealingRecord[]
  acks: readonly { recipient: Address; dealings: readonly Hash32[] }[]
  /** Until the final part of the log shows that they did not win. */
  candidates: readonly CandidateRecord[]
  /** Whether a candidate that this node found good came to nothing, and is not listed any more. */
  failed: boolean
}

/**
 * A candidate that this node signed, of an attempt that it follows no more. Whoever holds enough signatures can post it all the same, so its
 * bodies are kept until the final part of the log shows that it did not win.
 */
export type AbandonedCandidate = Pick<
  CandidateRecord,
  'hash' | 'blob' | 'proposer' | 'dealings' | 'postBy'
> & { epoch: number }

/** A proven complaint, kept while the epoch is open: it may have to go on the chain. */
export type ComplaintRecord = {
  epoch: number
  dealing: Hash32
  dealer: Address
  recipient: Address
  blob: Hash32
}

/** Whether this node has its share of an output. `missing`: it is a member, but no good share can be had. */
export type ShareRecord = { output: Hash32; epoch: number; status: 'held' | 'missing' }

export type NodeState = {
  /** The final part of the log. */
  log: LogState
  /** Last block that `log` covers; -1 before the first look. */
  through: bigint
  /** Timestamp of that block, Unix seconds. */
  finalTime: number
  /** When this node first saw the epoch open; slots count from here. */
  opened: { epoch: number; prev: Hash32; at: Millis } | undefined
  sessions: readonly Session[]
  abandoned: readonly AbandonedCandidate[]
  complaints: readonly ComplaintRecord[]
  shares: readonly ShareRecord[]
  /** Verified, one per operator at most. */
  leaves: readonly Leave[]
}

export const EMPTY_STATE: NodeState = {
  log: EMPTY_LOG,
  through: -1n,
  finalTime: 0,
  opened: undefined,
  sessions: [],
  abandoned: [],
  complaints: [],
  shares: [],
  leaves: [],
}

/** What the node sees but does not remember: it is read again after a restart. */
export type View = {
  /** The log to the chain's head, including what a reorg may still remove. */
  pending: LogState
  /** Timestamp of the head, Unix seconds. */
  latestTime: number
  /** The operator set at the final block; `undefined` until the first look. */
  operators: OperatorSet | undefined
  /** Leaves that hold for that set, sorted by operator. */
  leaves: readonly Leave[]
  /** Newest known encryption keys, this node's own among them. */
  keys: ReadonlyMap<Address, Uint8Array>
}

export const EMPTY_VIEW: View = {
  pending: EMPTY_STATE.log,
  latestTime: 0,
  operators: undefined,
  leaves: [],
  keys: new Map(),
}

/** Who would be members of an epoch now: the operator set without those that leave. */
export function comingMembers(view: View): readonly Address[] {
  const leaving = new Set(view.leaves.map((leave) => leave.operator))
  return (view.operators?.operators ?? [])
    .map((operator): Address => `0x${operator.address.slice(2).toLowerCase()}`)
    .filter((address) => !leaving.has(address))
}

/** Whether an epoch now would have members or encryption keys for which nobody has to wait. @param seconds - The chain's time. */
export function membershipChanged(view: View, log: LogState, seconds: number): boolean {
  const last = lastWinner(log)?.output
  const coming = comingMembers(view)
  if (last === undefined || coming.length === 0) return false
  const dealtTo = new Map(
    last.members.map(({ address, encryptionKey }) => [address, encryptionKey]),
  )
  const members = coming.map((address) => ({
    address,
    encryptionKey: view.keys.get(address) ?? dealtTo.get(address) ?? NO_ENCRYPTION_KEY,
  }))
  return isUrgent(log.changes, last, { members, leaves: view.leaves }, seconds)
}

export type EpochOptions = {
  /** Whether this operator set may generate its first key. */
  genesis: boolean
  /** Seconds from one activation to the next epoch; 0: only when the members or their keys change. */
  reshareSeconds: number
  /** Age at which an encryption key is replaced; 0: never. */
  keyRotationSeconds: number
  /** Seconds for a certificate to get into a block, counted from the proposal. */
  postSeconds: number
  /** Seconds in which a complaint on chain voids an entry. */
  vetoSeconds: number
  /** Seconds between the end of the veto window and activation: the chain's time to finality. */
  finalitySeconds: number
  /** Seconds that a replaced share is kept. */
  graceSeconds: number
  /** How long each member in turn has the first word. */
  slotMs: Millis
  /** How long to wait for members that are late. */
  patienceMs: Millis
  /** After this time without a winner somebody proposes a new session. */
  sessionMs: Millis
}

/** `valid` moves the state; `skip` is late or repeated and harmless; `fault` proves that the sender broke the protocol. */
export type Step<S> =
  | { verdict: 'valid'; state: S; writes: readonly Write[] }
  | { verdict: 'skip'; reason: string }
  | { verdict: 'fault'; by: Address; reason: string }

export const valid = <S>(state: S, ...writes: Write[]): Step<S> => ({
  verdict: 'valid',
  state,
  writes,
})
export const skip = (reason: string): { verdict: 'skip'; reason: string } => ({
  verdict: 'skip',
  reason,
})

/**
 * When a member's turn comes: member (epoch + k) mod n is k-th. Turns only keep members from doing the same work at
 * once; nothing depends on them.
 * @returns Turns to wait; `undefined` for a non-member.
 */
export function turnOf(
  members: readonly Address[],
  self: Address,
  epoch: number,
): number | undefined {
  const index = members.indexOf(self)
  if (index < 0) return undefined
  const n = members.length
  return (((index - epoch) % n) + n) % n
}

export function candidateIsLive(candidate: CandidateRecord, now: Millis): boolean {
  return candidate.status !== 'bad' && now / 1000 <= candidate.postBy
}

export function certifies(candidate: CandidateRecord, terms: Terms): boolean {
  return candidate.signatures.length >= terms.threshold
}

export function isWinner(log: LogState, hash: Hash32): boolean {
  return log.winners.some((winner) => winner.hash === hash)
}

/** Whether no complaint can void a final winner any more. */
export function isSettled(winner: Winner, state: Pick<NodeState, 'finalTime'>): boolean {
  return state.finalTime > winner.output.vetoBy
}

/** The most that a post window grows by; far below what {@link acceptsWindows} lets pass. */
const MAX_EXTRA_POST_SECONDS = 120

/**
 * The windows of a candidate proposed now.
 * @param spentMs - How long the epoch has been tried already: where everything is slow, a certificate takes longer to get into a
 * block, and a window that was missed once would be missed again.
 */
export function windowsAt(
  options: EpochOptions,
  now: Millis,
  spentMs: Millis,
): Pick<Output, 'postBy' | 'vetoBy' | 'activateAt'> {
  const extra = Math.min(MAX_EXTRA_POST_SECONDS, Math.max(0, Math.floor(spentMs / 2000)))
  const postBy = Math.ceil(now / 1000) + options.postSeconds + extra
  const vetoBy = postBy + options.vetoSeconds
  return { postBy, vetoBy, activateAt: vetoBy + options.finalitySeconds }
}

/** Blocks may be so late before we doubt the clock instead. */
const BLOCK_PATIENCE_MS = 60_000

/**
 * Whether a candidate's windows, our own candidate's too, leave complaints and finality the time that we demand.
 * @param latestTime - Timestamp of the chain's head: members whose clocks are all ahead must not bind themselves to a moment far away.
 */
export function acceptsWindows(
  options: EpochOptions,
  output: Pick<Output, 'postBy' | 'vetoBy' | 'activateAt'>,
  now: Millis,
  latestTime: number,
): boolean {
  const own = windowsAt(options, Math.min(now, latestTime * 1000 + BLOCK_PATIENCE_MS), 0)
  return (
    output.vetoBy - output.postBy >= options.vetoSeconds &&
    output.activateAt - output.vetoBy >= options.finalitySeconds &&
    // A far activation would leave the set without a successor for as long.
    output.activateAt <= own.activateAt + 600
  )
}
