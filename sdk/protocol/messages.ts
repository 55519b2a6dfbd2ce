/**
 * The small messages of a session: acknowledgements, a candidate, a signature over a candidate. Each is signed under
 * its own struct type and bound to the session.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, toHex } from '../bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../chain/types.ts'
import { EigenxError } from '../errors.ts'
import {
  addressBytes,
  counted,
  decodeMessage,
  encodeMessage,
  hashBytes,
  isSorted,
  list,
  MAX_MEMBERS,
  MAX_SIGNATURE_BYTES,
} from './codec.ts'
import { addressWord, hashWord, isSignedBy, typedStatement } from './digest.ts'
import type { Domain } from './types.ts'

/**
 * "I hold these dealings, and my share in each is good." Cumulative: a later message lists all of
 * the earlier ones and more.
 */
export type Acks = {
  sid: Hash32
  recipient: Address
  /** Sorted by dealer. */
  dealings: readonly { dealer: Address; hash: Hash32 }[]
  signature: Uint8Array
}

/** A proposed output, signed against spam; its worth is in the certificate it may get. */
export type Candidate = {
  sid: Hash32
  proposer: Address
  /** Encoded output. */
  output: Uint8Array
  signature: Uint8Array
}

/** One member's part of a certificate. */
export type OutputSignature = {
  sid: Hash32
  output: Hash32
  operator: Address
  signature: Uint8Array
}

export const MAX_OUTPUT_BYTES = 24_576

const refuse = (reason: string): EigenxError<'PEER_UNAUTHENTICATED'> =>
  new EigenxError({
    code: 'PEER_UNAUTHENTICATED',
    message: `The message is not a valid message of an operator: ${reason}.`,
    stage: 'protocol',
    details: { reason },
  })

function dealingList(dealings: Acks['dealings']): Uint8Array {
  return list(
    dealings.map(({ dealer, hash }) => concatBytes(addressBytes(dealer), hashBytes(hash))),
  )
}

export function acksStatement(domain: Domain, acks: Omit<Acks, 'signature'>): Uint8Array {
  return typedStatement(domain, 'Acks', [
    hashWord(acks.sid),
    addressWord(acks.recipient),
    sha256(dealingList(acks.dealings)),
  ])
}

export function encodeAcks(acks: Acks): Uint8Array {
  return encodeMessage('acks', [
    hashBytes(acks.sid),
    addressBytes(acks.recipient),
    dealingList(acks.dealings),
    counted(acks.signature),
  ])
}

/** Format only. @throws PEER_UNAUTHENTICATED */
export function parseAcks(bytes: Uint8Array): Acks {
  return decodeMessage('acks', bytes, 8192, refuse, (reader) => {
    const acks = {
      sid: reader.hash(),
      recipient: reader.address(),
      dealings: reader.list(MAX_MEMBERS, (item) => ({
        dealer: item.address(),
        hash: item.hash(),
      })),
      signature: reader.counted(MAX_SIGNATURE_BYTES),
    }
    if (!isSorted(acks.dealings.map((entry) => entry.dealer))) throw refuse('dealings not sorted')
    return acks
  })
}

export function isAcksOf(domain: Domain, operator: OperatorInfo, acks: Acks): boolean {
  return isSignedBy(operator, acksStatement(domain, acks), acks.signature)
}

export function candidateStatement(
  domain: Domain,
  candidate: Omit<Candidate, 'signature'>,
): Uint8Array {
  return typedStatement(domain, 'Candidate', [
    hashWord(candidate.sid),
    addressWord(candidate.proposer),
    hashWord(toHex(sha256(candidate.output))),
  ])
}

export function encodeCandidate(candidate: Candidate): Uint8Array {
  return encodeMessage('candidate', [
    hashBytes(candidate.sid),
    addressBytes(candidate.proposer),
    counted(candidate.output),
    counted(candidate.signature),
  ])
}

/** Format only. @throws PEER_UNAUTHENTICATED */
export function parseCandidate(bytes: Uint8Array): Candidate {
  return decodeMessage('candidate', bytes, MAX_OUTPUT_BYTES + 512, refuse, (reader) => ({
    sid: reader.hash(),
    proposer: reader.address(),
    output: reader.counted(MAX_OUTPUT_BYTES),
    signature: reader.counted(MAX_SIGNATURE_BYTES),
  }))
}

export function isCandidateOf(
  domain: Domain,
  operator: OperatorInfo,
  candidate: Candidate,
): boolean {
  return isSignedBy(operator, candidateStatement(domain, candidate), candidate.signature)
}

/** What a certificate consists of signatures over. */
export function outputStatement(domain: Domain, sid: Hash32, output: Hash32): Uint8Array {
  return typedStatement(domain, 'Output', [hashWord(sid), hashWord(output)])
}

export function encodeSignature(signature: OutputSignature): Uint8Array {
  return encodeMessage('signature', [
    hashBytes(signature.sid),
    hashBytes(signature.output),
    addressBytes(signature.operator),
    counted(signature.signature),
  ])
}

/** Format only. @throws PEER_UNAUTHENTICATED */
export function parseSignature(bytes: Uint8Array): OutputSignature {
  return decodeMessage('signature', bytes, 512, refuse, (reader) => ({
    sid: reader.hash(),
    output: reader.hash(),
    operator: reader.address(),
    signature: reader.counted(MAX_SIGNATURE_BYTES),
  }))
}

export function isSignatureOf(
  domain: Domain,
  operator: OperatorInfo,
  signature: OutputSignature,
): boolean {
  return isSignedBy(
    operator,
    outputStatement(domain, signature.sid, signature.output),
    signature.signature,
  )
}
