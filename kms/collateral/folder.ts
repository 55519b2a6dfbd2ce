/**
 * Intel's collateral as an operator keeps it: a folder of `*.json`, one bundle a file, read at start and from time to time after that. Requests
 * use what is there and never wait.
 *
 * - A bundle is taken only when it verifies up to the pinned root, in date and unrevoked; of several for one platform the newest counts.
 * - A file that cannot be read, or no longer verifies, changes nothing while it lies there: what it held before stays until it runs out. A
 *   file that is gone takes its bundle with it.
 * - What has run out is not handed out: the sender's own collateral then has its turn.
 * @module
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { COLLATERAL_LIMIT, type TdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import {
  newestCollateral,
  newestFirst,
  type OpenedCollateral,
  openCollateral,
  type TdxPlatform,
} from '../../sdk/attest/collateral-choice.ts'
import type { CrlMemory } from '../../sdk/attest/crl-memory.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import { parseUtf8 } from '../../sdk/bytes.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { readFileBounded } from '../../sdk/node/files.ts'
import { codeOf, startWatch } from './watch.ts'

/** Kinds of platforms that one operator meets; below what the verifier remembers. */
export const MAX_COLLATERAL_FILES = 32

export type CollateralFolderOptions = {
  path: string
  anchors: TdxTrustAnchors
  /** Newer lists seen here count for evidence too. */
  crls: CrlMemory
  refreshMs: number
  /** Unix milliseconds. */
  now: () => number
  /** Of each look: how many bundles are in use, and the names of files that hold none, with the refusal's code. */
  onLook?: (bundles: number, refused: readonly RefusedFile[]) => void
}

export type RefusedFile = { file: string; code: string }

export type CollateralFolder = {
  find: (platform: TdxPlatform) => TdxCollateral | undefined
  /** Of each bundle in use, `fmspc` in lower-case hex and the Unix seconds at which it runs out. */
  expiries: () => readonly { fmspc: string; expiresAt: number }[]
  /** Looks now, or joins the look under way. Never rejects. */
  refresh: () => Promise<void>
  stop: () => Promise<void>
}

/**
 * Looks once, then keeps looking until it is stopped.
 * @throws EigenxError CONFIG_INVALID when the folder cannot be read.
 */
export async function openCollateralFolder(
  options: CollateralFolderOptions,
): Promise<CollateralFolder> {
  let files: ReadonlyMap<string, OpenedCollateral> = new Map()

  const look = async () => {
    const { bundles, refused } = await readFolder(options, files)
    files = bundles
    options.onLook?.(bundles.size, refused)
  }
  try {
    await look()
  } catch (cause) {
    throw unreadable(cause)
  }
  const watch = startWatch(look, options.refreshMs, (thrown) =>
    options.onLook?.(files.size, [{ file: '', code: codeOf(thrown) }]),
  )
  return {
    ...watch,
    find: (platform) => newestCollateral([...files.values()], platform, secondsOf(options)),
    expiries: () => expiriesOf([...files.values()]),
  }
}

async function readFolder(
  options: CollateralFolderOptions,
  before: ReadonlyMap<string, OpenedCollateral>,
): Promise<{ bundles: ReadonlyMap<string, OpenedCollateral>; refused: readonly RefusedFile[] }> {
  const { anchors, crls } = options
  const names = (await readdir(options.path)).filter((name) => name.endsWith('.json')).sort()
  const bundles = new Map<string, OpenedCollateral>()
  const refused: RefusedFile[] = names
    .slice(MAX_COLLATERAL_FILES)
    .map((file) => ({ file, code: 'INPUT_TOO_LARGE' }))
  for (const name of names.slice(0, MAX_COLLATERAL_FILES)) {
    try {
      const text = await readText(join(options.path, name))
      bundles.set(name, openCollateral(text, anchors, secondsOf(options), crls))
    } catch (thrown) {
      refused.push({ file: name, code: codeOf(thrown) })
      const kept = before.get(name)
      if (kept !== undefined) bundles.set(name, kept)
    }
  }
  return { bundles, refused }
}

const secondsOf = ({ now }: CollateralFolderOptions) => Math.floor(now() / 1000)

async function readText(path: string): Promise<string> {
  const text = parseUtf8(
    await readFileBounded(path, { field: 'collateral', maxBytes: COLLATERAL_LIMIT }),
  )
  if (text === undefined) throw notText()
  return text
}

/** One per kind of platform: the bundle in use is the one whose end matters. */
function expiriesOf(bundles: readonly OpenedCollateral[]): { fmspc: string; expiresAt: number }[] {
  const inUse = new Map<string, OpenedCollateral>()
  for (const bundle of [...bundles].sort(newestFirst))
    if (!inUse.has(bundle.fmspc)) inUse.set(bundle.fmspc, bundle)
  return [...inUse.values()].map(({ fmspc, expiresAt }) => ({ fmspc, expiresAt }))
}

const notText = () =>
  new EigenxError({
    code: 'EVIDENCE_MALFORMED',
    message: 'collateral is not text',
    stage: 'evidence',
    details: { field: 'collateral', offset: -1 },
  })

const unreadable = (cause: unknown) =>
  new EigenxError({
    code: 'CONFIG_INVALID',
    message: 'attestation.tdx.collateral_dir: the folder cannot be read',
    stage: 'config',
    details: { path: 'attestation.tdx.collateral_dir' },
    cause,
  })
