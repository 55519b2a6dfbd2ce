/** Genuine quotes at an operator that trusts Intel: nothing is wrong with them but that they were made for somebody else. */
import { describe, expect, it } from 'vitest'
import { openCollateral } from '../../sdk/attest/collateral-choice.ts'
import { INTEL_ANCHORS } from '../../sdk/attest/tdx-anchors.ts'
import { encodeWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { toBase64 } from '../../sdk/bytes.ts'
import { genuineTdx, readGenuineTdx } from '../sdk/attest/tdx/genuine.ts'
import { tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import { makeRsa } from './kit.ts'
import { askTdx, makeTdxBody, tdxWorld } from './tdx-kit.ts'

describe.skipIf(genuineTdx === undefined)('a genuine quote', () => {
  const served = readGenuineTdx().filter(
    ({ row }) => row.intelQvlRuleConverged === 'UpToDate' && !row.bundle?.includes('noCRL'),
  )

  it('passes every check up to REPORTDATA, which names another request', async () => {
    const request = await makeTdxBody({ authority: await tdxAuthority(), rsa: makeRsa() })
    const outcomes = new Map<string, string>()
    for (const { name, quote, now, bundle } of served) {
      const { collateral } = openCollateral(bundle ?? '', INTEL_ANCHORS, now)
      const world = await tdxWorld({
        anchors: INTEL_ANCHORS,
        sources: { findCollateral: () => collateral },
        tdx: '',
        nowSeconds: now,
      })
      const attestation = toBase64(encodeWireTdxEvidence({ quote }))
      const answer = await askTdx(world, { ...request, attestation })
      expect(answer).toMatchObject({ status: 401 })
      const last = answer.checks?.at(-1)
      expect(last?.result).toBe('failed')
      outcomes.set(name, last?.name ?? '')
    }
    const reached = [...outcomes.values()].filter((check) => check === 'report-data')
    expect(reached.length).toBeGreaterThanOrEqual(8)
    // The others are wrong in themselves, as their names and the table say.
    const others = [...outcomes].filter(([, check]) => check !== 'report-data')
    expect(new Set(others.map(([, check]) => check))).toEqual(
      new Set(['tdx.policy.debug', 'tdx.pck.validity']),
    )
  })
})
