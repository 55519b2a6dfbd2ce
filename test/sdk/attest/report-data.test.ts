import { fc, test } from '@fast-check/vitest'
import { sha384 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import {
  checkReportData,
  type ReportDataV2,
  reportDataV1,
  reportDataV2,
} from '../../../sdk/attest/report-data.ts'
import type { Check } from '../../../sdk/attest/types.ts'
import { bytesToHex, parseHex } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import v1 from '../../vectors/report-data/v1.json' with { type: 'json' }
import v2 from '../../vectors/report-data/v2.json' with { type: 'json' }

const bytes = (hex: string) => parseHex(hex) ?? new Uint8Array()

type CaseV2 = (typeof v2.cases)[number]
const readCase = (entry: CaseV2): ReportDataV2 => ({
  tee: entry.tee === 'tdx' ? 'tdx' : 'snp',
  method: entry.method,
  rsaSpkiDer: bytes(entry.rsaSpkiDer),
  appId: entry.appId,
  chainId: BigInt(entry.chainId),
  avs: `0x${entry.avs.slice(2)}`,
  operatorSetId: entry.operatorSetId,
  freshnessBlock: `0x${entry.freshnessBlock.slice(2)}`,
  extraData: bytes(entry.extraData),
  initdataSha384: sha384(bytes(entry.initdataToml)),
})
const [first] = v2.cases.map(readCase)
if (first === undefined) throw new Error('no vectors')

describe('report data version 1', () => {
  it.each(v1.cases)('$name', (entry) => {
    const data = reportDataV1({
      rsaPem: bytes(entry.rsaPem),
      extraData: bytes(entry.extraData),
      initdataReceived: bytes(entry.initdataReceived),
    })
    expect(bytesToHex(data)).toBe(entry.expect)
    expect(new TextDecoder().decode(data)).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('report data version 2', () => {
  it.each(v2.cases)('$name', (entry) => {
    expect(bytesToHex(reportDataV2(readCase(entry)))).toBe(entry.expect)
  })

  it('is another one for every field', () => {
    const others: Partial<ReportDataV2>[] = [
      { tee: 'tdx' },
      { method: 'eigenx-tdx' },
      { rsaSpkiDer: Uint8Array.of(1) },
      { appId: first.appId.toUpperCase() },
      { chainId: 2 },
      { avs: `0x${'12'.repeat(20)}` },
      { operatorSetId: 1 },
      { freshnessBlock: `0x${'23'.repeat(32)}` },
      { extraData: Uint8Array.of(0) },
      { initdataSha384: new Uint8Array(48).fill(1) },
    ]
    const all = [{}, ...others].map((change) => bytesToHex(reportDataV2({ ...first, ...change })))
    expect(new Set(all).size).toBe(others.length + 1)
  })

  it.each([
    ['avs_address', { avs: '0x1234' }],
    ['freshness_block', { freshnessBlock: `0x${'2'.repeat(63)}` }],
    ['chain_id', { chainId: -1 }],
    ['chain_id', { chainId: 1n << 64n }],
    ['chain_id', { chainId: Number.NaN }],
    ['operator_set_id', { operatorSetId: 1.5 }],
    ['initdata', { initdataSha384: new Uint8Array(32) }],
  ] as [string, Partial<ReportDataV2>][])('refuses a bad %s', (path, change) => {
    expect(refusalOf(() => reportDataV2({ ...first, ...change }))).toEqual({
      code: 'REQUEST_INVALID',
      details: { path },
    })
  })

  test.prop([fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), fc.nat(40)])(
    'does not confuse a field with its neighbour',
    (key, extra, move) => {
      const moved = Math.min(move, key.length)
      const a = reportDataV2({ ...first, rsaSpkiDer: key, extraData: extra })
      const b = reportDataV2({
        ...first,
        rsaSpkiDer: key.slice(0, key.length - moved),
        extraData: Uint8Array.from([...key.slice(key.length - moved), ...extra]),
      })
      expect(bytesToHex(a) === bytesToHex(b)).toBe(moved === 0)
    },
  )
})

describe('the comparison', () => {
  const expected = reportDataV2(first)

  it('accepts all 64 bytes equal', () => {
    expect(checkReportData(expected, expected, 2)).toMatchObject([{ result: 'passed' }])
  })

  it('refuses any one bit, and says on which side', () => {
    for (let at = 0; at < 64; at++) {
      const actual = Uint8Array.from(expected)
      actual[at] = (actual[at] ?? 0) ^ 1
      const trace: Check[] = []
      expect(refusalOf(() => checkReportData(actual, expected, 2, trace))).toEqual({
        code: 'REPORT_DATA_MISMATCH',
        details: { version: 2 },
      })
      expect(trace).toMatchObject([
        {
          result: 'failed',
          inputs: { differs: at < 32 ? 'the request half' : 'the initdata half' },
        },
      ])
    }
  })

  it('refuses prefixes, padding and an empty expectation', () => {
    for (const length of [0, 32, 63, 65]) {
      const other = new Uint8Array(length)
      other.set(expected.subarray(0, length))
      expect(refusalOf(() => checkReportData(expected, other, 2))).toMatchObject({
        code: 'REPORT_DATA_MISMATCH',
      })
      expect(refusalOf(() => checkReportData(other, other, 2))).toMatchObject({
        code: 'REPORT_DATA_MISMATCH',
      })
    }
  })
})
