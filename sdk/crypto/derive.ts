/**
 * Labelled keys from the app key: HKDF-SHA-256(ikm = app key, salt = "eigenx-tee/v1",
 * info = frame(scope, algorithm, purpose, path), L), where frame() writes each UTF-8 field behind its
 * 2-byte big-endian length, so that no two labels share an info string. The labels are in labels.ts.
 *
 * Scalars of secp256k1 and P-256 come from 48 bytes reduced into 1..n-1: one formula, no retries, and a bias below 2^-127.
 * @module
 */
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { frame, fromUintBE, uintBE, utf8ToBytes } from '../bytes.ts'
import { G1_BYTES } from './bls.ts'
import { requestInvalid } from './invalid.ts'
import { DERIVATIONS } from './labels.ts'

const SALT = utf8ToBytes('eigenx-tee/v1')
const MAX_FIELD_BYTES = 1024
const SCOPE = /^(?:app|(?:release|instance):[\u0021-\u007e]+)$/

export type KeyLabel = {
  /** `app`, `release:<digest>` or `instance:<id>`: what the key is shared with. */
  scope: string
  algorithm: string
  purpose: string
  path: string
}

export type KeyAlgorithm = 'secp256k1' | 'ed25519' | 'x25519' | 'p256' | 'raw'

export type KeyPair = {
  algorithm: KeyAlgorithm
  /** 32 bytes. */
  privateKey: Uint8Array
  /** secp256k1 and p256: 33 bytes, compressed SEC1; ed25519 and x25519: 32 bytes; raw has none. */
  publicKey?: Uint8Array
}

/**
 * @param appKey - x·H1(appId), compressed, 48 bytes, verified by the caller.
 * @param length - In bytes, 1 to 8160.
 * @throws REQUEST_INVALID when a field of the label is malformed.
 */
export function deriveKey(appKey: Uint8Array, label: KeyLabel, length: number): Uint8Array {
  if (appKey.length !== G1_BYTES) throw new RangeError(`an app key has ${G1_BYTES} bytes`)
  if (!Number.isSafeInteger(length) || length < 1 || length > 255 * 32)
    throw new RangeError('HKDF-SHA-256 gives 1 to 8160 bytes')
  if (!SCOPE.test(label.scope))
    throw requestInvalid('scope', 'scope is app, release:<digest> or instance:<id>')
  const info = frame([
    fieldBytes('scope', label.scope),
    fieldBytes('algorithm', label.algorithm),
    fieldBytes('purpose', label.purpose),
    fieldBytes('path', label.path),
  ])
  return hkdf(sha256, appKey, SALT, info, length)
}

/** @throws REQUEST_INVALID when the scope or the path is malformed. */
export function deriveKeyPair(
  appKey: Uint8Array,
  input: { scope?: string; algorithm: KeyAlgorithm; path: string },
): KeyPair {
  const { scope = 'app', algorithm, path } = input
  const { purpose, length } = DERIVATIONS[algorithm]
  const bytes = deriveKey(appKey, { scope, algorithm, purpose, path }, length)
  switch (algorithm) {
    case 'secp256k1': {
      const privateKey = reduceToScalar(bytes, secp256k1.Point.Fn.ORDER)
      return { algorithm, privateKey, publicKey: secp256k1.getPublicKey(privateKey) }
    }
    case 'p256': {
      const privateKey = reduceToScalar(bytes, p256.Point.Fn.ORDER)
      return { algorithm, privateKey, publicKey: p256.getPublicKey(privateKey) }
    }
    case 'ed25519':
      return { algorithm, privateKey: bytes, publicKey: ed25519.getPublicKey(bytes) }
    case 'x25519':
      return { algorithm, privateKey: bytes, publicKey: x25519.getPublicKey(bytes) }
    case 'raw':
      return { algorithm, privateKey: bytes }
  }
}

/** 1 + (bytes mod (n - 1)), 32 bytes big-endian. */
function reduceToScalar(bytes: Uint8Array, order: bigint): Uint8Array {
  return uintBE((fromUintBE(bytes) % (order - 1n)) + 1n, 32)
}

function fieldBytes(name: string, text: string): Uint8Array {
  // Lone surrogates would all become the same replacement character, and two labels one key.
  if (/\p{Surrogate}/u.test(text)) throw requestInvalid(name, `${name} is not well-formed text`)
  const bytes = utf8ToBytes(text)
  if (bytes.length === 0 || bytes.length > MAX_FIELD_BYTES)
    throw requestInvalid(name, `${name} has 1 to ${MAX_FIELD_BYTES} bytes`)
  return bytes
}
