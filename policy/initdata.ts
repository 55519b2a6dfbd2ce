/**
 * Initdata: the TOML document that a pod is booted with, as Confidential Containers defines it
 * (trustee `kbs/docs/initdata.md`): `version`, `algorithm` and a flat `[data]` table of file name -> text.
 *
 * It arrives as raw TOML or as base64(gzip(TOML)), the value of the annotation
 * `io.katacontainers.config.hypervisor.cc_init_data`. Spelling of `version` and `algorithm` is read
 * tolerantly; everything that two readers could understand differently is refused, because the guest has
 * readers of its own (Go and Rust) and a disagreement would let one document show two policies:
 * duplicate keys, further top-level keys (Go matches `Data` for `data`), a byte order mark, NUL, a second gzip
 * member or bytes behind the first.
 * @module
 */

import { createHash } from 'node:crypto'
import { crc32, gzipSync, inflateRawSync } from 'node:zlib'
import { parse as parseToml } from 'smol-toml'
import { equalBytes, parseUtf8, toBase64 } from '../sdk/bytes.ts'
import { EigenxError } from '../sdk/errors.ts'
import { measureToml } from './toml-structure.ts'
import type { Initdata, InitdataAlgorithm } from './types.ts'

/** The annotation under which a pod carries its initdata. */
export const INITDATA_ANNOTATION = 'io.katacontainers.config.hypervisor.cc_init_data'

export const MAX_INITDATA_ENCODED = 1024 * 1024
export const MAX_INITDATA_DECODED = 8 * 1024 * 1024
const MAX_FILES = 64
const MAX_FILE_NAME = 128
const MAX_VERSION = 32
/** A policy has thousands of lines; the document around its files has a few keys. */
const MAX_LINES = 200_000
const MAX_SEPARATORS = 8192

/** Raw TOML or base64(gzip(TOML)). @throws EigenxError INITDATA_INVALID, INPUT_TOO_LARGE */
export function parseInitdata(received: Uint8Array): Initdata {
  if (received.length > MAX_INITDATA_ENCODED) throw tooLarge('initdata', MAX_INITDATA_ENCODED)
  const copy = received.slice()
  const encoding = looksEncoded(copy) ? 'base64-gzip' : 'toml'
  const toml = encoding === 'toml' ? copy : gunzipOne(decodeBase64(copy))
  const { version, algorithm, data } = parseDocument(toml)
  return {
    version,
    algorithm,
    data,
    encoding,
    received: copy,
    toml,
    sha384: digestOf('sha384', toml),
    digest: digestOf(algorithm, toml),
  }
}

/**
 * The annotation's value: standard base64 of one gzip member. Deterministic for one build of zlib; nothing may
 * rely on that, since digests are taken over the decoded document.
 */
export function encodeInitdata(toml: Uint8Array): string {
  if (toml.length > MAX_INITDATA_DECODED) throw tooLarge('initdata (decoded)', MAX_INITDATA_DECODED)
  const packed = new Uint8Array(gzipSync(toml, { level: 9 }))
  // Byte 9 names the operating system; 255 is "unknown" and the same everywhere.
  packed[9] = 255
  const text = toBase64(packed)
  if (text.length > MAX_INITDATA_ENCODED) throw tooLarge('initdata', MAX_INITDATA_ENCODED)
  return text
}

/** A raw document cannot begin like this: base64 of the gzip magic, in either alphabet. */
function looksEncoded(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, 4)) === 'H4sI'
}

/**
 * Either alphabet, any padding, line breaks ignored: published documents carry annotations with too few `=`, and
 * Go's decoder ignores CR and LF. Any other foreign character, or a mixture of the alphabets, is refused.
 */
function decodeBase64(received: Uint8Array): Uint8Array {
  const text = parseUtf8(received)?.replace(/[\r\n]/g, '')
  if (text === undefined || !/^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,3} *$/.test(text))
    throw invalid('neither TOML nor base64')
  const digits = text.replace(/[= ]+$/, '')
  if (digits.length % 4 === 1) throw invalid('base64 is cut off')
  return new Uint8Array(Buffer.from(digits, 'base64'))
}

/** RFC 1952, exactly one member and nothing behind it; inflating stops at the cap. */
function gunzipOne(bytes: Uint8Array): Uint8Array {
  const start = gzipHeaderLength(bytes)
  const body = bytes.subarray(start)
  const inflated = inflateBounded(body)
  const trailer = body.subarray(inflated.consumed)
  if (trailer.length < 8) throw invalid('gzip is cut off')
  if (trailer.length > 8) throw invalid('bytes behind the gzip member')
  const view = new DataView(trailer.buffer, trailer.byteOffset, 8)
  if (view.getUint32(0, true) !== crc32(inflated.bytes))
    throw invalid('gzip checksum does not match')
  if (view.getUint32(4, true) !== inflated.bytes.length) throw invalid('gzip size does not match')
  return inflated.bytes
}

const FHCRC = 0x02
const FEXTRA = 0x04
const FNAME = 0x08
const FCOMMENT = 0x10
const RESERVED = 0xe0

function gzipHeaderLength(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0
  if (bytes.length < 18 || !equalBytes(bytes.subarray(0, 3), Uint8Array.of(0x1f, 0x8b, 8)))
    throw invalid('base64 does not hold gzip')
  if ((flags & RESERVED) !== 0) throw invalid('gzip with reserved flags')
  let at = 10
  if ((flags & FEXTRA) !== 0) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0)
  for (const flag of [FNAME, FCOMMENT]) {
    if ((flags & flag) === 0) continue
    const end = bytes.indexOf(0, at)
    if (end < 0) throw invalid('gzip is cut off')
    at = end + 1
  }
  if ((flags & FHCRC) !== 0) {
    const stated = (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0)
    if (stated !== (crc32(bytes.subarray(0, at)) & 0xffff))
      throw invalid('gzip header checksum does not match')
    at += 2
  }
  return at
}

function inflateBounded(body: Uint8Array): { bytes: Uint8Array; consumed: number } {
  try {
    // With `info`, Node also returns the engine, which counts the input it used; @types/node leaves that out.
    const result: unknown = inflateRawSync(body, {
      info: true,
      maxOutputLength: MAX_INITDATA_DECODED,
    })
    return inflateResult(result)
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge('initdata (decoded)', MAX_INITDATA_DECODED)
    throw invalid('gzip does not inflate', cause)
  }
}

function inflateResult(result: unknown): { bytes: Uint8Array; consumed: number } {
  if (typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result) {
    const { buffer, engine } = result
    if (
      buffer instanceof Uint8Array &&
      typeof engine === 'object' &&
      engine !== null &&
      'bytesWritten' in engine &&
      typeof engine.bytesWritten === 'number'
    )
      return { bytes: new Uint8Array(buffer), consumed: engine.bytesWritten }
  }
  throw new Error('this runtime does not tell how much input the inflater used')
}

type Document = Pick<Initdata, 'version' | 'algorithm' | 'data'>

function parseDocument(toml: Uint8Array): Document {
  const text = parseUtf8(toml)
  if (text === undefined) throw invalid('not UTF-8')
  if (text.startsWith('\ufeff')) throw invalid('begins with a byte order mark')
  if (text.includes('\0')) throw invalid('contains NUL')
  const { lines, separators } = measureToml(text)
  if (lines > MAX_LINES || separators > MAX_SEPARATORS) throw invalid('too many lines or keys')
  const table = parseTable(text)
  const extra = Object.keys(table).find((key) => !['version', 'algorithm', 'data'].includes(key))
  if (extra !== undefined) throw invalid(`unknown top-level key ${quoteKey(extra)}`)
  return {
    version: parseVersion(table.version),
    algorithm: parseAlgorithm(table.algorithm),
    data: parseData(table.data),
  }
}

function parseTable(text: string): Record<string, unknown> {
  try {
    return parseToml(text, { maxDepth: 16 })
  } catch (cause) {
    // The parser's message quotes the document: it stays in `cause`.
    throw invalid('not one TOML document', cause)
  }
}

function parseVersion(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_VERSION || !/^[0-9]+(\.[0-9]+)*$/.test(value))
    throw invalid('version is not a version string')
  return value
}

/** `sha384`, `sha-384`, `SHA_384`: specification texts and tools spell it in each of these ways. */
function parseAlgorithm(value: unknown): InitdataAlgorithm {
  const name = typeof value === 'string' ? value.toLowerCase().replace(/^sha[-_]/, 'sha') : ''
  if (name === 'sha256' || name === 'sha384' || name === 'sha512') return name
  throw invalid('algorithm is none of sha256, sha384, sha512')
}

function parseData(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date)
    throw invalid('[data] is missing or no table')
  const entries = Object.entries(value)
  if (entries.length > MAX_FILES) throw invalid(`[data] has more than ${MAX_FILES} entries`)
  // No prototype, so that asking for "constructor" finds nothing.
  const data: Record<string, string> = Object.create(null)
  for (const [name, content] of entries) {
    if (name === '' || name.length > MAX_FILE_NAME)
      throw invalid('[data] has an unusable file name')
    if (typeof content !== 'string') throw invalid(`[data] ${quoteKey(name)} is not a string`)
    data[name] = content
  }
  return data
}

function digestOf(algorithm: InitdataAlgorithm, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(bytes).digest())
}

function quoteKey(key: string): string {
  return JSON.stringify(key.slice(0, 40))
}

function invalid(reason: string, cause?: unknown): EigenxError<'INITDATA_INVALID'> {
  return new EigenxError({
    code: 'INITDATA_INVALID',
    message: `The initdata is not one well-formed document: ${reason}.`,
    stage: 'initdata',
    details: { reason },
    ...(cause === undefined ? {} : { cause }),
  })
}

function tooLarge(field: string, limit: number): EigenxError<'INPUT_TOO_LARGE'> {
  return new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message: `The ${field} is larger than ${limit} bytes.`,
    stage: 'initdata',
    details: { field, limit },
  })
}
