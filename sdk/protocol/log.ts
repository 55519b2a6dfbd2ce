/**
 * Which outputs won: a pure function of the log (docs/protocol.md, Epochs), the same on every operator and helper.
 *
 * Entries and complaints are taken in chain order. An entry wins its epoch when, at its place in the log,
 *   - it follows the last standing winner (`prev`), or starts the log as a fresh or an imported key, in an epoch that no winner had before, voided ones included;
 *   - it was posted in time: after the veto window of the output it follows, and no later than its own `postBy`;
 *   - its operator set is the chain's at a config block no older than its predecessor's and not stale;
 *   - it continues its predecessor: same master public key, at least t_old dealings, all by old members not barred;
 *   - it carries a valid certificate.
 * A valid complaint against one of its dealings, in a block up to its `vetoBy`, voids a winner: its epoch stays used, its
 * predecessor stands again, and the accused dealer's dealings do not count for eight epochs, or a day.
 * Everything else in the log is noise and changes nothing.
 *
 * What certificates vouch for (degree, MPK of a genesis) is not recomputed here but wherever an output is put to use.
 * @module
 */
import { equalBytes } from '../bytes.ts'
import type { Address, BlockRef, Hash32, OperatorInfo } from '../chain/types.ts'
import { thresholdOf } from '../crypto/bls.ts'
import { isEigenxError } from '../errors.ts'
import { type Changes, changesAfter, changesWithout } from './changes.ts'
import { accusedDealing, parseComplaint, verifyComplaint } from './complaint.ts'
import { blobHash } from './dealing.ts'
import { outputHash, parseCertifiedBody, verifyCertificate } from './output.ts'
import { isGenesis, isOrigin } from './terms.ts'
import type {
  Certificate,
  CertifiedOutput,
  Domain,
  LogComplaint,
  LogEntry,
  LogPosition,
  Output,
  Terms,
} from './types.ts'

/**
 * A dealer convicted in epoch e deals again from epoch e + BARRED_EPOCHS + 1, or once a config block is BARRED_SECONDS younger than the
 * complaint: where too few others hold shares no epoch comes without it, and none would ever end the bar.
 */
const BARRED_EPOCHS = 8
const BARRED_SECONDS = 86_400
/** Seconds between the config block and the entry: an old set cannot certify for ever. */
export const MAX_CONFIG_AGE_SECONDS = 21_600

export type Winner = CertifiedOutput & {
  /** The entry's bytes, as others fetch and verify them. */
  body: Uint8Array
  /** Their name among the bodies. */
  blob: Hash32
  at: LogPosition
}

export type LogState = {
  /** Standing winners, oldest first, each following the one before. May be trimmed at the front. */
  winners: readonly Winner[]
  /** The lowest number that the next epoch may have. */
  nextEpoch: number
  /** Convicted dealers and their last conviction. */
  convictions: ReadonlyMap<Address, Conviction>
  /** Who has changed its key, or gone, by its word alone in the last hour. */
  changes: Changes
}

export type Conviction = {
  epoch: number
  /** Timestamp of the complaint's block, Unix seconds. */
  at: number
}

export const EMPTY_LOG: LogState = {
  winners: [],
  nextEpoch: 0,
  convictions: new Map(),
  changes: [],
}

/** Operator sets by config block hash, for blocks that are on the chain at that height. */
export type OperatorSets = ReadonlyMap<
  Hash32,
  { number: bigint; timestamp: number; operators: readonly OperatorInfo[] }
>

export type LogEvents = {
  entries: readonly LogEntry[]
  complaints: readonly LogComplaint[]
}

/**
 * The config block whose operator set decides whether an entry wins at this place of the log; `undefined` when it cannot win whatever that
 * set is. Anybody can post, so only what is left then is worth a question to the chain.
 */
export function decidingBlock(
  domain: Domain,
  state: LogState,
  entry: LogEntry,
): BlockRef | undefined {
  return contender(domain, state, entry)?.output.configBlock
}

/**
 * The outputs that entries claim, as far as they can be wrong only by their place in the log or by their operator set: cheap, verifies no
 * signature.
 */
export function claimsOf(
  domain: Domain,
  entries: readonly LogEntry[],
): readonly { entry: LogEntry; output: Output }[] {
  return entries.flatMap((entry) => {
    const output = readClaim(domain, entry)?.output
    return output === undefined ? [] : [{ entry, output }]
  })
}

/**
 * @param start - The state before the events; `EMPTY_LOG` for a whole log.
 * @param events - In chain order, all of them after those that led to `start`.
 */
export function resolveLog(
  domain: Domain,
  start: LogState,
  events: LogEvents,
  sets: OperatorSets,
): LogState {
  return inOrder(events).reduce((state, event) => applyEvent(domain, state, event, sets), start)
}

/** A post of the log and where it is. */
export type LogEvent = { at: LogPosition } & (
  | { entry: LogEntry; complaint?: undefined }
  | { entry?: undefined; complaint: LogComplaint }
)

export function inOrder({ entries, complaints }: LogEvents): LogEvent[] {
  return [
    ...entries.map((entry): LogEvent => ({ at: entry, entry })),
    ...complaints.map((complaint): LogEvent => ({ at: complaint, complaint })),
  ].sort((a, b) => comparePositions(a.at, b.at))
}

/** One step of {@link resolveLog}. */
export function applyEvent(
  domain: Domain,
  state: LogState,
  event: LogEvent,
  sets: OperatorSets,
): LogState {
  return event.entry === undefined
    ? applyComplaint(domain, state, event.complaint)
    : applyEntry(domain, state, event.entry, sets)
}

/** Order in the chain. */
function comparePositions(a: LogPosition, b: LogPosition): number {
  if (a.block.number !== b.block.number) return a.block.number < b.block.number ? -1 : 1
  return a.logIndex - b.logIndex
}

/** The last standing winner. */
export function lastWinner(state: LogState): Winner | undefined {
  return state.winners.at(-1)
}

/** Whether a dealer's dealings count in an epoch. */
export function isBarred(
  state: LogState,
  dealer: Address,
  { epoch, configBlock }: Pick<Terms, 'epoch' | 'configBlock'>,
): boolean {
  const conviction = state.convictions.get(dealer)
  return (
    conviction !== undefined &&
    epoch <= conviction.epoch + BARRED_EPOCHS &&
    configBlock.timestamp <= conviction.at + BARRED_SECONDS
  )
}

/**
 * The version in force at a time: the winner with the greatest `activateAt` not after it.
 * Times before the oldest kept winner get the oldest kept one, unless that is the genesis: then there was no key yet.
 * @param seconds - Unix seconds.
 */
export function versionAt<T extends { output: Pick<Output, 'activateAt' | 'prev'> }>(
  winners: readonly T[],
  seconds: number,
): T | undefined {
  const inForce = winners.findLast((winner) => winner.output.activateAt <= seconds)
  if (inForce !== undefined) return inForce
  const oldest = winners[0]
  return oldest === undefined || isGenesis(oldest.output) ? undefined : oldest
}

function parseEntry(entry: LogEntry): ReturnType<typeof parseCertifiedBody> | undefined {
  try {
    return parseCertifiedBody(entry.body)
  } catch (error) {
    if (isEigenxError(error)) return undefined
    throw error
  }
}

/** What an entry says, unless it is nonsense in any log and with any operator set. */
function readClaim(domain: Domain, entry: LogEntry): CertifiedOutput | undefined {
  const parsed = parseEntry(entry)
  if (parsed === undefined) return undefined
  const { output, certificate } = parsed
  const isSane =
    output.epoch === entry.epoch && isInTime(output, entry) && isSignedByEnough(output, certificate)
  const hash = isSane ? outputHash(domain, output) : undefined
  return hash === entry.outputHash ? { output, hash, certificate } : undefined
}

/** What an entry says, when at this place of the log only its operator set and its signatures are left to ask for. */
function contender(domain: Domain, state: LogState, entry: LogEntry): CertifiedOutput | undefined {
  // The contract's event says the epoch: most noise need not be parsed.
  const claim = entry.epoch < state.nextEpoch ? undefined : readClaim(domain, entry)
  if (claim === undefined) return undefined
  const { output } = claim
  const previous = lastWinner(state)
  const fits =
    (previous === undefined
      ? isOrigin(output)
      : output.prev === previous.hash && comesAfter(output, entry, previous.output)) &&
    continues(state, output, previous?.output)
  return fits ? claim : undefined
}

function applyEntry(
  domain: Domain,
  state: LogState,
  entry: LogEntry,
  sets: OperatorSets,
): LogState {
  const claim = contender(domain, state, entry)
  if (claim === undefined) return state
  const { output } = claim
  const set = sets.get(output.configBlock.hash)
  const isOnChain =
    set !== undefined &&
    set.number === output.configBlock.number &&
    set.timestamp === output.configBlock.timestamp
  if (!isOnChain) return state
  try {
    verifyCertificate({ domain, ...claim }, set.operators)
  } catch (error) {
    if (isEigenxError(error)) return state
    throw error
  }
  const at = { block: entry.block, logIndex: entry.logIndex }
  const winner = { ...claim, body: entry.body, blob: blobHash(entry.body), at }
  const previous = lastWinner(state)?.output
  return {
    ...state,
    winners: [...state.winners, winner],
    nextEpoch: output.epoch + 1,
    changes:
      previous === undefined
        ? state.changes
        : changesAfter(state.changes, previous, output, entry.block.timestamp),
  }
}

function isInTime({ configBlock, postBy, vetoBy, activateAt }: Output, entry: LogEntry): boolean {
  const posted = entry.block.timestamp
  return (
    posted <= postBy &&
    postBy <= vetoBy &&
    vetoBy <= activateAt &&
    configBlock.number < entry.block.number &&
    posted - configBlock.timestamp <= MAX_CONFIG_AGE_SECONDS
  )
}

/** Nothing may be built on an output that can still be voided. */
function comesAfter(output: Output, entry: LogEntry, previous: Output): boolean {
  return (
    entry.block.timestamp > previous.vetoBy &&
    output.activateAt > previous.activateAt &&
    output.configBlock.number >= previous.configBlock.number
  )
}

/** Whether the signatures, if they are right, would be enough. */
function isSignedByEnough({ members, threshold }: Output, { signatures }: Certificate): boolean {
  const addresses = new Set(members.map((member) => member.address))
  return (
    threshold === thresholdOf(members.length) &&
    signatures.length >= threshold &&
    signatures.every(({ operator }) => addresses.has(operator))
  )
}

/** The dealing rules that need no body: who dealt, how many, for which key. */
export function continues(state: LogState, output: Output, previous: Output | undefined): boolean {
  const dealers = (previous ?? output).members.map((member) => member.address)
  const needed = (previous ?? output).threshold
  return (
    output.dealings.length >= needed &&
    output.dealings.every(
      ({ dealer }) => dealers.includes(dealer) && !isBarred(state, dealer, output),
    ) &&
    (previous === undefined || equalBytes(previous.mpk, output.mpk))
  )
}

function applyComplaint(domain: Domain, state: LogState, event: LogComplaint): LogState {
  const accused = lastWinner(state)
  if (
    accused === undefined ||
    event.epoch !== accused.output.epoch ||
    event.block.timestamp > accused.output.vetoBy
  )
    return state
  const dealer = convict(domain, accused.output, event.body)
  if (dealer === undefined) return state
  return {
    ...state,
    winners: state.winners.slice(0, -1),
    changes: changesWithout(state.changes, accused.at.block.timestamp),
    convictions: new Map(state.convictions).set(dealer, {
      epoch: accused.output.epoch,
      at: event.block.timestamp,
    }),
  }
}

/** @returns The dealer that the complaint convicts, when its dealing is part of the output. */
function convict(domain: Domain, output: Output, body: Uint8Array): Address | undefined {
  try {
    const complaint = parseComplaint(body)
    const { dealing, hash } = accusedDealing(complaint)
    const used = output.dealings.some((entry) => entry.hash === hash)
    if (!used) return undefined
    verifyComplaint(domain, output, complaint)
    return dealing.dealer
  } catch (error) {
    if (isEigenxError(error)) return undefined
    throw error
  }
}
