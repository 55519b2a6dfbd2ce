import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { bytesToHex, concatBytes, utf8ToBytes } from '../../../sdk/bytes.ts'
import { partialSign, publicShareOf, randomScalar } from '../../../sdk/crypto/bls.ts'
import {
  decryptWithAppKey,
  encryptForApp,
  encryptWith,
  MAX_IBE_PLAINTEXT_BYTES,
} from '../../../sdk/crypto/ibe.ts'
import { hex, readVectors } from './vectors.ts'

const go = readVectors<Record<string, string>>('protocol/vectors_ibe.json')
const text = (name: string): string => {
  const value = go[name]
  if (value === undefined) throw new Error(`no vector ${name}`)
  return value
}
const appId = '0x144c00000000000000000000000000000000099c'
const secret = 424242424242n
const masterPublicKey = publicShareOf(secret)
const appKey = partialSign(secret, appId)
const seal = (plaintext: Uint8Array) => encryptForApp({ masterPublicKey, appId, plaintext })
const invalid = (reason: string) =>
  expect.objectContaining({ code: 'CIPHERTEXT_INVALID', details: { reason } })

describe('the envelope of the Go implementation', () => {
  test('comes out byte for byte with the same scalar and nonce', () => {
    const envelope = encryptWith(
      {
        masterPublicKey: hex(text('mpk')),
        appId: text('appID'),
        plaintext: utf8ToBytes(text('plaintext')),
      },
      { scalar: BigInt(text('rDec')), nonce: hex(text('ciphertext')).slice(100, 112) },
    )
    expect(bytesToHex(envelope)).toBe(text('ciphertext'))
    expect(bytesToHex(publicShareOf(BigInt(text('masterScalarDec'))))).toBe(text('mpk'))
  })

  test('opens with its app key', () => {
    const plaintext = decryptWithAppKey({
      appKey: hex(text('appPrivateKey')),
      appId: text('appID'),
      ciphertext: hex(text('ciphertext')),
    })
    expect(plaintext).toEqual(utf8ToBytes(text('plaintext')))
  })
})

describe('sealing to an app', () => {
  prop.prop([fc.uint8Array({ maxLength: 300 })], { numRuns: 15 })(
    'opens to the same bytes, 128 bytes longer while sealed',
    (plaintext) => {
      const ciphertext = seal(plaintext)
      expect(ciphertext.length).toBe(plaintext.length + 128)
      expect(decryptWithAppKey({ appKey, appId, ciphertext })).toEqual(plaintext)
    },
  )

  test('never gives the same envelope twice', () => {
    const plaintext = utf8ToBytes('same')
    expect(seal(plaintext)).not.toEqual(seal(plaintext))
  })

  test('every single flipped bit is refused', () => {
    const ciphertext = seal(Uint8Array.of(42))
    for (let bit = 0; bit < ciphertext.length * 8; bit++) {
      const flipped = ciphertext.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => decryptWithAppKey({ appKey, appId, ciphertext: flipped })).toThrow(
        expect.objectContaining({ code: 'CIPHERTEXT_INVALID' }),
      )
    }
  })

  test('every shorter envelope and one byte more are refused', () => {
    const ciphertext = seal(new Uint8Array())
    for (const length of [0, 3, 4, 99, 100, 111, 112, 127])
      expect(() =>
        decryptWithAppKey({ appKey, appId, ciphertext: ciphertext.slice(0, length) }),
      ).toThrow(invalid('format'))
    const longer = concatBytes(ciphertext, Uint8Array.of(0))
    expect(() => decryptWithAppKey({ appKey, appId, ciphertext: longer })).toThrow(
      invalid('authentication'),
    )
  })

  test('an envelope around the point at infinity is refused, however well made otherwise', () => {
    const ciphertext = seal(utf8ToBytes('x'))
    ciphertext.set(concatBytes(Uint8Array.of(0xc0), new Uint8Array(95)), 4)
    expect(() => decryptWithAppKey({ appKey, appId, ciphertext })).toThrow(invalid('format'))
  })

  test('another app, another case of the app id and another key do not open it', () => {
    const ciphertext = seal(utf8ToBytes('secret'))
    const upper = `0x${appId.slice(2).toUpperCase()}`
    for (const other of [upper, `${appId} `])
      expect(() =>
        decryptWithAppKey({ appKey: partialSign(secret, other), appId: other, ciphertext }),
      ).toThrow(invalid('authentication'))
    expect(() => decryptWithAppKey({ appKey, appId: upper, ciphertext })).toThrow(
      invalid('authentication'),
    )
    const foreign = partialSign(secret + 1n, appId)
    expect(() => decryptWithAppKey({ appKey: foreign, appId, ciphertext })).toThrow(
      invalid('authentication'),
    )
  })

  test('app ids outside 5 to 255 bytes are refused on both sides', () => {
    for (const bad of ['', 'abcd', 'é1', 'x'.repeat(256)]) {
      const code = expect.objectContaining({ code: 'APP_ID_INVALID' })
      expect(() =>
        encryptForApp({ masterPublicKey, appId: bad, plaintext: new Uint8Array() }),
      ).toThrow(code)
      expect(() =>
        decryptWithAppKey({ appKey, appId: bad, ciphertext: new Uint8Array(200) }),
      ).toThrow(code)
    }
  })

  test('malformed keys and oversize contents are refused', () => {
    const plaintext = new Uint8Array(1)
    const pointInvalid = expect.objectContaining({ code: 'POINT_INVALID' })
    for (const bad of [new Uint8Array(96), masterPublicKey.slice(1), new Uint8Array()])
      expect(() => encryptForApp({ masterPublicKey: bad, appId, plaintext })).toThrow(pointInvalid)
    const ciphertext = seal(plaintext)
    expect(() => decryptWithAppKey({ appKey: new Uint8Array(48), appId, ciphertext })).toThrow(
      pointInvalid,
    )
    const tooLarge = expect.objectContaining({ code: 'INPUT_TOO_LARGE' })
    const huge = new Uint8Array(MAX_IBE_PLAINTEXT_BYTES + 129)
    expect(() => encryptForApp({ masterPublicKey, appId, plaintext: huge })).toThrow(tooLarge)
    expect(() => decryptWithAppKey({ appKey, appId, ciphertext: huge })).toThrow(tooLarge)
  })

  test('refusals do not carry the key or the content', () => {
    const ciphertext = seal(utf8ToBytes('hush'))
    const other = partialSign(randomScalar(), appId)
    try {
      decryptWithAppKey({ appKey: other, appId, ciphertext })
      expect.unreachable()
    } catch (error) {
      const told = JSON.stringify(error)
      expect(told).not.toContain(bytesToHex(other).slice(2, 20))
      expect(told).not.toContain('hush')
    }
  })
})
