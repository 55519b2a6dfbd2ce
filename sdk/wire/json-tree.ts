/**
 * A JSON reader that keeps what `JSON.parse` throws away: the order of duplicate keys, the literal text
 * of numbers, and where the first value ends. Syntax is RFC 8259; refusals read as Go's encoding/json words them.
 *
 * Bounded by bytes, by depth and by the number of values and escapes: each of these costs far more than the bytes it takes.
 * It looks at every character once.
 * @module
 */
import { EigenxError } from '../errors.ts'

export type JsonTree =
  | { type: 'null' }
  | { type: 'bool'; value: boolean }
  /** The literal as written: 1, 1.0 and 1e0 differ. */
  | { type: 'number'; literal: string }
  | { type: 'string'; value: string }
  | { type: 'array'; items: readonly JsonTree[] }
  /** In document order, duplicates included. */
  | { type: 'object'; entries: readonly { key: string; value: JsonTree }[] }

export type JsonLimits = { maxBytes: number; maxDepth: number; maxTokens: number }

type Cursor = { text: string; at: number; maxDepth: number; maxTokens: number; tokens: number }

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y
const SPACE = /[ \t\r\n]*/y
/** A run of characters that need no care, up to the closing quote or an escape. */
const PLAIN = /[ !#-[\]-\uffff]*/y
const LONE_SURROGATE = /\p{Surrogate}/gu
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * Reads the first JSON value; whatever follows it is ignored, as Go's stream decoder does.
 * Invalid UTF-8 and lone surrogates become U+FFFD.
 * @throws REQUEST_INVALID or INPUT_TOO_LARGE
 */
export function parseFirstJsonValue(input: Uint8Array | string, limits: JsonLimits): JsonTree {
  // A string has at least as many UTF-8 bytes as UTF-16 units, so this bounds both.
  if (input.length > limits.maxBytes)
    throw new EigenxError({
      code: 'INPUT_TOO_LARGE',
      message: `the body is larger than ${limits.maxBytes} bytes`,
      stage: 'request',
      details: { field: 'body', limit: limits.maxBytes },
    })
  const text =
    typeof input === 'string' ? input : new TextDecoder('utf-8', { ignoreBOM: true }).decode(input)
  const { maxDepth, maxTokens } = limits
  const cursor: Cursor = { text, at: 0, maxDepth, maxTokens, tokens: 0 }
  skipSpace(cursor)
  if (cursor.at === text.length) throw jsonInvalid('EOF')
  return readValue(cursor, 0)
}

function readValue(cursor: Cursor, depth: number): JsonTree {
  if (depth > cursor.maxDepth) throw jsonInvalid('exceeded max depth')
  countToken(cursor)
  const char = cursor.text[cursor.at]
  if (char === '{') return readObject(cursor, depth)
  if (char === '[') return readArray(cursor, depth)
  if (char === '"') return { type: 'string', value: readString(cursor) }
  if (char === 't') return readWord(cursor, 'true', { type: 'bool', value: true })
  if (char === 'f') return readWord(cursor, 'false', { type: 'bool', value: false })
  if (char === 'n') return readWord(cursor, 'null', { type: 'null' })
  if (char !== undefined && /[-0-9]/.test(char)) return readNumber(cursor)
  throw unexpected(cursor, 'looking for beginning of value')
}

function readObject(cursor: Cursor, depth: number): JsonTree {
  const entries: { key: string; value: JsonTree }[] = []
  cursor.at++
  skipSpace(cursor)
  if (take(cursor, '}')) return { type: 'object', entries }
  for (;;) {
    skipSpace(cursor)
    if (cursor.text[cursor.at] !== '"')
      throw unexpected(cursor, 'looking for beginning of object key string')
    const key = readString(cursor)
    skipSpace(cursor)
    if (!take(cursor, ':')) throw unexpected(cursor, 'after object key')
    skipSpace(cursor)
    entries.push({ key, value: readValue(cursor, depth + 1) })
    skipSpace(cursor)
    if (take(cursor, '}')) return { type: 'object', entries }
    if (!take(cursor, ',')) throw unexpected(cursor, 'after object key:value pair')
  }
}

function readArray(cursor: Cursor, depth: number): JsonTree {
  const items: JsonTree[] = []
  cursor.at++
  skipSpace(cursor)
  if (take(cursor, ']')) return { type: 'array', items }
  for (;;) {
    skipSpace(cursor)
    items.push(readValue(cursor, depth + 1))
    skipSpace(cursor)
    if (take(cursor, ']')) return { type: 'array', items }
    if (!take(cursor, ',')) throw unexpected(cursor, 'after array element')
  }
}

function readString(cursor: Cursor): string {
  const parts: string[] = []
  cursor.at++
  for (;;) {
    parts.push(match(cursor, PLAIN))
    if (take(cursor, '"')) return parts.join('').replace(LONE_SURROGATE, '\ufffd')
    if (!take(cursor, '\\')) throw unexpected(cursor, 'in string literal')
    countToken(cursor)
    parts.push(readEscape(cursor))
  }
}

function readEscape(cursor: Cursor): string {
  const char = cursor.text[cursor.at] ?? ''
  if (char === 'u') {
    const digits = cursor.text.slice(cursor.at + 1, cursor.at + 5)
    const good = /^[0-9a-fA-F]*/.exec(digits)?.[0].length ?? 0
    if (good < 4) {
      cursor.at += 1 + good
      throw unexpected(cursor, 'in \\u hexadecimal character escape')
    }
    cursor.at += 5
    return String.fromCharCode(Number.parseInt(digits, 16))
  }
  const value = Object.hasOwn(SIMPLE_ESCAPES, char) ? SIMPLE_ESCAPES[char] : undefined
  if (value === undefined) throw unexpected(cursor, 'in string escape code')
  cursor.at++
  return value
}

function readNumber(cursor: Cursor): JsonTree {
  const literal = match(cursor, NUMBER)
  const next = cursor.text[cursor.at] ?? ''
  // A digit, dot or exponent that the grammar did not take makes the number itself malformed.
  if (literal === '' || /[.eE]/.test(next)) {
    cursor.at++
    throw unexpected(cursor, 'in numeric literal')
  }
  return { type: 'number', literal }
}

function readWord(cursor: Cursor, word: string, value: JsonTree): JsonTree {
  for (const expected of word)
    if (!take(cursor, expected))
      throw unexpected(cursor, `in literal ${word} (expecting '${expected}')`)
  return value
}

function countToken(cursor: Cursor): void {
  if (++cursor.tokens <= cursor.maxTokens) return
  throw new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message: `the body holds more than ${cursor.maxTokens} values and escapes`,
    stage: 'request',
    details: { field: 'body', limit: cursor.maxTokens },
  })
}

function skipSpace(cursor: Cursor): void {
  match(cursor, SPACE)
}

function take(cursor: Cursor, char: string): boolean {
  if (cursor.text[cursor.at] !== char) return false
  cursor.at++
  return true
}

function match(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0] ?? ''
  cursor.at += found.length
  return found
}

function unexpected(cursor: Cursor, where: string): EigenxError {
  const char = cursor.text[cursor.at]
  return jsonInvalid(
    char === undefined
      ? 'unexpected EOF'
      : `invalid character ${char === "'" ? `'\\''` : `'${printable(char)}'`} ${where}`,
  )
}

/** One character of the caller's own text, made harmless. */
function printable(char: string): string {
  return /[\u0020-\u007e]/.test(char)
    ? char
    : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function jsonInvalid(message: string): EigenxError {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message,
    stage: 'request',
    details: { path: '' },
  })
}
