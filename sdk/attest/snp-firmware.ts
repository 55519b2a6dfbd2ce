/**
 * Versions in SNP reports: of the firmware that runs and of the one it cannot go back behind, and the ABI that the guest's launch asked for.
 *
 * Source: AMD 56860, CURRENT_MAJOR to COMMITTED_BUILD and guest POLICY. A version is compared as a whole, major part first.
 * @module
 */
import type { CheckLog, Rule } from './checks.ts'
import type { FirmwareVersion, SnpClaims, SnpProduct } from './types.ts'

export type AbiVersion = Pick<FirmwareVersion, 'major' | 'minor'>

export type SnpVersionPolicy = {
  /** Lowest version that the platform has committed to. */
  minimumFirmware: Readonly<Partial<Record<SnpProduct, FirmwareVersion>>>
  /** Lowest ABI that the guest's POLICY demands of the firmware: an old one may know weaker rules. */
  minimumGuestAbi: AbiVersion
}

const RULES = {
  firmware: {
    name: 'snp.policy.firmware',
    source: 'AMD 56860, COMMITTED_MAJOR to COMMITTED_BUILD',
  },
  guestAbi: { name: 'snp.policy.guest-abi', source: 'AMD 56860, guest POLICY' },
} as const satisfies Record<string, Rule>

/** @throws EVIDENCE_NOT_ALLOWED */
export function checkVersions(claims: SnpClaims, policy: SnpVersionPolicy, log: CheckLog): void {
  const { committed } = claims.firmware
  const minimum = policy.minimumFirmware[claims.product]
  if (minimum === undefined) log.skip(RULES.firmware, { committed: describeVersion(committed) })
  else
    log.allow(
      RULES.firmware,
      versionAtMost(minimum, committed),
      { committed: describeVersion(committed), minimum: describeVersion(minimum) },
      `the platform has committed to SNP firmware ${describeVersion(committed)} only`,
      'The host needs a firmware update that it commits to.',
    )
  const { abiMajor, abiMinor } = claims.policy
  const asked = { major: abiMajor, minor: abiMinor, build: 0 }
  const least = { ...policy.minimumGuestAbi, build: 0 }
  log.allow(
    RULES.guestAbi,
    versionAtMost(least, asked),
    { policy: `${abiMajor}.${abiMinor}`, minimum: `${least.major}.${least.minor}` },
    'the guest may run on firmware of an older ABI than the operator allows',
  )
}

/** `a` is `b`, or older. */
export function versionAtMost(a: FirmwareVersion, b: FirmwareVersion): boolean {
  return a.major < b.major || (a.major === b.major && minorAtMost(a, b))
}

function minorAtMost(a: FirmwareVersion, b: FirmwareVersion): boolean {
  return a.minor < b.minor || (a.minor === b.minor && a.build <= b.build)
}

/** `1.55.21` */
export function describeVersion({ major, minor, build }: FirmwareVersion): string {
  return `${major}.${minor}.${build}`
}
