/**
 * The operator's signing key from its file: 64 hex digits, readable by its owner alone.
 * @module
 */
import { stat } from 'node:fs/promises'
import { parseHex } from '../sdk/bytes.ts'
import { EigenxError } from '../sdk/errors.ts'
import { readTextFileBounded } from '../sdk/node/files.ts'

const KEY = { field: 'a key', maxBytes: 1024 }

/** @returns 32 secret bytes. @throws EigenxError CONFIG_INVALID */
export async function readSigningKey(path: string): Promise<Uint8Array> {
  let text: string
  let mode: number
  try {
    text = await readTextFileBounded(path, KEY)
    mode = (await stat(path)).mode
  } catch {
    throw invalid('The signing key file cannot be read.')
  }
  if ((mode & 0o077) !== 0) throw invalid('The signing key file is readable by others.')
  const key = parseHex(text.trim(), 32)
  if (key === undefined) throw invalid('The signing key file does not hold a key.')
  return key
}

function invalid(message: string): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message,
    stage: 'config',
    details: { path: 'operator.signing_key_file' },
    hint: 'The file holds 64 hex digits and has mode 600.',
  })
}
