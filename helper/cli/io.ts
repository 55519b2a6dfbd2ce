/**
 * What a command may do to the world: read files, write lines, wait for Ctrl-C. The real one is
 * made in main.ts; tests give their own.
 * @module
 */

import { isEigenxError } from '../../sdk/errors.ts'
import type { ReadLimit } from '../../sdk/node/files.ts'

export type Io = {
  /** Results: what a script reads. */
  out: (text: string) => void
  /** Talk and refusals: what a person reads. */
  err: (text: string) => void
  writeBytes: (bytes: Uint8Array) => void
  /** @throws EigenxError INPUT_TOO_LARGE above the limit, and whatever the file system says. */
  readFile: (path: string, limit: ReadLimit) => Promise<Uint8Array>
  /** Names in a folder; `undefined` for what is no folder. */
  listFolder: (path: string) => Promise<readonly string[] | undefined>
  readStdin: (limit: ReadLimit) => Promise<Uint8Array>
  /** Whole or not at all, readable by nobody else. */
  writeFile: (path: string, content: string | Uint8Array) => Promise<void>
  /** With its parents; one that is there is fine. */
  makeFolder: (path: string) => Promise<void>
  /** Whether `out` is a terminal that wants colours. */
  color: boolean
  now: () => Date
  /** Resolves at the first SIGINT or SIGTERM. */
  interrupted: () => Promise<void>
}

/** 0 done or accepted, 1 refused, 2 wrong command line or unreadable file, 3 a bug. */
export type ExitCode = 0 | 1 | 2 | 3

/** Has the program end with a handler's code: commander drops what an action returns. */
export type KeepCode = <A extends readonly unknown[]>(
  handler: (...args: A) => Promise<ExitCode>,
) => (...args: A) => Promise<void>

/** The command line does not say what to do. Prints as it is, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * A file named on the command line; `-` is standard input.
 * @param limit - By what it is: never below what its parser takes, so that a wrong or endless file fills no memory and nothing else is lost.
 * @throws UsageError
 */
export async function readInput(io: Io, path: string, limit: ReadLimit): Promise<Uint8Array> {
  const name = path === '-' ? 'standard input' : path
  try {
    return path === '-' ? await io.readStdin(limit) : await io.readFile(path, limit)
  } catch (cause) {
    throw new UsageError(
      isEigenxError(cause, 'INPUT_TOO_LARGE')
        ? `${name}: too large for ${limit.field}, which has at most ${limit.maxBytes} bytes`
        : `cannot read ${name}: ${systemReason(cause)}`,
    )
  }
}

/** @returns The names in a folder of the command line; `undefined` where the path is a file. @throws UsageError */
export async function listInput(io: Io, path: string): Promise<readonly string[] | undefined> {
  try {
    return await io.listFolder(path)
  } catch (cause) {
    throw new UsageError(`cannot read ${path}: ${systemReason(cause)}`)
  }
}

/** @throws UsageError */
export async function readTextInput(io: Io, path: string, limit: ReadLimit): Promise<string> {
  return new TextDecoder().decode(await readInput(io, path, limit))
}

/** A file named on the command line, of mode 600 even where one was there. */
export async function writeOutput(
  io: Io,
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  try {
    await io.writeFile(path, content)
  } catch (cause) {
    throw new UsageError(`cannot write ${path}: ${systemReason(cause)}`)
  }
}

export async function makeOutputFolder(io: Io, path: string): Promise<void> {
  try {
    await io.makeFolder(path)
  } catch (cause) {
    throw new UsageError(`cannot make the folder ${path}: ${systemReason(cause)}`)
  }
}

function systemReason(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return 'no such file or folder'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EISDIR') return 'is a folder'
  return typeof code === 'string' ? code : 'unknown reason'
}
