/**
 * What the methods for pods with raw evidence have in common, whatever their processor: REPORT_DATA names this very request, and initdata for
 * which nobody vouches is served only where the operator says so. No I/O.
 * @module
 */
import type { Initdata } from '../../policy/types.ts'
import type { BoundInitdata } from '../../sdk/attest/binding.ts'
import { reportDataV1, reportDataV2 } from '../../sdk/attest/report-data.ts'
import { EigenxError } from '../../sdk/errors.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import type { PlatformFacts } from './appraisal.ts'
import { demandRsaKey } from './rsa.ts'
import type { EvidenceDeps } from './settings.ts'
import { type DecisionTrail, note } from './trail.ts'

/** What the evidence of a pod proved. */
export type PodJudgement = Pick<PlatformFacts, 'measurement' | 'tcbStatus' | 'snpTcb'> & {
  initdata: Initdata
  /** Who vouches for the initdata. `self`: the operator allows it, the release has to opt in. */
  vouchedBy: BoundInitdata['vouchedBy']
}

export type ReportedData = {
  tee: 'snp' | 'tdx'
  method: string
  initdata: Initdata
  /** Does the evidence name these 64 bytes? Throws REPORT_DATA_MISMATCH. */
  compare: (expected: Uint8Array, version: 1 | 2) => unknown
}

/**
 * Version 2 names the RSA key's content, so it is parsed first; version 1 names its text.
 * @throws EigenxError REPORT_DATA_MISMATCH, RSA_KEY_INVALID
 */
export function demandReportData(
  deps: EvidenceDeps,
  request: SecretsRequest,
  reported: ReportedData,
  trail: DecisionTrail,
): void {
  const { domain, acceptReportDataV1 } = deps.settings
  const { tee, method, initdata, compare } = reported
  if (request.reportDataVersion === 2 && request.freshnessBlock !== undefined) {
    const { spkiDer } = demandRsaKey(request, trail)
    trail.step = 'report-data'
    const expected = reportDataV2({
      tee,
      method,
      rsaSpkiDer: spkiDer,
      appId: request.appId,
      chainId: domain.chainId,
      avs: domain.avs,
      operatorSetId: domain.operatorSetId,
      freshnessBlock: request.freshnessBlock,
      extraData: request.extraData,
      initdataSha384: initdata.sha384,
    })
    compare(expected, 2)
    return
  }
  trail.step = 'report-data'
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
  compare(expected, 1)
  trail.marks.push('report-data-v1')
  demandRsaKey(request, trail)
}

/**
 * Puts what anchors the initdata, and how little may be known about the image, on the record.
 * @param anchor - The field that can hold the digest of the initdata on this platform.
 * @throws EigenxError BINDING_TOO_WEAK
 */
export function demandVouched(
  deps: EvidenceDeps,
  bound: BoundInitdata,
  anchor: 'HOST_DATA' | 'MRCONFIGID' | 'PCR 8',
  trail: DecisionTrail,
): void {
  trail.binding = bound.binding
  if (bound.vouchedBy === 'self') demandSelfAssertedAllowed(deps, anchor, trail)
  if (!bound.measurementCoversImage) trail.marks.push('unmeasured-image')
}

function demandSelfAssertedAllowed(deps: EvidenceDeps, anchor: string, trail: DecisionTrail): void {
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
      hint: `Boot an image whose measurement the operator lists with covers_image, where ${anchor} holds the initdata digest.`,
    })
  trail.marks.push('self-asserted-initdata')
}
