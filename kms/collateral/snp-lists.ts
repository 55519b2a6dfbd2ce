/**
 * AMD's revocation lists as an operator keeps them: a folder with one DER file per list, named by what AMD publishes it as,
 *
 *   vcek-milan.crl   vlek-milan.crl   vcek-genoa.crl   vlek-genoa.crl   vcek-turin.crl   vlek-turin.crl
 *
 * because nothing inside tells the two lists of a product line apart. Read at start and from time to time after that; requests use what is there.
 *
 * - A list is taken only when its root signed it, and only when it is not older than the one before it.
 * - A file that cannot be read, or is no such list, changes nothing while it lies there. A file that is gone takes its list with it, but
 *   not the revocations that the list has shown.
 * - A list that has run out stays: it still revokes what it names.
 * @module
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import { CRL_LIMIT } from '../../sdk/attest/crl.ts'
import {
  openSnpCrl,
  rememberCrlNumber,
  type SnpCrl,
  type SnpCrlNumbers,
  type SnpRevocationMemory,
} from '../../sdk/attest/snp-crl.ts'
import { SNP_LISTS, snpListFile } from '../../sdk/attest/snp-list-names.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { readFileBounded } from '../../sdk/node/files.ts'
import type { RefusedFile } from './folder.ts'
import { codeOf, startWatch } from './watch.ts'

export type SnpListFolderOptions = {
  path: string
  anchors: SnpTrustAnchors
  /** Learns what each list revokes. */
  memory: SnpRevocationMemory
  refreshMs: number
  /** Unix milliseconds. */
  now: () => number
  /** Of each look: how many lists are in use, and the names of files that hold none, with the refusal's code. */
  onLook?: (lists: number, refused: readonly RefusedFile[]) => void
}

export type SnpListFolder = {
  lists: () => readonly SnpCrl[]
  /** Looks now, or joins the look under way. Never rejects. */
  refresh: () => Promise<void>
  stop: () => Promise<void>
}

/**
 * Looks once, then keeps looking until it is stopped.
 * @throws EigenxError CONFIG_INVALID when the folder cannot be read.
 */
export async function openSnpListFolder(options: SnpListFolderOptions): Promise<SnpListFolder> {
  let held: ReadonlyMap<string, SnpCrl> = new Map()
  let numbers: SnpCrlNumbers = new Map()

  const look = async () => {
    const read = await readLists(options, held, numbers)
    held = read.lists
    numbers = [...held.values()].reduce(rememberCrlNumber, numbers)
    for (const { product, crl } of held.values()) options.memory.learn(product, crl)
    options.onLook?.(held.size, read.refused)
  }
  try {
    await look()
  } catch (cause) {
    throw unreadable(cause)
  }
  const watch = startWatch(look, options.refreshMs, (thrown) =>
    options.onLook?.(held.size, [{ file: '', code: codeOf(thrown) }]),
  )
  return { ...watch, lists: () => [...held.values()] }
}

async function readLists(
  { path, anchors, now }: SnpListFolderOptions,
  before: ReadonlyMap<string, SnpCrl>,
  numbers: SnpCrlNumbers,
): Promise<{ lists: ReadonlyMap<string, SnpCrl>; refused: readonly RefusedFile[] }> {
  const names = new Set(await readdir(path))
  const lists = new Map<string, SnpCrl>()
  const refused: RefusedFile[] = []
  for (const list of SNP_LISTS) {
    const file = snpListFile(list)
    if (!names.has(file)) continue
    try {
      const der = await readFileBounded(join(path, file), { field: file, maxBytes: CRL_LIMIT })
      const nowSeconds = Math.floor(now() / 1000)
      lists.set(file, openSnpCrl({ ...list, der }, anchors, numbers, nowSeconds))
    } catch (thrown) {
      refused.push({ file, code: codeOf(thrown) })
      const kept = before.get(file)
      if (kept !== undefined) lists.set(file, kept)
    }
  }
  return { lists, refused }
}

const unreadable = (cause: unknown) =>
  new EigenxError({
    code: 'CONFIG_INVALID',
    message: 'attestation.crl_dir: the folder cannot be read',
    stage: 'config',
    details: { path: 'attestation.crl_dir' },
    cause,
  })
