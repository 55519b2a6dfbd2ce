/** What `kms collateral` does. Loaded only when one of its commands runs. @module */
import { EigenxError } from '../sdk/errors.ts'
import { type Holding, needsAttention, readInventory } from './collateral/inventory.ts'
import { readTdxAnchors } from './collateral/start.ts'
import { readSnpAnchors } from './collateral/start-snp.ts'
import { type Updated, updateCollateral } from './collateral/update.ts'
import type { CollateralOptions } from './collateral-commands.ts'
import type { KmsConfig } from './config.ts'
import { usage } from './errors.ts'
import { loadKmsConfig } from './load-config.ts'
import { layoutColumns } from './terminal.ts'

/** For tests. */
export type CollateralDeps = {
  fetch?: typeof fetch
  /** Unix milliseconds. */
  now?: () => number
}

/** @returns Text for a person or JSON. @throws EigenxError COLLATERAL_UNAVAILABLE when a part could not be fetched. */
export async function fetchCollateral(
  options: CollateralOptions & { fmspc?: readonly string[] },
  deps: CollateralDeps = {},
): Promise<string> {
  const config = withFmspcs(await loadWithFolders(options.config), options.fmspc ?? [])
  const updates = await updateCollateral({
    config,
    anchors: await anchorsOf(config),
    download: {
      timeoutMs: config.collateral.timeoutMs,
      ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }),
    },
    nowSeconds: nowSeconds(deps),
  })
  const failed = updates.filter(({ result }) => result === 'failed')
  const text = options.json ? JSON.stringify(updates, null, 2) : describeUpdates(updates)
  return endWith(
    text,
    failed.map(({ file }) => file),
    'could not be fetched',
  )
}

export async function listCollateral(
  options: CollateralOptions,
  deps: CollateralDeps = {},
): Promise<string> {
  const { holdings } = await inventoryOf(options, deps)
  return options.json ? JSON.stringify(holdings, null, 2) : describeHoldings(holdings)
}

/** @throws EigenxError COLLATERAL_UNAVAILABLE when something needs attention. */
export async function checkCollateral(
  options: CollateralOptions & { days?: string },
  deps: CollateralDeps = {},
): Promise<string> {
  const { config, holdings } = await inventoryOf(options, deps)
  const days = options.days === undefined ? config.collateral.warnDays : Number(options.days)
  if (!Number.isInteger(days) || days < 0) throw usage('--days takes a whole number from 0 on.')
  const now = nowSeconds(deps)
  const found = holdings.filter((holding) => needsAttention(holding, days, now))
  const text = options.json ? JSON.stringify(found, null, 2) : describeHoldings(found)
  if (found.length === 0)
    return options.json ? text : `All ${holdings.length} are good for ${days} days and more.`
  return endWith(
    text,
    found.map(({ file }) => file),
    'needs attention',
  )
}

async function inventoryOf(options: CollateralOptions, deps: CollateralDeps) {
  const config = await loadWithFolders(options.config)
  const anchors = await anchorsOf(config)
  return {
    config,
    holdings: await readInventory({ config, anchors, nowSeconds: nowSeconds(deps) }),
  }
}

/** Scripts read the text; the refusal behind it sets the exit code. */
function endWith(text: string, files: readonly string[], what: string): string {
  if (files.length === 0) return text
  process.stdout.write(`${text}\n`)
  throw new EigenxError({
    code: 'COLLATERAL_UNAVAILABLE',
    message: `${files.length} of the files: ${what}.`,
    stage: 'config',
    details: { files: files.slice(0, 64).join(' ') },
  })
}

async function loadWithFolders(file: string): Promise<KmsConfig> {
  const config = await loadKmsConfig(file)
  const { crlDir, tdx } = config.attestation
  if (crlDir === undefined && tdx.collateralDir === undefined)
    throw usage('Name a folder: attestation.crl_dir, attestation.tdx.collateral_dir, or both.')
  return config
}

function withFmspcs(config: KmsConfig, further: readonly string[]): KmsConfig {
  const names = further.map((text) => text.toLowerCase())
  if (names.some((name) => !/^[0-9a-f]{12}$/.test(name)))
    throw usage('--fmspc takes 12 hex digits.')
  if (names.length > 0 && config.attestation.tdx.collateralDir === undefined)
    throw usage('--fmspc needs attestation.tdx.collateral_dir.')
  const fmspcs = [...config.collateral.fmspcs, ...names]
  return { ...config, collateral: { ...config.collateral, fmspcs } }
}

async function anchorsOf({ development }: KmsConfig) {
  const [snp, tdx] = await Promise.all([
    readSnpAnchors(development.snpRootsFile),
    readTdxAnchors(development.tdxRootsFile),
  ])
  return { snp, tdx }
}

function describeUpdates(updates: readonly Updated[]): string {
  if (updates.length === 0) return 'Nothing to fetch: name FMSPCs in [collateral] or with --fmspc.'
  return layoutColumns(
    updates.map(({ file, result, reason }) => [file, result, reason ?? '']),
  ).join('\n')
}

function describeHoldings(holdings: readonly Holding[]): string {
  if (holdings.length === 0) return 'The folders are empty.'
  return layoutColumns([
    ['FILE', 'STATE', 'ABOUT', 'ISSUED', 'NEXT UPDATE', 'NUMBERS', 'REVOKED'],
    ...holdings.map((holding) => [
      holding.file,
      holding.code === undefined ? holding.state : `${holding.state} (${holding.code})`,
      holding.about ?? '',
      day(holding.issuedAt),
      day(holding.expiresAt),
      holding.numbers ?? '',
      holding.revoked === undefined ? '' : String(holding.revoked),
    ]),
  ]).join('\n')
}

const day = (seconds: number | undefined) =>
  seconds === undefined ? '' : new Date(1000 * seconds).toISOString().slice(0, 10)

const nowSeconds = ({ now = () => Date.now() }: CollateralDeps) => Math.floor(now() / 1000)
