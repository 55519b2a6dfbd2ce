/** `policy simulate`: kept evidence of simulated hardware under several configurations. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { encodeAzureSnpJson, encodeAzureTdxJson } from '../../helper/sim/azure-evidence.ts'
import { simulatePolicy } from '../../kms/config-actions.ts'
import type { Simulated } from '../../kms/simulate.ts'
import { encodeSnpRoots } from '../../sdk/attest/anchors.ts'
import { encodeTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { encodeTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import { snpVm, tdxVm } from '../sdk/attest/azure/kit.ts'
import { makeList } from '../sdk/attest/crl-kit.ts'
import { makeBody, makeRsa } from './kit.ts'
import { KNOWN_IMAGE, operatorToml } from './world.ts'

const AT = '2026-06-01T01:00:00Z'
const AZURE = `[attestation.azure]
id_key_digests = ["${'1d'.repeat(48)}"]
mrtds = ["${'7d'.repeat(48)}"]`
const METHODS = 'methods = ["eigenx-snp", "eigenx-tdx", "az-snp-vtpm", "az-tdx-vtpm"]'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulate-'))
  for (const name of ['kept', 'lists', 'collateral', 'empty']) await mkdir(join(folder, name))
  const [snp, { machine, authority }] = await Promise.all([authorityOf(), tdxVm()])
  await writeFile(join(folder, 'snp.json'), encodeSnpRoots(snp.anchors))
  await writeFile(join(folder, 'tdx.pem'), encodeTdxRoots(authority.anchors))
  await writeFile(join(folder, 'lists', 'vcek-milan.crl'), await makeList({ revoked: ['010001'] }))
  const tdx = await authority.issue()
  const bundle = JSON.stringify(encodeTdxCollateral(tdx.collateral))
  await writeFile(join(folder, 'collateral', 'a.json'), bundle)
  const lookAlike = await authorityOf('Milan', 'VCEK', 'look-alike')
  const request = await makeBody(snp, { rsa: makeRsa() })
  const kept: Record<string, string | Uint8Array> = {
    'az-snp.json': encodeAzureSnpJson(await (await snpVm()).issue()),
    'az-tdx.json': encodeAzureTdxJson(await machine.issue()),
    'broken.json': '{',
    'forged.json': (await lookAlike.issue()).aaJson(),
    'owner.json': JSON.stringify({ ...request, attestation_method: 'ecdsa' }),
    'request.json': JSON.stringify(request),
    'snp-agent.json': (await snp.issue()).aaJson(),
    'snp-wire.json': (await snp.issue()).wire(),
    'tdx-agent.json': tdx.aaJson(),
    'tdx-wire.json': tdx.wire(),
    'zz-none.txt': 'notes',
  }
  for (const [name, content] of Object.entries(kept))
    await writeFile(join(folder, 'kept', name), content)
})
afterAll(() => rm(folder, { recursive: true }))

async function config(name: string, attestation: string, tables = ''): Promise<string> {
  const file = join(folder, name)
  const roots = '[development]\nsnp_roots_file = "snp.json"\ntdx_roots_file = "tdx.pem"'
  await writeFile(
    file,
    operatorToml(undefined, `[attestation]\n${attestation}\n${tables}\n${AZURE}\n${roots}`),
  )
  return file
}

const run = async (file: string, further: { against?: string; at?: string } = {}) =>
  simulatePolicy(join(folder, 'kept'), { config: file, at: AT, json: true, ...further })
const verdicts = (text: string) =>
  Object.fromEntries(
    (JSON.parse(text) as Simulated[]).map(({ file, verdict, code, check }) => [
      file,
      [verdict, code, check].filter((part) => part !== undefined).join(' '),
    ]),
  )

const OPEN = 'allow_self_asserted_initdata = true'
const FORGED = 'refused EVIDENCE_INVALID snp.leaf-signature'
const SAME = {
  'broken.json': 'refused EVIDENCE_MALFORMED',
  'forged.json': FORGED,
  'owner.json': 'skipped',
  'zz-none.txt': 'refused EVIDENCE_MALFORMED',
}

describe('policy simulate', () => {
  it('judges evidence of every method in every form, as the operator would', async () => {
    const tables = '[attestation.tdx]\ncollateral_dir = "collateral"'
    const file = await config('open.toml', `${METHODS}\n${OPEN}`, tables)
    expect(verdicts(await run(file))).toEqual({
      ...SAME,
      'az-snp.json': 'accepted',
      'az-tdx.json': 'accepted',
      'request.json': 'accepted',
      'snp-agent.json': 'accepted',
      'snp-wire.json': 'accepted',
      'tdx-agent.json': 'accepted',
      'tdx-wire.json': 'accepted',
    })
  })

  it('shows what other settings would change', async () => {
    const lists = 'crl_dir = "lists"\nrequire_crl = true'
    const revoked = 'refused EVIDENCE_INVALID snp.crl.intermediate'
    expect(verdicts(await run(await config('lists.toml', `${METHODS}\n${lists}`)))).toMatchObject({
      'az-snp.json': revoked,
      'request.json': revoked,
      'snp-wire.json': revoked,
      'tdx-agent.json': 'refused COLLATERAL_UNAVAILABLE tdx.collateral',
      'tdx-wire.json': 'accepted',
    })
    expect(verdicts(await run(await config('few.toml', '')))).toMatchObject({
      'az-snp.json': 'refused METHOD_DISABLED',
      'tdx-wire.json': 'refused METHOD_DISABLED',
      'snp-wire.json': 'accepted',
      'request.json': 'refused BINDING_TOO_WEAK operator.self-asserted-initdata',
    })
  })

  it('judges a request up to the chain: what binds its initdata, and its marks', async () => {
    const [request] = (
      JSON.parse(await run(await config('known.toml', '', KNOWN_IMAGE))) as Simulated[]
    ).filter(({ file }) => file === 'request.json')
    expect(request).toEqual({
      file: 'request.json',
      verdict: 'accepted',
      kind: 'request',
      method: 'eigenx-snp',
      binding: 'host_data',
      marks: [],
    })
  })

  it('compares, and fails when something would be lost', async () => {
    const [open, floor] = [
      await config('before.toml', OPEN),
      await config('after.toml', `${OPEN}\nminimum_tcb = { Milan = { snp = 99 } }`),
    ]
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    try {
      await expect(run(floor, { against: open })).rejects.toMatchObject({
        code: 'EVIDENCE_NOT_ALLOWED',
        details: { check: 'snp.policy.minimum-tcb' },
        shortMessage: '3 of 11 passed before and would be refused.',
      })
      expect(write).toHaveBeenCalledOnce()
    } finally {
      write.mockRestore()
    }
    const won = JSON.parse(await run(open, { against: floor })) as {
      before: Simulated
      after: Simulated
    }[]
    expect(won.filter(({ before, after }) => before.verdict !== after.verdict)).toHaveLength(3)
  })

  it('judges as of the given time', async () => {
    const file = await config('time.toml', `${METHODS}\n${OPEN}`)
    expect(verdicts(await run(file, { at: '2026-08-01' }))).toMatchObject({
      'tdx-wire.json': 'refused EVIDENCE_INVALID tdx.tcb-info.validity',
      'snp-wire.json': 'accepted',
    })
  })

  it('prints a table and the counts', async () => {
    const file = await config('table.toml', `${METHODS}\n${OPEN}`)
    const text = await simulatePolicy(join(folder, 'kept'), { config: file, at: AT, json: false })
    expect(text).toMatch(/^FILE +METHOD +VERDICT +WHY$/m)
    expect(text).toMatch(
      /^forged\.json +eigenx-snp +refused +EVIDENCE_INVALID \(snp\.leaf-signature\): /m,
    )
    expect(text).toMatch(/^6 accepted, 4 refused, 1 skipped$/m)
  })

  it('needs a folder with files, and a date that is one', async () => {
    const file = await config('usage.toml', '')
    const wrong = { code: 'CONFIG_INVALID' }
    const options = { config: file, json: true }
    await expect(simulatePolicy(join(folder, 'empty'), options)).rejects.toMatchObject(wrong)
    await expect(simulatePolicy(join(folder, 'nowhere'), options)).rejects.toMatchObject(wrong)
    await expect(run(file, { at: 'soon' })).rejects.toMatchObject(wrong)
  })
})
