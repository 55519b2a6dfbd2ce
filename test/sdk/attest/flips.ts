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
  const flips = survivors(evidence.report, (report) =>
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
  const flips = survivors(leaf, (certificate) =>
    verifySnp({ ...evidence, certificates: [certificate] }, anchors, now),
  )
  expect(flips).toEqual([])
}

/** Bits whose flip was accepted, or refused with anything but a typed error. */
function survivors(bytes: Uint8Array, verify: (flipped: Uint8Array) => unknown): number[] {
  verify(bytes)
  const found: number[] = []
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    try {
      verify(flipBit(bytes, bit))
    } catch (error) {
      if (error instanceof EigenxError) continue
    }
    found.push(bit)
  }
  return found
}
