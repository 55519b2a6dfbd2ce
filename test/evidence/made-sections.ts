/**
 * Evidence that this repository makes itself, with throw-away vendors: every bit counts, and mutated inputs are refused.
 * @module
 */
import { verifyAzureSnp } from '../../sdk/attest/azure-verify.ts'
import { verifyCollateral } from '../../sdk/attest/collateral-verify.ts'
import { verifySnp } from '../../sdk/attest/snp-verify.ts'
import { verifyPckChain } from '../../sdk/attest/tdx-chain.ts'
import { parseTdxQuote } from '../../sdk/attest/tdx-quote.ts'
import { verifyTdx } from '../../sdk/attest/tdx-verify.ts'
import type { Target } from '../fuzz/kit.ts'
import { runTarget, saveInput } from '../fuzz/run.ts'
import { SNP_TARGETS } from '../fuzz/targets-snp.ts'
import { TDX_TARGETS } from '../fuzz/targets-tdx.ts'
import { TOKEN_TARGETS } from '../fuzz/targets-token.ts'
import { VTPM_TARGETS } from '../fuzz/targets-vtpm.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'
import { snpAnchors, snpVm } from '../sdk/attest/azure/kit.ts'
import { survivingFlips, survivingFlipsWithin } from '../sdk/attest/flips.ts'
import { issue } from '../sdk/attest/kit.ts'
import { COLLATERAL_PARTS } from '../sdk/attest/tdx/collateral-parts.ts'
import { issueTdx, tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import { count, countFlips, createRow, type Row, type Section } from './tally.ts'

const SNP_FORMS = [
  { product: 'Milan', kind: 'VLEK', version: 3 },
  { product: 'Genoa', kind: 'VCEK', version: 5 },
  { product: 'Turin', kind: 'VCEK', version: 5 },
] as const
const TDX_FORMS = [
  { version: 4, tdVersion: '1.0' },
  { version: 5, tdVersion: '1.5' },
] as const

export const MADE_SECTIONS: readonly Section[] = [
  ...SNP_FORMS.map((form) => ({
    name: `self-made SNP, ${form.product} ${form.kind}`,
    run: () => snp(form),
  })),
  ...TDX_FORMS.map((form) => ({
    name: `self-made TDX quote, version ${form.version}`,
    run: () => tdx(form),
  })),
  { name: 'self-made TDX collateral', run: collateral },
  { name: 'self-made Azure SNP evidence', run: azure },
]

async function snp(form: (typeof SNP_FORMS)[number]): Promise<Row> {
  const { product, kind, version } = form
  const row = createRow(`self-made SNP, ${product} ${kind}`)
  const authority = await authorityOf(product, kind)
  const { evidence } = await issue({ version }, {}, authority)
  const [leaf = new Uint8Array()] = evidence.certificates
  const verify = (changes: object) => verifySnp({ ...evidence, ...changes }, authority.anchors, NOW)
  count(row, () => verify({}), undefined)
  const { report } = evidence
  countFlips(
    row,
    report.length,
    survivingFlips(report, (flipped) => verify({ report: flipped })),
  )
  const inLeaf = (flipped: Uint8Array) => verify({ certificates: [flipped] })
  countFlips(row, leaf.length, survivingFlips(leaf, inLeaf))
  return row
}

async function tdx(form: (typeof TDX_FORMS)[number]): Promise<Row> {
  const row = createRow(`self-made TDX quote, version ${form.version}`)
  const { anchors } = await tdxAuthority()
  const { quote, collateral: bundle } = await issueTdx(form)
  const verify = (changed: Uint8Array) =>
    verifyTdx({ quote: changed, collateral: bundle }, anchors, NOW)
  count(row, () => verify(quote), undefined)
  const end = Buffer.from(quote).indexOf('-----BEGIN')
  countFlips(row, end, survivingFlipsWithin(quote, [0, end], verify))
  const [leaf = new Uint8Array(), ...issuers] = parseTdxQuote(quote).certificates
  const inLeaf = (der: Uint8Array) => verifyPckChain([der, ...issuers], anchors, NOW, [])
  countFlips(row, leaf.length, survivingFlips(leaf, inLeaf))
  return row
}

async function collateral(): Promise<Row> {
  const row = createRow('self-made TDX collateral')
  const authority = await tdxAuthority()
  const { collateral: bundle } = await authority.issue({ pckCrl: () => ({ revoked: ['0102'] }) })
  count(row, () => verifyCollateral(bundle, authority.anchors, NOW), undefined)
  for (const { flip, length } of COLLATERAL_PARTS)
    for (let bit = 0; bit < 8 * length(bundle); bit++) {
      row.flipped++
      const before = row.wrong
      const tally = createRow('')
      count(tally, () => verifyCollateral(flip(bundle, bit), authority.anchors, NOW), {})
      row.wrong = before + tally.wrong
    }
  return row
}

async function azure(): Promise<Row> {
  const row = createRow('self-made Azure SNP evidence')
  const evidence = await (await snpVm()).issue()
  const anchors = await snpAnchors()
  const verify = (changes: object) => verifyAzureSnp({ ...evidence, ...changes }, anchors, NOW)
  count(row, () => verify({}), undefined)
  const { hclReport, quote } = evidence
  countFlips(
    row,
    hclReport.length,
    survivingFlips(hclReport, (flipped) => verify({ hclReport: flipped })),
  )
  for (const part of ['message', 'signature'] as const) {
    const inQuote = (flipped: Uint8Array) => verify({ quote: { ...quote, [part]: flipped } })
    countFlips(row, quote[part].length, survivingFlips(quote[part], inQuote))
  }
  return row
}

/** Every parser and verifier of evidence. @param executions - Of each; fewer where one costs a signature. */
export function fuzzSections(executions: number, seed: number): readonly Section[] {
  return [...SNP_TARGETS, ...TDX_TARGETS, ...VTPM_TARGETS, ...TOKEN_TARGETS].map((target) => ({
    name: `fuzz ${target.name}`,
    run: () => fuzz(target, executions, seed),
  }))
}

async function fuzz(target: Target, executions: number, seed: number): Promise<Row> {
  const report = await runTarget(target, { executions, seed, hangs: true })
  for (const { input } of report.failures) saveInput(target.name, input)
  return {
    name: `fuzz ${target.name}`,
    accepted: report.accepted,
    refused: report.refused,
    flipped: 0,
    fuzzed: report.executions,
    wrong: report.failures.length,
  }
}
