import { parseExportedShare } from '../../kms/migration.ts'
import {
  equalBytes,
  parseAnyBase64,
  parseHex,
  toBase64,
  toBase64Url,
  toHex,
  utf8ToBytes,
} from '../../sdk/bytes.ts'
import { partialSign, publicShareOf } from '../../sdk/crypto/bls.ts'
import { encodeGnarkScalar, formatGnarkScalar, parseGnarkScalar } from '../../sdk/wire/gnark-fr.ts'
import { decodeGoBase64 } from '../../sdk/wire/go-base64.ts'
import * as wire from '../../sdk/wire/secrets.ts'
import { JSON_TOKENS, stable, type Target, textOf, textual } from './kit.ts'

const APP = `0x${'12'.repeat(20)}`
const PEM = utf8ToBytes('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')

const request: wire.SecretsRequest = {
  appId: APP,
  stackId: 's',
  attestationMethod: 'eigenx-snp',
  attestation: Uint8Array.of(1, 2, 3),
  rsaPubkeyTmp: PEM,
  attestationTime: 7,
  challenge: Uint8Array.of(4),
  publicKey: Uint8Array.of(5),
  extraData: Uint8Array.of(6),
  ccInitData: Uint8Array.of(7),
  reportDataVersion: 2,
  freshnessBlock: `0x${'0f'.repeat(32)}`,
}
const OPERATOR = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const REQUEST_TOKENS = [
  ...JSON_TOKENS,
  '"APP_ID"',
  '"app_id":',
  '"attestation_time":',
  '"AttestationTime":',
  '-9223372036854775809',
  '"\u212aey"',
]

const body = <T>(
  name: string,
  value: T,
  encode: (value: T) => string,
  parse: (bytes: Uint8Array) => T,
): Target => ({
  name: `go-${name}`,
  seeds: () => [utf8ToBytes(encode(value))],
  dictionary: REQUEST_TOKENS,
  prepare: () => stable(parse, (read) => utf8ToBytes(encode(read))),
  cost: 1,
})

export const WIRE_TARGETS: readonly Target[] = [
  textual(
    'exported-share',
    [
      `{"Version":1750000000,"PrivateShare":${encodeGnarkScalar(5n)},"Commitments":[],"MasterPublicKey":{"CompressedBytes":"${toBase64(publicShareOf(77n))}"},"IsActive":true,"ParticipantIDs":[1,2,3]}`,
    ],
    parseExportedShare,
    ({ share }) => share > 0n,
    JSON_TOKENS,
    20,
  ),
  textual(
    'gnark-scalar',
    [formatGnarkScalar(5n), formatGnarkScalar(2n ** 200n)],
    (text) => ({ scalar: parseGnarkScalar(text) }),
    ({ scalar }) => parseGnarkScalar(formatGnarkScalar(scalar)) === scalar,
    ['0x', '-', '+', '_', '0b', '0o', 'e', ' '],
  ),
  textual(
    'hex',
    ['0x00ff', 'ABcd'],
    (text) => parseHex(text),
    (value, bytes) => toHex(value) === `0x${textOf(bytes).toLowerCase().replace(/^0x/, '')}`,
    ['0x', '0X', 'g', ' '],
  ),
  textual(
    'base64',
    ['AQID', 'AQ==', 'AQI', '-_-_'],
    parseAnyBase64,
    (value, bytes) => {
      const text = textOf(bytes)
      const forms = [toBase64(value), toBase64Url(value)]
      return [
        ...forms,
        ...forms.map((form) => form.replace(/=+$/, '')),
        forms[0]?.replaceAll('+', '-').replaceAll('/', '_'),
      ].includes(text)
    },
    ['=', '==', '+', '/', '-', '_', ' ', '\n', 'A'],
  ),
  textual(
    'go-base64',
    ['AQID', 'AQ==', 'AQ\r\nI='],
    (text) => {
      const read = decodeGoBase64(text)
      return typeof read === 'number' ? undefined : read
    },
    (value, bytes) => equalBytes(value, new Uint8Array(Buffer.from(textOf(bytes), 'base64'))),
    ['=', '==', '+', '/', '-', '\r\n', '\n', 'A'],
  ),
  body('secrets-request', request, wire.encodeSecretsRequest, (bytes) =>
    wire.parseSecretsRequest(bytes),
  ),
  body(
    'secrets-response',
    {
      encryptedEnv: 'e',
      publicEnv: '{}',
      encryptedPartialSig: Uint8Array.of(1),
      extraData: Uint8Array.of(2),
      version: 3,
      marks: ['m'],
    },
    wire.encodeSecretsResponse,
    (bytes) => wire.parseSecretsResponse(bytes),
  ),
  body('sign-request', { appId: APP, attestationTime: 5 }, wire.encodeSignRequest, (bytes) =>
    wire.parseSignRequest(bytes),
  ),
  body(
    'sign-response',
    { operator: OPERATOR, partial: partialSign(5n, APP), version: 7 },
    wire.encodeSignResponse,
    (bytes) => wire.parseSignResponse(bytes),
  ),
  body(
    'pubkey-response',
    {
      operator: OPERATOR,
      isActive: true,
      version: 9,
      masterPublicKey: publicShareOf(77n),
      commitments: [publicShareOf(1n)],
      epoch: 2,
      threshold: 3,
    },
    wire.encodePubkeyResponse,
    (bytes) => wire.parsePubkeyResponse(bytes),
  ),
  {
    name: 'go-wrapped-partial',
    seeds: () => [wire.encodeWrappedPartial(partialSign(5n, APP))],
    dictionary: REQUEST_TOKENS,
    prepare: () => stable((bytes) => wire.parseWrappedPartial(bytes), wire.encodeWrappedPartial),
    cost: 1,
  },
]
