/**
 * TDX evidence as the Attestation Agent answers it: JSON with a quote and, where the guest has one, its CC event log.
 *
 *   {"cc_eventlog": <base64> | null, "quote": <base64>}
 *
 * Agents before mid-2025 add `aa_eventlog`, text or null: what they recorded themselves, which today is the end of the CC event log.
 * Unlike SNP's, this JSON carries the signed bytes themselves. The agent sends no collateral.
 * @module
 */
import { malformed, tooLarge } from './checks.ts'
import { parseEvidenceJson } from './evidence-json.ts'
import type { TdxEventLogs } from './tdx-event-log.ts'
import { QUOTE_LIMIT } from './tdx-quote.ts'
import { readBase64 } from './wire-text.ts'

export type AaTdxEvidence = TdxEventLogs & { quote: Uint8Array }

/** Agents hand out the firmware's whole log buffer, 64 to 256 KiB of it. */
const TEXT_LIMIT = 1024 * 1024

/** @throws EVIDENCE_MALFORMED naming the field, INPUT_TOO_LARGE */
export function parseAaTdxEvidence(text: string): AaTdxEvidence {
  const object = parseEvidenceJson(text, 'evidence', TEXT_LIMIT)
  const { quote, cc_eventlog: eventLog, aa_eventlog: agentLog } = object
  const bytes = readBase64(quote, 'quote')
  if (bytes.length > QUOTE_LIMIT) throw tooLarge('quote', QUOTE_LIMIT)
  if (agentLog != null && typeof agentLog !== 'string')
    throw malformed('aa_eventlog', 'aa_eventlog is not text')
  return {
    quote: bytes,
    ...(eventLog == null ? {} : { eventLog: readBase64(eventLog, 'cc_eventlog') }),
    ...(agentLog == null ? {} : { agentLog }),
  }
}
