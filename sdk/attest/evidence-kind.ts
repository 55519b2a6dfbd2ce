/**
 * Evidence that somebody kept, told apart by its members: which attestation method it is of, in the form that operators take.
 *
 * Of an Attestation Agent's answer, or of a request to an operator. The members are the sender's word; the method's verifier has the last one.
 * @module
 */
import { utf8ToBytes } from '../bytes.ts'
import { parseAaSnpEvidence } from './aa-snp.ts'
import { type AaTdxEvidence, parseAaTdxEvidence } from './aa-tdx.ts'
import { malformed } from './checks.ts'
import { trimCcel } from './event-log-ccel.ts'
import { asObject, parseEvidenceJson } from './evidence-json.ts'
import { encodeWireSnpEvidence } from './wire-snp.ts'
import { encodeWireTdxEvidence } from './wire-tdx.ts'
import { readEvidenceText } from './wire-text.ts'

export type RecognisedEvidence = {
  method: 'eigenx-snp' | 'eigenx-tdx' | 'az-snp-vtpm' | 'az-tdx-vtpm'
  /** As the field `attestation` of a request has it. */
  attestation: Uint8Array
}

/** An agent's answer with the whole buffer of an event log; operators take less. */
const KEPT_LIMIT = 1024 * 1024

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function recogniseEvidence(bytes: Uint8Array): RecognisedEvidence {
  const text = readEvidenceText(bytes, KEPT_LIMIT)
  const members = parseEvidenceJson(text, 'evidence', KEPT_LIMIT)
  const has = (name: string) => members[name] !== undefined
  const attestation = utf8ToBytes(text)
  if (has('td_quote')) return { method: 'az-tdx-vtpm', attestation }
  if (has('vcek')) return { method: 'az-snp-vtpm', attestation }
  if (has('attestation_report')) {
    // The agent's report is an object of fields; on the wire it is base64 text.
    const isAgents = asObject(members.attestation_report) !== undefined
    return {
      method: 'eigenx-snp',
      attestation: isAgents ? encodeWireSnpEvidence(parseAaSnpEvidence(text)) : attestation,
    }
  }
  if (has('quote')) {
    // The agent names its logs in another way than the wire does.
    const isAgents = has('cc_eventlog') || has('aa_eventlog')
    return {
      method: 'eigenx-tdx',
      attestation: isAgents ? encodeWireTdxEvidence(trimmed(text)) : attestation,
    }
  }
  throw malformed('evidence', 'it is evidence of no method')
}

/** Without the padding of the firmware's buffer, as a helper sends it. */
function trimmed(text: string): AaTdxEvidence {
  const { eventLog, ...evidence } = parseAaTdxEvidence(text)
  return eventLog === undefined ? evidence : { ...evidence, eventLog: trimCcel(eventLog) }
}
