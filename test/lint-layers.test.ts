/** The import rules of test/lint.json really fire: each layer is offered an import it may not make. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'eigenx-tee-lint-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Which rules a file with this text breaks at this place. Only the rules that hold the layers are asked. */
function brokenRules(path: string, text: string): string[] {
  const config = JSON.parse(readFileSync(join(root, 'test/lint.json'), 'utf8'))
  mkdirSync(join(folder, 'test'), { recursive: true })
  writeFileSync(join(folder, 'test/lint.json'), JSON.stringify(config))
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  const { stdout, stderr } = spawnSync(
    join(root, 'node_modules/.bin/biome'),
    ['lint', '--config-path=test/lint.json', '--reporter=json', path],
    { cwd: folder, encoding: 'utf8' },
  )
  rmSync(file)
  const found = `${stdout}${stderr}`.match(/lint\/style\/noRestricted(Imports|Globals)/g) ?? []
  return [...new Set(found.map((rule) => rule.replace('lint/style/', '')))]
}

const imports = (from: string) => `import { x } from '${from}'\nexport const y = x\n`

const FORBIDDEN: readonly [layer: string, file: string, from: string][] = [
  ['certs imports sdk', 'certs/a.ts', '../sdk/bytes.ts'],
  ['policy imports certs', 'policy/a.ts', '../certs/amd.ts'],
  ['policy imports sdk beyond errors and bytes', 'policy/a.ts', '../sdk/crypto/bls.ts'],
  ['policy imports kms', 'policy/a.ts', '../kms/app.ts'],
  ['sdk imports kms', 'sdk/attest/a.ts', '../../kms/app.ts'],
  ['sdk imports helper', 'sdk/chain/a.ts', '../../helper/app.ts'],
  ['browser-safe sdk imports node:fs', 'sdk/crypto/a.ts', 'node:fs'],
  ['browser entry imports node:crypto', 'sdk/browser.ts', 'node:crypto'],
  ['the protocol imports kms', 'sdk/protocol/a.ts', '../../kms/keys.ts'],
  ['kms imports helper', 'kms/http/a.ts', '../../helper/app.ts'],
  ['helper imports kms', 'helper/a.ts', '../kms/app.ts'],
  ['helper imports its simulator', 'helper/a.ts', './sim/devnet.ts'],
  ['the simulator imports tests', 'helper/sim/a.ts', '../../test/kit/anvil.ts'],
  ['certs imports a twin of the tests', 'certs/a.ts', '../test/twin/bls.ts'],
  ['policy imports a twin', 'policy/a.ts', '../test/twin/bls.ts'],
  ['sdk imports a twin', 'sdk/crypto/a.ts', '../../test/twin/bls.ts'],
  ['the entry for tests of apps imports a twin', 'sdk/testing.ts', '../test/twin/bls.ts'],
  ['kms imports a twin', 'kms/epoch/a.ts', '../../test/twin/secp256k1.ts'],
  ['helper imports a twin', 'helper/a.ts', '../test/twin/ristretto.ts'],
  ['the program imports a twin', 'helper/cli/a.ts', '../../test/twin/swap.ts'],
]

test.each(FORBIDDEN)('%s: refused', (_, file, from) => {
  expect(brokenRules(file, imports(from))).toEqual(['noRestrictedImports'])
})

const ALLOWED: readonly [layer: string, file: string, from: string][] = [
  ['policy imports sdk/errors.ts', 'policy/a.ts', '../sdk/errors.ts'],
  ['policy imports sdk/bytes.ts from a sub-folder', 'policy/x/a.ts', '../../sdk/bytes.ts'],
  ['sdk imports certs', 'sdk/attest/a.ts', '../../certs/amd.ts'],
  ['attest uses node:crypto', 'sdk/attest/a.ts', 'node:crypto'],
  ['kms imports sdk', 'kms/a.ts', '../sdk/bytes.ts'],
  ['helper imports sdk', 'helper/a.ts', '../sdk/bytes.ts'],
  ['the simulator imports kms', 'helper/sim/a.ts', '../../kms/app.ts'],
]

test.each(ALLOWED)('%s: allowed', (_, file, from) => {
  expect(brokenRules(file, imports(from))).toEqual([])
})

test('Buffer and process are refused in the browser-safe part of sdk only', () => {
  const text = "export const a = Buffer.from('')\nexport const b = process.pid\n"
  expect(brokenRules('sdk/wire/a.ts', text)).toEqual(['noRestrictedGlobals'])
  expect(brokenRules('sdk/attest/a.ts', text)).toEqual([])
})
