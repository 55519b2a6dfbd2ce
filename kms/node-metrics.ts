/** An operator's metrics on a socket of their own, and where their values come from. @module */
import type { SnpTrustAnchors } from '../sdk/attest/anchors.ts'
import { countRememberedCollateral } from '../sdk/attest/collateral-verify.ts'
import { countRememberedLeaves } from '../sdk/attest/snp-chain.ts'
import type { TdxTrustAnchors } from '../sdk/attest/tdx-anchors.ts'
import { countRememberedChains } from '../sdk/attest/tdx-chain.ts'
import type { KmsConfig } from './config.ts'
import type { EpochNode } from './epoch/driver.ts'
import { createMetricsApp } from './http/metrics.ts'
import { type Listener, listen } from './http/server.ts'
import type { Metrics } from './metrics.ts'
import type { Expiry, StatusReport } from './status.ts'
import type { TokenService } from './tokens/start.ts'

export type MetricsListenerInput = {
  config: KmsConfig
  metrics: Metrics
  report: () => StatusReport
  node: Pick<EpochNode, 'status'>
  tokens: TokenService | undefined
  expiries: () => readonly Expiry[]
  anchors: { snp: SnpTrustAnchors; tdx: TdxTrustAnchors | undefined }
}

/**
 * @returns `undefined` where the configuration has no `[metrics]`.
 * @throws EigenxError CONFIG_INVALID when the address cannot be bound.
 */
export async function listenForMetrics(input: MetricsListenerInput): Promise<Listener | undefined> {
  const { config, tokens } = input
  if (config.metrics === undefined) return undefined
  const app = createMetricsApp(input.metrics, {
    report: input.report,
    newestActivation: () => input.node.status().activateAt,
    jwksAges: () =>
      [...(tokens?.sources ?? [])].map(([method, source]) => ({
        method,
        ageSeconds: source.ageSeconds(),
      })),
    tokensOnRecord: () => tokens?.deps.uses.count(),
    expiries: input.expiries,
    remembered: () => countRemembered(input.anchors),
  })
  return listen(app, { ...config.metrics, limits: config.limits })
}

/** Every list is bounded: see docs/operators.md, Metrics. */
function countRemembered({ snp, tdx }: MetricsListenerInput['anchors']) {
  return [
    countRememberedLeaves(snp),
    ...(tdx === undefined ? [] : [...countRememberedChains(tdx), countRememberedCollateral(tdx)]),
  ]
}
