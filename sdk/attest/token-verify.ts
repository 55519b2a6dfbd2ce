/**
 * Confidential Space tokens: a verifier of Google or Intel vouches, in a signed JWT, for a hardened TDX guest and the one container in it.
 *
 * The order is authenticity (form, key, signature, issuer, audience, times, id), then what is vouched for (software, hardware, debug
 * state, project), then this very request (nonce, app). Times have no skew: an expiry that clocks may stretch is none.
 * Sources: RFC 7515, RFC 7519; RFC 9711 for `eat_nonce`, `hwmodel`, `swname` and `dbgstat`; Google Cloud, "Confidential Space: attestation
 * token claims"; eigenx-kms-go for what nonce and instance name say.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { compactVerify } from 'jose'
import { bytesToHex, concatBytes, parseAnyBase64, parseUtf8 } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { type CheckLog, createCheckLog, malformed, type Rule, tooLarge } from './checks.ts'
import { parseEvidenceJson } from './evidence-json.ts'
import {
  parseTokenClaims,
  type TokenClaims,
  type TokenContainer,
  type TokenProvider,
} from './token-claims.ts'
import { isTokenAlgorithm, type TokenKey } from './token-jwks.ts'
import type { Check } from './types.ts'

export type TokenExpectations = {
  provider: TokenProvider
  /** The token must be for exactly one of them. */
  audiences: readonly string[]
  /** The Google Cloud project in which pods of this operator set run. */
  projectId: string
  /** Lowest Confidential Space image, e.g. 250300. */
  minimumSwVersion: number
  /** The request: key and data that the nonce covers, and the app whose key is asked for. */
  rsaPem: Uint8Array
  extraData: Uint8Array
  appId: string
}

/** Facts from a token that passed every check. */
export type ConfidentialSpaceClaims = {
  provider: TokenProvider
  /** Unique per issuer; a token is good for one grant. */
  jti: string
  /** Unix seconds. */
  issuedAt: number
  expiresAt: number
  hwModel: string
  swVersion: number
  projectId: string
  instanceName: string
  appId: string
  container: TokenContainer
}

export const TOKEN_ISSUERS: Readonly<Record<TokenProvider, string>> = {
  gcp: 'https://confidentialcomputing.googleapis.com',
  intel: 'https://portal.trustauthority.intel.com',
}

const HARDWARE: Readonly<Record<TokenProvider, string>> = {
  gcp: 'GCP_INTEL_TDX',
  intel: 'INTEL_TDX',
}

const MAX_TOKEN_BYTES = 64 * 1024
const MAX_HEADER_LENGTH = 8192
const MAX_JTI_LENGTH = 256
/** Issuers give minutes to an hour; the ids of used tokens must be kept this long. */
const MAX_LIFETIME_SECONDS = 86_400

const JWS = 'RFC 7515'
const JWT = 'RFC 7519, section 4.1'
const GOOGLE = 'Confidential Space, attestation token claims'
const OPERATOR = 'operator policy'
const RULES = {
  algorithm: { name: 'token.algorithm', source: `${JWS}, section 4.1.1` },
  key: { name: 'token.signing-key', source: `${JWS}, section 4.1.4` },
  signature: { name: 'token.signature', source: `${JWS}, section 5.2` },
  issuer: { name: 'token.issuer', source: JWT },
  audience: { name: 'token.audience', source: JWT },
  times: { name: 'token.times', source: JWT },
  expired: { name: 'token.not-expired', source: JWT },
  begun: { name: 'token.not-before', source: JWT },
  issued: { name: 'token.issued-at', source: JWT },
  lifetime: { name: 'token.lifetime', source: OPERATOR },
  id: { name: 'token.id', source: JWT },
  swName: { name: 'token.software-name', source: GOOGLE },
  hwModel: { name: 'token.hardware-model', source: GOOGLE },
  attesterTcb: { name: 'token.attester-tcb', source: GOOGLE },
  tcbStatus: { name: 'token.tcb-status', source: 'Intel Trust Authority, gcp_attester_tcb_status' },
  swVersion: { name: 'token.software-version', source: OPERATOR },
  secureBoot: { name: 'token.secure-boot', source: GOOGLE },
  debug: { name: 'token.debug-state', source: 'RFC 9711, section 4.2.8' },
  support: { name: 'token.support-attributes', source: GOOGLE },
  project: { name: 'token.project', source: OPERATOR },
  nonce: { name: 'token.nonce', source: 'docs/operators.md, Confidential Space tokens' },
  app: { name: 'token.app', source: 'docs/operators.md, Confidential Space tokens' },
} as const satisfies Record<string, Rule>

/**
 * @param token - A compact JWS as sent.
 * @param keys - The issuer's keys now.
 * @param nowSeconds - Unix seconds.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE; EVIDENCE_INVALID and EVIDENCE_NOT_ALLOWED naming the check; REPORT_DATA_MISMATCH
 *   when the token was made for another RSA key; APP_ID_MISMATCH when its instance belongs to another app.
 */
export async function verifyConfidentialSpaceToken(
  token: Uint8Array,
  expectations: TokenExpectations,
  keys: readonly TokenKey[],
  nowSeconds: number,
  trace: Check[] = [],
): Promise<{ claims: ConfidentialSpaceClaims; checks: readonly Check[] }> {
  const log: CheckLog = createCheckLog(trace)
  const compact = readCompact(token)
  const payload = await checkSignature(compact, keys, log)
  const claims = parseTokenClaims(payload)
  checkSource(claims, expectations, log)
  const times = checkTimes(claims, nowSeconds, log)
  log.demand(
    RULES.id,
    claims.jti !== '' && claims.jti.length <= MAX_JTI_LENGTH,
    { length: String(claims.jti.length) },
    'the token has no usable id',
  )
  const swVersion = checkPlatform(claims, expectations, log)
  checkRequest(claims, expectations, log)
  return {
    claims: {
      provider: expectations.provider,
      jti: claims.jti,
      ...times,
      hwModel: claims.hwModel,
      swVersion,
      projectId: claims.projectId,
      instanceName: claims.instanceName,
      appId: expectations.appId,
      container: claims.container,
    },
    checks: log.checks,
  }
}

type Compact = { text: string; algorithm: unknown; kid: unknown }

/** Three base64url segments in their one canonical form, and a header without a key given twice. */
function readCompact(token: Uint8Array): Compact {
  if (token.length > MAX_TOKEN_BYTES) throw tooLarge('token', MAX_TOKEN_BYTES)
  const text = parseUtf8(token) ?? ''
  const segments = text.split('.')
  const canonical = segments.every(
    (segment) => /^[A-Za-z0-9_-]+$/.test(segment) && parseAnyBase64(segment) !== undefined,
  )
  if (segments.length !== 3 || !canonical) throw malformed('token', 'the token is no compact JWS')
  const [header = ''] = segments
  if (header.length > MAX_HEADER_LENGTH) throw tooLarge('token.header', MAX_HEADER_LENGTH)
  const json = parseUtf8(parseAnyBase64(header) ?? new Uint8Array())
  if (json === undefined) throw malformed('token.header', 'the header is not UTF-8')
  const { alg, kid } = parseEvidenceJson(json, 'token.header')
  return { text, algorithm: alg, kid }
}

/** @returns The signed payload. */
async function checkSignature(
  { text, algorithm, kid }: Compact,
  keys: readonly TokenKey[],
  log: CheckLog,
): Promise<string> {
  log.demand(
    RULES.algorithm,
    isTokenAlgorithm(algorithm),
    { alg: brief(algorithm) },
    'the token is not signed by an algorithm of its issuers',
  )
  const named = typeof kid === 'string' && kid !== ''
  const candidates = named
    ? keys.filter((key) => key.kid === kid && key.algorithm === algorithm)
    : []
  log.demand(
    RULES.key,
    candidates.length > 0,
    { kid: brief(kid), alg: algorithm, keys: String(keys.length) },
    named ? 'the issuer has no such key' : 'the token names no key',
    named
      ? 'After a rotation the operator learns a new key within a minute; ask again.'
      : undefined,
  )
  const verified = await verifyByAny(text, candidates)
  log.demand(
    RULES.signature,
    verified !== undefined,
    { kid: brief(kid), alg: algorithm },
    'the signature of the token does not verify',
  )
  const payload = parseUtf8(verified)
  if (payload === undefined) throw malformed('token.claims', 'the claims are not UTF-8')
  return payload
}

async function verifyByAny(
  text: string,
  candidates: readonly TokenKey[],
): Promise<Uint8Array | undefined> {
  for (const { key, algorithm } of candidates) {
    try {
      return (await compactVerify(text, key, { algorithms: [algorithm] })).payload
    } catch {
      // Another key under the same name, or no good signature: the next one decides.
    }
  }
  return undefined
}

function checkSource(claims: TokenClaims, expectations: TokenExpectations, log: CheckLog): void {
  const issuer = TOKEN_ISSUERS[expectations.provider]
  log.demand(
    RULES.issuer,
    claims.issuer === issuer,
    { issuer: brief(claims.issuer), expected: issuer },
    'the token is from another issuer',
  )
  const [audience] = claims.audiences
  log.demand(
    RULES.audience,
    claims.audiences.length === 1 &&
      audience !== undefined &&
      expectations.audiences.includes(audience),
    {
      audiences: claims.audiences.slice(0, 4).map(brief).join(', '),
      accepted: expectations.audiences.join(', '),
    },
    'the token is not for operators alone',
  )
}

function checkTimes(claims: TokenClaims, nowSeconds: number, log: CheckLog) {
  const { expiresAt, notBefore, issuedAt } = claims
  const now = { now: String(nowSeconds) }
  log.demand(
    RULES.times,
    expiresAt !== undefined && issuedAt !== undefined,
    { exp: String(expiresAt), nbf: String(notBefore), iat: String(issuedAt) },
    'the token does not say from when until when it holds',
  )
  if (expiresAt === undefined || issuedAt === undefined) throw new RangeError('checked above')
  log.demand(
    RULES.expired,
    nowSeconds < expiresAt,
    { exp: String(expiresAt), ...now },
    'the token has expired',
    'Ask the launcher for a fresh token; one serves a single start.',
  )
  if (notBefore === undefined) log.skip(RULES.begun, { nbf: 'absent' })
  else
    log.demand(
      RULES.begun,
      notBefore <= nowSeconds,
      { nbf: String(notBefore), ...now },
      'the token does not hold yet',
    )
  log.demand(
    RULES.issued,
    issuedAt <= nowSeconds,
    { iat: String(issuedAt), ...now },
    'the token was issued in the future',
  )
  log.demand(
    RULES.lifetime,
    expiresAt - issuedAt <= MAX_LIFETIME_SECONDS,
    { seconds: String(expiresAt - issuedAt), limit: String(MAX_LIFETIME_SECONDS) },
    'the token holds longer than any that its issuer makes',
  )
  return { issuedAt, expiresAt }
}

/** @returns The image's version. */
function checkPlatform(
  claims: TokenClaims,
  { provider, projectId, minimumSwVersion }: TokenExpectations,
  log: CheckLog,
): number {
  log.allow(
    RULES.swName,
    claims.swName === 'CONFIDENTIAL_SPACE',
    { swname: brief(claims.swName) },
    'the guest is no Confidential Space image',
  )
  log.allow(
    RULES.hwModel,
    claims.hwModel === HARDWARE[provider],
    { hwmodel: brief(claims.hwModel), expected: HARDWARE[provider] },
    'the guest does not run on TDX',
  )
  if (provider === 'gcp')
    log.allow(
      RULES.attesterTcb,
      claims.attesterTcb.length === 1 && claims.attesterTcb[0] === 'INTEL',
      { attesterTcb: claims.attesterTcb.slice(0, 4).map(brief).join(', ') },
      'the evidence behind the token is not rooted in Intel hardware',
    )
  else
    log.allow(
      RULES.tcbStatus,
      claims.tcbStatus === 'UpToDate',
      { status: brief(claims.tcbStatus) },
      'the platform is not up to date',
    )
  const [version = ''] = claims.swVersion
  const swVersion = /^\d{6,8}$/.test(version) ? Number(version) : 0
  log.allow(
    RULES.swVersion,
    claims.swVersion.length === 1 && swVersion >= minimumSwVersion,
    {
      swversion: claims.swVersion.slice(0, 4).map(brief).join(', '),
      minimum: String(minimumSwVersion),
    },
    'the Confidential Space image is older than the operator allows',
  )
  if (claims.secureBoot === undefined) log.skip(RULES.secureBoot, { secboot: 'absent' })
  else
    log.allow(
      RULES.secureBoot,
      claims.secureBoot,
      { secboot: String(claims.secureBoot) },
      'the guest booted without secure boot',
    )
  log.allow(
    RULES.debug,
    claims.dbgStat === 'disabled-since-boot',
    { dbgstat: brief(claims.dbgStat) },
    'the guest can be debugged',
  )
  log.allow(
    RULES.support,
    claims.supportAttributes.includes('STABLE'),
    { attributes: claims.supportAttributes.slice(0, 8).map(brief).join(', ') },
    'the Confidential Space image is not a stable one',
  )
  log.allow(
    RULES.project,
    claims.projectId === projectId,
    { project: brief(claims.projectId), expected: projectId },
    'the guest runs in another project',
  )
  return swVersion
}

function checkRequest(claims: TokenClaims, expectations: TokenExpectations, log: CheckLog): void {
  const { rsaPem, extraData, appId } = expectations
  const expected = bytesToHex(sha256(concatBytes(rsaPem, extraData)))
  const [nonce = ''] = claims.nonces
  log.expect(
    RULES.nonce,
    claims.nonces.length === 1 && nonce.toLowerCase() === expected,
    { nonces: claims.nonces.slice(0, 4).map(brief).join(', '), expected },
    () =>
      new EigenxError({
        code: 'REPORT_DATA_MISMATCH',
        message: 'the token was made for another request',
        stage: 'evidence',
        details: { version: 1 },
        hint: 'The one eat_nonce must be hex(SHA-256(RSA key as PEM || extra data)).',
      }),
  )
  const { instanceName } = claims
  const dash = instanceName.lastIndexOf('-')
  log.expect(
    RULES.app,
    dash >= 0 && instanceName.slice(dash + 1) === appId,
    { instance: brief(instanceName), app: brief(appId) },
    () =>
      new EigenxError({
        code: 'APP_ID_MISMATCH',
        message: 'The token speaks for another app.',
        stage: 'evidence',
        details: { appId: appId.slice(0, 64) },
        hint: 'The name of the VM instance must end in a dash and the app id.',
      }),
  )
}

/** Claims are whatever their signer wrote: no check record gets longer by them. */
function brief(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? 'absent' : typeof value
  return text.length <= 128 ? text : `${text.slice(0, 128)}…`
}
