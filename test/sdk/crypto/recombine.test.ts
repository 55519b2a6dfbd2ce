import { fc, test as prop } from '@fast-check/vitest'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { describe, expect, test } from 'vitest'
import { bytesToHex, uintBE } from '../../../sdk/bytes.ts'
import type { Address } from '../../../sdk/chain/types.ts'
import {
  CURVE_ORDER,
  decodeG1,
  g1Msm,
  hashToG1,
  operatorX,
  parseG1,
  partialSign,
  publicShareOf,
  serializeG1,
  thresholdOf,
} from '../../../sdk/crypto/bls.ts'
import { type PartialKey, recombine, verifyPartial } from '../../../sdk/crypto/recombine.ts'
import { evaluatePolynomial, lagrangeAtZero, randomPolynomial } from '../../../sdk/crypto/shamir.ts'

const appId = '0x144c00000000000000000000000000000000099c'
const SECRET = 31415926535n

/** A sharing among n operators, with their partial keys and public shares. */
function createSet(n: number, secret = SECRET) {
  const threshold = thresholdOf(n)
  const polynomial = randomPolynomial(secret, threshold - 1)
  const operators = Array.from(
    { length: n },
    (_, i): Address => `0x${(i + 1).toString(16).padStart(40, 'c')}`,
  )
  const shares = operators.map((operator) => evaluatePolynomial(polynomial, operatorX(operator)))
  return {
    threshold,
    masterPublicKey: publicShareOf(secret),
    publicShares: new Map(
      operators.map((operator, i) => [operator, publicShareOf(shares[i] ?? 0n)]),
    ),
    partials: operators.map((operator, i): PartialKey => {
      return { operator, partial: partialSign(shares[i] ?? 0n, appId) }
    }),
  }
}

const expected = partialSign(SECRET, appId)
const seven = createSet(7)

/** `at` replaced by what `change` makes of the partial. */
function spoil(
  set: ReturnType<typeof createSet>,
  at: readonly number[],
  change: (partial: Uint8Array) => Uint8Array,
) {
  const partials = set.partials.map((entry, i) =>
    at.includes(i) ? { ...entry, partial: change(entry.partial) } : entry,
  )
  return { appId, ...set, partials }
}

describe('recombination', () => {
  prop.prop([fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 5 })], { numRuns: 12 })(
    'any t or more partials, in any order, give the same key',
    (chosen) => {
      const partials = chosen.flatMap((i) => seven.partials[i] ?? [])
      const result = recombine({ appId, ...seven, partials })
      expect(result.appKey).toEqual(expected)
      expect(result.used).toEqual(partials.slice(0, 5).map(({ operator }) => operator))
      expect(result.bad).toEqual([])
    },
  )

  test('fewer than t are no quorum', () => {
    expect(() => recombine({ appId, ...seven, partials: seven.partials.slice(0, 4) })).toThrow(
      expect.objectContaining({
        code: 'QUORUM_NOT_REACHED',
        details: { needed: 5, got: 4, refusals: [] },
      }),
    )
  })

  test('t - 1 partials interpolated as if they were enough give no key', () => {
    expect(() =>
      recombine({ appId, ...seven, threshold: 4, partials: seven.partials.slice(0, 4) }),
    ).toThrow(expect.objectContaining({ code: 'KEY_MISMATCH' }))
  })

  const lies: readonly [string, (partial: Uint8Array) => Uint8Array, string][] = [
    ['a partial of another share', () => partialSign(5n, appId), 'does-not-fit-public-share'],
    ['a partial for another app', () => partialSign(5n, 'other'), 'does-not-fit-public-share'],
    ['the negated partial', negate, 'does-not-fit-public-share'],
    ['random bytes', () => new Uint8Array(48).fill(0x77), 'malformed-point:encoding'],
    ['nothing', () => new Uint8Array(), 'malformed-point:encoding'],
    ['infinity', () => uintBE(0xc0n << 376n, 48), 'malformed-point:infinity'],
    ['a part outside the subgroup', addTorsion, 'malformed-point:subgroup'],
  ]
  test.each(lies)('%s from n - t operators is named, and the rest is enough', (_, lie, reason) => {
    for (const at of [
      [0, 1],
      [0, 6],
      [2, 4],
    ]) {
      const result = recombine(spoil(seven, at, lie))
      expect(result.appKey).toEqual(expected)
      const named = at.filter(
        (i) => i < 5 || reason.startsWith('malformed-point:e') || reason.endsWith('infinity'),
      )
      for (const i of named)
        expect(result.bad).toContainEqual({ operator: seven.partials[i]?.operator, reason })
      expect(result.used).toHaveLength(5)
      expect(
        result.used.some((operator) => at.some((i) => seven.partials[i]?.operator === operator)),
      ).toBe(false)
    }
  })

  test.each(lies)(
    '%s from n - t + 1 operators is no quorum, and all are named',
    (_, lie, reason) => {
      const input = spoil(seven, [0, 1, 2], lie)
      expect(() => recombine(input)).toThrow(
        expect.objectContaining({
          code: 'QUORUM_NOT_REACHED',
          details: {
            needed: 5,
            got: 4,
            refusals: [0, 1, 2].map((i) => ({
              operator: input.partials[i]?.operator,
              code: 'PARTIAL_INVALID',
              message: reason,
            })),
          },
        }),
      )
    },
  )

  test('lies that cancel each other out leave the right key, and are named where they do not cancel', () => {
    const xs = seven.partials.slice(0, 5).map(({ operator }) => operatorX(operator))
    const { Fr } = bls12_381.fields
    // σ_0 + δ/λ_0 and σ_1 - δ/λ_1 leave the sum over the first five as it is.
    const [plus = 0n, minus = 0n] = lagrangeAtZero(xs).map((weight) => Fr.inv(weight))
    const shift = (partial: Uint8Array, by: bigint) =>
      serializeG1(g1Msm([parseG1(partial), hashToG1('delta')], [1n, by]))
    const liars = seven.partials.map(({ operator, partial }, i) => ({
      operator,
      partial: i === 0 ? shift(partial, plus) : i === 1 ? shift(partial, Fr.neg(minus)) : partial,
    }))
    expect(recombine({ appId, ...seven, partials: liars })).toMatchObject({
      appKey: expected,
      bad: [],
    })
    const apart = [0, 2, 3, 4, 5, 6, 1].flatMap((i) => liars[i] ?? [])
    const result = recombine({ appId, ...seven, partials: apart })
    expect(result.appKey).toEqual(expected)
    expect(result.bad.map(({ operator }) => operator)).toEqual([
      liars[0]?.operator,
      liars[1]?.operator,
    ])
  })

  test('one operator has one vote, whatever the case of its address', () => {
    const [first, ...rest] = seven.partials
    if (first === undefined) return expect.unreachable()
    const again = { ...first, operator: `0x${first.operator.slice(2).toUpperCase()}` as Address }
    const result = recombine({ appId, ...seven, partials: [first, again, ...rest] })
    expect(result.appKey).toEqual(expected)
    expect(result.bad).toEqual([{ operator: again.operator, reason: 'duplicate' }])
    expect(() =>
      recombine({ appId, ...seven, partials: [first, again, ...rest.slice(0, 3)] }),
    ).toThrow(expect.objectContaining({ code: 'QUORUM_NOT_REACHED' }))
  })

  test('a stranger does not count', () => {
    const stranger = { operator: `0x${'9'.repeat(40)}` as const, partial: partialSign(3n, appId) }
    const result = recombine({ appId, ...seven, partials: [stranger, ...seven.partials] })
    expect(result.appKey).toEqual(expected)
    expect(result.bad).toEqual([{ operator: stranger.operator, reason: 'not-a-member' }])
  })

  test('without public shares a bad partial means a mismatch, never a guess', () => {
    const { publicShares: _, ...input } = spoil(seven, [0], () => partialSign(5n, appId))
    expect(() => recombine(input)).toThrow(expect.objectContaining({ code: 'KEY_MISMATCH' }))
    const { publicShares: __, ...good } = seven
    expect(recombine({ appId, ...good }).appKey).toEqual(expected)
  })

  test('another master public key, or public shares that are not its shares, are a mismatch', () => {
    const mismatch = expect.objectContaining({ code: 'KEY_MISMATCH' })
    expect(() =>
      recombine({ appId, ...seven, masterPublicKey: publicShareOf(SECRET + 1n) }),
    ).toThrow(mismatch)
    const other = createSet(7, SECRET + 1n)
    expect(() => recombine({ appId, ...other, masterPublicKey: seven.masterPublicKey })).toThrow(
      mismatch,
    )
  })

  test('malformed parameters are refused', () => {
    expect(() => recombine({ appId, ...seven, masterPublicKey: new Uint8Array(96) })).toThrow(
      expect.objectContaining({ code: 'POINT_INVALID' }),
    )
    for (const threshold of [0, -1, 1.5])
      expect(() => recombine({ appId, ...seven, threshold })).toThrow(RangeError)
  })

  // A subset search would need more than 10^7 tries here and never end.
  test('scenario 44: n - t liars among 30 operators are all named, and the rest is enough', () => {
    const set = createSet(30)
    const result = recombine(
      spoil(set, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], () => partialSign(5n, appId)),
    )
    expect(result.appKey).toEqual(expected)
    expect(result.bad).toHaveLength(10)
  })
})

describe('one partial', () => {
  const [first, second] = seven.partials
  const share = (entry: PartialKey | undefined) =>
    entry && {
      appId,
      partial: entry.partial,
      publicShare: seven.publicShares.get(entry.operator) ?? new Uint8Array(),
    }

  test('fits its own public share and app only', () => {
    const good = share(first)
    const other = share(second)
    if (good === undefined || other === undefined) return expect.unreachable()
    expect(verifyPartial(good)).toBe(true)
    expect(verifyPartial({ ...good, publicShare: other.publicShare })).toBe(false)
    expect(verifyPartial({ ...good, appId: appId.toUpperCase() })).toBe(false)
    expect(verifyPartial({ ...good, partial: addTorsion(good.partial) })).toBe(false)
  })

  test('malformed bytes are wrong, not an error', () => {
    const good = share(first)
    if (good === undefined) return expect.unreachable()
    expect(verifyPartial({ ...good, partial: new Uint8Array(3) })).toBe(false)
    expect(verifyPartial({ ...good, publicShare: new Uint8Array(96) })).toBe(false)
  })
})

function negate(partial: Uint8Array): Uint8Array {
  return bls12_381.G1.Point.fromBytes(partial).negate().toBytes()
}

/** The partial plus a point whose order is coprime to r: a pairing alone does not see the difference. */
function addTorsion(partial: Uint8Array): Uint8Array {
  const { Point } = bls12_381.G1
  const { Fp } = bls12_381.fields
  for (let x = 1n; ; x++) {
    let y: bigint
    try {
      y = Fp.sqrt(Fp.add(Fp.pow(x, 3n), 4n))
    } catch {
      continue
    }
    const curve = Point.fromAffine({ x, y })
    // r times a curve point keeps only its part outside the subgroup; (r - 1) + 1, as r itself is no scalar.
    const torsion = curve.multiplyUnsafe(CURVE_ORDER - 1n).add(curve)
    const sum = Point.fromBytes(partial).add(torsion).toAffine()
    const bytes = uintBE(sum.x, 48)
    bytes[0] = (bytes[0] ?? 0) | 0x80 | (2n * sum.y > Fp.ORDER ? 0x20 : 0)
    decodeG1(bytes)
    expect(() => parseG1(bytes)).toThrow(expect.objectContaining({ code: 'POINT_INVALID' }))
    expect(bytesToHex(bytes)).not.toBe(bytesToHex(partial))
    return bytes
  }
}
