/**
 * Bytes at the borders: strict hex and base64, concatenation, framing and comparison.
 *
 * Decoders are total and strict: one text form per value, no white space, no other alphabet.
 * Nothing here is Node-specific; it runs in browsers.
 * @module
 */

import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { base64, base64nopad, base64url, base64urlnopad } from '@scure/base'

export type Hex = `0x${string}`

export { bytesToHex, concatBytes, utf8ToBytes }

/** Lower-case hex with 0x. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`
}

/**
 * @param text - Hex with or without 0x, either case.
 * @param length - Exact length in bytes, where known.
 * @returns The bytes, or `undefined` when the text is not hex of that length.
 */
export function lowerHex(hex: Hex): Hex {
  return `0x${hex.slice(2).toLowerCase()}`
}

export function parseHex(text: string, length?: number): Uint8Array | undefined {
  const digits = text.startsWith('0x') ? text.slice(2) : text
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined
  if (length !== undefined && digits.length !== 2 * length) return undefined
  return hexToBytes(digits)
}

/** Standard alphabet, padded. */
export function toBase64(bytes: Uint8Array): string {
  return base64.encode(bytes)
}

/** URL-safe alphabet, unpadded. */
export function toBase64Url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes)
}

/**
 * Accepts either alphabet, padded or not, but never a mixture, white space or stray bits.
 * @returns The bytes, or `undefined`.
 */
export function parseAnyBase64(text: string): Uint8Array | undefined {
  const urlSafe = /[-_]/.test(text)
  const padded = text.endsWith('=')
  const codec = urlSafe ? (padded ? base64url : base64urlnopad) : padded ? base64 : base64nopad
  try {
    // A text whose length is a multiple of four needs no padding, so both codecs agree on it.
    return codec.decode(text)
  } catch {
    return undefined
  }
}

/** Big-endian unsigned integer of `length` bytes. @throws RangeError when the value does not fit. */
export function uintBE(value: bigint | number, length: number): Uint8Array {
  let rest = BigInt(value)
  if (rest < 0n || rest >> BigInt(8 * length) !== 0n)
    throw new RangeError(`value does not fit ${length} bytes`)
  const out = new Uint8Array(length)
  for (let i = length - 1; i >= 0; i--) {
    out[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return out
}

/** Big-endian bytes as an unsigned integer. */
export function fromUintBE(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(toHex(bytes))
}

/**
 * Each field behind its length: the concatenation of two different lists is never equal.
 * @param lengthBytes - Width of the big-endian length prefix; 2 as in the key labels, 4 for larger fields.
 */
export function frame(fields: readonly Uint8Array[], lengthBytes: 2 | 4 = 2): Uint8Array {
  return concatBytes(...fields.flatMap((field) => [uintBE(field.length, lengthBytes), field]))
}

/** Constant time in the length of `a`; use it wherever one side is secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

/** Order of the bytes themselves, as operator sets are sorted. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @returns The text, or `undefined` when the bytes are not valid UTF-8. */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return fatalUtf8.decode(bytes)
  } catch {
    return undefined
  }
}
