/**
 * Where third-party evidence and policies for tests are, if they are: they are too many and too foreign to be part of the repository.
 *
 * `EIGENX_TEE_VECTORS` names the folder; without it, `../shared/vectors` beside the repository is tried.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** @returns The folder, or `undefined` after saying so: a suite that is left out must be seen. */
export function sharedVectors(sub: 'evidence' | 'policy'): string | undefined {
  // biome-ignore lint/style/noProcessEnv: the tests' own configuration
  const configured = process.env.EIGENX_TEE_VECTORS
  const root = configured ?? new URL('../../../shared/vectors', import.meta.url).pathname
  const folder = join(root, sub)
  if (existsSync(folder)) return folder
  process.stderr.write(`LEFT OUT: no genuine ${sub} in ${root}; set EIGENX_TEE_VECTORS\n`)
  return undefined
}
