/**
 * The key file of a store: one line of 64 hex digits, readable by its owner alone.
 * @module
 */
import { open } from 'node:fs/promises'
import { bytesToHex } from '../../sdk/bytes.ts'
import type { Rng } from '../../sdk/crypto/bls.ts'
import { readKeyFile } from '../key-file.ts'
import { STORE_KEY_BYTES } from './seal.ts'

/** @throws EigenxError CONFIG_INVALID */
export function readStoreKey(path: string): Promise<Uint8Array> {
  return readKeyFile(path, { what: "the store's key", field: 'store.key_file' })
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
