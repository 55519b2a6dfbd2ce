/**
 * The method `eigenx-tdx`: Intel TDX quotes and the initdata they vouch for. No I/O: collateral comes with the evidence, or is already here.
 *
 * The order is that of `snp.ts`. MRCONFIGID is written by the host, as HOST_DATA is: it vouches for a document only under a known launch that
 * covers the guest image.
 * @module
 */
import { parseInitdata } from '../../policy/initdata.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import { bindTdxInitdata } from '../../sdk/attest/tdx-binding.ts'
import { checkTdxEventLogs } from '../../sdk/attest/tdx-event-log.ts'
import { appraiseTdx } from '../../sdk/attest/tdx-policy.ts'
import { type TdxSources, verifyTdx } from '../../sdk/attest/tdx-verify.ts'
import { parseWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { EigenxError } from '../../sdk/errors.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import { demandReportData, demandVouched, type PodJudgement } from './guest.ts'
import type { DecisionDeps } from './settings.ts'
import type { DecisionTrail } from './trail.ts'

export const TDX_METHOD = 'eigenx-tdx'

/** What TDX evidence is verified with. */
export type TdxDeps = { anchors: TdxTrustAnchors; sources: TdxSources }

/**
 * @param nowSeconds - Unix seconds, for certificates, collateral and the grace period.
 * @throws EigenxError; `trail.step` tells where.
 */
export function judgeTdx(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): PodJudgement {
  trail.step = 'evidence'
  const { tdx } = deps
  if (tdx === undefined) throw notConfigured()
  const evidence = parseWireTdxEvidence(request.attestation)
  const { claims } = verifyTdx(evidence, tdx.anchors, nowSeconds, trail.checks, tdx.sources)
  checkTdxEventLogs(evidence, claims.rtmrs, trail.checks)

  trail.step = 'appraise'
  appraiseTdx(claims, deps.settings.tdx, nowSeconds, trail.checks)

  trail.step = 'initdata'
  const initdata = parseInitdata(request.ccInitData)

  const { reportData } = claims
  const reported = { tee: 'tdx', method: TDX_METHOD, reportData, initdata } as const
  demandReportData(deps, request, reported, trail)

  trail.step = 'binding'
  const bound = bindTdxInitdata(claims, initdata, deps.settings.tdx.measurements, trail.checks)
  demandVouched(deps, bound, 'MRCONFIGID', trail)
  return { initdata, vouchedBy: bound.vouchedBy }
}

const notConfigured = () =>
  new EigenxError({
    code: 'METHOD_NOT_READY',
    message: 'this operator has nothing to verify TDX evidence with',
    stage: 'request',
    details: { method: TDX_METHOD },
  })
