/** What `kms config diff` and `policy simulate` do. Loaded only when one of them runs. @module */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createCrlMemory } from '../sdk/attest/crl-memory.ts'
import { createSnpRevocationMemory } from '../sdk/attest/snp-crl.ts'
import { EigenxError } from '../sdk/errors.ts'
import { readFileBounded } from '../sdk/node/files.ts'
import { decisionSettings, type EvidenceDeps } from './authorize/settings.ts'
import { openCollateralFolder } from './collateral/folder.ts'
import { openSnpListFolder } from './collateral/snp-lists.ts'
import { readTdxAnchors } from './collateral/start.ts'
import { readSnpAnchors } from './collateral/start-snp.ts'
import { parseConfigDocument } from './config.ts'
import { type ConfigChange, diffConfigs } from './config-diff.ts'
import { usage } from './errors.ts'
import { loadKmsConfig, readConfigText } from './load-config.ts'
import { type Simulated, simulate } from './simulate.ts'
import { layoutColumns } from './terminal.ts'

/** A request with the largest evidence and initdata. */
const KEPT = { field: 'a kept request', maxBytes: 4 * 1024 * 1024 }
const MAX_KEPT = 10_000
/** Longer than any command runs. */
const NEVER_MS = 2_147_483_647

export async function showConfigDiff(
  before: string,
  after: string,
  options: { json: boolean },
): Promise<string> {
  // Both must be files that an operator would start with.
  await loadKmsConfig(before)
  await loadKmsConfig(after)
  const [old, next] = await Promise.all([readConfigText(before), readConfigText(after)])
  const changes = diffConfigs(parseConfigDocument(old), parseConfigDocument(next))
  return options.json ? JSON.stringify(changes, null, 2) : describeChanges(changes)
}

export type SimulateOptions = { config: string; against?: string; at?: string; json: boolean }

/** @throws EigenxError EVIDENCE_NOT_ALLOWED when something that passed under `against` no longer does. */
export async function simulatePolicy(folder: string, options: SimulateOptions): Promise<string> {
  const nowSeconds = parseAt(options.at)
  const files = await readKept(folder)
  const under = async (config: string) => {
    const deps = await evidenceDeps(config, nowSeconds)
    return files.map((kept) => simulate(deps, kept, nowSeconds))
  }
  const results = await under(options.config)
  if (options.against === undefined)
    return options.json ? JSON.stringify(results, null, 2) : describeResults(results)
  const before = await under(options.against)
  const compared = results.map((after, index) => ({ before: before[index], after }))
  const text = options.json ? JSON.stringify(compared, null, 2) : describeCompared(compared)
  const lost = compared.filter(
    (pair) => pair.before?.verdict === 'accepted' && pair.after.verdict === 'refused',
  )
  if (lost.length === 0) return text
  process.stdout.write(`${text}\n`)
  throw new EigenxError({
    code: 'EVIDENCE_NOT_ALLOWED',
    message: `${lost.length} of ${results.length} passed before and would be refused.`,
    stage: 'evidence',
    details: { check: lost[0]?.after.check ?? lost[0]?.after.code ?? '' },
  })
}

type Compared = { before: Simulated | undefined; after: Simulated }

async function readKept(folder: string): Promise<{ file: string; bytes: Uint8Array }[]> {
  let names: string[]
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    names = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  } catch {
    throw usage(`${folder} is not a folder that can be read.`)
  }
  if (names.length === 0) throw usage(`${folder} holds no files.`)
  if (names.length > MAX_KEPT) throw usage(`${folder} holds more than ${MAX_KEPT} files.`)
  const files: { file: string; bytes: Uint8Array }[] = []
  for (const file of names.sort())
    try {
      files.push({ file, bytes: await readFileBounded(join(folder, file), KEPT) })
    } catch {
      throw usage(`${file} cannot be read, or is larger than ${KEPT.maxBytes} bytes.`)
    }
  return files
}

/** As a running operator has them, with its folders as of `nowSeconds`. */
async function evidenceDeps(file: string, nowSeconds: number): Promise<EvidenceDeps> {
  const config = await loadKmsConfig(file)
  const { development, attestation } = config
  const [anchors, tdxAnchors] = await Promise.all([
    readSnpAnchors(development.snpRootsFile),
    readTdxAnchors(development.tdxRootsFile),
  ])
  const now = () => 1000 * nowSeconds
  const memory = createSnpRevocationMemory()
  const crls = createCrlMemory()
  const common = { refreshMs: NEVER_MS, now }
  const { crlDir } = attestation
  const { collateralDir } = attestation.tdx
  const lists =
    crlDir === undefined
      ? undefined
      : await openSnpListFolder({ ...common, path: crlDir, anchors, memory })
  const bundles =
    collateralDir === undefined
      ? undefined
      : await openCollateralFolder({ ...common, path: collateralDir, anchors: tdxAnchors, crls })
  await Promise.all([lists?.stop(), bundles?.stop()])
  return {
    settings: decisionSettings(config),
    anchors,
    revocation: { lists: lists?.lists ?? (() => []), memory },
    tdx: {
      anchors: tdxAnchors,
      sources: { crls, ...(bundles === undefined ? {} : { findCollateral: bundles.find }) },
    },
  }
}

function describeChanges(changes: readonly ConfigChange[]): string {
  if (changes.length === 0) return 'No change.'
  const titles = {
    more: 'Accepts more:',
    less: 'Accepts less:',
    other: 'Changes otherwise:',
  } as const
  return (['more', 'less', 'other'] as const)
    .map((effect) => ({ effect, found: changes.filter((change) => change.effect === effect) }))
    .filter(({ found }) => found.length > 0)
    .map(({ effect, found }) =>
      [titles[effect], ...found.map(({ path, text }) => `  ${path}: ${text}`)].join('\n'),
    )
    .join('\n')
}

function describeResults(results: readonly Simulated[]): string {
  return [
    layoutColumns([
      ['FILE', 'METHOD', 'VERDICT', 'WHY'],
      ...results.map((result) => [result.file, result.method, result.verdict, why(result)]),
    ]).join('\n'),
    countsOf(results),
  ].join('\n')
}

function describeCompared(compared: readonly Compared[]): string {
  return [
    layoutColumns([
      ['FILE', 'METHOD', 'BEFORE', 'AFTER', 'WHY'],
      ...compared.map(({ before, after }) => [
        after.file,
        after.method,
        before?.verdict ?? '',
        after.verdict,
        why(after),
      ]),
    ]).join('\n'),
    countsOf(compared.map(({ after }) => after)),
  ].join('\n')
}

function why({ code, check, message, binding, marks }: Simulated): string {
  if (code !== undefined) return `${code}${check === undefined ? '' : ` (${check})`}: ${message}`
  return [...(binding === undefined ? [] : [`bound by ${binding}`]), ...marks].join(', ')
}

function countsOf(results: readonly Simulated[]): string {
  const count = (verdict: Simulated['verdict']) =>
    results.filter((result) => result.verdict === verdict).length
  return `${count('accepted')} accepted, ${count('refused')} refused, ${count('skipped')} skipped`
}

function parseAt(text: string | undefined): number {
  if (text === undefined) return Math.floor(Date.now() / 1000)
  const at = Date.parse(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(at))
    throw usage('--at: expected a date such as 2026-05-01 or 2026-05-01T12:00:00Z')
  return Math.floor(at / 1000)
}
