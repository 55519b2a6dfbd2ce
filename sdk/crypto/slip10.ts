/**
 * SLIP-0010 for ed25519: hardened children only, since the curve has no public derivation.
 *
 * master: I = HMAC-SHA-512("ed25519 seed", seed); child i: I = HMAC-SHA-512(chain, 0x00 ‖ key ‖ uint32(i + 2^31));
 * key = I[0:32], chain = I[32:64].
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, uintBE, utf8ToBytes } from '../bytes.ts'

const HARDENED = 2 ** 31

export type Slip10Node = { /** Seed of RFC 8032. */ privateKey: Uint8Array; chainCode: Uint8Array }

/** @param indices - Each without the hardening bit, which is added. */
export function deriveSlip10Ed25519(seed: Uint8Array, indices: readonly number[]): Slip10Node {
  return indices.reduce(
    (node, index) => {
      if (!Number.isSafeInteger(index) || index < 0 || index >= HARDENED)
        throw new RangeError('a child index is in 0..2^31-1')
      const data = concatBytes(Uint8Array.of(0), node.privateKey, uintBE(index + HARDENED, 4))
      return split(hmac(sha512, node.chainCode, data))
    },
    split(hmac(sha512, utf8ToBytes('ed25519 seed'), seed)),
  )
}

function split(bytes: Uint8Array): Slip10Node {
  return { privateKey: bytes.slice(0, 32), chainCode: bytes.slice(32) }
}
