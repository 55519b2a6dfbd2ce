/**
 * The threshold protocol's messages.
 * @module
 */

import { parseHex } from '../../sdk/bytes.ts'
import { publicShareOf } from '../../sdk/crypto/bls.ts'
import { encodeComplaint, parseComplaint } from '../../sdk/protocol/complaint.ts'
import { encodeDealing, parseDealing } from '../../sdk/protocol/dealing.ts'
import { signStatement } from '../../sdk/protocol/digest.ts'
import { encodeLeave, isLeaveOf, leaveStatement, parseLeave } from '../../sdk/protocol/leave.ts'
import {
  acksStatement,
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
import { canonical, type Target, verifier } from './kit.ts'

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
  signature: signStatement(first.privateKey, leaveStatement(DOMAIN, leave)),
}
const acks = { sid, recipient: first.address, dealings: GENESIS.dealings }
const signedAcks = {
  ...acks,
  signature: signStatement(first.privateKey, acksStatement(DOMAIN, acks)),
}
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
]

function termsOf() {
  const { epoch, prev, configBlock, leaves, members, threshold } = GENESIS
  return { epoch, prev, configBlock, leaves, members, threshold }
}
