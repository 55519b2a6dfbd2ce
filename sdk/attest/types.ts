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
  /**
   * The endorsement key certificate that vouches for the report; times are Unix seconds. Serial numbers, its own and that of the
   * authority that signed it, are lower-case hex without leading zero bytes.
   */
  leaf: {
    sha256: string
    notBefore: number
    notAfter: number
    serial: string
    issuerSerial: string
  }
  /** u64; report version 5 and up. */
  launchMitigations?: bigint
  currentMitigations?: bigint
  advisories: readonly Advisory[]
}

/** The outcome of Intel's TCB evaluation. `NotSupported`: the collateral has no level that the platform reaches. */
export type TdxTcbStatus =
  | 'UpToDate'
  | 'SWHardeningNeeded'
  | 'ConfigurationNeeded'
  | 'ConfigurationAndSWHardeningNeeded'
  | 'OutOfDate'
  | 'OutOfDateConfigurationNeeded'
  | 'TDRelaunchAdvised'
  | 'TDRelaunchAdvisedConfigurationNeeded'
  | 'Revoked'
  | 'NotSupported'

export type TdxTcb = {
  status: TdxTcbStatus
  /** Unix seconds: the earliest date of the levels that decided. */
  date: number
  /** Unix seconds: since when a better level than the one reached exists; absent where nothing is out of date. */
  supersededAt?: number
  /** Of each part by itself. `module` and `current` only where the quote has them. */
  platform: TdxTcbStatus
  module?: TdxTcbStatus
  quotingEnclave: TdxTcbStatus
  /** TD 1.5: the evaluation of the module that runs now, where `status` began with the one at launch. */
  current?: TdxTcbStatus
  /** tcbEvaluationDataNumber of both documents. */
  evaluationNumbers: { tcbInfo: number; qeIdentity: number }
}

/** Facts read from verified, signed bytes only. Measurements have 48 bytes. */
export type TdxClaims = {
  tee: 'tdx'
  quoteVersion: 4 | 5
  tdVersion: '1.0' | '1.5'
  /** Lower-case hex: the kind of platform (6 bytes) and of provisioning enclave (2 bytes). */
  fmspc: string
  pceId: string
  tcb: TdxTcb
  /** 16 bytes each: SVNs at launch, and on TD 1.5 those of the module that runs now. */
  teeTcbSvn: Uint8Array
  teeTcbSvn2?: Uint8Array
  mrSeam: Uint8Array
  mrSignerSeam: Uint8Array
  seamAttributes: bigint
  tdAttributes: bigint
  xfam: bigint
  mrTd: Uint8Array
  mrConfigId: Uint8Array
  mrOwner: Uint8Array
  mrOwnerConfig: Uint8Array
  rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  /** 64 bytes. */
  reportData: Uint8Array
  /** TD 1.5: hash over the service TDs that are bound; zero where none is. */
  mrServiceTd?: Uint8Array
  quotingEnclave: { isvSvn: number; mrEnclave: Uint8Array }
  /** The PCK certificate; times are Unix seconds. `platformInstanceId` has 16 bytes. */
  leaf: {
    sha256: string
    notBefore: number
    notAfter: number
    ppid: Uint8Array
    pceSvn: number
    platformInstanceId: Uint8Array
    dynamicPlatform: boolean
    cachedKeys: boolean
    smt: boolean
  }
  /** Unix seconds: the first date on which one of the collateral's documents runs out. */
  collateralExpires: number
  /** Intel's ids for the levels that decided. */
  advisories: readonly Advisory[]
}

export type Claims = SnpClaims | TdxClaims

/** The outcome of verifying evidence: claims and the checks, all passed or not applicable. */
export type Verified<C extends Claims = Claims> = { claims: C; checks: readonly Check[] }
