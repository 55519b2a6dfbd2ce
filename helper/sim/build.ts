/**
 * `npm run build`: the package's files into dist/. `build.ts cli` builds the program alone, which
 * is all that the demo needs.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleCli } from './bundle.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = join(root, 'dist')
const cli = join(dist, 'helper/cli')

if (process.argv[2] !== 'cli') {
  rmSync(dist, { recursive: true, force: true })
  const tsc = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (tsc.status !== 0) process.exit(tsc.status ?? 1)
  // The bundle takes the place of the compiled modules of the program.
  rmSync(cli, { recursive: true, force: true })
}
await putCli()

/**
 * Puts each file in place by renaming it, and leaves older chunks where they are: their names come
 * from their content, and a demonstration in another terminal may still load one of them.
 */
async function putCli(): Promise<void> {
  mkdirSync(cli, { recursive: true })
  const draft = mkdtempSync(join(dist, '.cli-'))
  await bundleCli(draft)
  chmodSync(join(draft, 'main.js'), 0o755)
  const files = readdirSync(draft).filter((name) => name !== 'main.js')
  for (const name of [...files, 'main.js']) renameSync(join(draft, name), join(cli, name))
  rmSync(draft, { recursive: true })
}
