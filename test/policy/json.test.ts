import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readStrictJson } from '../../policy/json.ts'

describe('strict JSON', () => {
  it('reads every value that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value)
        fc.pre(!/\\ud[89a-f]|\\u0000|e\+|\d{16}/i.test(text))
        const read = readStrictJson(text)
        expect(read.ok && JSON.stringify(read.value)).toBe(text)
      }),
      { numRuns: 500 },
    )
  })

  it('accepts nothing that JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[[\]{}",:0-9.eE+\-truefalsn \\/]{0,24}$/), (text) => {
        if (readStrictJson(text).ok) expect(() => JSON.parse(text)).not.toThrow()
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['a key twice', '{"a":1,"a":1}'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['a lone surrogate', '"\\ud800"'],
    ['NUL', '"\\u0000"'],
    ['a raw line feed in a string', '"a\nb"'],
    ['text behind the value', '{} {}'],
    ['a comment', '{} # x'],
    ['a trailing comma', '[1,]'],
    ['a single quote', "{'a':1}"],
    ['a number that no double holds', '9007199254740993'],
    ['an infinite number', '1e999'],
    ['a leading zero', '01'],
    ['a plus', '+1'],
    ['NaN', 'NaN'],
    ['a raw string', '`x`'],
    ['an expression', '{"a": data.x}'],
    ['a comprehension', '[x | x := 1]'],
    ['a byte order mark', '\ufeff{}'],
    ['a no-break space', '\u00a0{}'],
    ['nothing', ''],
    ['an open string', '"'],
    ['an unknown escape', '"\\x"'],
  ])('refuses %s', (_, text) => {
    expect(readStrictJson(text).ok).toBe(false)
  })

  it('bounds depth and number of values, and does not overflow the stack', () => {
    expect(readStrictJson('['.repeat(32) + ']'.repeat(32)).ok).toBe(true)
    expect(readStrictJson('['.repeat(33) + ']'.repeat(33))).toMatchObject({
      reason: 'nested too deeply',
    })
    expect(readStrictJson('['.repeat(1_000_000)).ok).toBe(false)
    expect(readStrictJson(`[${'1,'.repeat(200_000)}1]`)).toMatchObject({
      reason: 'too many values',
    })
    expect(readStrictJson(`"${'a'.repeat(1_000_000)}"`).ok).toBe(true)
  })

  it('keeps keys that objects usually inherit as plain keys', () => {
    const read = readStrictJson('{"__proto__":{"x":1},"constructor":2}')
    expect(read.ok && JSON.stringify(read.value)).toBe('{"__proto__":{"x":1},"constructor":2}')
    expect(Reflect.get({}, 'x')).toBeUndefined()
  })
})
