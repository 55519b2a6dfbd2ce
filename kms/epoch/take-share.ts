/**
 * What this node finds of dealings: verdicts, complaints where its own share does not fit, and its share of an output from those that it names.
 * @module
 */
import type { Address, Hash32, OperatorInfo } from '../../sdk/chain/types.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { encodeComplaint, makeComplaint } from '../../sdk/protocol/complaint.ts'
import { blobHash, isDealingOf } from '../../sdk/protocol/dealing.ts'
import { randomRistrettoScalar } from '../../sdk/protocol/ristretto.ts'
import type { Output } from '../../sdk/protocol/types.ts'
import type { Write } from '../store/store.ts'
import { dealingIn, isOpened, type Lookup, obtainBody, storedBlob } from './context.ts'
import type { NodeEvent } from './machine.ts'
import type { DealingRef } from './state.ts'
import {
  checkDealings,
  checkOutput,
  type DealingVerdict,
  type OpenedDealing,
  type SessionContext,
} from './verify.ts'

/** Verdicts on bodies in order. Remembered is only what holds wherever it is looked up: how a dealing does in its own session. */
export async function judge(
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

/** All that were judged, opened; `undefined` when one is not good. */
export function goodOnly(
  verdicts: readonly DealingVerdict[],
): readonly OpenedDealing[] | undefined {
  const opened = verdicts.filter(isOpened).map((verdict) => verdict.opened)
  return opened.length === verdicts.length ? opened : undefined
}

/** @returns Whether a complaint was stored: there is none against a dealing whose share fits. */
export async function complainAgainst(
  lookup: Lookup,
  context: SessionContext,
  hash: Hash32,
): Promise<boolean> {
  const complaint = await complaintAgainst(lookup, context, hash)
  if (complaint === undefined) return false
  return (await lookup.runtime.apply([complaint.event], [complaint.write])) === 'valid'
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

/**
 * This node's share of an output from the bodies it names, after every check.
 * @param inSession - Whether fetched bodies are checked and filed under the output's session (else only stored).
 * @returns `bad` when the output or one of its dealings fails; a complaint is stored where one is possible.
 * @throws BODY_UNAVAILABLE
 */
export async function takeShare(
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
