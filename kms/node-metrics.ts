/** An operator's metrics on a socket of their own, and where their values come from. @module */
import { AMD_CERTIFICATES } from '../certs/amd.ts'
import { AMD_ANCHORS, type SnpTrustAnchors } from '../sdk/attest/anchors.ts'
import type { TdxService } from './collateral/start.ts'
import type { KmsConfig } from './config.ts'
import type { EpochNode } from './epoch/driver.ts'
import { createMetricsApp } from './http/metrics.ts'
import { type Listener, listen } from './http/server.ts'
import type { Expiry, Metrics } from './metrics.ts'
import type { StatusReport } from './status.ts'
import type { TokenService } from './tokens/start.ts'

export type MetricsListenerInput = {
  config: KmsConfig
  metrics: Metrics
  anchors: SnpTrustAnchors
  report: () => StatusReport
  node: Pick<EpochNode, 'status'>
  tokens: TokenService | undefined
  tdx: TdxService | undefined
}

/**
 * @returns `undefined` where the configuration has no `[metrics]`.
 * @throws EigenxError CONFIG_INVALID when the address cannot be bound.
 */
export async function listenForMetrics(input: MetricsListenerInput): Promise<Listener | undefined> {
  const { config, tokens } = input
  if (config.metrics === undefined) return undefined
  const expiries = expiriesOf(input.anchors)
  const app = createMetricsApp(input.metrics, {
    report: input.report,
    newestActivation: () => input.node.status().activateAt,
    jwksAges: () =>
      [...(tokens?.sources ?? [])].map(([method, source]) => ({
        method,
        ageSeconds: source.ageSeconds(),
      })),
    tokensOnRecord: () => tokens?.deps.uses.count(),
    expiries: () => [...expiries, ...(input.tdx?.expiries() ?? [])],
  })
  return listen(app, { ...config.metrics, limits: config.limits })
}

/** When the embedded certificates run out; those of a simulated authority are not watched. */
export function expiriesOf(anchors: SnpTrustAnchors): readonly Expiry[] {
  if (anchors !== AMD_ANCHORS) return []
  return Object.entries(AMD_CERTIFICATES).flatMap(([product, authority]) =>
    Object.entries(authority).map(([role, { notAfter }]) => ({
      kind: 'amd',
      name: `${product} ${role}`,
      expiresAt: Math.floor(Date.parse(notAfter) / 1000),
    })),
  )
}
