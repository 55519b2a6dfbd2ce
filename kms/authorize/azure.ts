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
import type { DecisionDeps } from './settings.ts'
import { demandSnpPlatform } from './snp-platform.ts'
import { demandTdxDeps, demandTdxPlatform } from './tdx.ts'
import type { DecisionTrail } from './trail.ts'

export const AZURE_SNP_METHOD = 'az-snp-vtpm'
export const AZURE_TDX_METHOD = 'az-tdx-vtpm'

/**
 * @param nowSeconds - Unix seconds, for certificates, collateral and the grace period.
 * @throws EigenxError; `trail.step` tells where.
 */
export function judgeAzureSnp(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): PodJudgement {
  trail.step = 'evidence'
  const evidence = parseWireAzureSnpEvidence(request.attestation)
  const { claims } = verifyAzureSnp(evidence, deps.anchors, nowSeconds, trail.checks)

  const platform = { claims: claims.hardware, policy: deps.settings.azure.snp }
  demandSnpPlatform(deps, platform, trail, nowSeconds)
  return judgeVm(deps, request, claims, trail)
}

/** As `judgeAzureSnp`. */
export function judgeAzureTdx(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): PodJudgement {
  trail.step = 'evidence'
  const { anchors, sources } = demandTdxDeps(deps, AZURE_TDX_METHOD)
  const evidence = parseWireAzureTdxEvidence(request.attestation)
  const { claims } = verifyAzureTdx(evidence, anchors, nowSeconds, trail.checks, sources)

  demandTdxPlatform(claims.hardware, deps.settings.azure.tdx, trail, nowSeconds)
  return judgeVm(deps, request, claims, trail)
}

function judgeVm(
  deps: DecisionDeps,
  request: SecretsRequest,
  claims: AzureClaims,
  trail: DecisionTrail,
): PodJudgement {
  const { vm } = deps.settings.azure
  appraiseAzure(claims, vm, trail.checks)

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
  const bound = bindAzureInitdata(claims, initdata, vm, trail.checks)
  demandVouched(deps, bound, 'PCR 8', trail)
  return { initdata, vouchedBy: bound.vouchedBy }
}

const tooOld = (version: number) =>
  new EigenxError({
    code: 'REPORT_DATA_MISMATCH',
    message: 'the methods of Azure need report data version 2',
    stage: 'evidence',
    details: { version },
  })
