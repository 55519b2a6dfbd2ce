/**
 * What the tests of Azure evidence share: one simulated VM of each kind.
 * @module
 */
import {
  type AzureSnpMachine,
  type AzureTdxMachine,
  createAzureSnpMachine,
  createAzureTdxMachine,
} from '../../../../helper/sim/azure-evidence.ts'
import { createTdxAuthority, type TdxAuthority } from '../../../../helper/sim/tdx-evidence.ts'
import type { SnpTrustAnchors } from '../../../../sdk/attest/anchors.ts'
import type { AzureSnpEvidence } from '../../../../sdk/attest/azure-evidence.ts'
import { verifyAzureSnp } from '../../../../sdk/attest/azure-verify.ts'
import type { Check } from '../../../../sdk/attest/types.ts'
import { authorityOf, NOW } from '../../../kit/snp-authority.ts'

let snpMachine: Promise<AzureSnpMachine> | undefined
let tdxMachine: Promise<{ machine: AzureTdxMachine; authority: TdxAuthority }> | undefined

export function snpVm(): Promise<AzureSnpMachine> {
  snpMachine ??= authorityOf().then(createAzureSnpMachine)
  return snpMachine
}

export function tdxVm(): Promise<{ machine: AzureTdxMachine; authority: TdxAuthority }> {
  tdxMachine ??= createTdxAuthority({ now: NOW }).then((authority) => ({
    machine: createAzureTdxMachine(authority),
    authority,
  }))
  return tdxMachine
}

export const snpAnchors = async (): Promise<SnpTrustAnchors> => (await authorityOf()).anchors

export async function verifySnpVm(evidence: AzureSnpEvidence, trace: Check[] = []) {
  return verifyAzureSnp(evidence, await snpAnchors(), NOW, trace)
}
