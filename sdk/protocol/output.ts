/**
 * Outputs and certified bodies: what an epoch produces, what the log carries, and how anybody checks it.
 *
 * Three separate questions, three functions:
 * - `verifyOutput`: do the public shares and the master public key belong together? (exact degree, value at 0)
 * - `verifyCertificate`: did a threshold of the members sign exactly this output?
 * - `verifyCertifiedBody`: both, for the operator set that the chain names at the output's block.
 * Whether an output is the current one is a question to the log (`log.ts`).
 * @module
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { randomBytes } from '@noble/hashes/utils.js'
import { concatBytes, equalBytes, frame, toHex, utf8ToBytes } from '../bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../chain/types.ts'
import { G2_BYTES, operatorX, parseG2, type Rng, serializeG2, thresholdOf } from '../crypto/bls.ts'
import { interpolateAtZeroG2, passesDegreeTest } from '../crypto/shamir.ts'
import { EigenxError, isEigenxError } from '../errors.ts'
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
  u64,
} from './codec.ts'
import { domainSeparator, isSignedBy } from './digest.ts'
import { remainingOperators } from './leave.ts'
import { MAX_OUTPUT_BYTES, outputStatement } from './messages.ts'
import { isOrigin, readTerms, sidOf, termsFields } from './terms.ts'
import type { Certificate, CertifiedOutput, Domain, Output } from './types.ts'

const MAX_CERTIFIED_BYTES = MAX_OUTPUT_BYTES + MAX_MEMBERS * (MAX_SIGNATURE_BYTES + 22) + 16

export function candidateInvalid(reason: string): EigenxError<'CANDIDATE_INVALID'> {
  return new EigenxError({
    code: 'CANDIDATE_INVALID',
    message: `The output of the epoch does not hold: ${reason}.`,
    stage: 'protocol',
    details: { reason },
  })
}

function certificateInvalid(reason: string): EigenxError<'CERTIFICATE_INVALID'> {
  return new EigenxError({
    code: 'CERTIFICATE_INVALID',
    message: `The certificate does not hold: ${reason}.`,
    stage: 'protocol',
    details: { reason },
  })
}

function outputFields(output: Output): Uint8Array {
  return concatBytes(
    termsFields(output),
    list(
      output.dealings.map(({ dealer, hash }) => concatBytes(addressBytes(dealer), hashBytes(hash))),
    ),
    list(output.publicShares.map((share) => fixed(share, G2_BYTES))),
    fixed(output.mpk, G2_BYTES),
    u64(output.postBy),
    u64(output.vetoBy),
    u64(output.activateAt),
  )
}

function readOutput(reader: Reader): Output {
  const terms = readTerms(reader, candidateInvalid)
  const dealings = reader.list(MAX_MEMBERS, (item) => ({
    dealer: item.address(),
    hash: item.hash(),
  }))
  const output = {
    ...terms,
    dealings,
    publicShares: reader.list(MAX_MEMBERS, (item) => item.bytes(G2_BYTES)),
    mpk: reader.bytes(G2_BYTES),
    postBy: reader.u64(),
    vetoBy: reader.u64(),
    activateAt: reader.u64(),
  }
  if (dealings.length === 0 || !isSorted(dealings.map((entry) => entry.dealer)))
    throw candidateInvalid('dealings not sorted')
  if (output.publicShares.length !== terms.members.length)
    throw candidateInvalid('one public share per member')
  return output
}

export function encodeOutput(output: Output): Uint8Array {
  return encodeMessage('output', [outputFields(output)])
}

/** Format only. @throws CANDIDATE_INVALID */
export function parseOutput(bytes: Uint8Array): Output {
  return decodeMessage('output', bytes, MAX_OUTPUT_BYTES, candidateInvalid, readOutput)
}

/** Names an output within its operator set. */
export function outputHash(domain: Domain, output: Output): Hash32 {
  const label = utf8ToBytes('eigenx-tee/output/v1')
  return toHex(sha256(frame([label, domainSeparator(domain), outputFields(output)], 4)))
}

/** For per-partial checks in `recombine`. Keys are lower-case addresses. */
export function publicSharesOf(output: Output): ReadonlyMap<Address, Uint8Array> {
  return new Map(
    output.members.map((member, i) => [member.address, output.publicShares[i] as Uint8Array]),
  )
}

/**
 * The table is the table of one polynomial of degree threshold - 1 whose value at 0 is the master public key.
 * @param rng - Not predictable by whoever made the output.
 * @throws CANDIDATE_INVALID
 */
export function verifyOutput(output: Output, rng: Rng = randomBytes): void {
  const { members, threshold } = output
  if (threshold !== thresholdOf(members.length)) throw candidateInvalid('wrong threshold')
  try {
    parseG2(output.mpk)
    const xs = members.map((member) => operatorX(member.address))
    const points = output.publicShares.map((share) => parseG2(share))
    if (!passesDegreeTest(xs, points, threshold, rng)) throw candidateInvalid('wrong degree')
    const atZero = interpolateAtZeroG2(xs.slice(0, threshold), points.slice(0, threshold))
    if (!equalBytes(serializeG2(atZero), output.mpk))
      throw candidateInvalid('the public shares belong to another master public key')
  } catch (error) {
    if (isEigenxError(error, 'POINT_INVALID') || isEigenxError(error, 'SHARE_INVALID'))
      throw candidateInvalid('a point or coordinate is not valid')
    throw error
  }
}

export function encodeCertifiedBody(certified: Omit<CertifiedOutput, 'hash'>): Uint8Array {
  return encodeMessage('certified', [
    outputFields(certified.output),
    list(
      certified.certificate.signatures.map(({ operator, signature }) =>
        concatBytes(addressBytes(operator), counted(signature)),
      ),
    ),
  ])
}

/** Format only. @throws CANDIDATE_INVALID, CERTIFICATE_INVALID */
export function parseCertifiedBody(bytes: Uint8Array): Omit<CertifiedOutput, 'hash'> {
  return decodeMessage('certified', bytes, MAX_CERTIFIED_BYTES, certificateInvalid, (reader) => {
    const output = readOutput(reader)
    const signatures = reader.list(MAX_MEMBERS, (item) => ({
      operator: item.address(),
      signature: item.counted(MAX_SIGNATURE_BYTES),
    }))
    if (!isSorted(signatures.map((entry) => entry.operator)))
      throw certificateInvalid('signatures not sorted')
    return { output, certificate: { signatures } }
  })
}

/**
 * @param operators - The operator set at `output.configBlock`.
 * @throws CERTIFICATE_INVALID
 */
export function verifyCertificate(
  input: { domain: Domain; output: Output; certificate: Certificate },
  operators: readonly OperatorInfo[],
): void {
  const { domain, output, certificate } = input
  const byAddress = remainingOperators(domain, output, operators)
  if (byAddress === undefined)
    throw certificateInvalid('the members are not the operator set without those that leave')
  if (output.threshold !== thresholdOf(output.members.length))
    throw certificateInvalid('wrong threshold')
  if (certificate.signatures.length < output.threshold)
    throw certificateInvalid('fewer signatures than the threshold')
  const statement = outputStatement(domain, sidOf(domain, output), outputHash(domain, output))
  for (const { operator, signature } of certificate.signatures) {
    const info = byAddress.get(operator)
    if (info === undefined || !isSignedBy(info, statement, signature))
      throw certificateInvalid(`no valid signature of ${operator}`)
  }
}

/**
 * @param input.members - The operator set at the output's `configBlock` (read it with `parseCertifiedBody`
 *   first). Another set is refused, so an output over a chosen few never passes.
 * @throws CERTIFICATE_INVALID, CANDIDATE_INVALID
 */
export function verifyCertifiedBody(input: {
  body: Uint8Array
  domain: Domain
  members: readonly OperatorInfo[]
}): CertifiedOutput {
  const { output, certificate } = parseCertifiedBody(input.body)
  verifyCertificate({ domain: input.domain, output, certificate }, input.members)
  if (isOrigin(output) && output.dealings.length < output.threshold)
    throw candidateInvalid('too few dealings')
  verifyOutput(output)
  return { output, hash: outputHash(input.domain, output), certificate }
}
