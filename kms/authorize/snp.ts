/**
 * The method `eigenx-snp`: AMD SEV-SNP evidence and the initdata it vouches for. No I/O.
 *
 * Order: authenticity of the evidence, the operator's platform policy, the initdata, what the
 * evidence says about this very request, and how strongly the hardware anchored the initdata.
 * @module
 */
import { parseInitdata } from '../../policy/initdata.ts'
import type { Initdata } from '../../policy/types.ts'
import { type BoundInitdata, bindInitdata } from '../../sdk/attest/binding.ts'
import { checkReportData, reportDataV1, reportDataV2 } from '../../sdk/attest/report-data.ts'
import { appraiseSnp } from '../../sdk/attest/snp-policy.ts'
import { verifySnp } from '../../sdk/attest/snp-verify.ts'
import type { SnpClaims } from '../../sdk/attest/types.ts'
import { parseWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { EigenxError } from '../../sdk/errors.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import type { DecisionDeps } from './settings.ts'
import { type DecisionTrail, note } from './trail.ts'

export const SNP_METHOD = 'eigenx-snp'

export type SnpJudgement = {
  claims: SnpClaims
  initdata: Initdata
  /** Who vouches for the initdata. `self`: the operator allows it, the release has to opt in. */
  vouchedBy: BoundInitdata['vouchedBy']
}

/**
 * @param rsaSpkiDer - The request's RSA key; REPORT_DATA must name it.
 * @param nowSeconds - Unix seconds, for certificate validity.
 * @throws EigenxError; `trail.step` tells where.
 */
export function judgeSnp(
  deps: DecisionDeps,
  request: SecretsRequest,
  rsaSpkiDer: Uint8Array,
  trail: DecisionTrail,
  nowSeconds: number,
): SnpJudgement {
  trail.step = 'evidence'
  const evidence = parseWireSnpEvidence(request.attestation)
  const { claims } = verifySnp(evidence, deps.anchors, nowSeconds, trail.checks)

  trail.step = 'appraise'
  appraiseSnp(claims, deps.settings.snp, trail.checks)

  trail.step = 'initdata'
  const initdata = parseInitdata(request.ccInitData)

  trail.step = 'report-data'
  demandReportData(deps, request, rsaSpkiDer, claims, initdata, trail)

  trail.step = 'binding'
  const bound = bindInitdata(claims, initdata, deps.settings.snp.measurements, trail.checks)
  trail.binding = bound.binding
  if (bound.vouchedBy === 'self') demandSelfAssertedAllowed(deps, trail)
  if (!bound.measurementCoversImage) trail.marks.push('unmeasured-image')
  return { claims, initdata, vouchedBy: bound.vouchedBy }
}

function demandReportData(
  deps: DecisionDeps,
  request: SecretsRequest,
  rsaSpkiDer: Uint8Array,
  claims: SnpClaims,
  initdata: Initdata,
  trail: DecisionTrail,
): void {
  const { domain, acceptReportDataV1 } = deps.settings
  if (request.reportDataVersion === 2 && request.freshnessBlock !== undefined) {
    const expected = reportDataV2({
      tee: 'snp',
      method: SNP_METHOD,
      rsaSpkiDer,
      appId: request.appId,
      chainId: domain.chainId,
      avs: domain.avs,
      operatorSetId: domain.operatorSetId,
      freshnessBlock: request.freshnessBlock,
      extraData: request.extraData,
      initdataSha384: initdata.sha384,
    })
    checkReportData(claims.reportData, expected, 2, trail.checks)
    return
  }
  if (!acceptReportDataV1)
    throw new EigenxError({
      code: 'REPORT_DATA_MISMATCH',
      message: 'this operator does not accept report data version 1',
      stage: 'evidence',
      details: { version: 1 },
      hint: 'Set report_data = "v2" in the eigenx.toml of the initdata.',
    })
  const expected = reportDataV1({
    rsaPem: request.rsaPubkeyTmp,
    extraData: request.extraData,
    initdataReceived: request.ccInitData,
  })
  checkReportData(claims.reportData, expected, 1, trail.checks)
  trail.marks.push('report-data-v1')
}

function demandSelfAssertedAllowed(deps: DecisionDeps, trail: DecisionTrail): void {
  const allowed = deps.settings.allowSelfAssertedInitdata
  note(
    trail,
    'operator.self-asserted-initdata',
    allowed ? 'passed' : 'failed',
    { binding: trail.binding ?? 'report_data', allowed: String(allowed) },
    'attestation.allow_self_asserted_initdata of this operator',
  )
  if (!allowed)
    throw new EigenxError({
      code: 'BINDING_TOO_WEAK',
      message: 'no known guest image vouches for the initdata',
      stage: 'evidence',
      details: { binding: 'self-asserted', required: 'launch' },
      hint: 'Boot an image whose measurement the operator lists with covers_image, where HOST_DATA holds the initdata digest.',
    })
  trail.marks.push('self-asserted-initdata')
}
