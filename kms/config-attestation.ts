/**
 * The section `[attestation]` of `operator.toml`: which methods, and what each takes as good.
 * @module
 */
import { z } from 'zod'
import type { PlatformBit } from '../sdk/attest/snp-policy.ts'
import { azureSection } from './config-azure.ts'
import {
  count,
  date,
  digest48,
  isProtectedUrl,
  isWindow,
  path,
  version,
  WINDOW_ORDER,
  windowFields,
} from './config-fields.ts'
import { tdxSection } from './config-tdx.ts'

/** Attestation methods this build can verify. */
export const KNOWN_METHODS = [
  'eigenx-snp',
  'eigenx-tdx',
  'az-snp-vtpm',
  'az-tdx-vtpm',
  'ecdsa',
  'gcp',
  'intel',
] as const

/**
 * A Confidential Space guest can send the raw evidence of its vTPM, and Go operators know a method for it. It names the image by registers for which
 * we found no published reference values, and nothing in it ties the vTPM to the processor whose report comes along: see docs/trust.md.
 */
export const TPM_METHOD = 'tpm'
export const TPM_REFUSAL = 'the method tpm is refused: what its evidence says cannot be checked'
export const TPM_HINT = 'A Confidential Space guest sends a token of Google (gcp) or Intel (intel).'

const method = z.enum(KNOWN_METHODS, {
  error: ({ input }) => (input === TPM_METHOD ? `${TPM_REFUSAL}. ${TPM_HINT}` : undefined),
})

const component = z.int().min(0).max(255)
const tcb = z.strictObject({
  fmc: component.optional(),
  bootloader: component.default(0),
  tee: component.default(0),
  snp: component.default(0),
  microcode: component.default(0),
})
const floors = z
  .strictObject({ Milan: tcb.optional(), Genoa: tcb.optional(), Turin: tcb.optional() })
  .prefault({})

const id16 = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 lower-case hex digits')

/** Names of bits of PLATFORM_INFO, and of a guest's POLICY: AMD 56860. */
const PLATFORM_BITS = [
  'smt',
  'tsme',
  'ecc',
  'rapl_disabled',
  'ciphertext_hiding',
  'alias_check_complete',
  'iommu_write_safe',
  'tio',
] as const satisfies readonly PlatformBit[]
const HARDENING = [
  'single_socket',
  'mem_aes_256_xts',
  'rapl_disabled',
  'ciphertext_hiding',
  'page_swap_disabled',
] as const

/** Bits of a 64-bit vector; a TOML integer would not hold the highest. */
const bits = z
  .string()
  .regex(/^0x[0-9a-f]{1,16}$/, 'expected 0x and up to 16 lower-case hex digits')

/** Confidential Space tokens of one issuer. */
const tokenMethod = (jwksUrl: string) =>
  z
    .strictObject({
      /** Google Cloud project in which the pods of this operator set run. */
      project_id: z.string().min(1).max(128),
      /** Accepted audiences; a token carries exactly one of them. */
      audiences: z
        .array(z.string().min(1).max(512))
        .min(1)
        .max(8)
        .default(['https://sts.googleapis.com', 'EigenX KMS']),
      /** Lowest Confidential Space image; those before 250300 do not know TDX. */
      minimum_swversion: count(250_300, 99_999_999).default(250_300),
      /** The issuer's keys: an address, https except on loopback, or a file that the operator keeps. */
      jwks_url: z
        .string()
        .max(2048)
        .refine(isProtectedUrl, 'expected an https URL without credentials (http on loopback only)')
        .optional(),
      jwks_file: path.optional(),
      refresh_seconds: count(60, 86_400).default(3600),
      /** Older keys are not used: the issuer may have withdrawn one since. */
      max_age_seconds: count(60, 2_592_000).default(86_400),
    })
    .refine((section) => section.jwks_url === undefined || section.jwks_file === undefined, {
      message: 'jwks_url or jwks_file, not both',
    })
    .transform(({ jwks_url, jwks_file, ...rest }) => ({
      ...rest,
      jwks: jwks_file === undefined ? { url: jwks_url ?? jwksUrl } : { file: jwks_file },
    }))
    .optional()

export const attestationSection = z
  .strictObject({
    methods: z.array(method).min(1).max(8).default(['eigenx-snp']),
    /** Serve pods whose initdata nobody vouches for but the request itself: the guest image is not known. */
    allow_self_asserted_initdata: z.boolean().default(false),
    /** Where those are served, the release must ask for it (EIGENX_TEE_MIN_BINDING=report_data). */
    self_asserted_needs_opt_in: z.boolean().default(true),
    /** Accept the older REPORT_DATA form, which Go clients send. It carries no freshness. */
    accept_report_data_v1: z.boolean().default(true),
    freshness_seconds: count(10, 86_400).default(600),
    /** Version 2 names no processor; hosts with old firmware still write it. */
    minimum_report_version: count(2, 5).default(3),
    /** Allowed launch measurements; none means any. */
    measurements: z
      .array(
        z
          .strictObject({
            value: digest48,
            /** The measurement covers the whole guest image, not only firmware and vCPUs. */
            covers_image: z.boolean().default(false),
            /** The image lets nothing but its helper have evidence made, so REPORT_DATA names the true initdata. */
            binds_initdata: z.boolean().default(false),
            ...windowFields,
          })
          .refine(isWindow, WINDOW_ORDER),
      )
      .max(1024)
      .default([]),
    /** Processors served. */
    products: z
      .array(z.enum(['Milan', 'Genoa', 'Turin']))
      .min(1)
      .max(3)
      .default(['Milan', 'Genoa', 'Turin']),
    /** Lowest TCB served, by product: what the platform reports now, and what it had when the guest was launched. */
    minimum_tcb: floors,
    minimum_launch_tcb: floors,
    /** Lowest TCB from a date on: until its days of grace are over, a platform below it is served and marked. */
    tcb_floors: z
      .array(
        tcb.extend({
          product: z.enum(['Milan', 'Genoa', 'Turin']),
          since: date,
          grace_days: count(0, 365).default(0),
          /** For those who read a refusal, e.g. `AMD-SB-3019`. */
          reason: z.string().min(1).max(128),
        }),
      )
      .max(64)
      .default([]),
    /** Folder of AMD's revocation lists, `vcek-milan.crl` and so on. */
    crl_dir: path.optional(),
    crl_refresh_seconds: count(10, 86_400).default(300),
    /** Serve no SNP guest without a current list for what signed its certificate. */
    require_crl: z.boolean().default(false),
    /** Days for which a list that has run out still counts as current. */
    crl_grace_days: count(0, 365).default(0),
    /** Firmware mitigations that must have been there at launch and now, by product. */
    required_mitigations: z
      .strictObject({ Milan: bits.optional(), Genoa: bits.optional(), Turin: bits.optional() })
      .prefault({}),
    /** What PLATFORM_INFO must say, and must not say, about the machine. */
    platform_info: z
      .strictObject({
        required: z.array(z.enum(PLATFORM_BITS)).max(PLATFORM_BITS.length).default([]),
        refused: z.array(z.enum(PLATFORM_BITS)).max(PLATFORM_BITS.length).default([]),
      })
      .prefault({}),
    /** What the guest's launch policy must demand of every machine that it runs on. */
    required_policy: z.array(z.enum(HARDENING)).max(HARDENING.length).default([]),
    /** Serve guests that may share a core with a foreign thread. */
    allow_smt: z.boolean().default(true),
    /** Keys that may sign reports. */
    signers: z
      .array(z.enum(['VCEK', 'VLEK']))
      .min(1)
      .max(2)
      .default(['VCEK', 'VLEK']),
    /** Privilege levels that may speak for a guest: above 0 only under a monitor that the measurement covers. */
    vmpls: z.array(count(0, 3)).min(1).max(4).default([0]),
    /** Lowest SNP firmware that the machine has committed to, by product, e.g. `1.55.21`. */
    minimum_firmware: z
      .strictObject({
        Milan: version(3).optional(),
        Genoa: version(3).optional(),
        Turin: version(3).optional(),
      })
      .prefault({}),
    /** Lowest firmware ABI that the guest's launch demands, e.g. `1.51`. */
    minimum_guest_abi: version(2).default('0.0'),
    /** Lowest GUEST_SVN, which the launch's ID block states. */
    minimum_guest_svn: count(0, 0xffff_ffff).default(0),
    /** Allowed signers of the launch's ID block, and of their keys, by SHA-384; none means any, also none. */
    id_key_digests: z.array(digest48).max(256).default([]),
    author_key_digests: z.array(digest48).max(256).default([]),
    /** What the ID block calls the guest; none means any. */
    family_ids: z.array(id16).max(256).default([]),
    image_ids: z.array(id16).max(256).default([]),
    /** Cloud providers whose VLEKs are believed, by CSP_ID; none means any. */
    csp_ids: z.array(z.string().min(1).max(64)).max(64).default([]),
    /** Chips whose VCEKs are believed; none means any. */
    chip_ids: z
      .array(z.string().regex(/^[0-9a-f]{128}$/, 'expected 128 lower-case hex digits'))
      .max(4096)
      .default([]),
    /** What `eigenx-tdx` takes as good. */
    tdx: tdxSection,
    /** What the methods of Azure's confidential VMs take as good, beside the hardware's own rules. */
    azure: azureSection,
    /** Google's tokens, and Intel's for the same guests. */
    gcp: tokenMethod(
      'https://www.googleapis.com/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com',
    ),
    intel: tokenMethod('https://portal.trustauthority.intel.com/certs'),
  })
  .prefault({})
