/**
 * The key file of a store: one line of 64 hex digits, readable by its owner alone.
 * @module
 */
import { open, stat } from 'node:fs/promises'
import { bytesToHex, parseHex } from '../../sdk/bytes.ts'
import type { Rng } from '../../sdk/crypto/bls.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { readTextFileBounded } from '../../sdk/node/files.ts'
import { STORE_KEY_BYTES } from './seal.ts'

const KEY = { field: 'a key', maxBytes: 1024 }

/** @throws CONFIG_INVALID */
export async function readStoreKey(path: string): Promise<Uint8Array> {
  const invalid = (message: string, cause?: unknown) =>
    new EigenxError({
      code: 'CONFIG_INVALID',
      message,
      stage: 'config',
      details: { path: 'store.key_file' },
      hint: 'The file holds 64 hex digits and has mode 600.',
      cause,
    })
  let text: string
  let mode: number
  try {
    text = await readTextFileBounded(path, KEY)
    mode = (await stat(path)).mode
  } catch (cause) {
    throw invalid('The key file of the store cannot be read.', cause)
  }
  if ((mode & 0o077) !== 0) throw invalid('The key file of the store is readable by others.')
  const key = parseHex(text.trim(), STORE_KEY_BYTES)
  if (key === undefined) throw invalid('The key file of the store does not hold a key.')
  return key
}

/** Writes a fresh key; an existing file is never overwritten. @throws Error from the file system */
export async function createStoreKey(path: string, rng: Rng): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${bytesToHex(rng(STORE_KEY_BYTES))}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}
