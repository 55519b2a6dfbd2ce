/**
 * Scalars as gnark-crypto writes them in JSON: decimal text, where a value within 65535 of r stands as a negative
 * number, quoted when it is longer than 15 characters. Needed to read shares that a Go operator exported.
 *
 * gnark also reads hex, octal and underscores and reduces mod r in silence; a share that needs that is refused here.
 * @module
 */
import { CURVE_ORDER } from '../crypto/bls.ts'
import { EigenxError } from '../errors.ts'

const NEGATIVE_RANGE = 65535n
const MAX_BARE_CHARACTERS = 15

export function formatGnarkScalar(scalar: bigint): string {
  const distance = CURVE_ORDER - scalar
  return distance <= NEGATIVE_RANGE && distance > 0n ? `-${distance}` : scalar.toString()
}

/** The JSON token: a bare number when it is short. */
export function encodeGnarkScalar(scalar: bigint): string {
  const text = formatGnarkScalar(scalar)
  return text.length > MAX_BARE_CHARACTERS ? `"${text}"` : text
}

/** @returns A value in 0..r-1. @throws SHARE_INVALID */
export function parseGnarkScalar(text: string): bigint {
  if (/^-(?:[1-9][0-9]{0,4})$/.test(text)) {
    const distance = BigInt(text.slice(1))
    if (distance <= NEGATIVE_RANGE) return CURVE_ORDER - distance
  } else if (/^(?:0|[1-9][0-9]{0,77})$/.test(text)) {
    const value = BigInt(text)
    if (value < CURVE_ORDER) return value
  }
  throw new EigenxError({
    code: 'SHARE_INVALID',
    message: 'not a reduced decimal scalar',
    stage: 'crypto',
    details: { reason: 'encoding' },
  })
}
