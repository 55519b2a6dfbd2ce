/**
 * What a fuzz target is, and the ways to judge what a parser made of bytes.
 *
 * A target may refuse with an EigenxError (or `undefined`, where that is the parser's refusal). Anything else that is thrown is
 * a crash. What is accepted must be faithful, which each way below says in its own terms.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { bytesToHex, equalBytes, parseUtf8, utf8ToBytes } from '../../sdk/bytes.ts'

export type Verdict = 'accepted' | 'refused'
export type Run = (bytes: Uint8Array) => Verdict | Promise<Verdict>

export type Target = {
  name: string
  /** Valid inputs, made anew by the simulators. */
  seeds: () => Promise<readonly Uint8Array[]> | readonly Uint8Array[]
  /** Tokens of the format. */
  dictionary: readonly (string | Uint8Array)[]
  /** Made once, after the seeds. */
  prepare: (seeds: readonly Uint8Array[]) => Run | Promise<Run>
  /** Executions are divided by this: 1 for a parser of microseconds, more where a signature or pairing is checked. */
  cost: number
}

/** The parser accepted something that it does not represent, or a verifier something that nobody signed. */
export class Unfaithful extends Error {
  override readonly name = 'Unfaithful'
}

/** One value, one encoding: what was read is written back as the very bytes. */
export function canonical<T>(
  parse: (bytes: Uint8Array) => T | undefined,
  encode: (value: T) => Uint8Array,
): Run {
  return (bytes) => {
    const before = bytesToHex(bytes)
    const value = parse(bytes)
    if (bytesToHex(bytes) !== before) throw new Unfaithful('the parser changed its input')
    if (value === undefined) return 'refused'
    const again = encode(value)
    if (!equalBytes(again, bytes)) throw new Unfaithful(`re-encoded as ${bytesToHex(again)}`)
    return 'accepted'
  }
}

/** Many encodings, one value: what was read and written is read as the same value. */
export function stable<T>(
  parse: (bytes: Uint8Array) => T | undefined,
  encode: (value: T) => Uint8Array,
): Run {
  return (bytes) => {
    const value = parse(bytes)
    if (value === undefined) return 'refused'
    if (!isDeepStrictEqual(parse(encode(value)), value))
      throw new Unfaithful('the value is another one after writing and reading')
    return 'accepted'
  }
}

/** No encoder exists: the same bytes give the same value, and an invariant of the value holds. */
export function total<T>(
  parse: (bytes: Uint8Array) => T | undefined,
  holds?: (value: T, bytes: Uint8Array) => boolean,
): Run {
  return (bytes) => {
    const value = parse(bytes)
    if (value === undefined) return 'refused'
    if (!isDeepStrictEqual(parse(bytes), value)) throw new Unfaithful('read twice, two values')
    if (holds?.(value, bytes) === false) throw new Unfaithful('the value breaks its invariant')
    return 'accepted'
  }
}

/** Signed input: nothing may be accepted that says something else than one of the `honest` inputs. */
export async function verifier<T>(
  honest: readonly Uint8Array[],
  verify: (bytes: Uint8Array) => T | Promise<T>,
): Promise<Run> {
  const said = await Promise.all(honest.map((bytes) => verify(bytes)))
  return async (bytes) => {
    const value = await verify(bytes)
    if (value === undefined) return 'refused'
    if (!said.some((claims) => isDeepStrictEqual(claims, value)))
      throw new Unfaithful('accepted claims that nobody signed')
    return 'accepted'
  }
}

/** For parsers of text: bytes that are no UTF-8 are refused before them, as everywhere in the product. */
export function ofText<T>(parse: (text: string) => T | undefined) {
  return (bytes: Uint8Array): T | undefined => {
    const text = parseUtf8(bytes)
    return text === undefined ? undefined : parse(text)
  }
}

/** For parsers of JSON values that a library has read already. */
export function ofJson<T>(parse: (value: unknown) => T | undefined) {
  return ofText((text) => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return undefined
    }
    return parse(value)
  })
}

export const json = (value: unknown): Uint8Array => utf8ToBytes(JSON.stringify(value))

export const JSON_TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  '\\u0000',
  '\\ud800',
  '\\/',
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1e400',
  '18446744073709551615',
  '18446744073709551616',
  '9007199254740993',
  '0.1',
  '""',
  '[]',
  '{}',
  '"__proto__":',
  '"constructor":',
  '{"a":',
  '[[[[[[[[',
  ' ',
  '\n',
  '\ufeff',
  '\u0000',
]
export const TOML_TOKENS = [
  '[',
  ']',
  '[[',
  ']]',
  '=',
  '.',
  '"',
  "'",
  '"""',
  "'''",
  '#',
  '\n',
  '\r\n',
  '\\u0000',
  '\\U00110000',
  'true',
  'inf',
  'nan',
  '0x',
  '1e999',
  '9223372036854775808',
  '1979-05-27T07:32:00Z',
  '{ }',
  '[ ]',
  '__proto__',
  'constructor',
  'a.a.a.a.a.a = 1\n',
]
export const DER_TOKENS: readonly Uint8Array[] = [
  [0x30, 0x80],
  [0x00, 0x00],
  [0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
  [0x02, 0x01, 0x00],
  [0x02, 0x00],
  [0x05, 0x00],
  [0x06, 0x00],
  [0x06, 0x01, 0x80],
  [0x1c, 0x01, 0x00],
  [0x1e, 0x01, 0x00],
  [0x17, 0x00],
  [0x18, 0x01, 0x5a],
  [0x03, 0x00],
  [0x03, 0x01, 0x08],
  [0x01, 0x01, 0x02],
  [0xa3, 0x00],
  [0x31, 0x00],
  [0x09, 0x00],
  [0x1f, 0x81],
  [0x24, 0x80],
].map((token) => Uint8Array.from(token))

/** A parser of text, by what it reads. */
export const textual = <T>(
  name: string,
  seeds: readonly string[],
  parse: (text: string) => T | undefined,
  holds?: (value: T, bytes: Uint8Array) => boolean,
  dictionary: Target['dictionary'] = JSON_TOKENS,
  cost = 1,
): Target => ({
  name,
  seeds: () => seeds.map(utf8ToBytes),
  dictionary,
  prepare: () => total(ofText(parse), holds),
  cost,
})

export const textOf = (bytes: Uint8Array) =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
export const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
