import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from '@noble/hashes/utils.js'
import { afterEach, describe, expect, test } from 'vitest'
import { createAaClient } from '../../helper/aa.ts'
import { parseEigenxToml } from '../../helper/config.ts'
import { diagnose, isHealthy } from '../../helper/doctor.ts'
import type { DoctorFinding } from '../../helper/doctor-finding.ts'
import type { QuorumView } from '../../helper/identity.ts'
import { startAttestationAgent } from '../../helper/sim/aa.ts'
import {
  type AzureTdxMachine,
  createAzureTdxMachine,
  encodeAzureSnpJson,
  encodeAzureTdxJson,
} from '../../helper/sim/azure-evidence.ts'
import type { AzureFields } from '../../helper/sim/azure-vm.ts'
import type { SnpReportFields } from '../../helper/sim/evidence-report.ts'
import { SIM_BOOT_LOG, SIM_BOOT_RTMRS } from '../../helper/sim/tdx-event-log.ts'
import type { TdxIssueOptions } from '../../helper/sim/tdx-evidence.ts'
import { encodeInitdata, parseInitdata } from '../../policy/initdata.ts'
import type { Initdata } from '../../policy/types.ts'
import { fitDigest } from '../../sdk/attest/binding.ts'
import { bytesToHex, utf8ToBytes } from '../../sdk/bytes.ts'
import { requestBytes } from '../../sdk/client/node-http.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { runCli } from '../kit/cli.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'
import { snpVm } from '../sdk/attest/azure/kit.ts'
import { tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import { evidenceJson, initdataToml, makeCluster, singleOperatorToml } from './kit.ts'

const cluster = makeCluster(4)
const running: { stop: () => Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
})

const CONFIG = singleOperatorToml({
  kmsUrl: 'http://127.0.0.1:1',
  aaUrl: 'http://127.0.0.1:1',
  cluster,
})

function pod(withPolicy = true, algorithm = 'sha384'): Initdata {
  const policy = withPolicy ? `"policy.rego" = "package agent_policy"\n` : ''
  const toml = initdataToml(CONFIG).replace('sha384', algorithm)
  return parseInitdata(utf8ToBytes(toml + policy))
}

const VIEW: QuorumView = {
  operators: cluster.addresses.map((address) => ({ address, url: 'http://127.0.0.1:1' })),
  threshold: cluster.threshold,
  tables: [],
  masterPublicKey: cluster.masterPublicKey,
  attestationTime: 0,
  freshness: undefined,
}

/** Its keys are slow to make. */
let td: AzureTdxMachine | undefined
const azureTd = async () => {
  td ??= createAzureTdxMachine(await tdxAuthority())
  return td
}

type Case = {
  initdata?: Initdata
  report?: (initdata: Initdata) => Partial<SnpReportFields>
  /** TDX instead of SNP. */
  td?: (initdata: Initdata) => TdxIssueOptions
  /** An Azure confidential VM instead. */
  azure?: (initdata: Initdata) => { on: 'snp' | 'tdx'; vm?: Partial<AzureFields> }
  /** Of `[attestation]`. */
  method?: string
  knowsEncoding?: boolean
  /** Nobody has signed it. */
  unsigned?: boolean
  view?: () => Promise<QuorumView>
}

async function examine(given: Case = {}): Promise<readonly DoctorFinding[]> {
  const initdata = given.initdata ?? pod()
  const authority = await authorityOf()
  const tdx = await tdxAuthority()
  const report = given.report?.(initdata) ?? { hostData: initdata.digest.slice(0, 32) }
  const azure = given.azure?.(initdata)
  const agent = await startAttestationAgent({
    vtpm: azure !== undefined,
    getEvidence: async (reportData) => {
      if (given.unsigned === true) return evidenceJson(reportData)
      if (azure?.on === 'snp')
        return encodeAzureSnpJson(await (await snpVm()).issue({ nonce: reportData, ...azure.vm }))
      if (azure !== undefined) {
        const issued = await (await azureTd()).issue({ nonce: reportData, ...azure.vm })
        const { collateral: _, ...evidence } = issued
        return encodeAzureTdxJson(evidence)
      }
      if (given.td === undefined) return (await authority.issue({ ...report, reportData })).aaJson()
      const td = given.td(initdata)
      return (await tdx.issue({ ...td, report: { ...td.report, reportData } })).aaJson()
    },
    ...(given.knowsEncoding === undefined ? {} : { knowsEncoding: given.knowsEncoding }),
  })
  running.push(agent)
  return diagnose({
    readPod: async () => ({
      initdata,
      config: parseEigenxToml(
        given.method === undefined ? CONFIG : `${CONFIG}method = "${given.method}"\n`,
      ),
      path: '/run/peerpod/initdata',
      copies: [],
    }),
    connect: () => ({
      evidence: createAaClient({ exchange: requestBytes }, { url: agent.url }),
      viewQuorum: given.view ?? (async () => VIEW),
    }),
    authorities: { snp: authority.anchors, tdx: tdx.anchors },
    rng: randomBytes,
    now: () => NOW * 1000,
  })
}

function of(findings: readonly DoctorFinding[], subject: string): DoctorFinding[] {
  return findings.filter((finding) => finding.subject === subject)
}

describe('helper doctor', () => {
  test('tells of a pod with everything in place what is bound and by what', async () => {
    const findings = await examine()
    expect(isHealthy(findings)).toBe(true)
    expect(of(findings, 'agent')).toMatchObject([{ state: 'ok' }])
    expect(of(findings, 'source')).toMatchObject([
      { text: expect.stringMatching(/^evidence comes from the Attestation Agent, http:/) },
      { state: 'ok', text: 'it calls its TEE snp' },
    ])
    expect(of(findings, 'evidence')[0]).toMatchObject({
      state: 'ok',
      text: expect.stringContaining('Milan'),
    })
    expect(of(findings, 'binding')).toMatchObject([
      { state: 'ok', text: 'HOST_DATA is the digest of this initdata' },
    ])
    expect(of(findings, 'operators')).toMatchObject([
      { state: 'ok', text: expect.stringContaining('4 operators with an address, 3 must answer') },
    ])
  })

  test('tells of a TD what is bound, and what only operators can judge', async () => {
    const findings = await examine({
      td: ({ digest }) => ({
        logs: { eventLog: SIM_BOOT_LOG },
        report: { rtmrs: SIM_BOOT_RTMRS, mrConfigId: fitDigest(digest, 48) },
      }),
    })
    expect(isHealthy(findings)).toBe(true)
    expect(of(findings, 'method')).toMatchObject([
      { state: 'ok', hint: 'Operators must offer eigenx-tdx.' },
    ])
    expect(of(findings, 'evidence')).toMatchObject([
      { state: 'ok', text: expect.stringContaining(bytesToHex(SIM_BOOT_RTMRS[2])) },
      { state: 'warn', text: expect.stringContaining('FMSPC 51806f000000') },
    ])
    expect(of(findings, 'event-log')).toMatchObject([
      { text: '4 events lead to the four registers' },
    ])
    expect(of(findings, 'binding')).toMatchObject([
      { state: 'ok', text: 'MRCONFIGID is the digest of this initdata' },
    ])
  })

  test('warns of a TD in which nothing is anchored, and whose firmware writes a wrong log', async () => {
    const findings = await examine({ td: () => ({ logs: { eventLog: SIM_BOOT_LOG } }) })
    expect(isHealthy(findings)).toBe(true)
    expect(of(findings, 'event-log')).toMatchObject([
      { state: 'warn', text: expect.stringContaining('EVIDENCE_INVALID') },
    ])
    expect(of(findings, 'binding')).toMatchObject([{ state: 'warn' }])
  })

  test.each([
    ['snp', `id key ${'1d'.repeat(48)}`, 'advisory'],
    ['tdx', `MRTD ${'7d'.repeat(48)}`, 'FMSPC 51806f000000'],
  ] as const)(
    'tells of an Azure VM on %s what operators have to list',
    async (on, paravisor, warning) => {
      const initdata = pod(true, 'sha256')
      const findings = await examine({
        initdata,
        azure: ({ digest }) => ({ on, vm: { initdataDigest: digest } }),
      })
      expect(isHealthy(findings)).toBe(true)
      expect(of(findings, 'agent')).toMatchObject([
        { state: 'ok', text: expect.stringContaining('through a vTPM (version 2') },
      ])
      expect(of(findings, 'method')).toMatchObject([
        { state: 'ok', hint: `Operators must offer az-${on}-vtpm.` },
      ])
      const evidence = of(findings, 'evidence')
      expect(evidence[0]).toMatchObject({ state: 'ok', text: expect.stringContaining(paravisor) })
      expect(evidence[1]).toMatchObject({ state: 'warn', text: expect.stringContaining(warning) })
      expect(of(findings, 'vtpm')).toMatchObject([
        { text: `its quote holds: PCR4 ${'44'.repeat(32)}, PCR11 ${'bb'.repeat(32)}` },
      ])
      expect(of(findings, 'appraisal')).toMatchObject([{ state: 'ok' }])
      expect(of(findings, 'binding')).toMatchObject([
        { state: 'ok', text: expect.stringContaining('PCR 8 was extended') },
      ])
    },
  )

  test('warns of an Azure VM whose register 8 is empty', async () => {
    const findings = await examine({ azure: () => ({ on: 'snp' }) })
    expect(isHealthy(findings)).toBe(true)
    expect(of(findings, 'binding')).toMatchObject([
      { state: 'warn', text: expect.stringContaining('PCR 8 is zero') },
    ])
  })

  test('warns where the hardware anchors nothing', async () => {
    const findings = await examine({ report: () => ({ hostData: new Uint8Array(32) }) })
    expect(isHealthy(findings)).toBe(true)
    expect(of(findings, 'binding')).toMatchObject([
      { state: 'warn', hint: expect.stringContaining('EIGENX_TEE_MIN_BINDING=report_data') },
    ])
  })

  test('warns of a guest image that cannot attest raw report data, and still judges its evidence', async () => {
    const findings = await examine({ knowsEncoding: false })
    expect(of(findings, 'agent')).toMatchObject([{ state: 'warn' }])
    expect(of(findings, 'evidence')[0]).toMatchObject({ state: 'ok' })
  })

  test.each<[string, Case, string, string]>([
    [
      'another document at launch',
      { report: () => ({ hostData: new Uint8Array(32).fill(1) }) },
      'binding',
      'INITDATA_MISMATCH',
    ],
    [
      'a guest that can be debugged',
      {
        report: (initdata) => ({
          hostData: initdata.digest.slice(0, 32),
          policy: 0x30000n | (1n << 19n),
        }),
      },
      'appraisal',
      'EVIDENCE_NOT_ALLOWED',
    ],
    [
      'another document at the launch of a TD',
      { td: () => ({ report: { mrConfigId: new Uint8Array(48).fill(1) } }) },
      'binding',
      'INITDATA_MISMATCH',
    ],
    [
      'a TD that can be debugged',
      { td: () => ({ report: { tdAttributes: (1n << 28n) | 1n } }) },
      'appraisal',
      'EVIDENCE_NOT_ALLOWED',
    ],
    [
      'a quote that another key signed',
      { td: () => ({ bindKey: (binding) => binding.with(0, 1 ^ (binding[0] ?? 0)) }) },
      'evidence',
      'EVIDENCE_INVALID',
    ],
    [
      'a configuration for another processor',
      { td: () => ({}), method: 'eigenx-snp' },
      'method',
      'gives Intel TDX evidence; attestation.method is eigenx-snp',
    ],
    [
      'another document in register 8',
      { azure: () => ({ on: 'tdx', vm: { initdataDigest: new Uint8Array(32) } }) },
      'binding',
      'INITDATA_MISMATCH',
    ],
    [
      'a document in register 8 whose digest no agent extends',
      { azure: ({ digest }) => ({ on: 'snp', vm: { initdataDigest: digest } }) },
      'binding',
      'INITDATA_MISMATCH',
    ],
    [
      'an Azure VM without secure boot',
      { azure: () => ({ on: 'snp', vm: { secureBoot: false } }) },
      'appraisal',
      'EVIDENCE_NOT_ALLOWED',
    ],
    [
      'a vTPM whose quote is not over all registers',
      { azure: () => ({ on: 'tdx', vm: { selection: [4, 11] } }) },
      'evidence',
      'EVIDENCE_INVALID',
    ],
    [
      'an Azure VM where AMD alone is meant',
      { azure: () => ({ on: 'snp' }), method: 'eigenx-snp' },
      'method',
      'gives Azure vTPM on AMD SEV-SNP evidence; attestation.method is eigenx-snp',
    ],
    ['evidence that nobody signed', { unsigned: true }, 'evidence', 'EVIDENCE_'],
    [
      'a document without a policy',
      { initdata: pod(false) },
      'initdata',
      'it holds no policy.rego',
    ],
    [
      'too few operators with an address',
      { view: async () => ({ ...VIEW, operators: VIEW.operators.slice(0, 2) }) },
      'operators',
      '2 operators with an address, 3 must answer',
    ],
    [
      'a chain that does not answer',
      {
        view: () =>
          Promise.reject(
            new EigenxError({
              code: 'TIMEOUT',
              message: 'no answer',
              stage: 'chain',
              details: { what: 'chain', afterMs: 1 },
            }),
          ),
      },
      'operators',
      'TIMEOUT: no answer',
    ],
  ])('says that no key can be had with %s', async (_, given, subject, text) => {
    const findings = await examine(given)
    expect(isHealthy(findings)).toBe(false)
    expect(of(findings, subject).filter(({ state }) => state === 'bad')).toMatchObject([
      { text: expect.stringContaining(text) },
    ])
  })

  test('a bug is not a finding', async () => {
    await expect(examine({ view: () => Promise.reject(new RangeError('a bug')) })).rejects.toThrow(
      'a bug',
    )
  })

  test('exits with 1 where there is no initdata and where the agent is away', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eigenx-doctor-'))
    try {
      const absent = await runCli(['helper', 'doctor', '--initdata', join(folder, 'absent')])
      expect(absent.code).toBe(1)
      const path = join(folder, 'initdata')
      await writeFile(path, encodeInitdata(pod().toml))
      const { code, err } = await runCli(['helper', 'doctor', '--json', '--initdata', path])
      expect([code, err]).toEqual([
        1,
        ['KEY_NOT_READY: No key can be had like this; see the findings.'],
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
