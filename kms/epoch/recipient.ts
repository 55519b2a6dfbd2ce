/**
 * Checking, complaining, proposing, signing, posting and adopting: the effects of one who gets shares. The recipient's part never
 * depends on this node's success as a dealer.
 * @module
 */
import type { Hash32 } from '../../sdk/chain/types.ts'
import { serializeScalar } from '../../sdk/crypto/bls.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { sortByAddress } from '../../sdk/protocol/codec.ts'
import { blobHash } from '../../sdk/protocol/dealing.ts'
import { continues, type Winner } from '../../sdk/protocol/log.ts'
import { outputStatement } from '../../sdk/protocol/messages.ts'
import {
  encodeCertifiedBody,
  encodeOutput,
  outputHash,
  parseOutput,
} from '../../sdk/protocol/output.ts'
import { isGenesis } from '../../sdk/protocol/terms.ts'
import type { Output } from '../../sdk/protocol/types.ts'
import type { SecretName, Write } from '../store/store.ts'
import {
  asReachable,
  certifiedContext,
  contextOf,
  type Lookup,
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
import { complainAgainst, goodOnly, judge, takeShare } from './take-share.ts'
import { buildKeyTable, type OpenedDealing, type SessionContext } from './verify.ts'

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

export async function complain(lookup: Lookup, session: Session, hash: Hash32): Promise<boolean> {
  const { context } = await contextOf(lookup, session)
  return complainAgainst(lookup, context, hash)
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
