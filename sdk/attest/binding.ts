/**
 * What ties the initdata to the launch of the guest, and how much that proves.
 *
 * Source: Confidential Containers initdata specification: the host puts the digest of the initdata document, by its declared algorithm,
 * cut or zero-padded to the size of the field, into HOST_DATA (SNP, 32 bytes). A host that left the field zero anchored nothing; then
 * the guest itself vouches for its initdata through REPORT_DATA.
 *
 * Both are worth as much as the launch digest says about the guest. HOST_DATA is written by the host: it proves that this
 * document was named at launch, and only a guest image that is known applies the policy inside it. REPORT_DATA is written by
 * whatever runs in the guest: it proves something about the initdata only if the image is known to let nothing else speak for it.
 * @module
 */
import { bytesToHex, equalBytes, isZero } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import type { AllowedMeasurement } from './snp-policy.ts'
import type { Check, InitdataBinding, SnpClaims } from './types.ts'

const RULES = {
  hostData: { name: 'initdata.host-data', source: 'CoCo initdata specification, SNP' },
  coversImage: { name: 'initdata.measurement-covers-image', source: 'operator policy' },
  bindsInitdata: { name: 'initdata.image-binds-initdata', source: 'operator policy' },
} as const satisfies Record<string, Rule>

export type BoundInitdata = {
  binding: InitdataBinding
  /** The launch digest is known to cover the guest image. */
  measurementCoversImage: boolean
  /**
   * Who vouches for the initdata: `launch`, a known image started with it; `image`, a known image that lets nobody else name it;
   * `self`, nobody but whoever sends the request.
   */
  vouchedBy: 'launch' | 'image' | 'self'
  checks: readonly Check[]
}

/**
 * @param initdata - `digest` is by the declared algorithm over the decoded TOML; the SHA-512 and SHA-384 ones are cut, as the host does.
 * @throws INITDATA_MISMATCH when the launch anchored another document.
 */
export function bindInitdata(
  claims: SnpClaims,
  initdata: { algorithm: string; digest: Uint8Array },
  measurements: readonly AllowedMeasurement[],
  trace: Check[] = [],
): BoundInitdata {
  const log: CheckLog = createCheckLog(trace)
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
  const listed = findEntry(measurement, measurements)
  const covers = listed?.coversImage === true
  const binds = covers && listed.bindsInitdata
  const image = { measurement: bytesToHex(measurement), listed: String(listed !== undefined) }
  if (covers) log.allow(RULES.coversImage, true, image, '')
  else log.skip(RULES.coversImage, image)
  if (binds) log.allow(RULES.bindsInitdata, true, image, '')
  else log.skip(RULES.bindsInitdata, image)
  return {
    binding: anchored ? 'host_data' : 'report_data',
    measurementCoversImage: covers,
    vouchedBy: covers && anchored ? 'launch' : binds ? 'image' : 'self',
    checks: log.checks,
  }
}

/** Of several entries the one that says most, as for TDX and Azure: a list with dates names an image twice while its flags change. */
function findEntry(
  measurement: Uint8Array,
  measurements: readonly AllowedMeasurement[],
): AllowedMeasurement | undefined {
  const worth = (entry: AllowedMeasurement) =>
    entry.coversImage ? (entry.bindsInitdata ? 2 : 1) : 0
  return measurements
    .filter(({ value }) => equalBytes(value, measurement))
    .sort((a, b) => worth(b) - worth(a))[0]
}

/** Cut or padded with zeros behind. */
export function fitDigest(digest: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  out.set(digest.subarray(0, length))
  return out
}
