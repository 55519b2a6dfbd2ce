/** What lying members do to their messages, and how they make false ones. */
import type { Address, Hash32 } from '../../../sdk/chain/types.ts'
import { operatorX, type Rng } from '../../../sdk/crypto/bls.ts'
import {
  commitPolynomial,
  evaluatePolynomial,
  randomPolynomial,
} from '../../../sdk/crypto/shamir.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import {
  blobHash,
  type Dealing,
  dealingContext,
  dealingStatement,
  encodeDealing,
  parseDealing,
  SEALED_SHARE_BYTES,
  sealShare,
} from '../../../sdk/protocol/dealing.ts'
import { acksStatement, encodeAcks, parseAcks } from '../../../sdk/protocol/messages.ts'
import {
  diffieHellman,
  parseRistrettoScalar,
  proveKnowledge,
  randomRistrettoScalar,
  ristrettoPublicKey,
} from '../../../sdk/protocol/ristretto.ts'
import { sidOf } from '../../../sdk/protocol/terms.ts'
import type { Terms } from '../../../sdk/protocol/types.ts'
import { DOMAIN } from './sim-chain.ts'
import type { SimNode, Tamper } from './world.ts'

/** A dealing signed by its dealer. */
export async function signedBy(
  sim: SimNode,
  unsigned: Omit<Dealing, 'signature'>,
): Promise<Dealing> {
  const signature = await sim.identity.signer.sign(dealingStatement(DOMAIN, unsigned))
  return { ...unsigned, signature }
}

/** All of a node's that open what is dealt to it. */
export function encryptionSecretsOf({ medium }: SimNode): readonly bigint[] {
  return [...medium.secrets.values()].flatMap(({ name, value }) =>
    name.kind === 'encryption-key' ? (parseRistrettoScalar(value) ?? []) : [],
  )
}

/** A dealing changed and signed again by its dealer. */
export async function redeal(
  sim: SimNode,
  message: Uint8Array,
  change: (dealing: Dealing) => Partial<Dealing>,
): Promise<Uint8Array> {
  const dealing = parseDealing(message)
  return encodeDealing(await signedBy(sim, { ...dealing, ...change(dealing) }))
}

export const forDealings =
  (sim: SimNode, change: (dealing: Dealing, receiver: Address) => Partial<Dealing>): Tamper =>
  (message, receiver) =>
    messageKind(message) === 'dealing'
      ? redeal(sim, message, (dealing) => change(dealing, receiver))
      : message

export const spoilShare = (shares: readonly Uint8Array[], index: number): Uint8Array[] =>
  shares.map((share, i) => (i === index ? share.map((byte) => byte ^ 1) : share))

/** A reshare's dealing of any constant and any degree, with shares and proofs that fit it. */
export function forgeDealing(input: {
  terms: Terms
  dealer: Address
  constant: bigint
  degree: number
  rng: Rng
}): Omit<Dealing, 'signature'> {
  const { terms, dealer, constant, degree, rng } = input
  const sid = sidOf(DOMAIN, terms)
  const polynomial = randomPolynomial(constant, degree, rng)
  const ephemeral = randomRistrettoScalar(rng)
  const nonce = randomRistrettoScalar(rng)
  return {
    sid,
    dealer,
    commitment: commitPolynomial(polynomial),
    ephemeral: ristrettoPublicKey(ephemeral),
    possession: proveKnowledge(ephemeral, dealingContext(sid, dealer), nonce),
    constantProof: new Uint8Array(0),
    shares: terms.members.map((member) => {
      const shared = diffieHellman(ephemeral, member.encryptionKey)
      if (shared === undefined) return new Uint8Array(SEALED_SHARE_BYTES)
      const share = evaluatePolynomial(polynomial, operatorX(member.address))
      return sealShare(shared, { sid, dealer, recipient: member.address }, share)
    }),
  }
}

/**
 * Sends other dealings than its own node made, acknowledged as if they were.
 * @param make - Another dealing for this receiver; `undefined` for none at all.
 */
export function dealsInstead(
  sim: SimNode,
  make: (dealing: Dealing, receiver: Address) => Promise<Dealing | undefined>,
): Tamper {
  /** What each receiver got in the place of a dealing of the node's own. */
  const sent = new Map<string, Hash32>()
  return async (message, receiver) => {
    const kind = messageKind(message)
    if (kind === 'dealing') {
      const other = await make(parseDealing(message), receiver)
      if (other === undefined) return undefined
      const bytes = encodeDealing(other)
      sent.set(`${blobHash(message)}/${receiver}`, blobHash(bytes))
      return bytes
    }
    if (kind !== 'acks') return message
    const acks = parseAcks(message)
    const dealings = acks.dealings.map(({ dealer, hash }) => ({
      dealer,
      hash: sent.get(`${hash}/${receiver}`) ?? hash,
    }))
    const unsigned = { ...acks, dealings }
    const signature = await sim.identity.signer.sign(acksStatement(DOMAIN, unsigned))
    return encodeAcks({ ...unsigned, signature })
  }
}
