/**
 * Files at the edges of programs: read up to a limit, written for their owner alone, and whole or not at all.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { open, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { concatBytes } from '../bytes.ts'
import { EigenxError } from '../errors.ts'

export type ReadLimit = {
  /** How the refusal calls the input. */
  field: string
  maxBytes: number
}

/**
 * At most one byte more than allowed is read, whatever the file says about its size: it may be a device or grow meanwhile.
 * @throws EigenxError INPUT_TOO_LARGE; Error of the file system or of the signal
 */
export function readFileBounded(
  path: string,
  limit: ReadLimit,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const upToLast = { end: limit.maxBytes, ...(signal === undefined ? {} : { signal }) }
  return collectBounded(createReadStream(path, upToLast), limit)
}

/** @throws as `readFileBounded` */
export async function readTextFileBounded(path: string, limit: ReadLimit): Promise<string> {
  return new TextDecoder().decode(await readFileBounded(path, limit))
}

/** A stream to its end, or to its first byte too many. @throws EigenxError INPUT_TOO_LARGE */
export async function collectBounded(
  stream: AsyncIterable<Uint8Array>,
  { field, maxBytes }: ReadLimit,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > maxBytes)
      throw new EigenxError({
        code: 'INPUT_TOO_LARGE',
        message: `${field} is larger than ${maxBytes} bytes`,
        stage: 'request',
        details: { field, limit: maxBytes },
      })
    chunks.push(chunk)
  }
  return concatBytes(...chunks)
}

/**
 * Puts a file of mode 600 in the place of whatever lies there: written beside, then renamed, so that no reader sees half of it, a link is
 * replaced rather than followed, and what was readable by others before is not any more.
 * @throws Error of the file system
 */
export function replacePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  return replaceFile(path, content, 0o600)
}

/** As `replacePrivateFile`, for what others may read. @throws Error of the file system */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = await open(temporary, flags, mode)
  try {
    // Whatever the process's umask takes away.
    await file.chmod(mode)
    await file.writeFile(content)
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await unlink(temporary).catch(() => undefined)
    throw error
  }
}

/**
 * For a path that a person named: as `replacePrivateFile`, at the end of its links; a device or a pipe, such as /dev/stdout, is written to as it is.
 * @throws Error of the file system
 */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) await replacePrivateFile(path, content)
  else if (found.isFile()) await replacePrivateFile(await realpath(path), content)
  else await writeFile(path, content)
}
