/**
 * Changes to inputs that keep most of their structure, drawn from a seeded generator: the same seed gives the same inputs.
 * @module
 */
import { concatBytes, utf8ToBytes } from '../../sdk/bytes.ts'

/** A number of 0 .. bound - 1. Not for cryptography. */
export type Random = (bound: number) => number

/** Numerical Recipes' 32-bit linear congruence, upper bits: enough to choose mutations. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

export const MAX_INPUT = 64 * 1024

const INTEGERS: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
].concat([
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
])

type Material = { random: Random; seeds: readonly Uint8Array[]; dictionary: readonly Uint8Array[] }
type Mutation = (bytes: Uint8Array, material: Material) => Uint8Array

const replace = (bytes: Uint8Array, at: number, removed: number, put: Uint8Array) =>
  concatBytes(bytes.subarray(0, at), put, bytes.subarray(at + removed))

const pick = <T>(items: readonly T[], random: Random): T | undefined => items[random(items.length)]

/** Lengths are mostly short: the interesting changes are next to each other. */
const span = (limit: number, random: Random) =>
  1 + random(Math.min(limit, random(4) === 0 ? 512 : 8))

const flipBit: Mutation = (bytes, { random }) => {
  const copy = Uint8Array.from(bytes)
  const at = random(copy.length)
  copy[at] = (copy[at] ?? 0) ^ (1 << random(8))
  return copy
}

const setByte: Mutation = (bytes, { random }) => {
  const copy = Uint8Array.from(bytes)
  copy[random(copy.length)] = random(256)
  return copy
}

const insert: Mutation = (bytes, { random }) =>
  replace(
    bytes,
    random(bytes.length + 1),
    0,
    Uint8Array.from({ length: span(512, random) }, () => random(256)),
  )

const remove: Mutation = (bytes, { random }) =>
  replace(bytes, random(bytes.length), span(512, random), new Uint8Array())

const truncate: Mutation = (bytes, { random }) => bytes.subarray(0, random(bytes.length))

const integer: Mutation = (bytes, { random }) => {
  const width = pick([1, 2, 4, 8], random) ?? 1
  const value = BigInt.asUintN(8 * width, pick(INTEGERS, random) ?? 0n)
  const big = Uint8Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
  return replace(bytes, random(bytes.length), width, random(2) === 0 ? big : big.reverse())
}

const token: Mutation = (bytes, { random, dictionary }) => {
  const put = pick(dictionary, random) ?? new Uint8Array()
  return replace(bytes, random(bytes.length + 1), random(2) === 0 ? 0 : put.length, put)
}

/** A decimal number of the text becomes another one. */
const digits: Mutation = (bytes, { random }) => {
  const starts = [...bytes.keys()].filter((i) => isDigit(bytes[i]) && !isDigit(bytes[i - 1]))
  const at = pick(starts, random)
  if (at === undefined) return bytes
  let end = at
  while (isDigit(bytes[end])) end++
  const value = pick(INTEGERS, random) ?? 0n
  return replace(bytes, at, end - at, utf8ToBytes(`${random(3) === 0 ? -value : value}`))
}
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39

const splice: Mutation = (bytes, { random, seeds }) => {
  const other = pick(seeds, random) ?? bytes
  const at = random(bytes.length)
  // Half of the time at the same place, so that fields of fixed offsets stay whole.
  return concatBytes(
    bytes.subarray(0, at),
    other.subarray(random(2) === 0 ? at : random(other.length)),
  )
}

const copyWithin: Mutation = (bytes, { random }) => {
  const from = random(bytes.length)
  const part = bytes.slice(from, from + span(512, random))
  return replace(bytes, random(bytes.length + 1), random(2) === 0 ? 0 : part.length, part)
}

const repeat: Mutation = (bytes, { random }) => {
  const from = random(bytes.length)
  const part = bytes.slice(from, from + span(64, random))
  const times = 1 + random(random(8) === 0 ? 2000 : 8)
  return replace(bytes, from, 0, concatBytes(...Array.from({ length: times }, () => part)))
}

const BRACKETS = ['[]', '{}', '()', '""'].map(utf8ToBytes)
const nest: Mutation = (bytes, { random }) => {
  const [open = 0, close = 0] = pick(BRACKETS, random) ?? []
  const depth = 1 + random(random(8) === 0 ? 5000 : 40)
  const at = random(bytes.length + 1)
  const body = bytes.subarray(at, at + random(16))
  const put = concatBytes(new Uint8Array(depth).fill(open), body, new Uint8Array(depth).fill(close))
  return replace(bytes, at, body.length, put)
}

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  insert,
  remove,
  truncate,
  integer,
  integer,
  token,
  token,
  digits,
  splice,
  copyWithin,
  repeat,
  nest,
]

/**
 * One to four changes on top of each other; never longer than {@link MAX_INPUT} unless a seed is. Half of the time of one of
 * `found`, inputs that reached new code: most of these are refused, and what is refused early hides what comes later.
 */
export function createMutator(
  seeds: readonly Uint8Array[],
  dictionary: readonly (string | Uint8Array)[],
  random: Random,
  found: readonly Uint8Array[] = [],
): () => Uint8Array {
  const tokens = dictionary.map((item) => (typeof item === 'string' ? utf8ToBytes(item) : item))
  const material = { random, seeds, dictionary: tokens }
  return () => {
    const from = found.length > 0 && random(2) === 0 ? found : seeds
    let bytes = pick(from, random) ?? new Uint8Array()
    for (let changes = 1 + random(4); changes > 0; changes--) {
      const mutation = bytes.length === 0 ? insert : (pick(MUTATIONS, random) ?? flipBit)
      const changed = mutation(bytes, material)
      if (changed.length <= Math.max(MAX_INPUT, bytes.length)) bytes = changed
    }
    return Uint8Array.from(bytes)
  }
}
