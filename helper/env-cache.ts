/**
 * The opened environment of one pod boot, in a file on memory: the Confidential Data Hub starts one process
 * for each sealed variable, and only the first of them should attest.
 *
 * Plaintext secrets must not reach a disk, so a folder that is not tmpfs or ramfs is refused. Files are for the
 * owner only, written beside and renamed into place. The app key is never written here. A lock file lets the
 * processes of one boot wait for the first instead of attesting at once. It names its owner from its first moment on, and
 * names it by more than its number, so that an owner that is killed locks nobody out, whoever gets that number next.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { link, lstat, mkdir, open, readFile, statfs, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EigenxError } from '../sdk/errors.ts'
import { replacePrivateFile } from '../sdk/node/files.ts'

export const DEFAULT_CACHE_DIR = '/run/eigenx'

/** statfs(2) magic numbers of file systems that live in memory. */
const MEMORY_FILE_SYSTEMS: readonly number[] = [0x01021994, 0x858458f6]
const MAX_CACHE_BYTES = 4 * 1024 * 1024
const LOCK_POLL_MS = 25

export type EnvCache = {
  /** @returns The values, or `undefined` when there are none for this pod. */
  read(): Promise<ReadonlyMap<string, string> | undefined>
  write(values: ReadonlyMap<string, string>): Promise<void>
  /** Runs `work` while no other process of this app does. @throws TIMEOUT */
  locked<T>(work: () => Promise<T>): Promise<T>
}

export type EnvCacheOptions = {
  folder: string
  appId: string
  /** The cache belongs to this initdata (hex); another document starts afresh. */
  initdataSha384: string
  lockTimeoutMs?: number
}

/** @throws EigenxError CONFIG_INVALID when the folder is on a disk, or others may reach into it */
export async function openEnvCache(options: EnvCacheOptions): Promise<EnvCache> {
  const { folder, appId, initdataSha384, lockTimeoutMs = 120_000 } = options
  if (!/^0x[0-9a-fA-F]{40}$/.test(appId)) throw new RangeError('an app id is 0x and 40 hex digits')
  await checkFolder(folder)
  const file = join(folder, `${appId}.json`)
  const lock = `${file}.lock`
  return {
    read: async () => parseCache(await readPrivate(file), initdataSha384),
    write: async (values) => {
      const text = JSON.stringify({ initdataSha384, values: Object.fromEntries(values) })
      if (Buffer.byteLength(text) > MAX_CACHE_BYTES) return
      await replacePrivateFile(file, text)
    },
    locked: async (work) => {
      await takeLock(lock, lockTimeoutMs)
      try {
        return await work()
      } finally {
        await unlink(lock).catch(() => undefined)
      }
    },
  }
}

async function checkFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unusable('cannot be made', cause)
  })
  const [{ type }, status] = await Promise.all([statfs(folder), lstat(folder)])
  if (!MEMORY_FILE_SYSTEMS.includes(type))
    throw unusable('is not on tmpfs: secrets are never written to a disk')
  if (!status.isDirectory()) throw unusable('is not a folder')
  if (status.uid !== process.getuid?.()) throw unusable('belongs to another user')
  if ((status.mode & 0o022) !== 0) throw unusable('is writable for others')
}

/** A link, another owner's file or one that others can read is not ours: no values, and it is replaced. */
async function readPrivate(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined)
  if (handle === undefined) return undefined
  try {
    const status = await handle.stat()
    const isOurs =
      status.isFile() && status.uid === process.getuid?.() && (status.mode & 0o077) === 0
    if (!isOurs || status.size > MAX_CACHE_BYTES) return undefined
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/** A torn or foreign file counts as none: the next writer replaces it. */
function parseCache(
  text: string | undefined,
  initdataSha384: string,
): ReadonlyMap<string, string> | undefined {
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (!('initdataSha384' in value) || value.initdataSha384 !== initdataSha384) return undefined
  if (!('values' in value) || typeof value.values !== 'object' || value.values === null)
    return undefined
  const entries: [string, unknown][] = Object.entries(value.values)
  const values = new Map<string, string>()
  for (const [name, content] of entries) {
    if (typeof content !== 'string') return undefined
    values.set(name, content)
  }
  return values
}

/**
 * One whose process is gone is taken over. Should two take it over at once, both attest and the later file wins:
 * wasteful, not wrong.
 */
async function takeLock(lock: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  const own = `${lock}.${randomUUID()}`
  try {
    const owner = await identify(process.pid)
    if (owner === undefined) throw new Error('this process is not in /proc')
    await writeFile(own, owner, { flag: 'wx', mode: 0o600 })
    while (!(await linkNew(own, lock))) {
      if (await isAbandoned(lock)) await unlink(lock).catch(() => undefined)
      else if (performance.now() > deadline) throw lockedTooLong(timeoutMs)
      else await sleep(LOCK_POLL_MS)
    }
  } catch (error) {
    throw error instanceof EigenxError ? error : unusable('cannot hold a lock', error)
  } finally {
    await unlink(own).catch(() => undefined)
  }
}

/** The name appears with its content: a file that is created and then written is empty for a moment, or for ever. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  let text: string
  try {
    text = await readFile(lock, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
  const pid = /^([1-9]\d{0,9}) \d+$/.exec(text)?.[1]
  return pid === undefined || (await identify(Number(pid))) !== text
}

/**
 * A process by its number and its start in clock ticks since the boot: no two have both.
 * @returns `undefined` when there is none, or only what its parent has not collected yet
 */
async function identify(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined)
  // proc_pid_stat(5): the name before the third field may hold blanks and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, start] = [fields?.[0], fields?.[19]]
  return start === undefined || state === 'Z' || state === 'X' ? undefined : `${pid} ${start}`
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function lockedTooLong(afterMs: number): EigenxError<'TIMEOUT'> {
  return new EigenxError({
    code: 'TIMEOUT',
    message: 'another process has been unsealing for too long',
    stage: 'agent',
    details: { what: 'unseal lock', afterMs },
  })
}

function unusable(problem: string, cause?: unknown): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: `the cache folder ${problem}`,
    stage: 'config',
    details: { path: 'cache-dir' },
    hint: 'Use a folder under /run that belongs to the helper, or --no-cache.',
    ...(cause === undefined ? {} : { cause }),
  })
}
