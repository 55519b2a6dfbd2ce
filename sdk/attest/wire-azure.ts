/**
 * Evidence of Azure's confidential VMs on the wire to an operator: the JSON of the Attestation Agent, raw or in base64, as
 * `azure-evidence.ts` reads it.
 * @module
 */
import { MAX_ATTESTATION_BYTES } from '../wire/limits.ts'
import {
  type AzureSnpEvidence,
  type AzureTdxEvidence,
  parseAzureSnpEvidence,
  parseAzureTdxEvidence,
} from './azure-evidence.ts'
import { readEvidenceText } from './wire-text.ts'

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseWireAzureSnpEvidence(bytes: Uint8Array): AzureSnpEvidence {
  return parseAzureSnpEvidence(readEvidenceText(bytes, MAX_ATTESTATION_BYTES))
}

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseWireAzureTdxEvidence(bytes: Uint8Array): AzureTdxEvidence {
  return parseAzureTdxEvidence(readEvidenceText(bytes, MAX_ATTESTATION_BYTES))
}
