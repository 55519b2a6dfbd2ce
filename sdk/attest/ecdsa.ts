/**
 * The `ecdsa` method: the app's creator asks for the key with a signature instead of a TEE. Proves who asks, nothing about where.
 *
 * The message that is hashed with Keccak-256 and signed is ASCII:
 *   legacy  <app_id>-<challenge>-<public key>
 *   v2      eigenx-tee/ecdsa-attestation/v2-<app_id>-<challenge>-<public key>-<request>
 * where challenge = <unix seconds>-<64 characters of [0-9A-Za-z]>, public key = 65 uncompressed bytes in lower-case hex, and
 * request = lower-case hex of SHA-256(rsa_pubkey_tmp || extra_data) as sent. The legacy message of Go operators does not cover the RSA
 * key, so who sees one can ask again for a key of his own within the five minutes: operators take it only where they are told to.
 * @module
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, parseUtf8, toHex, utf8ToBytes } from '../bytes.ts'
import type { Address } from '../chain/types.ts'
import { type CheckLog, createCheckLog, malformed, type Rule } from './checks.ts'
import type { Check } from './types.ts'

export const ECDSA_DOMAIN = 'eigenx-tee/ecdsa-attestation/v2'
/** Go operators take a challenge for 300 seconds. */
export const CHALLENGE_AGE_LIMIT_SECONDS = 300
/** A client's clock may be this far ahead. Go takes none, and refuses honest clients for a second of drift. */
export const CLOCK_SKEW_SECONDS = 5

const CHALLENGE = /^(0|[1-9]\d{0,14})-([0-9A-Za-z]{64})$/
const SOURCE = 'docs/protocol.md, The ecdsa method'
const RULES = {
  age: { name: 'ecdsa.challenge-age', source: SOURCE },
  publicKey: { name: 'ecdsa.public-key', source: 'SEC 1, 2.3.4' },
  signature: { name: 'ecdsa.signature', source: 'SEC 1, 4.1.4' },
} as const satisfies Record<string, Rule>

export type EcdsaEvidence = {
  version: 'legacy' | 'v2'
  appId: string
  /** ASCII bytes as sent. */
  challenge: Uint8Array
  /** 65 bytes, 0x04 first. */
  publicKey: Uint8Array
  /** r || s || v; v is not used. */
  attestation: Uint8Array
  /** Version 2 signs these: the ephemeral RSA key and the extra data of the request, as sent. */
  rsaPublicKey: Uint8Array
  extraData: Uint8Array
}

/**
 * @returns Who signed. The caller compares it with the app's creator on chain.
 * @throws EVIDENCE_MALFORMED, EVIDENCE_INVALID
 */
export function verifyEcdsaAttestation(
  evidence: EcdsaEvidence,
  nowSeconds: number,
  trace: Check[] = [],
): { signer: Address; checks: readonly Check[] } {
  const log: CheckLog = createCheckLog(trace)
  const { publicKey, attestation } = evidence
  const challenge = parseChallenge(evidence.challenge)
  const age = nowSeconds - challenge.issuedAt
  log.demand(
    RULES.age,
    age >= -CLOCK_SKEW_SECONDS && age <= CHALLENGE_AGE_LIMIT_SECONDS,
    { ageSeconds: String(age), limitSeconds: String(CHALLENGE_AGE_LIMIT_SECONDS) },
    age < 0 ? 'the challenge is from the future' : 'the challenge is too old',
    'Sign a new challenge with the current time.',
  )
  if (publicKey.length !== 65 || publicKey[0] !== 0x04)
    throw malformed('public_key', 'public_key is not 65 bytes of an uncompressed secp256k1 point')
  if (attestation.length !== 65 || ![0, 1, 27, 28].includes(attestation[64] ?? -1))
    throw malformed('attestation', 'attestation is not r, s and a recovery id')
  log.demand(
    RULES.publicKey,
    secp256k1.utils.isValidPublicKey(publicKey, false),
    { publicKey: bytesToHex(publicKey) },
    'the public key is not a point of secp256k1',
  )
  const hash = keccak_256(ecdsaMessage(evidence))
  log.demand(
    RULES.signature,
    verifyHash(attestation.subarray(0, 64), hash, publicKey),
    { messageHash: bytesToHex(hash), version: evidence.version },
    'the signature is not one over this request by this key',
  )
  const signer = toHex(keccak_256(publicKey.subarray(1)).subarray(12))
  return { signer, checks: log.checks }
}

/** The bytes to hash and sign. */
export function ecdsaMessage(evidence: Omit<EcdsaEvidence, 'attestation'>): Uint8Array {
  const challenge = parseUtf8(evidence.challenge) ?? ''
  const signed = `${evidence.appId}-${challenge}-${bytesToHex(evidence.publicKey)}`
  if (evidence.version === 'legacy') return utf8ToBytes(signed)
  const request = sha256(concatBytes(evidence.rsaPublicKey, evidence.extraData))
  return utf8ToBytes(`${ECDSA_DOMAIN}-${signed}-${bytesToHex(request)}`)
}

function parseChallenge(bytes: Uint8Array): { issuedAt: number } {
  const text = bytes.length <= 128 ? parseUtf8(bytes) : undefined
  const match = text === undefined ? null : CHALLENGE.exec(text)
  if (match === null)
    throw malformed('challenge', 'challenge is not <unix seconds>-<64 letters or digits>')
  return { issuedAt: Number(match[1]) }
}

/** Low s only, so that there is one signature for a message and a nonce. */
function verifyHash(signature: Uint8Array, hash: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return secp256k1.verify(signature, hash, publicKey, { prehash: false, lowS: true })
  } catch {
    return false
  }
}
