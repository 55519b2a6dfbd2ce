import { builtinModules } from 'node:module'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'

/** Entries that run in browsers, with the size (minified, gzip) that a page may count on. */
const ENTRIES = [
  { name: 'the root entry', path: 'sdk/index.ts', gzipBytes: 7_000 },
  { name: 'the browser entry', path: 'sdk/browser.ts', gzipBytes: 38_000 },
] as const

/** Without `write`, esbuild keeps the result in memory; a Node built-in makes it fail on this platform. */
async function bundle(path: string) {
  return await build({
    entryPoints: [path],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
}

describe.each(ENTRIES)('$name', ({ path, gzipBytes }) => {
  test('bundles for browsers without a Node built-in', async () => {
    const { outputFiles, metafile } = await bundle(path)
    const imports = Object.values(metafile.outputs).flatMap(({ imports }) => imports)
    expect(imports.map(({ path }) => path)).toEqual([])
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.filter((input) => builtinModules.includes(input.replace('node:', '')))).toEqual(
      [],
    )
    expect(gzipSync(outputFiles[0]?.contents ?? '').length).toBeLessThan(gzipBytes)
  })
})

test('an entry that imports a Node built-in would be noticed', async () => {
  await expect(bundle('sdk/verify.ts')).rejects.toThrow(/node:/)
})

test('the root entry loads where there is no process, and says what is missing', async () => {
  const { outputFiles } = await bundle('sdk/index.ts')
  const code = outputFiles[0]?.text ?? ''
  const source = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
  const module: unknown = await import(/* @vite-ignore */ source)
  const createClient =
    typeof module === 'object' && module !== null && 'createClient' in module
      ? module.createClient
      : undefined
  if (typeof createClient !== 'function') throw new Error('no createClient')
  const client: { getMnemonic(): Promise<string>; env(name: string): unknown } = createClient()
  const { process } = globalThis
  let asking: Promise<unknown>
  try {
    Reflect.set(globalThis, 'process', undefined)
    asking = client.getMnemonic().catch((error: unknown) => error)
    expect(client.env('HOME')).toBeUndefined()
  } finally {
    Reflect.set(globalThis, 'process', process)
  }
  expect(await asking).toMatchObject({ code: 'AGENT_UNREACHABLE' })
})
