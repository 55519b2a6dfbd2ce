import { describe, expect, it } from 'vitest'
import { malformed } from '../../sdk/attest/checks.ts'
import { count, countFlips, createRow } from './tally.ts'

const refuse = () => {
  throw malformed('field', 'text')
}

describe('an answer', () => {
  it.each([
    ['accepted as it should be', () => 1, undefined, { accepted: 1, wrong: 0 }],
    ['accepted where a refusal was due', () => 1, {}, { accepted: 1, wrong: 1 }],
    ['refused for the right reason', refuse, { field: 'field' }, { refused: 1, wrong: 0 }],
    ['refused for another reason', refuse, { field: 'other' }, { refused: 1, wrong: 1 }],
    ['refused where it should be accepted', refuse, undefined, { refused: 1, wrong: 1 }],
    [
      'a crash instead of a refusal',
      () => {
        throw new TypeError('crash')
      },
      {},
      { refused: 1, wrong: 1 },
    ],
  ])('%s', (_name, verify, expected, counted) => {
    const row = createRow('one')
    count(row, verify, expected)
    expect(row).toMatchObject(counted)
  })

  it('of a flip is wrong for each survivor', () => {
    const row = createRow('flips')
    countFlips(row, 4, [])
    countFlips(row, 2, [3, 9])
    expect(row).toMatchObject({ flipped: 48, wrong: 2 })
  })
})
