/**
 * Writes CC event logs: what a simulated firmware and boot loader measure, and whatever else a test wants in a log.
 *
 * The layout is that of `sdk/attest/event-log-ccel.ts`, written from the same sources in the other direction.
 * @module
 */
import {
  type LogEvent,
  type RtmrIndex,
  type Rtmrs,
  replayEvents,
  sha384,
} from '../../sdk/attest/event-log.ts'
import { parseCcel } from '../../sdk/attest/event-log-ccel.ts'
import { concatBytes, utf8ToBytes } from '../../sdk/bytes.ts'

export type SimEvent = {
  register: LogEvent['register']
  data: Uint8Array
  type?: number
  /** Of `data` where absent. */
  digest?: Uint8Array
}

const EV_NO_ACTION = 3
const EV_IPL = 13
const SHA384 = 0x0c
const SHA384_SIZE = 48
/** Firmware reserves more than it writes. */
const PADDING = new Uint8Array(4096).fill(0xff)

function encodeCcel(events: readonly SimEvent[], padding = PADDING): Uint8Array {
  const algorithms = [u16(SHA384), u16(SHA384_SIZE)]
  const specification = concatBytes(
    utf8ToBytes('Spec ID Event03\0'),
    new Uint8Array(8),
    u32(1),
    ...algorithms,
    Uint8Array.of(0),
  )
  const header = concatBytes(u32(0), u32(EV_NO_ACTION), new Uint8Array(20), sized(specification))
  return concatBytes(header, ...events.map(encodeEvent), padding)
}

function encodeEvent({ register, data, type = EV_IPL, digest = sha384(data) }: SimEvent) {
  const index = register === 'mrtd' ? 0 : register + 1
  return concatBytes(u32(index), u32(type), u32(1), u16(SHA384), digest, sized(data))
}

function boot(register: RtmrIndex, text: string): SimEvent {
  return { register, data: utf8ToBytes(text) }
}

/** The one guest image of simulated machines: its log, and the registers that it leads to. */
export const SIM_BOOT_LOG = encodeCcel([
  boot(0, 'simulated firmware configuration'),
  boot(1, 'simulated kernel'),
  boot(2, 'simulated kernel command line'),
  boot(2, 'simulated initrd'),
])
export const SIM_BOOT_RTMRS: Rtmrs = replayEvents(parseCcel(SIM_BOOT_LOG))

function sized(bytes: Uint8Array): Uint8Array {
  return concatBytes(u32(bytes.length), bytes)
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8)
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value, value >> 8, value >> 16, value >>> 24)
}
