import 'reflect-metadata'
import { KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Extension, X509CrlGenerator } from '@peculiar/x509'
import { Integer, Null } from 'asn1js'
import { assert, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AMD_ANCHORS } from '../../../sdk/attest/anchors.ts'
import {
  CRL_LIMIT,
  isRevoked,
  parseCrl,
  serialHex,
  verifyCrlSignature,
} from '../../../sdk/attest/crl.ts'
import { bytesToHex, concatBytes, parseHex } from '../../../sdk/bytes.ts'
import { EigenxError } from '../../../sdk/errors.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { DAY, type ListFields, makeExtension, makeList } from './crl-kit.ts'
import { genuineFolder } from './genuine.ts'
import { flipBit } from './kit.ts'

const arkKey = async () => {
  const { certificates } = await authorityOf()
  return new X509Certificate(certificates.ark).publicKey
}
const malformed = (field: string) => ({
  code: 'EVIDENCE_MALFORMED',
  details: { field, offset: -1 },
})
const extension = (oid: string, critical: boolean) =>
  makeExtension(oid, critical, new Null().toBER())

describe('a revocation list', () => {
  it('says who signed it, when, which one it is and what it revokes', async () => {
    const crl = parseCrl(await makeList({ revoked: ['020001', '0a'] }))
    expect(crl).toMatchObject({
      issuerCommonName: 'ARK-Milan',
      number: 7n,
      thisUpdate: NOW - DAY,
      nextUpdate: NOW + 45 * DAY,
      algorithm: { kind: 'rsa-pss', hash: 'sha384', saltLength: 48 },
    })
    expect([...crl.revoked.keys()]).toEqual(['020001', '0a'])
    expect(verifyCrlSignature(crl, await arkKey())).toBe(true)
  })

  it('finds a serial number in every way to write it', async () => {
    const crl = parseCrl(await makeList({ revoked: ['020001'] }))
    for (const serial of ['020001', '20001', '00020001', '020001'.toUpperCase()])
      expect(isRevoked(crl, serial)).toBe(true)
    expect(isRevoked(crl, Uint8Array.of(0, 2, 0, 1))).toBe(true)
    for (const serial of ['0200', '020002', '00', '02000100'])
      expect(isRevoked(crl, serial)).toBe(false)
  })

  it('writes a serial number in one way', () => {
    expect(['00', '0', '0000', '01', '0001', 'FF', 'abc'].map(serialHex)).toEqual([
      '00',
      '00',
      '00',
      '01',
      '01',
      'ff',
      '0abc',
    ])
    expect(serialHex(Uint8Array.of(0, 0xff))).toBe('ff')
  })

  it('of another key is not signed by the root', async () => {
    for (const changes of [{ signedBy: 'ask' }, { keySet: 'look-alike' }] as const)
      expect(verifyCrlSignature(parseCrl(await makeList(changes)), await arkKey())).toBe(false)
  })

  it('is not verified with a key of another kind', async () => {
    const crl = parseCrl(await makeList())
    const { publicKey } = await crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-384' },
      true,
      ['sign', 'verify'],
    )
    expect(verifyCrlSignature(crl, KeyObject.from(publicKey))).toBe(false)
  })

  it.each([
    ['P-256', 'SHA-256'],
    ['P-384', 'SHA-384'],
  ] as const)('may be signed with ECDSA on %s', async (namedCurve, hash) => {
    const algorithm = { name: 'ECDSA', namedCurve, hash }
    const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, [
      'sign',
      'verify',
    ])
    const list = await X509CrlGenerator.create({
      issuer: 'CN=Some Root',
      thisUpdate: new Date(NOW * 1000),
      nextUpdate: new Date((NOW + DAY) * 1000),
      extensions: [new Extension('2.5.29.20', false, new Integer({ value: 1 }).toBER())],
      signingKey: privateKey,
      signingAlgorithm: algorithm,
    })
    const crl = parseCrl(new Uint8Array(list.rawData))
    expect(crl.algorithm).toEqual({ kind: 'ecdsa', hash: hash === 'SHA-256' ? 'sha256' : 'sha384' })
    expect(verifyCrlSignature(crl, KeyObject.from(publicKey))).toBe(true)
    expect(verifyCrlSignature(crl, await arkKey())).toBe(false)
  })

  const wrong: [string, Partial<ListFields>, string][] = [
    ['without an end', { nextUpdate: undefined }, 'crl.encoding'],
    ['that ends before it begins', { nextUpdate: NOW - 2 * DAY }, 'crl.nextUpdate'],
    [
      'without a number',
      { number: undefined, extensions: [extension('1.2.3.4', false)] },
      'crl.number',
    ],
    ['with a negative number', { number: -1 }, 'crl.number'],
    ['that is a delta', { extensions: [extension('2.5.29.27', true)] }, 'crl.extension 2.5.29.27'],
    [
      'that is a delta and does not say that this matters',
      { extensions: [extension('2.5.29.27', false)] },
      'crl.extension 2.5.29.27',
    ],
    [
      'for part of the certificates',
      { extensions: [extension('2.5.29.28', true)] },
      'crl.extension 2.5.29.28',
    ],
    [
      'with something critical that nobody knows',
      { extensions: [extension('1.2.3.4', true)] },
      'crl.extension 1.2.3.4',
    ],
    [
      'with an entry about another issuer',
      { revoked: ['05'], entryExtensions: [extension('2.5.29.29', true)] },
      'crl.entry.extension 2.5.29.29',
    ],
    ['with a salt of another length', { saltLength: 32 }, 'crl.signatureAlgorithm'],
  ]
  it.each(wrong)('%s is refused', async (_, changes, field) => {
    const der = await makeList(changes)
    expect(refusalOf(() => parseCrl(der))).toEqual(malformed(field))
  })

  it('with a serial twice is refused', async () => {
    const der = await makeList({ revoked: ['050505', '050506'] })
    const hex = bytesToHex(der).replace('0203050506', '0203050505')
    const twice = parseHex(hex) ?? new Uint8Array()
    expect(refusalOf(() => parseCrl(twice))).toEqual(malformed('crl.entry twice'))
  })

  it('with an extension twice is refused', async () => {
    const twice = extension('1.2.3.4', false)
    const der = await makeList({ extensions: [twice, twice] })
    expect(refusalOf(() => parseCrl(der))).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
  })

  it('with a byte behind it, or less than all of it, is refused', async () => {
    const der = await makeList()
    const longer = concatBytes(der, Uint8Array.of(0))
    expect(refusalOf(() => parseCrl(longer))).toEqual(malformed('crl.encoding'))
    for (let length = 0; length < der.length; length += 7)
      expect(refusalOf(() => parseCrl(der.subarray(0, length)))).toEqual(malformed('crl.encoding'))
  })

  it('above its limit is refused before it is read', () => {
    expect(refusalOf(() => parseCrl(new Uint8Array(CRL_LIMIT + 1)))).toEqual({
      code: 'INPUT_TOO_LARGE',
      details: { field: 'crl', limit: CRL_LIMIT },
    })
  })

  it('is not taken with any bit of it flipped', async () => {
    const der = await makeList({ revoked: ['020001'] })
    const key = await arkKey()
    const survivors: number[] = []
    for (let bit = 0; bit < der.length * 8; bit++) {
      try {
        if (verifyCrlSignature(parseCrl(flipBit(der, bit)), key)) survivors.push(bit)
      } catch (error) {
        if (!(error instanceof EigenxError)) survivors.push(bit)
      }
    }
    expect(survivors).toEqual([])
  })

  it('made of noise is refused with a typed error', async () => {
    await assert(
      property(uint8Array({ maxLength: 300 }), (bytes) => {
        expect(refusalOf(() => parseCrl(bytes))).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
      }),
      { numRuns: 500 },
    )
  })
})

describe.skipIf(genuineFolder === undefined)('genuine revocation lists', () => {
  const read = (path: string) => new Uint8Array(readFileSync(join(genuineFolder ?? '', path)))

  it.each([
    ['vcek_genoa_20260819', 'Genoa', 10n, ['020001'], '2026-10-04T00:00:00.000Z'],
    ['vcek_milan_20260819', 'Milan', 11n, [], '2026-10-04T00:00:00.000Z'],
    ['vcek_turin_20260819', 'Turin', 7n, [], '2026-10-04T00:00:00.000Z'],
    ['vlek_milan_20260622', 'Milan', 9n, [], '2026-08-08T00:00:00.000Z'],
  ] as const)('%s is of its root', (name, product, number, revoked, nextUpdate) => {
    const crl = parseCrl(read(`snp/crl/kds_${name}.crl.der`))
    expect([...crl.revoked.keys()]).toEqual(revoked)
    expect(crl.number).toBe(number)
    expect(new Date(crl.nextUpdate * 1000).toISOString()).toBe(nextUpdate)
    const ark = AMD_ANCHORS.get(product)?.[0]?.ark ?? new Uint8Array()
    expect(verifyCrlSignature(crl, new X509Certificate(ark).publicKey)).toBe(true)
  })

  it('of Intel are read too', () => {
    const folder = 'tdx/collateral/202603-50806f+90c06f-cdai'
    expect(parseCrl(read(`${folder}/pck_crl_platform.der`)).revoked.size).toBe(57)
    expect(parseCrl(read(`${folder}/root_ca_crl.der`)).issuerCommonName).toBe('Intel SGX Root CA')
  })

  it('with a zero byte behind them, as one library hands them out, are refused', () => {
    const padded = read('tdx/collateral/202503-00806f-teepot/platformCrl.der')
    expect(refusalOf(() => parseCrl(padded))).toEqual(malformed('crl.encoding'))
    expect(parseCrl(padded.subarray(0, -1)).issuerCommonName).toBe('Intel SGX PCK Platform CA')
  })
})
