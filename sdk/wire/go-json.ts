/**
 * JSON as Go's encoding/json reads and writes it, for the routes that Go clients and operators speak.
 *
 * Reading: keys match in any case, the last duplicate wins, unknown keys and bytes after the first value
 * are ignored, null leaves scalars as they are and empties slices, int64 takes integer literals only,
 * []byte is padded standard base64 (line breaks inside ignored) or an array of numbers, [n]byte an array that is
 * filled up or cut. Writing: fields in the given order, no spaces, HTML characters escaped.
 * Source: Go 1.25 documentation of encoding/json and encoding/base64; behaviour pinned by known answers.
 * @module
 */
import { toBase64 } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { decodeGoBase64 } from './go-base64.ts'
import { type JsonLimits, type JsonTree, parseFirstJsonValue } from './json-tree.ts'

/** A Go struct: its name as Go prints it in errors, and its fields under their JSON names. */
export type GoStruct = {
  readonly name: string
  readonly fields: Readonly<Record<string, GoType>>
}

export type GoType =
  | { readonly kind: 'string' }
  | { readonly kind: 'bool' }
  /** Decodes to a bigint. */
  | { readonly kind: 'int64' }
  /** []byte; null and absent are empty. */
  | { readonly kind: 'bytes' }
  /** [length]byte. */
  | { readonly kind: 'array'; readonly length: number }
  /** []T; null and absent are empty. */
  | { readonly kind: 'slice'; readonly of: GoType }
  | { readonly kind: 'struct'; readonly of: GoStruct }
  /** *struct; null and absent are `undefined`. */
  | { readonly kind: 'pointer'; readonly of: GoStruct }

export type Decoded<T extends GoType> = T extends { kind: 'string' }
  ? string
  : T extends { kind: 'bool' }
    ? boolean
    : T extends { kind: 'int64' }
      ? bigint
      : T extends { kind: 'bytes' | 'array' }
        ? Uint8Array
        : T extends { kind: 'slice'; of: infer E extends GoType }
          ? readonly Decoded<E>[]
          : T extends { kind: 'pointer'; of: infer S extends GoStruct }
            ? DecodedStruct<S> | undefined
            : T extends { kind: 'struct'; of: infer S extends GoStruct }
              ? DecodedStruct<S>
              : never

export type DecodedStruct<S extends GoStruct> = {
  readonly [K in keyof S['fields']]: Decoded<S['fields'][K]>
}

export const GO_STRING = { kind: 'string' } as const
export const GO_BOOL = { kind: 'bool' } as const
export const GO_INT64 = { kind: 'int64' } as const
export const GO_BYTES = { kind: 'bytes' } as const

type Value =
  | string
  | boolean
  | bigint
  | Uint8Array
  | undefined
  | readonly Value[]
  | { readonly [name: string]: Value }
/** Where a value stands, for the refusal. */
type Place = { struct: string; path: string }

/**
 * As deep as any message of the protocol needs, with room for unknown fields. Bytes travel as base64, so messages have few values; the
 * bound leaves room for writers that escape each slash of it.
 */
const DEFAULT_LIMITS: JsonLimits = {
  maxBytes: 4 * 1024 * 1024,
  maxDepth: 32,
  maxTokens: 32_768,
}
const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }

/**
 * @returns Every field of the struct, with Go's zero value where the document has none.
 * @throws REQUEST_INVALID with the text that Go's decoder would give, or INPUT_TOO_LARGE
 */
export function parseGoJson<const S extends GoStruct>(
  input: Uint8Array | string,
  struct: S,
  limits: Partial<JsonLimits> = {},
): DecodedStruct<S> {
  const tree = parseFirstJsonValue(input, { ...DEFAULT_LIMITS, ...limits })
  if (tree.type !== 'object' && tree.type !== 'null')
    throw mismatch(describe(tree), struct.name, undefined)
  const decoded = decodeStruct(tree, struct, undefined, '')
  // The record was built field by field from `struct`; the type system cannot follow the loop.
  return decoded as unknown as DecodedStruct<S>
}

function decodeStruct(
  tree: JsonTree,
  struct: GoStruct,
  previous: { readonly [name: string]: Value } | undefined,
  path: string,
): { readonly [name: string]: Value } {
  const result = new Map<string, Value>(
    Object.entries(struct.fields).map(([name, type]) => [name, previous?.[name] ?? zero(type)]),
  )
  const names = new Map(Object.keys(struct.fields).map((name) => [foldKey(name), name]))
  for (const { key, value } of tree.type === 'object' ? tree.entries : []) {
    const name = Object.hasOwn(struct.fields, key) ? key : names.get(foldKey(key))
    const type = name === undefined ? undefined : struct.fields[name]
    if (name === undefined || type === undefined) continue
    const place = { struct: bareName(struct.name), path: path === '' ? name : `${path}.${name}` }
    result.set(name, decode(value, type, result.get(name), place))
  }
  return Object.fromEntries(result)
}

function decode(tree: JsonTree, type: GoType, previous: Value, place: Place): Value {
  switch (type.kind) {
    case 'string':
      if (tree.type === 'null') return previous
      if (tree.type === 'string') return tree.value
      break
    case 'bool':
      if (tree.type === 'null') return previous
      if (tree.type === 'bool') return tree.value
      break
    case 'int64':
      if (tree.type === 'null') return previous
      if (tree.type === 'number') return decodeInt64(tree.literal, place)
      break
    case 'bytes':
      if (tree.type === 'null') return new Uint8Array()
      if (tree.type === 'string') return decodeBytes(tree.value, place)
      if (tree.type === 'array')
        return Uint8Array.from(tree.items, (item) => decodeUint8(item, place))
      break
    case 'array':
      if (tree.type === 'null') return previous
      if (tree.type === 'array') {
        const bytes = new Uint8Array(type.length)
        // Go leaves out what does not fit, without looking at it.
        bytes.set(tree.items.slice(0, type.length).map((item) => decodeUint8(item, place)))
        return bytes
      }
      break
    case 'slice':
      if (tree.type === 'null') return []
      if (tree.type === 'array')
        return tree.items.map((item) => decode(item, type.of, zero(type.of), place))
      break
    case 'pointer':
    case 'struct':
      if (tree.type === 'null') return type.kind === 'pointer' ? undefined : previous
      if (tree.type === 'object')
        // A second object merges into the first, field by field.
        return decodeStruct(tree, type.of, isRecord(previous) ? previous : undefined, place.path)
      break
  }
  throw mismatch(describe(tree), goName(type), place)
}

function decodeInt64(literal: string, place: Place): bigint {
  const value = /^-?[0-9]{1,19}$/.test(literal) ? BigInt(literal) : undefined
  if (value === undefined || value < INT64.min || value > INT64.max)
    throw mismatch(`number ${literal}`, 'int64', place)
  return value
}

function decodeUint8(tree: JsonTree, place: Place): number {
  if (tree.type === 'null') return 0
  if (tree.type !== 'number') throw mismatch(describe(tree), 'uint8', place)
  const value = /^[0-9]{1,3}$/.test(tree.literal) ? Number(tree.literal) : 256
  if (value > 255) throw mismatch(`number ${tree.literal}`, 'uint8', place)
  return value
}

function decodeBytes(text: string, place: Place): Uint8Array {
  const decoded = decodeGoBase64(text)
  if (typeof decoded !== 'number') return decoded
  throw invalid(`illegal base64 data at input byte ${decoded}`, place.path)
}

function zero(type: GoType): Value {
  switch (type.kind) {
    case 'string':
      return ''
    case 'bool':
      return false
    case 'int64':
      return 0n
    case 'bytes':
      return new Uint8Array()
    case 'array':
      return new Uint8Array(type.length)
    case 'slice':
      return []
    case 'struct':
      return decodeStruct({ type: 'null' }, type.of, undefined, '')
    case 'pointer':
      return undefined
  }
}

/** Go folds ASCII letters, and the two other runes that Unicode folds onto ASCII ones. */
function foldKey(key: string): string {
  return key
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replaceAll('\u017f', 's')
    .replaceAll('\u212a', 'k')
}

function isRecord(value: Value): value is { readonly [name: string]: Value } {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function describe(tree: JsonTree): string {
  return tree.type
}

function goName(type: GoType): string {
  switch (type.kind) {
    case 'bytes':
      return '[]uint8'
    case 'array':
      return `[${type.length}]uint8`
    case 'slice':
      return `[]${goName(type.of)}`
    case 'struct':
    case 'pointer':
      return type.of.name
    default:
      return type.kind
  }
}

function bareName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function mismatch(found: string, wanted: string, place: Place | undefined): EigenxError {
  const where = place === undefined ? 'value' : `struct field ${place.struct}.${place.path}`
  const short = found.length > 64 ? `${found.slice(0, 64)}...` : found
  return invalid(
    `json: cannot unmarshal ${short} into Go ${where} of type ${wanted}`,
    place?.path ?? '',
  )
}

function invalid(message: string, path: string): EigenxError {
  return new EigenxError({ code: 'REQUEST_INVALID', message, stage: 'request', details: { path } })
}

/** What Go would marshal: a record is a struct (fields in order), a Map a Go map (keys sorted). */
export type GoValue =
  | null
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>
  | { readonly [name: string]: GoValue | undefined }

/** As `json.Marshal`: an `undefined` field is one with omitempty that is empty. */
export function marshalGo(value: GoValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError('only integers have one JSON form here')
    return String(value)
  }
  if (value instanceof Uint8Array) return quote(toBase64(value))
  if (value instanceof Map) {
    const keys = [...value.keys()].sort(compareUtf8)
    return `{${keys.map((key) => `${quote(key)}:${marshalGo(value.get(key) ?? null)}`).join(',')}}`
  }
  if (isList(value)) return `[${value.map(marshalGo).join(',')}]`
  const fields = Object.entries(value).flatMap(([name, field]) =>
    field === undefined ? [] : [`${quote(name)}:${marshalGo(field)}`],
  )
  return `{${fields.join(',')}}`
}

/** As `json.Encoder`, which ends each value with a line break. */
export function encodeGoJson(value: GoValue): string {
  return `${marshalGo(value)}\n`
}

function isList(value: GoValue): value is readonly GoValue[] {
  return Array.isArray(value)
}

function quote(text: string): string {
  const escaped = JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd'))
  return escaped.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The order of UTF-8 bytes, which is the order of code points. */
function compareUtf8(a: string, b: string): number {
  const [left, right] = [[...a], [...b]]
  for (const [i, char] of left.entries()) {
    const difference = (char.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? -1)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
