/**
 * The method `eigenx-snp`: AMD SEV-SNP evidence and the initdata it vouches for. No I/O.
 *
 * Order: authenticity of the evidence, the operator's platform policy, the initdata, what the
 * evidence says about this very request, and how strongly the hardware anchored the initdata.
 * @module
 */
import { parseInitdata } from '../../policy/initdata.ts'
import { bindInitdata } from '../../sdk/attest/binding.ts'
import { checkReportData } from '../../sdk/attest/report-data.ts'
import { verifySnp } from '../../sdk/attest/snp-verify.ts'
import type { SnpClaims } from '../../sdk/attest/types.ts'
import { parseWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import { demandReportData, demandVouched, type PodJudgement, type ReportedData } from './guest.ts'
import type { EvidenceDeps } from './settings.ts'
import { demandSnpPlatform, snpTcbOf } from './snp-platform.ts'
import type { DecisionTrail } from './trail.ts'

export const SNP_METHOD = 'eigenx-snp'

/**
 * @param nowSeconds - Unix seconds, for certificate validity.
 * @throws EigenxError; `trail.step` tells where.
 */
export function judgeSnp(
  deps: EvidenceDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): PodJudgement {
  const claims = openSnp(deps, request.attestation, trail, nowSeconds)

  trail.step = 'initdata'
  const initdata = parseInitdata(request.ccInitData)

  const compare: ReportedData['compare'] = (expected, version) =>
    checkReportData(claims.reportData, expected, version, trail.checks)
  demandReportData(deps, request, { tee: 'snp', method: SNP_METHOD, initdata, compare }, trail)

  trail.step = 'binding'
  const bound = bindInitdata(claims, initdata, deps.settings.snp.measurements, trail.checks)
  demandVouched(deps, bound, 'HOST_DATA', trail)
  const measurement = bytesToHex(claims.measurement)
  const { vouchedBy } = bound
  return { initdata, vouchedBy, measurement, tcbStatus: 'none', snpTcb: snpTcbOf(claims) }
}

/** Genuine, and of a guest that this operator serves. @throws as `judgeSnp` */
export function openSnp(
  deps: EvidenceDeps,
  attestation: Uint8Array,
  trail: DecisionTrail,
  nowSeconds: number,
): SnpClaims {
  trail.step = 'evidence'
  const evidence = parseWireSnpEvidence(attestation)
  const { crls } = evidence
  const { claims } = verifySnp(evidence, deps.anchors, nowSeconds, trail.checks)

  const platform = { claims, policy: deps.settings.snp, ...(crls === undefined ? {} : { crls }) }
  demandSnpPlatform(deps, platform, trail, nowSeconds)
  return claims
}
