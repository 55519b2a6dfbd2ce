/**
 * What Azure evidence says about one request: the report data in the quote's nonce, and the initdata in register 8.
 *
 * The nonce. An Azure vTPM takes at most 50 bytes (larger ones fail with TPM_RC_SIZE), and an agent passes the runtime data on as it
 * is, so the 64 bytes of REPORT_DATA do not fit. The runtime data is therefore base64url(SHA-256(REPORT_DATA)): 43 ASCII characters,
 * which come out the same from agents that decode an encoded parameter and from older ones that take the text itself.
 *
 * The initdata. The agent extends register 8, which is zero after boot, with the digest once: SHA-256(32 zero bytes || digest). It
 * does so inside the guest, so the register is worth as much as what is known about the image that did it, and the registers that name
 * the image are worth as much as what is known about the paravisor that keeps them.
 * Sources: guest-components, attesters `az-snp-vtpm` and `az-tdx-vtpm`; CoCo initdata specification.
 * @module
 */
import { createHash } from 'node:crypto'
import { bytesToHex, concatBytes, equalBytes, isZero, toBase64Url, utf8ToBytes } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { type AzurePolicy, findAzureImage, INITDATA_PCR, isKnownParavisor } from './azure-policy.ts'
import type { AzureClaims, AzureGuest } from './azure-types.ts'
import type { BoundInitdata } from './binding.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import type { Check } from './types.ts'

const RULES = {
  nonce: { name: 'report-data.nonce', source: 'docs/protocol.md, Report data on Azure' },
  pcr8: { name: 'initdata.pcr8', source: 'CoCo initdata specification, Azure vTPM' },
  coversImage: { name: 'initdata.registers-cover-image', source: 'operator policy' },
  bindsInitdata: { name: 'initdata.image-binds-initdata', source: 'operator policy' },
} as const satisfies Record<string, Rule>

/**
 * The runtime data to ask the agent for.
 * @param reportData - 64 bytes, as for the other platforms.
 */
export function azureNonce(reportData: Uint8Array): Uint8Array {
  return utf8ToBytes(toBase64Url(createHash('sha256').update(reportData).digest()))
}

/**
 * @param expected - The 64 bytes of REPORT_DATA that this request demands.
 * @throws REPORT_DATA_MISMATCH
 */
export function checkAzureReportData(
  claims: AzureClaims,
  expected: Uint8Array,
  version: 1 | 2,
  trace: Check[] = [],
): readonly Check[] {
  const log: CheckLog = createCheckLog(trace)
  const nonce = azureNonce(expected)
  log.expect(
    RULES.nonce,
    expected.length === 64 && equalBytes(claims.vtpm.nonce, nonce),
    { actual: bytesToHex(claims.vtpm.nonce), expected: bytesToHex(nonce) },
    () =>
      new EigenxError({
        code: 'REPORT_DATA_MISMATCH',
        message: 'the evidence was made for another request',
        stage: 'evidence',
        details: { version },
      }),
  )
  return log.checks
}

/**
 * @param initdata - `digest` is by the declared algorithm over the decoded TOML; agents bind SHA-256 only.
 * @throws INITDATA_MISMATCH when the register holds anything else than this document.
 */
export function bindAzureInitdata(
  claims: AzureGuest,
  initdata: { algorithm: string; digest: Uint8Array },
  policy: AzurePolicy,
  trace: Check[] = [],
): BoundInitdata {
  const log: CheckLog = createCheckLog(trace)
  const register = claims.vtpm.pcrs[INITDATA_PCR] ?? new Uint8Array()
  const anchored = !isZero(register)
  const expected = azureInitdataRegister(initdata.digest)
  const inputs = {
    pcr8: bytesToHex(register),
    expected: expected === undefined ? '' : bytesToHex(expected),
    algorithm: initdata.algorithm,
  }
  if (!anchored) log.skip(RULES.pcr8, inputs)
  else
    log.expect(
      RULES.pcr8,
      expected !== undefined && equalBytes(register, expected),
      inputs,
      () =>
        new EigenxError({
          code: 'INITDATA_MISMATCH',
          message: 'the vTPM was extended with another initdata document',
          stage: 'initdata',
          hint:
            expected !== undefined
              ? 'Send the document that the guest was started with, unchanged.'
              : 'On Azure the initdata must declare algorithm = "sha256".',
          details: { anchor: 'pcr8' },
        }),
    )
  const paravisor = isKnownParavisor(claims, policy)
  const listed = findAzureImage(claims, policy.images)
  const covers = paravisor && listed?.coversImage === true && listed.pcrs.size > 0
  const binds = covers && listed.bindsInitdata
  const image = {
    registers: [...(listed?.pcrs.keys() ?? [])].join(', '),
    listed: String(listed !== undefined),
    paravisor: paravisor ? 'known' : 'unknown',
  }
  if (covers) log.allow(RULES.coversImage, true, image, '')
  else log.skip(RULES.coversImage, image)
  if (binds) log.allow(RULES.bindsInitdata, true, image, '')
  else log.skip(RULES.bindsInitdata, image)
  return {
    binding: anchored ? 'pcr8' : 'report_data',
    measurementCoversImage: covers,
    vouchedBy: covers && anchored ? 'launch' : binds ? 'image' : 'self',
    checks: log.checks,
  }
}

/** What register 8 holds after the agent extended it with this digest; of SHA-256 alone, since agents bind no other. */
export function azureInitdataRegister(digest: Uint8Array): Uint8Array | undefined {
  if (digest.length !== 32) return undefined
  const extended = concatBytes(new Uint8Array(32), digest)
  return new Uint8Array(createHash('sha256').update(extended).digest())
}
