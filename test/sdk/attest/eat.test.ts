/** Verdicts as EAT claims: the JSON forms of RFC 9711, and nothing that was not proven. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { appraiseAzure, DEFAULT_AZURE_POLICY } from '../../../sdk/attest/azure-policy.ts'
import { verifyAzureSnp } from '../../../sdk/attest/azure-verify.ts'
import { type EatClaims, toEatClaims } from '../../../sdk/attest/eat.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY } from '../../../sdk/attest/snp-policy.ts'
import { verifySnp } from '../../../sdk/attest/snp-verify.ts'
import type { Check } from '../../../sdk/attest/types.ts'
import { bytesToHex, parseAnyBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { snpVm } from './azure/kit.ts'
import { claimsOf as tdxClaimsOf } from './tdx/kit.ts'

const base64url = (least: number, most: number) =>
  z.string().refine((text) => {
    const bytes = /^[A-Za-z0-9_-]*$/.test(text) ? parseAnyBase64(text) : undefined
    return bytes !== undefined && bytes.length >= least && bytes.length <= most
  })

/** The CDDL of RFC 9711, 7.2, in its JSON form, as far as our claims go. */
const members = {
  eat_nonce: base64url(8, 64).optional(),
  oemid: z.int().optional(),
  hwmodel: base64url(1, 32).optional(),
  dbgstat: z
    .enum(['enabled', 'disabled', 'disabled-since-boot', 'disabled-permanently'])
    .optional(),
  swname: z.string().optional(),
  swversion: z.tuple([z.string(), z.literal('multipartnumeric')]).optional(),
  eigenx_tee: z.record(z.string(), z.unknown()).optional(),
}
const submodule = z.strictObject({
  ...members,
  submods: z
    .record(z.string(), z.strictObject({ ...members, submods: z.unknown().optional() }))
    .optional(),
})
const Eat = submodule.extend({
  eat_profile: z.string().regex(/^[a-z]+:/),
  iat: z.int(),
  measres: z
    .array(
      z.tuple([
        z.string().min(1),
        z.array(z.tuple([z.string(), z.enum(['success', 'fail', 'not-run', 'absent'])])).min(1),
      ]),
    )
    .min(1)
    .optional(),
})

/** As it leaves the process. */
const eatOf = (verdict: Parameters<typeof toEatClaims>[0]): EatClaims => {
  const claims = toEatClaims(verdict)
  expect(Eat.safeParse(JSON.parse(JSON.stringify(claims))).error).toBeUndefined()
  return claims
}
const results = (claims: EatClaims) => new Map((claims.measres ?? []).flatMap(([, group]) => group))

describe('a verdict on an SNP report', () => {
  it('says under RFC 9711’s names what they are for, and the rest under ours', async () => {
    const authority = await authorityOf()
    const reportData = new Uint8Array(64).fill(5)
    const evidence = await authority.issue({ reportData })
    const trace: Check[] = []
    const { claims } = verifySnp(evidence, authority.anchors, NOW, trace)
    appraiseSnp(claims, DEFAULT_SNP_POLICY, trace)
    const eat = eatOf({ claims, checks: trace, at: NOW, binding: 'host_data' })
    expect(eat).toMatchObject({
      eat_profile: 'urn:eigenx-tee:eat:1',
      iat: NOW,
      eat_nonce: Buffer.from(reportData).toString('base64url'),
      oemid: 3704,
      hwmodel: Buffer.from('SEV-SNP Milan').toString('base64url'),
      dbgstat: 'disabled-since-boot',
      submods: { firmware: { swname: 'SEV-SNP firmware' } },
      eigenx_tee: {
        accepted: true,
        initdata_binding: 'host_data',
        tee: 'snp',
        measurement: bytesToHex(claims.measurement),
        tcb: claims.tcb,
        valid_until: claims.leaf.notAfter,
      },
    })
    expect(eat.measres?.map(([system]) => system)).toEqual(['snp'])
    expect(results(eat).get('snp.report-signature')).toBe('success')
    expect(results(eat).get('snp.policy.id-key')).toBe('not-run')
    expect([...results(eat).keys()].sort()).toEqual(
      [...new Set(trace.map(({ name }) => name))].sort(),
    )
  })

  it('of a debuggable guest says so, and that it was not accepted', async () => {
    const authority = await authorityOf()
    const evidence = await authority.issue({ policy: 0xb0000n })
    const trace: Check[] = []
    const { claims } = verifySnp(evidence, authority.anchors, NOW, trace)
    const refused = refusalOf(() => appraiseSnp(claims, DEFAULT_SNP_POLICY, trace))
    expect(refused).toMatchObject({ code: 'EVIDENCE_NOT_ALLOWED' })
    const eat = eatOf({ claims, checks: trace, at: NOW, refusal: 'EVIDENCE_NOT_ALLOWED' })
    expect(eat.dbgstat).toBe('enabled')
    expect(results(eat).get('snp.policy.debug')).toBe('fail')
    expect(eat.eigenx_tee).toMatchObject({ accepted: false, refusal: 'EVIDENCE_NOT_ALLOWED' })
  })

  it('that is not genuine states no fact of it', async () => {
    const lookAlike = await authorityOf('Milan', 'VCEK', 'look-alike')
    const { anchors } = await authorityOf()
    const trace: Check[] = []
    const evidence = await lookAlike.issue()
    refusalOf(() => verifySnp(evidence, anchors, NOW, trace))
    const eat = eatOf({ checks: trace, at: NOW })
    expect(Object.keys(eat).sort()).toEqual(['eat_profile', 'eigenx_tee', 'iat', 'measres'])
    expect(eat.eigenx_tee).toEqual({ accepted: false })
  })

  it('that failed before its first check has no results', () => {
    expect(eatOf({ checks: [], at: NOW, refusal: 'EVIDENCE_MALFORMED' })).toEqual({
      eat_profile: 'urn:eigenx-tee:eat:1',
      iat: NOW,
      eigenx_tee: { accepted: false, refusal: 'EVIDENCE_MALFORMED' },
    })
  })
})

describe('a verdict on other evidence', () => {
  it('names Intel and the kind of platform, and when its collateral ends', async () => {
    const claims = await tdxClaimsOf({ version: 5, tdVersion: '1.5' })
    const eat = eatOf({ claims, checks: [], at: NOW })
    expect(eat).toMatchObject({
      oemid: 343,
      hwmodel: Buffer.from('TDX 51806f000000').toString('base64url'),
      dbgstat: 'disabled-since-boot',
      eigenx_tee: { tcb_status: 'UpToDate', valid_until: claims.collateralExpires },
    })
    const attributes = claims.tdAttributes | 0x20n // a profiling mode, which is not DEBUG itself
    const profiled = { ...claims, tdAttributes: attributes }
    expect(eatOf({ claims: profiled, checks: [], at: NOW }).dbgstat).toBe('enabled')
  })

  it('keeps what the vTPM says apart from the hardware below it', async () => {
    const { anchors } = await authorityOf()
    const nonce = utf8ToBytes('n'.repeat(43))
    const evidence = await (await snpVm()).issue({ nonce })
    const trace: Check[] = []
    const { claims } = verifyAzureSnp(evidence, anchors, NOW, trace)
    appraiseAzure(claims, DEFAULT_AZURE_POLICY, trace)
    const eat = eatOf({ claims, checks: trace, at: NOW })
    expect(eat.eat_nonce).toBe(Buffer.from(nonce).toString('base64url'))
    expect(eat.oemid).toBeUndefined()
    expect(eat.submods?.hardware).toMatchObject({
      oemid: 3704,
      eat_nonce: Buffer.from(claims.hardware.reportData).toString('base64url'),
    })
    expect(eat.measres?.map(([system]) => system).sort()).toEqual(['azure', 'snp'])
    expect(eat.eigenx_tee?.pcrs).toHaveLength(24)
    const short = { ...claims, vtpm: { ...claims.vtpm, nonce: utf8ToBytes('short') } }
    expect(eatOf({ claims: short, checks: [], at: NOW }).eat_nonce).toBeUndefined()
  })

  it('makes one result of several checks of one name, the worst', () => {
    const check = (name: string, result: Check['result']): Check => ({
      name,
      result,
      inputs: {},
      source: 'test',
    })
    const checks = [
      check('a.x', 'not-applicable'),
      check('a.x', 'passed'),
      check('b', 'failed'),
      check('a.y', 'failed'),
      check('a.y', 'passed'),
    ]
    expect(eatOf({ checks, at: NOW }).measres).toEqual([
      [
        'a',
        [
          ['a.x', 'success'],
          ['a.y', 'fail'],
        ],
      ],
      ['b', [['b', 'fail']]],
    ])
  })

  it('says under whose roots, where they are not the vendor’s', () => {
    const eat = eatOf({ checks: [], at: NOW, trust: 'NOT AMD' })
    expect(eat.eigenx_tee).toMatchObject({ trust: 'NOT AMD' })
  })
})
