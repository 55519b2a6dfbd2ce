/**
 * Every single bit of a report and of its certificate, flipped: none may be accepted, none may crash.
 * @module
 */
import { expect } from 'vitest'
import type { SnpTrustAnchors } from '../../../sdk/attest/anchors.ts'
import { type SnpEvidence, verifySnp } from '../../../sdk/attest/snp-verify.ts'
import { EigenxError } from '../../../sdk/errors.ts'
import { flipBit } from './kit.ts'

/** Signed part, signature and the padding behind it. */
export function expectReportFlipsRefused(
  evidence: SnpEvidence,
  anchors: SnpTrustAnchors,
  now: number,
): void {
  const flips = survivingFlips(evidence.report, (report) =>
    verifySnp({ ...evidence, report }, anchors, now),
  )
  expect(flips).toEqual([])
}

export function expectCertificateFlipsRefused(
  evidence: SnpEvidence,
  anchors: SnpTrustAnchors,
  now: number,
): void {
  const [leaf = new Uint8Array()] = evidence.certificates
  expect(leaf.length).toBeGreaterThan(1200)
  const flips = survivingFlips(leaf, (certificate) =>
    verifySnp({ ...evidence, certificates: [certificate] }, anchors, now),
  )
  expect(flips).toEqual([])
}

/**
 * @param bytes - Accepted as they are.
 * @param stride - 1 for every bit; a prime to sample, where others already flip every one.
 * @returns Bits whose flip was accepted, or refused with anything but a typed error.
 */
export function survivingFlips(
  bytes: Uint8Array,
  verify: (flipped: Uint8Array) => unknown,
  stride = 1,
): number[] {
  verify(bytes)
  const found: number[] = []
  for (let bit = 0; bit < bytes.length * 8; bit += stride) {
    try {
      verify(flipBit(bytes, bit))
    } catch (error) {
      if (error instanceof EigenxError) continue
    }
    found.push(bit)
  }
  return found
}

/** The same for the part of `whole` from `from` to `to`. */
export function survivingFlipsWithin(
  whole: Uint8Array,
  [from, to]: readonly [number, number],
  verify: (flipped: Uint8Array) => unknown,
): number[] {
  return survivingFlips(whole.slice(from, to), (part) => {
    const flipped = Uint8Array.from(whole)
    flipped.set(part, from)
    return verify(flipped)
  })
}
