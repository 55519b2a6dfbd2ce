/**
 * BLS signatures over BN254 (alt_bn128) as EigenLayer's key registrar and its operators use them: signature in G1, public key in G2.
 *
 *   H = hashToG1(digest): x = digest mod p, then the first x, x+1, … for which x^3 + 3 is a square; y = (x^3 + 3)^((p+1)/4), not normalised
 *   signature = sk·H, 64 bytes x || y (the form of the EIP-196 precompiles)
 *   valid when e(signature, G2) = e(H, PK)
 *
 * What is hashed is always an EIP-712 digest, so a signature for one purpose is none for another. A key that two operators
 * share is refused where the operator set is read; the registrar demands a proof of possession of each key.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import { concatBytes, fromUintBE, type Hex, parseHex, toHex, uintBE } from '../bytes.ts'
import type { Rng } from '../crypto/bls.ts'

const G1 = bn254.G1.Point
const G2 = bn254.G2.Point
const { Fp, Fr, Fp12 } = bn254.fields
type G1Point = InstanceType<typeof G1>
type G2Point = InstanceType<typeof G2>

const SIGNATURE_BYTES = 64
const G2_KEY_BYTES = 128
/** Half of all x fit; the chance of needing more is 2^-1000. */
const MAX_INCREMENTS = 1000

/** The key as the registrar keeps it: G1 x || y, and G2 with the imaginary part of each coordinate first. */
export type Bn254PublicKey = { g1: Hex; g2: Hex }

/** @param digest - 32 bytes. @returns The point that is signed, x || y in 64 bytes. */
export function hashToBn254(digest: Uint8Array): Uint8Array {
  return serializeG1(hashToPoint(digest))
}

function hashToPoint(digest: Uint8Array): G1Point {
  if (digest.length !== 32) throw new RangeError('a digest has 32 bytes')
  let x = fromUintBE(digest) % Fp.ORDER
  for (let i = 0; i < MAX_INCREMENTS; i++) {
    const beta = Fp.add(Fp.mul(Fp.sqr(x), x), 3n)
    const y = Fp.pow(beta, (Fp.ORDER + 1n) / 4n)
    if (Fp.eql(Fp.sqr(y), beta)) return G1.fromAffine({ x, y })
    x = Fp.add(x, 1n)
  }
  throw new RangeError('no point for this digest')
}

/** @returns A scalar of the group's order from 32 bytes, or `undefined` for zero and everything not reduced. */
function parseSecret(privateKey: Uint8Array): bigint | undefined {
  const scalar = fromUintBE(privateKey)
  return privateKey.length === 32 && scalar > 0n && scalar < Fr.ORDER ? scalar : undefined
}

export function isBn254PrivateKey(privateKey: Uint8Array): boolean {
  return parseSecret(privateKey) !== undefined
}

/** A fresh private key, 32 bytes big-endian. */
export function createBn254PrivateKey(rng: Rng): Uint8Array {
  for (;;) {
    const candidate = rng(32)
    candidate[0] = (candidate[0] as number) & 0x3f
    if (isBn254PrivateKey(candidate)) return candidate
  }
}

/** @throws RangeError for bytes that are no private key. */
export function bn254PublicKey(privateKey: Uint8Array): Bn254PublicKey {
  const secret = mustParse(privateKey)
  const { x, y } = G2.BASE.multiply(secret).toAffine()
  return {
    g1: toHex(serializeG1(G1.BASE.multiply(secret))),
    g2: toHex(concatBytes(...[x.c1, x.c0, y.c1, y.c0].map((part) => uintBE(part, 32)))),
  }
}

/** @returns 64 bytes. @throws RangeError for bytes that are no private key. */
export function signBn254(privateKey: Uint8Array, digest: Uint8Array): Uint8Array {
  return serializeG1(hashToPoint(digest).multiply(mustParse(privateKey)))
}

/** Total: any bytes that are no valid signature under a valid key give false. */
export function verifyBn254(
  key: Pick<Bn254PublicKey, 'g2'>,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const point = parseG1(signature)
  const publicKey = parseG2Key(key.g2)
  if (point === undefined || publicKey === undefined) return false
  const product = bn254.pairingBatch([
    { g1: point.negate(), g2: G2.BASE },
    { g1: hashToPoint(digest), g2: publicKey },
  ])
  return Fp12.eql(product, Fp12.ONE)
}

/**
 * Whether G1 and G2 key of a registration belong to one private key.
 * The registrar checks it; so does an operator before it pays for the transaction.
 */
export function isConsistentKey({ g1, g2 }: Bn254PublicKey): boolean {
  const small = parseG1(parseHex(g1, SIGNATURE_BYTES) ?? new Uint8Array(0))
  const large = parseG2Key(g2)
  if (small === undefined || large === undefined) return false
  const product = bn254.pairingBatch([
    { g1: small.negate(), g2: G2.BASE },
    { g1: G1.BASE, g2: large },
  ])
  return Fp12.eql(product, Fp12.ONE)
}

function mustParse(privateKey: Uint8Array): bigint {
  const secret = parseSecret(privateKey)
  if (secret === undefined) throw new RangeError('not a BN254 private key')
  return secret
}

function serializeG1(point: G1Point): Uint8Array {
  const { x, y } = point.toAffine()
  return concatBytes(uintBE(x, 32), uintBE(y, 32))
}

/** Canonical coordinates of a point on the curve, never infinity. The group has no cofactor. */
function parseG1(bytes: Uint8Array): G1Point | undefined {
  if (bytes.length !== SIGNATURE_BYTES) return undefined
  const x = fromUintBE(bytes.subarray(0, 32))
  const y = fromUintBE(bytes.subarray(32))
  if (x >= Fp.ORDER || y >= Fp.ORDER || (x === 0n && y === 0n)) return undefined
  try {
    const point = G1.fromAffine({ x, y })
    point.assertValidity()
    return point
  } catch {
    return undefined
  }
}

function parseG2Key(hex: Hex): G2Point | undefined {
  const bytes = parseHex(hex, G2_KEY_BYTES)
  if (bytes === undefined) return undefined
  const [x1 = 0n, x0 = 0n, y1 = 0n, y0 = 0n] = [0, 32, 64, 96].map((at) =>
    fromUintBE(bytes.subarray(at, at + 32)),
  )
  if ([x1, x0, y1, y0].some((part) => part >= Fp.ORDER)) return undefined
  if ([x1, x0, y1, y0].every((part) => part === 0n)) return undefined
  try {
    const point = G2.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } })
    // The twist has a cofactor: a point outside the subgroup would break the pairing's meaning.
    point.assertValidity()
    return point.isTorsionFree() ? point : undefined
  } catch {
    return undefined
  }
}
