/** Files of throw-away roots, for devnets. @module */
import { ROOTS_FILE } from '../../sdk/attest/anchors.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { readTextFileBounded } from '../../sdk/node/files.ts'

/** @param field - Which key of the configuration names it. @throws EigenxError CONFIG_INVALID */
export async function readRootsFile(path: string, field: string): Promise<string> {
  try {
    return await readTextFileBounded(path, ROOTS_FILE)
  } catch (cause) {
    throw new EigenxError({
      code: 'CONFIG_INVALID',
      message: `${field}: the file cannot be read, or is larger than 256 KiB`,
      stage: 'config',
      details: { path: field },
      cause,
    })
  }
}
