/**
 * The configuration of an epoch and how it becomes common (docs/protocol.md, Epochs).
 *
 * Each operator announces its encryption key in a record signed with its registered key. Any member may propose
 * the terms of the next epoch in a signed Setup: a final block, its operator set and one key
 * record of each member (the newest the proposer could get). A recipient checks the set against its
 * own chain view and every record's signature, then deals under that session id.
 *
 * Nothing has to be agreed beforehand: the session id hashes all of it, so two proposals are two sessions, a dealing counts only
 * in its own, and the log orders whatever gets certified. A proposer that lies by naming an old key record of a member only
 * shuts that member out of one session, visibly: the member sees its own old key.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, frame, isZero, toHex, utf8ToBytes } from '../bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../chain/types.ts'
import { EigenxError } from '../errors.ts'
import {
  addressBytes,
  counted,
  decodeMessage,
  encodeMessage,
  fixed,
  hashBytes,
  isSorted,
  list,
  MAX_MEMBERS,
  MAX_SIGNATURE_BYTES,
  type Reader,
  u8,
  u64,
} from './codec.ts'
import {
  addressWord,
  domainSeparator,
  hashWord,
  isSignedBy,
  numberWord,
  typedStatement,
} from './digest.ts'
import { leaveFields, readLeave, remainingOperators } from './leave.ts'
import { isRistrettoPoint } from './ristretto.ts'
import type { Domain, Member, Output, Terms } from './types.ts'

/**
 * The encryption key of a member that announced none: it is dealt out of this epoch (its public share
 * exists, nobody encrypts it) and gets its share in the next one. So a silent operator blocks nothing.
 */
export const NO_ENCRYPTION_KEY: Uint8Array = new Uint8Array(32)

export function isAbsent(member: Pick<Member, 'encryptionKey'>): boolean {
  return isZero(member.encryptionKey)
}

/** The `prev` of a genesis. */
export const NO_OUTPUT: Hash32 = `0x${'00'.repeat(32)}`

export function isGenesis(terms: Pick<Terms, 'prev'>): boolean {
  return terms.prev === NO_OUTPUT
}

/**
 * The `prev` of the first epoch when the operators bring shares of an existing key: it names that key, so operators that
 * import different keys are in different sessions.
 * @param mpk - The key's master public key, 96 bytes.
 */
export function importRoot(mpk: Uint8Array): Hash32 {
  return toHex(sha256(frame([utf8ToBytes('eigenx-tee/import/v1'), mpk], 4)))
}

/** Whether an output may be the first of a log: a fresh key, or the import of the key that it carries. */
export function isOrigin(output: Pick<Output, 'prev' | 'mpk'>): boolean {
  return isGenesis(output) || output.prev === importRoot(output.mpk)
}

/** A member's announcement of its encryption key; the highest sequence number is the newest. */
export type EncryptionKeyRecord = {
  operator: Address
  /** ristretto255, 32 bytes. */
  encryptionKey: Uint8Array
  sequence: number
  signature: Uint8Array
}

/** Proposed terms with the records that prove each member's encryption key. */
export type Setup = {
  terms: Terms
  /** One per member, in the members' order. */
  records: readonly { sequence: number; signature: Uint8Array }[]
  proposer: Address
  signature: Uint8Array
}

const refuse = (reason: string): EigenxError<'PEER_UNAUTHENTICATED'> =>
  new EigenxError({
    code: 'PEER_UNAUTHENTICATED',
    message: `The message is not a valid announcement of an operator: ${reason}.`,
    stage: 'protocol',
    details: { reason },
  })

export function encryptionKeyStatement(
  domain: Domain,
  record: Omit<EncryptionKeyRecord, 'signature'>,
): Uint8Array {
  return typedStatement(domain, 'EncryptionKey', [
    addressWord(record.operator),
    fixed(record.encryptionKey, 32),
    numberWord(record.sequence),
  ])
}

export function encodeEncryptionKey(record: EncryptionKeyRecord): Uint8Array {
  return encodeMessage('encryptionKey', [
    addressBytes(record.operator),
    fixed(record.encryptionKey, 32),
    u64(record.sequence),
    counted(record.signature),
  ])
}

/** Format only; see {@link isEncryptionKeyOf}. @throws PEER_UNAUTHENTICATED */
export function parseEncryptionKey(bytes: Uint8Array): EncryptionKeyRecord {
  return decodeMessage('encryptionKey', bytes, 512, refuse, (reader) => ({
    operator: reader.address(),
    encryptionKey: reader.bytes(32),
    sequence: reader.u64(),
    signature: reader.counted(MAX_SIGNATURE_BYTES),
  }))
}

/**
 * Whether it is this operator's and names a key that shares can be dealt to. What a proposer takes into its setup and what others let pass there
 * is judged by this alone.
 */
export function isEncryptionKeyOf(
  domain: Domain,
  operator: OperatorInfo,
  record: EncryptionKeyRecord,
): boolean {
  return (
    record.operator === operator.address.toLowerCase() &&
    isRistrettoPoint(record.encryptionKey) &&
    isSignedBy(operator, encryptionKeyStatement(domain, record), record.signature)
  )
}

/** The fields of terms as they stand in hashes and messages. */
export function termsFields(terms: Terms): Uint8Array {
  return concatBytes(
    u64(terms.epoch),
    hashBytes(terms.prev),
    u64(terms.configBlock.number),
    hashBytes(terms.configBlock.hash),
    u64(terms.configBlock.timestamp),
    u8(terms.threshold),
    list(terms.leaves.map(leaveFields)),
    list(
      terms.members.map((member) =>
        concatBytes(addressBytes(member.address), fixed(member.encryptionKey, 32)),
      ),
    ),
  )
}

/** @throws What the reader's message throws. */
export function readTerms(reader: Reader, fail: (reason: string) => Error): Terms {
  const epoch = reader.u64()
  const prev = reader.hash()
  const configBlock = { number: reader.bigU64(), hash: reader.hash(), timestamp: reader.u64() }
  const threshold = reader.u8()
  const leaves = reader.list(MAX_MEMBERS, readLeave)
  const members: Member[] = reader.list(MAX_MEMBERS, (item) => ({
    address: item.address(),
    encryptionKey: item.bytes(32),
  }))
  if (members.length === 0) throw fail('no members')
  if (!isSorted(members.map((member) => member.address))) throw fail('members not sorted')
  if (!isSorted(leaves.map((leave) => leave.operator))) throw fail('leaves not sorted')
  return { epoch, prev, configBlock, leaves, members, threshold }
}

/** Session id: hash of domain and configuration (an output carries its terms, so it has one too). */
export function sidOf(domain: Domain, terms: Terms): Hash32 {
  return toHex(
    sha256(
      frame([utf8ToBytes('eigenx-tee/sid/v1'), domainSeparator(domain), termsFields(terms)], 4),
    ),
  )
}

export function setupStatement(domain: Domain, terms: Terms, proposer: Address): Uint8Array {
  return typedStatement(domain, 'Setup', [hashWord(sidOf(domain, terms)), addressWord(proposer)])
}

export function encodeSetup(setup: Setup): Uint8Array {
  return encodeMessage('setup', [
    termsFields(setup.terms),
    list(
      setup.records.map((record) => concatBytes(u64(record.sequence), counted(record.signature))),
    ),
    addressBytes(setup.proposer),
    counted(setup.signature),
  ])
}

/** Format only; see {@link verifySetup}. @throws PEER_UNAUTHENTICATED */
export function parseSetup(bytes: Uint8Array): Setup {
  return decodeMessage('setup', bytes, 32_768, refuse, (reader) => {
    const terms = readTerms(reader, refuse)
    const records = reader.list(MAX_MEMBERS, (item) => ({
      sequence: item.u64(),
      signature: item.counted(MAX_SIGNATURE_BYTES),
    }))
    if (records.length !== terms.members.length) throw refuse('one key record per member')
    return {
      terms,
      records,
      proposer: reader.address(),
      signature: reader.counted(MAX_SIGNATURE_BYTES),
    }
  })
}

/**
 * Whether the set at the proposed block, the key records and the proposer's signature hold.
 * The caller has looked up `operators` at `setup.terms.configBlock` and checks epoch, prev and the block's age itself.
 * @throws PEER_UNAUTHENTICATED
 */
export function verifySetup(
  domain: Domain,
  setup: Setup,
  operators: readonly OperatorInfo[],
): void {
  const { terms } = setup
  const byAddress = remainingOperators(domain, terms, operators)
  if (byAddress === undefined)
    throw refuse('members are not the operator set of that block without those that leave')
  const proposer = byAddress.get(setup.proposer)
  if (
    proposer === undefined ||
    !isSignedBy(proposer, setupStatement(domain, terms, setup.proposer), setup.signature)
  )
    throw refuse('not signed by a member')
  terms.members.forEach((member, i) => {
    const operator = byAddress.get(member.address)
    const record = setup.records[i]
    if (isAbsent(member) && record?.signature.length === 0 && record.sequence === 0) return
    if (
      operator === undefined ||
      record === undefined ||
      !isEncryptionKeyOf(domain, operator, {
        operator: member.address,
        encryptionKey: member.encryptionKey,
        ...record,
      })
    )
      throw refuse(`encryption key of ${member.address} is none that it signed`)
  })
}

/** Keyed by lower-case address, the form that decoded messages have. */
export function operatorsByAddress(
  operators: readonly OperatorInfo[],
): ReadonlyMap<Address, OperatorInfo> {
  return new Map(operators.map((operator) => [operator.address.toLowerCase() as Address, operator]))
}
