/** What the methods that read SNP reports run on in one operator, beside the roots: AMD's revocation lists. @module */
import { AMD_CERTIFICATES } from '../../certs/amd.ts'
import { AMD_ANCHORS, parseSnpRoots, type SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import { createSnpRevocationMemory } from '../../sdk/attest/snp-crl.ts'
import type { SnpRevocation } from '../authorize/snp-platform.ts'
import type { KmsConfig } from '../config.ts'
import type { Log } from '../log.ts'
import type { Expiry } from '../status.ts'
import { readRootsFile } from './roots-file.ts'
import { openSnpListFolder } from './snp-lists.ts'

export type SnpService = {
  deps: SnpRevocation
  /** Of the roots, save those of a simulated authority, and of the lists. */
  expiries: () => readonly Expiry[]
  /** Looks at the folder now. */
  refresh: () => Promise<void>
  /** Ends the background work. */
  stop: () => Promise<void>
}

export type SnpServiceInput = {
  config: Pick<KmsConfig, 'attestation'>
  anchors: SnpTrustAnchors
  log: Log
  /** Unix milliseconds. */
  now: () => number
}

/** @throws EigenxError CONFIG_INVALID */
export async function startSnpService(input: SnpServiceInput): Promise<SnpService> {
  const { config, anchors, log, now } = input
  const { crlDir, crlRefreshSeconds } = config.attestation
  const memory = createSnpRevocationMemory()
  const folder =
    crlDir === undefined
      ? undefined
      : await openSnpListFolder({
          path: crlDir,
          anchors,
          memory,
          refreshMs: 1000 * crlRefreshSeconds,
          now,
          onLook: (lists, refused) => {
            const level = refused.length === 0 ? 'debug' : 'warn'
            log[level]({ event: 'collateral', lists, refused }, 'revocation lists of AMD')
          },
        })
  const lists = () => folder?.lists() ?? []
  const roots = rootExpiries(anchors)
  return {
    deps: { lists, memory },
    expiries: () => [
      ...roots,
      ...lists().map(({ product, kind, crl }) => ({
        kind: 'amd-crl',
        name: `${product} ${kind.toLowerCase()}`,
        expiresAt: crl.nextUpdate,
      })),
    ],
    refresh: async () => folder?.refresh(),
    stop: async () => folder?.stop(),
  }
}

/** @param path - Of `development.snp_roots_file`. @throws EigenxError CONFIG_INVALID */
export async function readSnpAnchors(path: string | undefined): Promise<SnpTrustAnchors> {
  return path === undefined
    ? AMD_ANCHORS
    : parseSnpRoots(await readRootsFile(path, 'development.snp_roots_file'))
}

function rootExpiries(anchors: SnpTrustAnchors): readonly Expiry[] {
  if (anchors !== AMD_ANCHORS) return []
  return Object.entries(AMD_CERTIFICATES).flatMap(([product, authority]) =>
    Object.entries(authority).map(([role, { notAfter }]) => ({
      kind: 'amd',
      name: `${product} ${role}`,
      expiresAt: Math.floor(Date.parse(notAfter) / 1000),
    })),
  )
}
