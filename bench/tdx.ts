/**
 * How long the verification of TDX evidence takes: with nothing remembered, and again with the same chain and collateral.
 * @module
 */
import { createTdxAuthority } from '../helper/sim/tdx-evidence.ts'
import { verifyTdx } from '../sdk/attest/tdx-verify.ts'
import { parseWireTdxEvidence } from '../sdk/attest/wire-tdx.ts'
import { measureMs, type Row } from './row.ts'

const WARM_BUDGET_MS = 4

export async function tdxRows(): Promise<Row[]> {
  const now = Math.floor(Date.now() / 1000)
  const authority = await createTdxAuthority({ now })
  const rows: Row[] = []
  for (const version of [4, 5] as const) {
    const issued = await authority.issue({ version })
    // What is remembered belongs to one set of anchors: a copy of the set has forgotten everything.
    const cold = () => verifyTdx(issued, { ...authority.anchors }, now)
    rows.push(
      {
        name: `TDX v${version} quote with collateral, cold`,
        value: measureMs(cold),
        unit: 'ms',
        note: 'chain, collateral and revocation lists never seen before',
      },
      {
        name: `TDX v${version} quote with collateral, warm`,
        value: measureMs(() => verifyTdx(issued, authority.anchors, now), { runs: 100 }),
        unit: 'ms',
        budget: WARM_BUDGET_MS,
        note: 'two ECDSA P-256 verifications and the TCB evaluation',
      },
    )
  }
  const wire = (await authority.issue()).wire()
  rows.push({
    name: 'TDX wire form, parse',
    value: measureMs(() => parseWireTdxEvidence(wire)),
    unit: 'ms',
  })
  return rows
}
