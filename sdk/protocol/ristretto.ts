/**
 * The prime-order group in which shares travel: ristretto255 (RFC 9496), keys, Diffie-Hellman values, and the two
 * non-interactive proofs (Fiat-Shamir over SHA-512) that make a dealing sound and a complaint transferable.
 *
 * - Schnorr: knowledge of x with X = x·B.
 * - Chaum-Pedersen (DLEQ): the same x in X = x·B and Y = x·P.
 *
 * A proof is c || s, 32 bytes each, little-endian and reduced. The context names what the proof is for, so it cannot be moved.
 * @module
 */
import { ristretto255 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, frame, utf8ToBytes } from '../bytes.ts'
import type { Rng } from '../crypto/bls.ts'

const { Point } = ristretto255
const { Fn } = Point
type Point = InstanceType<typeof Point>

export const RISTRETTO_BYTES = 32
export const PROOF_BYTES = 64

/** Reduces 64 uniform bytes to a scalar; zero (probability 2^-252) becomes one. */
function scalarFromWide(bytes: Uint8Array): bigint {
  if (bytes.length !== 64) throw new RangeError('a wide scalar has 64 bytes')
  const value = fromLittleEndian(bytes) % Fn.ORDER
  return value === 0n ? 1n : value
}

/** A fresh secret scalar. */
export function randomRistrettoScalar(rng: Rng): bigint {
  return scalarFromWide(rng(64))
}

export function serializeRistrettoScalar(scalar: bigint): Uint8Array {
  return Fn.toBytes(scalar)
}

/** @returns The scalar in 1..l-1, or `undefined`. */
export function parseRistrettoScalar(bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== 32) return undefined
  const value = fromLittleEndian(bytes)
  return value > 0n && value < Fn.ORDER ? value : undefined
}

/** Whether the bytes are a canonical point other than the identity. */
export function isRistrettoPoint(bytes: Uint8Array): boolean {
  return parsePoint(bytes) !== undefined
}

/** secret·B, 32 bytes. */
export function ristrettoPublicKey(secret: bigint): Uint8Array {
  return Point.BASE.multiply(secret).toBytes()
}

/** secret·P, 32 bytes; `undefined` when P is not a point. */
export function diffieHellman(secret: bigint, point: Uint8Array): Uint8Array | undefined {
  return parsePoint(point)?.multiply(secret).toBytes()
}

/** @param nonce - Secret, never used for another statement. */
export function proveKnowledge(secret: bigint, context: Uint8Array, nonce: bigint): Uint8Array {
  const statement = ristrettoPublicKey(secret)
  const commitment = ristrettoPublicKey(nonce)
  return answer(secret, nonce, challenge('knowledge', context, [statement, commitment]))
}

export function verifyKnowledge(
  publicKey: Uint8Array,
  context: Uint8Array,
  proof: Uint8Array,
): boolean {
  const key = parsePoint(publicKey)
  const parts = parseProof(proof)
  if (key === undefined || parts === undefined) return false
  const commitment = recommit(Point.BASE, key, parts)
  return parts.c === challenge('knowledge', context, [publicKey, commitment.toBytes()])
}

/** Proves that `shared` = secret·point and the public key = secret·B. @param nonce - As above. */
export function proveSameSecret(
  input: { secret: bigint; point: Uint8Array; shared: Uint8Array; context: Uint8Array },
  nonce: bigint,
): Uint8Array {
  const { secret, point, shared, context } = input
  const onPoint = diffieHellman(nonce, point)
  if (onPoint === undefined) throw new RangeError('the point must be valid')
  const c = challenge('same-secret', context, [
    ristrettoPublicKey(secret),
    point,
    shared,
    ristrettoPublicKey(nonce),
    onPoint,
  ])
  return answer(secret, nonce, c)
}

export function verifySameSecret(
  input: { publicKey: Uint8Array; point: Uint8Array; shared: Uint8Array; context: Uint8Array },
  proof: Uint8Array,
): boolean {
  const key = parsePoint(input.publicKey)
  const point = parsePoint(input.point)
  const shared = parsePoint(input.shared)
  const parts = parseProof(proof)
  if (key === undefined || point === undefined || shared === undefined || parts === undefined)
    return false
  const c = challenge('same-secret', input.context, [
    input.publicKey,
    input.point,
    input.shared,
    recommit(Point.BASE, key, parts).toBytes(),
    recommit(point, shared, parts).toBytes(),
  ])
  return parts.c === c
}

function answer(secret: bigint, nonce: bigint, c: bigint): Uint8Array {
  return concatBytes(Fn.toBytes(c), Fn.toBytes(Fn.add(nonce, Fn.mul(c, secret))))
}

/** s·base - c·image: public values, so variable time is fine. */
function recommit(base: Point, image: Point, { c, s }: { c: bigint; s: bigint }): Point {
  return base.multiplyUnsafe(s).add(image.multiplyUnsafe(Fn.neg(c)))
}

function challenge(kind: string, context: Uint8Array, points: readonly Uint8Array[]): bigint {
  const label = utf8ToBytes(`eigenx-tee/${kind}/v1`)
  return scalarFromWide(sha512(frame([label, context, ...points], 4)))
}

function parseProof(proof: Uint8Array): { c: bigint; s: bigint } | undefined {
  if (proof.length !== PROOF_BYTES) return undefined
  const c = parseRistrettoScalar(proof.subarray(0, 32))
  const s = fromLittleEndian(proof.subarray(32))
  return c === undefined || s >= Fn.ORDER ? undefined : { c, s }
}

function parsePoint(bytes: Uint8Array): Point | undefined {
  if (bytes.length !== RISTRETTO_BYTES) return undefined
  try {
    const point = Point.fromBytes(bytes)
    return point.is0() || !equalBytes(point.toBytes(), bytes) ? undefined : point
  } catch {
    return undefined
  }
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number)
  return value
}
