/** What the protocol relies on holds among the twins: run by the production code above them. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'
import { concatBytes, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import {
  CURVE_ORDER,
  hashToG1,
  pairing,
  parseG1,
  parseG2,
  partialSign,
  publicShareOf,
  serializeG1,
  serializeG2,
  serializeGt,
} from '../../sdk/crypto/bls.ts'
import { decryptWithAppKey, encryptForApp } from '../../sdk/crypto/ibe.ts'
import {
  commitPolynomial,
  evaluatePolynomial,
  passesDegreeTest,
  shareMatchesCommitment,
} from '../../sdk/crypto/shamir.ts'
import { recoverSigner, signStatement, statementDigest } from '../../sdk/protocol/digest.ts'
import {
  diffieHellman,
  proveKnowledge,
  proveSameSecret,
  ristrettoPublicKey,
  verifyKnowledge,
  verifySameSecret,
} from '../../sdk/protocol/ristretto.ts'

const APP = '0x00000000000000000000000000000000000000aa'
const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

describe('the twins', () => {
  it('are what the imports of a twin test lead to', () => {
    expect(publicShareOf(7n).at(-1)).toBe(7)
    expect(toHex(ristrettoPublicKey(7n)).slice(0, 6)).toBe('0x0700')
    expect(secp256k1.getPublicKey(new Uint8Array(32).fill(7), false).subarray(1, 33)).toEqual(
      new Uint8Array(32).fill(7),
    )
  })

  it('pair: an envelope opens with the app key alone', () => {
    const secret = 123_456_789n
    const plaintext = utf8ToBytes('text')
    const masterPublicKey = publicShareOf(secret)
    const ciphertext = encryptForApp({ masterPublicKey, appId: APP, plaintext })
    const open = (share: bigint) =>
      decryptWithAppKey({ appKey: partialSign(share, APP), appId: APP, ciphertext })
    expect(open(secret)).toEqual(plaintext)
    expect(() => open(secret + 1n)).toThrow()
    const both = pairing(parseG1(partialSign(3n, APP)), parseG2(publicShareOf(5n)))
    const once = pairing(parseG1(partialSign(15n, APP)), parseG2(publicShareOf(1n)))
    expect(serializeGt(both)).toEqual(serializeGt(once))
  })

  it('read what they wrote, and nothing else', () => {
    const point = hashToG1(APP)
    expect(serializeG1(parseG1(serializeG1(point)))).toEqual(serializeG1(point))
    const good = publicShareOf(CURVE_ORDER - 1n)
    expect(serializeG2(parseG2(good))).toEqual(good)
    const wrong = [new Uint8Array(96), good.subarray(1), flip(good, 5), good.map(() => 255)]
    for (const bytes of wrong) expect(() => parseG2(bytes)).toThrow(/point|twin/)
    expect(() => publicShareOf(0n)).toThrow()
  })

  it('tell a wrong share and a wrong degree', () => {
    const polynomial = [5n, 6n, 7n]
    const commitment = commitPolynomial(polynomial).map(parseG2)
    const share = evaluatePolynomial(polynomial, 9n)
    expect(shareMatchesCommitment(share, 9n, commitment)).toBe(true)
    expect(shareMatchesCommitment(share + 1n, 9n, commitment)).toBe(false)
    const xs = [1n, 2n, 3n, 4n]
    const points = xs.map((x) => parseG2(publicShareOf(evaluatePolynomial(polynomial, x))))
    expect(passesDegreeTest(xs, points, 3)).toBe(true)
    expect(passesDegreeTest(xs, points, 2)).toBe(false)
  })

  it('prove, and do not prove what is not so', () => {
    const context = utf8ToBytes('context')
    const proof = proveKnowledge(11n, context, 13n)
    const key = ristrettoPublicKey(11n)
    expect(verifyKnowledge(key, context, proof)).toBe(true)
    expect(verifyKnowledge(ristrettoPublicKey(12n), context, proof)).toBe(false)
    expect(verifyKnowledge(key, utf8ToBytes('another'), proof)).toBe(false)
    const point = ristrettoPublicKey(17n)
    const shared = diffieHellman(11n, point) ?? new Uint8Array()
    const statement = { publicKey: key, point, shared, context }
    const same = proveSameSecret({ secret: 11n, point, shared, context }, 19n)
    expect(verifySameSecret(statement, same)).toBe(true)
    expect(verifySameSecret({ ...statement, shared: ristrettoPublicKey(5n) }, same)).toBe(false)
  })

  it('sign: a signature recovers to its key, a changed one or another digest to none of ours', () => {
    const key = keccak_256(utf8ToBytes('key'))
    const statement = concatBytes(Uint8Array.of(0x19, 0x01), new Uint8Array(64).fill(3))
    const digest = statementDigest(statement)
    const address = toHex(keccak_256(secp256k1.getPublicKey(key, false).subarray(1)).subarray(12))
    const signature = signStatement(key, statement)
    expect(signature).toHaveLength(65)
    expect(recoverSigner(digest, signature)).toBe(address)
    for (let at = 0; at < 65; at++)
      expect(recoverSigner(digest, flip(signature, at)), `byte ${at}`).toBeUndefined()
    expect(recoverSigner(keccak_256(digest), signature)).toBeUndefined()
  })
})
