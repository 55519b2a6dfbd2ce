/**
 * What ties the initdata to the launch of the guest, and how much that proves.
 *
 * Source: Confidential Containers initdata specification: the host puts the digest of the initdata document, by its declared algorithm,
 * cut or zero-padded to the size of the field, into HOST_DATA (SNP, 32 bytes). A host that left the field zero anchored nothing; then
 * the guest itself vouches for its initdata through REPORT_DATA, which is worth as much as the launch digest says about the guest.
 * @module
 */
import { bytesToHex, equalBytes, isZero } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { createCheckLog, type Rule } from './checks.ts'
import type { AllowedMeasurement } from './snp-policy.ts'
import type { Check, Claims, InitdataBinding } from './types.ts'

const RULES = {
  hostData: { name: 'initdata.host-data', source: 'CoCo initdata specification, SNP' },
  coversImage: { name: 'initdata.measurement-covers-image', source: 'operator policy' },
} as const satisfies Record<string, Rule>

export type BoundInitdata = {
  binding: InitdataBinding
  /** The launch digest is known to cover the guest image, so the guest's own word about its initdata can be believed. */
  measurementCoversImage: boolean
  checks: readonly Check[]
}

/**
 * @param initdata - `digest` is by the declared algorithm over the decoded TOML; the SHA-512 and SHA-384 ones are cut, as the host does.
 * @throws INITDATA_MISMATCH when the launch anchored another document.
 */
export function bindInitdata(
  claims: Claims,
  initdata: { algorithm: string; digest: Uint8Array },
  measurements: readonly AllowedMeasurement[],
  trace: Check[] = [],
): BoundInitdata {
  const log = createCheckLog(trace)
  const { hostData, measurement } = claims
  const anchored = !isZero(hostData)
  const expected = fitDigest(initdata.digest, hostData.length)
  const inputs = {
    hostData: bytesToHex(hostData),
    expected: bytesToHex(expected),
    algorithm: initdata.algorithm,
  }
  if (!anchored) log.skip(RULES.hostData, inputs)
  else
    log.expect(
      RULES.hostData,
      equalBytes(hostData, expected),
      inputs,
      () =>
        new EigenxError({
          code: 'INITDATA_MISMATCH',
          message: 'the guest was launched with another initdata document',
          stage: 'initdata',
          hint: 'Send the document that the guest was started with, unchanged.',
          details: { anchor: 'host_data' },
        }),
    )
  const measurementCoversImage = measurements.some(
    ({ value, coversImage }) => coversImage && equalBytes(value, measurement),
  )
  const covered = { measurement: bytesToHex(measurement), listed: String(measurementCoversImage) }
  if (measurementCoversImage) log.allow(RULES.coversImage, true, covered, '')
  else log.skip(RULES.coversImage, covered)
  return {
    binding: anchored ? 'host_data' : 'report_data',
    measurementCoversImage,
    checks: log.checks,
  }
}

/** Cut or padded with zeros behind. */
function fitDigest(digest: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  out.set(digest.subarray(0, length))
  return out
}
