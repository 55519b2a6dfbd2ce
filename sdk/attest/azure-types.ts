/**
 * What is known about an Azure confidential VM after its evidence was verified.
 * @module
 */
import type { AzureEvidenceVersion } from './azure-evidence.ts'
import type { AzureVm } from './azure-hcl.ts'
import type { Check, SnpClaims, TdxClaims } from './types.ts'

/** What the vTPM signed with the key that the hardware report vouches for. */
export type VtpmClaims = {
  /** extraData of the quote: the caller's nonce, 0 to 66 bytes. */
  nonce: Uint8Array
  /** SHA-256 bank: 24 registers of 32 bytes. */
  pcrs: readonly Uint8Array[]
  /** SHA-256 of the attestation key's SPKI, lower-case hex. */
  keySha256: string
  /** How often the TPM was reset since it was made; milliseconds that it ran. */
  resetCount: number
  clock: bigint
}

type AzureVmClaims = {
  evidenceVersion: AzureEvidenceVersion
  vtpm: VtpmClaims
  vm: AzureVm
  /** 64 bytes that the guest wrote into the report; zero where it wrote none. */
  userData: Uint8Array
}

/** `hardware` speaks for the paravisor and its firmware; the guest above it is in the registers of the vTPM. */
export type AzureSnpClaims = AzureVmClaims & { tee: 'az-snp-vtpm'; hardware: SnpClaims }
export type AzureTdxClaims = AzureVmClaims & { tee: 'az-tdx-vtpm'; hardware: TdxClaims }
export type AzureClaims = AzureSnpClaims | AzureTdxClaims

/** As much of the claims as decides whether the VM is wanted and what its initdata is worth. */
export type AzureGuest = Pick<AzureVmClaims, 'vtpm' | 'vm' | 'userData'> & {
  hardware: Pick<SnpClaims, 'tee' | 'idKeyDigest' | 'hostData'> | Pick<TdxClaims, 'tee' | 'mrTd'>
}

export type VerifiedAzure<C extends AzureClaims> = { claims: C; checks: readonly Check[] }
