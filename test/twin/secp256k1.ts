/**
 * The twin of the one part of `@noble/curves/secp256k1.js` that the protocol uses: recoverable signatures. The public key is the
 * private key; a signature is r = key XOR H(digest), s = H(digest || key) with its top bit clear, and recovers to its key or to none.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '../../sdk/bytes.ts'

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  a.map((byte, i) => byte ^ (b[i] as number))

function bind(digest: Uint8Array, key: Uint8Array): Uint8Array {
  const s = sha256(concatBytes(digest, key))
  s[0] = (s[0] as number) & 0x7f
  return s
}

function recover(compact: Uint8Array, bit: number, digest: Uint8Array): Uint8Array {
  const key = xor(compact.subarray(0, 32), sha256(digest))
  if (bit !== 0 || !equalBytes(bind(digest, key), compact.subarray(32)))
    throw new Error('no key made this signature')
  return publicKeyOf(key)
}

function publicKeyOf(key: Uint8Array): Uint8Array {
  if (key.length !== 32) throw new RangeError('a key has 32 bytes')
  return concatBytes(Uint8Array.of(4), key, key)
}

export const secp256k1 = {
  getPublicKey: publicKeyOf,
  sign: (digest: Uint8Array, key: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(0), xor(key, sha256(digest)), bind(digest, key)),
  Signature: {
    fromBytes: (compact: Uint8Array) => ({
      hasHighS: () => ((compact[32] ?? 0) & 0x80) !== 0,
      addRecoveryBit: (bit: number) => ({
        recoverPublicKey: (digest: Uint8Array) => ({
          toBytes: () => recover(compact, bit, digest),
        }),
      }),
    }),
  },
}
