/**
 * The claims of a Confidential Space attestation token, as Google and Intel write them.
 *
 * Form only: what a claim says is judged in `token-verify.ts`. Claims that are absent come out as undefined or empty, a claim of
 * another type than documented refuses the token; claims that nobody reads here may be anything.
 * Source: Google Cloud, "Confidential Space: attestation token claims"; Intel Trust Authority, attestation token of Confidential Space.
 * @module
 */
import { z } from 'zod'
import { malformed } from './checks.ts'
import { parseEvidenceJson } from './evidence-json.ts'

export type TokenProvider = 'gcp' | 'intel'

/** How the container was started. */
export type TokenContainer = {
  /** `sha256:` and 64 hex digits, of the manifest that was pulled. */
  imageDigest: string
  imageReference: string
  /** The whole command: entrypoint and arguments. */
  args: readonly string[]
  /** What whoever started the VM put in place of the image's arguments. */
  cmdOverride: readonly string[]
  /** All variables, and those of them that whoever started the VM set. */
  env: ReadonlyMap<string, string>
  envOverride: ReadonlyMap<string, string>
  restartPolicy: string
}

export type TokenClaims = {
  issuer: string
  audiences: readonly string[]
  /** Unix seconds. */
  expiresAt: number | undefined
  notBefore: number | undefined
  issuedAt: number | undefined
  jti: string
  nonces: readonly string[]
  swName: string
  swVersion: readonly string[]
  hwModel: string
  dbgStat: string
  secureBoot: boolean | undefined
  attesterTcb: readonly string[]
  /** Intel's evaluation of the platform's TCB; Intel tokens only. */
  tcbStatus: string
  supportAttributes: readonly string[]
  projectId: string
  instanceName: string
  container: TokenContainer
}

const MAX_ITEMS = 1024
const text = z.string().max(65_536)
const texts = z.array(text).max(MAX_ITEMS)
/** Go writes an empty list or map as null. */
const list = texts.nullish().transform((value) => value ?? [])
const oneOrMore = z.union([text, texts]).nullish()
const pairs = z
  .record(z.string(), text)
  .nullish()
  .transform((value) => new Map(Object.entries(value ?? {})))
const word = text.default('')
const seconds = z
  .bigint()
  .min(0n)
  .max(BigInt(Number.MAX_SAFE_INTEGER))
  .transform((value) => Number(value))
  .optional()

const NO_CONTAINER = {
  image_digest: '',
  image_reference: '',
  args: [],
  cmd_override: [],
  env: new Map<string, string>(),
  env_override: new Map<string, string>(),
  restart_policy: '',
}

const Claims = z.object({
  iss: word,
  aud: oneOrMore,
  exp: seconds,
  nbf: seconds,
  iat: seconds,
  jti: word,
  eat_nonce: oneOrMore,
  swname: word,
  swversion: list,
  hwmodel: word,
  dbgstat: word,
  secboot: z.boolean().optional(),
  attester_tcb: list,
  tdx: z
    .object({ gcp_attester_tcb_status: word })
    .optional()
    .transform((value) => value?.gcp_attester_tcb_status ?? ''),
  submods: z
    .object({
      confidential_space: z
        .object({ support_attributes: list })
        .optional()
        .transform((value) => value?.support_attributes ?? []),
      gce: z
        .object({ project_id: word, instance_name: word })
        .default({ project_id: '', instance_name: '' }),
      container: z
        .object({
          image_digest: word,
          image_reference: word,
          args: list,
          cmd_override: list,
          env: pairs,
          env_override: pairs,
          restart_policy: word,
        })
        .default(NO_CONTAINER),
    })
    .default({
      confidential_space: [],
      gce: { project_id: '', instance_name: '' },
      container: NO_CONTAINER,
    }),
})

/**
 * @param json - The signed payload. Numbers are integers, no key comes twice.
 * @throws EVIDENCE_MALFORMED naming the claim, INPUT_TOO_LARGE
 */
export function parseTokenClaims(json: string): TokenClaims {
  const parsed = Claims.safeParse(parseEvidenceJson(json, 'token.claims'))
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.map(String).join('.') ?? ''
    throw malformed(
      `token.${path}`.slice(0, 128),
      `the claim ${path.slice(0, 100)} has another type`,
    )
  }
  const claims = parsed.data
  const { container, gce, confidential_space } = claims.submods
  return {
    issuer: claims.iss,
    audiences: asList(claims.aud),
    expiresAt: claims.exp,
    notBefore: claims.nbf,
    issuedAt: claims.iat,
    jti: claims.jti,
    nonces: asList(claims.eat_nonce),
    swName: claims.swname,
    swVersion: claims.swversion,
    hwModel: claims.hwmodel,
    dbgStat: claims.dbgstat,
    secureBoot: claims.secboot,
    attesterTcb: claims.attester_tcb,
    tcbStatus: claims.tdx,
    supportAttributes: confidential_space,
    projectId: gce.project_id,
    instanceName: gce.instance_name,
    container: {
      imageDigest: container.image_digest,
      imageReference: container.image_reference,
      args: container.args,
      cmdOverride: container.cmd_override,
      env: container.env,
      envOverride: container.env_override,
      restartPolicy: container.restart_policy,
    },
  }
}

function asList(value: string | readonly string[] | null | undefined): readonly string[] {
  if (value === undefined || value === null) return []
  return typeof value === 'string' ? [value] : value
}
