/**
 * What the tests of evidence share: issuing, flipping bits, and a table of things that are wrong.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { IssueOptions, SnpAuthority } from '../../../helper/sim/evidence.ts'
import type { SnpReportFields } from '../../../helper/sim/evidence-report.ts'
import type { SnpTrustAnchors } from '../../../sdk/attest/anchors.ts'
import { type SnpEvidence, verifySnp } from '../../../sdk/attest/snp-verify.ts'
import type { Check, SnpProduct } from '../../../sdk/attest/types.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'

/** Evidence with a certificate list that a test can change. */
export async function issue(
  fields: Partial<SnpReportFields> = {},
  options: IssueOptions = {},
  authority?: SnpAuthority,
): Promise<{ evidence: SnpEvidence; authority: SnpAuthority }> {
  const used = authority ?? (await authorityOf())
  const { report, certificates } = await used.issue(fields, options)
  return { evidence: { report, certificates }, authority: used }
}

/** A copy with one bit turned. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

export const invalid = (check: string) => ({ code: 'EVIDENCE_INVALID', details: { check } })
export const malformed = (field: string, offset = -1) => ({
  code: 'EVIDENCE_MALFORMED',
  details: { field, offset },
})

/** The smallest honest evidence with one thing changed, and the refusal that must follow. */
export type Refusal = {
  name: string
  fields?: Partial<SnpReportFields>
  options?: IssueOptions
  product?: SnpProduct
  kind?: 'VCEK' | 'VLEK'
  change?: (evidence: SnpEvidence) => Promise<SnpEvidence> | SnpEvidence
  now?: number
  expect: unknown
}

export function describeRefusals(title: string, refusals: readonly Refusal[]): void {
  describe(title, () => {
    it.each(refusals)('$name', async (wanted) => {
      const { fields, options, product = 'Milan', kind = 'VCEK', change, now = NOW } = wanted
      const authority = await authorityOf(product, kind)
      const issued = await issue(fields, options, authority)
      // Genoa is trusted too, so that a wrong product is not merely an unknown one.
      const genoa = await authorityOf('Genoa', 'VCEK')
      const anchors: SnpTrustAnchors = new Map([...genoa.anchors, ...authority.anchors])
      const evidence = (await change?.(issued.evidence)) ?? issued.evidence
      const trace: Check[] = []
      const refusal = refusalOf(() => verifySnp(evidence, anchors, now, trace))
      expect(refusal).toEqual(wanted.expect)
      const failed = trace.filter(({ result }) => result === 'failed').map(({ name }) => name)
      const named = typeof refusal === 'object' && refusal.code === 'EVIDENCE_INVALID'
      expect(failed).toEqual(named ? [trace.at(-1)?.name] : [])
    })
  })
}
