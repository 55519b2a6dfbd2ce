/**
 * Sealing of stored records: AES-256-GCM under a 32-byte key, with everything that names a record as associated
 * data, so that a record moved to another name, epoch, operator or key does not open.
 *
 *   version (1) || key id (8) || nonce (12, random) || ciphertext and tag
 * @module
 */
import { gcm } from '@noble/ciphers/aes.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, frame, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address } from '../../sdk/chain/types.ts'
import type { Rng } from '../../sdk/crypto/bls.ts'

const VERSION = 1
const KEY_ID_BYTES = 8
const NONCE_BYTES = 12
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES
export const STORE_KEY_BYTES = 32

export type Sealer = {
  /** @param name - What the record is: kind, epoch, id. */
  seal(name: readonly string[], value: Uint8Array): Uint8Array
  /** @returns `undefined` when the bytes are not what was sealed under this name and key. */
  open(name: readonly string[], sealed: Uint8Array): Uint8Array | undefined
}

export function createSealer(input: { key: Uint8Array; operator: Address; rng: Rng }): Sealer {
  const { key, operator, rng } = input
  if (key.length !== STORE_KEY_BYTES) throw new RangeError('a store key has 32 bytes')
  const sealingKey = hkdf(sha256, key, undefined, utf8ToBytes('eigenx-tee/store/seal/v1'), 32)
  const keyId = hkdf(sha256, key, undefined, utf8ToBytes('eigenx-tee/store/id/v1'), KEY_ID_BYTES)
  const header = concatBytes(Uint8Array.of(VERSION), keyId)
  const associated = (name: readonly string[]): Uint8Array =>
    frame([header, ...[operator.toLowerCase(), ...name].map(utf8ToBytes)], 2)
  return {
    seal: (name, value) => {
      const nonce = rng(NONCE_BYTES)
      const ciphertext = gcm(sealingKey, nonce, associated(name)).encrypt(value)
      return concatBytes(header, nonce, ciphertext)
    },
    open: (name, sealed) => {
      if (sealed.length < HEADER_BYTES) return undefined
      if (!equalBytes(sealed.subarray(0, header.length), header)) return undefined
      const nonce = sealed.subarray(header.length, HEADER_BYTES)
      try {
        return gcm(sealingKey, nonce, associated(name)).decrypt(sealed.subarray(HEADER_BYTES))
      } catch {
        return undefined
      }
    },
  }
}
