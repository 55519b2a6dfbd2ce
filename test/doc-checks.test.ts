/** docs/trust.md names every check that a verdict can contain, and no other. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { bindAzureInitdata } from '../sdk/attest/azure-binding.ts'
import { appraiseAzure, DEFAULT_AZURE_POLICY } from '../sdk/attest/azure-policy.ts'
import { verifyAzureSnp, verifyAzureTdx } from '../sdk/attest/azure-verify.ts'
import { bindInitdata } from '../sdk/attest/binding.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY } from '../sdk/attest/snp-policy.ts'
import { verifySnp } from '../sdk/attest/snp-verify.ts'
import { bindTdxInitdata } from '../sdk/attest/tdx-binding.ts'
import { appraiseTdx, DEFAULT_TDX_POLICY } from '../sdk/attest/tdx-policy.ts'
import { verifyTdx } from '../sdk/attest/tdx-verify.ts'
import type { Check } from '../sdk/attest/types.ts'
import { authorityOf, NOW } from './kit/snp-authority.ts'
import { snpAnchors, snpVm, tdxVm } from './sdk/attest/azure/kit.ts'
import { issue } from './sdk/attest/kit.ts'
import { issueTdx, tdxAuthority } from './sdk/attest/tdx/kit.ts'

const ROOT = new URL('../', import.meta.url)
const [, tables = ''] = readFileSync(new URL('docs/trust.md', ROOT), 'utf8').split(
  /^## (?:The checks|TCB status of TDX)$/m,
)
/** Rows of the tables alone: elsewhere, and in their heads, names of settings and methods look the same. */
const documented = tables
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| What'))
  .flatMap((line) => [...line.matchAll(/`([a-z0-9.*-]+)`/g)].map(([, name = '']) => name))
const isDocumented = (name: string) =>
  documented.some((entry) =>
    entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : entry === name,
  )

/** Names that a run gives, whatever their results. */
async function namesInTraces(): Promise<string[]> {
  const trace: Check[] = []
  const sha256 = { algorithm: 'sha256', digest: new Uint8Array(32) }
  const authority = await authorityOf()
  const { evidence } = await issue({}, {}, authority)
  const snp = verifySnp(evidence, authority.anchors, NOW, trace).claims
  appraiseSnp(snp, DEFAULT_SNP_POLICY, trace)
  bindInitdata(snp, sha256, [], trace)
  const { anchors } = await tdxAuthority()
  const tdx = verifyTdx(
    await issueTdx({ version: 5, tdVersion: '1.5' }),
    anchors,
    NOW,
    trace,
  ).claims
  appraiseTdx(tdx, DEFAULT_TDX_POLICY, NOW, trace)
  bindTdxInitdata(tdx, sha256, [], trace)
  const azure = verifyAzureSnp(await (await snpVm()).issue(), await snpAnchors(), NOW, trace).claims
  appraiseAzure(azure, DEFAULT_AZURE_POLICY, trace)
  bindAzureInitdata(azure, sha256, DEFAULT_AZURE_POLICY, trace)
  const vm = await tdxVm()
  verifyAzureTdx(await vm.machine.issue(), vm.authority.anchors, NOW, trace)
  return trace.map(({ name }) => name)
}

/** Names as they stand in the source: also those of checks that these runs did not come to. */
function namesInSource(): string[] {
  const filesIn = (folder: string) =>
    readdirSync(new URL(folder, ROOT)).map((file) => `${folder}${file}`)
  const files = [
    ...['sdk/attest/', 'kms/authorize/'].flatMap(filesIn),
    ...['kms/authorize.ts', 'helper/cli/verify.ts'],
  ]
  return files.flatMap((file) => {
    const text = readFileSync(new URL(file, ROOT), 'utf8')
    const inRules = /(?:name: |rule\(\s*|(?:note|demandListed)\(\s*trail,\s*)'([a-z0-9.-]+)'/g
    return [...text.matchAll(inRules)].map(([, name = '']) => name)
  })
}

it('every check is in docs/trust.md, and every name there is one of a check', async () => {
  const names = new Set([...(await namesInTraces()), ...namesInSource()])
  expect(names.size).toBeGreaterThan(100)
  expect([...names].filter((name) => !isDocumented(name))).toEqual([])
  const isKnown = (entry: string) =>
    [...names].some((name) =>
      entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : entry === name,
    )
  expect(documented.filter((entry) => !isKnown(entry))).toEqual([])
})
