/** The twins stand in for the curves in simulations only: the package cannot get at them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../sdk/bytes.ts'
import * as original from '../../sdk/crypto/bls.ts'
import * as twin from './bls.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The sources of everything that `package.json` offers: its exports and its program. */
function entriesOfPackage(): string[] {
  const { bin, exports } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  const modules = Object.values<string | { default: string }>(exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [entry.default],
  )
  return [...Object.values<string>(bin), ...modules].map((path) =>
    path.replace('./dist/', '').replace(/\.js$/, '.ts'),
  )
}

/** Files of this repository that come with these entries. */
async function filesBehind(entryPoints: string[]): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    bundle: true,
    metafile: true,
    write: false,
    outdir: 'dist',
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
  })
  return Object.keys(metafile.inputs)
}

describe('the package', () => {
  it('reaches no file of the tests from any of its entries', async () => {
    const entries = entriesOfPackage()
    expect(entries.length).toBeGreaterThan(8)
    const files = await filesBehind(entries)
    expect(files).toContain('sdk/crypto/bls.ts')
    expect(files).toContain('kms/epoch/machine.ts')
    expect(files.filter((file) => file.startsWith('test/'))).toEqual([])
  })

  it('would be caught reaching one', async () => {
    expect(await filesBehind(['test/twin/bls.ts'])).toContain('test/twin/bls.ts')
  })
})

describe('the twin of the pairing groups', () => {
  it('has the interface of the original, and is not loaded where nobody asks for it', () => {
    const same: typeof original = twin
    expect(Object.keys(same).sort()).toEqual(Object.keys(original).sort())
    expect(toHex(original.publicShareOf(1n)).slice(0, 10)).toBe('0x93e02b60')
    expect(toHex(twin.publicShareOf(1n))).toBe(`0x80${'00'.repeat(94)}01`)
  })
})
