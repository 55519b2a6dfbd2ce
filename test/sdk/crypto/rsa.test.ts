import 'reflect-metadata'
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import { createSecureContext } from 'node:tls'
import * as x509 from '@peculiar/x509'
import { describe, expect, test } from 'vitest'
import { rsaKeyPair } from '../../../sdk/crypto/rsa.ts'
import { type RsaBits, rsaSeed } from '../../../sdk/crypto/rsa-seed.ts'
import { toPkcs12 } from '../../../sdk/pkcs12.ts'
import { hex, readCases } from './vectors.ts'

type RsaCase = {
  name: string
  appKey: string
  scope: string
  bits: RsaBits
  path: string
  expect: { modulus: string; largerPrime: string }
}
const cases = readCases<RsaCase>('derivation/rsa.json')
const [first] = cases
if (first === undefined) throw new Error('no cases')
const make = (entry: RsaCase) => rsaKeyPair(rsaSeed(hex(entry.appKey), entry), entry.bits)
const pair = make(first)
const privateKey = createPrivateKey({
  key: Buffer.from(pair.privateKey),
  format: 'der',
  type: 'pkcs8',
})
const publicKey = createPublicKey({
  key: Buffer.from(pair.publicKey),
  format: 'der',
  type: 'spki',
})
const refused = (path: string) =>
  expect.objectContaining({ code: 'REQUEST_INVALID', details: { path } })

describe('deterministic RSA', () => {
  test.each(cases)('$name', (entry) => {
    const found = entry === first ? pair : make(entry)
    const key = Buffer.from(found.privateKey)
    const jwk = createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
    const text = (field: string | undefined) =>
      Buffer.from(field ?? '', 'base64url').toString('hex')
    expect(text(jwk.n)).toBe(entry.expect.modulus)
    expect(text(jwk.p)).toBe(entry.expect.largerPrime)
    expect(jwk.e).toBe('AQAB')
    const spki = Buffer.from(found.publicKey)
    expect(
      createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'jwk' }).n,
    ).toBe(jwk.n)
  })

  test('the key signs and decrypts under OpenSSL', () => {
    const data = Buffer.from('data')
    const signature = sign('sha256', data, privateKey)
    expect(verify('sha256', data, publicKey, signature)).toBe(true)
    const options = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
    const sealed = publicEncrypt({ key: publicKey, ...options }, data)
    expect(privateDecrypt({ key: privateKey, ...options }, sealed)).toEqual(data)
  })

  test('a malformed scope is refused before any search', () => {
    expect(() => rsaSeed(hex(first.appKey), { bits: 4096, path: 'x', scope: 'other' })).toThrow(
      refused('scope'),
    )
  })
})

describe('PKCS#12', () => {
  test('OpenSSL opens it with the password and only with it', async () => {
    const input = {
      privateKey: pair.privateKey,
      certificates: [await selfSigned()],
      password: 'correct horse',
      friendlyName: 'app',
    }
    const pfx = Buffer.from(toPkcs12(input))
    expect(() => createSecureContext({ pfx, passphrase: 'correct horse' })).not.toThrow()
    expect(() => createSecureContext({ pfx, passphrase: 'wrong' })).toThrow()
    expect(Buffer.from(toPkcs12(input)).equals(pfx)).toBe(false)
  })

  test('an empty password, parts that do not parse and the certificate of another key are refused', async () => {
    const good = {
      privateKey: pair.privateKey,
      certificates: [await selfSigned()],
      password: 'x',
    }
    expect(() => toPkcs12({ ...good, password: '' })).toThrow(refused('password'))
    for (const bad of [new Uint8Array(), pair.publicKey, pair.privateKey.slice(0, -1)])
      expect(() => toPkcs12({ ...good, privateKey: bad })).toThrow(refused('privateKey'))
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
    for (const bad of [[], ['no'], [await selfSigned(other.privateKey, other.publicKey)]])
      expect(() => toPkcs12({ ...good, certificates: bad })).toThrow(refused('certificates'))
  })
})

async function selfSigned(ofPrivate = privateKey, ofPublic = publicKey): Promise<string> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = ofPrivate.export({ type: 'pkcs8', format: 'der' })
  const spki = ofPublic.export({ type: 'spki', format: 'der' })
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=app',
    notBefore: new Date(0),
    notAfter: new Date(4e12),
    signingAlgorithm: algorithm,
    keys: {
      privateKey: await crypto.subtle.importKey('pkcs8', key, algorithm, false, ['sign']),
      publicKey: await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
  })
  return certificate.toString('pem')
}
