/**
 * Where third-party evidence and policies for tests are, if they are: they are too many and too foreign to be part of the repository.
 *
 * `EIGENX_TEE_VECTORS` names the folder, which must then be there; without it, `../shared/vectors` beside the repository is tried.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @returns The folder, or `undefined` after saying so: a suite that is left out must be seen.
 * @throws Error where a folder was named and is not there: a typing mistake must not leave suites out.
 */
export function sharedVectors(
  sub: 'evidence' | 'policy',
  // biome-ignore lint/style/noProcessEnv: the tests' own configuration
  configured = process.env.EIGENX_TEE_VECTORS,
): string | undefined {
  const root = configured ?? new URL('../../../shared/vectors', import.meta.url).pathname
  const folder = join(root, sub)
  if (existsSync(folder)) return folder
  if (configured !== undefined) throw new Error(`EIGENX_TEE_VECTORS: there is no folder ${folder}`)
  process.stderr.write(`LEFT OUT: no genuine ${sub} in ${root}; set EIGENX_TEE_VECTORS\n`)
  return undefined
}
