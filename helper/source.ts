/**
 * The source of evidence that the configuration names, with the real agent or kernel.
 * @module
 */
import { requestBytes } from '../sdk/client/node-http.ts'
import { createAaClient, type EvidenceSource } from './aa.ts'
import type { EigenxConfig } from './config.ts'
import { createTsmFolder, TSM_FOLDER } from './tsm-folder.ts'
import { createTsmSource } from './tsm-report.ts'

type SourceChoice = Pick<EigenxConfig['attestation'], 'source' | 'aaUrl'>

export function createEvidenceSource({ source, aaUrl }: SourceChoice): EvidenceSource {
  return source === 'configfs-tsm'
    ? createTsmSource(createTsmFolder())
    : createAaClient({ exchange: requestBytes }, { url: aaUrl })
}

/** For people. */
export function describeSource({ source, aaUrl }: SourceChoice): string {
  return source === 'configfs-tsm'
    ? `the guest’s kernel, ${TSM_FOLDER}`
    : `the Attestation Agent, ${aaUrl}`
}
