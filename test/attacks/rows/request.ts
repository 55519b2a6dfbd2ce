/** Attacks with the request itself: methods, keys, malformed and oversize fields, JSON tricks. */
import { generateKeyPairSync } from 'node:crypto'
import { toBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { ErrorCode } from '../../../sdk/errors.ts'
import { type Attack, altered, field } from '../table.ts'

const bad = (
  name: string,
  send: Attack['send'],
  status = 400,
  code: ErrorCode = 'REQUEST_INVALID',
): Attack => ({ name: `request: ${name}`, send, status, code })

const raw = (name: string, text: string | Uint8Array, code: ErrorCode = 'REQUEST_INVALID') =>
  bad(name, async () => text, 400, code)

const BYTES = [
  'attestation',
  'rsa_pubkey_tmp',
  'cc_init_data',
  'extra_data',
  'challenge',
  'public_key',
]
const STRINGS = ['app_id', 'stack_id', 'attestation_method', 'freshness_block']
const NUMBERS = ['attestation_time', 'report_data_version']

const types: readonly Attack[] = [
  ...BYTES.flatMap((name) => [
    bad(`${name} is a number`, field(name, 7)),
    bad(`${name} is an object`, field(name, {})),
    bad(`${name} is no base64`, field(name, '****')),
    bad(`${name} is URL-safe base64`, field(name, '-_-_')),
    bad(`${name} lacks its padding`, field(name, 'AAA')),
  ]),
  ...STRINGS.flatMap((name) => [
    bad(`${name} is a number`, field(name, 7)),
    bad(`${name} is a list`, field(name, ['x'])),
    bad(`${name} is true`, field(name, true)),
  ]),
  ...NUMBERS.flatMap((name) => [
    bad(`${name} is a text`, field(name, '1')),
    bad(`${name} is a list`, field(name, [1])),
    bad(
      `${name} is a fraction`,
      altered((body) => ({ ...body, [name]: 1.5 })),
    ),
    bad(`${name} is too large for 64 bits`, async (world) =>
      JSON.stringify({ ...(await world.body()), [name]: 0 }).replace(
        `"${name}":0`,
        `"${name}":9223372036854775808`,
      ),
    ),
  ]),
  bad('an unknown report data version', field('report_data_version', 3)),
  bad('a negative report data version', field('report_data_version', -1)),
  bad('version 2 without a freshness block', field('freshness_block', '')),
  bad('a freshness block that is no hash', field('freshness_block', '0x12')),
  bad('a freshness block in capitals', field('freshness_block', `0x${'AB'.repeat(32)}`)),
]

const missing: readonly Attack[] = [
  bad('no app id', field('app_id', '')),
  bad('app id null', field('app_id', null)),
  bad('no method', field('attestation_method', '')),
  bad('no RSA key', field('rsa_pubkey_tmp', '')),
  bad('evidence null', field('attestation', null), 401, 'EVIDENCE_MALFORMED'),
  bad('initdata null', field('cc_init_data', null), 401, 'INITDATA_INVALID'),
]

const large = (bytes: number) => toBase64(new Uint8Array(bytes))
const oversize: readonly Attack[] = [
  bad('an RSA key above 8 KiB', field('rsa_pubkey_tmp', large(8193)), 400, 'INPUT_TOO_LARGE'),
  bad('extra data above 1 MiB', field('extra_data', large(1_048_577)), 400, 'INPUT_TOO_LARGE'),
  bad('initdata above 1 MiB', field('cc_init_data', large(1_048_577)), 400, 'INPUT_TOO_LARGE'),
  bad('evidence above 256 KiB', field('attestation', large(262_145)), 400, 'INPUT_TOO_LARGE'),
  raw('a body above 2 MiB', `{"app_id":"${'a'.repeat(2 * 1024 * 1024)}"}`, 'INPUT_TOO_LARGE'),
]

const json: readonly Attack[] = [
  raw('nothing', ''),
  raw('white space', ' \n\t'),
  raw('a number', '7'),
  raw('a list', '[]'),
  raw('a text', '"app"'),
  raw('null', 'null'),
  raw('half an object', '{"app_id":"0x'),
  raw('a trailing comma', '{"app_id":"x",}'),
  raw('single quotes', "{'app_id':'x'}"),
  raw('a comment', '{/* */"app_id":"x"}'),
  raw('deep nesting', `{"x":${'['.repeat(20_000)}`),
  raw('a prototype', '{"__proto__":{"app_id":"x"}}'),
  raw('binary', new Uint8Array(4096).fill(0x80)),
  {
    // The last one counts, as in Go: what was verified is what is granted.
    name: 'request: the app id twice, the second another app',
    send: async (world) => {
      const text = JSON.stringify(await world.body())
      return `${text.slice(0, -1)},"app_id":"${world.apps.optIn}"}`
    },
    status: 401,
    code: 'REPORT_DATA_MISMATCH',
  },
  {
    name: 'request: the app id twice in different case',
    send: async (world) => {
      const text = JSON.stringify(await world.body())
      return `${text.slice(0, -1)},"APP_ID":"${world.apps.optIn}"}`
    },
    status: 401,
    code: 'REPORT_DATA_MISMATCH',
  },
  {
    name: 'request: the RSA key twice, the second a thief’s',
    send: async (world) => {
      const text = JSON.stringify(await world.body())
      return `${text.slice(0, -1)},"rsa_pubkey_tmp":"${toBase64(world.thief.pem)}"}`
    },
    status: 401,
    code: 'REPORT_DATA_MISMATCH',
  },
]

const pem = (text: string | Buffer) => toBase64(utf8ToBytes(text.toString()))
const spki = { type: 'spki', format: 'pem' } as const
const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 })
const rsa2048 = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = (name: string, text: string) =>
  bad(`the RSA key is ${name}`, field('rsa_pubkey_tmp', text), 500, 'RSA_KEY_INVALID')

const keys: readonly Attack[] = [
  key('of 1024 bits', pem(rsa1024.publicKey.export(spki))),
  key('in PKCS#1', pem(rsa2048.publicKey.export({ type: 'pkcs1', format: 'pem' }))),
  key('a private key', pem(rsa2048.privateKey.export({ type: 'pkcs8', format: 'pem' }))),
  key('an elliptic curve key', pem(ec.publicKey.export(spki))),
  key('DER', toBase64(rsa2048.publicKey.export({ type: 'spki', format: 'der' }))),
  key('no PEM', pem('hello')),
  key('an empty PEM', pem('-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n')),
  key('a PEM with garbage', pem('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')),
  key('zero bytes', toBase64(new Uint8Array(512))),
]

const methods: readonly Attack[] = [
  bad('an unknown method', field('attestation_method', 'tpm'), 401, 'METHOD_UNKNOWN'),
  bad('the method in capitals', field('attestation_method', 'EIGENX-SNP'), 401, 'METHOD_UNKNOWN'),
  bad(
    'a method with white space',
    field('attestation_method', 'eigenx-snp '),
    401,
    'METHOD_UNKNOWN',
  ),
  bad('the prototype as method', field('attestation_method', '__proto__'), 401, 'METHOD_UNKNOWN'),
  bad(
    'a method that is switched off',
    field('attestation_method', 'ecdsa'),
    401,
    'METHOD_DISABLED',
  ),
  bad('another stack id', field('stack_id', `0x${'99'.repeat(20)}`), 403, 'APP_ID_MISMATCH'),
  bad(
    'the stack id in capitals',
    altered((body, { apps }) => ({
      ...body,
      stack_id: `0x${apps.running.slice(2).toUpperCase()}`,
    })),
    403,
    'APP_ID_MISMATCH',
  ),
  bad(
    'the app id of a victim with the stack id of one’s own',
    altered((body, { apps }) => ({ ...body, app_id: apps.optIn, stack_id: apps.running })),
    403,
    'APP_ID_MISMATCH',
  ),
]

export const requestAttacks: readonly Attack[] = [
  ...types,
  ...missing,
  ...oversize,
  ...json,
  ...keys,
  ...methods,
]
