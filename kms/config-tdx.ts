/**
 * The section `[attestation.tdx]` of `operator.toml`: which TDs `eigenx-tdx` serves, and where Intel's collateral lies.
 *
 * Debuggable, migratable and otherwise weakened TDs cannot be allowed here.
 * @module
 */
import { z } from 'zod'
import { type AllowableTdxStatus, KNOWN_XFAM } from '../sdk/attest/tdx-policy.ts'
import { count, digest48, isWindow, path, WINDOW_ORDER, windowFields } from './config-fields.ts'

const STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
] as const satisfies readonly AllowableTdxStatus[]

function isXfam(text: string): boolean {
  if (!/^0x[0-9a-f]{1,16}$/.test(text)) return false
  const bits = BigInt(text)
  return (bits & ~KNOWN_XFAM) === 0n && (bits & 3n) === 3n
}

const registers = z.array(digest48).max(64).default([])
const advisories = z.array(z.string().regex(/^[A-Za-z0-9-]{1,64}$/)).max(256)

const measurement = z
  .strictObject({
    /** MRTD: the virtual firmware. */
    mrtd: digest48,
    /** What the firmware and the guest measured after it; absent: any. */
    rtmr0: digest48.optional(),
    rtmr1: digest48.optional(),
    rtmr2: digest48.optional(),
    rtmr3: digest48.optional(),
    /** MRTD and the registers of this entry cover the whole guest image, not only the firmware. */
    covers_image: z.boolean().default(false),
    /** The image lets nothing but its helper have evidence made, so REPORTDATA names the true initdata. */
    binds_initdata: z.boolean().default(false),
    ...windowFields,
  })
  .refine(isWindow, WINDOW_ORDER)
  .refine(
    ({ covers_image, rtmr1, rtmr2 }) =>
      !covers_image || (rtmr1 !== undefined && rtmr2 !== undefined),
    // MRTD is the firmware's alone; kernel and initrd are measured into these registers.
    { message: 'covers_image needs rtmr1 and rtmr2', path: ['covers_image'] },
  )

export const tdxSection = z
  .strictObject({
    /** Allowed launches; none means any. */
    measurements: z.array(measurement).max(1024).default([]),
    /** TCB statuses that are served. */
    statuses: z.array(z.enum(STATUSES)).min(1).max(STATUSES.length).default(['UpToDate']),
    /** Days for which a platform that is out of date is served after a better level appeared. */
    grace_days: count(0, 365).default(0),
    /** Where given, a platform that is subject to any other advisory is refused. */
    allowed_advisories: advisories.optional(),
    denied_advisories: advisories.default([]),
    /** Lowest tcbEvaluationDataNumber of TCB info and QE identity. */
    minimum_evaluation_number: count(0, 1_000_000).default(0),
    /** Lowest TEE_TCB_SVN, byte by byte. */
    minimum_tee_tcb_svn: z.array(count(0, 255)).max(16).default([]),
    /** Allowed TDX modules by MRSEAM; none means any that Intel signed. */
    mr_seams: z.array(digest48).max(64).default([]),
    /** Allowed values of each register, whatever the launch; none means any. */
    rtmr0: registers,
    rtmr1: registers,
    rtmr2: registers,
    rtmr3: registers,
    /** Allowed owners and their configurations (MROWNER, MROWNERCONFIG), which the host writes at launch; none means any, also none. */
    mr_owners: registers,
    mr_owner_configs: registers,
    /** XFAM bits that may be set: fewer processor features for the guest, never more than this verifier knows. */
    xfam: z
      .string()
      .refine(
        isXfam,
        `expected 0x and bits of 0x${KNOWN_XFAM.toString(16)}, the lowest two among them`,
      )
      .default(`0x${KNOWN_XFAM.toString(16)}`),
    /** Serve TDs that use supervisor protection keys, or Key Locker. */
    allow_pks: z.boolean().default(true),
    allow_key_locker: z.boolean().default(true),
    /** Platforms by the PPID of their PCK certificate; none means any. */
    ppids: z
      .array(z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 lower-case hex digits'))
      .max(4096)
      .default([]),
    /** Allowed kinds of platforms; none means any. */
    fmspcs: z
      .array(z.string().regex(/^[0-9a-f]{12}$/, 'expected 12 lower-case hex digits'))
      .max(256)
      .default([]),
    /** Folder of collateral bundles, `*.json`. Without it pods bring their own. */
    collateral_dir: path.optional(),
    /** Between two looks at that folder. */
    collateral_refresh_seconds: count(10, 86_400).default(300),
  })
  .prefault({})
