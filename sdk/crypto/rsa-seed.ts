/**
 * From the app key to the seed of an RSA key: cheap, and all that the search for the key (`rsa.ts`) has to know.
 * @module
 */
import { deriveKey } from './derive.ts'
import { DERIVATIONS } from './labels.ts'

export type RsaBits = 2048 | 3072 | 4096

export type RsaKeyPair = {
  /** PKCS#8, DER. */
  privateKey: Uint8Array
  /** SubjectPublicKeyInfo, DER. */
  publicKey: Uint8Array
}

/** @returns 32 bytes. @throws REQUEST_INVALID when the scope or the path is malformed. */
export function rsaSeed(
  appKey: Uint8Array,
  input: { bits: RsaBits; path: string; scope?: string },
): Uint8Array {
  const { bits, path, scope = 'app' } = input
  const { algorithm, purpose, length } = DERIVATIONS[`rsa${bits}`]
  return deriveKey(appKey, { scope, algorithm, purpose, path }, length)
}
