/**
 * The OpenAPI 3.1 description of an operator. Kept by hand, because the compatible routes decode as
 * Go does and no schema library says that; a test compares it with the routes that exist.
 * @module
 */
import { KNOWN_METHODS } from '../config-attestation.ts'

const text = (description: string) => ({
  description,
  content: {
    'text/plain': { schema: { type: 'string' } },
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  },
})
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
})
const body = (description: string, schema: string) => ({
  description,
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
})
const bytes = (description: string) => ({
  description,
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
})
const string = (description: string) => ({ type: 'string', description })
const base64 = (description: string) => ({
  type: 'string',
  contentEncoding: 'base64',
  description,
})
const integer = (description: string) => ({ type: 'integer', description })
const point = (description: string) => ({
  type: 'object',
  properties: { CompressedBytes: base64(description) },
})
const BUSY = {
  429: text('The caller asks too often.'),
  503: text('The operator is at its limit, or holds no key yet.'),
}
const OWN_BUSY = { 429: problem('The caller asks too often.'), 503: problem('At its limit.') }

export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'eigenx-tee operator',
    version: '0.1.0',
    description:
      'One operator of a threshold KMS. Refusals are plain text; send `Accept: application/problem+json` for code, stage, hint and checks.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  paths: {
    '/pubkey': {
      get: {
        summary: 'Master public key, threshold and public shares of the key in force',
        responses: { 200: body('The key in force.', 'Pubkey'), ...BUSY },
      },
    },
    '/app/sign': {
      post: {
        summary: 'Partial key without evidence; off unless the operator enables it',
        requestBody: { required: true, ...body('App and time.', 'SignRequest') },
        responses: {
          200: body('The partial key, in clear.', 'SignResponse'),
          400: text('The request does not parse.'),
          403: text('Switched off, or an app that this operator does not serve.'),
          500: text('No key at that time.'),
          ...BUSY,
        },
      },
    },
    '/secrets': {
      post: {
        summary: 'Evidence in, partial key encrypted to the request’s RSA key out',
        requestBody: { required: true, ...body('Evidence and initdata.', 'SecretsRequest') },
        responses: {
          200: body('Granted.', 'SecretsResponse'),
          400: text('The request does not parse, or a field is missing or too large.'),
          401: text('The evidence is not genuine, not for this request, or not allowed.'),
          403: text('The pod does not run the release, or the app is not running.'),
          404: text('No confirmed release, or no key version at that time.'),
          500: text('The RSA key cannot be used, or an internal error.'),
          502: text('The app’s creator cannot be looked up (ecdsa).'),
          ...BUSY,
        },
      },
    },
    '/health': {
      get: {
        summary: 'Can this operator serve keys?',
        responses: {
          200: body('Ready.', 'Status'),
          503: body('Waiting; reasons say why.', 'Status'),
        },
      },
    },
    '/openapi.json': {
      get: { summary: 'This document', responses: { 200: { description: 'OpenAPI 3.1.' } } },
    },
    '/v2/info': {
      get: {
        summary: 'Protocol, operator set, methods and the key in force',
        responses: { 200: body('Facts.', 'Info'), ...OWN_BUSY },
      },
    },
    '/v2/output': {
      get: {
        summary: 'The certified output in force; JSON with base64 for `Accept: application/json`',
        responses: { 200: bytes('Output and signatures.'), 404: problem('Not held.'), ...OWN_BUSY },
      },
    },
    '/v2/blob/{hash}': {
      get: {
        summary: 'Any body by its SHA-256',
        parameters: [
          {
            name: 'hash',
            in: 'path',
            required: true,
            schema: { type: 'string', pattern: '^0x[0-9a-f]{64}$' },
          },
        ],
        responses: { 200: bytes('The body.'), 404: problem('Not held.'), ...OWN_BUSY },
      },
    },
    '/v2/peer/encryption-key': {
      get: {
        summary: 'The operator’s signed encryption-key record',
        responses: { 200: bytes('The record.'), ...OWN_BUSY },
      },
    },
    '/v2/peer/messages': {
      post: {
        summary: 'One signed message of the epoch protocol',
        requestBody: {
          required: true,
          content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        },
        responses: {
          200: body('What became of it.', 'PushResult'),
          413: problem('Too large.'),
          ...OWN_BUSY,
        },
      },
    },
  },
  components: {
    schemas: {
      Problem: {
        type: 'object',
        required: ['type', 'status', 'code', 'stage', 'detail', 'requestId', 'details'],
        properties: {
          type: string('urn:eigenx-tee:error:<code>'),
          title: string('The code in words.'),
          status: integer('HTTP status.'),
          detail: string('What happened.'),
          code: string('Stable code.'),
          stage: string('Where it happened.'),
          hint: string('What to do about it.'),
          requestId: string('Also in x-request-id.'),
          details: { type: 'object' },
          checks: { type: 'array', items: { $ref: '#/components/schemas/Check' } },
          findings: { type: 'array', items: { type: 'object' } },
        },
      },
      Check: {
        type: 'object',
        properties: {
          name: string('Stable name.'),
          result: { type: 'string', enum: ['passed', 'failed', 'not-applicable'] },
          inputs: { type: 'object', additionalProperties: { type: 'string' } },
          source: string('Where the rule comes from.'),
        },
      },
      SecretsRequest: {
        type: 'object',
        required: ['app_id', 'attestation_method', 'attestation', 'rsa_pubkey_tmp'],
        properties: {
          app_id: string('0x and 40 hex digits; the key belongs to this text.'),
          stack_id: string('Equal to app_id, or absent.'),
          attestation_method: string(`One of ${KNOWN_METHODS.join(', ')}, where enabled.`),
          attestation: base64('Evidence of the method.'),
          rsa_pubkey_tmp: base64('PEM of a SubjectPublicKeyInfo, 2048 to 8192 bits.'),
          attestation_time: integer('Unix seconds; 0 for the key in force.'),
          challenge: base64('ecdsa only.'),
          public_key: base64('ecdsa only.'),
          extra_data: base64('Bound by REPORT_DATA and echoed.'),
          cc_init_data: base64('Initdata: TOML, or base64 of gzip of it.'),
          report_data_version: { type: 'integer', enum: [1, 2] },
          freshness_block: string('Version 2: hash of a recent block.'),
        },
      },
      SecretsResponse: {
        type: 'object',
        properties: {
          encrypted_env: string('Lower-case hex.'),
          public_env: string('JSON map, or empty.'),
          encrypted_partial_sig: base64('RSA-OAEP (SHA-256).'),
          extra_data: base64('As sent.'),
          version: integer('Key version, Unix seconds.'),
          operator: string('Who answered.'),
          binding: string('What the hardware anchored the initdata with.'),
          marks: { type: 'array', items: { type: 'string' } },
        },
      },
      SignRequest: {
        type: 'object',
        properties: { AppID: string('App id.'), AttestationTime: integer('Unix seconds.') },
      },
      SignResponse: {
        type: 'object',
        properties: {
          OperatorAddress: string('EIP-55.'),
          PartialSignature: point('G1, 48 bytes.'),
          version: integer('Key version, Unix seconds.'),
        },
      },
      Pubkey: {
        type: 'object',
        properties: {
          commitments: { type: 'array', items: point('G2, 96 bytes.') },
          epoch: integer('Epoch number.'),
          isActive: { type: 'boolean' },
          masterPublicKey: point('G2, 96 bytes.'),
          operatorAddress: string('EIP-55.'),
          outputHash: string('Hash of the certified output.'),
          participants: { type: 'array', items: { type: 'string' } },
          publicShares: { type: 'array', items: point('G2, in the order of participants.') },
          threshold: integer('Partials needed.'),
          version: integer('Key version, Unix seconds.'),
        },
      },
      Status: { type: 'object' },
      Info: { type: 'object' },
      PushResult: {
        type: 'object',
        properties: { result: { type: 'string', enum: ['accepted', 'later', 'refused'] } },
      },
    },
  },
} as const
