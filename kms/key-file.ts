/**
 * Files that hold secrets: text, readable by their owner alone. Most hold a key of 64 hex digits.
 * @module
 */
import { stat } from 'node:fs/promises'
import { parseHex } from '../sdk/bytes.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { readTextFileBounded } from '../sdk/node/files.ts'

const KEY_BYTES = 32
const MAX_KEY_FILE_BYTES = 1024

/** What a file is for, as refusals say it, and the setting or option that names it. */
export type SecretFile = { what: string; field: string; maxBytes: number; hint?: string }
type KeyFile = Pick<SecretFile, 'what' | 'field'>

/** @returns 32 secret bytes. @throws EigenxError CONFIG_INVALID */
export async function readKeyFile(path: string, kind: KeyFile): Promise<Uint8Array> {
  const file = {
    ...kind,
    maxBytes: MAX_KEY_FILE_BYTES,
    hint: 'The file holds 64 hex digits and has mode 600.',
  }
  const key = parseHex((await readSecretFile(path, file)).trim(), KEY_BYTES)
  if (key === undefined) throw invalid(file, `${path} holds no key of 64 hex digits`)
  return key
}

/** @throws EigenxError CONFIG_INVALID for a file that cannot be read, is too large, or that others can read */
export async function readSecretFile(path: string, file: SecretFile): Promise<string> {
  const refuse = (cause: unknown): never => {
    const problem = isEigenxError(cause, 'INPUT_TOO_LARGE')
      ? `${path} has more than ${file.maxBytes} bytes`
      : `${path} cannot be read`
    throw invalid(file, problem, cause)
  }
  const { mode } = await stat(path).catch(refuse)
  if ((mode & 0o077) !== 0) throw invalid(file, `${path} is readable by others`)
  return readTextFileBounded(path, { field: file.what, maxBytes: file.maxBytes }).catch(refuse)
}

function invalid(
  { what, field, hint }: SecretFile,
  problem: string,
  cause?: unknown,
): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: `The file of ${what} cannot be used: ${problem}.`,
    stage: 'config',
    details: { path: field },
    ...(hint === undefined ? {} : { hint }),
    cause,
  })
}
