import { bn254 } from '@noble/curves/bn254.js'
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromUintBE, toHex, uintBE, utf8ToBytes } from '../../../sdk/bytes.ts'
import {
  bn254PublicKey,
  createBn254PrivateKey,
  hashToBn254,
  isBn254PrivateKey,
  isConsistentKey,
  signBn254,
  verifyBn254,
} from '../../../sdk/protocol/bn254.ts'
import { isSignedBy, statementDigest } from '../../../sdk/protocol/digest.ts'
import vectors from '../../vectors/protocol/vectors_gnark.json' with { type: 'json' }

const digest = sha256(utf8ToBytes('digest'))
const key = sha256(utf8ToBytes('bn254 key 1')).map((byte, i) => (i === 0 ? byte & 0x1f : byte))
const other = sha256(utf8ToBytes('bn254 key 2')).map((byte, i) => (i === 0 ? byte & 0x1f : byte))
const P = bn254.fields.Fp.ORDER

const word = (value: bigint) => uintBE(value, 32)

describe('BN254 keys', () => {
  it('have the encodings of gnark: generator of G2 with the imaginary part first, and 7·G1', () => {
    expect(bn254PublicKey(word(1n)).g2).toBe(`0x${vectors['bn254.g2.Marshal']}`)
    expect(bn254PublicKey(word(7n)).g1).toBe(`0x${vectors['bn254.7g1.Marshal']}`)
  })

  it('are scalars below the order, not zero, of 32 bytes', () => {
    const order = bn254.fields.Fr.ORDER
    expect(isBn254PrivateKey(word(order - 1n))).toBe(true)
    for (const wrong of [word(0n), word(order), new Uint8Array(31), new Uint8Array(33).fill(1)])
      expect(isBn254PrivateKey(wrong)).toBe(false)
    expect(() => signBn254(word(0n), digest)).toThrow(RangeError)
    expect(() => bn254PublicKey(word(order))).toThrow(RangeError)
  })

  it('are made from fresh bytes until one fits', () => {
    const offers = [word(0n), word(5n)]
    expect(fromUintBE(createBn254PrivateKey(() => offers.shift() ?? word(1n)))).toBe(5n)
  })

  it('are consistent only when both halves have one secret', () => {
    const mine = bn254PublicKey(key)
    const theirs = bn254PublicKey(other)
    expect(isConsistentKey(mine)).toBe(true)
    expect(isConsistentKey({ g1: mine.g1, g2: theirs.g2 })).toBe(false)
    expect(isConsistentKey({ g1: '0x', g2: mine.g2 })).toBe(false)
  })
})

describe('hashing to G1', () => {
  it('takes the first x that has a point, counting up from the digest', () => {
    // 1 + 3 = 4 = 2^2 fits at once, 0 + 3 is no square mod p: both give x = 1.
    for (const start of [0n, 1n]) {
      const point = hashToBn254(word(start))
      expect(fromUintBE(point.subarray(0, 32))).toBe(1n)
    }
  })

  it('reduces the digest mod p and does not choose a sign for y', () => {
    expect(toHex(hashToBn254(word(P + 1n)))).toBe(toHex(hashToBn254(word(1n))))
    // (4)^((p+1)/4) is the root that is itself a square: p - 2 here or 2, whichever.
    const y = fromUintBE(hashToBn254(word(1n)).subarray(32))
    expect(bn254.fields.Fp.pow(4n, (P + 1n) / 4n)).toBe(y)
  })

  it('always lands on the curve', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const point = hashToBn254(bytes)
        const x = fromUintBE(point.subarray(0, 32))
        const y = fromUintBE(point.subarray(32))
        expect((y * y - x * x * x - 3n) % P).toBe(0n)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a BN254 signature', () => {
  const signature = signBn254(key, digest)
  const publicKey = bn254PublicKey(key)

  it('verifies under its key and digest, 64 bytes long', () => {
    expect(signature).toHaveLength(64)
    expect(verifyBn254(publicKey, digest, signature)).toBe(true)
  })

  it('is 1·H for the key 1: the known answer', () => {
    expect(toHex(signBn254(word(1n), digest))).toBe(toHex(hashToBn254(digest)))
  })

  it('fails under another key or digest, negated, or as another point', () => {
    expect(verifyBn254(bn254PublicKey(other), digest, signature)).toBe(false)
    expect(verifyBn254(publicKey, sha256(digest), signature)).toBe(false)
    const y = fromUintBE(signature.subarray(32))
    const negated = concatBytes(signature.subarray(0, 32), word(P - y))
    expect(verifyBn254(publicKey, digest, negated)).toBe(false)
    expect(verifyBn254(publicKey, digest, hashToBn254(digest))).toBe(false)
  })

  it('has one encoding: coordinates not reduced, infinity, lengths and points off the curve are refused', () => {
    const x = fromUintBE(signature.subarray(0, 32))
    const tail = signature.subarray(32)
    const wrong = [
      new Uint8Array(64),
      new Uint8Array(0),
      new Uint8Array(65),
      signature.subarray(0, 63),
      concatBytes(word(x + P), tail),
      concatBytes(word(x ^ 1n), tail),
      new Uint8Array(64).fill(0xff),
    ]
    for (const bytes of wrong) expect(verifyBn254(publicKey, digest, bytes)).toBe(false)
  })

  it('fails under a key that is no point of the subgroup', () => {
    for (const g2 of ['0x', `0x${'00'.repeat(128)}`, `0x${'ff'.repeat(128)}`] as const)
      expect(verifyBn254({ g2 }, digest, signature)).toBe(false)
    const outside = pointOutsideSubgroup()
    expect(verifyBn254({ g2: outside }, digest, signature)).toBe(false)
  })

  it('stands for its operator wherever signatures do', () => {
    const operator = {
      address: '0x00000000000000000000000000000000000000aa',
      socket: '',
      signingKey: { curve: 'bn254', ...publicKey },
    } as const
    const statement = concatBytes(Uint8Array.of(0x19, 0x01), new Uint8Array(64).fill(7))
    const signed = signBn254(key, statementDigest(statement))
    expect(isSignedBy(operator, statement, signed)).toBe(true)
    expect(isSignedBy(operator, statement, new Uint8Array(65).fill(27))).toBe(false)
    expect(isSignedBy(operator, statement, signature)).toBe(false)
  })
})

/** On the twist but of another order: the first x = (n, 0) with a point. */
function pointOutsideSubgroup(): `0x${string}` {
  const { Fp2 } = bn254.fields
  const { b } = bn254.G2.Point.CURVE()
  for (let n = 1n; ; n++) {
    const x = Fp2.create({ c0: n, c1: 0n })
    let y: ReturnType<typeof Fp2.sqrt>
    try {
      y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b))
    } catch {
      continue
    }
    if (bn254.G2.Point.fromAffine({ x, y }).isTorsionFree()) continue
    return toHex(concatBytes(word(0n), word(n), word(y.c1), word(y.c0)))
  }
}
