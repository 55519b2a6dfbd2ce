/**
 * `eigenx-tee/verify`: check hardware evidence offline, step by step, in Node.
 *
 * @example
 * ```ts
 * const { report, certificates } = parseAaSnpEvidence(json)
 * const { claims, checks } = verifySnp({ report, certificates }, AMD_ANCHORS, Math.floor(Date.now() / 1000))
 * appraiseSnp(claims, DEFAULT_SNP_POLICY)
 * ```
 *
 * A TDX quote needs Intel's collateral, with the evidence or of your own:
 * ```ts
 * const { quote, ...logs } = parseAaTdxEvidence(json)
 * const collateral = parseTdxCollateral(bundle)
 * const { claims } = verifyTdx({ quote, collateral }, INTEL_ANCHORS, nowSeconds)
 * checkTdxEventLogs(logs, claims.rtmrs)
 * appraiseTdx(claims, DEFAULT_TDX_POLICY, nowSeconds)
 * ```
 * @module
 */
export { parseAaSnpEvidence } from './attest/aa-snp.ts'
export { type AaTdxEvidence, parseAaTdxEvidence } from './attest/aa-tdx.ts'
export { AMD_ANCHORS, type SnpTrustAnchors } from './attest/anchors.ts'
export {
  azureNonce,
  bindAzureInitdata,
  checkAzureReportData,
} from './attest/azure-binding.ts'
export {
  type AzureSnpEvidence,
  type AzureTdxEvidence,
  parseAzureSnpEvidence,
  parseAzureTdxEvidence,
} from './attest/azure-evidence.ts'
export {
  type AllowedAzureImage,
  type AzurePolicy,
  appraiseAzure,
  DEFAULT_AZURE_POLICY,
} from './attest/azure-policy.ts'
export type {
  AzureClaims,
  AzureGuest,
  AzureSnpClaims,
  AzureTdxClaims,
  VerifiedAzure,
} from './attest/azure-types.ts'
export { verifyAzureSnp, verifyAzureTdx } from './attest/azure-verify.ts'
export { type BoundInitdata, bindInitdata } from './attest/binding.ts'
export {
  encodeTdxCollateral,
  parseTdxCollateral,
  type TdxCollateral,
} from './attest/collateral-bundle.ts'
export {
  newestCollateral,
  type OpenedCollateral,
  openCollateral,
  type TdxPlatform,
} from './attest/collateral-choice.ts'
export type { Crl } from './attest/crl.ts'
export { type CrlMemory, createCrlMemory } from './attest/crl-memory.ts'
export {
  EAT_PROFILE,
  type EatClaims,
  type EatResult,
  type EatSubmodule,
  type EatVerdict,
  toEatClaims,
} from './attest/eat.ts'
export { checkReplay, type LogEvent, type Rtmrs, replayEvents } from './attest/event-log.ts'
export { type AgentEvent, agentEvents, parseCcel, trimCcel } from './attest/event-log-ccel.ts'
export { type DstackLog, parseDstackLog } from './attest/event-log-dstack.ts'
export {
  checkReportData,
  type ReportDataV1,
  type ReportDataV2,
  reportDataV1,
  reportDataV2,
} from './attest/report-data.ts'
export {
  checkSnpRevocation,
  createSnpRevocationMemory,
  openCarriedSnpCrl,
  openSnpCrl,
  type SnpChain,
  type SnpCrl,
  type SnpCrlKind,
  type SnpCrlNumbers,
  type SnpCrlPolicy,
  type SnpRevocationMemory,
  snpChainOf,
} from './attest/snp-crl.ts'
export { appraiseTcbFloor, type FloorVerdict, type SnpTcbFloor } from './attest/snp-floor.ts'
export {
  type AllowedMeasurement,
  appraiseSnp,
  DEFAULT_SNP_POLICY,
  type SnpPolicy,
} from './attest/snp-policy.ts'
export { parseSnpReport, type SnpReport } from './attest/snp-report.ts'
export { type SnpEvidence, verifySnp } from './attest/snp-verify.ts'
export { INTEL_ANCHORS, type TdxTrustAnchors } from './attest/tdx-anchors.ts'
export { bindTdxInitdata } from './attest/tdx-binding.ts'
export { checkTdxEventLogs, type TdxEventLogs } from './attest/tdx-event-log.ts'
export {
  type AllowedTdxMeasurement,
  appraiseTdx,
  DEFAULT_TDX_POLICY,
  type TdxPolicy,
} from './attest/tdx-policy.ts'
export { parseTdxQuote, type QeReport, type TdReport, type TdxQuote } from './attest/tdx-quote.ts'
export { type TdxEvidence, type TdxSources, verifyTdx } from './attest/tdx-verify.ts'
export type {
  Advisory,
  Check,
  Claims,
  InitdataBinding,
  SnpClaims,
  SnpProduct,
  SnpTcb,
  TdxClaims,
  TdxTcb,
  TdxTcbStatus,
  Verified,
} from './attest/types.ts'
export { encodeWireSnpEvidence, parseWireSnpEvidence } from './attest/wire-snp.ts'
export {
  encodeWireTdxEvidence,
  parseWireTdxEvidence,
  type WireTdxEvidence,
} from './attest/wire-tdx.ts'
export { EigenxError, type ErrorCode, isEigenxError } from './errors.ts'
