/**
 * The section `[collateral]` of `operator.toml`: where `kms collateral fetch` and the background refresher get what Intel and AMD publish.
 *
 * It is written into the folders that `[attestation]` names. Everything is signed by its vendor and verified before it is written, so an
 * address decides about availability, not about trust; a mirror or a cache of your own will do.
 * @module
 */
import { z } from 'zod'
import { SNP_LISTS, snpListName } from '../sdk/attest/snp-list-names.ts'
import { count, isProtectedUrl } from './config-fields.ts'

const url = (address: string) =>
  z
    .string()
    .max(2048)
    .refine(isProtectedUrl, 'expected an https URL without credentials (http on loopback only)')
    .default(address)

export const collateralSection = z
  .strictObject({
    /** Intel's provisioning certification service, version 4. */
    intel_url: url('https://api.trustedservices.intel.com'),
    intel_root_crl_url: url('https://certificates.trustedservices.intel.com/IntelSGXRootCA.der'),
    /** AMD's key distribution service. */
    amd_url: url('https://kdsintf.amd.com'),
    /** `early` gets TCB info of a recovery event before it is in force for everybody. */
    intel_channel: z.enum(['standard', 'early']).default('standard'),
    /** Kinds of TDX platforms to fetch collateral for, beside those that are in the folder already. */
    fmspcs: z
      .array(z.string().regex(/^[0-9a-f]{12}$/, 'expected 12 lower-case hex digits'))
      .max(32)
      .default([]),
    /** AMD's lists to fetch; absent: those of `attestation.products`. */
    lists: z
      .array(z.enum(SNP_LISTS.map(snpListName)))
      .min(1)
      .max(SNP_LISTS.length)
      .optional(),
    /** Hours between two fetches in the background; 0 fetches only when told to. */
    refresh_hours: count(0, 720).default(0),
    /** Of one download, milliseconds. */
    timeout_ms: count(100, 120_000).default(20_000),
    /** Days before its end from which something counts as running out. */
    warn_days: count(1, 90).default(7),
  })
  .prefault({})
