/**
 * EigenCompute's TLS, ACME and storage keys from the BIP-39 seed, byte-compatible with its tls-client, so that an app
 * that brings its mnemonic keeps its certificates' keys and its encrypted volumes.
 *
 * ACME account: HKDF-SHA-256(seed, no salt, "eigenx/acme-account/v1", 32)
 * TLS: HKDF-SHA-256(seed, no salt, "eigenx/tls-key/v1" ‖ domain ‖ uint32(version), 32)
 * Storage: HMAC-SHA-256(key = "EIGENX_STORAGE_KEY_DERIVATION_V1", seed)
 *
 * The first two are P-256 scalars; one that is out of range is replaced by its SHA-256, at most eight times. The TLS info
 * has no separators: «a.example» with other version bytes could spell another domain, which a version below 2^24 rules out, as
 * its first byte is zero and no domain contains one.
 * @module
 */
import { p256 } from '@noble/curves/nist.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, fromUintBE, uintBE, utf8ToBytes } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { requestInvalid } from './invalid.ts'
import { DERIVATIONS } from './labels.ts'
import { mnemonicToSeed } from './seed.ts'

const MAX_REHASHES = 8
const MAX_DOMAIN_BYTES = 253
/** Of a TLS key. */
export const MAX_TLS_KEY_VERSION = 2 ** 24 - 1

/** P-256 scalar, 32 bytes big-endian. */
export function acmeAccountKey(mnemonic: string): Uint8Array {
  return seedScalar(mnemonic, utf8ToBytes(DERIVATIONS.acmeAccount.purpose))
}

/**
 * P-256 scalar, 32 bytes big-endian.
 * @param domain - Used exactly as given; lower case is the caller's business, as in EigenCompute.
 * @throws REQUEST_INVALID
 */
export function tlsKey(mnemonic: string, domain: string, version: number): Uint8Array {
  const name = utf8ToBytes(domain)
  if (name.length === 0 || name.length > MAX_DOMAIN_BYTES || !/^[\u0021-\u007e]*$/.test(domain))
    throw requestInvalid('domain', `a domain is 1 to ${MAX_DOMAIN_BYTES} visible ASCII characters`)
  if (!Number.isSafeInteger(version) || version < 0 || version > MAX_TLS_KEY_VERSION)
    throw requestInvalid('version', `a key version is an integer in 0..${MAX_TLS_KEY_VERSION}`)
  const label = utf8ToBytes(DERIVATIONS.tlsKey.purpose)
  return seedScalar(mnemonic, concatBytes(label, name, uintBE(version, 4)))
}

/** 32 bytes. */
export function storageKey(mnemonic: string): Uint8Array {
  return hmac(sha256, utf8ToBytes(DERIVATIONS.storageV1.purpose), mnemonicToSeed(mnemonic))
}

function seedScalar(mnemonic: string, info: Uint8Array): Uint8Array {
  return toP256Scalar(hkdf(sha256, mnemonicToSeed(mnemonic), undefined, info, 32))
}

/**
 * Out of range happens once in 2^32 keys.
 * @internal exported for its test
 */
export function toP256Scalar(bytes: Uint8Array): Uint8Array {
  let candidate = bytes
  for (let rehashes = 0; rehashes <= MAX_REHASHES; rehashes++) {
    const value = fromUintBE(candidate)
    if (value > 0n && value < p256.Point.Fn.ORDER) return candidate
    candidate = sha256(candidate)
  }
  throw new EigenxError({
    code: 'INTERNAL',
    message: 'no P-256 scalar after eight hashes',
    stage: 'key',
    details: {},
  })
}
