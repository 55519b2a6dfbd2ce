import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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

async function helpOf(path: readonly string[]): Promise<{ help: string; commands: string[] }> {
  const { code, out } = await runCli([...path, '--help'])
  expect(code).toBe(0)
  const help = out.join('\n')
  const list = /^Commands:\n((?: {2}.*\n)+)/m.exec(`${help}\n`)?.[1] ?? ''
  const commands = [...list.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1] ?? '')
  return { help, commands: commands.filter((name) => name !== 'help') }
}

/** Every command, found in the help of the one above it. */
async function leaves(path: readonly string[] = []): Promise<string[][]> {
  const { commands } = await helpOf(path)
  if (commands.length === 0) return [[...path]]
  return (await Promise.all(commands.map((name) => leaves([...path, name])))).flat()
}

test('the help of every command and group names the exit codes, that of a command an example', async () => {
  const all = await leaves()
  expect(all.map((path) => path.join(' '))).toEqual(
    expect.arrayContaining(['demo', 'release prepare', 'kms join', 'kms import', 'helper doctor']),
  )
  expect((await helpOf([])).help).toContain('$ eigenx-tee demo')
  for (const path of all) {
    const { help } = await helpOf(path)
    expect(help).toMatch(new RegExp(`^ {2}\\$ (.*\\| )?eigenx-tee ${path.join(' ')}\\b`, 'm'))
    for (const group of path.map((_, depth) => path.slice(0, depth)).concat([path]))
      expect((await helpOf(group)).help.match(/^Exit codes: 0 /gm)).toHaveLength(1)
  }
})

test.each([
  ['no such command', ['wat']],
  ['an unknown option', ['verify', 'a', '--wat']],
  ['a missing argument', ['verify']],
  ['a missing option', ['encrypt', '--app', `0x${'0'.repeat(40)}`]],
  ['too few operators', ['demo', '--operators', '1']],
  ['operators that are no number', ['sim', '--operators', '4x']],
  ['a processor that is not simulated', ['sim', '--tee', 'sgx']],
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
  expect([code, err]).toEqual([2, ['cannot read gone.toml: no such file or folder']])
})

const MIB = 1024 * 1024
const app = `0x${'ab'.repeat(20)}`
test.each([
  ['evidence or initdata', MIB, ['verify', 'big']],
  ['evidence or initdata', MIB, ['verify', '-']],
  ['a chain of certificates', 64 * 1024, ['verify', 'json', '--certificate', 'big']],
  ['collateral', 192 * 1024, ['verify', 'quote', '--collateral', 'big']],
  ['a set of roots', 256 * 1024, ['verify', 'small', '--snp-roots', 'big']],
  ['a policy or initdata', 4 * MIB, ['policy', 'explain', 'big']],
  ['a policy or initdata', 4 * MIB, ['policy', 'explain', '-']],
  ['a pod’s YAML or initdata', MIB, ['release', 'prepare', 'big']],
  ['a file of initdata', MIB, ['release', 'prepare', 'pod', '--config', 'big']],
  ['a file of initdata', MIB, ['release', 'prepare', 'pod', '--aa', 'big']],
  [
    'the configuration of an image',
    MIB,
    ['release', 'prepare', 'pod', '--image-config', 'app=big'],
  ],
  ['a key in hex', 4096, ['encrypt', '--app', app, '--master-public-key', 'big', 'small']],
  ['a key in hex', 4096, ['decrypt', '--app', app, '--app-key-file', 'big', 'small']],
  ['a plaintext', 16 * MIB, ['encrypt', '--app', app, '--master-public-key', 'mpk', '-']],
  ['a ciphertext', 2 * (16 * MIB + 4096), ['decrypt', '--app', app, '--app-key-file', 'key', '-']],
])('an input that is too large for %s of %i bytes: exit 2', async (what, limit, argv) => {
  const big = new Uint8Array(limit + 1).fill(0x61)
  const files = {
    big,
    small: 'x',
    json: '{}',
    quote: '{"quote":"AAAA"}',
    pod: 'apiVersion: v1\nkind: Pod\n',
    mpk: 'ab'.repeat(96),
    key: 'ab'.repeat(48),
  }
  const { code, out, err } = await runCli(argv, files, { stdin: big })
  const name = argv.includes('-') ? 'standard input' : 'big'
  expect([code, out, err]).toEqual([
    2,
    [],
    [`${name}: too large for ${what}, which has at most ${limit} bytes`],
  ])
})

test('a reader that stops reading, as head does, is no failure', async () => {
  const main = fileURLToPath(new URL('../../helper/cli/main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--help'])
  child.stdout.destroy()
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  expect({ code, errors }).toEqual({ code: 0, errors: '' })
})
