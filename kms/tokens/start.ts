/**
 * What the token methods of one operator run on: the issuers' keys in the background and the record of used tokens.
 * @module
 */
import { basename, dirname, join } from 'node:path'
import type { TokenProvider } from '../../sdk/attest/token-claims.ts'
import type { TokenDeps, TokenSettings } from '../authorize/token.ts'
import type { KmsConfig } from '../config.ts'
import type { Log } from '../log.ts'
import { createJwksSource, type JwksFailure, type JwksSource } from './jwks.ts'
import { openTokenUses } from './uses.ts'

export type TokenService = {
  deps: TokenDeps
  sources: ReadonlyMap<TokenProvider, JwksSource>
  /** Ends the background work and closes the record. */
  stop: () => Promise<void>
}

export type TokenServiceInput = {
  config: Pick<KmsConfig, 'attestation' | 'store'>
  log: Log
  /** Unix milliseconds. */
  now: () => number
  onLook?: (provider: TokenProvider, result: 'loaded' | JwksFailure, keys: number) => void
}

/**
 * @returns `undefined` where no token method is enabled: then no file is made and nobody is called.
 * @throws EigenxError STORE_UNAVAILABLE, STORE_CORRUPT
 */
export function startTokenService(input: TokenServiceInput): TokenService | undefined {
  const { attestation, store } = input.config
  const sources = new Map<TokenProvider, JwksSource>()
  const settings: Partial<Record<TokenProvider, TokenSettings>> = {}
  for (const provider of ['gcp', 'intel'] as const) {
    const section = attestation[provider]
    if (section === undefined || !attestation.methods.includes(provider)) continue
    settings[provider] = {
      audiences: section.audiences,
      projectId: section.projectId,
      minimumSwVersion: section.minimumSwversion,
    }
    sources.set(
      provider,
      createJwksSource({
        method: provider,
        location: section.jwks,
        refreshMs: 1000 * section.refreshSeconds,
        maxAgeMs: 1000 * section.maxAgeSeconds,
        now: input.now,
        onLook: (result, keys) => {
          const level = result === 'loaded' ? 'debug' : 'warn'
          input.log[level]({ event: 'jwks', method: provider, result, keys }, 'token issuer keys')
          input.onLook?.(provider, result, keys)
        },
      }),
    )
  }
  if (sources.size === 0) return undefined
  const uses = openTokenUses({ path: tokenUsesPath(store.path) })
  for (const source of sources.values()) source.start()
  return {
    sources,
    deps: {
      settings,
      uses,
      keys: (provider) => sources.get(provider)?.keys() ?? [],
      missed: (provider) => sources.get(provider)?.missed(),
    },
    stop: async () => {
      for (const source of sources.values()) await source.stop()
      uses.close()
    },
  }
}

/** `operator.db` -> `operator.tokens.db` beside it. */
export function tokenUsesPath(storePath: string): string {
  return join(dirname(storePath), `${basename(storePath, '.db')}.tokens.db`)
}
