/**
 * BLS12-381: the only file that touches curve points, so that another engine can take its place.
 *
 * Points go in and out as compressed bytes (ZCash flags, 48 and 96 bytes); inside the package they
 * are opaque. Parsing is strict: exact length, compressed, canonical, on the curve, in the subgroup,
 * never infinity. Hashing is RFC 9380, suite `BLS12381G1_XMD:SHA-256_SSWU_RO_`, under the DST below.
 *
 * Secret scalars only ever go through `multiply`, whose sequence of point operations does not depend
 * on the scalar; multi-scalar multiplications and pairings here are for public values.
 * JavaScript's integers promise no constant time below that.
 * @module
 */
import { mulAddUnsafe, pippenger } from '@noble/curves/abstract/curve.js'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { randomBytes } from '@noble/hashes/utils.js'
import {
  bytesToHex,
  concatBytes,
  equalBytes,
  fromUintBE,
  parseHex,
  uintBE,
  utf8ToBytes,
} from '../bytes.ts'
import type { Address } from '../chain/types.ts'
import { EigenxError } from '../errors.ts'

const { Fp, Fp12, Fr } = bls12_381.fields
const NobleG1 = bls12_381.G1.Point
const NobleG2 = bls12_381.G2.Point
type NobleG1 = InstanceType<typeof NobleG1>
type NobleG2 = InstanceType<typeof NobleG2>
type Lines = ReturnType<typeof bls12_381.utils.calcPairingPrecomputes>

declare const group: unique symbol
/** A point of E(Fp): on the curve, perhaps outside the subgroup. */
export type CurvePoint = { readonly [group]: 'E' | 'G1' }
/** A point of the order-r subgroup of E(Fp). */
export type G1Point = { readonly [group]: 'G1' }
/** A point of the order-r subgroup of the twist. */
export type G2Point = { readonly [group]: 'G2' }
/** An element of the target group. */
export type GtElement = { readonly [group]: 'GT' }

/** Fills `length` bytes with randomness. */
export type Rng = (length: number) => Uint8Array

/** r, the order of G1, G2 and GT. */
export const CURVE_ORDER: bigint = Fr.ORDER
export const G1_BYTES = 48
export const G2_BYTES = 96

const HASH_TO_G1_DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_'

// ZCash point flags, in the top bits of the first byte.
const COMPRESSED = 0x80
const LARGER_Y = 0x20
const X_MASK = (1n << 381n) - 1n
/** y² = x³ + 4 */
const CURVE_B = 4n

/** Up to this many points a shared doubling chain beats buckets (measured). */
const STRAUSS_LIMIT = 64

// The opaque types and the engine's classes are the same objects: these functions are the whole boundary.
const openG1 = (point: CurvePoint): NobleG1 => point as unknown as NobleG1
const openG2 = (point: G2Point): NobleG2 => point as unknown as NobleG2
const sealG1 = (point: NobleG1): G1Point => point as unknown as G1Point
const sealG2 = (point: NobleG2): G2Point => point as unknown as G2Point
type NobleGt = ReturnType<typeof bls12_381.pairing>
const openGt = (element: GtElement): NobleGt => element as unknown as NobleGt
const sealGt = (element: NobleGt): GtElement => element as unknown as GtElement

export const G2_GENERATOR: G2Point = sealG2(NobleG2.BASE)

/** @throws POINT_INVALID */
export function parseG1(bytes: Uint8Array): G1Point {
  return checkSubgroup(decodeG1(bytes))
}

/**
 * The strict parse without its costliest step, for sums whose total goes through {@link checkSubgroup}.
 * @throws POINT_INVALID
 */
export function decodeG1(bytes: Uint8Array): CurvePoint {
  if (bytes.length !== G1_BYTES)
    throw pointInvalid('encoding', `a point of G1 has ${G1_BYTES} bytes`)
  const flags = (bytes[0] ?? 0) & 0xe0
  if ((flags & 0xc0) === 0xc0) throw pointInvalid('infinity', 'the point at infinity is no key')
  if ((flags & 0x80) === 0) throw pointInvalid('encoding', 'a point is sent compressed')
  const x = fromUintBE(bytes) & X_MASK
  // x >= p would be a second name of another point.
  if (x >= Fp.ORDER) throw pointInvalid('encoding', 'the encoding of the point is not canonical')
  try {
    const root = Fp.sqrt(Fp.add(Fp.mul(Fp.sqr(x), x), CURVE_B))
    const y = isLarger(root) === ((flags & LARGER_Y) !== 0) ? root : Fp.neg(root)
    return sealG1(NobleG1.fromAffine({ x, y }))
  } catch (cause) {
    throw pointInvalid('encoding', 'no point of the curve has this coordinate', cause)
  }
}

/** @throws POINT_INVALID when the point is infinity or outside the subgroup. */
export function checkSubgroup(point: CurvePoint): G1Point {
  const inner = openG1(point)
  if (inner.is0()) throw pointInvalid('infinity', 'the point at infinity is no key')
  if (!inner.isTorsionFree()) throw pointInvalid('subgroup', 'the point is outside the subgroup')
  return sealG1(inner)
}

function isLarger(y: bigint): boolean {
  return 2n * y > Fp.ORDER
}

/** @throws POINT_INVALID */
export function parseG2(bytes: Uint8Array): G2Point {
  if (bytes.length !== G2_BYTES)
    throw pointInvalid('encoding', `a point of G2 has ${G2_BYTES} bytes`)
  let point: NobleG2
  try {
    point = NobleG2.fromBytes(bytes)
  } catch (cause) {
    const outside = cause instanceof Error && cause.message.includes('subgroup')
    throw outside
      ? pointInvalid('subgroup', 'the point is outside the subgroup', cause)
      : pointInvalid('encoding', 'not a point of the curve', cause)
  }
  if (point.is0()) throw pointInvalid('infinity', 'the point at infinity is no key')
  // The engine reduces a coordinate >= p instead of refusing it; one point, one encoding.
  if (!equalBytes(point.toBytes(), bytes))
    throw pointInvalid('encoding', 'the encoding of the point is not canonical')
  return sealG2(point)
}

/**
 * As {@link parseG2}, and remembers the point: for the master public key and the public shares, which a
 * process meets again and again. Never for points that a stranger chooses.
 * @throws POINT_INVALID
 */
export function parsePublicKeyG2(bytes: Uint8Array): G2Point {
  return remember(publicKeys, bytesToHex(bytes), () => parseG2(bytes))
}

/** Compressed, 48 bytes. @throws POINT_INVALID for infinity. */
export function serializeG1(point: G1Point): Uint8Array {
  if (isInfinityG1(point)) throw pointInvalid('infinity', 'the point at infinity is no key')
  // The engine's encoder checks the subgroup again, which costs as much as half a multiplication.
  const { x, y } = openG1(point).toAffine()
  const bytes = uintBE(x, G1_BYTES)
  bytes[0] = (bytes[0] ?? 0) | COMPRESSED | (isLarger(y) ? LARGER_Y : 0)
  return bytes
}

/** Compressed, 96 bytes. @throws POINT_INVALID for infinity. */
export function serializeG2(point: G2Point): Uint8Array {
  if (isInfinityG2(point)) throw pointInvalid('infinity', 'the point at infinity is no key')
  return openG2(point).toBytes()
}

export function isInfinityG1(point: CurvePoint): boolean {
  return openG1(point).is0()
}

export function isInfinityG2(point: G2Point): boolean {
  return openG2(point).is0()
}

export function equalG1(a: G1Point, b: G1Point): boolean {
  return openG1(a).equals(openG1(b))
}

export function equalG2(a: G2Point, b: G2Point): boolean {
  return openG2(a).equals(openG2(b))
}

export function addG2(a: G2Point, b: G2Point): G2Point {
  return sealG2(openG2(a).add(openG2(b)))
}

/**
 * H1 of the identity-based scheme. The message is the app id's UTF-8 text exactly as given: no
 * lower-casing, no address parsing, so `0xAB…` and `0xab…` are different identities.
 */
export function hashToG1(appId: string): G1Point {
  // The engine clears the cofactor and checks the result.
  const hash = () =>
    sealG1(bls12_381.G1.hashToCurve(utf8ToBytes(appId), { DST: HASH_TO_G1_DST }) as NobleG1)
  return appId.length > MAX_REMEMBERED_ID ? hash() : remember(hashes, appId, hash)
}

/** scalar·point with the fixed sequence of operations; for secret scalars. @throws SHARE_INVALID */
export function multiplyG1(point: G1Point, scalar: bigint): G1Point {
  return sealG1(openG1(point).multiply(checkScalar(scalar)))
}

/** scalar·G2 with the fixed sequence of operations; for secret scalars. @throws SHARE_INVALID */
export function multiplyG2Generator(scalar: bigint): G2Point {
  return sealG2(NobleG2.BASE.multiply(checkScalar(scalar)))
}

/** Σ scalars[i]·points[i]. Variable time: public values only. */
export function g1Msm(points: readonly G1Point[], scalars: readonly bigint[]): G1Point
/** The order of E(Fp) is odd, so the engine's formulas are complete outside the subgroup too. */
export function g1Msm(points: readonly CurvePoint[], scalars: readonly bigint[]): CurvePoint
export function g1Msm(points: readonly CurvePoint[], scalars: readonly bigint[]): CurvePoint {
  const inputs = points.map(openG1)
  return sealG1(
    inputs.length <= STRAUSS_LIMIT
      ? mulAddUnsafe(NobleG1, inputs, reduceAll(scalars))
      : pippenger(NobleG1, inputs, reduceAll(scalars)),
  )
}

/** Σ scalars[i]·points[i]. Variable time: public values only. */
export function g2Msm(points: readonly G2Point[], scalars: readonly bigint[]): G2Point {
  const inputs = points.map(openG2)
  return sealG2(
    inputs.length <= STRAUSS_LIMIT
      ? mulAddUnsafe(NobleG2, inputs, reduceAll(scalars))
      : pippenger(NobleG2, inputs, reduceAll(scalars)),
  )
}

function reduceAll(scalars: readonly bigint[]): bigint[] {
  return scalars.map((scalar) => Fr.create(scalar))
}

export function negateG1(point: G1Point): G1Point {
  return sealG1(openG1(point).negate())
}

/** e(g1, g2). @throws POINT_INVALID for infinity: it would make the result a constant. */
export function pairing(g1: G1Point, g2: G2Point): GtElement {
  return sealGt(pairingProduct([{ g1, g2 }]))
}

/** Whether Π e(g1_i, g2_i) = 1. @throws POINT_INVALID for infinity. */
export function pairingProductIsOne(pairs: readonly { g1: G1Point; g2: G2Point }[]): boolean {
  return Fp12.eql(pairingProduct(pairs), Fp12.ONE)
}

function pairingProduct(pairs: readonly { g1: G1Point; g2: G2Point }[]): NobleGt {
  const loops = pairs.map(({ g1, g2 }): [Lines, bigint, bigint] => {
    if (isInfinityG1(g1) || isInfinityG2(g2))
      throw pointInvalid('infinity', 'the point at infinity has no place in a pairing')
    const { x, y } = openG1(g1).toAffine()
    return [linesOf(g2), x, y]
  })
  return Fp12.finalExponentiate(bls12_381.millerLoopBatch(loops))
}

/** The Miller loop's line coefficients depend on the G2 side only; they live as long as the point. */
function linesOf(point: G2Point): Lines {
  const known = lines.get(point)
  if (known !== undefined) return known
  const computed = bls12_381.utils.calcPairingPrecomputes(openG2(point))
  lines.set(point, computed)
  return computed
}

/**
 * 576 bytes: the twelve Fp coordinates from C1.B2.A1 down to C0.B0.A0, each 48 bytes big-endian. That is the
 * order of gnark-crypto, the reverse of the tower order that the engine writes.
 */
export function serializeGt(element: GtElement): Uint8Array {
  const tower = Fp12.toBytes(openGt(element))
  return concatBytes(
    ...Array.from({ length: 12 }, (_, i) => tower.subarray(576 - 48 * (i + 1), 576 - 48 * i)),
  )
}

/** keccak256 of the 20 raw address bytes, big-endian, mod r. @throws REQUEST_INVALID */
export function operatorX(address: Address): bigint {
  return remember(coordinates, address, () => coordinateOf(address))
}

function coordinateOf(address: Address): bigint {
  const bytes = parseHex(address, 20)
  if (bytes === undefined || !address.startsWith('0x'))
    throw new EigenxError({
      code: 'REQUEST_INVALID',
      message: 'an operator is named by 0x and 40 hex digits',
      stage: 'crypto',
      details: { path: 'operator' },
    })
  return Fr.create(fromUintBE(keccak_256(bytes)))
}

/** t = ceil(2n/3): any t shares reconstruct, fewer tell nothing. */
export function thresholdOf(operators: number): number {
  if (!Number.isSafeInteger(operators) || operators < 1)
    throw new RangeError('an operator set has at least one member')
  return Math.floor((2 * operators + 2) / 3)
}

/** share·H1(appId), 48 bytes: one operator's part of the app key. @throws SHARE_INVALID */
export function partialSign(share: bigint, appId: string): Uint8Array {
  return serializeG1(multiplyG1(hashToG1(appId), share))
}

/** share·G2, 96 bytes. @throws SHARE_INVALID */
export function publicShareOf(share: bigint): Uint8Array {
  return serializeG2(multiplyG2Generator(share))
}

/** Uniform in 1..r-1 up to 2^-129: 48 random bytes reduced mod r-1. */
export function randomScalar(rng: Rng = randomBytes): bigint {
  return (fromUintBE(rng(48)) % (CURVE_ORDER - 1n)) + 1n
}

/** 32 bytes big-endian, in 1..r-1. @throws SHARE_INVALID */
export function parseScalar(bytes: Uint8Array): bigint {
  if (bytes.length !== 32) throw shareInvalid('encoding', 'a scalar has 32 bytes')
  return checkScalar(fromUintBE(bytes))
}

/** 32 bytes big-endian. @throws SHARE_INVALID */
export function serializeScalar(scalar: bigint): Uint8Array {
  return uintBE(checkScalar(scalar), 32)
}

function checkScalar(scalar: bigint): bigint {
  if (scalar === 0n) throw shareInvalid('zero', 'a scalar must not be zero')
  if (scalar < 0n || scalar >= CURVE_ORDER)
    throw shareInvalid('encoding', 'a scalar must be below the group order')
  return scalar
}

// These caches hold public values and are bounded; the oldest entry goes first.
const CACHE_LIMIT = 256
const MAX_REMEMBERED_ID = 255
const publicKeys = new Map<string, G2Point>()
const hashes = new Map<string, G1Point>()
const coordinates = new Map<string, bigint>()
const lines = new WeakMap<G2Point, Lines>()

function remember<T>(cache: Map<string, T>, key: string, compute: () => T): T {
  const known = cache.get(key)
  if (known !== undefined) return known
  const value = compute()
  if (cache.size >= CACHE_LIMIT) {
    const [oldest] = cache.keys()
    if (oldest !== undefined) cache.delete(oldest)
  }
  cache.set(key, value)
  return value
}

function pointInvalid(
  reason: 'encoding' | 'subgroup' | 'infinity',
  message: string,
  cause?: unknown,
): EigenxError {
  return new EigenxError({
    code: 'POINT_INVALID',
    message,
    stage: 'crypto',
    details: { reason },
    cause,
  })
}

function shareInvalid(reason: 'encoding' | 'zero', message: string): EigenxError {
  return new EigenxError({ code: 'SHARE_INVALID', message, stage: 'crypto', details: { reason } })
}
