import { describe, expect, it } from 'vitest'
import type { AzureTdxOptions } from '../../../../helper/sim/azure-evidence.ts'
import type { AzureFields } from '../../../../helper/sim/azure-vm.ts'
import type { AzureTdxEvidence } from '../../../../sdk/attest/azure-evidence.ts'
import { verifyAzureSnp, verifyAzureTdx } from '../../../../sdk/attest/azure-verify.ts'
import type { TdxCollateral } from '../../../../sdk/attest/collateral-bundle.ts'
import type { Check } from '../../../../sdk/attest/types.ts'
import { utf8ToBytes } from '../../../../sdk/bytes.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { NOW } from '../../../kit/snp-authority.ts'
import { survivingFlips } from '../flips.ts'
import { flipBit, invalid, malformed } from '../kit.ts'
import { snpAnchors, snpVm, tdxVm } from './kit.ts'

type Evidence = AzureTdxEvidence & { collateral?: TdxCollateral }
/** Offset of the TDREPORT in an HCL report. */
const TDREPORT = 0x20

const verify = async (evidence: Evidence, trace: Check[] = []) =>
  verifyAzureTdx(evidence, (await tdxVm()).authority.anchors, NOW, trace)

describe('evidence of an Azure TDX VM', () => {
  it.each([4, 5] as const)('with a quote of version %i is accepted', async (version) => {
    const { machine } = await tdxVm()
    const nonce = utf8ToBytes('nonce of this request')
    const { claims, checks } = await verify(await machine.issue({ nonce }, { tdx: { version } }))
    expect(claims).toMatchObject({
      tee: 'az-tdx-vtpm',
      evidenceVersion: 2,
      hardware: { tee: 'tdx', quoteVersion: version },
      vtpm: { nonce },
    })
    expect(checks.map(({ name }) => name).filter((name) => name.startsWith('azure.'))).toEqual([
      'azure.hardware',
      'azure.tdreport-hashes',
      'azure.tdreport-equals-quote',
      'azure.runtime-data-hash',
      'azure.quote-signature',
      'azure.quote-pcr-selection',
      'azure.quote-pcr-digest',
      'azure.user-data-equals-nonce',
    ])
  })

  it("may be verified with the operator's collateral", async () => {
    const { machine, authority } = await tdxVm()
    const { collateral, ...evidence } = await machine.issue()
    const none = refusalOf(() => verifyAzureTdx(evidence, authority.anchors, NOW))
    expect(none).toMatchObject({ code: 'COLLATERAL_UNAVAILABLE' })
    const sources = { findCollateral: () => collateral }
    verifyAzureTdx(evidence, authority.anchors, NOW, [], sources)
  })
})

type Refusal = {
  name: string
  fields?: Partial<AzureFields>
  options?: AzureTdxOptions
  change?: (evidence: Evidence) => Evidence | Promise<Evidence>
  expect: unknown
}
const tdreport = (field: string, offset = 0) => malformed(`hcl_report.tdreport.${field}`, offset)
const other = async () => (await tdxVm()).machine.issue({ secureBoot: false })
const set = (at: number, value: number): AzureTdxOptions => ({
  editTdReport: (bytes) => {
    bytes[at] = value
  },
})

const refusals: Refusal[] = [
  {
    name: 'a quote of another VM',
    change: async (evidence) => ({ ...evidence, tdQuote: (await other()).tdQuote }),
    expect: invalid('azure.tdreport-equals-quote'),
  },
  {
    name: 'an HCL report of another VM',
    change: async (evidence) => ({ ...evidence, hclReport: (await other()).hclReport }),
    expect: invalid('azure.tdreport-equals-quote'),
  },
  {
    name: 'a vTPM quote of another VM',
    change: async (evidence) => {
      const { createAzureTdxMachine } = await import('../../../../helper/sim/azure-evidence.ts')
      const issued = await createAzureTdxMachine((await tdxVm()).authority).issue()
      return { ...evidence, quote: issued.quote }
    },
    expect: invalid('azure.quote-signature'),
  },
  {
    name: 'report data that is not the hash of the runtime data',
    options: { tdx: { report: { reportData: new Uint8Array(64).fill(3) } } },
    expect: invalid('azure.runtime-data-hash'),
  },
  {
    name: 'a TDREPORT that names another MRTD',
    options: set(528, 0xff),
    expect: invalid('azure.tdreport-hashes'),
  },
  {
    name: 'a TDREPORT of another module',
    options: set(300, 0xff),
    expect: invalid('azure.tdreport-hashes'),
  },
  {
    name: 'a TDREPORT with other report data',
    options: set(190, 1),
    expect: invalid('azure.tdreport-equals-quote'),
  },
  { name: 'an SGX report', options: set(0, 0), expect: tdreport('report_type') },
  {
    name: 'a TDREPORT that says service TDs are bound',
    options: set(2, 1),
    expect: tdreport('report_type'),
  },
  { name: 'reserved bytes in a TDREPORT', options: set(200, 1), expect: tdreport('reserved', 192) },
  {
    name: 'bytes behind the TDREPORT',
    options: {
      editHcl: (bytes) => {
        bytes[TDREPORT + 1024] = 1
      },
    },
    expect: malformed('hcl_report.reserved', TDREPORT + 1024),
  },
  {
    name: 'registers that were changed',
    change: (evidence) => {
      const pcrs = evidence.quote.pcrs.map((pcr, at) => (at === 0 ? flipBit(pcr, 3) : pcr))
      return { ...evidence, quote: { ...evidence.quote, pcrs } }
    },
    expect: invalid('azure.quote-pcr-digest'),
  },
  {
    name: 'an SNP report',
    change: async (evidence) => ({
      ...evidence,
      hclReport: (await (await snpVm()).issue()).hclReport,
    }),
    expect: invalid('azure.hardware'),
  },
  {
    name: 'version 2 with a report of the boot',
    fields: { userData: new Uint8Array(64) },
    expect: invalid('azure.user-data-equals-nonce'),
  },
]

describe('Azure TDX evidence is refused with', () => {
  it.each(refusals)('$name', async (wanted) => {
    const { machine, authority } = await tdxVm()
    const issued = await machine.issue(wanted.fields, wanted.options)
    const evidence = (await wanted.change?.(issued)) ?? issued
    const trace: Check[] = []
    const refusal = refusalOf(() => verifyAzureTdx(evidence, authority.anchors, NOW, trace))
    expect(refusal).toEqual(wanted.expect)
    const failed = trace.filter(({ result }) => result === 'failed').map(({ name }) => name)
    const named = typeof refusal === 'object' && refusal.code === 'EVIDENCE_INVALID'
    expect(failed).toEqual(named ? [trace.at(-1)?.name] : [])
  })

  it('a root that looks alike', async () => {
    const { createTdxAuthority } = await import('../../../../helper/sim/tdx-evidence.ts')
    const { anchors } = await createTdxAuthority({ now: NOW })
    const evidence = await (await tdxVm()).machine.issue()
    expect(refusalOf(() => verifyAzureTdx(evidence, anchors, NOW))).toMatchObject({
      code: 'EVIDENCE_INVALID',
    })
  })

  it('a TDX report under the SNP method', async () => {
    const { hclReport, quote, version } = await (await tdxVm()).machine.issue()
    const { vcek } = await (await snpVm()).issue()
    const anchors = await snpAnchors()
    const evidence = { hclReport, quote, version, vcek }
    expect(refusalOf(() => verifyAzureSnp(evidence, anchors, NOW))).toEqual(
      invalid('azure.hardware'),
    )
  })
})

describe('every single bit of a TDX report counts', () => {
  it('but those of the MAC and of CPUSVN, which no remote verifier can check and nobody reads', async () => {
    const { machine, authority } = await tdxVm()
    const evidence = await machine.issue()
    const flip = (from: number, to: number, stride: number) =>
      survivingFlips(
        evidence.hclReport.slice(from, to),
        (part) => {
          const hclReport = Uint8Array.from(evidence.hclReport)
          hclReport.set(part, from)
          return verifyAzureTdx({ ...evidence, hclReport }, authority.anchors, NOW)
        },
        stride,
      )
    const bytes = [...new Set(flip(TDREPORT, TDREPORT + 1184, 3).map((bit) => bit >> 3))]
    const range = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => from + index)
    expect(bytes).toEqual([...range(16, 32), ...range(224, 256)])
    expect(flip(0, TDREPORT, 1)).toEqual([])
    expect(flip(0x4c0, evidence.hclReport.length, 7)).toEqual([])
  })
})
