/**
 * Event logs of TDs and their replay onto RTMR0 to 3. A log proves nothing by itself: only the registers in a verified quote do.
 *
 * Source: Intel TDX Module ABI, TDG.MR.RTMR.EXTEND: RTMR = SHA-384(RTMR || digest), starting from 48 zero bytes.
 * A digest in a log is what was extended, and says nothing about the text beside it unless it is the hash of that text: events
 * whose digest can be recomputed carry `content`, and only those may be read for their meaning.
 * @module
 */
import { createHash } from 'node:crypto'
import { bytesToHex, equalBytes } from '../bytes.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import type { Check, TdxClaims } from './types.ts'

/** Bytes of a log in any form. */
export const EVENT_LOG_LIMIT = 1024 * 1024
/** Booting takes some hundred; every container adds a few. */
export const EVENT_COUNT_LIMIT = 8192
export const DIGEST_SIZE = 48

export type RtmrIndex = 0 | 1 | 2 | 3

export type LogEvent = {
  /** Which register it extends; `mrtd` events are part of the launch and are not replayed. */
  register: RtmrIndex | 'mrtd'
  type: number
  /** 48 bytes: what was extended. */
  digest: Uint8Array
  /** The digest was recomputed from it: this is what was measured. */
  content?: Uint8Array
}

export type Rtmrs = TdxClaims['rtmrs']

export const REPLAY: Rule = {
  name: 'tdx.event-log-replay',
  source: 'Intel TDX Module ABI, TDG.MR.RTMR.EXTEND',
}

/** The registers after these events, from zero. */
export function replayEvents(events: readonly LogEvent[]): Rtmrs {
  const registers: [Uint8Array, Uint8Array, Uint8Array, Uint8Array] = [
    new Uint8Array(DIGEST_SIZE),
    new Uint8Array(DIGEST_SIZE),
    new Uint8Array(DIGEST_SIZE),
    new Uint8Array(DIGEST_SIZE),
  ]
  for (const { register, digest } of events)
    if (register !== 'mrtd') registers[register] = extendRtmr(registers[register], digest)
  return registers
}

export function extendRtmr(register: Uint8Array, digest: Uint8Array): Uint8Array {
  return sha384(register, digest)
}

export function sha384(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha384')
  for (const part of parts) hash.update(part)
  return Uint8Array.from(hash.digest())
}

/**
 * Does this log lead to the registers of this quote? All four have to fit: a log that explains some of them explains nothing.
 * @param rtmrs - From verified claims.
 * @throws EVIDENCE_INVALID naming the check; the inputs name the register.
 */
export function checkReplay(
  events: readonly LogEvent[],
  rtmrs: Rtmrs,
  trace: Check[] = [],
): readonly Check[] {
  const log: CheckLog = createCheckLog(trace)
  replayEvents(events).forEach((replayed, index) => {
    const reported = rtmrs[index] ?? new Uint8Array()
    log.demand(
      REPLAY,
      equalBytes(replayed, reported),
      {
        register: String(index),
        events: String(events.filter(({ register }) => register === index).length),
        reported: bytesToHex(reported),
        replayed: bytesToHex(replayed),
      },
      `the event log does not lead to RTMR${index}`,
    )
  })
  return log.checks
}
