/**
 * Fetches what an operator's folders should hold, verifies each part, and only then puts it in the place of what was there. A part that cannot
 * be fetched, does not verify, or is older than what is there changes nothing.
 * @module
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import { COLLATERAL_LIMIT, encodeTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { newestFirst, openCollateral } from '../../sdk/attest/collateral-choice.ts'
import { CRL_LIMIT, parseCrl } from '../../sdk/attest/crl.ts'
import { openSnpCrl } from '../../sdk/attest/snp-crl.ts'
import {
  SNP_LISTS,
  type SnpListName,
  snpListFile,
  snpListName,
} from '../../sdk/attest/snp-list-names.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import { equalBytes, utf8ToBytes } from '../../sdk/bytes.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { readFileBounded, replaceFile } from '../../sdk/node/files.ts'
import type { KmsConfig } from '../config.ts'
import { DownloadError, type DownloadOptions } from './download.ts'
import { fetchSnpList, fetchTdxCollateral, type Services } from './services.ts'

export type UpdateInput = {
  config: Pick<KmsConfig, 'attestation' | 'collateral'>
  anchors: { snp: SnpTrustAnchors; tdx: TdxTrustAnchors }
  download: DownloadOptions
  nowSeconds: number
}

/** Of one file. `reason` says why there is no new one, in words of this program. */
export type Updated = {
  vendor: 'intel' | 'amd'
  file: string
  result: 'written' | 'unchanged' | 'failed'
  reason?: string
}

/** Public documents: whoever runs the operator must be able to read what another account has fetched. */
const MODE = 0o644

/** `tdx-00806f050000.json`: as it is fetched; the folder takes any `*.json`. */
export function tdxBundleFile(fmspc: string): string {
  return `tdx-${fmspc}.json`
}

/** One file after the other: services limit how often one may ask. */
export async function updateCollateral(input: UpdateInput): Promise<readonly Updated[]> {
  const { attestation, collateral } = input.config
  const updates: Updated[] = []
  const run = async (vendor: Updated['vendor'], file: string, work: () => Promise<boolean>) =>
    updates.push(await attempt(vendor, file, work))
  const { collateralDir } = attestation.tdx
  if (collateralDir !== undefined)
    for (const fmspc of await wantedFmspcs(collateralDir, collateral.fmspcs))
      await run('intel', tdxBundleFile(fmspc), () => updateTdx(collateralDir, fmspc, input))
  const { crlDir } = attestation
  if (crlDir !== undefined)
    for (const list of wantedLists(input.config))
      await run('amd', snpListFile(list), () => updateSnp(crlDir, list, input))
  return updates
}

/** AMD's lists that the configuration asks for. */
export function wantedLists({
  attestation,
  collateral,
}: UpdateInput['config']): readonly SnpListName[] {
  const { lists } = collateral
  return SNP_LISTS.filter((list) =>
    lists === undefined
      ? attestation.products.includes(list.product)
      : lists.some((name) => name === snpListName(list)),
  )
}

/** Those of the configuration, and those that are there. */
async function wantedFmspcs(folder: string, configured: readonly string[]): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const there = names.flatMap((name) => /^tdx-([0-9a-f]{12})\.json$/.exec(name)?.[1] ?? [])
  return [...new Set([...configured, ...there])].sort()
}

async function attempt(
  vendor: Updated['vendor'],
  file: string,
  work: () => Promise<boolean>,
): Promise<Updated> {
  try {
    return { vendor, file, result: (await work()) ? 'written' : 'unchanged' }
  } catch (thrown) {
    return { vendor, file, result: 'failed', reason: reasonOf(thrown) }
  }
}

async function updateTdx(folder: string, fmspc: string, input: UpdateInput): Promise<boolean> {
  const { config, anchors, nowSeconds } = input
  const collateral = await fetchTdxCollateral(fmspc, servicesOf(config), input.download)
  const text = `${JSON.stringify(encodeTdxCollateral(collateral), null, 2)}\n`
  const fresh = openCollateral(text, anchors.tdx, nowSeconds)
  if (fresh.fmspc !== fmspc) throw new Refused('it is of another kind of platform')
  return replace(join(folder, tdxBundleFile(fmspc)), utf8ToBytes(text), (before) => {
    // What has run out or cannot be read is worth nothing.
    const held = tryTo(() =>
      openCollateral(new TextDecoder().decode(before), anchors.tdx, nowSeconds),
    )
    if (held !== undefined && newestFirst(held, fresh) < 0)
      throw new Refused('it is older than what is there')
  })
}

async function updateSnp(folder: string, list: SnpListName, input: UpdateInput): Promise<boolean> {
  const { config, anchors, nowSeconds } = input
  const der = await fetchSnpList(list, servicesOf(config), input.download)
  const { crl } = openSnpCrl({ ...list, der }, anchors.snp, new Map(), nowSeconds)
  if (crl.nextUpdate < nowSeconds) throw new Refused('it has run out')
  return replace(join(folder, snpListFile(list)), der, (before) => {
    const held = tryTo(() => parseCrl(before, snpListName(list)))
    if (held !== undefined && held.number > crl.number)
      throw new Refused('it is older than what is there')
  })
}

/** @param compare - Throws when what is there is better. @returns Whether anything was written. */
async function replace(
  path: string,
  bytes: Uint8Array,
  compare: (before: Uint8Array) => void,
): Promise<boolean> {
  const limit = { field: 'collateral', maxBytes: Math.max(COLLATERAL_LIMIT, CRL_LIMIT) }
  const before = await readFileBounded(path, limit).catch(() => undefined)
  if (before !== undefined && equalBytes(before, bytes)) return false
  if (before !== undefined) compare(before)
  await mkdir(join(path, '..'), { recursive: true })
  await replaceFile(path, bytes, MODE)
  return true
}

/** Verified, and still not what is wanted. */
class Refused extends Error {
  override readonly name = 'Refused'
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof DownloadError || thrown instanceof Refused) return thrown.message
  if (isEigenxError(thrown)) return `${thrown.code}: ${thrown.shortMessage}`
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown'
  return `it cannot be written: ${code}`
}

function servicesOf({ collateral }: UpdateInput['config']): Services {
  return collateral
}

function tryTo<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
