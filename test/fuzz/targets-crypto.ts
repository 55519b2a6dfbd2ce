/**
 * Points, scalars and envelopes.
 * @module
 */

import { utf8ToBytes } from '../../sdk/bytes.ts'
import {
  CURVE_ORDER,
  parseG1,
  parseG2,
  parseScalar,
  partialSign,
  publicShareOf,
  serializeG1,
  serializeG2,
  serializeScalar,
} from '../../sdk/crypto/bls.ts'
import { decryptWithAppKey, encryptForApp } from '../../sdk/crypto/ibe.ts'
import { canonical, type Target, verifier } from './kit.ts'

const filled = (length: number, value: number) => new Uint8Array(length).fill(value)
const POINT_TOKENS = [
  Uint8Array.of(0x80),
  Uint8Array.of(0xa0),
  Uint8Array.of(0xc0),
  Uint8Array.of(0x40),
  filled(48, 0xff),
  filled(48, 0),
]

const mpk = publicShareOf(77n)
const appId = `0x${'12'.repeat(20)}`

export const CRYPTO_TARGETS: readonly Target[] = [
  {
    name: 'bls-g1',
    seeds: () => [partialSign(5n, appId), partialSign(6n, appId)],
    dictionary: POINT_TOKENS,
    prepare: () => canonical((bytes) => parseG1(bytes), serializeG1),
    cost: 10,
  },
  {
    name: 'bls-g2',
    seeds: () => [publicShareOf(5n), mpk],
    dictionary: POINT_TOKENS,
    prepare: () => canonical((bytes) => parseG2(bytes), serializeG2),
    cost: 20,
  },
  {
    name: 'bls-scalar',
    seeds: () => [serializeScalar(5n), serializeScalar(CURVE_ORDER - 1n)],
    dictionary: [filled(32, 0), filled(32, 0xff)],
    prepare: () => canonical(parseScalar, serializeScalar),
    cost: 1,
  },
  {
    name: 'ibe-envelope',
    seeds: () => [
      encryptForApp({ masterPublicKey: mpk, appId, plaintext: utf8ToBytes('one') }),
      encryptForApp({ masterPublicKey: mpk, appId, plaintext: utf8ToBytes('another one') }),
    ],
    dictionary: ['IBE', Uint8Array.of(1), Uint8Array.of(2), ...POINT_TOKENS],
    prepare: (seeds) => {
      const appKey = partialSign(77n, appId)
      return verifier(seeds, (ciphertext) => decryptWithAppKey({ appKey, appId, ciphertext }))
    },
    cost: 100,
  },
]
