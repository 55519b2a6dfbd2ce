/**
 * The method `eigenx-tdx`: Intel TDX quotes and the initdata they vouch for. No I/O: collateral comes with the evidence, or is already here.
 *
 * The order is that of `snp.ts`. MRCONFIGID is written by the host, as HOST_DATA is: it vouches for a document only under a known launch that
 * covers the guest image.
 * @module
 */
import { parseInitdata } from '../../policy/initdata.ts'
import { checkReportData } from '../../sdk/attest/report-data.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import { bindTdxInitdata } from '../../sdk/attest/tdx-binding.ts'
import { checkTdxEventLogs } from '../../sdk/attest/tdx-event-log.ts'
import { appraiseTdx, type TdxPolicy } from '../../sdk/attest/tdx-policy.ts'
import { type TdxSources, verifyTdx } from '../../sdk/attest/tdx-verify.ts'
import type { TdxClaims } from '../../sdk/attest/types.ts'
import { parseWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { EigenxError } from '../../sdk/errors.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import { demandReportData, demandVouched, type PodJudgement, type ReportedData } from './guest.ts'
import type { EvidenceDeps } from './settings.ts'
import type { DecisionTrail } from './trail.ts'

export const TDX_METHOD = 'eigenx-tdx'

/** What TDX evidence is verified with. */
export type TdxDeps = { anchors: TdxTrustAnchors; sources: TdxSources }

/**
 * @param nowSeconds - Unix seconds, for certificates, collateral and the grace period.
 * @throws EigenxError; `trail.step` tells where.
 */
export function judgeTdx(
  deps: EvidenceDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): PodJudgement {
  const claims = openTdx(deps, request.attestation, trail, nowSeconds)

  trail.step = 'initdata'
  const initdata = parseInitdata(request.ccInitData)

  const compare: ReportedData['compare'] = (expected, version) =>
    checkReportData(claims.reportData, expected, version, trail.checks)
  demandReportData(deps, request, { tee: 'tdx', method: TDX_METHOD, initdata, compare }, trail)

  trail.step = 'binding'
  const bound = bindTdxInitdata(claims, initdata, deps.settings.tdx.measurements, trail.checks)
  demandVouched(deps, bound, 'MRCONFIGID', trail)
  const { mrTd, tcb } = claims
  const measurement = bytesToHex(mrTd)
  const { vouchedBy } = bound
  return { initdata, vouchedBy, measurement, tcbStatus: tcb.status, snpTcb: undefined }
}

/** Genuine, and of a TD that this operator serves. @throws as `judgeTdx` */
export function openTdx(
  deps: EvidenceDeps,
  attestation: Uint8Array,
  trail: DecisionTrail,
  nowSeconds: number,
): TdxClaims {
  trail.step = 'evidence'
  const { anchors, sources } = demandTdxDeps(deps, TDX_METHOD)
  const evidence = parseWireTdxEvidence(attestation)
  const { claims } = verifyTdx(evidence, anchors, nowSeconds, trail.checks, sources)
  checkTdxEventLogs(evidence, claims.rtmrs, trail.checks)

  demandTdxPlatform(claims, deps.settings.tdx, trail, nowSeconds)
  return claims
}

/** The operator's rules for the platform and the TD. @throws EigenxError EVIDENCE_NOT_ALLOWED, TCB_TOO_OLD */
export function demandTdxPlatform(
  claims: TdxClaims,
  policy: TdxPolicy,
  trail: DecisionTrail,
  nowSeconds: number,
): void {
  trail.step = 'appraise'
  appraiseTdx(claims, policy, nowSeconds, trail.checks)
  // What is not allowed by its status was let through by the days of grace.
  if (!policy.statuses.some((status) => status === claims.tcb.status)) trail.marks.push('tcb-grace')
}

/** @throws EigenxError METHOD_NOT_READY */
export function demandTdxDeps({ tdx }: EvidenceDeps, method: string): TdxDeps {
  if (tdx !== undefined) return tdx
  throw new EigenxError({
    code: 'METHOD_NOT_READY',
    message: 'this operator has nothing to verify TDX evidence with',
    stage: 'request',
    details: { method },
  })
}
