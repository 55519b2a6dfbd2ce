/**
 * Making a dealing. Apart from pauses it is pure: every random value comes from the epoch's dealer seed, so the same seed and
 * terms give the same polynomial, ephemeral and proofs after any crash. The seed is stored before
 * the first dealing leaves; a different session id gives unrelated values.
 *
 * Genesis deals a fresh secret. A reshare deals the dealer's current share, so that the secrets add up to the same key.
 * The genesis key is the sum of open commitments: whoever deals last can bias its distribution by choosing among a few candidates.
 * That is accepted, as in other deployments of this scheme: for discrete-log-type systems, identity-based encryption among them,
 * the loss is bounded by the number of candidates tried, and the proof of knowledge of a_0 rules out cancelling others.
 * @module
 */
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, parseHex, uintBE, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address } from '../../sdk/chain/types.ts'
import { operatorX, publicShareOf, type Rng, randomScalar } from '../../sdk/crypto/bls.ts'
import { evaluatePolynomial, randomPolynomial } from '../../sdk/crypto/shamir.ts'
import {
  type Dealing,
  dealingContext,
  proveConstant,
  SEALED_SHARE_BYTES,
  sealShare,
} from '../../sdk/protocol/dealing.ts'
import {
  diffieHellman,
  proveKnowledge,
  randomRistrettoScalar,
  ristrettoPublicKey,
} from '../../sdk/protocol/ristretto.ts'
import { isAbsent, isGenesis, sidOf } from '../../sdk/protocol/terms.ts'
import type { Domain, Member, Terms } from '../../sdk/protocol/types.ts'

export const SEED_BYTES = 32

export type DealInput = {
  domain: Domain
  terms: Terms
  dealer: Address
  /** {@link SEED_BYTES} secret bytes, one seed per epoch. */
  seed: Uint8Array
  /** The dealer's share under the output that `terms.prev` names, or its imported one; absent in a genesis. */
  currentShare?: bigint
  /** Whether the share comes from an older set, so that no output in the log says what belongs to it. */
  imported?: boolean
}

/**
 * @param pause - Lets the event loop run, between pieces of a few milliseconds.
 * @throws RangeError when a reshare has no share to deal, or a genesis has one.
 */
export async function makeDealing(
  input: DealInput,
  pause: () => Promise<void>,
): Promise<Omit<Dealing, 'signature'>> {
  const { domain, terms, dealer, seed, currentShare, imported = false } = input
  if (seed.length !== SEED_BYTES) throw new RangeError('a dealer seed has 32 bytes')
  if (isGenesis(terms) !== (currentShare === undefined))
    throw new RangeError('a genesis deals a fresh secret, a reshare the current share')
  const sid = sidOf(domain, terms)
  const stream = (label: string) => seedStream(seed, sid, label)
  const constant = currentShare ?? randomScalar(stream('constant'))
  const polynomial = randomPolynomial(constant, terms.threshold - 1, stream('polynomial'))
  const ephemeral = randomRistrettoScalar(stream('ephemeral'))
  const context = dealingContext(sid, dealer)
  const possessionNonce = randomRistrettoScalar(stream('possession'))
  const shareFor = (member: Member): Uint8Array => {
    if (isAbsent(member)) return new Uint8Array(SEALED_SHARE_BYTES)
    const shared = diffieHellman(ephemeral, member.encryptionKey)
    // The terms were verified, but a key that is no point must not stop the others' shares.
    if (shared === undefined) return new Uint8Array(SEALED_SHARE_BYTES)
    const share = evaluatePolynomial(polynomial, operatorX(member.address))
    return sealShare(shared, { sid, dealer, recipient: member.address }, share)
  }
  const commitment: Uint8Array[] = []
  for (const coefficient of polynomial) {
    commitment.push(publicShareOf(coefficient))
    await pause()
  }
  const shares: Uint8Array[] = []
  for (const member of terms.members) {
    shares.push(shareFor(member))
    await pause()
  }
  return {
    sid,
    dealer,
    commitment,
    ephemeral: ristrettoPublicKey(ephemeral),
    possession: proveKnowledge(ephemeral, context, possessionNonce),
    constantProof:
      isGenesis(terms) || imported
        ? proveConstant(constant, context, randomScalar(stream('constant-proof')))
        : new Uint8Array(0),
    shares,
  }
}

/** Independent bytes per label and call, from HKDF-SHA-256. */
function seedStream(seed: Uint8Array, sid: `0x${string}`, label: string): Rng {
  let calls = 0
  const salt = parseHex(sid, 32)
  return (length) => {
    const info = concatBytes(utf8ToBytes(`eigenx-tee/deal/v1/${label}`), uintBE(calls++, 4))
    return hkdf(sha256, seed, salt, info, length)
  }
}
