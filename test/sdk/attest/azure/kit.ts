/**
 * What the tests of Azure evidence share: one simulated VM of each kind, and flipping every bit of a part.
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
import { EigenxError } from '../../../../sdk/errors.ts'
import { authorityOf, NOW } from '../../../kit/snp-authority.ts'
import { flipBit } from '../kit.ts'

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

/**
 * @param stride - 1 for every bit; a prime to sample, where others already flip every one.
 * @returns Bits whose flip was accepted, or refused with anything but a typed error.
 */
export function survivingFlips(
  bytes: Uint8Array,
  verify: (flipped: Uint8Array) => unknown,
  stride = 1,
): number[] {
  verify(bytes)
  const found: number[] = []
  for (let bit = 0; bit < bytes.length * 8; bit += stride) {
    try {
      verify(flipBit(bytes, bit))
    } catch (error) {
      if (error instanceof EigenxError) continue
    }
    found.push(bit)
  }
  return found
}
