/**
 * Shamir sharing over Fr with Feldman commitments in G2, and the tests that make a table of public
 * shares trustworthy without its polynomial.
 *
 * Sources: Shamir 1979; Feldman, "A practical scheme for non-interactive verifiable secret sharing", 1987;
 * Cascudo and David, "SCRAPE", ACNS 2017, for the dual-code test of the degree.
 * @module
 */
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { randomBytes } from '@noble/hashes/utils.js'
import { EigenxError } from '../errors.ts'
import {
  equalG2,
  type G2Point,
  g2Msm,
  isInfinityG2,
  multiplyG2Generator,
  publicShareOf,
  type Rng,
  randomScalar,
} from './bls.ts'

const { Fr } = bls12_381.fields

/** A dealer's polynomial a_0 + a_1·x + …: every coefficient is secret. */
export type Polynomial = readonly bigint[]

/**
 * @param constant - The secret to share, in 1..r-1.
 * @param degree - t - 1.
 * @returns degree + 1 coefficients; the leading one is never zero, so the degree is exact.
 * @throws SHARE_INVALID when the constant is zero or not reduced.
 */
export function randomPolynomial(
  constant: bigint,
  degree: number,
  rng: Rng = randomBytes,
): bigint[] {
  if (!Fr.isValidNot0(constant)) throw shareInvalid('zero', 'the shared secret must lie in 1..r-1')
  if (!Number.isSafeInteger(degree) || degree < 0) throw new RangeError('a degree is not negative')
  return [constant, ...Array.from({ length: degree }, () => randomScalar(rng))]
}

/** f(x) mod r by Horner's rule. */
export function evaluatePolynomial(polynomial: Polynomial, x: bigint): bigint {
  return polynomial.reduceRight((sum, coefficient) => Fr.add(Fr.mul(sum, x), coefficient), Fr.ZERO)
}

/** a_i·G2 for each coefficient, 96 bytes each: public. @throws SHARE_INVALID for a zero coefficient. */
export function commitPolynomial(polynomial: Polynomial): Uint8Array[] {
  return polynomial.map(publicShareOf)
}

/** Σ x^i·C_i: the public share of x. */
export function evaluateCommitment(commitment: readonly G2Point[], x: bigint): G2Point {
  let power = Fr.ONE
  const powers = commitment.map(() => {
    const current = power
    power = Fr.mul(power, x)
    return current
  })
  return g2Msm(commitment, powers)
}

/** Feldman's check share·G2 = Σ x^i·C_i. A zero share never passes. */
export function shareMatchesCommitment(
  share: bigint,
  x: bigint,
  commitment: readonly G2Point[],
): boolean {
  if (!Fr.isValidNot0(share)) return false
  return equalG2(multiplyG2Generator(share), evaluateCommitment(commitment, x))
}

/**
 * λ_i = Π_{j≠i} x_j / (x_j - x_i), so that f(0) = Σ λ_i·f(x_i) for every f of degree < xs.length.
 * @throws SHARE_INVALID when an x is zero, not reduced, or repeats.
 */
export function lagrangeAtZero(xs: readonly bigint[]): bigint[] {
  return inverseDifferences(xs).map(({ inverse }, i) =>
    // Π (-x_j) / (x_i - x_j) is the same product with both signs turned.
    xs.reduce((product, x, j) => (i === j ? product : Fr.mul(product, Fr.neg(x))), inverse),
  )
}

/** The value at 0 of the polynomial through the points, in the exponent. */
export function interpolateAtZeroG2(xs: readonly bigint[], points: readonly G2Point[]): G2Point {
  if (xs.length !== points.length) throw new RangeError('one point belongs to each x')
  return g2Msm(points, lagrangeAtZero(xs))
}

/**
 * Whether the points lie on one polynomial of degree < threshold, in the exponent.
 *
 * The vectors (p(x_j)·Π_{i≠j} 1/(x_j - x_i))_j with deg p < n - t are the dual of that code; a random one
 * is orthogonal to a wrong table with probability 1/r only.
 * @param rng - Must not be predictable by whoever made the points.
 * @throws SHARE_INVALID when an x is zero, not reduced, or repeats.
 */
export function passesDegreeTest(
  xs: readonly bigint[],
  points: readonly G2Point[],
  threshold: number,
  rng: Rng = randomBytes,
): boolean {
  if (xs.length !== points.length || threshold < 1 || xs.length < threshold) return false
  const weights = inverseDifferences(xs)
  const spare = xs.length - threshold
  // Any t points lie on some polynomial of degree t - 1.
  if (spare === 0) return true
  const codeword = Array.from({ length: spare }, () => randomScalar(rng))
  return isInfinityG2(
    g2Msm(
      points,
      weights.map(({ x, inverse }) => Fr.mul(evaluatePolynomial(codeword, x), inverse)),
    ),
  )
}

/** Π_{j≠i} 1/(x_i - x_j) beside each x_i. */
function inverseDifferences(xs: readonly bigint[]): { x: bigint; inverse: bigint }[] {
  if (xs.some((x) => !Fr.isValidNot0(x))) throw shareInvalid('zero', 'every x must lie in 1..r-1')
  if (new Set(xs).size !== xs.length) throw shareInvalid('duplicate', 'an x repeats')
  const products = xs.map((x) =>
    xs.reduce(
      (product, other) => (other === x ? product : Fr.mul(product, Fr.sub(x, other))),
      Fr.ONE,
    ),
  )
  const inverses = Fr.invertBatch(products)
  return xs.map((x, i) => ({ x, inverse: inverses[i] as bigint }))
}

function shareInvalid(reason: 'duplicate' | 'zero', message: string): EigenxError {
  return new EigenxError({ code: 'SHARE_INVALID', message, stage: 'crypto', details: { reason } })
}
