/**
 * The threshold protocol's messages, points and envelopes, and what the chain answers.
 * @module
 */

import { concatBytes, parseHex, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import {
  APP_UPGRADED_V14_TOPIC,
  APP_UPGRADED_V15_TOPIC,
} from '../../sdk/chain/abi/app-controller.ts'
import { parseSocket } from '../../sdk/chain/operators.ts'
import { parseAppUpgraded } from '../../sdk/chain/release-event.ts'
import { parseCallResult, parseHeader, parseLogs } from '../../sdk/chain/wire.ts'
import {
  CURVE_ORDER,
  parseG1,
  parseG2,
  parseScalar,
  partialSign,
  publicShareOf,
  serializeG1,
  serializeG2,
  serializeScalar,
} from '../../sdk/crypto/bls.ts'
import { decryptWithAppKey, encryptForApp } from '../../sdk/crypto/ibe.ts'
import { encodeComplaint, parseComplaint } from '../../sdk/protocol/complaint.ts'
import { encodeDealing, parseDealing } from '../../sdk/protocol/dealing.ts'
import { signDigest } from '../../sdk/protocol/digest.ts'
import { encodeLeave, isLeaveOf, leaveDigest, parseLeave } from '../../sdk/protocol/leave.ts'
import {
  acksDigest,
  encodeAcks,
  encodeCandidate,
  encodeSignature,
  isAcksOf,
  parseAcks,
  parseCandidate,
  parseSignature,
} from '../../sdk/protocol/messages.ts'
import {
  encodeCertifiedBody,
  encodeOutput,
  parseCertifiedBody,
  parseOutput,
  verifyCertificate,
} from '../../sdk/protocol/output.ts'
import {
  encodeEncryptionKey,
  encodeSetup,
  parseEncryptionKey,
  parseSetup,
  sidOf,
} from '../../sdk/protocol/terms.ts'
import { APP_TOPIC, BLOCK, logOf, text, upgradeV14, upgradeV15 } from '../sdk/chain/fixtures.ts'
import {
  certify,
  DOMAIN,
  GENESIS,
  hashOf,
  INFOS,
  OPERATORS,
  type Operator,
  successorOf,
} from '../sdk/protocol/kit.ts'
import {
  canonical,
  JSON_TOKENS,
  json,
  ofJson,
  ofText,
  type Target,
  total,
  verifier,
} from './kit.ts'

const first = OPERATORS[0] as Operator
const sid = sidOf(DOMAIN, GENESIS)
const filled = (length: number, value: number) => new Uint8Array(length).fill(value)
const NOW = 2_000

const dealing = {
  sid,
  dealer: first.address,
  commitment: [publicShareOf(11n), publicShareOf(22n)],
  ephemeral: GENESIS.members[0]?.encryptionKey ?? filled(32, 0),
  possession: filled(64, 4),
  constantProof: filled(64, 5),
  shares: OPERATORS.map((_, i) => filled(48, i)),
  signature: filled(65, 7),
}
const leave = { operator: first.address, notAfter: NOW + 600 }
const signedLeave = {
  ...leave,
  signature: signDigest(first.privateKey, leaveDigest(DOMAIN, leave)),
}
const acks = { sid, recipient: first.address, dealings: GENESIS.dealings }
const signedAcks = { ...acks, signature: signDigest(first.privateKey, acksDigest(DOMAIN, acks)) }
const TOKENS = [sid, first.address, ...OPERATORS.map(({ address }) => address)]
  .map((hex) => parseHex(hex) ?? filled(1, 0))
  .concat([
    Uint8Array.of(0),
    Uint8Array.of(0xff),
    filled(8, 0xff),
    filled(8, 0),
    Uint8Array.of(0, 65),
    filled(2, 0xff),
  ])
const POINT_TOKENS = [
  Uint8Array.of(0x80),
  Uint8Array.of(0xa0),
  Uint8Array.of(0xc0),
  Uint8Array.of(0x40),
  filled(48, 0xff),
  filled(48, 0),
]

const message = <T>(
  name: string,
  seeds: readonly T[],
  encode: (value: T) => Uint8Array,
  parse: (bytes: Uint8Array) => T,
): Target => ({
  name: `message-${name}`,
  seeds: () => seeds.map(encode),
  dictionary: TOKENS,
  prepare: () => canonical(parse, encode),
  cost: 1,
})

const log = {
  address: `0x${'aa'.repeat(20)}`,
  topics: [`0x${'11'.repeat(32)}`],
  data: '0xbeef',
  blockNumber: '0x10',
  blockHash: `0x${'22'.repeat(32)}`,
  transactionHash: `0x${'33'.repeat(32)}`,
  transactionIndex: '0x0',
  logIndex: '0x1',
  removed: false,
}

const release = (
  name: string,
  topic: `0x${string}`,
  logs: readonly { data: string }[],
): Target => ({
  name: `release-${name}`,
  seeds: () => logs.map(({ data }) => parseHex(data) ?? filled(1, 0)),
  dictionary: [
    filled(32, 0),
    filled(32, 0xff),
    concatBytes(filled(31, 0), Uint8Array.of(0x20)),
    ...JSON_TOKENS,
  ],
  prepare: () =>
    total((bytes) =>
      parseAppUpgraded(logOf({ topics: [topic, APP_TOPIC], data: toHex(bytes) }), BLOCK),
    ),
  cost: 4,
})
const CONTENTS = [{}, { publicEnv: text('{"A":"b","EIGENX_TEE_X":"1"}') }] as const

const mpk = publicShareOf(77n)
const appId = `0x${'12'.repeat(20)}`

export const PROTOCOL_TARGETS: readonly Target[] = [
  message('leave', [signedLeave], encodeLeave, parseLeave),
  message('dealing', [dealing], encodeDealing, parseDealing),
  message('acks', [signedAcks], encodeAcks, parseAcks),
  message(
    'complaint',
    [
      {
        recipient: first.address,
        shared: filled(32, 1),
        proof: filled(64, 2),
        dealing: encodeDealing(dealing),
      },
    ],
    encodeComplaint,
    parseComplaint,
  ),
  message(
    'candidate',
    [{ sid, proposer: first.address, output: encodeOutput(GENESIS), signature: filled(65, 1) }],
    encodeCandidate,
    parseCandidate,
  ),
  message(
    'signature',
    [{ sid, output: hashOf('o'), operator: first.address, signature: filled(65, 1) }],
    encodeSignature,
    parseSignature,
  ),
  message('output', [GENESIS, successorOf(GENESIS)], encodeOutput, parseOutput),
  message(
    'certified',
    [GENESIS, successorOf(GENESIS)].map((o) => parseCertifiedBody(certify(o))),
    encodeCertifiedBody,
    parseCertifiedBody,
  ),
  message(
    'encryption-key',
    [
      {
        operator: first.address,
        encryptionKey: dealing.ephemeral,
        sequence: 1,
        signature: filled(65, 1),
      },
    ],
    encodeEncryptionKey,
    parseEncryptionKey,
  ),
  message(
    'setup',
    [
      {
        terms: termsOf(),
        records: OPERATORS.map((_, i) => ({ sequence: i, signature: filled(65, i) })),
        proposer: first.address,
        signature: filled(65, 9),
      },
    ],
    encodeSetup,
    parseSetup,
  ),
  {
    name: 'leave-signed',
    seeds: () => [encodeLeave(signedLeave)],
    dictionary: TOKENS,
    prepare: (seeds) =>
      verifier(seeds, (bytes) => {
        const read = parseLeave(bytes)
        return INFOS.some((info) => isLeaveOf(DOMAIN, info, read, NOW))
          ? [read.operator, read.notAfter]
          : undefined
      }),
    cost: 10,
  },
  {
    name: 'acks-signed',
    seeds: () => [encodeAcks(signedAcks)],
    dictionary: TOKENS,
    prepare: (seeds) =>
      verifier(seeds, (bytes) => {
        const { signature: _, ...read } = parseAcks(bytes)
        return INFOS.some((info) => isAcksOf(DOMAIN, info, { ...read, signature: _ }))
          ? read
          : undefined
      }),
    cost: 10,
  },
  {
    name: 'certificate',
    seeds: () => [certify(GENESIS), certify(successorOf(GENESIS))],
    dictionary: TOKENS,
    prepare: (seeds) =>
      verifier(seeds, (body) => {
        const { output, certificate } = parseCertifiedBody(body)
        verifyCertificate({ domain: DOMAIN, output, certificate }, INFOS)
        return output
      }),
    cost: 10,
  },
  {
    name: 'bls-g1',
    seeds: () => [partialSign(5n, appId), partialSign(6n, appId)],
    dictionary: POINT_TOKENS,
    prepare: () => canonical((bytes) => parseG1(bytes), serializeG1),
    cost: 10,
  },
  {
    name: 'bls-g2',
    seeds: () => [publicShareOf(5n), mpk],
    dictionary: POINT_TOKENS,
    prepare: () => canonical((bytes) => parseG2(bytes), serializeG2),
    cost: 20,
  },
  {
    name: 'bls-scalar',
    seeds: () => [serializeScalar(5n), serializeScalar(CURVE_ORDER - 1n)],
    dictionary: [filled(32, 0), filled(32, 0xff)],
    prepare: () => canonical(parseScalar, serializeScalar),
    cost: 1,
  },
  {
    name: 'ibe-envelope',
    seeds: () => [
      encryptForApp({ masterPublicKey: mpk, appId, plaintext: utf8ToBytes('one') }),
      encryptForApp({ masterPublicKey: mpk, appId, plaintext: utf8ToBytes('another one') }),
    ],
    dictionary: ['IBE', Uint8Array.of(1), Uint8Array.of(2), ...POINT_TOKENS],
    prepare: (seeds) => {
      const appKey = partialSign(77n, appId)
      return verifier(seeds, (ciphertext) => decryptWithAppKey({ appKey, appId, ciphertext }))
    },
    cost: 100,
  },
  {
    name: 'chain-header',
    seeds: () => [json({ number: '0x10', hash: `0x${'ab'.repeat(32)}`, timestamp: '0x65' })],
    dictionary: [...JSON_TOKENS, '"0x"', '0x', '"0x00"'],
    prepare: () =>
      total(ofJson(parseHeader), ({ number, timestamp }) => number >= 0n && timestamp >= 0),
    cost: 1,
  },
  {
    name: 'chain-call',
    seeds: () => [json('0xabcd')],
    dictionary: [...JSON_TOKENS, '0x'],
    prepare: () =>
      total(ofJson(parseCallResult), (hex) => toHex(parseHex(hex) ?? filled(1, 0)) === hex),
    cost: 1,
  },
  {
    name: 'chain-logs',
    seeds: () => [json([log]), json([log, { ...log, logIndex: '0x2', topics: [] }])],
    dictionary: [...JSON_TOKENS, '"0x"', '"removed":true', '"0x10"'],
    prepare: () =>
      total(
        ofJson((value) => parseLogs(value, 100)),
        (logs) => logs.every((item) => parseHex(item.data) !== undefined && item.logIndex >= 0),
      ),
    cost: 1,
  },
  release(
    'v15',
    APP_UPGRADED_V15_TOPIC,
    CONTENTS.map((change) => upgradeV15({}, change)),
  ),
  release(
    'v14',
    APP_UPGRADED_V14_TOPIC,
    CONTENTS.map((change) => upgradeV14({}, change)),
  ),
  {
    name: 'operator-socket',
    seeds: () => ['http://127.0.0.1:8000/', 'https://op.example.com/a/b'].map(utf8ToBytes),
    dictionary: ['http://', '@', '?', '#', '[::1]', ':', '/', '//', '\\', '%00', '..'],
    prepare: () =>
      total(ofText(parseSocket), (base) => !base.endsWith('/') && URL.canParse(`${base}/x`)),
    cost: 1,
  },
]

function termsOf() {
  const { epoch, prev, configBlock, leaves, members, threshold } = GENESIS
  return { epoch, prev, configBlock, leaves, members, threshold }
}
