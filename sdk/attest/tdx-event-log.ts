/**
 * The event logs that came with a quote, against the registers that the quote signs.
 *
 * They are not needed for a verdict, but they are not decoration either: whoever reads the record of a decision may look into them,
 * so logs that lead elsewhere are refused like any other lie.
 * @module
 */
import { type CheckLog, createCheckLog } from './checks.ts'
import { checkReplay, type LogEvent, REPLAY, type Rtmrs } from './event-log.ts'
import { parseAgentTextLog } from './event-log-aael.ts'
import { parseCcel } from './event-log-ccel.ts'
import type { Check } from './types.ts'

export type TdxEventLogs = {
  /** CCEL of the firmware; today's agents append their own events to it. */
  eventLog?: Uint8Array
  /** The text log of agents before mid-2025: RTMR3. */
  agentLog?: string
}

/**
 * @param rtmrs - From verified claims.
 * @returns The events in the order in which they were measured, per register; none where there is no log.
 * @throws EVIDENCE_INVALID when the logs do not lead to all four registers; EVIDENCE_MALFORMED, INPUT_TOO_LARGE
 */
export function checkTdxEventLogs(
  { eventLog, agentLog }: TdxEventLogs,
  rtmrs: Rtmrs,
  trace: Check[] = [],
): readonly LogEvent[] {
  const log: CheckLog = createCheckLog(trace)
  if (eventLog === undefined && agentLog === undefined) {
    log.skip(REPLAY, { log: 'none' })
    return []
  }
  const events = [
    ...(eventLog === undefined ? [] : parseCcel(eventLog)),
    ...(agentLog === undefined ? [] : parseAgentTextLog(agentLog).events),
  ]
  checkReplay(events, rtmrs, trace)
  return events
}
