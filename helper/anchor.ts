/**
 * The helper's own look at what the launch anchored: where HOST_DATA (on TDX: MRCONFIGID) holds a digest, only that document may say which operators
 * and chain this pod trusts. A flag or a file that names another one ends here, before anybody is asked.
 *
 * Where the launch anchors nothing (zero, as on AWS), the place of the document is as trusted as the guest image.
 * @module
 */
import type { Initdata } from '../policy/types.ts'
import { fitDigest } from '../sdk/attest/binding.ts'
import { equalBytes, isZero } from '../sdk/bytes.ts'
import { EigenxError } from '../sdk/errors.ts'
import type { EvidenceSource } from './aa.ts'
import { readSignedFields } from './evidence.ts'

const ANCHOR_NAMES = { HOST_DATA: 'host_data', MRCONFIGID: 'mr_config_id' } as const

/** @returns The same source; `collect` also throws INITDATA_MISMATCH when the evidence names another document than `initdata`. */
export function anchoredEvidence(
  source: EvidenceSource,
  initdata: Pick<Initdata, 'digest'>,
): EvidenceSource {
  return {
    collect: async (reportData) => {
      const evidence = await source.collect(reportData)
      const { field, value } = readSignedFields(evidence).anchor
      if (!isZero(value) && !equalBytes(value, fitDigest(initdata.digest, value.length)))
        throw new EigenxError({
          code: 'INITDATA_MISMATCH',
          message: 'this machine was launched with another initdata document than the one at hand',
          stage: 'initdata',
          details: { anchor: ANCHOR_NAMES[field] },
          hint: 'Give the helper the document that the pod was started with, unchanged.',
        })
      return evidence
    },
  }
}
