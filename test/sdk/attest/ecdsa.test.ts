import { fc, test } from '@fast-check/vitest'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { privateKeyToAddress } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import {
  type EcdsaEvidence,
  ecdsaMessage,
  verifyEcdsaAttestation,
} from '../../../sdk/attest/ecdsa.ts'
import {
  bytesToHex,
  concatBytes,
  fromUintBE,
  parseHex,
  toHex,
  uintBE,
  utf8ToBytes,
} from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import vectors from '../../vectors/protocol/vectors_wire.json' with { type: 'json' }

const known = vectors.ecdsaAttestation
const bytes = (hex: string) => parseHex(hex) ?? new Uint8Array()
const privateKey = new Uint8Array(32).fill(9)
const ISSUED = 1_800_000_000
const nonce = 'a1'.repeat(32)

function sign(change: Partial<EcdsaEvidence> = {}): EcdsaEvidence {
  const unsigned = {
    version: 'v2' as const,
    appId: `0x${'ab'.repeat(20)}`,
    challenge: utf8ToBytes(`${ISSUED}-${nonce}`),
    publicKey: secp256k1.getPublicKey(privateKey, false),
    rsaPublicKey: utf8ToBytes('-----BEGIN PUBLIC KEY-----'),
    extraData: new Uint8Array(),
    ...change,
  }
  const hash = keccak_256(ecdsaMessage(unsigned))
  const signature = secp256k1.sign(hash, privateKey, { prehash: false, lowS: true })
  return { ...unsigned, attestation: concatBytes(signature, Uint8Array.of(27)) }
}

describe('the legacy message', () => {
  const evidence: EcdsaEvidence = {
    version: 'legacy',
    appId: 'my-app-id',
    challenge: utf8ToBytes(known.challenge),
    publicKey: bytes(known.publicKey),
    attestation: bytes(known.attestation_v0or1),
    rsaPublicKey: new Uint8Array(),
    extraData: new Uint8Array(),
  }
  const issuedAt = Number(known.challenge.split('-')[0])

  it('is the one that Go signs', () => {
    expect(bytesToHex(keccak_256(ecdsaMessage(evidence)))).toBe(known.messageHash)
    expect(verifyEcdsaAttestation(evidence, issuedAt + 1).signer).toBe(vectors.address)
  })

  it('does not cover the RSA key, which is why it is off by default', () => {
    const other = { ...evidence, rsaPublicKey: utf8ToBytes('of somebody else') }
    expect(verifyEcdsaAttestation(other, issuedAt).signer).toBe(vectors.address)
  })

  it('is not taken for version 2, nor the reverse', () => {
    const refused = { code: 'EVIDENCE_INVALID', details: { check: 'ecdsa.signature' } }
    const asV2 = { ...evidence, version: 'v2' as const }
    expect(refusalOf(() => verifyEcdsaAttestation(asV2, issuedAt))).toEqual(refused)
    const asLegacy = { ...sign(), version: 'legacy' as const }
    expect(refusalOf(() => verifyEcdsaAttestation(asLegacy, ISSUED))).toEqual(refused)
  })
})

describe('version 2', () => {
  it('tells the address of who signed', () => {
    expect(verifyEcdsaAttestation(sign(), ISSUED).signer).toBe(
      privateKeyToAddress(toHex(privateKey)).toLowerCase(),
    )
  })

  it.each([-5, 0, 1, 300])('takes a challenge of %i seconds of age', (age) => {
    expect(verifyEcdsaAttestation(sign(), ISSUED + age).checks).toHaveLength(3)
  })

  it.each([-6, 301, 1e9])('refuses a challenge of %i seconds of age', (age) => {
    expect(refusalOf(() => verifyEcdsaAttestation(sign(), ISSUED + age))).toEqual({
      code: 'EVIDENCE_INVALID',
      details: { check: 'ecdsa.challenge-age' },
    })
  })

  const signed = sign()
  const high = concatBytes(
    signed.attestation.slice(0, 32),
    uintBE(secp256k1.Point.Fn.ORDER - fromUintBE(signed.attestation.slice(32, 64)), 32),
    Uint8Array.of(27),
  )
  const invalid = 'ecdsa.signature'
  it.each([
    ['another app', { appId: `0x${'ac'.repeat(20)}` }, invalid],
    ['the app in another case', { appId: signed.appId.toUpperCase() }, invalid],
    ['another RSA key', { rsaPublicKey: utf8ToBytes('mine') }, invalid],
    ['other extra data', { extraData: Uint8Array.of(1) }, invalid],
    ['another nonce', { challenge: utf8ToBytes(`${ISSUED}-${'b2'.repeat(32)}`) }, invalid],
    ['another time', { challenge: utf8ToBytes(`${ISSUED + 1}-${nonce}`) }, invalid],
    [
      'the key of somebody else',
      { publicKey: secp256k1.getPublicKey(new Uint8Array(32).fill(8), false) },
      invalid,
    ],
    ['the high s', { attestation: high }, invalid],
    ['a zero signature', { attestation: new Uint8Array(65) }, invalid],
    ['a signature of ff', { attestation: new Uint8Array(65).fill(0xff, 0, 64) }, invalid],
    [
      'a point off the curve',
      { publicKey: Uint8Array.from({ length: 65 }, () => 4) },
      'ecdsa.public-key',
    ],
  ] as [string, Partial<EcdsaEvidence>, string][])('refuses %s', (_, change, check) => {
    expect(refusalOf(() => verifyEcdsaAttestation({ ...signed, ...change }, ISSUED))).toEqual({
      code: 'EVIDENCE_INVALID',
      details: { check },
    })
  })

  it.each([
    ['challenge', { challenge: utf8ToBytes(`${ISSUED}-${nonce}x`) }],
    ['challenge', { challenge: utf8ToBytes(`${ISSUED}-${nonce} y`) }],
    ['challenge', { challenge: utf8ToBytes(`+${ISSUED}-${nonce}`) }],
    ['challenge', { challenge: utf8ToBytes(`0${ISSUED}-${nonce}`) }],
    ['challenge', { challenge: utf8ToBytes(`-1-${nonce}`) }],
    ['challenge', { challenge: new Uint8Array() }],
    ['challenge', { challenge: new Uint8Array(10_000).fill(0x31) }],
    ['public_key', { publicKey: secp256k1.getPublicKey(privateKey, true) }],
    ['public_key', { publicKey: new Uint8Array(64) }],
    ['attestation', { attestation: signed.attestation.slice(0, 64) }],
    [
      'attestation',
      { attestation: Uint8Array.from(signed.attestation, (b, i) => (i === 64 ? 2 : b)) },
    ],
  ] as [string, Partial<EcdsaEvidence>][])('refuses a malformed %s', (field, change) => {
    expect(refusalOf(() => verifyEcdsaAttestation({ ...signed, ...change }, ISSUED))).toEqual({
      code: 'EVIDENCE_MALFORMED',
      details: { field, offset: -1 },
    })
  })

  it('refuses every single flipped bit of the signature', () => {
    for (let bit = 0; bit < 64 * 8; bit++) {
      const attestation = Uint8Array.from(signed.attestation)
      attestation[bit >> 3] = (attestation[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const refusal = refusalOf(() => verifyEcdsaAttestation({ ...signed, attestation }, ISSUED))
      expect(refusal).toMatchObject({ code: 'EVIDENCE_INVALID' })
    }
  })

  test.prop([
    fc.uint8Array({ maxLength: 140 }),
    fc.uint8Array({ maxLength: 70 }),
    fc.uint8Array({ maxLength: 70 }),
  ])('gives garbage a typed refusal', (challenge, publicKey, attestation) => {
    const garbage = { ...signed, challenge, publicKey, attestation }
    expect(refusalOf(() => verifyEcdsaAttestation(garbage, ISSUED))).toMatchObject({
      code: expect.stringMatching(/^EVIDENCE_/),
    })
  })
})
