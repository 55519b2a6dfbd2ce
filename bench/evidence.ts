/**
 * How long the verification of SEV-SNP evidence takes: with nothing remembered, and again with the same certificate.
 * @module
 */
import { createSnpAuthority } from '../helper/sim/evidence.ts'
import { parseAaSnpEvidence } from '../sdk/attest/aa-snp.ts'
import type { SnpTrustAnchors } from '../sdk/attest/anchors.ts'
import { verifySnp } from '../sdk/attest/snp-verify.ts'
import { parseWireSnpEvidence } from '../sdk/attest/wire-snp.ts'
import { measureMs, type Row } from './row.ts'

const WARM_BUDGET_MS = 1.5

export async function evidenceRows(): Promise<Row[]> {
  const now = Math.floor(Date.now() / 1000)
  const rows: Row[] = []
  for (const kind of ['VCEK', 'VLEK'] as const) {
    const authority = await createSnpAuthority({ product: 'Genoa', kind, now })
    const issued = await authority.issue()
    // What is remembered belongs to one set of anchors: a copy of the set has forgotten everything.
    const cold = () => {
      const anchors: SnpTrustAnchors = new Map(authority.anchors)
      verifySnp(issued, anchors, now)
    }
    rows.push(
      {
        name: `SNP ${kind} evidence, cold`,
        value: measureMs(cold),
        unit: 'ms',
        note: 'certificate and authorities never seen before',
      },
      {
        name: `SNP ${kind} evidence, warm`,
        value: measureMs(() => verifySnp(issued, authority.anchors, now), { runs: 100 }),
        unit: 'ms',
        budget: WARM_BUDGET_MS,
        note: 'one ECDSA P-384 verification',
      },
    )
    if (kind === 'VCEK') {
      const wire = issued.wire()
      const json = issued.aaJson()
      rows.push(
        {
          name: 'SNP wire form, parse',
          value: measureMs(() => parseWireSnpEvidence(wire)),
          unit: 'ms',
        },
        {
          name: 'SNP agent JSON, parse',
          value: measureMs(() => parseAaSnpEvidence(json)),
          unit: 'ms',
        },
      )
    }
  }
  return rows
}
