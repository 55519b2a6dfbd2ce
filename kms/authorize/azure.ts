/**
 * The methods `az-snp-vtpm` and `az-tdx-vtpm`: evidence of Azure's confidential VMs and the initdata it vouches for. No I/O.
 *
 * The hardware report speaks for the paravisor, whose vTPM speaks for the guest: so there are two appraisals, and REPORT_DATA is in the
 * quote of the vTPM. Otherwise the order is that of `snp.ts`. Only report data of version 2 is taken: no older client has these methods.
 * @module
 */
import { parseInitdata } from '../../policy/initdata.ts'
import { bindAzureInitdata, checkAzureReportData } from '../../sdk/attest/azure-binding.ts'
import { appraiseAzure } from '../../sdk/attest/azure-policy.ts'
import type { AzureClaims } from '../../sdk/attest/azure-types.ts'
import { verifyAzureSnp, verifyAzureTdx } from '../../sdk/attest/azure-verify.ts'
import {
  parseWireAzureSnpEvidence,
  parseWireAzureTdxEvidence,
} from '../../sdk/attest/wire-azure.ts'
import { EigenxError } from '../../sdk/errors.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import { demandReportData, demandVouched, type PodJudgement } from './guest.ts'
import type { EvidenceDeps } from './settings.ts'
import { demandSnpPlatform, snpTcbOf } from './snp-platform.ts'
import { demandTdxDeps, demandTdxPlatform } from './tdx.ts'
import type { DecisionTrail } from './trail.ts'

export const AZURE_SNP_METHOD = 'az-snp-vtpm'
export const AZURE_TDX_METHOD = 'az-tdx-vtpm'

/**
 * @param nowSeconds - Unix seconds, for certificates, collateral and the grace period.
 * @throws EigenxError; `trail.step` tells where.
 */
export function judgeAzureSnp(
  deps: EvidenceDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): PodJudgement {
  return judgeVm(deps, request, openAzureSnp(deps, request.attestation, trail, nowSeconds), trail)
}

/** As `judgeAzureSnp`. */
export function judgeAzureTdx(
  deps: EvidenceDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): PodJudgement {
  return judgeVm(deps, request, openAzureTdx(deps, request.attestation, trail, nowSeconds), trail)
}

/** Genuine, and of a VM that this operator serves. @throws as `judgeAzureSnp` */
export function openAzureSnp(
  deps: EvidenceDeps,
  attestation: Uint8Array,
  trail: DecisionTrail,
  nowSeconds: number,
): AzureClaims {
  trail.step = 'evidence'
  const evidence = parseWireAzureSnpEvidence(attestation)
  const { claims } = verifyAzureSnp(evidence, deps.anchors, nowSeconds, trail.checks)
  const { snp: policy, vm } = deps.settings.azure
  demandSnpPlatform(deps, { claims: claims.hardware, policy }, trail, nowSeconds)
  appraiseAzure(claims, vm, trail.checks)
  return claims
}

/** As `openAzureSnp`. */
export function openAzureTdx(
  deps: EvidenceDeps,
  attestation: Uint8Array,
  trail: DecisionTrail,
  nowSeconds: number,
): AzureClaims {
  trail.step = 'evidence'
  const { anchors, sources } = demandTdxDeps(deps, AZURE_TDX_METHOD)
  const evidence = parseWireAzureTdxEvidence(attestation)
  const { claims } = verifyAzureTdx(evidence, anchors, nowSeconds, trail.checks, sources)
  const { tdx: policy, vm } = deps.settings.azure
  demandTdxPlatform(claims.hardware, policy, trail, nowSeconds)
  appraiseAzure(claims, vm, trail.checks)
  return claims
}

function judgeVm(
  deps: EvidenceDeps,
  request: SecretsRequest,
  claims: AzureClaims,
  trail: DecisionTrail,
): PodJudgement {
  trail.step = 'initdata'
  const initdata = parseInitdata(request.ccInitData)

  trail.step = 'report-data'
  if (request.reportDataVersion !== 2) throw tooOld(request.reportDataVersion)
  demandReportData(
    deps,
    request,
    {
      tee: claims.hardware.tee,
      method: claims.tee,
      initdata,
      compare: (expected, version) => checkAzureReportData(claims, expected, version, trail.checks),
    },
    trail,
  )

  trail.step = 'binding'
  const bound = bindAzureInitdata(claims, initdata, deps.settings.azure.vm, trail.checks)
  demandVouched(deps, bound, 'PCR 8', trail)
  return { initdata, vouchedBy: bound.vouchedBy, measurement: undefined, ...tcbOf(claims) }
}

function tcbOf({ hardware }: AzureClaims): Pick<PodJudgement, 'tcbStatus' | 'snpTcb'> {
  return hardware.tee === 'tdx'
    ? { tcbStatus: hardware.tcb.status, snpTcb: undefined }
    : { tcbStatus: 'none', snpTcb: snpTcbOf(hardware) }
}

const tooOld = (version: number) =>
  new EigenxError({
    code: 'REPORT_DATA_MISMATCH',
    message: 'the methods of Azure need report data version 2',
    stage: 'evidence',
    details: { version },
  })
