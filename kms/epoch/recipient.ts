/**
 * Checking, complaining, proposing, signing, posting and adopting: the effects of one who gets shares. The recipient's part never
 * depends on this node's success as a dealer.
 * @module
 */
import type { Address, Hash32, OperatorInfo } from '../../sdk/chain/types.ts'
import { serializeScalar } from '../../sdk/crypto/bls.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { sortByAddress } from '../../sdk/protocol/codec.ts'
import { encodeComplaint, makeComplaint } from '../../sdk/protocol/complaint.ts'
import { blobHash, isDealingOf } from '../../sdk/protocol/dealing.ts'
import { continues, type Winner } from '../../sdk/protocol/log.ts'
import { outputStatement } from '../../sdk/protocol/messages.ts'
import {
  encodeCertifiedBody,
  encodeOutput,
  outputHash,
  parseOutput,
} from '../../sdk/protocol/output.ts'
import { randomRistrettoScalar } from '../../sdk/protocol/ristretto.ts'
import { isGenesis } from '../../sdk/protocol/terms.ts'
import type { Output } from '../../sdk/protocol/types.ts'
import type { SecretName, Write } from '../store/store.ts'
import {
  asReachable,
  certifiedContext,
  contextOf,
  dealingIn,
  isOpened,
  type Lookup,
  obtainBody,
  SessionOver,
  storedBlob,
} from './context.ts'
import { consistentDealings } from './imported.ts'
import type { NodeEvent } from './machine.ts'
import type { SessionEvent } from './session.ts'
import {
  acceptsWindows,
  type CandidateRecord,
  type DealingRef,
  type Session,
  windowsAt,
} from './state.ts'
import {
  buildKeyTable,
  checkDealings,
  checkOutput,
  type DealingVerdict,
  type OpenedDealing,
  type SessionContext,
} from './verify.ts'

export async function check(
  lookup: Lookup,
  session: Session,
  hashes: readonly Hash32[],
): Promise<boolean> {
  const { context } = await contextOf(lookup, session)
  const bodies = await Promise.all(hashes.map((hash) => storedBlob(lookup, hash)))
  const verdicts = await judge(lookup, context, hashes, bodies)
  await lookup.runtime.apply(
    hashes.map((hash, i): NodeEvent => {
      const status = verdicts[i]?.verdict ?? 'bad'
      return { type: 'session', sid: session.sid, event: { type: 'checked', hash, status } }
    }),
  )
  return true
}

/** Verdicts on bodies in order. Remembered is only what holds wherever it is looked up: how a dealing does in its own session. */
async function judge(
  lookup: Lookup,
  context: SessionContext,
  hashes: readonly Hash32[],
  bodies: readonly Uint8Array[],
): Promise<readonly DealingVerdict[]> {
  const { rng, pause } = lookup.runtime.deps
  const { sid } = context
  const isKnown = (hash: Hash32) => lookup.opened.get(hash)?.sid === sid
  const own = hashes.flatMap((hash, i) => {
    const body = bodies[i]
    const dealing = isKnown(hash) || body === undefined ? undefined : dealingIn(body)
    return dealing?.sid === sid ? [{ hash, dealing }] : []
  })
  const verdicts = await checkDealings(
    { rng, pause },
    context,
    own.map(({ dealing }) => dealing),
  )
  own.forEach(({ hash }, i) => {
    const verdict = verdicts[i]
    if (verdict !== undefined) lookup.opened.set(hash, { sid, verdict })
  })
  const foreign: DealingVerdict = { verdict: 'bad', reason: 'no dealing of this session' }
  return hashes.map(
    (hash) => (isKnown(hash) ? lookup.opened.get(hash)?.verdict : undefined) ?? foreign,
  )
}

export async function complain(lookup: Lookup, session: Session, hash: Hash32): Promise<boolean> {
  const { context } = await contextOf(lookup, session)
  return complainAgainst(lookup, context, hash)
}

async function complaintAgainst(
  lookup: Lookup,
  context: SessionContext,
  hash: Hash32,
): Promise<{ event: NodeEvent; write: Write } | undefined> {
  const { deps, self } = lookup.runtime
  const bytes = await storedBlob(lookup, hash)
  const dealing = dealingIn(bytes)
  const secret = context.decryptionKey
  if (dealing === undefined || secret === undefined) return undefined
  const recipient = self.operator
  const nonce = randomRistrettoScalar(deps.rng)
  const complaint = makeComplaint({ recipient, secret, dealing, bytes }, nonce)
  if (complaint === undefined) return undefined
  const body = encodeComplaint(complaint)
  deps.report({
    level: 'warn',
    event: 'a dealing holds no good share for this operator',
    epoch: context.terms.epoch,
    detail: { dealer: dealing.dealer },
  })
  return {
    event: {
      type: 'complaint',
      sid: context.sid,
      complaint: {
        epoch: context.terms.epoch,
        dealing: hash,
        dealer: dealing.dealer,
        recipient,
        blob: blobHash(body),
      },
    },
    write: { type: 'putBlob', bytes: body },
  }
}

export async function propose(
  lookup: Lookup,
  session: Session,
  dealings: readonly DealingRef[],
): Promise<boolean> {
  const { runtime } = lookup
  const { deps, self } = runtime
  const { context } = await contextOf(lookup, session)
  const hashes = dealings.map(({ hash }) => hash)
  const bodies = await Promise.all(hashes.map((hash) => storedBlob(lookup, hash)))
  const opened = goodOnly(await judge(lookup, context, hashes, bodies))
  if (opened === undefined) throw new SessionOver('a dealing is no longer good')
  const used = await usableFor(deps, session, context, opened)
  const table = await buildKeyTable(deps, session.terms, used)
  const now = deps.clock()
  const output: Output = {
    ...session.terms,
    dealings: dealings.filter(({ dealer }) => used.some((dealing) => dealing.dealer === dealer)),
    ...table,
    ...windowsAt(self.options, now, now - (runtime.state().opened?.at ?? now)),
  }
  const bytes = encodeOutput(output)
  const event = candidateEvent(
    lookup,
    { proposer: self.operator, signature: undefined },
    output,
    bytes,
  )
  const verdict = await runtime.apply(
    [{ type: 'session', sid: session.sid, event }],
    [{ type: 'putBlob', bytes }],
  )
  return verdict === 'valid'
}

/** All of them; for an import those that share the key. */
async function usableFor(
  deps: Parameters<typeof consistentDealings>[0],
  session: Session,
  { previous, terms }: SessionContext,
  opened: readonly OpenedDealing[],
): Promise<readonly OpenedDealing[]> {
  if (previous !== undefined || isGenesis(terms)) return opened
  const selection = await consistentDealings(deps, opened, session.needed, terms.prev)
  if (selection !== undefined) return selection
  throw new EigenxError({
    code: 'KEY_MISMATCH',
    message: 'The imported shares are not shares of the master public key that came with them.',
    stage: 'protocol',
    details: {},
    hint: 'At least a threshold of operators must import shares of one version.',
  })
}

export function candidateEvent(
  lookup: Lookup,
  by: Pick<CandidateRecord, 'proposer' | 'signature'>,
  output: Output,
  bytes: Uint8Array,
): Extract<SessionEvent, { type: 'candidate' }> {
  const candidate = {
    hash: outputHash(lookup.runtime.deps.domain, output),
    blob: blobHash(bytes),
    ...by,
    dealings: output.dealings,
    postBy: output.postBy,
  }
  return { type: 'candidate', candidate }
}

function goodOnly(verdicts: readonly DealingVerdict[]): readonly OpenedDealing[] | undefined {
  const opened = verdicts.filter(isOpened).map((verdict) => verdict.opened)
  return opened.length === verdicts.length ? opened : undefined
}

function candidateOf(session: Session, hash: Hash32): CandidateRecord {
  const candidate = session.candidates.find((known) => known.hash === hash)
  if (candidate === undefined) throw new SessionOver('the candidate is gone')
  return candidate
}

/** Signing comes later and only from the stored state: the share is on disk before anything is promised. */
export async function checkCandidate(
  lookup: Lookup,
  session: Session,
  hash: Hash32,
): Promise<boolean> {
  const { runtime } = lookup
  const { deps, self } = runtime
  // After a restart without the chain its clock is not known, and a candidate found wanting is so for good.
  if (runtime.view().operators === undefined) return false
  const candidate = candidateOf(session, hash)
  const output = parseOutput(await storedBlob(lookup, candidate.blob))
  const { context, members } = await contextOf(lookup, session)
  const reject = (): Promise<unknown> =>
    runtime.apply([
      { type: 'session', sid: session.sid, event: { type: 'candidateChecked', hash, ok: false } },
    ])
  if (
    !acceptsWindows(self.options, output, deps.clock(), runtime.view().latestTime) ||
    !continues(runtime.state().log, output, context.previous)
  ) {
    await reject()
    return true
  }
  const share = await takeShare(lookup, context, output, asReachable(lookup, members), true)
  if (share === 'bad') await reject()
  else
    await runtime.apply(
      [
        { type: 'session', sid: session.sid, event: { type: 'candidateChecked', hash, ok: true } },
        heldShare(hash, output.epoch),
      ],
      [putShare(hash, output.epoch, share)],
    )
  if (share !== 'bad') lookup.shares.set(hash, share)
  return true
}

function heldShare(output: Hash32, epoch: number): NodeEvent {
  return { type: 'share', share: { output, epoch, status: 'held' } }
}

function putShare(output: Hash32, epoch: number, share: bigint): Write {
  const name: SecretName = { kind: 'share', epoch, id: output }
  return { type: 'putSecret', name, value: serializeScalar(share) }
}

/**
 * This node's share of an output from the bodies it names, after every check.
 * @param inSession - Whether fetched bodies are checked and filed under the output's session (else only stored).
 * @returns `bad` when the output or one of its dealings fails; a complaint is stored where one is possible.
 * @throws BODY_UNAVAILABLE
 */
async function takeShare(
  lookup: Lookup,
  context: SessionContext,
  output: Output,
  peers: readonly OperatorInfo[],
  inSession: boolean,
): Promise<bigint | 'bad'> {
  const { runtime } = lookup
  const hashes = output.dealings.map(({ hash }) => hash)
  const bodies: Uint8Array[] = []
  for (const dealing of output.dealings) {
    const body = await obtainBody(lookup, dealing.hash, peers)
    const write: Write = { type: 'putBlob', bytes: body }
    if (inSession) {
      if (!isFiled(lookup, context, dealing)) {
        if (!isOfItsDealer(context, dealing.dealer, body)) return 'bad'
        const event: NodeEvent = {
          type: 'session',
          sid: context.sid,
          event: { type: 'fetched', dealing },
        }
        await runtime.apply([event], [write])
      }
    }
    // The log names these bodies: they are kept as long as the winner is.
    else await runtime.deps.store.commit([write])
    bodies.push(body)
  }
  const verdicts = await judge(lookup, context, hashes, bodies)
  const opened = goodOnly(verdicts)
  if (opened === undefined) {
    for (const [i, verdict] of verdicts.entries())
      if (verdict.verdict === 'badShare')
        await complainAgainst(lookup, context, hashes[i] as Hash32)
    return 'bad'
  }
  try {
    return (await checkOutput(runtime.deps, context, output, opened)) ?? 'bad'
  } catch (error) {
    if (!isEigenxError(error, 'CANDIDATE_INVALID')) throw error
    const { reason } = error.details
    const detail = { reason }
    runtime.deps.report({
      level: 'warn',
      event: 'output refused',
      epoch: output.epoch,
      detail,
    })
    return 'bad'
  }
}

function isFiled(
  { runtime }: Lookup,
  { sid }: SessionContext,
  { dealer, hash }: DealingRef,
): boolean {
  const session = runtime.state().sessions.find((known) => known.sid === sid)
  return session?.dealings.some((known) => known.hash === hash && known.dealer === dealer) === true
}

/**
 * A candidate may name anything in a dealer's place. Filed there before the dealer's own arrives, it would keep that out for good; so only
 * what the dealer signed for this session is.
 */
function isOfItsDealer(
  { domain, sid, dealers }: SessionContext,
  dealer: Address,
  body: Uint8Array,
): boolean {
  const operator = dealers.get(dealer)
  const dealing = dealingIn(body)
  return operator !== undefined && dealing?.sid === sid && isDealingOf(domain, operator, dealing)
}

async function complainAgainst(
  lookup: Lookup,
  context: SessionContext,
  hash: Hash32,
): Promise<boolean> {
  const complaint = await complaintAgainst(lookup, context, hash)
  if (complaint === undefined) return false
  return (await lookup.runtime.apply([complaint.event], [complaint.write])) === 'valid'
}

export async function sign(lookup: Lookup, session: Session, hash: Hash32): Promise<boolean> {
  const { deps, self } = lookup.runtime
  const statement = outputStatement(deps.domain, session.sid, hash)
  const signature = await deps.signer.sign(statement)
  const event = { type: 'signature' as const, hash, operator: self.operator, signature }
  return (await lookup.runtime.apply([{ type: 'session', sid: session.sid, event }])) === 'valid'
}

export async function post(lookup: Lookup, session: Session, hash: Hash32): Promise<void> {
  const candidate = candidateOf(session, hash)
  const output = parseOutput(await storedBlob(lookup, candidate.blob))
  // A threshold is enough, and every signature costs calldata.
  const signatures = sortByAddress(candidate.signatures, (entry) => entry.operator)
  const certificate = { signatures: signatures.slice(0, output.threshold) }
  await lookup.runtime.deps.log.post({
    epoch: output.epoch,
    prev: output.prev,
    outputHash: hash,
    body: encodeCertifiedBody({ output, certificate }),
  })
}

/** Takes up a winner whose candidate this node never checked: it was off, cut off, or lost its disk. */
export async function adopt(lookup: Lookup, winner: Winner): Promise<boolean> {
  const { runtime } = lookup
  const { output, hash } = winner
  const peers = runtime.view().operators?.operators ?? []
  const share = await takeShare(lookup, certifiedContext(lookup, output), output, peers, false)
  if (share !== 'bad') {
    const write = putShare(hash, output.epoch, share)
    const verdict = await runtime.apply([heldShare(hash, output.epoch)], [write])
    if (verdict === 'valid') lookup.shares.set(hash, share)
    return verdict === 'valid'
  }
  runtime.deps.report({
    level: 'error',
    event: 'no share of a certified output can be had',
    epoch: output.epoch,
  })
  const missing = { output: hash, epoch: output.epoch, status: 'missing' as const }
  return (await runtime.apply([{ type: 'share', share: missing }])) === 'valid'
}
