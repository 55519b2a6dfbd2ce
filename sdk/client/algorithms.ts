/** The names of the algorithms that `getKey` takes. @module */
import type { KeyAlgorithm } from './types.ts'

export type RsaAlgorithm = Extract<KeyAlgorithm, `rsa-${string}`>

export const RSA_BITS = {
  'rsa-2048': 2048,
  'rsa-3072': 3072,
  'rsa-4096': 4096,
} as const satisfies Record<RsaAlgorithm, number>

export function isRsaAlgorithm(algorithm: KeyAlgorithm): algorithm is RsaAlgorithm {
  return Object.hasOwn(RSA_BITS, algorithm)
}
