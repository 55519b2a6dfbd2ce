/**
 * The section `[attestation.azure]` of `operator.toml`: which of Azure's confidential VMs `az-snp-vtpm` and `az-tdx-vtpm` serve.
 *
 * What it does not say about the hardware (TCB, products, statuses, collateral) is said by `[attestation]` and `[attestation.tdx]`.
 * @module
 */
import { z } from 'zod'
import { count, digest48, isWindow, WINDOW_ORDER, windowFields } from './config-fields.ts'

const register = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits')
  .optional()

/**
 * Register 8 is the initdata's and belongs to a release; 16 and 23 can be reset by anybody in the guest, 17 to 22 serve another way to start.
 */
const image = z
  .strictObject({
    pcr0: register,
    pcr1: register,
    pcr2: register,
    pcr3: register,
    pcr4: register,
    pcr5: register,
    pcr6: register,
    pcr7: register,
    pcr9: register,
    pcr10: register,
    pcr11: register,
    pcr12: register,
    pcr13: register,
    pcr14: register,
    pcr15: register,
    /** These registers cover boot loader, kernel, command line, initrd and root file system. */
    covers_image: z.boolean().default(false),
    /** The image lets nothing but its helper have evidence made or extend register 8. */
    binds_initdata: z.boolean().default(false),
    ...windowFields,
  })
  .refine(isWindow, WINDOW_ORDER)
  .refine(
    ({ covers_image, pcr4, pcr9, pcr11 }) =>
      !covers_image || (pcr4 !== undefined && (pcr9 !== undefined || pcr11 !== undefined)),
    // Boot loader; then what it loads: kernel and initrd as such (9), or the parts of a unified kernel image (11).
    { message: 'covers_image needs pcr4, and pcr9 or pcr11', path: ['covers_image'] },
  )
  .refine(
    ({ covers_image: _, binds_initdata: __, from: ___, until: ____, ...pcrs }) =>
      Object.values(pcrs).some((value) => value !== undefined),
    { message: 'expected at least one register' },
  )

export const azureSection = z
  .strictObject({
    /** SHA-384 of the keys that sign Microsoft's paravisor for SNP; needed by `az-snp-vtpm`. */
    id_key_digests: z.array(digest48).max(64).default([]),
    /** Microsoft's paravisor for TDX; needed by `az-tdx-vtpm`. */
    mrtds: z.array(digest48).max(256).default([]),
    /** Lowest GUEST_SVN of the paravisor on SNP. */
    minimum_guest_svn: count(0, 0xffff_ffff).default(0),
    /** Allowed guest images; none means any. */
    images: z.array(image).max(1024).default([]),
    require_secure_boot: z.boolean().default(true),
    allow_console: z.boolean().default(true),
    /** Demand a hardware report made for this request, which agents with evidence of version 2 send. */
    require_fresh_report: z.boolean().default(false),
  })
  .prefault({})
