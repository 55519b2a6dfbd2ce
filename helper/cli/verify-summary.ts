/**
 * What `verify` is given to judge evidence with, and what it learns of it, for people.
 * @module
 */
import type { Initdata } from '../../policy/types.ts'
import type { SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import type { AzureClaims } from '../../sdk/attest/azure-types.ts'
import type { OpenedCollateral } from '../../sdk/attest/collateral-choice.ts'
import type { SnpListName } from '../../sdk/attest/snp-list-names.ts'
import { DEFAULT_SNP_POLICY, type SnpPolicy } from '../../sdk/attest/snp-policy.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import type {
  Check,
  Claims,
  InitdataBinding,
  SnpClaims,
  TdxClaims,
} from '../../sdk/attest/types.ts'
import { bytesToHex, isZero } from '../../sdk/bytes.ts'

export type Authorities = { snp: SnpTrustAnchors; tdx: TdxTrustAnchors }

/** A list of AMD by the name of its file. */
export type GivenCrl = SnpListName & { der: Uint8Array }

export type EvidenceSources = {
  authorities: Authorities
  /** Of a binary SNP report. */
  certificates: readonly Uint8Array[]
  /** Counts before what came with the evidence. */
  collateral: readonly OpenedCollateral[]
  /** AMD's lists as they were given; of any product line. */
  crls: readonly GivenCrl[]
  /** Has to lead to the registers of a TDX quote. */
  eventLog: Uint8Array | undefined
  /** Privilege levels that an SNP report may be of. */
  vmpls: readonly number[]
  /** Unix seconds. */
  nowSeconds: number
}

/** Genuine evidence, and what is left to ask of it. */
export type Examined = {
  claims: Claims | AzureClaims
  summary: EvidenceSummary
  /** REPORT_DATA; on Azure the nonce of the vTPM's quote. */
  reportData: Uint8Array
  /** What `reportData` is for these 64 bytes of REPORT_DATA. */
  expected: (wanted: Uint8Array) => Uint8Array
  /** @throws EVIDENCE_NOT_ALLOWED, TCB_TOO_OLD */
  appraise: (checks: Check[]) => void
  /** @throws INITDATA_MISMATCH */
  bind: (document: Initdata, checks: Check[]) => InitdataBinding
}

export type EvidenceSummary = SnpSummary | TdxSummary | AzureSummary

export type SnpSummary = {
  tee: 'snp'
  product: string
  reportVersion: number
  signer: string
  vmpl: number
  measurement: string
  reportData: string
  hostData: string
  tcb: SnpClaims['tcb']['reported']
  advisories: SnpClaims['advisories']
}

export type TdxSummary = {
  tee: 'tdx'
  quoteVersion: number
  tdVersion: string
  fmspc: string
  tcbStatus: TdxClaims['tcb']['status']
  mrTd: string
  rtmrs: readonly string[]
  reportData: string
  mrConfigId: string
  /** ISO 8601: when the collateral runs out. */
  collateralExpires: string
  advisories: TdxClaims['advisories']
}

export type AzureSummary = {
  tee: AzureClaims['tee']
  vm: string
  secureBoot: boolean
  console: boolean
  /** extraData of the quote. */
  nonce: string
  /** Registers that are not zero. */
  pcrs: Readonly<Record<string, string>>
  hardware: SnpSummary | TdxSummary
  advisories: SnpSummary['advisories']
}

/** What an operator demands by default, but for old hosts. */
export function inspectionPolicy({ vmpls }: Pick<EvidenceSources, 'vmpls'>): SnpPolicy {
  return { ...DEFAULT_SNP_POLICY, minimumReportVersion: 2, vmpls }
}

export function summariseSnp(claims: SnpClaims): SnpSummary {
  return {
    tee: 'snp',
    product: claims.product,
    reportVersion: claims.reportVersion,
    signer: claims.cspId === undefined ? claims.signer : `${claims.signer} of ${claims.cspId}`,
    vmpl: claims.vmpl,
    measurement: bytesToHex(claims.measurement),
    reportData: bytesToHex(claims.reportData),
    hostData: bytesToHex(claims.hostData),
    tcb: claims.tcb.reported,
    advisories: claims.advisories,
  }
}

export function summariseTdx(claims: TdxClaims): TdxSummary {
  return {
    tee: 'tdx',
    quoteVersion: claims.quoteVersion,
    tdVersion: claims.tdVersion,
    fmspc: claims.fmspc,
    tcbStatus: claims.tcb.status,
    mrTd: bytesToHex(claims.mrTd),
    rtmrs: claims.rtmrs.map((value) => bytesToHex(value)),
    reportData: bytesToHex(claims.reportData),
    mrConfigId: bytesToHex(claims.mrConfigId),
    collateralExpires: new Date(1000 * claims.collateralExpires).toISOString(),
    advisories: claims.advisories,
  }
}

export function summariseAzure(claims: AzureClaims): AzureSummary {
  const { vm, vtpm, hardware } = claims
  const below = hardware.tee === 'snp' ? summariseSnp(hardware) : summariseTdx(hardware)
  return {
    tee: claims.tee,
    vm: vm.id,
    secureBoot: vm.secureBoot,
    console: vm.consoleEnabled,
    nonce: bytesToHex(vtpm.nonce),
    pcrs: Object.fromEntries(
      vtpm.pcrs.flatMap((value, index) => (isZero(value) ? [] : [[index, bytesToHex(value)]])),
    ),
    hardware: below,
    advisories: below.advisories,
  }
}
