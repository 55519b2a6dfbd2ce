/**
 * A complaint: a recipient's public proof that a dealing holds no good share for it.
 *
 * The recipient publishes D = sk·R, the Diffie-Hellman value of this one dealing, with a proof that D belongs to its encryption key.
 * Anybody derives the share key from D, opens the ciphertext and compares the share with the commitment: no
 * answer from the dealer is needed, and a false complaint convicts nobody. The dealing travels with it, so judging needs no fetch
 * and is a pure function of the bytes and the epoch's terms. What becomes public is this one dealt share, nothing else.
 * @module
 */

import { concatBytes } from '../bytes.ts'
import type { Address } from '../chain/types.ts'
import { operatorX, parseG2 } from '../crypto/bls.ts'
import { shareMatchesCommitment } from '../crypto/shamir.ts'
import { EigenxError, isEigenxError } from '../errors.ts'
import { addressBytes, counted, decodeMessage, encodeMessage, fixed, hashBytes } from './codec.ts'
import { blobHash, type Dealing, MAX_DEALING_BYTES, openShare, parseDealing } from './dealing.ts'
import {
  diffieHellman,
  isRistrettoPoint,
  PROOF_BYTES,
  proveSameSecret,
  RISTRETTO_BYTES,
  verifySameSecret,
} from './ristretto.ts'
import { sidOf } from './terms.ts'
import type { Domain, Terms } from './types.ts'

const MAX_COMPLAINT_BYTES = MAX_DEALING_BYTES + 256

export type Complaint = {
  recipient: Address
  /** sk·R, 32 bytes. */
  shared: Uint8Array
  proof: Uint8Array
  /** The accused dealing's bytes. */
  dealing: Uint8Array
}

function complaintInvalid(reason: string): EigenxError<'COMPLAINT_INVALID'> {
  return new EigenxError({
    code: 'COMPLAINT_INVALID',
    message: `The complaint proves nothing: ${reason}.`,
    stage: 'protocol',
    details: { reason },
  })
}

/**
 * @param nonce - A fresh secret ristretto scalar.
 * @returns `undefined` when the dealing's ephemeral is no point: every recipient sees that fault without help.
 */
export function makeComplaint(
  input: { recipient: Address; secret: bigint; dealing: Dealing; bytes: Uint8Array },
  nonce: bigint,
): Complaint | undefined {
  const { recipient, secret, dealing, bytes } = input
  const shared = diffieHellman(secret, dealing.ephemeral)
  if (shared === undefined) return undefined
  const context = complaintContext(dealing, recipient)
  const proof = proveSameSecret({ secret, point: dealing.ephemeral, shared, context }, nonce)
  return { recipient, shared, proof, dealing: bytes }
}

export function encodeComplaint(complaint: Complaint): Uint8Array {
  return encodeMessage('complaint', [
    addressBytes(complaint.recipient),
    fixed(complaint.shared, RISTRETTO_BYTES),
    fixed(complaint.proof, PROOF_BYTES),
    counted(complaint.dealing),
  ])
}

/** Format only. @throws COMPLAINT_INVALID */
export function parseComplaint(bytes: Uint8Array): Complaint {
  return decodeMessage('complaint', bytes, MAX_COMPLAINT_BYTES, complaintInvalid, (reader) => ({
    recipient: reader.address(),
    shared: reader.bytes(RISTRETTO_BYTES),
    proof: reader.bytes(PROOF_BYTES),
    dealing: reader.counted(MAX_DEALING_BYTES),
  }))
}

/** The accused dealing, as far as format goes. @throws COMPLAINT_INVALID */
export function accusedDealing(complaint: Complaint): { dealing: Dealing; hash: `0x${string}` } {
  try {
    return { dealing: parseDealing(complaint.dealing), hash: blobHash(complaint.dealing) }
  } catch (cause) {
    if (isEigenxError(cause, 'DEALING_INVALID')) throw complaintInvalid('no dealing in it')
    throw cause
  }
}

/**
 * Returns when the complaint is right: the dealing gives its recipient no share that fits.
 * Whether the dealer signed that dealing, or an output names it, is for the caller to know.
 * @throws COMPLAINT_INVALID when it is false or malformed.
 */
export function verifyComplaint(domain: Domain, terms: Terms, complaint: Complaint): void {
  const share = dealtShare(domain, terms, complaint)
  if (share === undefined) return
  if (fitsCommitment(accusedDealing(complaint).dealing, share, complaint.recipient))
    throw complaintInvalid('the share is good')
}

/**
 * The first part of {@link verifyComplaint}, which costs little: that the recipient itself complains, and what it was dealt.
 * @returns The share: the complaint is right unless it fits the dealing's commitment. `undefined` when none comes out: then it is right.
 * @throws COMPLAINT_INVALID
 */
export function dealtShare(domain: Domain, terms: Terms, complaint: Complaint): bigint | undefined {
  const { dealing } = accusedDealing(complaint)
  if (dealing.sid !== sidOf(domain, terms)) throw complaintInvalid('another session')
  const index = terms.members.findIndex((member) => member.address === complaint.recipient)
  const member = terms.members[index]
  if (member === undefined) throw complaintInvalid('not from a member')
  if (!isRistrettoPoint(dealing.ephemeral)) return undefined
  const proven = verifySameSecret(
    {
      publicKey: member.encryptionKey,
      point: dealing.ephemeral,
      shared: complaint.shared,
      context: complaintContext(dealing, complaint.recipient),
    },
    complaint.proof,
  )
  if (!proven) throw complaintInvalid('the Diffie-Hellman value is not proven')
  const sealed = dealing.shares[index]
  const { sid, dealer } = dealing
  const route = { sid, dealer, recipient: complaint.recipient }
  return sealed === undefined ? undefined : openShare(complaint.shared, route, sealed)
}

function fitsCommitment(dealing: Dealing, share: bigint, recipient: Address): boolean {
  try {
    const points = dealing.commitment.map((point) => parseG2(point))
    return shareMatchesCommitment(share, operatorX(recipient), points)
  } catch (error) {
    // A commitment that is no list of points matches nothing.
    if (isEigenxError(error, 'POINT_INVALID')) return false
    throw error
  }
}

function complaintContext(dealing: Dealing, recipient: Address): Uint8Array {
  return concatBytes(hashBytes(dealing.sid), addressBytes(dealing.dealer), addressBytes(recipient))
}
