/** Points that are on a curve and outside the subgroup, found by trying. */
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { concatBytes, uintBE } from '../../../sdk/bytes.ts'
import { decodeG1 } from '../../../sdk/crypto/bls.ts'

const P = bls12_381.fields.Fp.ORDER

/** The cofactor of G1 is large, so almost no curve point is in the subgroup. */
export function findOffSubgroup(): Uint8Array {
  for (let x = 1n; ; x++) {
    const bytes = uintBE(x, 48)
    bytes[0] = (bytes[0] ?? 0) | 0x80
    try {
      decodeG1(bytes)
      return bytes
    } catch {
      // Half of all x have no y.
    }
  }
}

export function findOffSubgroupG2(): Uint8Array {
  const { Fp2 } = bls12_381.fields
  for (let x = 1n; ; x++) {
    const c = Fp2.create({ c0: x, c1: 0n })
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(c), c), Fp2.create({ c0: 4n, c1: 4n })))
      const larger = y.c1 === 0n ? 2n * y.c0 > P : 2n * y.c1 > P
      const bytes = concatBytes(new Uint8Array(48), uintBE(x, 48))
      bytes[0] = 0x80 | (larger ? 0x20 : 0)
      return bytes
    } catch {
      // Half of all x have no y.
    }
  }
}
