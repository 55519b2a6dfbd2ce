/**
 * The methods `gcp` and `intel`: a Confidential Space token instead of raw evidence and initdata.
 *
 * The token says what runs by itself: image digest, command, environment. There is no initdata, so nothing that a release pins about
 * one can be met, and such a release is refused. The token binds the RSA key as its nonce, in one form only, and is good for one grant.
 * @module
 */

import type { ReleaseDemand } from '../../policy/types.ts'
import type { TokenProvider } from '../../sdk/attest/token-claims.ts'
import type { TokenKey } from '../../sdk/attest/token-jwks.ts'
import {
  type ConfidentialSpaceClaims,
  verifyConfidentialSpaceToken,
} from '../../sdk/attest/token-verify.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import type { TokenUses } from '../tokens/uses.ts'
import type { PlatformFacts } from './appraisal.ts'
import type { DecisionDeps } from './settings.ts'
import { type DecisionTrail, note } from './trail.ts'

export type TokenSettings = {
  audiences: readonly string[]
  projectId: string
  minimumSwVersion: number
}

/** What the methods need besides the request; there where one of them is enabled. */
export type TokenDeps = {
  settings: Readonly<Partial<Record<TokenProvider, TokenSettings>>>
  /** @throws METHOD_NOT_READY */
  keys: (provider: TokenProvider) => readonly TokenKey[]
  /** A token named a key that is not among them. */
  missed: (provider: TokenProvider) => void
  uses: TokenUses
}

export function isTokenMethod(method: string): method is TokenProvider {
  return method === 'gcp' || method === 'intel'
}

/**
 * Leaves the token's id reserved in `trail.use`: whoever ends the decision commits it or gives it back.
 * @throws EigenxError; `trail.step` tells where.
 */
export async function judgeToken(
  deps: DecisionDeps,
  request: SecretsRequest,
  provider: TokenProvider,
  trail: DecisionTrail,
  nowSeconds: number,
): Promise<ConfidentialSpaceClaims> {
  trail.step = 'evidence'
  const { tokens } = deps
  const settings = tokens?.settings[provider]
  if (tokens === undefined || settings === undefined) throw notConfigured(provider)
  if (request.reportDataVersion !== 1) throw oneFormOnly()
  const claims = await verifyWithKeys(tokens, provider, () =>
    verifyConfidentialSpaceToken(
      request.attestation,
      {
        provider,
        ...settings,
        rsaPem: request.rsaPubkeyTmp,
        extraData: request.extraData,
        appId: request.appId,
      },
      tokens.keys(provider),
      nowSeconds,
      trail.checks,
    ),
  )
  trail.marks.push('confidential-space')
  trail.use = tokens.uses.reserve(
    { method: provider, jti: claims.jti, expiresAt: claims.expiresAt },
    nowSeconds,
  )
  note(trail, 'token.first-use', 'passed', { jti: claims.jti.slice(0, 128) }, 'used tokens')
  return claims
}

async function verifyWithKeys(
  tokens: TokenDeps,
  provider: TokenProvider,
  verify: () => ReturnType<typeof verifyConfidentialSpaceToken>,
): Promise<ConfidentialSpaceClaims> {
  try {
    return (await verify()).claims
  } catch (thrown) {
    if (isEigenxError(thrown, 'EVIDENCE_INVALID') && thrown.details.check === 'token.signing-key')
      tokens.missed(provider)
    throw thrown
  }
}

/** Both issuers serve TDX alone. Intel's token states the status and is refused with any other; Google's says nothing about one. */
export function tokenPlatform(method: TokenProvider): PlatformFacts {
  const tcbStatus = method === 'intel' ? 'UpToDate' : 'unknown'
  return { method, measurement: undefined, tcbStatus, snpTcb: undefined }
}

/**
 * A release may demand more than a token can show.
 * @throws EigenxError BINDING_TOO_WEAK
 */
export function demandTokenBinding(trail: DecisionTrail, demand: ReleaseDemand): void {
  const required =
    demand.initdataSha384.length > 0
      ? 'initdata pin'
      : demand.layerRoots?.[demand.imageDigest] !== undefined
        ? 'layer roots'
        : demand.minBinding === 'launch'
          ? 'launch'
          : undefined
  note(
    trail,
    'release.min-binding',
    required === undefined ? 'passed' : 'failed',
    { binding: 'confidential-space', release: required ?? demand.minBinding ?? 'not set' },
    'EIGENX_TEE_* pins of the release',
  )
  if (required === undefined) return
  throw new EigenxError({
    code: 'BINDING_TOO_WEAK',
    message: 'The release demands what a Confidential Space token cannot show.',
    stage: 'release',
    details: { binding: 'confidential-space', required },
    hint: 'Run the app in Confidential Containers, or release without pins on initdata, layers and launch binding.',
  })
}

/** Codes that judge the pod itself: a token that met one of them has had its answer. */
const VERDICTS: ReadonlySet<string> = new Set([
  'APP_ID_INVALID',
  'BINDING_TOO_WEAK',
  'RELEASE_MISMATCH',
  'POLICY_TOO_PERMISSIVE',
])

/** After a refusal: the token is spent where the pod was judged, and free again where it was not its fault. */
export function settleRefused(trail: DecisionTrail, error: EigenxError): void {
  if (trail.use === undefined) return
  if (!VERDICTS.has(error.code)) {
    trail.use.release()
    return
  }
  try {
    trail.use.commit()
  } catch {
    // Nothing was granted, so a record that cannot be written loses nothing.
    trail.use.release()
  }
}

function notConfigured(method: string): EigenxError<'METHOD_NOT_READY'> {
  return new EigenxError({
    code: 'METHOD_NOT_READY',
    message: 'the method is enabled, but nothing to verify it with was given',
    stage: 'evidence',
    details: { method },
  })
}

function oneFormOnly(): EigenxError<'REPORT_DATA_MISMATCH'> {
  return new EigenxError({
    code: 'REPORT_DATA_MISMATCH',
    message: 'a token binds its request by the nonce, in version 1 only',
    stage: 'evidence',
    details: { version: 2 },
    hint: 'Leave report_data_version and freshness_block out.',
  })
}
