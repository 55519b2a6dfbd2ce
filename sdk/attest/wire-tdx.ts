/**
 * TDX evidence on the wire to an operator: a JSON object, raw or in base64, as `wire-snp.ts` has it for SNP.
 *
 *   {"quote": <base64>, "collateral": {...} | null, "event_log": <base64 of a CCEL> | null, "agent_log": <text> | null}
 *
 * All but the quote may be absent: operators can keep collateral themselves, and the registers speak without a log. `agent_log` is the
 * text log of agents before mid-2025.
 * @module
 */
import { toBase64, utf8ToBytes } from '../bytes.ts'
import { MAX_ATTESTATION_BYTES } from '../wire/limits.ts'
import { malformed, tooLarge } from './checks.ts'
import { encodeTdxCollateral, readTdxCollateral } from './collateral-bundle.ts'
import { parseEvidenceJson } from './evidence-json.ts'
import type { TdxEventLogs } from './tdx-event-log.ts'
import { QUOTE_LIMIT } from './tdx-quote.ts'
import type { TdxEvidence } from './tdx-verify.ts'
import { readBase64, readEvidenceText } from './wire-text.ts'

/** Nothing in the logs is to be believed before they were replayed. */
export type WireTdxEvidence = TdxEvidence & TdxEventLogs

/** What operators take of any attestation: a quote, collateral and a trimmed event log need less than half of it. */
export const WIRE_TDX_LIMIT = MAX_ATTESTATION_BYTES
const MEMBERS = new Set(['quote', 'collateral', 'event_log', 'agent_log'])

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseWireTdxEvidence(bytes: Uint8Array): WireTdxEvidence {
  const object = parseEvidenceJson(readEvidenceText(bytes, WIRE_TDX_LIMIT), 'attestation')
  for (const name of Object.keys(object))
    if (!MEMBERS.has(name)) throw malformed('attestation', 'evidence has an unknown member')
  const quote = readBase64(object.quote, 'quote')
  if (quote.length > QUOTE_LIMIT) throw tooLarge('quote', QUOTE_LIMIT)
  const { collateral, event_log: eventLog, agent_log: agentLog } = object
  if (agentLog != null && typeof agentLog !== 'string')
    throw malformed('agent_log', 'agent_log is not text')
  return {
    quote,
    ...(collateral == null ? {} : { collateral: readTdxCollateral(collateral) }),
    ...(eventLog == null ? {} : { eventLog: readBase64(eventLog, 'event_log') }),
    ...(agentLog == null ? {} : { agentLog }),
  }
}

export function encodeWireTdxEvidence(evidence: WireTdxEvidence): Uint8Array {
  const { quote, collateral, eventLog, agentLog } = evidence
  return utf8ToBytes(
    JSON.stringify({
      quote: toBase64(quote),
      ...(collateral === undefined ? {} : { collateral: encodeTdxCollateral(collateral) }),
      ...(eventLog === undefined ? {} : { event_log: toBase64(eventLog) }),
      ...(agentLog === undefined ? {} : { agent_log: agentLog }),
    }),
  )
}
