/**
 * Which genuine Azure confidential VMs an operator serves: a policy as data for what lies above the hardware report.
 *
 * The hardware report speaks for Microsoft's firmware and paravisor: apply `appraiseSnp` or the TDX policy to `claims.hardware` as
 * well; its ID key digest says whose paravisor it is, and at VMPL 0 it is the paravisor that speaks. Kernel, root file system
 * and command line are in the registers of the vTPM alone: without a list of their values, any image passes.
 * @module
 */
import { bytesToHex, equalBytes } from '../bytes.ts'
import type { AzureClaims } from './azure-types.ts'
import { isUserDataOf } from './azure-vtpm.ts'
import { createCheckLog, type Rule } from './checks.ts'
import type { Check } from './types.ts'

/** The register that the Attestation Agent extends with the digest of the initdata. */
export const INITDATA_PCR = 8

export type AzurePolicy = {
  /**
   * Register -> allowed values, 32 bytes each. Every listed register must have one of its values. Software in the guest can
   * reset 16 and 23 at any time, so those say nothing.
   */
  pcrs: ReadonlyMap<number, readonly Uint8Array[]>
  /** The operator's word that these registers cover boot loader, kernel, command line and root file system of a known image. */
  pcrsCoverImage: boolean
  /** That image lets nobody but its agent extend register 8 or ask for a quote: see `AllowedMeasurement.bindsInitdata`. */
  imageBindsInitdata: boolean
  requireSecureBoot: boolean
  /** The serial console lets whoever runs the VM type at it; whether anyone listens is up to the image. */
  allowConsole: boolean
  /** The hardware report itself must be made for this request, not only the quote: agents since version 2 do so. */
  requireFreshReport: boolean
}

export const DEFAULT_AZURE_POLICY: AzurePolicy = {
  pcrs: new Map(),
  pcrsCoverImage: false,
  imageBindsInitdata: false,
  requireSecureBoot: true,
  allowConsole: true,
  requireFreshReport: false,
}

const OPERATOR = 'operator policy'
const RULES = {
  tpm: { name: 'azure.policy.tpm-enabled', source: 'Microsoft, CVM guest attestation design' },
  secureBoot: { name: 'azure.policy.secure-boot', source: OPERATOR },
  console: { name: 'azure.policy.console', source: OPERATOR },
  fresh: { name: 'azure.policy.fresh-report', source: OPERATOR },
  pcrs: { name: 'azure.policy.pcrs', source: OPERATOR },
} as const satisfies Record<string, Rule>

/**
 * @param claims - From `verifyAzureSnp` or `verifyAzureTdx`.
 * @throws EVIDENCE_NOT_ALLOWED naming the first check that fails.
 */
export function appraiseAzure(
  claims: AzureClaims,
  policy: AzurePolicy,
  trace: Check[] = [],
): readonly Check[] {
  const log = createCheckLog(trace)
  const { vm, vtpm, userData } = claims
  log.allow(RULES.tpm, vm.tpmEnabled, { vm: vm.id }, 'the vTPM of the VM is switched off')
  log.allow(
    RULES.secureBoot,
    vm.secureBoot || !policy.requireSecureBoot,
    { secureBoot: String(vm.secureBoot), required: String(policy.requireSecureBoot) },
    'the VM was started without secure boot',
  )
  log.allow(
    RULES.console,
    !vm.consoleEnabled || policy.allowConsole,
    { console: String(vm.consoleEnabled), allowed: String(policy.allowConsole) },
    'the VM has a serial console',
  )
  const fresh = { userData: bytesToHex(userData), nonce: bytesToHex(vtpm.nonce) }
  if (policy.requireFreshReport)
    log.allow(
      RULES.fresh,
      isUserDataOf(userData, vtpm.nonce),
      fresh,
      'the hardware report was not made for this request',
      'Update the guest components of the image: their evidence must have version 2.',
    )
  else log.skip(RULES.fresh, fresh)
  if (policy.pcrs.size === 0) log.skip(RULES.pcrs, { listed: '0' })
  for (const [index, allowed] of policy.pcrs) {
    const value = vtpm.pcrs[index]
    log.allow(
      RULES.pcrs,
      value !== undefined && allowed.some((entry) => equalBytes(entry, value)),
      {
        pcr: String(index),
        value: value === undefined ? 'none' : bytesToHex(value),
        allowed: String(allowed.length),
      },
      `register ${index} of the vTPM is not on the operator's list`,
    )
  }
  return log.checks
}
