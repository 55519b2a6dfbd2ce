/**
 * One operator, put together: store, chain, epoch protocol, key service and HTTP surface. The only
 * place that knows all parts; everything else takes what it needs as arguments.
 * @module
 */
import { randomBytes } from '@noble/hashes/utils.js'
import { INTEL_ANCHORS } from '../sdk/attest/tdx-anchors.ts'
import type { ProviderAlarm } from '../sdk/chain/quorum.ts'
import { type ChainReader, createChainReader } from '../sdk/chain/reader.ts'
import type { Address } from '../sdk/chain/types.ts'
import { createKmsApp } from './app.ts'
import { createChainQuestions } from './authorize/chain.ts'
import { decisionSettings } from './authorize/settings.ts'
import { createEpochLogPort, createMembershipPort } from './chain/epoch-log-port.ts'
import { createPoster } from './chain/poster.ts'
import { startRefresher } from './collateral/refresh.ts'
import { startTdxService } from './collateral/start.ts'
import { readSnpAnchors, startSnpService } from './collateral/start-snp.ts'
import type { KmsConfig } from './config.ts'
import { openEpochNode, runEpochNode } from './epoch/driver.ts'
import type { EpochLogPort, EpochReport } from './epoch/ports.ts'
import type { EpochOptions } from './epoch/state.ts'
import { createForeground } from './foreground.ts'
import { listen } from './http/server.ts'
import { createKeyService } from './keys.ts'
import { errorFields, type Log } from './log.ts'
import { createMetrics } from './metrics.ts'
import { listenForMetrics } from './node-metrics.ts'
import { countPeerCalls } from './peer/counted.ts'
import { createPeerTransport } from './peer/transport.ts'
import { readOperatorKeys } from './signer.ts'
import { type NodeStatus, reportStatus } from './status.ts'
import { readStoreKey } from './store/key-file.ts'
import { openLibsqlStore } from './store/libsql.ts'
import { startTokenService } from './tokens/start.ts'

export type RunningOperator = {
  /** Where it listens. */
  url: string
  /** Where its metrics are, where the configuration says so. */
  metricsUrl?: string
  address: Address
  /** Resolves when the operator cannot go on: the process should end. */
  failed: Promise<unknown>
  /** Finishes answers in progress, then closes everything. Safe to call twice. */
  stop: () => Promise<void>
}

export type OperatorOptions = {
  log: Log
  /** Unix milliseconds. */
  now?: () => number
}

/** @throws EigenxError CONFIG_INVALID, STORE_CORRUPT, STORE_UNAVAILABLE */
export async function startOperator(
  config: KmsConfig,
  options: OperatorOptions,
): Promise<RunningOperator> {
  const { log, now = () => Date.now() } = options
  const { address } = config.operator
  const settings = decisionSettings(config)
  const { signer, account } = await readOperatorKeys(config.operator)
  const anchors = await readSnpAnchors(config.development.snpRootsFile)
  const store = await openLibsqlStore({
    path: config.store.path,
    key: await readStoreKey(config.store.keyFile),
    operator: address,
    domain: settings.domain,
    rng: randomBytes,
  })
  const closers: (() => unknown)[] = [() => store.close()]
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const metrics = createMetrics({
      process: config.metrics !== undefined,
      clock: () => performance.now(),
    })
    const reader = createReader(config, log, (kind) => metrics.chainAlarm(kind))
    closers.push(() => reader.close())
    const poster = createPoster({
      ...chainAccess(config),
      account,
    })
    closers.push(() => poster.close())
    const status: NodeStatus = { startedAtMs: now(), accepting: true }
    const tokens = startTokenService({
      config,
      log,
      now,
      onLook: (provider, result) => metrics.jwksLooked(provider, result),
    })
    closers.push(() => tokens?.stop())
    const snp = await startSnpService({ config, anchors, log, now })
    closers.push(() => snp.stop())
    const tdx = await startTdxService({ config, log, now })
    closers.push(() => tdx?.stop())
    const refresher = startRefresher({
      config,
      anchors: { snp: anchors, tdx: tdx?.deps.anchors ?? INTEL_ANCHORS },
      log,
      now,
      onUpdated: ({ vendor, result }) => metrics.collateralUpdated(vendor, result),
      onWritten: () => Promise.all([snp.refresh(), tdx?.refresh()]),
    })
    closers.push(() => refresher?.stop())
    const expiries = () => [...snp.expiries(), ...(tdx?.expiries() ?? [])]
    const report = reporter(log)
    const foreground = createForeground(() => performance.now())
    const node = await openEpochNode(
      {
        domain: settings.domain,
        store,
        log: watched(createEpochLogPort({ reader, poster, ...config.contracts }), status, now),
        membership: createMembershipPort(reader, config.contracts),
        peers: countPeerCalls(
          createPeerTransport({ timeoutMs: config.limits.peerTimeoutMs }),
          metrics,
        ),
        signer,
        clock: now,
        rng: randomBytes,
        pause: foreground.pause,
        report,
        // The log is walked back from its head, so there is no range to narrow.
        fromBlock: 0n,
      },
      epochOptions(config),
    )
    const keys = createKeyService({ keyRing: node.keyRing, clock: now })
    const statusNow = () =>
      reportStatus(
        {
          operator: address,
          chainId: config.chain.chainId,
          node: status,
          keys,
          epoch: node.status(),
          expiries: expiries(),
          warnDays: config.collateral.warnDays,
        },
        now(),
      )
    const app = createKmsApp({
      operator: address,
      config,
      decision: {
        settings,
        anchors,
        revocation: snp.deps,
        keys,
        ...(tdx === undefined ? {} : { tdx: tdx.deps }),
        ...(tokens === undefined ? {} : { tokens: tokens.deps }),
        chain: createChainQuestions({
          reader,
          appController: config.contracts.appController,
          freshnessSeconds: config.attestation.freshnessSeconds,
          serveStopped: config.policy.serveStoppedApps,
          maxLagSeconds: config.chain.maxLagSeconds,
          now,
        }),
      },
      log,
      now,
      status: statusNow,
      peers: () => node.handler,
      metrics,
      foreground,
    })
    const metricsListener = await listenForMetrics({
      config,
      metrics,
      report: statusNow,
      node,
      tokens,
      expiries,
      anchors: { snp: anchors, tdx: tdx?.deps.anchors },
    })
    closers.push(() => metricsListener?.close())
    const listener = await listen(app, { ...config.listen, limits: config.limits })
    let fail: (reason: unknown) => void = () => undefined
    const failed = new Promise<unknown>((resolve) => {
      fail = resolve
    })
    const protocol = runEpochNode(node, {
      pollMs: config.epoch.pollMs,
      report,
      giveUp: () => poster.close(),
      onFailure: (reason) => {
        log.error(errorFields(reason), 'the operator cannot go on')
        fail(reason)
      },
    })
    // Reverse order: no new requests, then the protocol, then chain and store.
    closers.push(
      () => protocol.stop(),
      () => listener.close(),
      () => {
        status.accepting = false
      },
    )
    log.info(
      { event: 'listening', url: listener.url, metricsUrl: metricsListener?.url },
      'operator listening',
    )
    return {
      url: listener.url,
      ...(metricsListener === undefined ? {} : { metricsUrl: metricsListener.url }),
      address,
      failed,
      stop: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

function chainAccess({ chain }: KmsConfig) {
  const { rpcUrls, quorum, chainId, timeoutMs } = chain
  return { rpcUrls, quorum, chainId, timeoutMs }
}

function createReader(
  config: KmsConfig,
  log: Log,
  onAlarm: (kind: ProviderAlarm['kind']) => void,
): ChainReader {
  return createChainReader({
    ...chainAccess(config),
    finality: config.chain.finality,
    onAlarm: ({ provider, kind, what }) => {
      onAlarm(kind)
      log.warn({ provider, kind, what }, 'a chain provider contradicts the others')
    },
  })
}

/** Notes for /health what the last look at the chain saw. */
function watched(port: EpochLogPort, status: NodeStatus, now: () => number): EpochLogPort {
  return {
    ...port,
    read: async (fromBlock) => {
      const snapshot = await port.read(fromBlock)
      status.chain = {
        finalizedBlock: snapshot.finalized.number,
        finalizedAtSeconds: snapshot.finalized.timestamp,
        seenAtMs: now(),
      }
      return snapshot
    },
  }
}

function epochOptions({ epoch }: KmsConfig): EpochOptions {
  return {
    genesis: epoch.genesis,
    postSeconds: epoch.postSeconds,
    vetoSeconds: epoch.vetoSeconds,
    finalitySeconds: epoch.activationDelaySeconds,
    graceSeconds: epoch.graceSeconds,
    slotMs: epoch.slotMs,
    patienceMs: epoch.patienceMs,
    sessionMs: epoch.sessionMs,
    reshareSeconds: epoch.reshareSeconds,
    keyRotationSeconds: epoch.keyRotationSeconds,
  }
}

function reporter(log: Log): (report: EpochReport) => void {
  return ({ level, event, epoch, detail }) => log[level]({ event: 'epoch', epoch, detail }, event)
}
