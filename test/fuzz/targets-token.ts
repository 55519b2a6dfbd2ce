/**
 * Tokens of Confidential Space, their keys, and the RSA key of a pod.
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { parseTokenClaims } from '../../sdk/attest/token-claims.ts'
import { parseJwks } from '../../sdk/attest/token-jwks.ts'
import {
  type TokenExpectations,
  verifyConfidentialSpaceToken,
} from '../../sdk/attest/token-verify.ts'
import { utf8ToBytes } from '../../sdk/bytes.ts'
import { parseRsaPublicKeyPem } from '../../sdk/wire/rsa-oaep.ts'
import {
  type IssuerKey,
  makeClaims,
  makeIssuerKey,
  makeJwks,
  PROJECT,
  signToken,
} from '../kit/token-issuer.ts'
import { JSON_TOKENS, json, ofText, type Target, total, verifier } from './kit.ts'

const APP = `0x${'12'.repeat(20)}`
const NOW = 1_760_000_000
const PEM = utf8ToBytes('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')

let issuer: IssuerKey | undefined
const issuerKey = () => {
  issuer ??= makeIssuerKey('key-1')
  return issuer
}
const honestToken = (jti: string) =>
  signToken(issuerKey(), makeClaims({ appId: APP, rsaPem: PEM, now: NOW, jti }))
const EXPECTED: TokenExpectations = {
  provider: 'gcp',
  audiences: ['EigenX KMS'],
  projectId: PROJECT,
  minimumSwVersion: 250_300,
  rsaPem: PEM,
  extraData: new Uint8Array(),
  appId: APP,
}

export const TOKEN_TARGETS: readonly Target[] = [
  {
    name: 'rsa-pem',
    seeds: () =>
      [2048, 3072].map((modulusLength) =>
        utf8ToBytes(
          generateKeyPairSync('rsa', { modulusLength })
            .publicKey.export({ format: 'pem', type: 'spki' })
            .toString(),
        ),
      ),
    dictionary: [
      '-----BEGIN PUBLIC KEY-----\n',
      '-----END PUBLIC KEY-----\n',
      '-----BEGIN RSA PUBLIC KEY-----',
      'Proc-Type: 4,ENCRYPTED\n',
      '=',
      '\n',
      'AAAA',
    ],
    prepare: () => total(parseRsaPublicKeyPem, ({ bits }) => bits >= 2048 && bits <= 8192),
    cost: 4,
  },
  {
    name: 'token-claims',
    seeds: () => [json(makeClaims({ appId: APP, rsaPem: PEM, now: NOW, jti: 'a' }))],
    dictionary: [...JSON_TOKENS, '"submods"', '"aud"', '"exp"', '"eat_nonce"'],
    prepare: () => total(ofText(parseTokenClaims)),
    cost: 2,
  },
  {
    name: 'token-jwks',
    seeds: () => [utf8ToBytes(makeJwks(issuerKey()))],
    dictionary: [
      ...JSON_TOKENS,
      '"AQAB"',
      '"AQ"',
      '"n":',
      '"use":"enc"',
      '"alg":"PS384"',
      '"alg":"none"',
    ],
    prepare: () => {
      const read = ofText(parseJwks)
      return async (bytes) => ((await read(bytes)) === undefined ? 'refused' : 'accepted')
    },
    cost: 10,
  },
  {
    name: 'token-verify',
    seeds: async () => [await honestToken('token-1'), await honestToken('token-2')],
    dictionary: ['.', '..', '=', 'eyJhbGciOiJub25lIn0', 'eyJhbGciOiJIUzI1NiJ9', '-', '_', '\n'],
    prepare: async (seeds) => {
      const keys = await parseJwks(makeJwks(issuerKey()))
      return verifier(
        seeds,
        async (token) => (await verifyConfidentialSpaceToken(token, EXPECTED, keys, NOW)).claims,
      )
    },
    cost: 20,
  },
]
