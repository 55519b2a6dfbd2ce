/** `verify` on evidence of Azure's confidential VMs: simulated, and the genuine samples where they lie. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Verification } from '../../helper/cli/verify.ts'
import { encodeAzureSnpJson, encodeAzureTdxJson } from '../../helper/sim/azure-evidence.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { encodeSnpRoots } from '../../sdk/attest/anchors.ts'
import { azureNonce } from '../../sdk/attest/azure-binding.ts'
import { encodeTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { runCli } from '../kit/cli.ts'
import { sharedVectors } from '../kit/shared-vectors.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'
import { annotated, makeInitdata } from '../kms/kit.ts'
import { snpVm, tdxVm } from '../sdk/attest/azure/kit.ts'

const now = new Date(NOW * 1000)
const REPORT_DATA = new Uint8Array(64).fill(7)
const document = annotated(makeInitdata())
const other = annotated(makeInitdata(undefined, { 'extra.toml': 'a = 1' }))

let files: Record<string, string | Uint8Array>
beforeAll(async () => {
  const { machine, authority } = await tdxVm()
  const nonce = azureNonce(REPORT_DATA)
  const initdataDigest = parseInitdata(document).digest
  const vm = await snpVm()
  files = {
    'roots.json': encodeSnpRoots((await authorityOf()).anchors),
    'roots.pem': encodeTdxRoots(authority.anchors),
    'snp-0.json': encodeAzureSnpJson(await vm.issue({ version: 0, nonce, initdataDigest })),
    'snp-2.json': encodeAzureSnpJson(await vm.issue({ version: 2, nonce, initdataDigest })),
    'plain.json': encodeAzureSnpJson(await vm.issue({ nonce })),
    'unsafe.json': encodeAzureSnpJson(await vm.issue({ secureBoot: false })),
    'tdx-0.json': encodeAzureTdxJson(await machine.issue({ version: 0, nonce, initdataDigest })),
    'tdx-2.json': encodeAzureTdxJson(await machine.issue({ version: 2, nonce, initdataDigest })),
    document,
    other,
  }
})

const verify = async (...argv: string[]) => {
  const result = await runCli(['verify', ...argv, '--json'], files, { now })
  const text = result.out[0]
  return { ...result, json: (text === undefined ? undefined : JSON.parse(text)) as Verification }
}
const rootsOf = (name: string) =>
  name.startsWith('tdx') ? ['--tdx-roots', 'roots.pem'] : ['--snp-roots', 'roots.json']
const reportData = ['--report-data', bytesToHex(REPORT_DATA)]

describe.each(['snp-0.json', 'snp-2.json', 'tdx-0.json', 'tdx-2.json'])('%s', (name) => {
  it('is accepted with the document in register 8 and the demanded report data', async () => {
    const { code, json } = await verify(name, 'document', ...rootsOf(name), ...reportData)
    expect(json.refusal).toBeUndefined()
    expect(code).toBe(0)
    expect(json).toMatchObject({ accepted: true, binding: 'pcr8' })
    expect(json.evidence).toMatchObject({
      tee: name.startsWith('tdx') ? 'az-tdx-vtpm' : 'az-snp-vtpm',
      secureBoot: true,
      nonce: bytesToHex(azureNonce(REPORT_DATA)),
      pcrs: { 4: '44'.repeat(32), 8: expect.stringMatching(/^[0-9a-f]{64}$/), 11: 'bb'.repeat(32) },
    })
    const names = json.checks.filter(({ result }) => result === 'passed').map((check) => check.name)
    for (const wanted of ['azure.quote-signature', 'initdata.pcr8', 'report-data.equals-demanded'])
      expect(names).toContain(wanted)
  })

  it('is refused with another document or report data, or under the vendor’s roots', async () => {
    const wrong = ['--report-data', '00'.repeat(64)]
    expect((await verify(name, 'other', ...rootsOf(name))).json.refusal?.code).toBe(
      'INITDATA_MISMATCH',
    )
    expect((await verify(name, ...rootsOf(name), ...wrong)).json.refusal?.code).toBe(
      'REPORT_DATA_MISMATCH',
    )
    expect((await verify(name)).json.refusal?.code).toBe('EVIDENCE_INVALID')
  })
})

describe('an Azure VM', () => {
  it('without a document in register 8 names none', async () => {
    const { code, json } = await verify('plain.json', 'document', ...rootsOf('snp'))
    expect(code).toBe(1)
    expect(json.refusal).toMatchObject({ code: 'INITDATA_MISMATCH' })
  })

  it('without secure boot is refused by the policy, not as a forgery', async () => {
    const { json } = await verify('unsafe.json', ...rootsOf('snp'))
    expect(json.refusal).toMatchObject({ code: 'EVIDENCE_NOT_ALLOWED' })
    expect(json.checks.at(-1)).toMatchObject({ name: 'azure.policy.secure-boot' })
  })

  it('is shown to people with its registers and what lies below, and as claims', async () => {
    const argv = ['verify', 'snp-2.json', ...rootsOf('snp')]
    const { out } = await runCli(argv, files, { now })
    expect(out.join('\n')).toMatch(/started +with secure boot, with a console/)
    expect(out.join('\n')).toMatch(/paravisor's processor +Milan/)
    const eat = await runCli([...argv, '--eat'], files, { now })
    expect(JSON.parse(eat.out.join('\n'))).toMatchObject({
      eat_nonce: Buffer.from(azureNonce(REPORT_DATA)).toString('base64url'),
      submods: { hardware: { oemid: 3704 } },
    })
  })
})

const vectors = sharedVectors('evidence')
describe.skipIf(vectors === undefined)('genuine samples', () => {
  it.each(['az-snp-evidence-v0-trustee.json', 'az-snp-evidence-genoa-trustee.json'])(
    '%s is accepted under AMD’s roots',
    async (name) => {
      const sample = new Uint8Array(readFileSync(join(vectors ?? '', 'azure', name)))
      const { code, out } = await runCli(
        ['verify', 'sample', '--json', '--at', '2026-07-01'],
        { sample },
        { now },
      )
      expect(code, out.join('\n')).toBe(0)
      expect(JSON.parse(out.join('\n'))).toMatchObject({ trust: 'amd' })
    },
  )
})
