import { fc, test as prop } from '@fast-check/vitest'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, test } from 'vitest'
import { bytesToHex, concatBytes, fromUintBE, uintBE } from '../../../sdk/bytes.ts'
import * as bls from '../../../sdk/crypto/bls.ts'
import { findOffSubgroup, findOffSubgroupG2 } from './points.ts'
import { hex, readVectors } from './vectors.ts'

const gnark = readVectors<Record<string, string | number>>('protocol/vectors_gnark.json')
const answer = (name: string): string => {
  const value = gnark[name]
  if (typeof value !== 'string') throw new Error(`no vector ${name}`)
  return value
}
const SECRET = 1234567890123456789012345678901234567890123456789012345678901234567890n
const EXPONENT = 98765432109876543210987654321098765432109876543210n
const P = bls12_381.fields.Fp.ORDER
const refused = (reason: string) =>
  expect.objectContaining({ code: 'POINT_INVALID', details: { reason } })
const scalar = fc.bigInt(1n, bls.CURVE_ORDER - 1n)
const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes): `0x${string}` => `0x${bytesToHex(bytes)}`)

describe('scenario 48: answers of gnark-crypto', () => {
  test.each([
    ['hashToG1.my-app-id.compressed', 'my-app-id'],
    ['hashToG1.empty.compressed', ''],
  ])('%s', (name, appId) => {
    expect(bytesToHex(bls.serializeG1(bls.hashToG1(appId)))).toBe(answer(name))
  })

  test('the master public key and the app key of one secret', () => {
    expect(bytesToHex(bls.publicShareOf(SECRET))).toBe(answer('mpk.compressed'))
    expect(bytesToHex(bls.partialSign(SECRET, 'my-app-id'))).toBe(answer('appkey.compressed'))
  })

  test('the target group is written in gnark order', () => {
    const hash = bls.hashToG1('my-app-id')
    const mpk = bls.parseG2(hex(answer('mpk.compressed')))
    const g1 = bls.parseG1(bls12_381.G1.Point.BASE.toBytes())
    const write = (a: bls.G1Point, b: bls.G2Point) => bytesToHex(bls.serializeGt(bls.pairing(a, b)))
    expect(write(g1, bls.G2_GENERATOR)).toBe(answer('GT.e(g1,g2)'))
    expect(write(hash, mpk)).toBe(answer('GT.e(Q,mpk)'))
    expect(write(bls.multiplyG1(hash, EXPONENT), mpk)).toBe(answer('GT.e(Q,mpk)^r'))
  })

  test.each(Object.keys(gnark).filter((name) => /^addrToFr\.[0-9a-f]{40}$/.test(name)))(
    '%s and its decimal form',
    (name) => {
      const operator = name.slice('addrToFr.'.length)
      const x = bls.operatorX(`0x${operator}`)
      expect(x.toString(16).padStart(64, '0')).toBe(answer(name))
      expect(x.toString()).toBe(answer(`addrToFr.String.${operator}`))
      expect(bytesToHex(keccak_256(hex(operator)))).toBe(answer(`addrToFr.keccak.${operator}`))
      expect(fromUintBE(hex(answer(`addrToFr.keccak.${operator}`))) % bls.CURVE_ORDER).toBe(x)
    },
  )

  test('what gnark also accepts is refused here: infinity, uncompressed and trailing bytes', () => {
    const good = hex(answer('hashToG1.my-app-id.compressed'))
    const uncompressed = bls12_381.G1.Point.fromBytes(good).toBytes(false)
    expect(uncompressed.length).toBe(gnark['appkey.Marshal.len'])
    expect(() => bls.parseG1(uncompressed)).toThrow(refused('encoding'))
    expect(() => bls.parseG1(concatBytes(good, good.subarray(0, 1)))).toThrow(refused('encoding'))
    expect(() => bls.parseG1(hex(answer('G1.inf.Bytes')))).toThrow(refused('infinity'))
    expect(() => bls.parseG1(hex(answer('G1.inf.Marshal')))).toThrow(refused('encoding'))
    const mpk = hex(answer('mpk.compressed'))
    const wide = bls12_381.G2.Point.fromBytes(mpk).toBytes(false)
    expect(wide.length).toBe(gnark['mpk.Marshal.len'])
    expect(() => bls.parseG2(wide)).toThrow(refused('encoding'))
    expect(() => bls.parseG2(hex(answer('G2.inf.Bytes')))).toThrow(refused('infinity'))
    expect(() => bls.parseG2(concatBytes(mpk, mpk.subarray(0, 1)))).toThrow(refused('encoding'))
    expect(() => bls.parseG2(new Uint8Array(Number(gnark['G2.inf.Marshal.len'])))).toThrow(
      refused('encoding'),
    )
  })
})

describe('strict points', () => {
  const offSubgroup = findOffSubgroup()

  test('a point of the curve outside the subgroup is refused, and only its curve form is readable', () => {
    expect(() => bls.parseG1(offSubgroup)).toThrow(refused('subgroup'))
    const point = bls.decodeG1(offSubgroup)
    expect(() => bls.checkSubgroup(point)).toThrow(refused('subgroup'))
  })

  test('a G2 point outside the subgroup is refused', () => {
    expect(() => bls.parseG2(findOffSubgroupG2())).toThrow(refused('subgroup'))
  })

  test('a coordinate of p or more is refused', () => {
    for (const x of [P, P + 1n, (1n << 381n) - 1n]) {
      const bytes = uintBE(x, 48)
      bytes[0] = (bytes[0] ?? 0) | 0x80
      expect(() => bls.parseG1(bytes)).toThrow(refused('encoding'))
      const wide = concatBytes(bytes, new Uint8Array(48))
      expect(() => bls.parseG2(wide)).toThrow(refused('encoding'))
    }
  })

  test('a second name of a good G2 point, its first coordinate plus p, is refused', () => {
    // c1 + p must still fit 381 bits, so look for a point with a small c1.
    for (let k = 1n; ; k++) {
      const bytes = bls.publicShareOf(k)
      const c0 = fromUintBE(bytes.subarray(48))
      if (c0 + P >= 1n << 384n) continue
      const alias = concatBytes(bytes.subarray(0, 48), uintBE(c0 + P, 48))
      expect(() => bls.parseG2(alias)).toThrow(refused('encoding'))
      break
    }
  })

  test('every wrong length and every flag combination but the right one is refused', () => {
    const good = bls.serializeG1(bls.hashToG1('flags'))
    for (const length of [0, 1, 47, 49, 96])
      expect(() => bls.parseG1(new Uint8Array(length).fill(0x80))).toThrow(refused('encoding'))
    for (let flags = 0; flags < 8; flags++) {
      const bytes = good.slice()
      bytes[0] = ((bytes[0] ?? 0) & 0x1f) | (flags << 5)
      if (flags === 4 || flags === 5) {
        const parsed = bls.parseG1(bytes)
        expect(bls.serializeG1(parsed)).toEqual(bytes)
      } else
        expect(() => bls.parseG1(bytes)).toThrow(expect.objectContaining({ code: 'POINT_INVALID' }))
    }
  })

  test('infinity never leaves as a key and never enters a pairing', () => {
    const point = bls.hashToG1('zero')
    const zero = bls.g1Msm([point, point], [1n, bls.CURVE_ORDER - 1n])
    expect(bls.isInfinityG1(zero)).toBe(true)
    expect(() => bls.serializeG1(zero)).toThrow(refused('infinity'))
    expect(() => bls.checkSubgroup(zero)).toThrow(refused('infinity'))
    expect(() => bls.pairing(zero, bls.G2_GENERATOR)).toThrow(refused('infinity'))
    const none = bls.g2Msm([], [])
    expect(() => bls.serializeG2(none)).toThrow(refused('infinity'))
    expect(() => bls.pairingProductIsOne([{ g1: point, g2: none }])).toThrow(refused('infinity'))
  })

  prop.prop([fc.uint8Array({ minLength: 0, maxLength: 100 })], { numRuns: 200 })(
    'random bytes are refused with a typed error or survive a round trip',
    (bytes) => {
      for (const [parse, write] of [
        [bls.parseG1, bls.serializeG1],
        [bls.parseG2, bls.serializeG2],
      ] as const) {
        const outcome = attempt(() => (write as (point: unknown) => Uint8Array)(parse(bytes)))
        if (outcome instanceof Uint8Array) expect(outcome).toEqual(bytes)
        else expect(outcome).toMatchObject({ code: 'POINT_INVALID' })
      }
    },
  )

  prop.prop([scalar], { numRuns: 25 })('the codec of G1 agrees with the engine', (k) => {
    const engine = bls12_381.G1.Point.BASE.multiply(k)
    const point = bls.parseG1(engine.toBytes())
    expect(bls.serializeG1(point)).toEqual(engine.toBytes())
    expect(bls.serializeG1(bls.negateG1(point))).toEqual(engine.negate().toBytes())
  })
})

describe('scalars and groups', () => {
  test('scalars are 32 bytes in 1..r-1', () => {
    for (const value of [1n, bls.CURVE_ORDER - 1n])
      expect(bls.parseScalar(bls.serializeScalar(value))).toBe(value)
    const code = (reason: string) =>
      expect.objectContaining({ code: 'SHARE_INVALID', details: { reason } })
    expect(() => bls.parseScalar(new Uint8Array(32))).toThrow(code('zero'))
    expect(() => bls.parseScalar(uintBE(bls.CURVE_ORDER, 32))).toThrow(code('encoding'))
    expect(() => bls.parseScalar(new Uint8Array(31).fill(1))).toThrow(code('encoding'))
    for (const bad of [0n, -1n, bls.CURVE_ORDER])
      expect(() => bls.partialSign(bad, 'app')).toThrow(
        expect.objectContaining({ code: 'SHARE_INVALID' }),
      )
  })

  test('a random scalar takes 48 bytes from the generator and is never zero', () => {
    const asked: number[] = []
    const zeros = (length: number) => {
      asked.push(length)
      return new Uint8Array(length)
    }
    expect(bls.randomScalar(zeros)).toBe(1n)
    expect(asked).toEqual([48])
    expect(bls.randomScalar((n) => uintBE(bls.CURVE_ORDER - 2n, n))).toBe(bls.CURVE_ORDER - 1n)
    expect(bls.randomScalar()).not.toBe(bls.randomScalar())
  })

  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 4],
    [6, 4],
    [7, 5],
    [10, 7],
    [30, 20],
  ])('of %i operators, %i are needed', (n, t) => {
    expect(bls.thresholdOf(n)).toBe(t)
  })

  test.each([0, -1, 1.5, Number.NaN])('%d operators are no operator set', (n) => {
    expect(() => bls.thresholdOf(n)).toThrow(RangeError)
  })

  test.each(['0x1', `0x${'g'.repeat(40)}`, `${'a'.repeat(40)}`, `0x${'a'.repeat(42)}`])(
    '%s names no operator',
    (text) => {
      expect(() => bls.operatorX(text as `0x${string}`)).toThrow(
        expect.objectContaining({ code: 'REQUEST_INVALID' }),
      )
    },
  )

  prop.prop([address])('the case of an address does not change its x', (operator) => {
    const upper = `0x${operator.slice(2).toUpperCase()}` as const
    expect(bls.operatorX(upper)).toBe(bls.operatorX(operator))
  })

  prop.prop([scalar, scalar], { numRuns: 5 })('pairings are bilinear', (a, b) => {
    const hash = bls.hashToG1('bilinear')
    const right = bls.multiplyG1(hash, (a * b) % bls.CURVE_ORDER)
    const pairs = (last: bls.G1Point) => [
      { g1: bls.multiplyG1(hash, a), g2: bls.multiplyG2Generator(b) },
      { g1: bls.negateG1(last), g2: bls.G2_GENERATOR },
    ]
    expect(bls.pairingProductIsOne(pairs(right))).toBe(true)
    expect(bls.pairingProductIsOne(pairs(hash))).toBe(a * b === 1n)
  })

  test('sums of many points agree with sums one by one, on both sides of the algorithm switch', () => {
    for (const count of [1, 5, 70]) {
      const scalars = Array.from({ length: count }, (_, i) => BigInt(i) * 7n)
      const total = scalars.reduce((sum, k, i) => sum + k * BigInt(i + 1), 0n)
      const g1 = bls.hashToG1('sum')
      const g1s = scalars.map((_, i) => bls.multiplyG1(g1, BigInt(i + 1)))
      const g2s = scalars.map((_, i) => bls.multiplyG2Generator(BigInt(i + 1)))
      if (total === 0n) {
        expect(bls.isInfinityG1(bls.g1Msm(g1s, scalars))).toBe(true)
        continue
      }
      expect(bls.equalG1(bls.g1Msm(g1s, scalars), bls.multiplyG1(g1, total))).toBe(true)
      expect(bls.equalG2(bls.g2Msm(g2s, scalars), bls.multiplyG2Generator(total))).toBe(true)
    }
  })

  test('remembered points stay right when the memory overflows', () => {
    const first = bls.serializeG1(bls.hashToG1('app-0'))
    for (let i = 0; i < 300; i++) bls.hashToG1(`app-${i}`)
    expect(bls.serializeG1(bls.hashToG1('app-0'))).toEqual(first)
    const long = 'x'.repeat(256)
    expect(bls.hashToG1(long)).not.toBe(bls.hashToG1(long))
    expect(bls.equalG1(bls.hashToG1(long), bls.hashToG1(long))).toBe(true)
    const key = bls.publicShareOf(5n)
    expect(bls.parsePublicKeyG2(key)).toBe(bls.parsePublicKeyG2(key.slice()))
  })
})

function attempt(run: () => Uint8Array): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}
