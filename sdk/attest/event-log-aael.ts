/**
 * The Attestation Agent's own event log as text, the form before mid-2025: an INIT line, then one line per event.
 *
 *   INIT sha384/<96 hex digits>
 *   <domain> <operation> <content>
 *
 * Measured on genuine evidence: the INIT line is itself extended into RTMR3, then the SHA-384 of each line without its line end.
 * Today's form is part of the CCEL, see `event-log-ccel.ts`.
 * @module
 */
import { utf8ToBytes } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { EVENT_COUNT_LIMIT, EVENT_LOG_LIMIT, type LogEvent, sha384 } from './event-log.ts'
import { type AgentEvent, splitAgentEvent } from './event-log-ccel.ts'

const INIT = /^INIT sha384\/[0-9a-f]{96}$/
const EV_EVENT_TAG = 6

export type AgentTextLog = {
  /** All of RTMR3. */
  events: LogEvent[]
  entries: AgentEvent[]
}

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseAgentTextLog(text: string): AgentTextLog {
  if (text.length > EVENT_LOG_LIMIT) throw tooLarge('event_log', EVENT_LOG_LIMIT)
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  if (lines.length > EVENT_COUNT_LIMIT) throw tooLarge('event_log', EVENT_COUNT_LIMIT)
  const [first = '', ...rest] = lines
  if (!INIT.test(first)) throw bad('INIT line')
  const entries = rest.map((line) => {
    const entry = splitAgentEvent(line)
    if (entry === undefined || line.includes('\r')) throw bad('line')
    return entry
  })
  const events = lines.map((line): LogEvent => {
    const content = utf8ToBytes(line)
    return { register: 3, type: EV_EVENT_TAG, digest: sha384(content), content }
  })
  return { events, entries }
}

const bad = (what: string) => malformed('event_log', `agent event log: bad ${what}`)
