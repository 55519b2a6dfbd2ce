/**
 * What people and programs write as text: initdata, policies, configuration, request bodies, tokens, answers.
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { parseEigenxToml } from '../../helper/config.ts'
import { parseUnsealRequest } from '../../helper/unseal.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { parseExportedShare } from '../../kms/migration.ts'
import { analysePolicy } from '../../policy/analyse.ts'
import { parseImageReference } from '../../policy/image.ts'
import { encodeInitdata, parseInitdata } from '../../policy/initdata.ts'
import { readStrictJson } from '../../policy/json.ts'
import { checkPod, parsePod } from '../../policy/pod.ts'
import { prepareRelease } from '../../policy/prepare.ts'
import { joinPolicy, splitPolicy } from '../../policy/rego.ts'
import { parseTokenClaims } from '../../sdk/attest/token-claims.ts'
import { parseJwks } from '../../sdk/attest/token-jwks.ts'
import {
  type TokenExpectations,
  verifyConfidentialSpaceToken,
} from '../../sdk/attest/token-verify.ts'
import {
  equalBytes,
  parseAnyBase64,
  parseHex,
  toBase64,
  toBase64Url,
  toHex,
  utf8ToBytes,
} from '../../sdk/bytes.ts'
import {
  parseInfo,
  parseKey,
  parseMnemonic,
  parseSecret,
  parseStorageKey,
  parseTlsKey,
} from '../../sdk/client/answers.ts'
import { parseProblem } from '../../sdk/client/problem.ts'
import { partialSign, publicShareOf } from '../../sdk/crypto/bls.ts'
import { encodeGnarkScalar, formatGnarkScalar, parseGnarkScalar } from '../../sdk/wire/gnark-fr.ts'
import { decodeGoBase64 } from '../../sdk/wire/go-base64.ts'
import { parseRsaPublicKeyPem } from '../../sdk/wire/rsa-oaep.ts'
import * as wire from '../../sdk/wire/secrets.ts'
import {
  type IssuerKey,
  makeClaims,
  makeIssuerKey,
  makeJwks,
  PROJECT,
  signToken,
} from '../kit/token-issuer.ts'
import {
  JSON_TOKENS,
  json,
  ofJson,
  ofText,
  stable,
  type Target,
  TOML_TOKENS,
  total,
  verifier,
} from './kit.ts'

const APP = `0x${'12'.repeat(20)}`
const ADDRESS = `0x${'ab'.repeat(20)}`
const NOW = 1_760_000_000
const PEM = utf8ToBytes('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')

const POD = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'app' },
  spec: {
    runtimeClassName: 'kata-qemu-snp',
    containers: [
      {
        name: 'app',
        image: `ghcr.io/acme/app@sha256:${'ab'.repeat(32)}`,
        command: ['/usr/bin/app'],
        args: ['--serve'],
        workingDir: '/srv',
        env: [{ name: 'MODE', value: 'production' }],
        securityContext: { runAsUser: 1000, runAsGroup: 1000, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
})
let prepared: ReturnType<typeof prepareRelease> | undefined
function released() {
  prepared ??= prepareRelease({
    podYaml: POD,
    files: { 'eigenx.toml': `version = 1\napp_id = "${APP}"\n` },
  })
  return prepared
}

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

const EIGENX_TOML = `version = 1
app_id = "${APP}"
[chain]
chain_id = 31337
rpc_urls = ["http://127.0.0.1:8545"]
quorum = 1
[operators]
avs_address = "${ADDRESS}"
operator_set_id = 3
allocation_manager = "${ADDRESS}"
key_registrar = "${ADDRESS}"
epoch_log = "${ADDRESS}"
[attestation]
method = "eigenx-snp"
report_data = "v2"
aa_url = "http://127.0.0.1:8006"
`
const OPERATOR_TOML = `[operator]
address = "${ADDRESS}"
signing_key_file = "signing.key"
[chain]
chain_id = 31337
rpc_urls = ["http://127.0.0.1:8545"]
[contracts]
${['allocation_manager', 'key_registrar', 'app_controller', 'epoch_log', 'avs'].map((name) => `${name} = "${ADDRESS}"`).join('\n')}
operator_set_id = 0
[store]
path = "operator.db"
key_file = "store.key"
`

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

const answer = (
  name: string,
  values: readonly unknown[],
  parse: (value: unknown) => unknown,
): Target => ({
  name: `answer-${name}`,
  seeds: () => values.map(json),
  dictionary: JSON_TOKENS,
  prepare: () => total(ofJson(parse)),
  cost: 1,
})

const textual = <T>(
  name: string,
  seeds: readonly string[],
  parse: (text: string) => T | undefined,
  holds?: (value: T, bytes: Uint8Array) => boolean,
  dictionary: Target['dictionary'] = JSON_TOKENS,
  cost = 1,
): Target => ({
  name,
  seeds: () => seeds.map(utf8ToBytes),
  dictionary,
  prepare: () => total(ofText(parse), holds),
  cost,
})

const textOf = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

const ORIGIN = { appId: APP, masterPublicKey: 'aa', threshold: 2, operators: 3, epoch: 1 }

export const TEXT_TARGETS: readonly Target[] = [
  {
    name: 'initdata',
    seeds: () => [
      utf8ToBytes(released().initdataToml),
      utf8ToBytes(released().annotation.value),
      utf8ToBytes('version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"a" = "b"\n'),
      utf8ToBytes(encodeInitdata(utf8ToBytes('version = "0.1.0"\nalgorithm = "sha512"\n[data]\n'))),
    ],
    dictionary: [
      ...TOML_TOKENS,
      '[data]',
      '"policy.rego"',
      'algorithm = "sha384"',
      'H4sI',
      '=',
      '-_',
    ],
    prepare: () =>
      total(parseInitdata, (read) => {
        const again = parseInitdata(utf8ToBytes(encodeInitdata(read.toml)))
        return equalBytes(again.digest, read.digest) && same(again.data, read.data)
      }),
    cost: 10,
  },
  {
    name: 'policy-split',
    seeds: () => [
      utf8ToBytes(released().policyRego),
      utf8ToBytes('package agent_policy\npolicy_data := {"a": [1]}\n'),
    ],
    dictionary: [...JSON_TOKENS, '\npolicy_data := ', 'policy_data := {}', 'default X := true\n'],
    prepare: () =>
      total(ofText(splitPolicy), (parts) => {
        if (!parts.data.ok) return true
        const again = splitPolicy(joinPolicy(parts.rules, parts.data.value))
        return (
          again?.rulesSha256 === parts.rulesSha256 &&
          again.data.ok &&
          same(again.data.value, parts.data.value)
        )
      }),
    cost: 4,
  },
  {
    name: 'policy-analyse',
    seeds: () => [utf8ToBytes(released().policyRego)],
    dictionary: [
      ...JSON_TOKENS,
      '"containers"',
      '"image_digest"',
      '"env"',
      '"capabilities"',
      '"mounts"',
      'eigenx-tee/policy/1',
    ],
    prepare: () => total(ofText(analysePolicy)),
    cost: 20,
  },
  {
    ...textual(
      'pod-yaml',
      [
        POD,
        'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: b}\n',
      ],
      (yaml) => {
        const pod = parsePod(yaml)
        checkPod(pod)
        return pod
      },
    ),
    dictionary: [...JSON_TOKENS, '&a ', '*a', '!!binary', '---\n', '? ', '- ', '|\n', '<<: '],
    cost: 20,
  },
  textual(
    'strict-json',
    ['{"a":[1,{"b":null}],"c":"\\u00e9"}'],
    (text) => {
      const read = readStrictJson(text)
      return read.ok ? { value: read.value } : undefined
    },
    ({ value }, bytes) => same(value, JSON.parse(textOf(bytes))),
  ),
  textual(
    'image-reference',
    [
      'ghcr.io/acme/app:v1',
      `localhost:5000/a/b@sha256:${'ab'.repeat(32)}`,
      'alpine',
      '[::1]:5000/a:b',
    ],
    parseImageReference,
    ({ domain, path, tag, digest }, bytes) =>
      `${domain === undefined ? '' : `${domain}/`}${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}` ===
      textOf(bytes),
    [':', '/', '@', '//', '..', '__', '-', 'sha256:', 'sha512:', '[', ']', 'A', '\n', 'localhost'],
  ),
  textual(
    'eigenx-toml',
    [EIGENX_TOML, EIGENX_TOML.replace('"v2"', '"auto"')],
    parseEigenxToml,
    undefined,
    TOML_TOKENS,
    4,
  ),
  textual(
    'operator-toml',
    [OPERATOR_TOML],
    parseKmsConfig,
    undefined,
    [
      ...TOML_TOKENS,
      '[limits]\n',
      '[attestation]\n',
      '[listen]\n',
      '[policy]\n',
      '[development]\n',
    ],
    4,
  ),
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
  {
    name: 'unseal-stdin',
    seeds: () => [
      json({ key: 'DB_PASSWORD', app_id: APP }),
      json({ key: 'a', kms_url: 'http://x' }),
    ],
    dictionary: [...JSON_TOKENS, '"key":', '"stack_id":', '"rpc_url":'],
    prepare: () => total(parseUnsealRequest, ({ key }) => key !== ''),
    cost: 1,
  },
  answer(
    'mnemonic',
    [
      {
        mnemonic: Array(12).fill('abandon').join(' '),
        words: 12,
        source: 'derived',
        origin: ORIGIN,
      },
    ],
    parseMnemonic,
  ),
  answer(
    'key',
    [{ algorithm: 'raw', path: 'a', scope: 'app', privateKey: '11'.repeat(32), origin: ORIGIN }],
    (value) => {
      const { wipe: _, ...key } = parseKey(value)
      return key
    },
  ),
  answer(
    'tls',
    [
      {
        kind: 'tls',
        privateKey: '-----BEGIN PRIVATE KEY-----',
        publicKey: 'p',
        version: 1,
        origin: ORIGIN,
      },
    ],
    parseTlsKey,
  ),
  answer('storage-key', [{ key: '11'.repeat(32) }], parseStorageKey),
  answer('secret', [{ names: ['a'] }, { name: 'a', value: 'b', sealed: true }], parseSecret),
  answer(
    'info',
    [
      {
        version: '1',
        origin: ORIGIN,
        initdataSha384: 'aa',
        reportDataVersion: 2,
        quorum: ['a'],
        refusals: [{ operator: 'a', code: 'b', message: 'c' }],
        marks: [],
      },
    ],
    parseInfo,
  ),
  {
    ...answer('problem', [], () => undefined),
    seeds: () => [
      json({ code: 'SECRET_NOT_FOUND', message: 'm', stage: 'key', details: { name: 'a' } }),
      json({ code: 'x' }),
    ],
    // An answer that explains nothing becomes an error of our own: never a throw.
    prepare: () => total(ofText((text) => ({ code: parseProblem(502, text).code }))),
  },
]
