/**
 * What every attestation method returns, and the ordered list of named checks that led there.
 * @module
 */

/** One named check of a verification: data for `verify --explain`, the audit log and refusals. */
export type Check = {
  /** Stable kebab-case name, e.g. `snp.leaf-tcb-equals-reported`. */
  name: string
  result: 'passed' | 'failed' | 'not-applicable'
  /** What was compared, as short public text (hex, numbers, dates, names). Never a secret. */
  inputs: Readonly<Record<string, string>>
  /** Where the rule comes from, e.g. `AMD 56860 Table 23`. */
  source: string
}

/** What the hardware really anchored the initdata with; strongest first. */
export type InitdataBinding = 'host_data' | 'mr_config_id' | 'pcr8' | 'report_data'

export type SnpProduct = 'Milan' | 'Genoa' | 'Turin'

/** TCB by component, each 0..255; `fmc` on Turin only. */
export type SnpTcb = {
  fmc?: number
  bootloader: number
  tee: number
  snp: number
  microcode: number
}

export type FirmwareVersion = { major: number; minor: number; build: number }

/** The launch POLICY word; the booleans are the bits that a verifier may care about. */
export type SnpGuestPolicy = {
  raw: bigint
  abiMajor: number
  abiMinor: number
  debug: boolean
  migrateMa: boolean
  smt: boolean
  singleSocket: boolean
  cxl: boolean
  memAes256Xts: boolean
  raplDisabled: boolean
  ciphertextHiding: boolean
  pageSwapDisabled: boolean
}

/** A published weakness that no check of the evidence can undo. */
export type Advisory = { id: string; message: string }

/** Facts read from verified, signed bytes only. */
export type SnpClaims = {
  tee: 'snp'
  product: SnpProduct
  reportVersion: number
  signer: 'VCEK' | 'VLEK'
  /** CSP_ID of a VLEK. */
  cspId?: string
  tcb: { reported: SnpTcb; current: SnpTcb; committed: SnpTcb; launch: SnpTcb }
  vmpl: number
  guestSvn: number
  /** 48 bytes. */
  measurement: Uint8Array
  /** 64 bytes. */
  reportData: Uint8Array
  /** 32 bytes. */
  hostData: Uint8Array
  /** 64 bytes; all zero under a VLEK. */
  chipId: Uint8Array
  idKeyDigest: Uint8Array
  authorKeyDigest: Uint8Array
  familyId: Uint8Array
  imageId: Uint8Array
  /** The ID block was signed with an author key, so `authorKeyDigest` says something. */
  authorKeyEnabled: boolean
  /** 32 bytes each; `reportIdMa` is all 0xff where no migration agent is bound. */
  reportId: Uint8Array
  reportIdMa: Uint8Array
  policy: SnpGuestPolicy
  platformInfo: bigint
  /** SNP firmware version that runs and the one it cannot be rolled back below. */
  firmware: { current: FirmwareVersion; committed: FirmwareVersion }
  /** Combined family, extended model and stepping; report version 3 and up. */
  cpuid?: { family: number; model: number; stepping: number }
  /** The endorsement key certificate that vouches for the report; times are Unix seconds. */
  leaf: { sha256: string; notBefore: number; notAfter: number }
  /** u64; report version 5 and up. */
  launchMitigations?: bigint
  currentMitigations?: bigint
  advisories: readonly Advisory[]
}

export type Claims = SnpClaims

/** The outcome of verifying evidence: claims and the checks, all passed or not applicable. */
export type Verified<C extends Claims = Claims> = { claims: C; checks: readonly Check[] }
