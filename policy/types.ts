/**
 * What the analysis of initdata and policy.rego says, as data.
 * @module
 */

import type { TcbFloor } from './tcb-floor.ts'

export type InitdataAlgorithm = 'sha256' | 'sha384' | 'sha512'

/** One well-formed initdata document. */
export type Initdata = {
  version: string
  algorithm: InitdataAlgorithm
  /** The `[data]` table: file name -> content. */
  data: Readonly<Record<string, string>>
  /** How it arrived. */
  encoding: 'toml' | 'base64-gzip'
  /** The bytes as received: REPORT_DATA v1 hashes these. */
  received: Uint8Array
  /** The decoded TOML bytes: REPORT_DATA v2, HOST_DATA, MRCONFIGID and the release's pin hash these. */
  toml: Uint8Array
  /** SHA-384 of `toml`, 48 bytes. */
  sha384: Uint8Array
  /** Digest of `toml` by the declared algorithm; what HOST_DATA holds, truncated or zero-padded. */
  digest: Uint8Array
}

/** `refuse` blocks a grant, `warn` is shown, `info` explains. */
export type Severity = 'refuse' | 'warn' | 'info'

export type Finding = {
  /** Stable SCREAMING_SNAKE code. */
  code: string
  severity: Severity
  /** Path in the document, e.g. `policy.rego#policy_data.containers[1].OCI.Process.Args`. */
  path: string
  /** One plain sentence. */
  message: string
}

/** What one known rule set enforces, by hash. */
export type RuleSet = {
  /** SHA-256 of the rules half, lower-case hex. */
  sha256: string
  name: string
  /** Kata release or ours. */
  version: string
  pinsImage: 'dm-verity' | 'digest' | false
  pinsCommand: boolean
  pinsEnv: boolean
}

/** A row of the table of rule sets, and how its data half is written. */
export type KnownRuleSet = RuleSet & {
  shape: 'kata' | 'eigenx'
  /** False for a set that is listed by its name alone: nobody has read what it enforces. */
  reviewed: boolean
  /**
   * SHA-256 of `policy_data.common` as canonical JSON, as the tool ships it. The rules build their patterns from
   * these values, so other values would be other rules.
   */
  commonSha256?: string
}

/** One container that the policy admits. */
export type PolicyContainer = {
  path: string
  isSandbox: boolean
  /** The reference as written, and its digest (`sha256:<hex>`) where it carries one. */
  image?: { reference: string; digest?: string }
  /** dm-verity root hashes of the layers, where the policy pins them. */
  layerRoots: readonly string[]
  args: readonly string[]
  env: readonly string[]
  /** False where a macro in an argument lets the host choose it. */
  argsExact: boolean
  /** Commands the host may exec in it. */
  execCommands: readonly string[]
}

export type PolicyAnalysis = {
  rules: RuleSet | undefined
  /** SHA-256 of the rules half, hex; present whenever the text could be split. */
  rulesSha256: string | undefined
  /** The host may read the containers' output. */
  logsReadable: boolean
  containers: readonly PolicyContainer[]
  findings: readonly Finding[]
}

/** What a grant may be marked with: in which way it was weaker than it could be. A release can refuse any of them. */
export const GRANT_MARKS = [
  /** Nobody vouches for the initdata but whoever sent the request. */
  'self-asserted-initdata',
  /** The launch measurement is not known to cover the guest image. */
  'unmeasured-image',
  /** The platform's TCB is too old, and its days of grace are not over. */
  'tcb-grace',
  /** The older REPORT_DATA form, which carries no freshness and no chain. */
  'report-data-v1',
  /** The release pins an image, but not its command or environment, nor the initdata. */
  'digest-only',
  /** Granted to the app's creator, not to attested code. */
  'owner-not-attested',
  /** The older ecdsa message, which does not cover the RSA key. */
  'ecdsa-legacy',
  /** Google or Intel vouch for the guest in a token; there is no raw evidence and no initdata. */
  'confidential-space',
] as const

/** What the release demands of the pod; `policy/release.ts` makes it from the on-chain release. */
export type ReleaseDemand = {
  /** `sha256:<hex>` of the app's image. */
  imageDigest: string
  /** Further containers' digests (EIGENX_TEE_IMAGES). */
  additionalImages: readonly string[]
  /**
   * SHA-256 (hex) of the whole command of further containers, by digest: `sha256:<hex>=<hex>` in
   * EIGENX_TEE_IMAGES. Without one the digest alone is no statement about what runs.
   */
  additionalArgs?: Readonly<Record<string, readonly string[]>>
  /** dm-verity root hashes of an image's layers, by digest (EIGENX_TEE_LAYER_ROOTS). */
  layerRoots?: Readonly<Record<string, readonly string[]>>
  /** EIGENX_TEE_ALLOW_LOGS is "true": the host may read the containers' output. */
  allowLogs?: boolean
  /** Lower-case hex SHA-384 of allowed initdata (EIGENX_TEE_INITDATA_SHA384). */
  initdataSha384: readonly string[]
  /** EIGENX_TEE_MIN_BINDING, where set. */
  minBinding: 'launch' | 'report_data' | undefined
  /** What the release demands of the platform, beside the operator's own rules and never against them. */
  appraisal?: ReleaseAppraisal
  containerPolicy: {
    args: readonly string[]
    cmdOverride: readonly string[]
    env: Readonly<Record<string, string>>
    envOverride: Readonly<Record<string, string>>
    restartPolicy: string
  }
}

/** Each list that is absent demands nothing. */
export type ReleaseAppraisal = {
  /** Attestation methods that may get the key (EIGENX_TEE_METHODS). */
  methods?: readonly string[]
  /** Allowed launches: MEASUREMENT or MRTD, lower-case hex (EIGENX_TEE_MEASUREMENTS). */
  measurements?: readonly string[]
  /** Allowed TCB statuses of TDX platforms (EIGENX_TEE_TDX_STATUSES). */
  tdxStatuses?: readonly string[]
  /** Lowest TCB of SEV-SNP platforms by product line; a line that is not there gets no key (EIGENX_TEE_MINIMUM_SNP_TCB). */
  minimumSnpTcb?: ReadonlyMap<string, TcbFloor>
  /** Marks that no grant may carry (EIGENX_TEE_REFUSE_MARKS). */
  refusedMarks?: readonly (typeof GRANT_MARKS)[number][]
}

export type PolicyVerdict = {
  allowed: boolean
  /** What ties the pod to the release, where allowed. */
  pinnedBy: 'initdata' | 'container-policy' | 'digest-only' | undefined
  findings: readonly Finding[]
  analysis: PolicyAnalysis | undefined
}
