/**
 * Which genuine SEV-SNP guests an operator serves: a policy as data, and its application to verified claims.
 *
 * Everything here is about evidence that is authentic, so a refusal is EVIDENCE_NOT_ALLOWED or TCB_TOO_OLD, never EVIDENCE_INVALID.
 * Sources: AMD 56860, tables POLICY, PLATFORM_INFO and TCB_VERSION.
 * @module
 */
import { bytesToHex, equalBytes, isZero } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import { checkVersions, type SnpVersionPolicy } from './snp-firmware.ts'
import type { Check, SnpClaims, SnpGuestPolicy, SnpProduct, SnpTcb } from './types.ts'

/** A launch digest that the operator knows, and what it covers. */
export type AllowedMeasurement = {
  /** 48 bytes. */
  value: Uint8Array
  /** The digest covers kernel, initrd and root file system, not the firmware alone. */
  coversImage: boolean
  /**
   * The image itself makes sure that a REPORT_DATA in our form names the initdata it was booted with: nothing but the
   * helper can have evidence made for it. An image whose containers reach an evidence route does not.
   */
  bindsInitdata: boolean
}

/** PLATFORM_INFO by name -> bit; `iommu_write_safe` and `tio` are written by newer firmware only. */
export const PLATFORM_INFO_BITS = {
  smt: 0,
  tsme: 1,
  ecc: 2,
  rapl_disabled: 3,
  ciphertext_hiding: 4,
  alias_check_complete: 5,
  iommu_write_safe: 6,
  tio: 7,
} as const
export type PlatformBit = keyof typeof PLATFORM_INFO_BITS

export function platformBits(names: readonly PlatformBit[]): bigint {
  return names.reduce((bits, name) => bits | (1n << BigInt(PLATFORM_INFO_BITS[name])), 0n)
}

export type SnpPolicy = SnpVersionPolicy & {
  products: readonly SnpProduct[]
  /** Version 2 names no processor and cannot state the alias check. */
  minimumReportVersion: number
  signers: readonly ('VCEK' | 'VLEK')[]
  /** Debug guests show their memory to the host: for tests on hardware only. */
  allowDebug: boolean
  /** A migration agent can move a guest, and its report ids, to another machine. */
  allowMigration: boolean
  allowSmt: boolean
  allowCxl: boolean
  /** POLICY bits that must be set. */
  require: {
    singleSocket: boolean
    memAes256Xts: boolean
    raplDisabled: boolean
    ciphertextHiding: boolean
    pageSwapDisabled: boolean
  }
  /** Privilege levels that may speak for the guest; under an SVSM or paravisor the workload runs above 0. */
  vmpls: readonly number[]
  /** Lowest REPORTED_TCB and LAUNCH_TCB, each component by itself. */
  minimumTcb: Readonly<Partial<Record<SnpProduct, SnpTcb>>>
  minimumLaunchTcb: Readonly<Partial<Record<SnpProduct, SnpTcb>>>
  minimumGuestSvn: number
  /** Empty: any launch digest. */
  measurements: readonly AllowedMeasurement[]
  /** PLATFORM_INFO bits that must be set or clear; reports before version 3 do not write bit 5. */
  platformInfo: { mustBeSet: bigint; mustBeClear: bigint }
  /** Firmware mitigations that must have been there at launch and now; reports before version 5 cannot show any. */
  requiredMitigations: Readonly<Partial<Record<SnpProduct, bigint>>>
  /** Empty: any. Otherwise the guest must have been launched with an ID block by one of these keys (SHA-384, 48 bytes). */
  idKeyDigests: readonly Uint8Array[]
  authorKeyDigests: readonly Uint8Array[]
  /** What the ID block calls the guest, 16 bytes each; empty: any. */
  familyIds: readonly Uint8Array[]
  imageIds: readonly Uint8Array[]
  /** CSP_ID values of VLEKs; empty: any. */
  cspIds: readonly string[]
  /** Chips of VCEKs, 64 bytes; empty: any. */
  chipIds: readonly Uint8Array[]
}

export const DEFAULT_SNP_POLICY: SnpPolicy = {
  products: ['Milan', 'Genoa', 'Turin'],
  minimumReportVersion: 3,
  signers: ['VCEK', 'VLEK'],
  allowDebug: false,
  allowMigration: false,
  allowSmt: true,
  allowCxl: false,
  require: {
    singleSocket: false,
    memAes256Xts: false,
    raplDisabled: false,
    ciphertextHiding: false,
    pageSwapDisabled: false,
  },
  vmpls: [0],
  minimumTcb: {},
  minimumLaunchTcb: {},
  minimumFirmware: {},
  minimumGuestAbi: { major: 0, minor: 0 },
  minimumGuestSvn: 0,
  measurements: [],
  platformInfo: { mustBeSet: 0n, mustBeClear: 0n },
  requiredMitigations: {},
  idKeyDigests: [],
  authorKeyDigests: [],
  familyIds: [],
  imageIds: [],
  cspIds: [],
  chipIds: [],
}

const POLICY = 'AMD 56860, guest POLICY'
const OPERATOR = 'operator policy'
const RULES = {
  product: { name: 'snp.policy.product', source: OPERATOR },
  version: { name: 'snp.policy.report-version', source: OPERATOR },
  signer: { name: 'snp.policy.signer', source: OPERATOR },
  reserved: { name: 'snp.policy.reserved-bits', source: POLICY },
  debug: { name: 'snp.policy.debug', source: POLICY },
  migration: { name: 'snp.policy.migration-agent', source: POLICY },
  smt: { name: 'snp.policy.smt', source: POLICY },
  cxl: { name: 'snp.policy.cxl', source: POLICY },
  hardening: { name: 'snp.policy.hardening', source: POLICY },
  vmpl: { name: 'snp.policy.vmpl', source: 'AMD 56860, VMPL' },
  tcb: { name: 'snp.policy.minimum-tcb', source: OPERATOR },
  launchTcb: { name: 'snp.policy.minimum-launch-tcb', source: OPERATOR },
  guestSvn: { name: 'snp.policy.guest-svn', source: OPERATOR },
  measurement: { name: 'snp.policy.measurement', source: OPERATOR },
  platformInfo: { name: 'snp.policy.platform-info', source: 'AMD 56860, PLATFORM_INFO' },
  mitigations: { name: 'snp.policy.mitigations', source: 'AMD 56860, LAUNCH_MIT_VECTOR' },
  idKey: { name: 'snp.policy.id-key', source: OPERATOR },
  authorKey: { name: 'snp.policy.author-key', source: OPERATOR },
  familyId: { name: 'snp.policy.family-id', source: OPERATOR },
  imageId: { name: 'snp.policy.image-id', source: OPERATOR },
  cspId: { name: 'snp.policy.csp-id', source: OPERATOR },
  chipId: { name: 'snp.policy.chip-id', source: OPERATOR },
} as const satisfies Record<string, Rule>

/**
 * @param claims - From `verifySnp`.
 * @returns The checks in order; a rule that the policy leaves open is not applicable.
 * @throws EVIDENCE_NOT_ALLOWED naming the first check that fails, TCB_TOO_OLD naming the component.
 */
export function appraiseSnp(
  claims: SnpClaims,
  policy: SnpPolicy,
  trace: Check[] = [],
): readonly Check[] {
  const log: CheckLog = createCheckLog(trace)
  checkPlatform(claims, policy, log)
  checkGuestPolicy(claims, policy, log)
  log.allow(
    RULES.vmpl,
    policy.vmpls.includes(claims.vmpl),
    { vmpl: String(claims.vmpl), allowed: policy.vmpls.join(', ') },
    claims.vmpl === 0xffffffff
      ? 'the host asked for this report, not the guest'
      : `the report speaks for privilege level ${claims.vmpl}`,
  )
  checkVersions(claims, policy, log)
  checkTcb(RULES.tcb, claims.tcb.reported, policy.minimumTcb[claims.product], log)
  checkTcb(RULES.launchTcb, claims.tcb.launch, policy.minimumLaunchTcb[claims.product], log)
  log.allow(
    RULES.guestSvn,
    claims.guestSvn >= policy.minimumGuestSvn,
    { guestSvn: String(claims.guestSvn), minimum: String(policy.minimumGuestSvn) },
    'the guest image is older than the operator allows',
  )
  checkPlatformInfo(claims, policy, log)
  checkMitigations(claims, policy, log)
  checkIdentities(claims, policy, log)
  return log.checks
}

function checkPlatform(claims: SnpClaims, policy: SnpPolicy, log: CheckLog): void {
  const { product, reportVersion, signer } = claims
  log.allow(
    RULES.product,
    policy.products.includes(product),
    { product, allowed: policy.products.join(', ') },
    `${product} is not among the processors that this operator serves`,
  )
  log.allow(
    RULES.version,
    reportVersion >= policy.minimumReportVersion,
    { version: String(reportVersion), minimum: String(policy.minimumReportVersion) },
    `the host writes reports of version ${reportVersion}`,
    'Update the SNP firmware of the host.',
  )
  log.allow(
    RULES.signer,
    policy.signers.includes(signer),
    { signer, allowed: policy.signers.join(', ') },
    `this operator does not serve guests attested by a ${signer}`,
  )
}

function checkGuestPolicy(claims: SnpClaims, policy: SnpPolicy, log: CheckLog): void {
  const { policy: bits, reportIdMa } = claims
  const inputs = { policy: `0x${bits.raw.toString(16)}` }
  // Bit 17 is always one, 26 and up always zero: other values mean something this verifier does not know.
  const known = ((bits.raw >> 17n) & 1n) === 1n && bits.raw >> 26n === 0n
  log.allow(RULES.reserved, known, inputs, 'the guest policy uses bits that are reserved')
  const may = (rule: Rule, found: boolean, allowed: boolean, message: string) =>
    log.allow(rule, !found || allowed, inputs, message)
  may(RULES.debug, bits.debug, policy.allowDebug, 'the guest can be debugged by the host')
  const agent = bits.migrateMa || !reportIdMa.every((byte) => byte === 0xff)
  log.allow(
    RULES.migration,
    !agent || policy.allowMigration,
    { ...inputs, reportIdMa: bytesToHex(reportIdMa) },
    'the guest can be moved by a migration agent',
  )
  may(RULES.smt, bits.smt, policy.allowSmt, 'the guest may share a core with a foreign thread')
  may(RULES.cxl, bits.cxl, policy.allowCxl, 'the guest may use CXL memory')
  const missing = hardeningBits.filter((name) => policy.require[name] && !bits[name])
  log.allow(
    RULES.hardening,
    missing.length === 0,
    { ...inputs, missing: missing.join(', ') },
    `the guest policy does not demand ${missing.join(', ')}`,
  )
}

const hardeningBits = [
  'singleSocket',
  'memAes256Xts',
  'raplDisabled',
  'ciphertextHiding',
  'pageSwapDisabled',
] as const satisfies readonly (keyof SnpGuestPolicy & keyof SnpPolicy['require'])[]

function checkTcb(rule: Rule, tcb: SnpTcb, minimum: SnpTcb | undefined, log: CheckLog): void {
  if (minimum === undefined) {
    log.skip(rule, { minimum: 'none' })
    return
  }
  for (const component of ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const) {
    const required = minimum[component] ?? 0
    const reported = tcb[component] ?? 0
    log.expect(
      rule,
      reported >= required,
      { component, reported: String(reported), required: String(required) },
      () =>
        new EigenxError({
          code: 'TCB_TOO_OLD',
          message: `the platform's ${component} level ${reported} is below ${required}`,
          stage: 'evidence',
          hint: 'The host needs a firmware update, and a certificate for the new level.',
          details: { component, required, reported },
        }),
    )
  }
}

function checkPlatformInfo(claims: SnpClaims, policy: SnpPolicy, log: CheckLog): void {
  const { mustBeSet, mustBeClear } = policy.platformInfo
  const { platformInfo } = claims
  const hex = (bits: bigint) => `0x${bits.toString(16)}`
  if (mustBeSet === 0n && mustBeClear === 0n) {
    log.skip(RULES.platformInfo, { platformInfo: hex(platformInfo) })
    return
  }
  log.allow(
    RULES.platformInfo,
    (platformInfo & mustBeSet) === mustBeSet && (platformInfo & mustBeClear) === 0n,
    {
      platformInfo: hex(platformInfo),
      mustBeSet: hex(mustBeSet),
      mustBeClear: hex(mustBeClear),
    },
    'the platform lacks a protection or runs with a feature that this operator refuses',
  )
}

function checkMitigations(claims: SnpClaims, policy: SnpPolicy, log: CheckLog): void {
  const required = policy.requiredMitigations[claims.product] ?? 0n
  if (required === 0n) {
    log.skip(RULES.mitigations, { required: 'none' })
    return
  }
  const { launchMitigations: launch = 0n, currentMitigations: current = 0n } = claims
  log.allow(
    RULES.mitigations,
    (launch & required) === required && (current & required) === required,
    {
      required: `0x${required.toString(16)}`,
      launch: `0x${launch.toString(16)}`,
      current: `0x${current.toString(16)}`,
    },
    'the firmware lacked a mitigation that this operator demands',
  )
}

function checkIdentities(claims: SnpClaims, policy: SnpPolicy, log: CheckLog): void {
  const values = policy.measurements.map(({ value }) => value)
  checkListed(RULES.measurement, claims.measurement, values, log)
  checkListed(RULES.idKey, claims.idKeyDigest, policy.idKeyDigests, log)
  // Without AUTHOR_KEY_EN the author key's digest is not vouched for.
  const author = claims.authorKeyEnabled ? claims.authorKeyDigest : new Uint8Array(48)
  checkListed(RULES.authorKey, author, policy.authorKeyDigests, log)
  checkListed(RULES.familyId, claims.familyId, policy.familyIds, log)
  checkListed(RULES.imageId, claims.imageId, policy.imageIds, log)
  // A list of chips speaks about VCEKs, a list of providers about VLEKs: the other kind has no such name.
  if (claims.signer === 'VCEK') checkListed(RULES.chipId, claims.chipId, policy.chipIds, log)
  else log.skip(RULES.chipId, { signer: claims.signer })
  if (claims.signer === 'VCEK' || policy.cspIds.length === 0)
    log.skip(RULES.cspId, { signer: claims.signer, cspId: claims.cspId ?? '' })
  else
    log.allow(
      RULES.cspId,
      claims.cspId !== undefined && policy.cspIds.includes(claims.cspId),
      { cspId: claims.cspId ?? '', allowed: policy.cspIds.join(', ') },
      'the key of the report belongs to a cloud provider that this operator does not serve',
    )
}

/** All zero means that the guest has no such identity, so it is never on a list. */
function checkListed(
  rule: Rule,
  value: Uint8Array,
  allowed: readonly Uint8Array[],
  log: CheckLog,
): void {
  const inputs = { value: bytesToHex(value), allowed: String(allowed.length) }
  if (allowed.length === 0) {
    log.skip(rule, inputs)
    return
  }
  log.allow(
    rule,
    !isZero(value) && allowed.some((entry) => equalBytes(entry, value)),
    inputs,
    `${rule.name.slice('snp.policy.'.length)} is not on the operator's list`,
  )
}
