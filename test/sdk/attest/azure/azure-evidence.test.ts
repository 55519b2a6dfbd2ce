import { assert, property, string, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeAzureSnpJson, encodeAzureTdxJson } from '../../../../helper/sim/azure-evidence.ts'
import {
  parseAzureSnpEvidence,
  parseAzureTdxEvidence,
} from '../../../../sdk/attest/azure-evidence.ts'
import { parseHclReport, parseHclRuntimeData } from '../../../../sdk/attest/azure-hcl.ts'
import { parseTdReportStruct } from '../../../../sdk/attest/azure-tdreport.ts'
import { parseTpmQuote } from '../../../../sdk/attest/tpm-attest.ts'
import { EigenxError } from '../../../../sdk/errors.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { malformed } from '../kit.ts'
import { snpVm, tdxVm } from './kit.ts'

const VERSIONS = [0, 1, 2] as const
type Members = Record<string, unknown>
const issueSnp = async (version: (typeof VERSIONS)[number]) => (await snpVm()).issue({ version })
const issueTdx = async (version: (typeof VERSIONS)[number]) => {
  const { collateral: _, ...evidence } = await (await tdxVm()).machine.issue({ version })
  return evidence
}
const snpText = async (version: (typeof VERSIONS)[number], edit: (data: Members) => Members) =>
  JSON.stringify(edit(JSON.parse(encodeAzureSnpJson(await issueSnp(version)))))

describe("the agent's JSON", () => {
  it.each(VERSIONS)('of version %i becomes the same bytes, SNP', async (version) => {
    const evidence = await issueSnp(version)
    for (const padded of [false, true])
      expect(parseAzureSnpEvidence(encodeAzureSnpJson(evidence, padded))).toEqual(evidence)
  })

  it.each(VERSIONS)('of version %i becomes the same bytes, TDX', async (version) => {
    const evidence = await issueTdx(version)
    for (const padded of [false, true])
      expect(parseAzureTdxEvidence(encodeAzureTdxJson(evidence, padded))).toEqual(evidence)
  })

  it.each(VERSIONS)('of version %i can have collateral beside a TDX quote', async (version) => {
    const evidence = await (await tdxVm()).machine.issue({ version })
    const text = encodeAzureTdxJson(evidence)
    expect(parseAzureTdxEvidence(text)).toEqual(evidence)
    const broken = { ...JSON.parse(text), collateral: {} }
    expect(refusalOf(() => parseAzureTdxEvidence(JSON.stringify(broken)))).toEqual(
      malformed('collateral.tcb_info'),
    )
  })

  const wrong: [string, 0 | 1 | 2, (data: Members) => Members, string][] = [
    ['another version', 2, (data) => ({ ...data, version: 3 }), 'version'],
    ['version 0 written out', 1, (data) => ({ ...data, version: 0 }), 'version'],
    ['a version as text', 2, (data) => ({ ...data, version: '2' }), 'version'],
    ['a member more', 2, (data) => ({ ...data, more: 1 }), 'evidence'],
    ['the members of another version', 0, (data) => ({ ...data, version: 1 }), 'evidence'],
    ['a TDX member', 2, (data) => ({ ...data, td_quote: '' }), 'evidence'],
    ['no quote', 2, ({ tpm_quote: _, ...data }) => data, 'tpm_quote'],
    ['no HCL report', 2, ({ hcl_report: _, ...data }) => data, 'hcl_report'],
    ['no certificate', 2, ({ vcek: _, ...data }) => data, 'vcek'],
    ['base64 of the other alphabet', 2, (data) => ({ ...data, vcek: '+/+/' }), 'vcek'],
    ['base64 with white space', 2, (data) => ({ ...data, vcek: 'AA AA' }), 'vcek'],
    [
      'PEM where DER is due',
      2,
      (data) => ({ ...data, vcek: '-----BEGIN CERTIFICATE-----' }),
      'vcek',
    ],
    ['DER where PEM is due', 0, (data) => ({ ...data, vcek: 'MIIF' }), 'vcek'],
    ['a byte of 256', 0, (data) => ({ ...data, report: [256] }), 'report'],
    ['a negative byte', 0, (data) => ({ ...data, report: [-1] }), 'report'],
    ['a text among the bytes', 0, (data) => ({ ...data, report: ['1'] }), 'report'],
  ]
  it.each(wrong)('with %s is refused', async (_, version, edit, field) => {
    const text = await snpText(version, edit)
    expect(refusalOf(() => parseAzureSnpEvidence(text))).toEqual(malformed(field))
  })

  const wrongQuote: [string, Members, string][] = [
    ['a member more', { more: 1 }, 'tpm_quote'],
    ['a signature of another length', { signature: '00' }, 'tpm_quote.signature'],
    ['upper-case hex', { message: 'FF' }, 'tpm_quote.message'],
    ['hex with 0x', { message: '0xff' }, 'tpm_quote.message'],
    ['half a byte', { message: 'fff' }, 'tpm_quote.message'],
    ['integers', { message: [1] }, 'tpm_quote.message'],
    ['23 registers', { pcrs: Array(23).fill('00'.repeat(32)) }, 'tpm_quote.pcrs'],
    ['25 registers', { pcrs: Array(25).fill('00'.repeat(32)) }, 'tpm_quote.pcrs'],
    ['short registers', { pcrs: Array(24).fill('00'.repeat(20)) }, 'tpm_quote.pcrs[0]'],
    ['registers by name', { pcrs: { pcr00: '' } }, 'tpm_quote.pcrs'],
  ]
  it.each(wrongQuote)('with a quote of %s is refused', async (_, members, field) => {
    const text = await snpText(2, (data) => {
      const quote: unknown = data.tpm_quote
      return { ...data, tpm_quote: { ...(typeof quote === 'object' ? quote : {}), ...members } }
    })
    expect(refusalOf(() => parseAzureSnpEvidence(text))).toEqual(malformed(field))
  })

  it('with a key twice is refused', async () => {
    const text = (await snpText(2, (data) => data)).replace('{', '{"version":1,')
    expect(refusalOf(() => parseAzureSnpEvidence(text))).toEqual(malformed('evidence'))
  })

  it('of SNP is not of TDX, and the reverse', async () => {
    const snp = encodeAzureSnpJson(await issueSnp(2))
    const tdx = encodeAzureTdxJson(await issueTdx(2))
    expect(refusalOf(() => parseAzureTdxEvidence(snp))).toEqual(malformed('evidence'))
    expect(refusalOf(() => parseAzureSnpEvidence(tdx))).toEqual(malformed('evidence'))
  })

  it.each([
    ['hcl_report', 8192],
    ['vcek', 4096],
  ] as const)('with a %s above %i bytes is refused', async (field, limit) => {
    const text = await snpText(2, (data) => ({
      ...data,
      [field]: 'A'.repeat(4 * Math.ceil((limit + 1) / 3)),
    }))
    const refusal = { code: 'INPUT_TOO_LARGE', details: { field, limit } }
    expect(refusalOf(() => parseAzureSnpEvidence(text))).toEqual(refusal)
    const long = await snpText(2, (data) => ({ ...data, [field]: 'A'.repeat(2 * limit + 1) }))
    expect(refusalOf(() => parseAzureSnpEvidence(long))).toEqual(refusal)
  })

  it('with too many integers is refused', async () => {
    const text = await snpText(0, (data) => ({ ...data, report: Array(8193).fill(0) }))
    expect(refusalOf(() => parseAzureSnpEvidence(text))).toMatchObject({ code: 'INPUT_TOO_LARGE' })
  })
})

describe('noise', () => {
  const total = (parse: (bytes: Uint8Array) => unknown, maxLength: number) =>
    assert(
      property(uint8Array({ maxLength }), (bytes) => {
        try {
          parse(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(EigenxError)
        }
      }),
      { numRuns: 2000 },
    )

  it('is refused with a typed error by every parser', async () => {
    await total(parseTpmQuote, 600)
    await total(parseHclReport, 3000)
    await total(parseHclRuntimeData, 300)
    await total(parseTdReportStruct, 1200)
    for (const parse of [parseAzureSnpEvidence, parseAzureTdxEvidence])
      await assert(
        property(string(), (text) => {
          expect(refusalOf(() => parse(text))).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
        }),
        { numRuns: 500 },
      )
  })

  it('behind an honest beginning is refused with a typed error too', async () => {
    const { quote, hclReport } = await issueSnp(2)
    for (const [bytes, parse] of [
      [quote.message, parseTpmQuote],
      [hclReport, parseHclReport],
    ] as const)
      await total(
        (noise) => parse(Uint8Array.of(...bytes.subarray(0, noise.length), ...noise)),
        300,
      )
  })
})
