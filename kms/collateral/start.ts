/** What the methods that read TDX quotes run on in one operator: whom it trusts, its collateral, and the revocation lists it has seen. @module */
import { INTEL_ROOTS } from '../../certs/intel.ts'
import { createCrlMemory } from '../../sdk/attest/crl-memory.ts'
import { INTEL_ANCHORS, parseTdxRoots, type TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import { AZURE_TDX_METHOD } from '../authorize/azure.ts'
import { TDX_METHOD, type TdxDeps } from '../authorize/tdx.ts'
import type { KmsConfig } from '../config.ts'
import type { Log } from '../log.ts'
import type { Expiry } from '../status.ts'
import { openCollateralFolder } from './folder.ts'
import { readRootsFile } from './roots-file.ts'

const QUOTES: ReadonlySet<string> = new Set([TDX_METHOD, AZURE_TDX_METHOD])

export type TdxService = {
  deps: TdxDeps
  /** Of Intel's roots and of the collateral in use; those of a simulated authority are not watched. */
  expiries: () => readonly Expiry[]
  /** Looks at the folder now. */
  refresh: () => Promise<void>
  /** Ends the background work. */
  stop: () => Promise<void>
}

export type TdxServiceInput = {
  config: Pick<KmsConfig, 'attestation' | 'development'>
  log: Log
  /** Unix milliseconds. */
  now: () => number
}

/**
 * @returns `undefined` where none of those methods is enabled.
 * @throws EigenxError CONFIG_INVALID
 */
export async function startTdxService(input: TdxServiceInput): Promise<TdxService | undefined> {
  const { attestation, development } = input.config
  if (!attestation.methods.some((method) => QUOTES.has(method))) return undefined
  const { collateralDir, collateralRefreshSeconds } = attestation.tdx
  const anchors = await readTdxAnchors(development.tdxRootsFile)
  const crls = createCrlMemory()
  const folder =
    collateralDir === undefined
      ? undefined
      : await openCollateralFolder({
          path: collateralDir,
          anchors,
          crls,
          refreshMs: 1000 * collateralRefreshSeconds,
          now: input.now,
          onLook: (bundles, refused) => {
            const level = refused.length === 0 ? 'debug' : 'warn'
            input.log[level](
              { event: 'collateral', bundles, refused },
              'collateral of TDX platforms',
            )
          },
        })
  return {
    deps: {
      anchors,
      sources: { crls, ...(folder === undefined ? {} : { findCollateral: folder.find }) },
    },
    expiries: () => [
      ...rootExpiries(anchors),
      ...(folder?.expiries() ?? []).map(({ fmspc, expiresAt }) => ({
        kind: 'tdx-collateral',
        name: fmspc,
        expiresAt,
      })),
    ],
    refresh: async () => folder?.refresh(),
    stop: async () => folder?.stop(),
  }
}

/** @param path - Of `development.tdx_roots_file`. @throws EigenxError CONFIG_INVALID */
export async function readTdxAnchors(path: string | undefined): Promise<TdxTrustAnchors> {
  return path === undefined
    ? INTEL_ANCHORS
    : parseTdxRoots(await readRootsFile(path, 'development.tdx_roots_file'))
}

function rootExpiries(anchors: TdxTrustAnchors): Expiry[] {
  if (anchors !== INTEL_ANCHORS) return []
  return INTEL_ROOTS.map(({ sha256, notAfter }) => ({
    kind: 'intel',
    name: `root ${sha256.slice(0, 16)}`,
    expiresAt: Math.floor(Date.parse(notAfter) / 1000),
  }))
}
