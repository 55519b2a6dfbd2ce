/**
 * Leaving the operator set without hurting clients (docs/protocol.md, Epochs: a leave is dealt out first).
 *
 * An operator that wants to go signs a Leave while it is still registered. Setups honour it: the members of an epoch
 * are the chain's operator set without those whose Leave the terms carry. The leaving operator still deals, so the key moves to the
 * others; once that output is active it deregisters on chain, which then changes nothing for anybody.
 *
 * The records travel inside terms and outputs, so whoever verifies a certificate sees from chain and body alone why a registered operator
 * is no member. A Leave holds until its `notAfter`: it cannot be used years later against an operator that came back.
 * @module
 */
import { concatBytes } from '../bytes.ts'
import type { Address, OperatorInfo } from '../chain/types.ts'
import { EigenxError } from '../errors.ts'
import {
  addressBytes,
  counted,
  decodeMessage,
  encodeMessage,
  isSorted,
  MAX_SIGNATURE_BYTES,
  type Reader,
  u64,
} from './codec.ts'
import { addressWord, isSignedBy, numberWord, typedStatement } from './digest.ts'
import type { Domain, Leave, Terms } from './types.ts'

/** A Leave that ends later than this after the block that it is judged at does not count. */
export const MAX_LEAVE_SECONDS = 7 * 86_400

export function leaveStatement(domain: Domain, leave: Omit<Leave, 'signature'>): Uint8Array {
  return typedStatement(domain, 'Leave', [addressWord(leave.operator), numberWord(leave.notAfter)])
}

/** The fields of a leave as they stand in terms and in its own message. */
export function leaveFields(leave: Leave): Uint8Array {
  return concatBytes(addressBytes(leave.operator), u64(leave.notAfter), counted(leave.signature))
}

export function readLeave(reader: Reader): Leave {
  return {
    operator: reader.address(),
    notAfter: reader.u64(),
    signature: reader.counted(MAX_SIGNATURE_BYTES),
  }
}

export function encodeLeave(leave: Leave): Uint8Array {
  return encodeMessage('leave', [leaveFields(leave)])
}

/** Format only; see {@link isLeaveOf}. @throws PEER_UNAUTHENTICATED */
export function parseLeave(bytes: Uint8Array): Leave {
  const refuse = (reason: string) =>
    new EigenxError({
      code: 'PEER_UNAUTHENTICATED',
      message: `The message is not a valid leave of an operator: ${reason}.`,
      stage: 'protocol',
      details: { reason },
    })
  return decodeMessage('leave', bytes, 512, refuse, readLeave)
}

/** @param seconds - The time to judge it at: a block's, Unix seconds. */
export function isLeaveOf(
  domain: Domain,
  operator: OperatorInfo,
  leave: Leave,
  seconds: number,
): boolean {
  return (
    leave.operator === operator.address.toLowerCase() &&
    leave.notAfter >= seconds &&
    leave.notAfter <= seconds + MAX_LEAVE_SECONDS &&
    isSignedBy(operator, leaveStatement(domain, leave), leave.signature)
  )
}

/**
 * The operators that are left when those go who signed a Leave.
 * @param operators - The set at the terms' config block.
 * @returns `undefined` when a leave does not hold, or when `terms.members` are not exactly the others.
 */
export function remainingOperators(
  domain: Domain,
  terms: Pick<Terms, 'leaves' | 'members' | 'configBlock'>,
  operators: readonly OperatorInfo[],
): ReadonlyMap<Address, OperatorInfo> | undefined {
  const { leaves, members, configBlock } = terms
  const remaining = new Map(
    operators.map((operator) => [operator.address.toLowerCase() as Address, operator]),
  )
  if (!isSorted(leaves.map((leave) => leave.operator))) return undefined
  for (const leave of leaves) {
    const operator = remaining.get(leave.operator)
    if (operator === undefined || !isLeaveOf(domain, operator, leave, configBlock.timestamp))
      return undefined
    remaining.delete(leave.operator)
  }
  const fits =
    remaining.size === members.length && members.every((member) => remaining.has(member.address))
  return fits ? remaining : undefined
}
