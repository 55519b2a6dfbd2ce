/**
 * The one binary form of protocol messages: a version byte, a kind byte, then fixed-width big-endian
 * fields and counted lists. No field is optional and no value has two encodings, so equal
 * messages have equal bytes and a hash names a message.
 * @module
 */
import { compareBytes, concatBytes, type Hex, parseHex, toHex, uintBE } from '../bytes.ts'
import type { Address, Hash32 } from '../chain/types.ts'

const VERSION = 1

const KINDS = {
  encryptionKey: 1,
  setup: 2,
  dealing: 3,
  acks: 4,
  complaint: 5,
  candidate: 6,
  signature: 7,
  certified: 8,
  output: 9,
  leave: 10,
} as const

export type MessageKind = keyof typeof KINDS

/** More operators than any set we serve; bounds every list. */
export const MAX_MEMBERS = 64
/** Operator signatures are 65 bytes (secp256k1) or 64 (BN254). */
export const MAX_SIGNATURE_BYTES = 128

/** @returns What the bytes claim to be, without looking further. */
export function messageKind(bytes: Uint8Array): MessageKind | undefined {
  if (bytes[0] !== VERSION) return undefined
  for (const [kind, code] of Object.entries(KINDS))
    if (code === bytes[1]) return kind as MessageKind
  return undefined
}

export function encodeMessage(kind: MessageKind, fields: readonly Uint8Array[]): Uint8Array {
  return concatBytes(Uint8Array.of(VERSION, KINDS[kind]), ...fields)
}

/** @param length - Exact width in bytes. @throws RangeError when ours is of another length: a bug of the caller. */
export function fixed(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`field must have ${length} bytes`)
  return bytes
}

export function addressBytes(address: Address): Uint8Array {
  return hexField(address, 20)
}

export function hashBytes(hash: Hash32): Uint8Array {
  return hexField(hash, 32)
}

function hexField(text: Hex, length: number): Uint8Array {
  const bytes = parseHex(text, length)
  if (bytes === undefined) throw new RangeError(`field must be ${length} bytes of hex`)
  return bytes
}

export const u8 = (value: number): Uint8Array => uintBE(value, 1)
export const u64 = (value: number | bigint): Uint8Array => uintBE(value, 8)

/** A list behind its one-byte count. */
export function list(items: readonly Uint8Array[]): Uint8Array {
  return concatBytes(u8(items.length), ...items)
}

/** Bytes behind their two-byte length. */
export function counted(bytes: Uint8Array): Uint8Array {
  return concatBytes(uintBE(bytes.length, 2), bytes)
}

export type Reader = {
  bytes(length: number): Uint8Array
  /** Unsigned, at most 2^53 - 1: epochs and seconds. */
  u64(): number
  bigU64(): bigint
  u8(): number
  address(): Address
  hash(): Hash32
  counted(max: number): Uint8Array
  list<T>(max: number, item: (reader: Reader) => T): T[]
}

class Malformed extends Error {}

/**
 * Reads one message to its last byte.
 * @param fail - Makes the typed refusal from a reason.
 * @throws Whatever `fail` returns, on any deviation.
 */
export function decodeMessage<T>(
  kind: MessageKind,
  bytes: Uint8Array,
  limit: number,
  fail: (reason: string) => Error,
  read: (reader: Reader) => T,
): T {
  if (bytes.length > limit) throw fail('too long')
  if (messageKind(bytes) !== kind) throw fail('another kind or version of message')
  let offset = 2
  const take = (length: number): Uint8Array => {
    if (offset + length > bytes.length) throw new Malformed('too short')
    offset += length
    return bytes.slice(offset - length, offset)
  }
  const integer = (length: number): bigint => BigInt(toHex(take(length)))
  const reader: Reader = {
    bytes: take,
    u64: () => {
      const value = integer(8)
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Malformed('number too large')
      return Number(value)
    },
    bigU64: () => integer(8),
    u8: () => Number(integer(1)),
    address: () => toHex(take(20)),
    hash: () => toHex(take(32)),
    counted: (max) => {
      const length = Number(integer(2))
      if (length > max) throw new Malformed('field too long')
      return take(length)
    },
    list: (max, item) => {
      const length = Number(integer(1))
      if (length > max) throw new Malformed('list too long')
      return Array.from({ length }, () => item(reader))
    },
  }
  try {
    const value = read(reader)
    if (offset !== bytes.length) throw new Malformed('bytes left over')
    return value
  } catch (error) {
    if (error instanceof Malformed) throw fail(error.message)
    throw error
  }
}

/** True when every address is greater than the one before: sorted and without repetition. */
export function isSorted(addresses: readonly Address[]): boolean {
  return addresses.every((address, i) => {
    const before = addresses[i - 1]
    return before === undefined || compareBytes(addressBytes(before), addressBytes(address)) < 0
  })
}

/** A copy in the order of address bytes. */
export function sortByAddress<T>(items: readonly T[], addressOf: (item: T) => Address): T[] {
  return [...items].sort((a, b) =>
    compareBytes(addressBytes(addressOf(a)), addressBytes(addressOf(b))),
  )
}
