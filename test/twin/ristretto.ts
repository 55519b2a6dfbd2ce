/**
 * The twin of the one part of `@noble/curves/ed25519.js` that the protocol uses: a group of ristretto255's order in which an element is its
 * discrete logarithm, 32 bytes little-endian. The proofs over it are the production code of `sdk/protocol/ristretto.ts`.
 * @module
 */
import { ristretto255 as real } from '@noble/curves/ed25519.js'

const { Fn } = real.Point

class Point {
  static readonly Fn = Fn
  static readonly BASE = new Point(1n)
  readonly #log: bigint

  constructor(log: bigint) {
    this.#log = log
  }

  static fromBytes(bytes: Uint8Array): Point {
    return new Point(Fn.fromBytes(bytes))
  }

  toBytes(): Uint8Array {
    return Fn.toBytes(this.#log)
  }

  is0(): boolean {
    return Fn.is0(this.#log)
  }

  add(other: Point): Point {
    return new Point(Fn.add(this.#log, other.#log))
  }

  multiply(scalar: bigint): Point {
    if (!Fn.isValidNot0(scalar)) throw new RangeError('a scalar lies in 1..l-1')
    return new Point(Fn.mul(this.#log, scalar))
  }

  multiplyUnsafe(scalar: bigint): Point {
    if (!Fn.isValid(scalar)) throw new RangeError('a scalar lies in 0..l-1')
    return new Point(Fn.mul(this.#log, scalar))
  }
}

export const ristretto255 = { Point }
