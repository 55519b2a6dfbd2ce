import 'reflect-metadata'
import {
  constants,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import { createSecureContext } from 'node:tls'
import * as x509 from '@peculiar/x509'
import { describe, expect, test } from 'vitest'
import { deterministicRsa, type RsaBits, toPkcs12 } from '../../../sdk/crypto/rsa.ts'
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
const pair = deterministicRsa(hex(first.appKey), first)
const refused = (path: string) =>
  expect.objectContaining({ code: 'REQUEST_INVALID', details: { path } })

describe('deterministic RSA', () => {
  test.each(cases)('$name', (entry) => {
    const { privateKeyPem, publicKeyPem } =
      entry === first ? pair : deterministicRsa(hex(entry.appKey), entry)
    const jwk = createPrivateKey(privateKeyPem).export({ format: 'jwk' })
    const text = (field: string | undefined) =>
      Buffer.from(field ?? '', 'base64url').toString('hex')
    expect(text(jwk.n)).toBe(entry.expect.modulus)
    expect(text(jwk.p)).toBe(entry.expect.largerPrime)
    expect(jwk.e).toBe('AQAB')
    expect(createPublicKey(publicKeyPem).export({ format: 'jwk' }).n).toBe(jwk.n)
  })

  test('the key signs and decrypts under OpenSSL', () => {
    const data = Buffer.from('data')
    const signature = sign('sha256', data, pair.privateKeyPem)
    expect(verify('sha256', data, pair.publicKeyPem, signature)).toBe(true)
    const options = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
    const sealed = publicEncrypt({ key: pair.publicKeyPem, ...options }, data)
    expect(privateDecrypt({ key: pair.privateKeyPem, ...options }, sealed)).toEqual(data)
  })

  test('a malformed scope is refused before any search', () => {
    expect(() =>
      deterministicRsa(hex(first.appKey), { bits: 4096, path: 'x', scope: 'other' }),
    ).toThrow(refused('scope'))
  })
})

describe('PKCS#12', () => {
  test('OpenSSL opens it with the password and only with it', async () => {
    const input = {
      privateKeyPem: pair.privateKeyPem,
      certificatesPem: [await selfSigned()],
      password: 'correct horse',
      friendlyName: 'app',
    }
    const pfx = Buffer.from(toPkcs12(input))
    expect(() => createSecureContext({ pfx, passphrase: 'correct horse' })).not.toThrow()
    expect(() => createSecureContext({ pfx, passphrase: 'wrong' })).toThrow()
    expect(Buffer.from(toPkcs12(input)).equals(pfx)).toBe(false)
  })

  test('an empty password and parts that do not parse are refused', () => {
    const good = { privateKeyPem: pair.privateKeyPem, certificatesPem: [], password: 'x' }
    expect(() => toPkcs12({ ...good, password: '' })).toThrow(refused('password'))
    expect(() => toPkcs12({ ...good, privateKeyPem: 'no' })).toThrow(refused('privateKeyPem'))
    expect(() => toPkcs12({ ...good, certificatesPem: ['no'] })).toThrow(refused('certificatesPem'))
  })
})

async function selfSigned(): Promise<string> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = createPrivateKey(pair.privateKeyPem).export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(pair.publicKeyPem).export({ type: 'spki', format: 'der' })
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
