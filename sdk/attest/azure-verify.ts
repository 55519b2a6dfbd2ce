/**
 * Is this evidence of an Azure confidential VM genuine? The hardware report against pinned roots, then down to the vTPM's registers.
 *
 * Says nothing about whether the VM is wanted: that is `appraiseAzure`, and the hardware's own policy.
 * @module
 */
import { bytesToHex } from '../bytes.ts'
import type { SnpTrustAnchors } from './anchors.ts'
import type { AzureSnpEvidence, AzureTdxEvidence } from './azure-evidence.ts'
import { type HclReport, parseHclReport } from './azure-hcl.ts'
import {
  parseTdReportStruct,
  type TdReportStruct,
  tdReportEqualsQuote,
  tdReportHashesHold,
} from './azure-tdreport.ts'
import type { AzureSnpClaims, AzureTdxClaims, VerifiedAzure } from './azure-types.ts'
import { type VerifiedVtpm, verifyVtpm } from './azure-vtpm.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import { verifySnp } from './snp-verify.ts'
import type { TdxTrustAnchors } from './tdx-anchors.ts'
import { type TdxSources, verifyTdx, verifyTdxQuote } from './tdx-verify.ts'
import type { Check } from './types.ts'

const TD_REPORT = 'Intel TDX Module ABI, TDREPORT_STRUCT'
const RULES = {
  tee: { name: 'azure.hardware', source: 'Microsoft, CVM guest attestation design' },
  tdReportHashes: { name: 'azure.tdreport-hashes', source: TD_REPORT },
  tdReport: { name: 'azure.tdreport-equals-quote', source: TD_REPORT },
} as const satisfies Record<string, Rule>

/**
 * @param nowSeconds - Unix time at which certificates must be valid.
 * @param trace - Filled with every check in order, also when one of them throws.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID
 */
export function verifyAzureSnp(
  evidence: AzureSnpEvidence,
  anchors: SnpTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
): VerifiedAzure<AzureSnpClaims> {
  const log: CheckLog = createCheckLog(trace)
  const { version, quote } = evidence
  const hcl = openHcl(evidence.hclReport, 'snp', log)
  const snp = { report: hcl.hardware, certificates: [evidence.vcek] }
  const { claims: hardware } = verifySnp(snp, anchors, nowSeconds, trace)
  const found = verifyVtpm({ version, reportData: hardware.reportData, hcl, quote }, log)
  return {
    claims: { tee: 'az-snp-vtpm', evidenceVersion: version, hardware, ...found },
    checks: log.checks,
  }
}

/**
 * @param evidence - The agent knows no collateral; whoever sends it on may add it, or `sources` has it.
 * @param nowSeconds - Unix time at which certificates, lists and collateral must be valid.
 * @param trace - Filled with every check in order, also when one of them throws.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID; COLLATERAL_UNAVAILABLE where neither the evidence nor `sources` has collateral
 *   for the platform
 */
export function verifyAzureTdx(
  evidence: AzureTdxEvidence,
  anchors: TdxTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
  sources: TdxSources = {},
): VerifiedAzure<AzureTdxClaims> {
  const { version, tdQuote, collateral } = evidence
  const tdx = { quote: tdQuote, ...(collateral === undefined ? {} : { collateral }) }
  const verifyQuote = () => {
    const { claims } = verifyTdx(tdx, anchors, nowSeconds, trace, sources)
    return { hardware: claims, reportData: claims.reportData }
  }
  const { hardware, ...found } = verifyTdVm(evidence, verifyQuote, trace)
  return {
    claims: { tee: 'az-tdx-vtpm', evidenceVersion: version, hardware, ...found },
    checks: trace,
  }
}

/**
 * The part of `verifyAzureTdx` that needs no collateral: see `verifyTdxQuote` for what it does not say.
 *
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID
 */
export function verifyAzureTdxQuote(
  evidence: AzureTdxEvidence,
  anchors: TdxTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
): VerifiedVtpm & { hardware: ReturnType<typeof verifyTdxQuote> } {
  const verifyQuote = () => {
    const hardware = verifyTdxQuote(evidence.tdQuote, anchors, nowSeconds, trace)
    return { hardware, reportData: hardware.quote.report.reportData }
  }
  return verifyTdVm(evidence, verifyQuote, trace)
}

function verifyTdVm<T>(
  { version, hclReport, tdQuote, quote }: AzureTdxEvidence,
  verifyQuote: () => { hardware: T; reportData: Uint8Array },
  trace: Check[],
): VerifiedVtpm & { hardware: T } {
  const log: CheckLog = createCheckLog(trace)
  const hcl = openHcl(hclReport, 'tdx', log)
  const tdReport = parseTdReportStruct(hcl.hardware)
  const { hardware, reportData } = verifyQuote()
  checkTdReport(tdReport, tdQuote, log)
  return { hardware, ...verifyVtpm({ version, reportData, hcl, quote }, log) }
}

function checkTdReport(tdReport: TdReportStruct, tdQuote: Uint8Array, log: CheckLog): void {
  log.demand(
    RULES.tdReportHashes,
    tdReportHashesHold(tdReport),
    {},
    'the TDREPORT does not hash what it contains',
  )
  log.demand(
    RULES.tdReport,
    tdReportEqualsQuote(tdReport, tdQuote),
    { reportData: bytesToHex(tdReport.reportData) },
    'the quote was made from another TDREPORT',
  )
}

function openHcl(bytes: Uint8Array, tee: HclReport['tee'], log: CheckLog): HclReport {
  const hcl = parseHclReport(bytes)
  log.demand(
    RULES.tee,
    hcl.tee === tee,
    { report: hcl.tee, method: tee, hclVersion: String(hcl.version) },
    'the report is of another kind of hardware than the evidence',
  )
  return hcl
}
