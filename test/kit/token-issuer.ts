/** An issuer of Confidential Space tokens with keys of its own: the smallest token that passes, each test changes one thing. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactSign } from 'jose'
import type { TokenProvider } from '../../sdk/attest/token-claims.ts'
import { TOKEN_ISSUERS } from '../../sdk/attest/token-verify.ts'

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }
export type JsonObject = { readonly [key: string]: Json | undefined }

export const PROJECT = 'eigen-pods'
export const TOKEN_IMAGE = `sha256:${'11'.repeat(32)}`

export type IssuerKey = { kid: string; alg: string; privateKey: KeyObject }

export type TokenRequest = {
  provider?: TokenProvider
  appId: string
  rsaPem: Uint8Array
  extraData?: Uint8Array
  /** Unix seconds. */
  now: number
  jti?: string
}

export function makeIssuerKey(kid: string, alg = 'RS256', bits = 2048): IssuerKey {
  return { kid, alg, privateKey: generateKeyPairSync('rsa', { modulusLength: bits }).privateKey }
}

export function publicJwk({ kid, alg, privateKey }: IssuerKey): JsonObject {
  const { kty, n, e } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { kty, n, e, kid, alg, use: 'sig' }
}

export function makeJwks(...keys: readonly IssuerKey[]): string {
  return JSON.stringify({ keys: keys.map(publicJwk) })
}

/** What an honest pod gets from its launcher. */
export function makeClaims(request: TokenRequest): JsonObject {
  const provider = request.provider ?? 'gcp'
  const nonce = createHash('sha256')
    .update(request.rsaPem)
    .update(request.extraData ?? new Uint8Array())
    .digest('hex')
  return {
    iss: TOKEN_ISSUERS[provider],
    aud: 'EigenX KMS',
    sub: `https://www.googleapis.com/compute/v1/projects/${PROJECT}/zones/us-central1-a/instances/1`,
    iat: request.now - 10,
    nbf: request.now - 10,
    exp: request.now + 3590,
    jti: request.jti ?? crypto.randomUUID(),
    eat_nonce: provider === 'gcp' ? nonce : [nonce],
    eat_profile:
      'https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims',
    secboot: true,
    oemid: 11129,
    swname: 'CONFIDENTIAL_SPACE',
    swversion: ['250301'],
    dbgstat: 'disabled-since-boot',
    ...(provider === 'gcp'
      ? { hwmodel: 'GCP_INTEL_TDX', attester_tcb: ['INTEL'] }
      : {
          hwmodel: 'INTEL_TDX',
          tdx: {
            gcp_attester_tcb_status: 'UpToDate',
            gcp_attester_tcb_date: '2025-05-14T00:00:00Z',
          },
        }),
    google_service_accounts: [`pod@${PROJECT}.iam.gserviceaccount.com`],
    submods: {
      confidential_space: { support_attributes: ['LATEST', 'STABLE', 'USABLE'] },
      gce: {
        zone: 'us-central1-a',
        project_id: PROJECT,
        project_number: '1',
        instance_name: `tee-${request.appId}`,
        instance_id: '1',
      },
      container: {
        image_reference: 'ghcr.io/example/app:1',
        image_digest: TOKEN_IMAGE,
        image_id: `sha256:${'12'.repeat(32)}`,
        restart_policy: 'Never',
        args: ['/usr/bin/app', '--serve'],
        cmd_override: null,
        env: { PATH: '/usr/bin', HOSTNAME: 'pod' },
        env_override: null,
      },
    },
  }
}

export type SignOptions = {
  /** The protected header, whole. */
  header?: JsonObject
  /** The payload's text instead of the claims. */
  text?: string
}

export async function signToken(
  key: IssuerKey,
  claims: JsonObject,
  options: SignOptions = {},
): Promise<Uint8Array> {
  const header = { alg: key.alg, kid: key.kid, typ: 'JWT', ...options.header }
  const payload = Buffer.from(options.text ?? JSON.stringify(claims))
  const compact = await new CompactSign(payload).setProtectedHeader(header).sign(key.privateKey)
  return new Uint8Array(Buffer.from(compact))
}

/** `changed(claims, 'submods.gce.project_id', 'x')`; undefined takes the claim away. */
export function changed(claims: JsonObject, path: string, value: Json | undefined): JsonObject {
  const [head = '', ...rest] = path.split('.')
  if (rest.length === 0) return { ...claims, [head]: value }
  const inner = claims[head]
  const object = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : {}
  return { ...claims, [head]: changed(object as JsonObject, rest.join('.'), value) }
}

/** Header, payload and signature put together by hand, for what no library signs. */
export function assemble(header: JsonObject, payload: string, signature: Uint8Array): Uint8Array {
  const segment = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64url')
  const parts = [segment(JSON.stringify(header)), segment(payload), segment(signature)]
  return new Uint8Array(Buffer.from(parts.join('.')))
}
