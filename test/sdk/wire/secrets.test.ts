import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { partialSign, publicShareOf } from '../../../sdk/crypto/bls.ts'
import * as wire from '../../../sdk/wire/secrets.ts'

const request: wire.SecretsRequest = {
  appId: '0x144c00000000000000000000000000000000099c',
  stackId: '',
  attestationMethod: 'eigenx-snp',
  attestation: Uint8Array.of(1, 2, 3),
  rsaPubkeyTmp: utf8ToBytes('pem'),
  attestationTime: 0,
  challenge: new Uint8Array(),
  publicKey: new Uint8Array(),
  extraData: new Uint8Array(),
  ccInitData: new Uint8Array(),
  reportDataVersion: 1,
}
const operator = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const invalid = (path: string) =>
  expect.objectContaining({ code: 'REQUEST_INVALID', details: { path } })
const address = fc.constantFrom<`0x${string}`>(operator, `0x${'ab'.repeat(20)}`)
const bytes = fc.uint8Array({ maxLength: 20 })
const seconds = fc.integer({ min: 1, max: 2 ** 40 })

describe('POST /secrets', () => {
  test('a request that Go would send is written as Go writes it', () => {
    expect(wire.encodeSecretsRequest(request)).toBe(
      '{"app_id":"0x144c00000000000000000000000000000000099c","attestation_method":"eigenx-snp",' +
        '"attestation":"AQID","rsa_pubkey_tmp":"cGVt","attestation_time":0}\n',
    )
  })

  prop.prop([
    fc.record({
      appId: fc.string(),
      stackId: fc.string(),
      attestationMethod: fc.string(),
      attestation: bytes,
      rsaPubkeyTmp: bytes,
      attestationTime: fc.integer({ min: -10, max: 2 ** 40 }),
      challenge: bytes,
      publicKey: bytes,
      extraData: bytes,
      ccInitData: bytes,
      reportDataVersion: fc.constantFrom<1 | 2>(1, 2),
      freshnessBlock: fc.constant<`0x${string}`>(`0x${'0f'.repeat(32)}`),
    }),
  ])('a request survives the wire', (value) => {
    expect(wire.parseSecretsRequest(utf8ToBytes(wire.encodeSecretsRequest(value)))).toEqual(value)
  })

  test('an empty object is a request with nothing in it', () => {
    const empty = wire.parseSecretsRequest(utf8ToBytes('{}'))
    expect(empty).toMatchObject({ appId: '', attestationTime: 0, reportDataVersion: 1 })
    expect('freshnessBlock' in empty).toBe(false)
  })

  test('times beyond what a number holds keep their meaning', () => {
    const at = (literal: string) =>
      wire.parseSecretsRequest(utf8ToBytes(`{"attestation_time":${literal}}`)).attestationTime
    expect(at('9223372036854775807')).toBe(Number.MAX_SAFE_INTEGER)
    expect(at('-9223372036854775808')).toBe(-Number.MAX_SAFE_INTEGER)
  })

  test.each([
    ['{"report_data_version":3}', 'report_data_version'],
    ['{"report_data_version":-1}', 'report_data_version'],
    ['{"freshness_block":"0x12"}', 'freshness_block'],
    [`{"freshness_block":"0x${'0F'.repeat(32)}"}`, 'freshness_block'],
    ['{"app_id":7}', 'app_id'],
    ['{"attestation":"***"}', 'attestation'],
    ['', ''],
  ])('%s is refused', (json, path) => {
    expect(() => wire.parseSecretsRequest(utf8ToBytes(json))).toThrow(invalid(path))
  })

  test('the body limit is the route’s to set', () => {
    expect(() => wire.parseSecretsRequest(utf8ToBytes('{"app_id":"x"}'), 10)).toThrow(
      expect.objectContaining({ code: 'INPUT_TOO_LARGE' }),
    )
  })

  test('an answer without our fields is Go’s, byte for byte', () => {
    expect(
      wire.encodeSecretsResponse({
        encryptedEnv: '',
        publicEnv: '{"A":"<1>"}',
        encryptedPartialSig: Uint8Array.of(255),
      }),
    ).toBe(
      '{"encrypted_env":"","public_env":"{\\"A\\":\\"\\u003c1\\u003e\\"}","encrypted_partial_sig":"/w=="}\n',
    )
  })

  prop.prop([
    fc.record(
      {
        encryptedEnv: fc.string(),
        publicEnv: fc.string(),
        encryptedPartialSig: bytes,
        extraData: fc.uint8Array({ minLength: 1, maxLength: 9 }),
        version: seconds,
        operator: address,
        binding: fc.constantFrom<'host_data' | 'report_data'>('host_data', 'report_data'),
        marks: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: ['encryptedEnv', 'publicEnv', 'encryptedPartialSig'] },
    ),
  ])('an answer survives the wire', (value) => {
    expect(wire.parseSecretsResponse(utf8ToBytes(wire.encodeSecretsResponse(value)))).toEqual(value)
  })

  test('an answer with a foreign binding or operator is refused', () => {
    for (const [json, path] of [
      ['{"binding":"none"}', 'binding'],
      ['{"operator":"me"}', 'operator'],
    ] as const)
      expect(() => wire.parseSecretsResponse(utf8ToBytes(json))).toThrow(invalid(path))
  })
})

describe('POST /app/sign', () => {
  test('bodies are Go’s', () => {
    const partial = partialSign(1234567n, 'my-app-id')
    expect(wire.encodeSignRequest({ appId: 'my-app-id', attestationTime: 0 })).toBe(
      '{"AppID":"my-app-id","AttestationTime":0}\n',
    )
    const body = wire.encodeSignResponse({ operator, partial })
    expect(body).toMatch(
      /^\{"OperatorAddress":"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266","PartialSignature":\{"CompressedBytes":"[A-Za-z0-9+/]{64}"\}\}\n$/,
    )
    expect(wire.parseSignResponse(utf8ToBytes(body))).toEqual({ operator, partial })
    expect(wire.parseSignRequest(utf8ToBytes('{"appID":"x","attestationTime":5}'))).toEqual({
      appId: 'x',
      attestationTime: 5,
    })
  })
})

describe('GET /pubkey', () => {
  const masterPublicKey = publicShareOf(5n)
  test('an answer without our fields is Go’s, keys in alphabetical order', () => {
    const b64 = Buffer.from(masterPublicKey).toString('base64')
    const answer = {
      operator,
      isActive: true,
      version: 1783944564,
      masterPublicKey,
      commitments: [masterPublicKey],
    } as const
    const body = wire.encodePubkeyResponse(answer)
    expect(body).toBe(
      `{"commitments":[{"CompressedBytes":"${b64}"}],"isActive":true,"masterPublicKey":{"CompressedBytes":"${b64}"},` +
        `"operatorAddress":"${operator}","version":1783944564}\n`,
    )
    expect(wire.parsePubkeyResponse(utf8ToBytes(body))).toEqual(answer)
  })

  test('a joiner without a master public key says null', () => {
    const answer = { operator, isActive: false, version: 1, commitments: [] } as const
    const body = wire.encodePubkeyResponse(answer)
    expect(body).toContain('"masterPublicKey":null')
    expect(wire.parsePubkeyResponse(utf8ToBytes(body))).toEqual(answer)
  })

  prop.prop([
    fc.record({
      operator: address,
      isActive: fc.boolean(),
      version: seconds,
      masterPublicKey: bytes,
      commitments: fc.array(bytes, { maxLength: 3 }),
      epoch: seconds,
      threshold: seconds,
      outputHash: fc.constant<`0x${string}`>(`0x${'0a'.repeat(32)}`),
    }),
  ])('an answer with our fields survives the wire', (value) => {
    expect(wire.parsePubkeyResponse(utf8ToBytes(wire.encodePubkeyResponse(value)))).toEqual(value)
  })

  test('an operator address that is none is refused', () => {
    expect(() => wire.parsePubkeyResponse(utf8ToBytes('{}'))).toThrow(invalid('operatorAddress'))
  })
})
