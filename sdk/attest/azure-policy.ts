/**
 * Which genuine Azure confidential VMs an operator serves: a policy as data for what lies above the hardware report.
 *
 * Everybody who owns such hardware can write a paravisor with a vTPM that signs any registers. What a vTPM says is worth something only
 * below a paravisor that is known: on SNP by the key of its ID block, on TDX by its MRTD. Apply `appraiseSnp` or `appraiseTdx` to
 * `claims.hardware` as well. Kernel, command line and root file system are in the registers of the vTPM alone: without a list of
 * images, any passes.
 * @module
 */
import { bytesToHex, equalBytes, isZero } from '../bytes.ts'
import type { AzureGuest } from './azure-types.ts'
import { isUserDataOf } from './azure-vtpm.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import type { Check } from './types.ts'

/** The register that the Attestation Agent extends with the digest of the initdata. */
export const INITDATA_PCR = 8

/** A guest image that the operator knows, by what its boot leaves in the vTPM. */
export type AllowedAzureImage = {
  /**
   * Register -> value, 32 bytes; all of them must fit. Software in the guest can reset 16 and 23 at any time, so those say nothing.
   */
  pcrs: ReadonlyMap<number, Uint8Array>
  /** The operator's word that these registers cover boot loader, kernel, command line and root file system. */
  coversImage: boolean
  /** The image lets nobody but its agent extend register 8 or ask for a quote: see `AllowedMeasurement.bindsInitdata`. */
  bindsInitdata: boolean
}

export type AzurePolicy = {
  /** Paravisors whose vTPM is believed, 48 bytes each; an empty list: any, and then none vouches for anything above it. */
  paravisors: {
    /** On SNP: SHA-384 of the key that signed the ID block. */
    idKeyDigests: readonly Uint8Array[]
    /** On TDX: the paravisor is all that MRTD covers. */
    mrTds: readonly Uint8Array[]
  }
  /** Empty: any image. */
  images: readonly AllowedAzureImage[]
  requireSecureBoot: boolean
  /** The serial console lets whoever runs the VM type at it; whether anyone listens is up to the image. */
  allowConsole: boolean
  /** The hardware report itself must be made for this request, not only the quote: agents since version 2 do so. */
  requireFreshReport: boolean
}

export const DEFAULT_AZURE_POLICY: AzurePolicy = {
  paravisors: { idKeyDigests: [], mrTds: [] },
  images: [],
  requireSecureBoot: true,
  allowConsole: true,
  requireFreshReport: false,
}

const MICROSOFT = 'Microsoft, CVM guest attestation design'
const OPERATOR = 'operator policy'
const RULES = {
  paravisor: { name: 'azure.policy.paravisor', source: OPERATOR },
  hostData: { name: 'azure.policy.host-data', source: MICROSOFT },
  tpm: { name: 'azure.policy.tpm-enabled', source: MICROSOFT },
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
  claims: AzureGuest,
  policy: AzurePolicy,
  trace: Check[] = [],
): readonly Check[] {
  const log = createCheckLog(trace)
  checkParavisor(claims, policy, log)
  checkVm(claims, policy, log)
  checkRegisters(claims, policy, log)
  return log.checks
}

/** The paravisor is on the list that there is for its hardware. */
export function isKnownParavisor(
  claims: AzureGuest,
  { paravisors }: Pick<AzurePolicy, 'paravisors'>,
): boolean {
  const { value, allowed } = paravisorOf(claims, paravisors)
  return !isZero(value) && allowed.some((entry) => equalBytes(entry, value))
}

/** The image whose registers are all there; of several the one that says most. */
export function findAzureImage(
  claims: AzureGuest,
  images: readonly AllowedAzureImage[],
): AllowedAzureImage | undefined {
  const fits = ({ pcrs }: AllowedAzureImage) =>
    [...pcrs].every(([index, wanted]) => {
      const value = claims.vtpm.pcrs[index]
      return value !== undefined && equalBytes(wanted, value)
    })
  const worth = (image: AllowedAzureImage) =>
    image.coversImage ? (image.bindsInitdata ? 2 : 1) : 0
  return images.filter(fits).sort((a, b) => worth(b) - worth(a))[0]
}

function paravisorOf({ hardware }: AzureGuest, paravisors: AzurePolicy['paravisors']) {
  return hardware.tee === 'snp'
    ? { what: 'id key', value: hardware.idKeyDigest, allowed: paravisors.idKeyDigests }
    : { what: 'MRTD', value: hardware.mrTd, allowed: paravisors.mrTds }
}

function checkParavisor(claims: AzureGuest, policy: AzurePolicy, log: CheckLog): void {
  const { what, value, allowed } = paravisorOf(claims, policy.paravisors)
  const inputs = { [what]: bytesToHex(value), allowed: String(allowed.length) }
  if (allowed.length === 0) log.skip(RULES.paravisor, inputs)
  else
    log.allow(
      RULES.paravisor,
      isKnownParavisor(claims, policy),
      inputs,
      `the paravisor is not one that this operator knows, by its ${what}`,
    )
  const { hardware } = claims
  if (hardware.tee !== 'snp') {
    log.skip(RULES.hostData, { tee: hardware.tee })
    return
  }
  // Microsoft's container groups have the digest of their policy there, and whoever starts one chooses its REPORT_DATA.
  log.allow(
    RULES.hostData,
    isZero(hardware.hostData),
    { hostData: bytesToHex(hardware.hostData) },
    'the report is not of a confidential VM: those are launched without host data',
  )
}

function checkVm(claims: AzureGuest, policy: AzurePolicy, log: CheckLog): void {
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
}

function checkRegisters(claims: AzureGuest, { images }: AzurePolicy, log: CheckLog): void {
  const listed = new Set(images.flatMap(({ pcrs }) => [...pcrs.keys()]))
  const inputs = {
    images: String(images.length),
    ...Object.fromEntries(
      [...listed]
        .sort((a, b) => a - b)
        .map((index) => [`pcr${index}`, bytesToHex(claims.vtpm.pcrs[index] ?? new Uint8Array())]),
    ),
  }
  if (images.length === 0) log.skip(RULES.pcrs, inputs)
  else
    log.allow(
      RULES.pcrs,
      findAzureImage(claims, images) !== undefined,
      inputs,
      'the registers of the vTPM are not those of an image that this operator knows',
    )
}
