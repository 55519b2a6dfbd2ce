/**
 * `npm run build`: the package's files into dist/. `build.ts cli` builds the program alone, which
 * is all that the demo needs.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleCli } from './bundle.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const cli = join(root, 'dist/helper/cli')
const onlyCli = process.argv[2] === 'cli'

rmSync(onlyCli ? cli : join(root, 'dist'), { recursive: true, force: true })
if (!onlyCli) {
  const tsc = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (tsc.status !== 0) process.exit(tsc.status ?? 1)
}
// The bundle takes the place of the compiled modules of the program.
rmSync(cli, { recursive: true, force: true })
await bundleCli(cli)
chmodSync(join(cli, 'main.js'), 0o755)
