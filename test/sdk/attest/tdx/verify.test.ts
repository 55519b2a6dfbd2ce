import { describe, expect, it, vi } from 'vitest'
import { SIM_BOOT_LOG, SIM_BOOT_RTMRS } from '../../../../helper/sim/tdx-event-log.ts'
import { importTdxAuthority, SIM_PCK } from '../../../../helper/sim/tdx-evidence.ts'
import { createCrlMemory } from '../../../../sdk/attest/crl-memory.ts'
import { verifyTdx } from '../../../../sdk/attest/tdx-verify.ts'
import type { Check } from '../../../../sdk/attest/types.ts'
import { bytesToHex } from '../../../../sdk/bytes.ts'
import * as entry from '../../../../sdk/verify.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { DAY, invalid, issueTdx, NOW, tdxAuthority } from './kit.ts'

describe('honest TDX evidence', () => {
  it.each([
    { version: 4, tdVersion: '1.0' },
    { version: 5, tdVersion: '1.0' },
    { version: 5, tdVersion: '1.5' },
  ] as const)('of version $version with a TD $tdVersion report is accepted', async (form) => {
    const { anchors } = await tdxAuthority()
    const reportData = new Uint8Array(64).fill(0xda)
    const { claims, checks } = verifyTdx(
      await issueTdx({ ...form, report: { reportData } }),
      anchors,
      NOW,
    )
    expect(claims).toMatchObject({
      tee: 'tdx',
      quoteVersion: form.version,
      tdVersion: form.tdVersion,
      fmspc: bytesToHex(SIM_PCK.fmspc),
      pceId: '0000',
      reportData,
      tcb: { status: 'UpToDate', evaluationNumbers: { tcbInfo: 19, qeIdentity: 19 } },
      advisories: [],
      collateralExpires: NOW + 29 * DAY,
    })
    expect(claims.teeTcbSvn2 === undefined).toBe(form.tdVersion === '1.0')
    expect(checks.every(({ result }) => result !== 'failed')).toBe(true)
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['tdx.quote-signature', 'tdx.pck.not-revoked', 'tdx.tcb-status']),
    )
  })

  it('leaves the same checks behind when its chain and collateral are known already', async () => {
    const { anchors } = await tdxAuthority()
    const evidence = await issueTdx()
    const names = () => {
      const trace: Check[] = []
      verifyTdx(evidence, anchors, NOW, trace)
      return trace
    }
    expect(names()).toEqual(names())
  })

  it('is judged by the clock also when it is known', async () => {
    const { anchors } = await tdxAuthority()
    const evidence = await issueTdx()
    verifyTdx(evidence, anchors, NOW)
    const late = () => verifyTdx(evidence, anchors, NOW + 8 * 365 * DAY)
    expect(refusalOf(late)).toEqual(invalid('tdx.pck.validity'))
    expect(refusalOf(() => verifyTdx(evidence, anchors, NOW + 30 * DAY))).toEqual(
      invalid('tdx.tcb-info.validity'),
    )
  })

  it('is refused by anchors of the same names and other keys', async () => {
    const { anchors } = await tdxAuthority('other')
    const evidence = await issueTdx()
    expect(refusalOf(() => verifyTdx(evidence, anchors, NOW))).toEqual(
      invalid('tdx.pck-chain.root'),
    )
  })

  it('can be issued by another process under the same root', async () => {
    const authority = await tdxAuthority()
    const imported = await importTdxAuthority(await authority.exportAuthority())
    const evidence = await imported.issue()
    expect(verifyTdx(evidence, authority.anchors, NOW).claims.tcb.status).toBe('UpToDate')
  })
})

describe('collateral', () => {
  it('may be kept by the operator, who is asked for the verified platform', async () => {
    const { anchors } = await tdxAuthority()
    const { quote, collateral } = await issueTdx()
    const findCollateral = vi.fn(() => collateral)
    expect(verifyTdx({ quote }, anchors, NOW, [], { findCollateral }).claims.tcb.status).toBe(
      'UpToDate',
    )
    expect(findCollateral).toHaveBeenCalledWith({ fmspc: bytesToHex(SIM_PCK.fmspc), pceId: '0000' })
  })

  it('of the operator counts before that of the sender', async () => {
    const { anchors } = await tdxAuthority()
    const { quote, collateral } = await issueTdx()
    const old = await issueTdx({ at: NOW - 60 * DAY })
    const sources = { findCollateral: () => old.collateral }
    expect(refusalOf(() => verifyTdx({ quote, collateral }, anchors, NOW, [], sources))).toEqual(
      invalid('tdx.tcb-info.validity'),
    )
  })

  it('is not asked for before the quote is known to be genuine', async () => {
    const { anchors } = await tdxAuthority('other')
    const { quote } = await issueTdx()
    const findCollateral = vi.fn(() => undefined)
    expect(refusalOf(() => verifyTdx({ quote }, anchors, NOW, [], { findCollateral }))).toEqual(
      invalid('tdx.pck-chain.root'),
    )
    expect(findCollateral).not.toHaveBeenCalled()
  })

  it('that is missing refuses the evidence', async () => {
    const { anchors } = await tdxAuthority()
    const { quote } = await issueTdx()
    expect(refusalOf(() => verifyTdx({ quote }, anchors, NOW))).toMatchObject({
      code: 'COLLATERAL_UNAVAILABLE',
    })
  })
})

describe('a revocation that was once seen', () => {
  it('cannot be hidden by an older list that is still in date', async () => {
    const { anchors } = await tdxAuthority()
    const before = await issueTdx({ pckCrl: () => ({ thisUpdate: NOW - 2 * DAY }) })
    const after = await issueTdx({ pckCrl: () => ({ revoked: ['55'] }) })
    const crls = createCrlMemory()
    expect(verifyTdx(before, anchors, NOW, [], { crls }).claims.tcb.status).toBe('UpToDate')
    for (const evidence of [after, before])
      expect(refusalOf(() => verifyTdx(evidence, anchors, NOW, [], { crls }))).toEqual(
        invalid('tdx.pck.not-revoked'),
      )
    expect(verifyTdx(before, anchors, NOW).claims.tcb.status).toBe('UpToDate')
  })

  it('is kept by number before date', async () => {
    const { anchors } = await tdxAuthority()
    const higher = await issueTdx({
      pckCrl: () => ({ number: 2, thisUpdate: NOW - 3 * DAY, revoked: ['55'] }),
    })
    const crls = createCrlMemory()
    const honest = await issueTdx()
    for (const evidence of [higher, honest])
      expect(refusalOf(() => verifyTdx(evidence, anchors, NOW, [], { crls }))).toEqual(
        invalid('tdx.pck.not-revoked'),
      )
  })
})

describe('the entry eigenx-tee/verify', () => {
  it('goes from the JSON of an agent and a bundle to a verdict, as its example says', async () => {
    const { anchors } = await tdxAuthority()
    const report = { rtmrs: SIM_BOOT_RTMRS }
    const issued = await issueTdx({ report, logs: { eventLog: SIM_BOOT_LOG } })
    const bundle = JSON.stringify(entry.encodeTdxCollateral(issued.collateral))

    const { quote, ...logs } = entry.parseAaTdxEvidence(issued.aaJson())
    const collateral = entry.parseTdxCollateral(bundle)
    const { claims } = entry.verifyTdx({ quote, collateral }, anchors, NOW)
    expect(entry.checkTdxEventLogs(logs, claims.rtmrs)).toHaveLength(4)
    entry.appraiseTdx(claims, entry.DEFAULT_TDX_POLICY, NOW)

    const platform = { fmspc: claims.fmspc, pceId: claims.pceId }
    const opened = entry.openCollateral(bundle, anchors, NOW)
    expect(entry.newestCollateral([opened], platform, NOW)).toEqual(collateral)
    expect(refusalOf(() => entry.openCollateral(bundle, entry.INTEL_ANCHORS, NOW))).toMatchObject({
      code: 'EVIDENCE_INVALID',
    })
  })
})
