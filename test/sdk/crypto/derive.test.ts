import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { bytesToHex } from '../../../sdk/bytes.ts'
import {
  deriveKey,
  deriveKeyPair,
  type KeyAlgorithm,
  type KeyLabel,
} from '../../../sdk/crypto/derive.ts'
import { DERIVATIONS } from '../../../sdk/crypto/labels.ts'
import { deriveMnemonic, isMnemonic } from '../../../sdk/crypto/mnemonic.ts'
import { hex, readCases } from './vectors.ts'

type PairCase = {
  name: string
  appKey: string
  scope: string
  algorithm: KeyAlgorithm
  path: string
  expect: { privateKey: string; publicKey?: string }
}
type LabelCase = KeyLabel & { name: string; appKey: string; length: number; expect: string }
type MnemonicCase = {
  name: string
  appKey: string
  words: 12 | 24
  scope: string
  expect: string
}

const appKey = hex(readCases<PairCase>('derivation/key-pairs.json')[0]?.appKey ?? '')
const refused = (path: string) =>
  expect.objectContaining({ code: 'REQUEST_INVALID', details: { path } })

describe('published answers', () => {
  test.each(readCases<PairCase>('derivation/key-pairs.json'))('$name', (entry) => {
    const pair = deriveKeyPair(hex(entry.appKey), entry)
    expect(bytesToHex(pair.privateKey)).toBe(entry.expect.privateKey)
    expect(pair.publicKey && bytesToHex(pair.publicKey)).toBe(entry.expect.publicKey)
  })

  test.each(readCases<LabelCase>('derivation/raw-labels.json'))('$name', (entry) => {
    const key = deriveKey(hex(entry.appKey), entry, entry.length)
    expect(bytesToHex(key)).toBe(entry.expect)
  })

  test.each(readCases<MnemonicCase>('derivation/mnemonic.json'))('$name', (entry) => {
    const { words, scope } = entry
    const mnemonic = deriveMnemonic(hex(entry.appKey), { words, scope })
    expect(mnemonic).toBe(entry.expect)
    expect(isMnemonic(mnemonic)).toBe(true)
  })

  test('the mnemonic is 24 words of the whole app unless something else is asked for', () => {
    const [first] = readCases<MnemonicCase>('derivation/mnemonic.json')
    expect(deriveMnemonic(hex(first?.appKey ?? ''))).toBe(first?.expect)
  })

  test('every algorithm of the registry has an answer', () => {
    const covered = new Set(
      readCases<PairCase>('derivation/key-pairs.json').map(({ algorithm }) => algorithm),
    )
    expect([...covered].sort()).toEqual(['ed25519', 'p256', 'raw', 'secp256k1', 'x25519'])
    for (const algorithm of covered) expect(DERIVATIONS[algorithm].purpose).toBe('key-pair')
  })
})

describe('labels', () => {
  const field = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  const label = fc.record({
    scope: fc.constantFrom('app', 'release:a', 'instance:a'),
    algorithm: field,
    purpose: field,
    path: field,
  })

  prop.prop([label, label])('different labels give different keys', (a, b) => {
    const same = JSON.stringify(a) === JSON.stringify(b)
    const equal = bytesToHex(deriveKey(appKey, a, 32)) === bytesToHex(deriveKey(appKey, b, 32))
    expect(equal).toBe(same)
  })

  test('moving a character from one field to the next gives another key', () => {
    const base = { scope: 'app', algorithm: 'raw', purpose: 'ab', path: 'c' }
    const moved = { scope: 'app', algorithm: 'raw', purpose: 'a', path: 'bc' }
    expect(deriveKey(appKey, base, 32)).not.toEqual(deriveKey(appKey, moved, 32))
  })

  test('mnemonics of 12 and of 24 words share no beginning', () => {
    const long = deriveMnemonic(appKey, { words: 24 }).split(' ')
    expect(deriveMnemonic(appKey, { words: 12 }).split(' ').slice(0, 3)).not.toEqual(
      long.slice(0, 3),
    )
  })

  test.each(['', 'App', 'release:', 'release', 'instance:a b', 'app\n', 'tenant:x'])(
    'the scope %j is refused',
    (scope) => {
      expect(() => deriveKeyPair(appKey, { scope, algorithm: 'raw', path: 'x' })).toThrow(
        refused('scope'),
      )
    },
  )

  test.each(['', 'x'.repeat(1025), 'é'.repeat(513), '\ud800', 'a\udc00b'])(
    'a path that is empty, too long or not well formed is refused',
    (path) => {
      expect(() => deriveKeyPair(appKey, { algorithm: 'ed25519', path })).toThrow(refused('path'))
    },
  )

  test('lengths outside HKDF and app keys of another size are programming errors', () => {
    const some = { scope: 'app', algorithm: 'a', purpose: 'b', path: 'c' }
    for (const length of [0, -1, 8161, 1.5])
      expect(() => deriveKey(appKey, some, length)).toThrow(RangeError)
    expect(() => deriveKey(appKey.slice(1), some, 32)).toThrow(RangeError)
    expect(deriveKey(appKey, some, 8160)).toHaveLength(8160)
  })
})

describe('mnemonics', () => {
  test.each(['', 'test', 'test test test test test test test test test test test test', 'x'])(
    '%j is none',
    (text) => {
      expect(isMnemonic(text)).toBe(false)
    },
  )
})
