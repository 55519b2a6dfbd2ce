/**
 * A strict reader of one JSON value (RFC 8259), for text whose other readers are a Rego engine and
 * a Rust agent: whatever two parsers could read differently is refused.
 *
 * Beyond the grammar: no duplicate keys, no lone surrogates, no NUL, no number that a double cannot hold
 * exactly, a bounded depth and number of values, nothing but white space behind the value. The standard
 * `JSON.parse` keeps the last of two equal keys and recurses without a limit.
 * @module
 */

export type JsonObject = { readonly [key: string]: JsonValue }
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject

export type JsonLimits = { depth: number; values: number }

const DEFAULT_LIMITS: JsonLimits = { depth: 32, values: 100_000 }

export type JsonRead =
  | { ok: true; value: JsonValue }
  | { ok: false; offset: number; reason: string }

class ReadFailure extends Error {
  readonly offset: number
  constructor(offset: number, reason: string) {
    super(reason)
    this.offset = offset
  }
}

/** Reads the whole text as one value. Total: what does not fit comes back as a reason and an offset. */
export function readStrictJson(text: string, limits: JsonLimits = DEFAULT_LIMITS): JsonRead {
  const reader = { text, at: 0, left: limits.values, depth: limits.depth }
  try {
    skipSpace(reader)
    const value = readValue(reader)
    skipSpace(reader)
    if (reader.at !== text.length) throw new ReadFailure(reader.at, 'text behind the JSON value')
    return { ok: true, value }
  } catch (error) {
    if (!(error instanceof ReadFailure)) throw error
    return { ok: false, offset: error.offset, reason: error.message }
  }
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

type Reader = { readonly text: string; at: number; left: number; depth: number }

function readValue(reader: Reader): JsonValue {
  if (reader.left-- <= 0) throw new ReadFailure(reader.at, 'too many values')
  const first = reader.text[reader.at]
  if (first === '{') return nested(reader, readObject)
  if (first === '[') return nested(reader, readArray)
  if (first === '"') return readString(reader)
  if (first === 't') return readWord(reader, 'true', true)
  if (first === 'f') return readWord(reader, 'false', false)
  if (first === 'n') return readWord(reader, 'null', null)
  return readNumber(reader)
}

function nested<T>(reader: Reader, read: (reader: Reader) => T): T {
  if (reader.depth <= 0) throw new ReadFailure(reader.at, 'nested too deeply')
  reader.depth--
  const value = read(reader)
  reader.depth++
  return value
}

function readObject(reader: Reader): JsonObject {
  // No prototype: a key named `__proto__` or `constructor` is a key like any other.
  const out: { [key: string]: JsonValue } = Object.create(null)
  reader.at++
  skipSpace(reader)
  if (takeIf(reader, '}')) return out
  for (;;) {
    const keyAt = reader.at
    if (reader.text[keyAt] !== '"') throw new ReadFailure(keyAt, 'expected a key')
    const key = readString(reader)
    if (Object.hasOwn(out, key)) throw new ReadFailure(keyAt, 'duplicate key')
    skipSpace(reader)
    take(reader, ':')
    skipSpace(reader)
    out[key] = readValue(reader)
    skipSpace(reader)
    if (takeIf(reader, '}')) return out
    take(reader, ',')
    skipSpace(reader)
  }
}

function readArray(reader: Reader): readonly JsonValue[] {
  const out: JsonValue[] = []
  reader.at++
  skipSpace(reader)
  if (takeIf(reader, ']')) return out
  for (;;) {
    out.push(readValue(reader))
    skipSpace(reader)
    if (takeIf(reader, ']')) return out
    take(reader, ',')
    skipSpace(reader)
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in a string.
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y

function readString(reader: Reader): string {
  STRING.lastIndex = reader.at
  const found = STRING.exec(reader.text)?.[0]
  if (found === undefined) throw new ReadFailure(reader.at, 'malformed string')
  // The token fits the grammar, so JSON.parse only resolves its escapes.
  const value: unknown = JSON.parse(found)
  if (typeof value !== 'string' || /\p{Cs}/u.test(value))
    throw new ReadFailure(reader.at, 'string with a lone surrogate')
  if (value.includes('\0')) throw new ReadFailure(reader.at, 'string with a NUL')
  reader.at += found.length
  return value
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

function readNumber(reader: Reader): number {
  NUMBER.lastIndex = reader.at
  const found = NUMBER.exec(reader.text)?.[0]
  if (found === undefined) throw new ReadFailure(reader.at, 'expected a value')
  const value = Number(found)
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw new ReadFailure(reader.at, 'number out of range')
  reader.at += found.length
  return value
}

function readWord<T>(reader: Reader, word: string, value: T): T {
  if (!reader.text.startsWith(word, reader.at)) throw new ReadFailure(reader.at, 'expected a value')
  reader.at += word.length
  return value
}

const SPACE = /[ \t\n\r]*/y

function skipSpace(reader: Reader): void {
  SPACE.lastIndex = reader.at
  reader.at += SPACE.exec(reader.text)?.[0].length ?? 0
}

function takeIf(reader: Reader, char: string): boolean {
  if (reader.text[reader.at] !== char) return false
  reader.at++
  return true
}

function take(reader: Reader, char: string): void {
  if (!takeIf(reader, char)) throw new ReadFailure(reader.at, `expected ${char}`)
}
