/**
 * The twin of `sdk/crypto/bls.ts` for long simulations: the same interface, scalar field, encoding lengths and errors, over groups in
 * which an element *is* its discrete logarithm. Every equation that holds in the curve holds here and the other way round,
 * at a thousandth of the cost; nothing is secret. What a twin cannot show is what depends on the curve itself: points off the
 * curve or outside the subgroup, and hardness.
 *
 * An element is written as flags, zeros and its logarithm, 32 bytes big-endian.
 *
 * Nothing in the package can reach this file: see `swap.ts`.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, fromUintBE, isZero, uintBE, utf8ToBytes } from '../../sdk/bytes.ts'
import {
  CURVE_ORDER,
  type CurvePoint,
  G1_BYTES,
  type G1Point,
  G2_BYTES,
  type G2Point,
  type GtElement,
  operatorX,
  parseScalar,
  type Rng,
  randomScalar,
  serializeScalar,
  thresholdOf,
} from '../../sdk/crypto/bls.ts'
import { EigenxError } from '../../sdk/errors.ts'

export {
  CURVE_ORDER,
  type CurvePoint,
  G1_BYTES,
  type G1Point,
  G2_BYTES,
  type G2Point,
  type GtElement,
  operatorX,
  parseScalar,
  type Rng,
  randomScalar,
  serializeScalar,
  thresholdOf,
}

type Element = { readonly log: bigint }

const COMPRESSED = 0x80
const INFINITY = 0x40
const GT_BYTES = 576

const open = (element: CurvePoint | G2Point | GtElement): bigint =>
  (element as unknown as Element).log
const seal = <T>(log: bigint): T => ({ log: mod(log) }) as T

function mod(value: bigint): bigint {
  const rest = value % CURVE_ORDER
  return rest < 0n ? rest + CURVE_ORDER : rest
}

export const G2_GENERATOR: G2Point = seal(1n)

export function parseG1(bytes: Uint8Array): G1Point {
  return checkSubgroup(decodeG1(bytes))
}

export function decodeG1(bytes: Uint8Array): CurvePoint {
  return seal(decode(bytes, G1_BYTES))
}

export function checkSubgroup(point: CurvePoint): G1Point {
  if (isInfinityG1(point)) throw pointInvalid('infinity', 'the point at infinity is no key')
  return seal(open(point))
}

export function parseG2(bytes: Uint8Array): G2Point {
  return seal(decode(bytes, G2_BYTES))
}

export const parsePublicKeyG2 = (bytes: Uint8Array): G2Point => parseG2(bytes)

function decode(bytes: Uint8Array, length: number): bigint {
  if (bytes.length !== length) throw pointInvalid('encoding', `a point has ${length} bytes`)
  const [flags = 0] = bytes
  if ((flags & INFINITY) !== 0) throw pointInvalid('infinity', 'the point at infinity is no key')
  const log = fromUintBE(bytes.subarray(length - 32))
  const canonical =
    flags === COMPRESSED && isZero(bytes.subarray(1, length - 32)) && log < CURVE_ORDER
  if (!canonical || log === 0n) throw pointInvalid('encoding', 'not an element of the twin')
  return log
}

export function serializeG1(point: G1Point): Uint8Array {
  return encode(open(point), G1_BYTES)
}

export function serializeG2(point: G2Point): Uint8Array {
  return encode(open(point), G2_BYTES)
}

function encode(log: bigint, length: number): Uint8Array {
  if (log === 0n) throw pointInvalid('infinity', 'the point at infinity is no key')
  const bytes = new Uint8Array(length)
  bytes.set(uintBE(log, 32), length - 32)
  bytes[0] = COMPRESSED
  return bytes
}

export function isInfinityG1(point: CurvePoint): boolean {
  return open(point) === 0n
}

export function isInfinityG2(point: G2Point): boolean {
  return open(point) === 0n
}

export function equalG1(a: G1Point, b: G1Point): boolean {
  return open(a) === open(b)
}

export function equalG2(a: G2Point, b: G2Point): boolean {
  return open(a) === open(b)
}

export function addG2(a: G2Point, b: G2Point): G2Point {
  return seal(open(a) + open(b))
}

export function hashToG1(appId: string): G1Point {
  const wide = [0, 1].map((part) => sha256(concatBytes(Uint8Array.of(part), utf8ToBytes(appId))))
  return seal((fromUintBE(concatBytes(...wide)) % (CURVE_ORDER - 1n)) + 1n)
}

export function multiplyG1(point: G1Point, scalar: bigint): G1Point {
  return seal(open(point) * checked(scalar))
}

export function multiplyG2Generator(scalar: bigint): G2Point {
  return seal(checked(scalar))
}

export function g1Msm(points: readonly G1Point[], scalars: readonly bigint[]): G1Point
export function g1Msm(points: readonly CurvePoint[], scalars: readonly bigint[]): CurvePoint
export function g1Msm(points: readonly CurvePoint[], scalars: readonly bigint[]): CurvePoint {
  return seal(sumOf(points.map(open), scalars))
}

export function g2Msm(points: readonly G2Point[], scalars: readonly bigint[]): G2Point {
  return seal(sumOf(points.map(open), scalars))
}

function sumOf(logs: readonly bigint[], scalars: readonly bigint[]): bigint {
  if (logs.length !== scalars.length) throw new RangeError('one scalar belongs to each point')
  return logs.reduce((sum, log, i) => sum + log * (scalars[i] ?? 0n), 0n)
}

export function negateG1(point: G1Point): G1Point {
  return seal(-open(point))
}

export function pairing(g1: G1Point, g2: G2Point): GtElement {
  return seal(product([{ g1, g2 }]))
}

export function pairingProductIsOne(pairs: readonly { g1: G1Point; g2: G2Point }[]): boolean {
  return mod(product(pairs)) === 0n
}

function product(pairs: readonly { g1: G1Point; g2: G2Point }[]): bigint {
  return pairs.reduce((sum, { g1, g2 }) => {
    if (isInfinityG1(g1) || isInfinityG2(g2))
      throw pointInvalid('infinity', 'the point at infinity has no place in a pairing')
    return sum + open(g1) * open(g2)
  }, 0n)
}

export function serializeGt(element: GtElement): Uint8Array {
  return uintBE(open(element), GT_BYTES)
}

export function partialSign(share: bigint, appId: string): Uint8Array {
  return serializeG1(multiplyG1(hashToG1(appId), share))
}

export function publicShareOf(share: bigint): Uint8Array {
  return serializeG2(multiplyG2Generator(share))
}

/** @throws SHARE_INVALID */
function checked(scalar: bigint): bigint {
  if (scalar > 0n && scalar < CURVE_ORDER) return scalar
  serializeScalar(scalar)
  return scalar
}

function pointInvalid(reason: 'encoding' | 'infinity', message: string): EigenxError {
  return new EigenxError({ code: 'POINT_INVALID', message, stage: 'crypto', details: { reason } })
}
