import { createPublicKey, generateKeyPairSync, type KeyObject, publicEncrypt } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { partialSign } from '../../../sdk/crypto/bls.ts'
import { parseRsaPublicKeyPem, unwrapPartial, wrapPartial } from '../../../sdk/wire/rsa-oaep.ts'
import { encodeWrappedPartial } from '../../../sdk/wire/secrets.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pemOf = (key: KeyObject, type: 'spki' | 'pkcs1' = 'spki') =>
  key.export({ type, format: 'pem' }).toString()
const pem = utf8ToBytes(pemOf(publicKey))
const partial = partialSign(99n, 'my-app-id')
const keyInvalid = expect.objectContaining({ code: 'RSA_KEY_INVALID' })

describe('a partial key on its way to the pod', () => {
  test('is the 86 bytes that Go encrypts, and comes back', () => {
    expect(encodeWrappedPartial(partial)).toHaveLength(86)
    expect(unwrapPartial(privateKey, wrapPartial(pem, partial))).toEqual(partial)
  })

  test('does not open with another key, cut, longer or changed', () => {
    const sealed = wrapPartial(pem, partial)
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const failed = expect.objectContaining({ code: 'CIPHERTEXT_INVALID' })
    expect(() => unwrapPartial(other, sealed)).toThrow(failed)
    for (const bad of [sealed.slice(1), new Uint8Array(), sealed.with(7, (sealed[7] ?? 0) ^ 1)])
      expect(() => unwrapPartial(privateKey, bad)).toThrow(failed)
  })

  test('another content under the right key is refused without quoting it', () => {
    const options = { key: publicKey, padding: 4, oaepHash: 'sha256' }
    for (const content of ['{"CompressedBytes":"hush"', '{"CompressedBytes":7}', '']) {
      const sealed = publicEncrypt(options, Buffer.from(content))
      try {
        unwrapPartial(privateKey, sealed)
        expect.unreachable()
      } catch (error) {
        expect(error).toMatchObject({
          code: 'CIPHERTEXT_INVALID',
          details: { reason: 'format' },
        })
        expect(error instanceof Error && error.cause).toBeUndefined()
      }
    }
  })
})

describe('the pod’s RSA key', () => {
  test('is read whatever stands around the block and in its label', () => {
    const der = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }))
    const variants = [
      pemOf(publicKey),
      `before\n${pemOf(publicKey)}after`,
      pemOf(publicKey).replaceAll('\n', '\r\n'),
      pemOf(publicKey).replaceAll('PUBLIC KEY', 'ANYTHING'),
    ]
    for (const text of variants) {
      const parsed = parseRsaPublicKeyPem(utf8ToBytes(text))
      expect(parsed.spkiDer).toEqual(der)
      expect(parsed.bits).toBe(2048)
    }
  })

  test('PKCS#1, other kinds, private keys and text that is no PEM are refused', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey
    const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const bad = [
      pemOf(publicKey, 'pkcs1'),
      pemOf(ec),
      pemOf(pss),
      secret,
      '',
      'x',
      '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      pemOf(publicKey).replace('MII', 'MI*'),
      pemOf(publicKey).replace('END PUBLIC', 'END OTHER'),
    ]
    for (const text of bad)
      expect(() => parseRsaPublicKeyPem(utf8ToBytes(text))).toThrow(keyInvalid)
    expect(() => parseRsaPublicKeyPem(Uint8Array.of(0xff, 0xfe))).toThrow(keyInvalid)
  })

  test('short moduli, strange exponents and oversize texts are refused', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    expect(() => parseRsaPublicKeyPem(utf8ToBytes(pemOf(short)))).toThrow(keyInvalid)
    const { n } = publicKey.export({ format: 'jwk' })
    for (const exponent of ['AQ', 'Ag', 'AQAAAAE']) {
      const key = { kty: 'RSA', n: n ?? '', e: exponent }
      const text = pemOf(createPublicKey({ format: 'jwk', key }))
      expect(() => parseRsaPublicKeyPem(utf8ToBytes(text))).toThrow(keyInvalid)
    }
    const padded = utf8ToBytes(`${pemOf(publicKey)}${' '.repeat(8192)}`)
    expect(() => parseRsaPublicKeyPem(padded)).toThrow(keyInvalid)
  })
})
