/** The limits that stand before the YAML library; what a manifest means is in prepare.test.ts. */
import { describe, expect, it } from 'vitest'
import { Composer } from 'yaml'
import { readYaml } from '../../policy/pod-yaml.ts'

const read = (text: string) => readYaml(text, (why) => new Error(why))

describe('the YAML of a pod', () => {
  it('is read as it is written, document by document', () => {
    expect(read('')).toEqual([])
    expect(read('a: [1, "b", {c: null}]\n---\n- &x d\n- *x\n')).toEqual([
      { a: [1, 'b', { c: null }] },
      ['d', 'd'],
    ])
    expect(read('a: !unknown b')).toEqual([{ a: 'b' }])
  })

  it.each([
    ['an open flow', '['.repeat(60_000)],
    ['closed flows', `${'{'.repeat(5000)}${'}'.repeat(5000)}`],
    ['lists in one line', '- '.repeat(5000)],
    ['keys in one line', '? '.repeat(5000)],
    ['indentation', Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')],
  ])('is refused before the stack ends where %s nest it', (_name, text) => {
    expect(() => read(text)).toThrow('nested')
  })

  it('may be nested deeper than any pod', () => {
    expect(read(`${'['.repeat(40)}${']'.repeat(40)}`)).toHaveLength(1)
  })

  it.each([
    ['characters', '#'.repeat(256 * 1024 + 1)],
    ['tokens', '- a\n'.repeat(5000)],
    ['documents', '---\n'.repeat(10_000)],
  ])('has a limit of %s', (_name, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'INPUT_TOO_LARGE' }))
  })

  it.each([
    ['brackets that nothing opened', ']'.repeat(16_000)],
    ['commas alone', `[${','.repeat(16_000)}]`],
    ['one key twice', 'a: 1\n"a": 2'],
    ['a number and a text as one key', '1: a\n"1": b'],
    ['an error in the second document', 'a: 1\n---\n}'],
  ])('with %s is malformed', (_name, text) => {
    expect(() => read(text)).toThrow('malformed')
  })

  it('may not repeat its anchors without end', () => {
    const bomb = Array.from({ length: 12 }, (_, i) =>
      i === 0
        ? 'a0: &a0 [x]'
        : `a${i}: &a${i} [${Array(9)
            .fill(`*a${i - 1}`)
            .join(',')}]`,
    ).join('\n')
    expect(() => read(bomb)).toThrow('anchors')
  })

  it('ends at its first error: the library still tells errors where this project listens', () => {
    expect(new Composer()).toHaveProperty('onError', expect.any(Function))
  })
})
