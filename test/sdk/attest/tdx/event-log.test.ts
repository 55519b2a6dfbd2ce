import { createHash } from 'node:crypto'
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { SIM_BOOT_LOG, SIM_BOOT_RTMRS } from '../../../../helper/sim/tdx-event-log.ts'
import {
  checkReplay,
  extendRtmr,
  type LogEvent,
  replayEvents,
  sha384,
} from '../../../../sdk/attest/event-log.ts'
import { parseAgentTextLog } from '../../../../sdk/attest/event-log-aael.ts'
import { agentEvents, parseCcel, trimCcel } from '../../../../sdk/attest/event-log-ccel.ts'
import { parseDstackLog } from '../../../../sdk/attest/event-log-dstack.ts'
import { checkTdxEventLogs } from '../../../../sdk/attest/tdx-event-log.ts'
import type { Check } from '../../../../sdk/attest/types.ts'
import { bytesToHex, concatBytes, utf8ToBytes } from '../../../../sdk/bytes.ts'
import { EigenxError } from '../../../../sdk/errors.ts'
import { refusalOf } from '../../../kit/errors.ts'

const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8)
const u32 = (value: number) => Uint8Array.of(value, value >> 8, value >> 16, value >>> 24)
const malformedLog = { code: 'EVIDENCE_MALFORMED' }

/** Header with SHA-384 alone. */
function header(algorithms: [number, number][] = [[0x0c, 48]], type = 3): Uint8Array {
  const data = concatBytes(
    utf8ToBytes('Spec ID Event03\0'),
    new Uint8Array(8),
    u32(algorithms.length),
    ...algorithms.flatMap(([id, size]) => [u16(id), u16(size)]),
    Uint8Array.of(0),
  )
  return concatBytes(u32(0), u32(type), new Uint8Array(20), u32(data.length), data)
}

function record(
  index: number,
  data: Uint8Array,
  rest: { type?: number; digest?: Uint8Array } = {},
) {
  const { type = 6, digest = sha384(data) } = rest
  return concatBytes(u32(index), u32(type), u32(1), u16(0x0c), digest, u32(data.length), data)
}

function agentData(text: string): Uint8Array {
  const bytes = utf8ToBytes(text)
  return concatBytes(utf8ToBytes('LEAA'), u32(bytes.length), bytes)
}

describe('replay', () => {
  it('extends as the module does', () => {
    const digest = new Uint8Array(48).fill(7)
    const expected = createHash('sha384').update(new Uint8Array(48)).update(digest).digest('hex')
    expect(bytesToHex(extendRtmr(new Uint8Array(48), digest))).toBe(expected)
  })

  it('leaves registers without events at zero, and the launch alone', () => {
    const events = parseCcel(concatBytes(header(), record(0, Uint8Array.of(1))))
    expect(events.map(({ register }) => register)).toEqual(['mrtd'])
    expect(replayEvents(events).every((register) => register.every((byte) => byte === 0))).toBe(
      true,
    )
  })

  it('needs all four registers', () => {
    const events = parseCcel(
      concatBytes(header(), ...[1, 2, 3, 4].map((index) => record(index, Uint8Array.of(index)))),
    )
    const rtmrs = replayEvents(events)
    expect(checkReplay(events, rtmrs)).toHaveLength(4)
    for (const index of [0, 1, 2, 3]) {
      const [a, b, c, d] = rtmrs.map((value, at) =>
        at === index ? value.with(0, (value[0] ?? 0) ^ 1) : value,
      )
      if (a === undefined || b === undefined || c === undefined || d === undefined)
        throw new Error()
      expect(refusalOf(() => checkReplay(events, [a, b, c, d]))).toEqual({
        code: 'EVIDENCE_INVALID',
        details: { check: 'tdx.event-log-replay' },
      })
    }
  })
})

describe('a CCEL', () => {
  const one = concatBytes(header(), record(4, agentData('domain op some content')))

  it.each([
    ['the end of the buffer', new Uint8Array()],
    ['zeros', new Uint8Array(40)],
    ['ones', new Uint8Array(8).fill(0xff)],
  ])('ends with %s', (_, padding) => {
    expect(parseCcel(concatBytes(one, padding))).toHaveLength(1)
  })

  it('is its records alone once it is trimmed', () => {
    const padded = concatBytes(one, new Uint8Array(4096))
    expect(trimCcel(padded)).toEqual(one)
    expect(trimCcel(one)).toEqual(one)
    expect(parseCcel(trimCcel(SIM_BOOT_LOG))).toEqual(parseCcel(SIM_BOOT_LOG))
    expect(refusalOf(() => trimCcel(one.subarray(1)))).toMatchObject(malformedLog)
  })

  it('does not extend what is no action', () => {
    expect(parseCcel(concatBytes(header(), record(1, new Uint8Array(4), { type: 3 })))).toEqual([])
  })

  it('gives the content only of events whose digest is of their content', () => {
    const lie = record(4, agentData('domain op forged'), { digest: new Uint8Array(48).fill(1) })
    const events = parseCcel(concatBytes(one, lie))
    expect(events.map(({ content }) => content !== undefined)).toEqual([true, false])
    expect(agentEvents(events)).toEqual([
      { domain: 'domain', operation: 'op', content: 'some content' },
    ])
  })

  it("tells the agent's events by register, type, mark and size", () => {
    const data = agentData('domain op content')
    const short = Uint8Array.from(data).with(4, 3)
    const events = parseCcel(
      concatBytes(
        header(),
        record(3, data),
        record(4, data, { type: 5 }),
        record(4, short),
        record(4, utf8ToBytes('LEAA')),
        record(4, agentData('no-content only')),
      ),
    )
    expect(events).toHaveLength(5)
    expect(agentEvents(events)).toEqual([])
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['another header', header([[0x0c, 48]], 8)],
    ['no algorithms', header([])],
    ['an algorithm of another size', header([[0x0c, 32]])],
    [
      'an algorithm twice',
      header([
        [0x0c, 48],
        [0x0c, 48],
      ]),
    ],
    ['no SHA-384', header([[0x0b, 32]])],
    ['an unknown register', concatBytes(header(), record(5, new Uint8Array(1)))],
    ['a record that was cut', one.subarray(0, one.length - 1)],
    [
      'a large size',
      concatBytes(header(), u32(1), u32(6), u32(1), u16(0x0c), new Uint8Array(48), u32(0xffffffff)),
    ],
    ['no digest', concatBytes(header(), u32(1), u32(6), u32(0), u32(1), Uint8Array.of(1))],
    ['text behind its end', concatBytes(one, new Uint8Array(4), utf8ToBytes('text'))],
  ])('is refused with %s', (_, bytes) => {
    expect(refusalOf(() => parseCcel(bytes))).toMatchObject(malformedLog)
  })

  it('is bounded', () => {
    expect(refusalOf(() => parseCcel(new Uint8Array(1024 * 1024 + 1)))).toMatchObject({
      code: 'INPUT_TOO_LARGE',
    })
  })

  test.prop([fc.uint8Array({ maxLength: 400 })])(
    'of random records is read or refused',
    (bytes) => {
      try {
        parseCcel(concatBytes(header(), bytes))
      } catch (error) {
        if (!(error instanceof EigenxError)) throw error
      }
    },
  )
})

describe('the logs beside a quote', () => {
  const agentLog = `INIT sha384/${'0'.repeat(96)}\nimage-rs Pull alpine:3\n`
  const replayed = (events: readonly LogEvent[]) => replayEvents(events)

  it('lead to its registers, alone or with the text log of an old agent', () => {
    const trace: Check[] = []
    const { length } = checkTdxEventLogs({ eventLog: SIM_BOOT_LOG }, SIM_BOOT_RTMRS, trace)
    expect(length).toBe(4)
    expect(trace.map(({ inputs, result }) => [inputs.events, result])).toEqual(
      ['1', '1', '2', '0'].map((events) => [events, 'passed']),
    )
    const both = [...parseCcel(SIM_BOOT_LOG), ...parseAgentTextLog(agentLog).events]
    const logs = { eventLog: SIM_BOOT_LOG, agentLog }
    expect(checkTdxEventLogs(logs, replayed(both))).toEqual(both)
    for (const part of [{ eventLog: SIM_BOOT_LOG }, { agentLog }])
      expect(refusalOf(() => checkTdxEventLogs(part, replayed(both)))).toEqual({
        code: 'EVIDENCE_INVALID',
        details: { check: 'tdx.event-log-replay' },
      })
  })

  it('may be absent, and then nothing was checked', () => {
    const trace: Check[] = []
    expect(checkTdxEventLogs({}, SIM_BOOT_RTMRS, trace)).toEqual([])
    expect(trace).toMatchObject([{ name: 'tdx.event-log-replay', result: 'not-applicable' }])
  })

  it('are refused where they are no logs', () => {
    for (const logs of [{ eventLog: new Uint8Array(100) }, { agentLog: 'INIT' }])
      expect(refusalOf(() => checkTdxEventLogs(logs, SIM_BOOT_RTMRS))).toMatchObject(malformedLog)
  })
})

describe("the agent's text log", () => {
  const init = `INIT sha384/${'0'.repeat(96)}`

  it('extends every line, the first one too', () => {
    const { events, entries } = parseAgentTextLog(`${init}\nimage-rs Pull alpine:3 x\n`)
    expect(events.map(({ digest }) => bytesToHex(digest))).toEqual(
      [init, 'image-rs Pull alpine:3 x'].map((line) => bytesToHex(sha384(utf8ToBytes(line)))),
    )
    expect(entries).toEqual([{ domain: 'image-rs', operation: 'Pull', content: 'alpine:3 x' }])
  })

  it.each(['', 'INIT sha256/00', `${init}\n\n`, `${init}\none two`, `${init}\r\na b c`])(
    'is refused in any other form',
    (text) => {
      expect(refusalOf(() => parseAgentTextLog(text))).toMatchObject(malformedLog)
    },
  )
})

describe('a dstack log', () => {
  const event = (name: string, payload = '', rest: object = {}) => ({
    imr: 3,
    event_type: 0x08000001,
    digest: '',
    event: name,
    event_payload: payload,
    ...rest,
  })
  const parse = (...entries: object[]) => parseDstackLog(JSON.stringify(entries))

  it('recomputes the digest of runtime events', () => {
    const { events } = parse(event('compose-hash', 'abcd'))
    const content = concatBytes(
      u32(0x08000001),
      utf8ToBytes(':compose-hash:'),
      Uint8Array.of(0xab, 0xcd),
    )
    expect(bytesToHex(events[0]?.digest ?? new Uint8Array())).toBe(bytesToHex(sha384(content)))
    const digest = bytesToHex(sha384(content))
    expect(parse(event('compose-hash', 'abcd', { digest })).events).toEqual(events)
    expect(refusalOf(() => parse(event('compose-hash', 'abce', { digest })))).toMatchObject(
      malformedLog,
    )
  })

  it('trusts what came before the application, and nothing it added', () => {
    const { trusted, events } = parse(
      event('app-id', '01'),
      event('system-ready'),
      event('app-id', '02'),
      event('custom', '03'),
    )
    expect(trusted.map(({ name }) => name)).toEqual(['app-id', 'system-ready'])
    expect(events).toHaveLength(4)
  })

  it.each([
    ['an event twice', [event('app-id', '01'), event('app-id', '02')]],
    ['a runtime event of another register', [event('app-id', '01', { imr: 2 })]],
    [
      'a boot event of register 3',
      [event('app-id', '', { event_type: 1, digest: '00'.repeat(48) })],
    ],
    ['a boot event without digest', [event('', '', { imr: 0, event_type: 1 })]],
    ['a boot event with a short digest', [event('', '', { imr: 0, event_type: 1, digest: '00' })]],
    ['register 4', [event('app-id', '', { imr: 4 })]],
    ['a negative type', [event('app-id', '', { event_type: -1 })]],
    ['a name with the separator', [event('app:id')]],
    ['an empty name', [event('')]],
    ['a payload that is not hex', [event('app-id', 'xyz')]],
    ['a number', [7]],
  ] as [string, object[]][])('is refused with %s', (_, entries) => {
    expect(refusalOf(() => parse(...entries))).toMatchObject(malformedLog)
  })

  it.each(['{}', '"x"', '', '[]]', '[],"log":[]'])('is refused as %s', (text) => {
    expect(refusalOf(() => parseDstackLog(text))).toMatchObject(malformedLog)
  })
})
