import fc from 'fast-check'
import { hashTypedData, recoverAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { concatBytes, toHex } from '../../../sdk/bytes.ts'
import { type MessageKind, messageKind } from '../../../sdk/protocol/codec.ts'
import { encodeComplaint, parseComplaint } from '../../../sdk/protocol/complaint.ts'
import { encodeDealing, parseDealing } from '../../../sdk/protocol/dealing.ts'
import {
  isSignedBy,
  operatorSetKey,
  recoverSigner,
  signStatement,
  statementDigest,
} from '../../../sdk/protocol/digest.ts'
import {
  acksStatement,
  encodeAcks,
  encodeCandidate,
  encodeSignature,
  isAcksOf,
  outputStatement,
  parseAcks,
  parseCandidate,
  parseSignature,
} from '../../../sdk/protocol/messages.ts'
import { encodeOutput, parseCertifiedBody, parseOutput } from '../../../sdk/protocol/output.ts'
import {
  encodeEncryptionKey,
  encodeSetup,
  encryptionKeyStatement,
  isEncryptionKeyOf,
  NO_ENCRYPTION_KEY,
  parseEncryptionKey,
  parseSetup,
  type Setup,
  setupStatement,
  sidOf,
  verifySetup,
} from '../../../sdk/protocol/terms.ts'
import type { Output, Terms } from '../../../sdk/protocol/types.ts'
import { certify, DOMAIN, GENESIS, hashOf, INFOS, OPERATORS, type Operator } from './kit.ts'

function operatorAt(index: number): Operator {
  const operator = OPERATORS[index]
  if (operator === undefined) throw new RangeError('no such operator')
  return operator
}

const [first, second] = [operatorAt(0), operatorAt(1)]
const sid = sidOf(DOMAIN, GENESIS)
const bytesOf = (length: number, value: number) => new Uint8Array(length).fill(value)

const dealing = {
  sid,
  dealer: first.address,
  commitment: [bytesOf(96, 1), bytesOf(96, 2)],
  ephemeral: bytesOf(32, 3),
  possession: bytesOf(64, 4),
  constantProof: bytesOf(64, 5),
  shares: [bytesOf(48, 6)],
  signature: bytesOf(65, 7),
}
const acks = {
  sid,
  recipient: first.address,
  dealings: GENESIS.dealings,
  signature: bytesOf(65, 1),
}
const keyRecord = (operator: Operator, sequence = 1) => {
  const member = GENESIS.members.find(({ address }) => address === operator.address)
  const unsigned = {
    operator: operator.address,
    encryptionKey: member?.encryptionKey ?? bytesOf(32, 0),
    sequence,
  }
  return {
    ...unsigned,
    signature: signStatement(operator.privateKey, encryptionKeyStatement(DOMAIN, unsigned)),
  }
}
const termsOf = ({ epoch, prev, configBlock, leaves, members, threshold }: Output): Terms => ({
  epoch,
  prev,
  configBlock,
  leaves,
  members,
  threshold,
})
const setupOf = (terms: Terms): Setup => ({
  terms,
  records: OPERATORS.map((operator) => {
    const { sequence, signature } = keyRecord(operator)
    return { sequence, signature }
  }),
  proposer: second.address,
  signature: signStatement(second.privateKey, setupStatement(DOMAIN, terms, second.address)),
})

const messages: [MessageKind, Uint8Array, (bytes: Uint8Array) => Uint8Array][] = [
  [
    'encryptionKey',
    encodeEncryptionKey(keyRecord(first)),
    (bytes) => encodeEncryptionKey(parseEncryptionKey(bytes)),
  ],
  ['setup', encodeSetup(setupOf(termsOf(GENESIS))), (bytes) => encodeSetup(parseSetup(bytes))],
  ['dealing', encodeDealing(dealing), (bytes) => encodeDealing(parseDealing(bytes))],
  ['acks', encodeAcks(acks), (bytes) => encodeAcks(parseAcks(bytes))],
  [
    'complaint',
    encodeComplaint({
      recipient: first.address,
      shared: bytesOf(32, 1),
      proof: bytesOf(64, 2),
      dealing: bytesOf(9, 3),
    }),
    (bytes) => encodeComplaint(parseComplaint(bytes)),
  ],
  [
    'candidate',
    encodeCandidate({
      sid,
      proposer: first.address,
      output: encodeOutput(GENESIS),
      signature: bytesOf(65, 1),
    }),
    (bytes) => encodeCandidate(parseCandidate(bytes)),
  ],
  [
    'signature',
    encodeSignature({
      sid,
      output: hashOf('o'),
      operator: first.address,
      signature: bytesOf(65, 1),
    }),
    (bytes) => encodeSignature(parseSignature(bytes)),
  ],
  ['output', encodeOutput(GENESIS), (bytes) => encodeOutput(parseOutput(bytes))],
  [
    'certified',
    certify(GENESIS),
    (bytes) => {
      parseCertifiedBody(bytes)
      return certify(parseCertifiedBody(bytes).output)
    },
  ],
]

describe.each(messages)('a message of kind %s', (kind, bytes, again) => {
  it('comes back as the same bytes', () => {
    expect(messageKind(bytes)).toBe(kind)
    expect(toHex(again(bytes))).toBe(toHex(bytes))
  })

  it('is refused with anything missing or added, as another kind, and when it is huge', () => {
    const protocolError = expect.objectContaining({ name: 'EigenxError', stage: 'protocol' })
    for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 97))
      expect(() => again(bytes.slice(0, length))).toThrow(protocolError)
    expect(() => again(concatBytes(bytes, Uint8Array.of(0)))).toThrow(protocolError)
    expect(() => again(bytes.map((byte, i) => (i === 0 ? 2 : byte)))).toThrow(protocolError)
    expect(() => again(bytes.map((byte, i) => (i === 1 ? byte + 1 : byte)))).toThrow(protocolError)
    expect(() => again(concatBytes(bytes, new Uint8Array(100_000)))).toThrow(protocolError)
  })

  it('throws nothing but protocol errors on random bytes behind its header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (tail) => {
        try {
          again(concatBytes(bytes.slice(0, 2), tail))
        } catch (error) {
          return (error as { stage?: unknown }).stage === 'protocol'
        }
        return true
      }),
      { numRuns: 200 },
    )
  })
})

describe('lists in messages', () => {
  it.each<[string, () => unknown]>([
    [
      'members out of order',
      () =>
        parseSetup(
          encodeSetup(setupOf({ ...termsOf(GENESIS), members: [...GENESIS.members].reverse() })),
        ),
    ],
    [
      'a member twice',
      () =>
        parseOutput(
          encodeOutput({
            ...GENESIS,
            members: GENESIS.members.map(
              () => GENESIS.members[0] ?? { address: first.address, encryptionKey: bytesOf(32, 1) },
            ),
          }),
        ),
    ],
    [
      'dealers out of order',
      () => parseOutput(encodeOutput({ ...GENESIS, dealings: [...GENESIS.dealings].reverse() })),
    ],
    ['no members', () => parseOutput(encodeOutput({ ...GENESIS, members: [], publicShares: [] }))],
    ['no dealings', () => parseOutput(encodeOutput({ ...GENESIS, dealings: [] }))],
    [
      'a public share too few',
      () => parseOutput(encodeOutput({ ...GENESIS, publicShares: GENESIS.publicShares.slice(1) })),
    ],
    [
      'an acknowledged dealer twice',
      () =>
        parseAcks(encodeAcks({ ...acks, dealings: [...GENESIS.dealings, ...GENESIS.dealings] })),
    ],
    ['signers out of order', () => parseCertifiedBody(certify(GENESIS, [...OPERATORS].reverse()))],
    ['a signer three times', () => parseCertifiedBody(certify(GENESIS, [first, first, first]))],
  ])('are refused with %s', (_name, parse) => {
    expect(parse).toThrow(expect.objectContaining({ stage: 'protocol' }))
  })
})

describe('typed statements', () => {
  it('are EIP-712: another implementation computes the same and verifies our signatures', async () => {
    const output = hashOf('output')
    const statement = outputStatement(DOMAIN, sid, output)
    const digest = statementDigest(statement)
    const typed = {
      domain: {
        name: 'eigenx-tee',
        version: '1',
        chainId: 1,
        verifyingContract: DOMAIN.epochLog,
        salt: operatorSetKey(DOMAIN),
      },
      types: {
        Output: [
          { name: 'sid', type: 'bytes32' },
          { name: 'output', type: 'bytes32' },
        ],
      },
      primaryType: 'Output' as const,
      message: { sid, output },
    } as const
    expect(toHex(digest)).toBe(hashTypedData(typed))
    const signature = signStatement(first.privateKey, statement)
    const signer = await recoverAddress({ hash: toHex(digest), signature: toHex(signature) })
    expect(signer.toLowerCase()).toBe(first.address)
    const foreign = await privateKeyToAccount(toHex(first.privateKey)).signTypedData(typed)
    expect(foreign).toBe(toHex(signature))
  })

  it('scenario 42: differ by chain, contract, AVS, set, struct and session', () => {
    const base = { sid, recipient: first.address, dealings: GENESIS.dealings }
    const statements = [
      acksStatement(DOMAIN, base),
      acksStatement({ ...DOMAIN, chainId: 2 }, base),
      acksStatement({ ...DOMAIN, epochLog: DOMAIN.avs }, base),
      acksStatement({ ...DOMAIN, avs: DOMAIN.epochLog }, base),
      acksStatement({ ...DOMAIN, operatorSetId: 3 }, base),
      acksStatement(DOMAIN, { ...base, sid: hashOf('x') }),
      acksStatement(DOMAIN, { ...base, recipient: second.address }),
      acksStatement(DOMAIN, { ...base, dealings: base.dealings.slice(1) }),
      outputStatement(DOMAIN, sid, hashOf('x')),
      setupStatement(DOMAIN, GENESIS, first.address),
    ].map(toHex)
    expect(new Set(statements).size).toBe(statements.length)
  })

  it('is remembered once it was true, for that key, statement and signature alone', () => {
    const statement = outputStatement(DOMAIN, sid, `0x${'5e'.repeat(32)}`)
    const other = outputStatement(DOMAIN, sid, `0x${'5f'.repeat(32)}`)
    const signature = signStatement(first.privateKey, statement)
    const flipped = signature.with(40, (signature[40] ?? 0) ^ 1)
    const time = (check: () => boolean) => {
      const began = performance.now()
      const result = check()
      return { result, took: performance.now() - began }
    }
    for (let round = 0; round < 2; round++) {
      expect(isSignedBy(first.info, statement, signature)).toBe(true)
      expect(isSignedBy(second.info, statement, signature)).toBe(false)
      expect(isSignedBy(first.info, other, signature)).toBe(false)
      expect(isSignedBy(first.info, statement, flipped)).toBe(false)
      expect(isSignedBy(first.info, statement, signature.subarray(0, 64))).toBe(false)
    }
    const repeats = Array.from({ length: 50 }, () =>
      time(() => isSignedBy(first.info, statement, signature)),
    )
    const refusals = Array.from({ length: 50 }, () =>
      time(() => isSignedBy(first.info, other, signature)),
    )
    const fastest = (times: typeof repeats) => Math.min(...times.map(({ took }) => took))
    expect(repeats.every(({ result }) => result)).toBe(true)
    expect(fastest(repeats)).toBeLessThan(fastest(refusals) / 3)
  })

  it('refuse a signature that is high, of another length, with another v, of zeros, or of another member', () => {
    const statement = acksStatement(DOMAIN, acks)
    const good = signStatement(first.privateKey, statement)
    expect(isAcksOf(DOMAIN, first.info, { ...acks, signature: good })).toBe(true)
    expect(isSignedBy(second.info, statement, good)).toBe(false)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = order - BigInt(toHex(good.subarray(32, 64)))
    const high = concatBytes(
      good.subarray(0, 32),
      Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * (31 - i))) & 255n)),
      Uint8Array.of(55 - (good[64] ?? 0)),
    )
    for (const bad of [
      high,
      good.subarray(0, 64),
      concatBytes(good, Uint8Array.of(0)),
      good.map((byte, i) => (i === 64 ? byte - 27 : byte)),
      new Uint8Array(65),
    ])
      expect(recoverSigner(statementDigest(statement), bad)).toBeUndefined()
    const bn254 = {
      ...first.info,
      signingKey: { curve: 'bn254' as const, g1: hashOf('a'), g2: hashOf('b') },
    }
    expect(isSignedBy(bn254, statement, good)).toBe(false)
    for (const bare of [
      statementDigest(statement),
      statement.subarray(1),
      statement.map((b) => b ^ 1),
    ])
      expect(() => signStatement(first.privateKey, bare)).toThrow(RangeError)
  })
})

describe('verifySetup', () => {
  const terms = termsOf(GENESIS)
  it('accepts the set of the block with every key signed, also with a member that announced none', () => {
    expect(() => verifySetup(DOMAIN, setupOf(terms), INFOS)).not.toThrow()
    const members = terms.members.map((member, i) =>
      i === 3 ? { ...member, encryptionKey: NO_ENCRYPTION_KEY } : member,
    )
    const setup = setupOf({ ...terms, members })
    const records = setup.records.map((record, i) =>
      i === 3 ? { sequence: 0, signature: new Uint8Array(0) } : record,
    )
    expect(() => verifySetup(DOMAIN, { ...setup, records }, INFOS)).not.toThrow()
  })

  it.each<[string, () => void]>([
    [
      'a member too few',
      () => verifySetup(DOMAIN, setupOf({ ...terms, members: terms.members.slice(1) }), INFOS),
    ],
    ['a set that grew', () => verifySetup(DOMAIN, setupOf(terms), INFOS.slice(1))],
    [
      'a proposer who is no member',
      () => verifySetup(DOMAIN, { ...setupOf(terms), proposer: DOMAIN.avs }, INFOS),
    ],
    [
      "another proposer's signature",
      () => verifySetup(DOMAIN, { ...setupOf(terms), proposer: first.address }, INFOS),
    ],
    [
      'an encryption key that its member did not sign',
      () =>
        verifySetup(
          DOMAIN,
          setupOf({
            ...terms,
            members: terms.members.map((member) => ({
              ...member,
              encryptionKey: terms.members[0]?.encryptionKey ?? NO_ENCRYPTION_KEY,
            })),
          }),
          INFOS,
        ),
    ],
    [
      'records in another order',
      () =>
        verifySetup(
          DOMAIN,
          { ...setupOf(terms), records: [...setupOf(terms).records].reverse() },
          INFOS,
        ),
    ],
    ['another chain', () => verifySetup({ ...DOMAIN, chainId: 5 }, setupOf(terms), INFOS)],
  ])('refuses %s', (_name, verify) => {
    expect(verify).toThrow(expect.objectContaining({ code: 'PEER_UNAUTHENTICATED' }))
  })

  it('knows an announcement by its signer, key and number', () => {
    const record = keyRecord(first, 4)
    expect(isEncryptionKeyOf(DOMAIN, first.info, record)).toBe(true)
    expect(isEncryptionKeyOf(DOMAIN, second.info, record)).toBe(false)
    expect(isEncryptionKeyOf(DOMAIN, first.info, { ...record, sequence: 5 })).toBe(false)
    expect(isEncryptionKeyOf({ ...DOMAIN, operatorSetId: 9 }, first.info, record)).toBe(false)
  })

  it.each([0, 0xff])('knows that 32 bytes of %i are no key, whoever signed them', (byte) => {
    const unsigned = { ...keyRecord(first, 4), encryptionKey: new Uint8Array(32).fill(byte) }
    const signature = signStatement(first.privateKey, encryptionKeyStatement(DOMAIN, unsigned))
    expect(isEncryptionKeyOf(DOMAIN, first.info, { ...unsigned, signature })).toBe(false)
  })
})
