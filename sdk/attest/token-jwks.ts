/**
 * A token issuer's signing keys: JSON Web Key Set in, imported keys out (RFC 7517).
 *
 * Only what can sign a Confidential Space token is taken: RSA keys of 2048 to 8192 bits with exponent 65537, a key id, and one of
 * the algorithms the issuers use. Everything else in the set is left out, so a symmetric key or a private one never becomes a
 * verifier. Issuers reuse one key id under several algorithms: a key is named by both.
 * @module
 */
import { importJWK } from 'jose'
import { parseAnyBase64, toBase64Url } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { asObject, type EvidenceObject, parseEvidenceJson } from './evidence-json.ts'

/** Google signs with RS256, Intel with PS384 and, for older clients, RS256. */
export const TOKEN_ALGORITHMS = ['RS256', 'PS256', 'RS384', 'PS384'] as const
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number]

export type TokenKey = {
  kid: string
  algorithm: TokenAlgorithm
  key: CryptoKey
}

export const MAX_JWKS_BYTES = 256 * 1024
const MAX_KEYS = 64
const MAX_KID_LENGTH = 256
const FIELD = 'jwks'

/**
 * @returns At least one key.
 * @throws EVIDENCE_MALFORMED when the text is no key set or holds no usable key, INPUT_TOO_LARGE
 */
export async function parseJwks(text: string): Promise<readonly TokenKey[]> {
  if (text.length > MAX_JWKS_BYTES) throw tooLarge(FIELD, MAX_JWKS_BYTES)
  const { keys } = parseEvidenceJson(text, FIELD)
  if (!Array.isArray(keys)) throw malformed(FIELD, 'the key set has no list of keys')
  if (keys.length > MAX_KEYS) throw malformed(FIELD, `the key set has more than ${MAX_KEYS} keys`)
  const found: TokenKey[] = []
  for (const item of keys) {
    const entry = asObject(item)
    const key = entry === undefined ? undefined : await importKey(entry)
    if (key !== undefined) found.push(key)
  }
  if (found.length === 0) throw malformed(FIELD, 'the key set has no key that signs tokens')
  return found
}

export function isTokenAlgorithm(text: unknown): text is TokenAlgorithm {
  return TOKEN_ALGORITHMS.some((known) => known === text)
}

async function importKey(entry: EvidenceObject): Promise<TokenKey | undefined> {
  const { kty, kid, alg, use, n, e } = entry
  if (kty !== 'RSA' || !isTokenAlgorithm(alg)) return undefined
  if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH) return undefined
  if (use !== undefined && use !== 'sig') return undefined
  if (typeof n !== 'string' || e !== 'AQAB') return undefined
  const modulus = parseAnyBase64(n)
  // Full bytes: an issuer's key has 2048, 3072 or 4096 bits, and no zero in front (RFC 7518, section 6.3.1.1).
  const [top = 0] = modulus ?? []
  if (modulus === undefined || top < 0x80) return undefined
  if (modulus.length < 256 || modulus.length > 1024) return undefined
  try {
    // Only the public members go in: whatever else the entry holds has no say.
    const key = await importJWK({ kty, alg, e, n: toBase64Url(modulus) }, alg)
    return key instanceof Uint8Array ? undefined : { kid, algorithm: alg, key }
  } catch {
    return undefined
  }
}
