/**
 * Evidence of either processor as `verify` sees it: told apart by content, verified, and summarised for people.
 *
 * The policies are an operator's defaults, but for old hosts of AMD: whoever inspects a report wants to know whether it is genuine.
 * @module
 */
import type { Initdata } from '../../policy/types.ts'
import { parseAaSnpEvidence } from '../../sdk/attest/aa-snp.ts'
import { parseAaTdxEvidence } from '../../sdk/attest/aa-tdx.ts'
import type { SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import { bindInitdata } from '../../sdk/attest/binding.ts'
import { newestCollateral, type OpenedCollateral } from '../../sdk/attest/collateral-choice.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY } from '../../sdk/attest/snp-policy.ts'
import { type SnpEvidence, verifySnp } from '../../sdk/attest/snp-verify.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import { bindTdxInitdata } from '../../sdk/attest/tdx-binding.ts'
import { checkTdxEventLogs } from '../../sdk/attest/tdx-event-log.ts'
import { appraiseTdx, DEFAULT_TDX_POLICY } from '../../sdk/attest/tdx-policy.ts'
import { verifyTdx } from '../../sdk/attest/tdx-verify.ts'
import type {
  Check,
  Claims,
  InitdataBinding,
  SnpClaims,
  TdxClaims,
} from '../../sdk/attest/types.ts'
import { parseWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { parseWireTdxEvidence, type WireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { bytesToHex, parseUtf8 } from '../../sdk/bytes.ts'
import type { Tee } from '../evidence.ts'

export type Authorities = { snp: SnpTrustAnchors; tdx: TdxTrustAnchors }

export type EvidenceSources = {
  authorities: Authorities
  /** Of a binary SNP report. */
  certificates: readonly Uint8Array[]
  /** Counts before what came with the evidence. */
  collateral: readonly OpenedCollateral[]
  /** Privilege levels that an SNP report may be of. */
  vmpls: readonly number[]
  /** Unix seconds. */
  nowSeconds: number
}

/** Genuine evidence, and what is left to ask of it. */
export type Examined = {
  claims: Claims
  summary: EvidenceSummary
  reportData: Uint8Array
  /** @throws EVIDENCE_NOT_ALLOWED, TCB_TOO_OLD */
  appraise: (checks: Check[]) => void
  /** @throws INITDATA_MISMATCH */
  bind: (document: Initdata, checks: Check[]) => InitdataBinding
}

export type EvidenceSummary = SnpSummary | TdxSummary

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

const BINARY_REPORT_BYTES = 1184
const TDX_TEE_TYPE = 0x81

/** Evidence is JSON or binary; initdata is TOML or base64, and begins with neither `{` nor NUL-ridden bytes. */
export function isEvidence(bytes: Uint8Array): boolean {
  const text = parseUtf8(bytes)
  return text === undefined || text.includes('\0') || text.trimStart().startsWith('{')
}

/** Whose evidence this claims to be; the parser has the last word. */
export function teeOf(bytes: Uint8Array): Tee {
  const text = textOf(bytes)
  if (text === undefined)
    return bytes.length !== BINARY_REPORT_BYTES && bytes[4] === TDX_TEE_TYPE ? 'tdx' : 'snp'
  return /"quote"\s*:/.test(text) && !/"attestation_report"\s*:/.test(text) ? 'tdx' : 'snp'
}

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID; `checks` tells where */
export function examine(bytes: Uint8Array, sources: EvidenceSources, checks: Check[]): Examined {
  return teeOf(bytes) === 'snp'
    ? examineSnp(bytes, sources, checks)
    : examineTdx(bytes, sources, checks)
}

function examineSnp(bytes: Uint8Array, sources: EvidenceSources, trace: Check[]): Examined {
  const { authorities, certificates, nowSeconds, vmpls } = sources
  const evidence = parseSnp(bytes, certificates)
  const { claims } = verifySnp(evidence, authorities.snp, nowSeconds, trace)
  const policy = { ...DEFAULT_SNP_POLICY, minimumReportVersion: 2, vmpls } as const
  return {
    claims,
    summary: summariseSnp(claims),
    reportData: claims.reportData,
    appraise: (checks) => void appraiseSnp(claims, policy, checks),
    bind: (document, checks) => bindInitdata(claims, document, [], checks).binding,
  }
}

function examineTdx(bytes: Uint8Array, sources: EvidenceSources, trace: Check[]): Examined {
  const { authorities, collateral, nowSeconds } = sources
  const evidence = parseTdx(bytes)
  const { claims } = verifyTdx(evidence, authorities.tdx, nowSeconds, trace, {
    findCollateral: (platform) => newestCollateral(collateral, platform, nowSeconds),
  })
  checkTdxEventLogs(evidence, claims.rtmrs, trace)
  return {
    claims,
    summary: summariseTdx(claims),
    reportData: claims.reportData,
    appraise: (checks) => void appraiseTdx(claims, DEFAULT_TDX_POLICY, nowSeconds, checks),
    bind: (document, checks) => bindTdxInitdata(claims, document, [], checks).binding,
  }
}

function parseSnp(bytes: Uint8Array, certificates: readonly Uint8Array[]): SnpEvidence {
  const text = textOf(bytes)
  if (text === undefined) return { report: bytes, certificates }
  // The agent's report is an object of fields; on the wire to the operators it is base64 text.
  const isWire = /"attestation_report"\s*:\s*"/.test(text)
  const parsed = isWire ? parseWireSnpEvidence(bytes) : parseAaSnpEvidence(text)
  return { report: parsed.report, certificates: [...parsed.certificates, ...certificates] }
}

function parseTdx(bytes: Uint8Array): WireTdxEvidence {
  const text = textOf(bytes)
  if (text === undefined) return { quote: bytes }
  // The agent names its logs in another way than the wire does.
  return /"(cc|aa)_eventlog"\s*:/.test(text)
    ? parseAaTdxEvidence(text)
    : parseWireTdxEvidence(bytes)
}

function textOf(bytes: Uint8Array): string | undefined {
  const text = bytes.length === BINARY_REPORT_BYTES ? undefined : parseUtf8(bytes)
  return text?.trimStart().startsWith('{') === true ? text : undefined
}

function summariseSnp(claims: SnpClaims): SnpSummary {
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

function summariseTdx(claims: TdxClaims): TdxSummary {
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
