/** What the tests of Confidential Space tokens share: issuers of their own, an honest token, and the outcome of one that may not be. */
import { expect } from 'vitest'
import type { TokenProvider } from '../../../sdk/attest/token-claims.ts'
import { parseJwks } from '../../../sdk/attest/token-jwks.ts'
import {
  type TokenExpectations,
  verifyConfidentialSpaceToken,
} from '../../../sdk/attest/token-verify.ts'
import type { Check } from '../../../sdk/attest/types.ts'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { makeClaims, makeIssuerKey, makeJwks, PROJECT } from '../../kit/token-issuer.ts'

/** Unix seconds. */
export const NOW = 1_760_000_000
export const APP = `0x${'a9'.repeat(20)}`
export const PEM = utf8ToBytes('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')

export const google = makeIssuerKey('key-1')
export const intel = makeIssuerKey('key-2', 'PS384')
/** Another key under Google's id. */
export const stranger = makeIssuerKey('key-1')
export const keys = await parseJwks(makeJwks(google, intel))

export const expectations = (changes: Partial<TokenExpectations> = {}): TokenExpectations => ({
  provider: 'gcp',
  audiences: ['https://sts.googleapis.com', 'EigenX KMS'],
  projectId: PROJECT,
  minimumSwVersion: 250_300,
  rsaPem: PEM,
  extraData: new Uint8Array(),
  appId: APP,
  ...changes,
})

export const honest = (provider: TokenProvider = 'gcp') =>
  makeClaims({ provider, appId: APP, rsaPem: PEM, now: NOW, jti: 'token-1' })

export const keyOf = (provider: TokenProvider) => (provider === 'gcp' ? google : intel)

/** `accepted`, or the code and the check that failed. */
export async function outcome(
  token: Uint8Array,
  changes: Partial<TokenExpectations> = {},
  now = NOW,
  known = keys,
): Promise<string> {
  const trace: Check[] = []
  try {
    await verifyConfidentialSpaceToken(token, expectations(changes), known, now, trace)
    expect(trace.every((check) => check.result !== 'failed')).toBe(true)
    return 'accepted'
  } catch (error) {
    if (!isEigenxError(error)) throw error
    const failed = trace.filter((check) => check.result === 'failed')
    expect(failed.length).toBeLessThanOrEqual(1)
    const check = failed[0]?.name
    return check === undefined ? error.code : `${error.code} ${check}`
  }
}
