/**
 * The event log of dstack guests: a JSON array, boot events with their digest and runtime events of RTMR3 with their payload.
 *
 *   {"imr": 0..3, "event_type": u32, "digest": 96 hex or "", "event": name, "event_payload": hex}
 *
 * Measured on genuine logs: a runtime event extends SHA-384(type as u32, little-endian || ":" || name || ":" || payload). That digest is
 * always recomputed; the one in the log, where there is one, has to be equal. Boot events are a digest and nothing else: names
 * and payloads beside it are the sender's word.
 * @module
 */
import { concatBytes, equalBytes, parseHex, utf8ToBytes } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import {
  DIGEST_SIZE,
  EVENT_COUNT_LIMIT,
  EVENT_LOG_LIMIT,
  type LogEvent,
  type RtmrIndex,
  sha384,
} from './event-log.ts'
import { asObject, type EvidenceObject, parseEvidenceJson } from './evidence-json.ts'

const RUNTIME_EVENT = 0x08000001
/** The last event before the application runs; from there on it can add events itself. */
const LAST_TRUSTED = 'system-ready'
const NAME = /^[\x20-\x39\x3b-\x7e]{1,256}$/ // without the colon that separates

export type DstackEvent = { name: string; payload: Uint8Array }

export type DstackLog = {
  events: LogEvent[]
  /** Runtime events up to `system-ready`, or all where it has not come yet: recorded before the application could. */
  trusted: DstackEvent[]
}

/**
 * @param text - The array as dstack's guest agent answers it.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE
 */
export function parseDstackLog(text: string): DstackLog {
  if (text.length > EVENT_LOG_LIMIT) throw tooLarge('event_log', EVENT_LOG_LIMIT)
  const { log } = parseEvidenceJson(`{"log":${text}}`, 'event_log')
  if (!Array.isArray(log)) throw bad('log', 0)
  if (log.length > EVENT_COUNT_LIMIT) throw tooLarge('event_log', EVENT_COUNT_LIMIT)
  const events: LogEvent[] = []
  const trusted: DstackEvent[] = []
  let applicationRuns = false
  log.forEach((entry: unknown, index) => {
    const object = asObject(entry)
    if (object === undefined) throw bad('event', index)
    const runtime = readRuntimeEvent(object, index)
    if (runtime === undefined) {
      events.push(readBootEvent(object, index))
      return
    }
    events.push(runtime.event)
    if (!applicationRuns) {
      // Which of two would count is the reader's guess.
      if (trusted.some(({ name }) => name === runtime.name)) throw bad('event twice', index)
      trusted.push({ name: runtime.name, payload: runtime.payload })
    }
    applicationRuns ||= runtime.name === LAST_TRUSTED
  })
  return { events, trusted }
}

function readBootEvent(object: EvidenceObject, index: number): LogEvent {
  const digest = readBytes(object, 'digest', index)
  if (digest.length !== DIGEST_SIZE) throw bad('digest', index)
  return { register: readRegister(object, index), type: readType(object, index), digest }
}

function readRuntimeEvent(
  object: EvidenceObject,
  index: number,
): (DstackEvent & { event: LogEvent }) | undefined {
  const type = readType(object, index)
  const register = readRegister(object, index)
  if (type !== RUNTIME_EVENT) {
    // Only runtime events extend RTMR3, and their digests are not taken on trust.
    if (register === 3) throw bad('event_type', index)
    return undefined
  }
  if (register !== 3) throw bad('imr', index)
  const name = object.event
  if (typeof name !== 'string' || !NAME.test(name)) throw bad('event', index)
  const payload = readBytes(object, 'event_payload', index)
  const content = concatBytes(typeBytes(type), utf8ToBytes(`:${name}:`), payload)
  const digest = sha384(content)
  const given = readBytes(object, 'digest', index)
  if (given.length !== 0 && !equalBytes(given, digest)) throw bad('digest', index)
  return { name, payload, event: { register: 3, type, digest, content } }
}

function readRegister(object: EvidenceObject, index: number): RtmrIndex {
  switch (object.imr) {
    case 0n:
      return 0
    case 1n:
      return 1
    case 2n:
      return 2
    case 3n:
      return 3
    default:
      throw bad('imr', index)
  }
}

function readType(object: EvidenceObject, index: number): number {
  const type = object.event_type
  if (typeof type !== 'bigint' || type < 0n || type > 0xffff_ffffn) throw bad('event_type', index)
  return Number(type)
}

function readBytes(object: EvidenceObject, name: string, index: number): Uint8Array {
  const value = object[name]
  const bytes = typeof value === 'string' ? parseHex(value) : undefined
  if (bytes === undefined) throw bad(name, index)
  return bytes
}

function typeBytes(type: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, type, true)
  return bytes
}

const bad = (what: string, index: number) =>
  malformed(`event_log[${index}]`, `dstack event log: bad ${what}`)
