/** Which changes of members others make an epoch for at once. */
import { describe, expect, it } from 'vitest'
import {
  CHANGE_SECONDS,
  changesAfter,
  changesWithout,
  isUrgent,
} from '../../../sdk/protocol/changes.ts'
import { NO_ENCRYPTION_KEY } from '../../../sdk/protocol/terms.ts'
import type { Terms } from '../../../sdk/protocol/types.ts'

type Config = Pick<Terms, 'members' | 'leaves'>

const A = `0x${'aa'.repeat(20)}` as const
const B = `0x${'bb'.repeat(20)}` as const
const AT = 1_000_000

const key = (byte: number) => new Uint8Array(32).fill(byte)
/** The keys of A and B by a byte; 0: none, `undefined`: no member. */
const set = (a: number | undefined, b: number | undefined, ...leaving: (typeof A)[]): Config => ({
  members: [
    ...(a === undefined
      ? []
      : [{ address: A, encryptionKey: a === 0 ? NO_ENCRYPTION_KEY : key(a) }]),
    ...(b === undefined
      ? []
      : [{ address: B, encryptionKey: b === 0 ? NO_ENCRYPTION_KEY : key(b) }]),
  ],
  leaves: leaving.map((operator) => ({
    operator,
    notAfter: AT + 100,
    signature: new Uint8Array(65),
  })),
})

describe('what an output changes by the word of an operator alone', () => {
  it.each<[string, Config, Config, string[]]>([
    ['nothing', set(1, 2), set(1, 2), []],
    ['a key', set(1, 2), set(3, 2), [A]],
    ['a member that goes with a leave', set(1, 2), set(undefined, 2, A), [A]],
    ['not one that the chain took out', set(1, 2), set(undefined, 2), []],
    ['not one that joins', set(undefined, 2), set(1, 2), []],
    ['not one that was away', set(0, 2), set(1, 2), []],
  ])('%s', (_name, before, after, expected) => {
    expect(changesAfter([], before, after, AT).map(([operator]) => operator)).toEqual(expected)
  })

  it('is remembered for an hour, and not at all when the output is voided', () => {
    const first = changesAfter([], set(1, 2), set(3, 2), AT)
    const second = changesAfter(first, set(3, 2), set(3, 4), AT + 60)
    expect(second).toEqual([
      [A, AT],
      [B, AT + 60],
    ])
    expect(changesWithout(second, AT + 60)).toEqual([[A, AT]])
    const later = changesAfter(second, set(3, 4), set(3, 4), AT + CHANGE_SECONDS)
    expect(later).toEqual([[B, AT + 60]])
  })

  it('counts on when a later output of the same operator is voided, and is remembered twice at most', () => {
    const first = changesAfter([], set(1, 2), set(3, 2), AT)
    const second = changesAfter(first, set(3, 2), set(4, 2), AT + 60)
    const third = changesAfter(second, set(4, 2), set(5, 2), AT + 120)
    expect(third).toEqual([
      [A, AT + 60],
      [A, AT + 120],
    ])
    const voided = changesWithout(third, AT + 120)
    expect(isUrgent(voided, set(4, 2), set(5, 2), AT + 59 + CHANGE_SECONDS)).toBe(false)
    expect(isUrgent(voided, set(4, 2), set(5, 2), AT + 60 + CHANGE_SECONDS)).toBe(true)
  })
})

describe('the next epoch', () => {
  it.each<[string, Config, Config, fresh: boolean, soon: boolean]>([
    ['with nothing new', set(1, 2), set(1, 2), false, false],
    ['with a new key', set(1, 2), set(3, 2), true, false],
    ['without one that announced its leave', set(1, 2), set(undefined, 2, A), true, false],
    ['with one that is back from a leave', set(undefined, 2), set(1, 2), true, false],
    ['without one that the chain took out', set(1, 2), set(undefined, 2), true, true],
    ['with one that was away', set(0, 2), set(1, 2), true, true],
    ['with the new key of another', set(1, 2), set(1, 3), true, true],
    ['without the key of one that is away', set(1, 2), set(0, 2), false, false],
  ])('%s', (_name, before, coming, fresh, soon) => {
    const changed = [[A, AT]] as const
    expect(isUrgent([], before, coming, AT)).toBe(fresh)
    expect(isUrgent(changed, before, coming, AT + CHANGE_SECONDS - 1)).toBe(soon)
    expect(isUrgent(changed, before, coming, AT + CHANGE_SECONDS)).toBe(fresh)
  })
})
