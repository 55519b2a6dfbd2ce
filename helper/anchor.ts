/**
 * The helper's own look at what the launch anchored: where HOST_DATA (on TDX MRCONFIGID, on Azure register 8 of the vTPM) holds a digest, only that
 * document may say which operators and chain this pod trusts. A flag or a file that names another one ends here, before anybody is asked.
 *
 * Where the launch anchors nothing (zero, as on AWS), the place of the document is as trusted as the guest image.
 * @module
 */
import type { Initdata } from '../policy/types.ts'
import { azureInitdataRegister } from '../sdk/attest/azure-binding.ts'
import { fitDigest } from '../sdk/attest/binding.ts'
import { equalBytes, isZero } from '../sdk/bytes.ts'
import { EigenxError } from '../sdk/errors.ts'
import type { EvidenceSource } from './aa.ts'
import { readSignedFields, type SignedFields } from './evidence.ts'

const ANCHOR_NAMES = {
  HOST_DATA: 'host_data',
  MRCONFIGID: 'mr_config_id',
  'PCR 8': 'pcr8',
} as const

/** @returns The same source; `collect` also throws INITDATA_MISMATCH when the evidence names another document than `initdata`. */
export function anchoredEvidence(
  source: EvidenceSource,
  initdata: Pick<Initdata, 'digest'>,
): EvidenceSource {
  return {
    collect: async (reportData, carrier) => {
      const evidence = await source.collect(reportData, carrier)
      const { anchor } = readSignedFields(evidence)
      if (!isZero(anchor.value) && !isAnchorOf(anchor, initdata.digest))
        throw new EigenxError({
          code: 'INITDATA_MISMATCH',
          message: 'this machine was launched with another initdata document than the one at hand',
          stage: 'initdata',
          details: { anchor: ANCHOR_NAMES[anchor.field] },
          hint: 'Give the helper the document that the pod was started with, unchanged.',
        })
      return evidence
    },
  }
}

function isAnchorOf({ field, value }: SignedFields['anchor'], digest: Uint8Array): boolean {
  const expected =
    field === 'PCR 8' ? azureInitdataRegister(digest) : fitDigest(digest, value.length)
  return expected !== undefined && equalBytes(value, expected)
}
