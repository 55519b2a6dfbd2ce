/**
 * The CC event log of a TD's firmware and boot loader (CCEL), with what the Attestation Agent appends to it.
 *
 * Sources: TCG PC Client Platform Firmware Profile, TCG_PCR_EVENT and TCG_PCR_EVENT2; UEFI, EFI_CC_EVENT; ACPI 6.5, CCEL table.
 * The first record has the old form and lists the digest algorithms; the others are of the new form, with one SHA-384 digest
 * among them. Registers count from 1: 1 to 4 are RTMR0 to 3, 0 is MRTD. The log ends with the buffer, with 0xff or with zeros.
 * @module
 */
import { equalBytes, isZero, parseUtf8 } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import {
  DIGEST_SIZE,
  EVENT_COUNT_LIMIT,
  EVENT_LOG_LIMIT,
  type LogEvent,
  type RtmrIndex,
  sha384,
} from './event-log.ts'

const EV_NO_ACTION = 3
const EV_EVENT_TAG = 6
const SHA384 = 0x000c
/** Sizes of TCG digest algorithms: SHA-1, SHA-256, SHA-384, SHA-512, SM3. */
const KNOWN_DIGESTS: ReadonlyMap<number, number> = new Map([
  [0x0004, 20],
  [0x000b, 32],
  [SHA384, DIGEST_SIZE],
  [0x000d, 64],
  [0x0012, 32],
])
const SPEC_ID = 'Spec ID Event03\0'
const ALGORITHMS_LIMIT = 8
/** Event data; the largest are ACPI tables. */
const DATA_LIMIT = 256 * 1024

/** @throws EVIDENCE_MALFORMED with the offset, INPUT_TOO_LARGE */
export function parseCcel(bytes: Uint8Array): LogEvent[] {
  return readLog(bytes).events
}

/**
 * The log without its padding. Firmware reserves 64 to 256 KiB for some ten of records, and agents hand out all of it.
 * @throws EVIDENCE_MALFORMED with the offset, INPUT_TOO_LARGE
 */
export function trimCcel(bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, readLog(bytes).end)
}

function readLog(bytes: Uint8Array): { events: LogEvent[]; end: number } {
  if (bytes.length > EVENT_LOG_LIMIT) throw tooLarge('event_log', EVENT_LOG_LIMIT)
  const read = createReader(bytes)
  const header = readHeader(read)
  const events: LogEvent[] = []
  let at = header.end
  while (!isEnd(bytes, at)) {
    if (events.length >= EVENT_COUNT_LIMIT) throw tooLarge('event_log', EVENT_COUNT_LIMIT)
    const record = readRecord(read, at, header.algorithms)
    if (record.event !== undefined) events.push(record.event)
    at = record.end
  }
  return { events, end: at }
}

/** The rest is padding: of one kind, up to the end. */
function isEnd(bytes: Uint8Array, at: number): boolean {
  const rest = bytes.subarray(at)
  return isZero(rest) || rest.every((byte) => byte === 0xff)
}

/** Index, type, SHA-1 digest, size, data. */
function readHeader(read: Reader): { algorithms: ReadonlyMap<number, number>; end: number } {
  const type = read.u32(4)
  const size = read.u32(28)
  const end = 32 + read.size(size, 28)
  read.need(32, size)
  const data = read.field(32, size)
  if (type !== EV_NO_ACTION || parseUtf8(data.subarray(0, 16)) !== SPEC_ID) throw bad('header', 0)
  const count = read.u32(56)
  if (count === 0 || count > ALGORITHMS_LIMIT) throw bad('algorithms', 56)
  const algorithms = new Map<number, number>()
  for (let index = 0; index < count; index++) {
    const at = 60 + 4 * index
    const [id, length] = [read.u16(at), read.u16(at + 2)]
    if (KNOWN_DIGESTS.get(id) !== length || algorithms.has(id)) throw bad('algorithms', at)
    algorithms.set(id, length)
  }
  // A byte for the size of the vendor's part, and that part.
  const vendorAt = 60 + 4 * count
  if (vendorAt + 1 + read.u8(vendorAt) !== end || !algorithms.has(SHA384)) throw bad('header', 0)
  return { algorithms, end }
}

/** Index, type, count, digests, size, data. */
function readRecord(
  read: Reader,
  start: number,
  algorithms: ReadonlyMap<number, number>,
): { event: LogEvent | undefined; end: number } {
  const index = read.u32(start)
  const type = read.u32(start + 4)
  const count = read.u32(start + 8)
  if (index > 4) throw bad('register', start)
  if (count === 0 || count > algorithms.size) throw bad('digest count', start + 8)
  let at = start + 12
  const digests = new Map<number, Uint8Array>()
  for (let entry = 0; entry < count; entry++) {
    const id = read.u16(at)
    const length = algorithms.get(id)
    if (length === undefined || digests.has(id)) throw bad('digest algorithm', at)
    read.need(at + 2, length)
    digests.set(id, read.field(at + 2, length))
    at += 2 + length
  }
  const size = read.size(read.u32(at), at)
  read.need(at + 4, size)
  const data = read.field(at + 4, size)
  const end = at + 4 + size
  if (type === EV_NO_ACTION) return { event: undefined, end }
  const digest = digests.get(SHA384)
  // What has no digest of ours did not extend a register.
  if (digest === undefined) throw bad('digest algorithm', start)
  const measured = equalBytes(sha384(data), digest)
  return {
    event: {
      register: registerOf(index),
      type,
      digest,
      ...(measured ? { content: data } : {}),
    },
    end,
  }
}

function registerOf(index: number): RtmrIndex | 'mrtd' {
  switch (index) {
    case 1:
      return 0
    case 2:
      return 1
    case 3:
      return 2
    case 4:
      return 3
    default:
      return 'mrtd'
  }
}

/** What a guest had its agent record: domain, operation and content, as measured. */
export type AgentEvent = { domain: string; operation: string; content: string }

const AGENT_MARK = 'LEAA'

/**
 * The agent's own events among those of RTMR3. Everything in the guest that reaches the agent can add some, so they tell what was
 * recorded, not who did it.
 */
export function agentEvents(events: readonly LogEvent[]): AgentEvent[] {
  return events.flatMap((event) => {
    const { register, type, content } = event
    if (register !== 3 || type !== EV_EVENT_TAG || content === undefined) return []
    const parsed = readAgentEvent(content)
    return parsed === undefined ? [] : [parsed]
  })
}

/** "LEAA" || size as u32 || "domain operation content". */
function readAgentEvent(content: Uint8Array): AgentEvent | undefined {
  if (content.length < 8 || parseUtf8(content.subarray(0, 4)) !== AGENT_MARK) return undefined
  const size = new DataView(content.buffer, content.byteOffset).getUint32(4, true)
  const text = parseUtf8(content.subarray(8))
  if (size !== content.length - 8 || text === undefined) return undefined
  return splitAgentEvent(text)
}

/** The content may hold spaces, domain and operation may not. */
export function splitAgentEvent(text: string): AgentEvent | undefined {
  const [domain, operation, ...rest] = text.split(' ')
  if (domain === undefined || operation === undefined || rest.length === 0) return undefined
  return { domain, operation, content: rest.join(' ') }
}

type Reader = {
  need: (at: number, size: number) => void
  size: (value: number, at: number) => number
  u8: (at: number) => number
  u16: (at: number) => number
  u32: (at: number) => number
  field: (at: number, size: number) => Uint8Array
}

function createReader(bytes: Uint8Array): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const need = (at: number, size: number) => {
    if (at + size > bytes.length) throw bad('end', bytes.length)
  }
  const within = <T>(at: number, size: number, value: () => T): T => {
    need(at, size)
    return value()
  }
  return {
    need,
    size: (value, at) => {
      if (value > DATA_LIMIT) throw bad('size', at)
      return value
    },
    u8: (at) => within(at, 1, () => view.getUint8(at)),
    u16: (at) => within(at, 2, () => view.getUint16(at, true)),
    u32: (at) => within(at, 4, () => view.getUint32(at, true)),
    field: (at, size) => bytes.slice(at, at + size),
  }
}

const bad = (what: string, offset: number) =>
  malformed('event_log', `event log: bad ${what} at byte ${offset}`, offset)
