import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  CURVE_ORDER,
  equalG2,
  parseG2,
  publicShareOf,
  randomScalar,
  serializeG2,
} from '../../../sdk/crypto/bls.ts'
import * as shamir from '../../../sdk/crypto/shamir.ts'

const scalar = fc.bigInt(1n, CURVE_ORDER - 1n)
/** A threshold, and distinct x of at least that many holders. */
const setting = fc
  .integer({ min: 1, max: 6 })
  .chain((threshold) =>
    fc.tuple(
      fc.constant(threshold),
      fc.uniqueArray(scalar, { minLength: threshold, maxLength: threshold + 3 }),
    ),
  )
const shareInvalid = (reason: string) =>
  expect.objectContaining({ code: 'SHARE_INVALID', details: { reason } })

function sumAtZero(xs: readonly bigint[], shares: readonly bigint[]): bigint {
  const weights = shamir.lagrangeAtZero(xs)
  return weights.reduce((sum, w, i) => (sum + w * (shares[i] ?? 0n)) % CURVE_ORDER, 0n)
}

describe('sharing', () => {
  prop.prop([scalar, setting, fc.integer({ min: 0, max: 2 ** 30 })], { numRuns: 60 })(
    'any t shares give the secret, t - 1 do not',
    (secret, [threshold, xs], salt) => {
      const polynomial = shamir.randomPolynomial(secret, threshold - 1)
      const shares = xs.map((x) => shamir.evaluatePolynomial(polynomial, x))
      const offset = salt % (xs.length - threshold + 1)
      const chosen = xs.slice(offset, offset + threshold)
      const values = shares.slice(offset, offset + threshold)
      expect(sumAtZero(chosen, values)).toBe(secret)
      expect(sumAtZero(xs, shares)).toBe(secret)
      if (threshold > 1) expect(sumAtZero(chosen.slice(1), values.slice(1))).not.toBe(secret)
    },
  )

  test('the constant must be a non-zero scalar and the degree a natural number', () => {
    expect(() => shamir.randomPolynomial(0n, 2)).toThrow(shareInvalid('zero'))
    expect(() => shamir.randomPolynomial(CURVE_ORDER, 2)).toThrow(shareInvalid('zero'))
    for (const degree of [-1, 0.5, Number.NaN])
      expect(() => shamir.randomPolynomial(1n, degree)).toThrow(RangeError)
    expect(shamir.randomPolynomial(3n, 0)).toEqual([3n])
    expect(shamir.randomPolynomial(3n, 2, (n) => new Uint8Array(n))).toEqual([3n, 1n, 1n])
  })

  test('evaluation is a_0 + a_1 x + a_2 x^2', () => {
    expect(shamir.evaluatePolynomial([7n, 5n, 3n], 10n)).toBe(357n)
    expect(shamir.evaluatePolynomial([7n, 5n, 3n], 0n)).toBe(7n)
  })

  test.each([
    ['a zero x', [0n, 1n], 'zero'],
    ['an x that is not reduced', [1n, CURVE_ORDER], 'zero'],
    ['a repeated x', [4n, 4n], 'duplicate'],
  ] as const)('%s is refused', (_, xs, reason) => {
    expect(() => shamir.lagrangeAtZero(xs)).toThrow(shareInvalid(reason))
    const points = xs.map(() => parseG2(publicShareOf(1n)))
    expect(() => shamir.passesDegreeTest(xs, points, 1)).toThrow(shareInvalid(reason))
  })
})

describe('commitments', () => {
  const polynomial = shamir.randomPolynomial(42n, 2)
  const commitment = shamir.commitPolynomial(polynomial).map(parseG2)

  test('the right share fits, every other one does not', () => {
    const share = shamir.evaluatePolynomial(polynomial, 77n)
    expect(shamir.shareMatchesCommitment(share, 77n, commitment)).toBe(true)
    for (const wrong of [share + 1n, 0n, -share, share + CURVE_ORDER])
      expect(shamir.shareMatchesCommitment(wrong, 77n, commitment)).toBe(false)
    expect(shamir.shareMatchesCommitment(share, 78n, commitment)).toBe(false)
    expect(shamir.shareMatchesCommitment(share, 77n, commitment.slice(0, 2))).toBe(false)
  })

  prop.prop([scalar], { numRuns: 10 })('evaluates in the exponent as in the clear', (x) => {
    const share = shamir.evaluatePolynomial(polynomial, x)
    expect(serializeG2(shamir.evaluateCommitment(commitment, x))).toEqual(publicShareOf(share))
  })

  test('the first commitment is the public key of the constant', () => {
    expect(shamir.commitPolynomial(polynomial)[0]).toEqual(publicShareOf(42n))
  })
})

describe('the table of public shares', () => {
  const table = (n: number, degree: number) => {
    const polynomial = shamir.randomPolynomial(99n, degree)
    const xs = Array.from({ length: n }, () => randomScalar())
    const points = xs.map((x) => parseG2(publicShareOf(shamir.evaluatePolynomial(polynomial, x))))
    return { xs, points }
  }

  prop.prop(
    [
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 7 }),
    ],
    { numRuns: 25 },
  )('passes exactly when its degree is below the threshold', (threshold, spare, degree) => {
    const n = threshold + spare
    const { xs, points } = table(n, degree)
    // n points always lie on a polynomial of degree n - 1.
    const expected = degree < threshold || spare === 0
    expect(shamir.passesDegreeTest(xs, points, threshold)).toBe(expected)
  })

  test('one wrong share among thirty fails it, whichever it is', () => {
    const { xs, points } = table(30, 19)
    expect(shamir.passesDegreeTest(xs, points, 20)).toBe(true)
    for (const index of [0, 13, 29]) {
      const bad = points.with(index, parseG2(publicShareOf(1234n)))
      expect(shamir.passesDegreeTest(xs, bad, 20)).toBe(false)
    }
    const swapped = points.with(0, points[1] as never).with(1, points[0] as never)
    expect(shamir.passesDegreeTest(xs, swapped, 20)).toBe(false)
  })

  test('too few points or a wrong count fail it', () => {
    const { xs, points } = table(4, 1)
    expect(shamir.passesDegreeTest(xs, points.slice(1), 2)).toBe(false)
    expect(shamir.passesDegreeTest(xs.slice(0, 1), points.slice(0, 1), 2)).toBe(false)
    expect(shamir.passesDegreeTest(xs, points, 0)).toBe(false)
  })

  test('any threshold-sized part of it gives the master public key', () => {
    const { xs, points } = table(7, 4)
    const mpk = parseG2(publicShareOf(99n))
    for (const start of [0, 1, 2]) {
      const part = shamir.interpolateAtZeroG2(
        xs.slice(start, start + 5),
        points.slice(start, start + 5),
      )
      expect(equalG2(part, mpk)).toBe(true)
    }
    const short = shamir.interpolateAtZeroG2(xs.slice(0, 4), points.slice(0, 4))
    expect(equalG2(short, mpk)).toBe(false)
    expect(() => shamir.interpolateAtZeroG2(xs, points.slice(1))).toThrow(RangeError)
  })
})
