import { describe, expect, it } from 'vitest'
import { signStatement } from '../../../sdk/protocol/digest.ts'
import {
  encodeLeave,
  isLeaveOf,
  leaveStatement,
  MAX_LEAVE_SECONDS,
  parseLeave,
  remainingOperators,
} from '../../../sdk/protocol/leave.ts'
import { sidOf } from '../../../sdk/protocol/terms.ts'
import type { Leave } from '../../../sdk/protocol/types.ts'
import { CONFIG_BLOCK, DOMAIN, GENESIS, INFOS, OPERATORS } from './kit.ts'

const NOW = CONFIG_BLOCK.timestamp
const operatorAt = (index: number) => {
  const operator = OPERATORS[index]
  if (operator === undefined) throw new RangeError('no such operator')
  return operator
}
const leaveOf = (index: number, notAfter = NOW + 100, signer = index, domain = DOMAIN): Leave => {
  const unsigned = { operator: operatorAt(index).address, notAfter }
  const signature = signStatement(operatorAt(signer).privateKey, leaveStatement(domain, unsigned))
  return { ...unsigned, signature }
}
const termsWithout = (gone: readonly number[], leaves: readonly Leave[]) => ({
  ...GENESIS,
  leaves,
  members: GENESIS.members.filter((_, i) => !gone.includes(i)),
})

describe('a leave', () => {
  it('survives its encoding and nothing shorter or longer does', () => {
    const bytes = encodeLeave(leaveOf(1))
    expect(parseLeave(bytes)).toEqual(leaveOf(1))
    for (const wrong of [bytes.slice(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array(600)])
      expect(() => parseLeave(wrong)).toThrow(
        expect.objectContaining({ code: 'PEER_UNAUTHENTICATED' }),
      )
  })

  it.each<[string, Leave, boolean]>([
    ['holds until its end', leaveOf(1, NOW), true],
    ['not after it', leaveOf(1, NOW - 1), false],
    ['not for ever', leaveOf(1, NOW + MAX_LEAVE_SECONDS + 1), false],
    ['not when another signed it', leaveOf(1, NOW + 100, 2), false],
    ['not in another set', leaveOf(1, NOW + 100, 1, { ...DOMAIN, operatorSetId: 9 }), false],
    ['not with another end', { ...leaveOf(1), notAfter: NOW + 101 }, false],
  ])('%s', (_name, leave, expected) => {
    expect(isLeaveOf(DOMAIN, operatorAt(1).info, leave, NOW)).toBe(expected)
  })

  it('names the operator that it is of', () => {
    expect(isLeaveOf(DOMAIN, operatorAt(2).info, leaveOf(1), NOW)).toBe(false)
  })
})

describe('the members of terms', () => {
  it('are the whole set, or the set without exactly those that leave', () => {
    expect(remainingOperators(DOMAIN, GENESIS, INFOS)?.size).toBe(INFOS.length)
    const without = remainingOperators(DOMAIN, termsWithout([1], [leaveOf(1)]), INFOS)
    expect([...(without?.keys() ?? [])]).not.toContain(operatorAt(1).address)
    expect(without?.size).toBe(INFOS.length - 1)
  })

  it.each<[string, ReturnType<typeof termsWithout>]>([
    ['one is missing that did not leave', termsWithout([1], [])],
    ['another is missing than the one that leaves', termsWithout([2], [leaveOf(1)])],
    ['one that leaves is there all the same', termsWithout([], [leaveOf(1)])],
    ['the leave is forged', termsWithout([1], [leaveOf(1, NOW + 100, 2)])],
    ['the leave is over', termsWithout([1], [leaveOf(1, NOW - 1)])],
    ['leaves are repeated', termsWithout([1], [leaveOf(1), leaveOf(1)])],
    ['leaves are not sorted', termsWithout([1, 2], [leaveOf(2), leaveOf(1)])],
  ])('are refused when %s', (_name, terms) => {
    expect(remainingOperators(DOMAIN, terms, INFOS)).toBeUndefined()
  })

  it('and their leaves are part of the session id', () => {
    const one = termsWithout([1], [leaveOf(1)])
    const two = termsWithout([1], [leaveOf(1, NOW + 50)])
    expect(sidOf(DOMAIN, one)).not.toBe(sidOf(DOMAIN, two))
  })
})
