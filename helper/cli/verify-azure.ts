/** Evidence of Azure's confidential VMs as `verify` sees it: the vTPM above, the hardware below. @module */
import { azureNonce, bindAzureInitdata } from '../../sdk/attest/azure-binding.ts'
import { appraiseAzure, DEFAULT_AZURE_POLICY } from '../../sdk/attest/azure-policy.ts'
import { verifyAzureSnp, verifyAzureTdx } from '../../sdk/attest/azure-verify.ts'
import { newestCollateral } from '../../sdk/attest/collateral-choice.ts'
import { appraiseSnp } from '../../sdk/attest/snp-policy.ts'
import { appraiseTdx, DEFAULT_TDX_POLICY } from '../../sdk/attest/tdx-policy.ts'
import type { Check } from '../../sdk/attest/types.ts'
import {
  parseWireAzureSnpEvidence,
  parseWireAzureTdxEvidence,
} from '../../sdk/attest/wire-azure.ts'
import { UsageError } from './io.ts'
import { demandNotRevoked } from './verify-revocation.ts'
import {
  type EvidenceSources,
  type Examined,
  inspectionPolicy,
  summariseAzure,
} from './verify-summary.ts'

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID; `trace` tells where */
export function examineAzure(
  bytes: Uint8Array,
  tee: 'snp' | 'tdx',
  sources: EvidenceSources,
  trace: Check[],
): Examined {
  const { authorities, nowSeconds } = sources
  const claims =
    tee === 'snp'
      ? verifyAzureSnp(parseWireAzureSnpEvidence(bytes), authorities.snp, nowSeconds, trace).claims
      : verifyAzureTdx(parseWireAzureTdxEvidence(bytes), authorities.tdx, nowSeconds, trace, {
          findCollateral: (platform) => newestCollateral(sources.collateral, platform, nowSeconds),
        }).claims
  if (claims.hardware.tee === 'snp') demandNotRevoked(claims.hardware, [], sources, trace)
  if (sources.eventLog !== undefined)
    throw new UsageError('--event-log: registers of a paravisor’s TD have no log')
  return {
    claims,
    summary: summariseAzure(claims),
    reportData: claims.vtpm.nonce,
    expected: azureNonce,
    appraise: (checks) => {
      const { hardware } = claims
      if (hardware.tee === 'snp') appraiseSnp(hardware, inspectionPolicy(sources), checks)
      else appraiseTdx(hardware, DEFAULT_TDX_POLICY, nowSeconds, checks)
      appraiseAzure(claims, DEFAULT_AZURE_POLICY, checks)
    },
    bind: (document, checks) =>
      bindAzureInitdata(claims, document, DEFAULT_AZURE_POLICY, checks).binding,
  }
}
