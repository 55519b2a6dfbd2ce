/** Known answers of the Go operators' own messages, as far as our codecs and hashes take part in them. */
import { bn254 } from '@noble/curves/bn254.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, test } from 'vitest'
import { bytesToHex, concatBytes, toBase64, uintBE, utf8ToBytes } from '../../../sdk/bytes.ts'
import { CURVE_ORDER } from '../../../sdk/crypto/bls.ts'
import {
  encodeGnarkScalar,
  formatGnarkScalar,
  parseGnarkScalar,
} from '../../../sdk/wire/gnark-fr.ts'
import { marshalGo } from '../../../sdk/wire/go-json.ts'
import { hex, readVectors } from '../crypto/vectors.ts'

type Wire = {
  address: string
  payloadUtf8: string
  payloadB64: string
  hash: string
  signature: string
  ack: Record<string, string>
  ecdsaAttestation: Record<string, string>
}
const wire = readVectors<Wire>('protocol/vectors_wire.json')
const gnark = readVectors<Record<string, string | number>>('protocol/vectors_gnark.json')
const keccak = (data: Uint8Array) => bytesToHex(keccak_256(data))
const ack = (name: string) => hex(wire.ack[name] ?? 'missing')
const SECRET = 1234567890123456789012345678901234567890123456789012345678901234567890n
const dealer = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
const player = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'
const time = 1783944564

/** The address that signed, from r ‖ s ‖ v. */
function signerOf(hash: Uint8Array, signature: Uint8Array): string {
  const recovered = concatBytes(Uint8Array.of((signature[64] ?? 0) - 27), signature.subarray(0, 64))
  const key = secp256k1.recoverPublicKey(recovered, hash, { prehash: false })
  const point = secp256k1.Point.fromBytes(key).toBytes(false)
  return `0x${bytesToHex(keccak_256(point.subarray(1)).subarray(12))}`
}

describe('the authenticated message', () => {
  test('its payload is written as Go writes it', () => {
    const payload = marshalGo({
      fromOperatorAddress: dealer,
      toOperatorAddress: player,
      sessionTimestamp: time,
      share: { Data: '12345678901234567890' },
    })
    expect(payload).toBe(wire.payloadUtf8)
    expect(toBase64(utf8ToBytes(payload))).toBe(wire.payloadB64)
  })

  test('its hash and signature are those of the sender', () => {
    expect(keccak(utf8ToBytes(wire.payloadUtf8))).toBe(wire.hash)
    expect(signerOf(hex(wire.hash), hex(wire.signature))).toBe(wire.address)
  })
})

describe('the acknowledgement', () => {
  test('commits to the points, on chain with the source version behind them', () => {
    const points = hex(String(gnark['mpk.compressed']))
    expect(sha256(points)).toEqual(ack('commitmentHash'))
    expect(sha256(concatBytes(points, uintBE(1783944444, 8)))).toEqual(
      ack('reshareOnChainHash_src1783944444'),
    )
  })

  test('is signed over dealer, player, session and both hashes', () => {
    const hashes = concatBytes(uintBE(time, 8), ack('shareHash'), ack('commitmentHash'))
    const message = concatBytes(hex(dealer), hex(player), hashes)
    expect(message).toEqual(ack('signingMessage'))
    expect(signerOf(keccak_256(message), ack('signature'))).toBe(dealer)
    const leaf = keccak_256(concatBytes(hex(player), hex(dealer), hashes))
    expect(leaf).toEqual(ack('leafInput'))
    expect(keccak_256(leaf)).toEqual(ack('treeLeaf_and_rootForSingleAck'))
  })

  test('hashes a share as 32 bytes big-endian', () => {
    expect(keccak(uintBE(SECRET, 32))).toBe(gnark['shareHash.keccak(fr32be)'])
  })
})

test('the ecdsa attestation signs app id, challenge and key in hex', () => {
  const { challenge, publicKey, messageHash, attestation_v0or1 } = wire.ecdsaAttestation
  const message = utf8ToBytes(`my-app-id-${challenge}-${publicKey}`)
  expect(keccak(message)).toBe(messageHash)
  const signature = hex(attestation_v0or1 ?? '').subarray(0, 64)
  expect(
    secp256k1.verify(signature, keccak_256(message), hex(publicKey ?? ''), { prehash: false }),
  ).toBe(true)
})

describe('BN254 points of operators that sign with them', () => {
  test('are x ‖ y, and in G2 imaginary before real', () => {
    const g1 = bn254.G1.Point.BASE.multiply(7n).toAffine()
    const g1Bytes = concatBytes(uintBE(g1.x, 32), uintBE(g1.y, 32))
    expect(bytesToHex(g1Bytes)).toBe(gnark['bn254.7g1.Marshal'])
    expect(g1Bytes.length).toBe(gnark['bn254.g1.Marshal.len'])
    const { x, y } = bn254.G2.Point.BASE.toAffine()
    const g2 = [x.c1, x.c0, y.c1, y.c0].map((part) => uintBE(part, 32))
    expect(bytesToHex(concatBytes(...g2))).toBe(gnark['bn254.g2.Marshal'])
    expect(x.c0.toString()).toBe(gnark['bn254.g2.X.A0'])
    expect(x.c1.toString()).toBe(gnark['bn254.g2.X.A1'])
  })
})

describe('gnark scalars', () => {
  test('are written as gnark writes them', () => {
    const minusFive = CURVE_ORDER - 5n
    expect(formatGnarkScalar(minusFive)).toBe(gnark['fr(-5).String'])
    expect(encodeGnarkScalar(minusFive)).toBe(gnark['fr(-5).JSON'])
    expect(encodeGnarkScalar(123n)).toBe(gnark['fr(123).JSON'])
    expect(encodeGnarkScalar(SECRET)).toBe(gnark['fr(s).JSON'])
  })

  test('are read back, negative ones too', () => {
    for (const value of [
      0n,
      1n,
      123n,
      SECRET,
      CURVE_ORDER - 1n,
      CURVE_ORDER - 65535n,
      CURVE_ORDER - 65536n,
    ])
      expect(parseGnarkScalar(formatGnarkScalar(value))).toBe(value)
  })

  test.each([
    '',
    '-0',
    '-65536',
    '01',
    '0x5',
    '1_0',
    ' 1',
    '1e3',
    CURVE_ORDER.toString(),
    '9'.repeat(79),
  ])('%j is refused', (text) => {
    expect(() => parseGnarkScalar(text)).toThrow(expect.objectContaining({ code: 'SHARE_INVALID' }))
  })
})
