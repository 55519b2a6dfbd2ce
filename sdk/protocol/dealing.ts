/**
 * A dealing: everything one dealer sends in an epoch, in one public body.
 *
 *   commitment[k] = a_k·G2                    Feldman, exactly `threshold` points
 *   ephemeral     = r·B                       ristretto255, with a proof of knowledge of r
 *   constantProof = proof of knowledge of a_0 (first epoch only: stops a key that cancels others)
 *   shares[j]     = ChaCha20-Poly1305(key_j, f(x_j)),  key_j = HKDF-SHA-256(r·EK_j; sid, dealer, recipient)
 *
 * One r for all recipients is safe because every key is bound to its recipient and each recipient's key is independent under
 * Diffie-Hellman; the proof of r stops a dealer from copying another's ephemeral to make that dealer's recipients open it.
 * Each key encrypts one message, so the nonce is zero. The body is named by the SHA-256 of all its bytes, signature included.
 *
 * This file is the format and the symmetric part; checking a dealing against terms is `kms/epoch/verify.ts`.
 * @module
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, fromUintBE, toHex, utf8ToBytes } from '../bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../chain/types.ts'
import {
  CURVE_ORDER,
  G2_BYTES,
  G2_GENERATOR,
  type G2Point,
  g2Msm,
  isInfinityG2,
  multiplyG2Generator,
  serializeG2,
  serializeScalar,
} from '../crypto/bls.ts'
import { EigenxError } from '../errors.ts'
import {
  addressBytes,
  counted,
  decodeMessage,
  encodeMessage,
  fixed,
  hashBytes,
  list,
  MAX_MEMBERS,
  MAX_SIGNATURE_BYTES,
} from './codec.ts'
import { addressWord, hashWord, isSignedBy, typedStatement } from './digest.ts'
import { PROOF_BYTES, RISTRETTO_BYTES } from './ristretto.ts'
import type { Domain } from './types.ts'

/** 32-byte share and 16-byte tag. */
export const SEALED_SHARE_BYTES = 48
export const MAX_DEALING_BYTES = 16_384

export type Dealing = {
  sid: Hash32
  dealer: Address
  commitment: readonly Uint8Array[]
  ephemeral: Uint8Array
  possession: Uint8Array
  /** 64 bytes in the first epoch, empty otherwise. */
  constantProof: Uint8Array
  /** In the order of the terms' members. */
  shares: readonly Uint8Array[]
  signature: Uint8Array
}

function dealingInvalid(dealer: string, reason: string): EigenxError<'DEALING_INVALID'> {
  return new EigenxError({
    code: 'DEALING_INVALID',
    message: `The dealing breaks the protocol: ${reason}.`,
    stage: 'protocol',
    details: { dealer, reason },
  })
}

function unsignedFields(dealing: Omit<Dealing, 'signature'>): Uint8Array[] {
  return [
    hashBytes(dealing.sid),
    addressBytes(dealing.dealer),
    list(dealing.commitment.map((point) => fixed(point, G2_BYTES))),
    fixed(dealing.ephemeral, RISTRETTO_BYTES),
    fixed(dealing.possession, PROOF_BYTES),
    counted(dealing.constantProof),
    list(dealing.shares.map((share) => fixed(share, SEALED_SHARE_BYTES))),
  ]
}

export function encodeDealing(dealing: Dealing): Uint8Array {
  return encodeMessage('dealing', [...unsignedFields(dealing), counted(dealing.signature)])
}

/** Format only: no point is looked at. @throws DEALING_INVALID */
export function parseDealing(bytes: Uint8Array): Dealing {
  const fail = (reason: string) => dealingInvalid('unknown', reason)
  return decodeMessage('dealing', bytes, MAX_DEALING_BYTES, fail, (reader) => ({
    sid: reader.hash(),
    dealer: reader.address(),
    commitment: reader.list(MAX_MEMBERS, (item) => item.bytes(G2_BYTES)),
    ephemeral: reader.bytes(RISTRETTO_BYTES),
    possession: reader.bytes(PROOF_BYTES),
    constantProof: reader.counted(PROOF_BYTES),
    shares: reader.list(MAX_MEMBERS, (item) => item.bytes(SEALED_SHARE_BYTES)),
    signature: reader.counted(MAX_SIGNATURE_BYTES),
  }))
}

/** The name of any body: SHA-256 of its bytes. */
export function blobHash(bytes: Uint8Array): Hash32 {
  return toHex(sha256(bytes))
}

/** What the dealer signs. */
export function dealingStatement(domain: Domain, dealing: Omit<Dealing, 'signature'>): Uint8Array {
  return typedStatement(domain, 'Dealing', [
    hashWord(dealing.sid),
    addressWord(dealing.dealer),
    sha256(concatBytes(...unsignedFields(dealing))),
  ])
}

export function isDealingOf(domain: Domain, operator: OperatorInfo, dealing: Dealing): boolean {
  return (
    dealing.dealer === operator.address.toLowerCase() &&
    isSignedBy(operator, dealingStatement(domain, dealing), dealing.signature)
  )
}

/** What both proofs of a dealing are bound to. */
export function dealingContext(sid: Hash32, dealer: Address): Uint8Array {
  return concatBytes(hashBytes(sid), addressBytes(dealer))
}

export type ShareRoute = { sid: Hash32; dealer: Address; recipient: Address }

/** @param shared - r·EK_recipient. */
export function sealShare(shared: Uint8Array, route: ShareRoute, share: bigint): Uint8Array {
  return chacha20poly1305(shareKey(shared, route), ZERO_NONCE).encrypt(serializeScalar(share))
}

/** @returns The share, not yet compared with any commitment; `undefined` when it does not open to a scalar. */
export function openShare(
  shared: Uint8Array,
  route: ShareRoute,
  sealed: Uint8Array,
): bigint | undefined {
  try {
    const share = fromUintBE(chacha20poly1305(shareKey(shared, route), ZERO_NONCE).decrypt(sealed))
    return share > 0n && share < CURVE_ORDER ? share : undefined
  } catch {
    return undefined
  }
}

const ZERO_NONCE = new Uint8Array(12)

function shareKey(shared: Uint8Array, { sid, dealer, recipient }: ShareRoute): Uint8Array {
  const info = concatBytes(hashBytes(sid), addressBytes(dealer), addressBytes(recipient))
  return hkdf(sha256, shared, utf8ToBytes('eigenx-tee/share-key/v1'), info, 32)
}

/** Schnorr proof of knowledge of a_0 in a_0·G2: c || s, 32 bytes each, big-endian. */
export function proveConstant(constant: bigint, context: Uint8Array, nonce: bigint): Uint8Array {
  const point = serializeG2(multiplyG2Generator(constant))
  const c = constantChallenge(context, point, serializeG2(multiplyG2Generator(nonce)))
  return concatBytes(serializeScalar(c), serializeScalar((nonce + c * constant) % CURVE_ORDER))
}

export function verifyConstant(point: G2Point, context: Uint8Array, proof: Uint8Array): boolean {
  if (proof.length !== PROOF_BYTES) return false
  const c = fromUintBE(proof.subarray(0, 32))
  const s = fromUintBE(proof.subarray(32))
  if (c === 0n || c >= CURVE_ORDER || s >= CURVE_ORDER) return false
  const commitment = g2Msm([G2_GENERATOR, point], [s, CURVE_ORDER - c])
  // At infinity the proof would say nothing; an honest nonce is never zero.
  if (isInfinityG2(commitment)) return false
  return c === constantChallenge(context, serializeG2(point), serializeG2(commitment))
}

function constantChallenge(context: Uint8Array, point: Uint8Array, commitment: Uint8Array): bigint {
  const label = utf8ToBytes('eigenx-tee/constant/v1')
  const seed = sha256(concatBytes(label, context, point, commitment))
  // 48 bytes reduced mod r: uniform up to 2^-129.
  const wide = hkdf(sha256, seed, label, new Uint8Array(0), 48)
  const c = fromUintBE(wide) % CURVE_ORDER
  return c === 0n ? 1n : c
}
