import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VERSION } from '../../helper/cli/version.ts'
import { runCli } from '../kit/cli.ts'

test('the version printed is the version of the package', async () => {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  expect(manifest).toMatchObject({ version: VERSION })
  const { code, out } = await runCli(['--version'])
  expect([code, out]).toEqual([0, [VERSION]])
})

test.each([
  [['--help']],
  [['verify', '--help']],
  [['release', 'prepare', '--help']],
  [['demo', '--help']],
])('%j teaches: it shows an example or what happens, and the exit codes', async (argv) => {
  const { code, out } = await runCli(argv)
  expect(code).toBe(0)
  expect(out.join('\n')).toContain('Exit codes:')
})

test.each([
  ['no such command', ['wat']],
  ['an unknown option', ['verify', 'a', '--wat']],
  ['a missing argument', ['verify']],
  ['a missing option', ['encrypt', '--app', `0x${'0'.repeat(40)}`]],
  ['too few operators', ['demo', '--operators', '1']],
  ['operators that are no number', ['sim', '--operators', '4x']],
  ['an unknown subcommand', ['policy', 'wat']],
  ['a group without its subcommand', ['release']],
])('%s is a usage error: exit 2, nothing on standard output', async (_, argv) => {
  const { code, out, err } = await runCli(argv)
  expect(code).toBe(2)
  expect(out).toEqual([])
  expect(err.join('\n')).not.toBe('')
})

test('a file that is not there is a usage error that names it', async () => {
  const { code, err } = await runCli(['policy', 'explain', 'gone.toml'])
  expect([code, err]).toEqual([2, ['cannot read gone.toml: no such file']])
})
