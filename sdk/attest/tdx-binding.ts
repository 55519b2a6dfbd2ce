/**
 * What ties the initdata to the launch of a TD, and how much that proves. As `binding.ts` does for SNP.
 *
 * Source: Confidential Containers initdata specification: the host puts the digest of the initdata document, by its declared algorithm,
 * cut or zero-padded to 48 bytes, into MRCONFIGID. All 48 bytes count: a shorter digest leaves zeros behind. Zero throughout means
 * that the host anchored nothing; then the guest itself vouches for its initdata through REPORTDATA.
 * @module
 */
import { bytesToHex, equalBytes, isZero } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { type BoundInitdata, fitDigest } from './binding.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import { type AllowedTdxMeasurement, findMeasurement } from './tdx-policy.ts'
import type { Check, TdxClaims } from './types.ts'

const RULES = {
  mrConfigId: { name: 'initdata.mr-config-id', source: 'CoCo initdata specification, TDX' },
  coversImage: { name: 'initdata.measurement-covers-image', source: 'operator policy' },
  bindsInitdata: { name: 'initdata.image-binds-initdata', source: 'operator policy' },
} as const satisfies Record<string, Rule>

/**
 * @param initdata - `digest` is by the declared algorithm over the decoded TOML.
 * @throws INITDATA_MISMATCH when the launch anchored another document.
 */
export function bindTdxInitdata(
  claims: Pick<TdxClaims, 'mrConfigId' | 'mrTd' | 'rtmrs'>,
  initdata: { algorithm: string; digest: Uint8Array },
  measurements: readonly AllowedTdxMeasurement[],
  trace: Check[] = [],
): BoundInitdata {
  const log: CheckLog = createCheckLog(trace)
  const { mrConfigId } = claims
  const anchored = !isZero(mrConfigId)
  const expected = fitDigest(initdata.digest, mrConfigId.length)
  const inputs = {
    mrConfigId: bytesToHex(mrConfigId),
    expected: bytesToHex(expected),
    algorithm: initdata.algorithm,
  }
  if (!anchored) log.skip(RULES.mrConfigId, inputs)
  else
    log.expect(
      RULES.mrConfigId,
      equalBytes(mrConfigId, expected),
      inputs,
      () =>
        new EigenxError({
          code: 'INITDATA_MISMATCH',
          message: 'the TD was launched with another initdata document',
          stage: 'initdata',
          hint: 'Send the document that the guest was started with, unchanged.',
          details: { anchor: 'mr_config_id' },
        }),
    )
  const listed = findMeasurement(claims, measurements)
  const covers = listed?.coversImage === true
  const binds = covers && listed.bindsInitdata
  const image = { mrTd: bytesToHex(claims.mrTd), listed: String(listed !== undefined) }
  if (covers) log.allow(RULES.coversImage, true, image, '')
  else log.skip(RULES.coversImage, image)
  if (binds) log.allow(RULES.bindsInitdata, true, image, '')
  else log.skip(RULES.bindsInitdata, image)
  return {
    binding: anchored ? 'mr_config_id' : 'report_data',
    measurementCoversImage: covers,
    vouchedBy: covers && anchored ? 'launch' : binds ? 'image' : 'self',
    checks: log.checks,
  }
}
