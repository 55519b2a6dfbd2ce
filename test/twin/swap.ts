/**
 * Puts the twins in the place of the curves when modules are loaded, so that not one line of the package knows of them: there
 * is no option, argument or import by which the package could be made to use one. Two loaders offer the place: vitest
 * (files named `*.twin.test.ts`) and the bundler of `npm run soak`.
 *
 * Everything else is the production code: `kms/epoch`, `kms/keys.ts`, `sdk/protocol`, the sharing, sealing and envelopes in `sdk/crypto`.
 * @module
 */
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin as BundlerPlugin } from 'esbuild'
import type { Plugin } from 'vitest/config'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')
const BLS = join(root, 'sdk/crypto/bls.ts')
const BLS_TWIN = join(here, 'bls.ts')
const PACKAGES: Readonly<Record<string, string>> = {
  '@noble/curves/ed25519.js': join(here, 'ristretto.ts'),
  '@noble/curves/secp256k1.js': join(here, 'secp256k1.ts'),
  '@noble/hashes/sha2.js': join(here, 'sha2.ts'),
  '@noble/hashes/sha3.js': join(here, 'sha3.ts'),
}

/** @returns The twin's file; `undefined` when the import stays as it is. */
export function twinOf(specifier: string, importer: string): string | undefined {
  // A twin is built on the original.
  if ([BLS_TWIN, ...Object.values(PACKAGES)].includes(importer)) return undefined
  if (specifier.endsWith('/bls.ts') && resolve(dirname(importer), specifier) === BLS)
    return BLS_TWIN
  const ours = ['sdk/protocol', 'test'].some((folder) => importer.startsWith(join(root, folder)))
  return ours ? PACKAGES[specifier] : undefined
}

export function twinsInVitest(): Plugin {
  return {
    name: 'twins',
    enforce: 'pre',
    resolveId: (specifier, importer) =>
      importer === undefined ? undefined : twinOf(specifier, importer),
  }
}

export function twinsInBundle(): BundlerPlugin {
  return {
    name: 'twins',
    setup: (build) => {
      build.onResolve({ filter: /\.js$|\/bls\.ts$/ }, ({ path, importer }) => {
        const twin = twinOf(path, importer)
        return twin === undefined ? undefined : { path: twin }
      })
    },
  }
}
