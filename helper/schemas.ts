/**
 * The socket API as data: one zod schema for each request and answer. The routes parse with them and
 * `/openapi.json` is generated from them, so the document cannot drift from the code.
 *
 * Requests arrive as JSON (POST) or as a query (GET, for curl), so whole numbers are taken as digits too.
 * @module
 */
import { z } from 'zod'
import { MAX_TLS_KEY_VERSION } from '../sdk/crypto/tls-keys.ts'

/** A whole number, or its decimal digits as a query carries it. */
const wholeNumber = (low: number, high: number) =>
  z.union([
    z.int().min(low).max(high),
    z
      .string()
      .regex(/^(0|[1-9][0-9]{0,9})$/, 'expected a whole number')
      .transform(Number)
      .pipe(z.int().min(low).max(high)),
  ])

const label = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\x20-\x7e]+$/, 'expected printable ASCII')
const scope = z
  .templateLiteral([
    z.union([z.literal('release:'), z.literal('instance:')]),
    z.string().regex(/[A-Za-z0-9._:-]{1,128}/),
  ])
  .or(z.literal('app'))
  .default('app')
const shortAlgorithm = z.enum(['secp256k1', 'ed25519', 'x25519', 'p256', 'raw'])
const rsaAlgorithm = z.enum(['rsa-2048', 'rsa-3072', 'rsa-4096'])
const algorithm = z.enum([...shortAlgorithm.options, ...rsaAlgorithm.options])
const domain = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'expected a lower-case DNS name',
  )

export const requests = {
  GetMnemonic: z.strictObject({
    words: z.union([z.literal([12, 24]), z.enum(['12', '24']).transform(Number)]).optional(),
    scope,
  }),
  GetAddresses: z.strictObject({
    count: wholeNumber(1, 100).default(1),
    start: wholeNumber(0, 1_000_000).default(0),
  }),
  GetKey: z.strictObject({ path: label, algorithm: algorithm.default('secp256k1'), scope }),
  GetTlsKey: z.strictObject({
    kind: z.enum(['tls', 'acme-account']).default('tls'),
    domain: domain.optional(),
    version: wholeNumber(0, MAX_TLS_KEY_VERSION).default(0),
  }),
  GetStorageKey: z.strictObject({ name: label.optional() }),
  GetSecret: z.strictObject({ name: z.string().min(1).max(512).optional() }),
  Info: z.strictObject({}),
  Version: z.strictObject({}),
} as const

export type Endpoint = keyof typeof requests
export type EndpointRequest<E extends Endpoint> = z.infer<(typeof requests)[E]>

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
const derHex = z.string().regex(/^30([0-9a-f]{2})+$/)
const origin = z.strictObject({
  appId: z.string(),
  masterPublicKey: hex(96),
  threshold: z.int(),
  operators: z.int(),
  epoch: z.int().optional(),
  keyVersion: z.int().optional(),
})
const derivedAddress = z.strictObject({ index: z.int(), path: z.string(), address: z.string() })
const answerScope = z.string()

export const answers = {
  GetMnemonic: z.strictObject({
    mnemonic: z.string(),
    words: z.literal([12, 15, 18, 21, 24]),
    source: z.enum(['derived', 'imported']),
    origin,
  }),
  GetAddresses: z.strictObject({
    evm: z.array(derivedAddress),
    solana: z.array(derivedAddress),
    origin,
  }),
  GetKey: z.union([
    z.strictObject({
      algorithm: shortAlgorithm,
      path: z.string(),
      scope: answerScope,
      privateKey: hex(32),
      publicKey: z.string().optional(),
      origin,
    }),
    z.strictObject({
      algorithm: rsaAlgorithm,
      path: z.string(),
      scope: answerScope,
      privateKey: derHex.describe('PKCS#8 in DER, as hex'),
      publicKey: derHex.describe('SubjectPublicKeyInfo in DER, as hex'),
      origin,
    }),
  ]),
  GetTlsKey: z.strictObject({
    kind: z.enum(['tls', 'acme-account']),
    domain: z.string().optional(),
    version: z.int().optional(),
    privateKey: z.string(),
    publicKey: z.string(),
    origin,
  }),
  GetStorageKey: z.strictObject({ name: z.string().optional(), key: hex(32), origin }),
  GetSecret: z.union([
    z.strictObject({ name: z.string(), value: z.string(), sealed: z.boolean() }),
    z.strictObject({ names: z.array(z.string()) }),
  ]),
  Info: z.strictObject({
    version: z.string(),
    origin,
    initdataSha384: hex(48),
    reportDataVersion: z.int(),
    quorum: z.array(z.string()),
    refusals: z.array(
      z.strictObject({ operator: z.string(), code: z.string(), message: z.string() }),
    ),
    marks: z.array(z.string()),
  }),
  Version: z.strictObject({ name: z.string(), version: z.string(), api: z.int() }),
} as const satisfies Record<Endpoint, z.ZodType>

export const healthAnswer = z.strictObject({
  status: z.enum(['starting', 'retrying', 'ready']),
  attempts: z.int(),
  code: z.string().optional(),
  message: z.string().optional(),
})

export const summaries: Readonly<Record<Endpoint, string>> = {
  GetMnemonic: "The app's BIP-39 words; the same for every pod of the app.",
  GetAddresses: "EVM (m/44'/60'/0'/0/i) and Solana (m/44'/501'/i'/0') addresses of the mnemonic.",
  GetKey:
    'A key pair for a label, independent of the mnemonic. An RSA key takes seconds to minutes the first time.',
  GetTlsKey: 'A stable P-256 key for a domain, or the ACME account key, as PEM.',
  GetStorageKey: 'A stable 32-byte key for data at rest; without a name the one of EigenCompute.',
  GetSecret: "One value of the release's environment, or the names of all.",
  Info: 'Who vouches for this pod: app, operators, key version, initdata.',
  Version: 'Version of the helper and of this API.',
}
