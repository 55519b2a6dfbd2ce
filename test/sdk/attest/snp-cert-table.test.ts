import { hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import { CERT_TABLE_LIMIT, parseSnpCertTable } from '../../../sdk/attest/snp-cert-table.ts'
import { refusalOf } from '../../kit/errors.ts'
import { ARK, type CertTableEntry, encodeCertTable, VCEK, VLEK } from './cert-table-kit.ts'

const der = (fill: number, length = 40) => new Uint8Array(length).fill(fill)
const read = (...entries: CertTableEntry[]) => parseSnpCertTable(encodeCertTable(entries))

describe('the certificate table of a host', () => {
  test('gives the leaves and leaves out authorities and what the host adds', () => {
    const entries: CertTableEntry[] = [
      { guid: ARK, data: der(1) },
      { guid: VLEK, data: der(2) },
      { guid: '92f81bc358114d3d97ffd19f88dc67ea', data: der(3, 5000) },
      { guid: VCEK, data: der(4) },
    ]
    expect(read(...entries)).toEqual({ vlek: der(2), vcek: der(4) })
    expect(read({ guid: ARK, data: new Uint8Array() })).toEqual({})
  })

  test('is empty where there is nothing, and in a zeroed page', () => {
    expect(parseSnpCertTable(new Uint8Array())).toEqual({})
    expect(parseSnpCertTable(new Uint8Array(4096))).toEqual({})
  })

  test('has GUIDs in the order of their text', () => {
    // As AMD's tool for hosts writes VCEK: 63da758d-e664-4564-adc5-f4b93be8accd.
    const bytes = hexToBytes(`63da758de6644564adc5f4b93be8accd3000000001000000${'00'.repeat(24)}aa`)
    expect(parseSnpCertTable(bytes)).toEqual({ vcek: Uint8Array.of(0xaa) })
  })

  const one = () => encodeCertTable([{ guid: VCEK, data: der(1) }])
  const u32At = (at: number, value: number) => {
    const bytes = one()
    new DataView(bytes.buffer).setUint32(at, value, true)
    return bytes
  }
  test.each<[string, Uint8Array, string]>([
    ['cut short in an entry', one().subarray(0, 23), 'cert_table.end'],
    ['without its end', one().subarray(0, 24), 'cert_table.end'],
    ['whose certificate is cut short', one().subarray(0, -1), 'cert_table.range'],
    ['whose certificate lies in the entries', u32At(16, 24), 'cert_table.range'],
    ['whose certificate lies behind the end', u32At(16, 0xffffffff), 'cert_table.range'],
    ['whose length wraps around', u32At(20, 0xffffffff), 'cert_table.range'],
    ['with an empty VCEK', u32At(20, 0), 'cert_table.vcek'],
    [
      'with two',
      encodeCertTable([
        { guid: VCEK, data: der(1) },
        { guid: VCEK, data: der(1) },
      ]),
      'cert_table.vcek twice',
    ],
    [
      'of 33 entries',
      encodeCertTable(Array.from({ length: 33 }, () => ({ guid: ARK, data: der(1) }))),
      'cert_table.count',
    ],
  ])('is refused %s', (_, bytes, field) => {
    expect(refusalOf(() => parseSnpCertTable(bytes))).toMatchObject({
      code: 'EVIDENCE_MALFORMED',
      details: { field },
    })
  })

  test('is refused above its limits', () => {
    const code = 'INPUT_TOO_LARGE'
    expect(refusalOf(() => read({ guid: VCEK, data: der(1, 4097) }))).toMatchObject({ code })
    const large = new Uint8Array(CERT_TABLE_LIMIT + 1)
    expect(refusalOf(() => parseSnpCertTable(large))).toMatchObject({ code })
  })
})
