/**
 * Where the program `eigenx-tee` lies, for those who start it as a child process.
 *
 * In an installed package it is dist/helper/cli/main.js. In a source checkout it is bundled on
 * demand: a bundle starts in a fraction of the time that Node needs to load some hundred modules,
 * and a devnet starts it once per operator.
 * @module
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cleanup } from './cleanup.ts'

/** Packages with native parts or worker files: they must stay where npm put them. */
const EXTERNAL = ['libsql', 'pino', 'esbuild', '@foundry-rs/*']

/** @returns The path of the built program, which is built into a folder of its own where it is not there. */
export async function prepareCliEntry(cleanup: Cleanup): Promise<string> {
  const here = fileURLToPath(import.meta.url)
  if (!here.endsWith('.ts')) return fileURLToPath(new URL('../cli/main.js', import.meta.url))
  // Under node_modules, so that the external packages resolve from there.
  const cache = fileURLToPath(new URL('../../node_modules/.cache/eigenx-tee/', import.meta.url))
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'cli-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  await bundleCli(folder)
  return join(folder, 'main.js')
}

/** Writes main.js, the threads' rsa-worker.js and their lazily loaded chunks into `folder`. */
export async function bundleCli(folder: string): Promise<void> {
  // A development dependency: only a source checkout comes here.
  const { build } = await import('esbuild')
  await build({
    entryPoints: {
      main: fileURLToPath(new URL('../cli/main.ts', import.meta.url)),
      // Threads are started from a file of this name beside the chunks, see rsa-thread.ts.
      'rsa-worker': fileURLToPath(new URL('../rsa-worker.ts', import.meta.url)),
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    logLevel: 'error',
    // CommonJS dependencies call require() for Node's own modules; ES modules have none.
    banner: {
      js: "import{createRequire as eigenxCreateRequire}from'node:module';const require=eigenxCreateRequire(import.meta.url);",
    },
  })
}
