/**
 * `eigenx-tee/verify`: check hardware evidence offline, step by step, in Node.
 *
 * @example
 * ```ts
 * const { report, certificates } = parseAaSnpEvidence(json)
 * const { claims, checks } = verifySnp({ report, certificates }, AMD_ANCHORS, Math.floor(Date.now() / 1000))
 * appraiseSnp(claims, DEFAULT_SNP_POLICY)
 * ```
 * @module
 */
export { parseAaSnpEvidence } from './attest/aa-snp.ts'
export { AMD_ANCHORS, type SnpTrustAnchors } from './attest/anchors.ts'
export { bindInitdata } from './attest/binding.ts'
export {
  checkReportData,
  type ReportDataV1,
  type ReportDataV2,
  reportDataV1,
  reportDataV2,
} from './attest/report-data.ts'
export { appraiseSnp, DEFAULT_SNP_POLICY, type SnpPolicy } from './attest/snp-policy.ts'
export { parseSnpReport } from './attest/snp-report.ts'
export { type SnpEvidence, verifySnp } from './attest/snp-verify.ts'
export type {
  Advisory,
  Check,
  Claims,
  InitdataBinding,
  SnpClaims,
  SnpProduct,
  SnpTcb,
  Verified,
} from './attest/types.ts'
export { encodeWireSnpEvidence, parseWireSnpEvidence } from './attest/wire-snp.ts'
export { EigenxError, isEigenxError } from './errors.ts'
