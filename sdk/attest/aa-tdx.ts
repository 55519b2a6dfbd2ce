/**
 * TDX evidence as the Attestation Agent answers it: JSON with a quote and, where the guest has one, its CC event log.
 *
 *   {"cc_eventlog": <base64> | null, "quote": <base64>}
 *
 * Unlike SNP's, this JSON carries the signed bytes themselves. The agent sends no collateral.
 * @module
 */
import { parseAnyBase64 } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { parseEvidenceJson } from './evidence-json.ts'
import { QUOTE_LIMIT } from './tdx-quote.ts'

export type AaTdxEvidence = { quote: Uint8Array; eventLog?: Uint8Array }

/** @throws EVIDENCE_MALFORMED naming the field, INPUT_TOO_LARGE */
export function parseAaTdxEvidence(text: string): AaTdxEvidence {
  const { quote, cc_eventlog: eventLog } = parseEvidenceJson(text, 'evidence')
  const bytes = decode(quote, 'quote')
  if (bytes.length > QUOTE_LIMIT) throw tooLarge('quote', QUOTE_LIMIT)
  return {
    quote: bytes,
    ...(eventLog == null ? {} : { eventLog: decode(eventLog, 'cc_eventlog') }),
  }
}

function decode(value: unknown, field: string): Uint8Array {
  const bytes = typeof value === 'string' ? parseAnyBase64(value) : undefined
  if (bytes === undefined || bytes.length === 0) throw malformed(field, `${field} is not base64`)
  return bytes
}
