import { carrierOf, parseAgentEvidence, readSignedFields } from '../../helper/evidence.ts'
import { encodeAzureSnpJson, encodeAzureTdxJson } from '../../helper/sim/azure-evidence.ts'
import { parseBytesMessage, parseTtrpcResponse } from '../../helper/ttrpc-messages.ts'
import { parseUnsealRequest } from '../../helper/unseal.ts'
import { utf8ToBytes } from '../../sdk/bytes.ts'
import {
  parseInfo,
  parseKey,
  parseMnemonic,
  parseSecret,
  parseStorageKey,
  parseTlsKey,
} from '../../sdk/client/answers.ts'
import { parseProblem } from '../../sdk/client/problem.ts'
import { encodeField, encodeResponse } from '../kit/ttrpc-agent.ts'
import { azureSnp, azureTdx, snp, tdx } from './issued.ts'
import { JSON_TOKENS, json, ofJson, ofText, type Target, total } from './kit.ts'

const APP = `0x${'12'.repeat(20)}`
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

const ORIGIN = { appId: APP, masterPublicKey: 'aa', threshold: 2, operators: 3, epoch: 1 }

export const HELPER_TARGETS: readonly Target[] = [
  {
    name: 'agent-evidence',
    seeds: async () => [
      ...(await tdx()).map(({ aaJson }) => utf8ToBytes(aaJson())),
      ...(await snp()).map(({ aaJson }) => utf8ToBytes(aaJson())),
      utf8ToBytes(encodeAzureSnpJson(await (await azureSnp()).issue())),
      utf8ToBytes(encodeAzureTdxJson(await (await azureTdx()).issue())),
    ],
    dictionary: [
      ...JSON_TOKENS,
      '"quote":',
      '"hcl_report":',
      '"attestation_report":',
      '"cc_eventlog":',
    ],
    prepare: () =>
      total(
        ofText(parseAgentEvidence),
        (evidence) =>
          carrierOf(evidence.tee) === 'vtpm' || readSignedFields(evidence).reportData.length === 64,
      ),
    cost: 4,
  },
  {
    name: 'ttrpc-response',
    seeds: () => [
      encodeResponse(encodeField(Uint8Array.of(1, 2, 3))),
      encodeResponse(new Uint8Array(), 13, 'no'),
    ],
    dictionary: [Uint8Array.of(0x0a, 0), Uint8Array.of(0x12, 0x7f), Uint8Array.of(0x0b, 0x0c)],
    prepare: () =>
      total(
        (bytes) => {
          const payload = parseTtrpcResponse(bytes)?.payload
          return payload === undefined ? undefined : parseBytesMessage(payload)
        },
        (value, bytes) => value === undefined || value.length < Math.max(1, bytes.length),
      ),
    cost: 1,
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
    [
      { algorithm: 'raw', path: 'a', scope: 'app', privateKey: '11'.repeat(32), origin: ORIGIN },
      {
        algorithm: 'rsa-2048',
        path: 'a',
        scope: 'app',
        privateKey: `30${'11'.repeat(1000)}`,
        publicKey: `30${'11'.repeat(290)}`,
        origin: ORIGIN,
      },
    ],
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
