import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { SIM_PCK } from '../../../../helper/sim/tdx-evidence.ts'
import { parseAaTdxEvidence } from '../../../../sdk/attest/aa-tdx.ts'
import { parseTdxCollateral } from '../../../../sdk/attest/collateral-bundle.ts'
import { parseQeIdentity, parseTcbInfo } from '../../../../sdk/attest/collateral-json.ts'
import { parseCrl } from '../../../../sdk/attest/crl.ts'
import { encodeTdxRoots, INTEL_ANCHORS, parseTdxRoots } from '../../../../sdk/attest/tdx-anchors.ts'
import { createRemembered } from '../../../../sdk/attest/tdx-memory.ts'
import { encodePckExtension, parsePckExtension } from '../../../../sdk/attest/tdx-pck.ts'
import { parseTdxQuote } from '../../../../sdk/attest/tdx-quote.ts'
import { parseIntelCertificate } from '../../../../sdk/attest/tdx-x509.ts'
import type { Check } from '../../../../sdk/attest/types.ts'
import {
  encodeWireTdxEvidence,
  parseWireTdxEvidence,
  WIRE_TDX_LIMIT,
} from '../../../../sdk/attest/wire-tdx.ts'
import { toBase64, utf8ToBytes } from '../../../../sdk/bytes.ts'
import { EigenxError } from '../../../../sdk/errors.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { flipBit } from '../kit.ts'
import { issueTdx, malformed } from './kit.ts'

/** Anything goes but another exception than ours. */
function expectTyped(action: () => unknown): void {
  try {
    action()
  } catch (error) {
    if (!(error instanceof EigenxError)) throw error
  }
}

const some = fc.uint8Array({ maxLength: 2000 })
const text = fc.oneof(fc.string({ maxLength: 500 }), fc.json())

describe('whatever the bytes are, every parser answers with a value or a typed refusal', () => {
  // A UniversalString of one byte: the ASN.1 library throws an error of its own.
  const odd = Uint8Array.of(28, 1, 0)
  test.prop([some], { examples: [[odd]] })('bytes', (bytes) => {
    for (const parse of [
      parseTdxQuote,
      parsePckExtension,
      parseWireTdxEvidence,
      (der: Uint8Array) => parseCrl(der, 'list'),
      (der: Uint8Array) => parseIntelCertificate(der, 'leaf', 'leaf'),
      (der: Uint8Array) => parseIntelCertificate(der, 'authority', 'ca'),
    ])
      expectTyped(() => parse(bytes))
  })

  test.prop([text])('text', (input) => {
    for (const parse of [parseTcbInfo, parseQeIdentity, parseTdxCollateral, parseAaTdxEvidence])
      expectTyped(() => parse(input))
    expectTyped(() => parseWireTdxEvidence(utf8ToBytes(input)))
    expectTyped(() => parseTdxRoots(input))
  })
})

const honest = issueTdx({ version: 5, pckCrl: () => ({ revoked: ['01', '02'] }) })

describe('honest bytes that were cut or changed somewhere', () => {
  const places = fc.array(fc.nat(), { minLength: 1, maxLength: 4 })

  const mutations: [string, () => Promise<Uint8Array>, (bytes: Uint8Array) => unknown][] = [
    ['a quote', async () => (await honest).quote, parseTdxQuote],
    [
      'a revocation list',
      async () => (await honest).collateral.pckCrl,
      (der) => parseCrl(der, 'list'),
    ],
    ['an SGX extension', async () => encodePckExtension(SIM_PCK), parsePckExtension],
    [
      'a PCK certificate',
      async () => parseTdxQuote((await honest).quote).certificates[0] ?? new Uint8Array(),
      (der) => parseIntelCertificate(der, 'leaf', 'leaf'),
    ],
    [
      'TCB info',
      async () => utf8ToBytes((await honest).collateral.tcbInfo.text),
      (bytes) => parseTcbInfo(new TextDecoder().decode(bytes)),
    ],
    ['the wire form', async () => (await honest).wire(), parseWireTdxEvidence],
  ]

  for (const [name, make, parse] of mutations)
    test.prop([places, fc.nat()], { numRuns: 200 })(
      `are refused or read: ${name}`,
      async (bits, cut) => {
        const bytes = await make()
        const changed = bits.reduce((all, bit) => flipBit(all, bit % (8 * all.length)), bytes)
        expectTyped(() => parse(changed))
        expectTyped(() => parse(bytes.subarray(0, cut % bytes.length)))
      },
    )
})

describe('a cut quote', () => {
  it('is refused at every length', async () => {
    const { quote } = await honest
    for (let length = 0; length < quote.length; length++)
      expect(refusalOf(() => parseTdxQuote(quote.subarray(0, length)))).toMatchObject({
        code: 'EVIDENCE_MALFORMED',
      })
  })
})

describe('the SGX extension', () => {
  const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const level = fc.integer({ min: 0, max: 255 })

  test.prop([
    fc.record({
      ppid: octets(16),
      components: fc.array(level, { minLength: 16, maxLength: 16 }),
      pceSvn: fc.integer({ min: 0, max: 0xffff }),
      cpuSvn: octets(16),
      pceId: octets(2),
      fmspc: octets(6),
      sgxType: fc.integer({ min: 0, max: 2 }),
      platformInstanceId: octets(16),
      dynamicPlatform: fc.boolean(),
      cachedKeys: fc.boolean(),
      smt: fc.boolean(),
    }),
  ])('reads what it writes', (fields) => {
    expect(parsePckExtension(encodePckExtension(fields))).toEqual(fields)
  })

  it('is refused with any one bit that changes its form', () => {
    const der = encodePckExtension(SIM_PCK)
    for (let bit = 0; bit < 8 * der.length; bit++) {
      const flipped = flipBit(der, bit)
      const parsed = refusalOf(() => parsePckExtension(flipped))
      // What is still read has to mean exactly the flipped bytes.
      if (parsed === 'accepted')
        expect(encodePckExtension(parsePckExtension(flipped))).toEqual(flipped)
      else expect(parsed).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
    }
  })

  it.each([
    ['a level above a byte', { components: [256, ...SIM_PCK.components.slice(1)] }],
    ['a negative level', { components: [-1, ...SIM_PCK.components.slice(1)] }],
    ['fifteen levels', { components: SIM_PCK.components.slice(1) }],
    ['a short PPID', { ppid: new Uint8Array(15) }],
    ['a long FMSPC', { fmspc: new Uint8Array(7) }],
    ['an unknown type', { sgxType: 3 }],
    ['a large PCE SVN', { pceSvn: 0x10000 }],
  ])('is refused with %s', (_, lie) => {
    expect(
      refusalOf(() => parsePckExtension(encodePckExtension({ ...SIM_PCK, ...lie }))),
    ).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
  })
})

describe('TDX evidence on the wire', () => {
  it('reads what it writes, raw and in base64', async () => {
    const { quote, collateral } = await honest
    const evidence = { quote, collateral, eventLog: Uint8Array.of(1, 2, 3), agentLog: 'INIT\n' }
    const wire = encodeWireTdxEvidence(evidence)
    expect(parseWireTdxEvidence(wire)).toEqual(evidence)
    expect(parseWireTdxEvidence(utf8ToBytes(toBase64(wire)))).toEqual(evidence)
  })

  it('may be a quote alone', async () => {
    const { quote } = await honest
    expect(parseWireTdxEvidence(encodeWireTdxEvidence({ quote }))).toEqual({ quote })
    const nulls = JSON.stringify({
      quote: toBase64(quote),
      collateral: null,
      event_log: null,
      agent_log: null,
    })
    expect(parseWireTdxEvidence(utf8ToBytes(nulls))).toEqual({ quote })
  })

  it.each([
    ['no quote', '{}', 'quote'],
    ['an empty quote', '{"quote":""}', 'quote'],
    ['a quote in hex digits with a stray one', '{"quote":"abc!"}', 'quote'],
    ['a quote twice', '{"quote":"AAAA","quote":"AAAA"}', 'attestation'],
    ['an unknown member', '{"quote":"AAAA","report":"AAAA"}', 'attestation'],
    ['collateral as text', '{"quote":"AAAA","collateral":"{}"}', 'collateral'],
    ['a text log that is no text', '{"quote":"AAAA","agent_log":7}', 'agent_log'],
    ['a list', '["AAAA"]', 'attestation'],
    ['nothing', '', 'attestation'],
  ])('is refused with %s', (_, wire, field) => {
    expect(refusalOf(() => parseWireTdxEvidence(utf8ToBytes(wire)))).toMatchObject(malformed(field))
  })

  it('is bounded', () => {
    const large = new Uint8Array(WIRE_TDX_LIMIT + 1).fill(0x20)
    expect(refusalOf(() => parseWireTdxEvidence(large))).toMatchObject({ code: 'INPUT_TOO_LARGE' })
    const quote = toBase64(new Uint8Array(16 * 1024 + 1))
    expect(
      refusalOf(() => parseWireTdxEvidence(utf8ToBytes(JSON.stringify({ quote })))),
    ).toMatchObject({ code: 'INPUT_TOO_LARGE' })
  })
})

describe("the agent's TDX evidence", () => {
  it('is a quote and perhaps a log', async () => {
    const issued = await honest
    expect(parseAaTdxEvidence(issued.aaJson())).toEqual({ quote: issued.quote })
    const withLog = JSON.stringify({ cc_eventlog: 'AQID', quote: 'BAUG' })
    expect(parseAaTdxEvidence(withLog)).toEqual({
      quote: Uint8Array.of(4, 5, 6),
      eventLog: Uint8Array.of(1, 2, 3),
    })
    const ofOldAgent = JSON.stringify({ cc_eventlog: null, quote: 'BAUG', aa_eventlog: 'INIT\n' })
    expect(parseAaTdxEvidence(ofOldAgent)).toEqual({
      quote: Uint8Array.of(4, 5, 6),
      agentLog: 'INIT\n',
    })
  })

  it('may carry a whole firmware buffer of 256 KiB, and is bounded', () => {
    const { eventLog } = parseAaTdxEvidence(
      JSON.stringify({ quote: 'BAUG', cc_eventlog: toBase64(new Uint8Array(256 * 1024)) }),
    )
    expect(eventLog).toHaveLength(256 * 1024)
    const large = JSON.stringify({ quote: 'BAUG', cc_eventlog: 'A'.repeat(1024 * 1024) })
    expect(refusalOf(() => parseAaTdxEvidence(large))).toMatchObject({ code: 'INPUT_TOO_LARGE' })
  })

  it.each([
    ['{"cc_eventlog":null}', 'quote'],
    ['{"quote":7}', 'quote'],
    ['{"quote":"AAAA","cc_eventlog":7}', 'cc_eventlog'],
    ['{"quote":"AAAA","aa_eventlog":7}', 'aa_eventlog'],
    ['[]', 'evidence'],
  ])('%s is refused', (json, field) => {
    expect(refusalOf(() => parseAaTdxEvidence(json))).toMatchObject(malformed(field))
  })
})

describe('roots of a devnet', () => {
  it('are read as they are written', () => {
    expect(parseTdxRoots(encodeTdxRoots(INTEL_ANCHORS))).toEqual(INTEL_ANCHORS)
  })

  it.each([
    '',
    'text',
    encodeTdxRoots(INTEL_ANCHORS).repeat(4),
    `x${encodeTdxRoots(INTEL_ANCHORS)}`,
  ])('are refused in any other form', (input) => {
    expect(refusalOf(() => parseTdxRoots(input))).toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('what is remembered', () => {
  it('is bounded, and what was used last stays', () => {
    const remembered = createRemembered<string>(2)
    const built: string[] = []
    const get = (key: string) =>
      remembered.get(key, [], () => {
        built.push(key)
        return key
      })
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) get(key)
    expect(built).toEqual(['a', 'b', 'c', 'b'])
  })

  it('is not what was refused', () => {
    const remembered = createRemembered<string>(2)
    const fail = () => {
      throw new Error('refused')
    }
    expect(() => remembered.get('a', [], fail)).toThrow('refused')
    expect(remembered.get('a', [], () => 'good')).toBe('good')
  })

  it('brings its checks along', () => {
    const remembered = createRemembered<string>(2)
    const check: Check = { name: 'x', result: 'passed', inputs: {}, source: 's' }
    const build = (trace: Check[]) => {
      trace.push(check)
      return 'value'
    }
    for (let round = 0; round < 2; round++) {
      const trace: Check[] = []
      remembered.get('a', trace, build)
      expect(trace).toEqual([check])
    }
  })
})
