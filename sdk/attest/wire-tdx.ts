/**
 * TDX evidence on the wire to an operator: a JSON object, raw or in base64, as `wire-snp.ts` has it for SNP.
 *
 *   {"quote": <base64>, "collateral": {...} | null, "event_log": <base64 of a CCEL> | null}
 *
 * The last two may be absent: operators can keep collateral themselves, and an event log matters only to policies that read it.
 * @module
 */
import { parseAnyBase64, parseUtf8, toBase64, utf8ToBytes } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { encodeTdxCollateral, readTdxCollateral } from './collateral-bundle.ts'
import { parseEvidenceJson } from './evidence-json.ts'
import { QUOTE_LIMIT } from './tdx-quote.ts'
import type { TdxEvidence } from './tdx-verify.ts'

export type WireTdxEvidence = TdxEvidence & {
  /** A CC event log; nothing in it is to be believed before it was replayed. */
  eventLog?: Uint8Array
}

/** A quote, collateral and a trimmed event log in base64, and base64 of that. */
export const WIRE_TDX_LIMIT = 384 * 1024
const MEMBERS = new Set(['quote', 'collateral', 'event_log'])

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseWireTdxEvidence(bytes: Uint8Array): WireTdxEvidence {
  if (bytes.length > WIRE_TDX_LIMIT) throw tooLarge('attestation', WIRE_TDX_LIMIT)
  const object = parseEvidenceJson(readText(bytes), 'attestation')
  for (const name of Object.keys(object))
    if (!MEMBERS.has(name)) throw malformed('attestation', 'evidence has an unknown member')
  const quote = decodeText(object.quote, 'quote')
  if (quote.length > QUOTE_LIMIT) throw tooLarge('quote', QUOTE_LIMIT)
  const { collateral, event_log: eventLog } = object
  return {
    quote,
    ...(collateral == null ? {} : { collateral: readTdxCollateral(collateral) }),
    ...(eventLog == null ? {} : { eventLog: decodeText(eventLog, 'event_log') }),
  }
}

export function encodeWireTdxEvidence(evidence: WireTdxEvidence): Uint8Array {
  const { quote, collateral, eventLog } = evidence
  return utf8ToBytes(
    JSON.stringify({
      quote: toBase64(quote),
      ...(collateral === undefined ? {} : { collateral: encodeTdxCollateral(collateral) }),
      ...(eventLog === undefined ? {} : { event_log: toBase64(eventLog) }),
    }),
  )
}

/** The first byte decides: an object is raw JSON, anything else is base64 of it. */
function readText(bytes: Uint8Array): string {
  const text = parseUtf8(bytes)?.trim()
  if (text === undefined || text === '') throw malformed('attestation', 'evidence is not text')
  if (text.startsWith('{')) return text
  const decoded = parseAnyBase64(text)
  const inner = decoded === undefined ? undefined : parseUtf8(decoded)
  if (inner === undefined) throw malformed('attestation', 'evidence is neither JSON nor base64')
  return inner
}

function decodeText(value: unknown, field: string): Uint8Array {
  const bytes = typeof value === 'string' ? parseAnyBase64(value) : undefined
  if (bytes === undefined || bytes.length === 0) throw malformed(field, `${field} is not base64`)
  return bytes
}
