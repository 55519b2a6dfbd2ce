/**
 * The HTTP surface of an operator, as one Hono app without a socket: tests call `app.request`.
 * @module
 */
import { Hono } from 'hono'
import type { Address } from '../sdk/chain/types.ts'
import type { DecisionDeps } from './authorize/settings.ts'
import type { KmsConfig, RouteLimit } from './config.ts'
import { MAX_MESSAGE_BYTES, type PeerHandler } from './epoch/ports.ts'
import { asEigenxError } from './errors.ts'
import type { Foreground } from './foreground.ts'
import { type Env, json, plain, refuse } from './http/answers.ts'
import { appSignHandler, MAX_APP_SIGN_BODY } from './http/app-sign.ts'
import {
  createForwardedWarning,
  createGuard,
  guardRoute,
  type RouteHandler,
  requestId,
} from './http/guard.ts'
import { healthHandler } from './http/health.ts'
import { openApi } from './http/openapi.ts'
import { pubkeyHandler } from './http/pubkey.ts'
import { MAX_SECRETS_BODY, secretsHandler } from './http/secrets.ts'
import {
  blobHandler,
  encryptionKeyHandler,
  infoHandler,
  messageHandler,
  outputHandler,
} from './http/v2.ts'
import { errorFields, type Log } from './log.ts'
import type { Metrics, RouteClass } from './metrics.ts'
import { PEER_PATHS } from './peer/transport.ts'
import type { StatusReport } from './status.ts'

export type KmsAppDeps = {
  operator: Address
  config: Pick<KmsConfig, 'listen' | 'limits' | 'routes'>
  decision: DecisionDeps
  log: Log
  /** Unix milliseconds. */
  now: () => number
  status: () => StatusReport
  /** Absent until the epoch driver has started. */
  peers: () => PeerHandler | undefined
  metrics?: Metrics
  /** Where epochs run in the same process: they make way for decisions. */
  foreground?: Pick<Foreground, 'run'>
}

export function createKmsApp(deps: KmsAppDeps): Hono<Env> {
  const { operator, log, now, config, decision } = deps
  const { metrics } = deps
  const { run } = deps.foreground ?? { run: (work) => work() }
  const first =
    (handle: RouteHandler): RouteHandler =>
    (c, received) =>
      run(() => handle(c, received))
  const onForwarded = createForwardedWarning(log)
  const guardOf = (route: RouteClass, limit: RouteLimit) =>
    createGuard(
      {
        limits: config.limits,
        trustedProxies: config.listen.trustedProxies,
        log,
        now,
        onRefused: (code) => metrics?.turnedAway(route, code),
        onForwarded,
      },
      limit,
    )
  const read = guardOf('read', config.limits.read)
  const peer = guardOf('peer', config.limits.peer)
  const secrets = guardOf('secrets', config.limits.secrets)
  const appSign = guardOf('app_sign', config.limits.appSign)
  const { keys, settings } = decision
  const v2 = {
    operator,
    keys,
    domain: settings.domain,
    methods: settings.methods,
    reportDataVersions: settings.acceptReportDataV1 ? [1, 2] : [2],
    publicUrl: config.listen.publicUrl,
    peers: deps.peers,
  }

  const GO_GET = { method: 'GET', maxBody: 0, style: 'go' } as const
  const OWN_GET = { method: 'GET', maxBody: 0, style: 'own' } as const
  const app = new Hono<Env>()
  app.use(requestId)
  app.all('/pubkey', guardRoute(read, GO_GET, pubkeyHandler({ operator, keys })))
  app.all(
    '/app/sign',
    guardRoute(
      appSign,
      { method: 'POST', maxBody: MAX_APP_SIGN_BODY, style: 'go' },
      first(
        appSignHandler({
          operator,
          keys,
          log,
          now,
          metrics,
          enabled: config.routes.appSign,
          allowedApps: settings.allowedApps,
        }),
      ),
    ),
  )
  app.all(
    '/secrets',
    guardRoute(
      secrets,
      { method: 'POST', maxBody: MAX_SECRETS_BODY, style: 'go' },
      first(
        secretsHandler({
          operator,
          decision,
          log,
          now,
          requestTimeoutMs: config.limits.requestTimeoutMs,
          metrics,
        }),
      ),
    ),
  )
  app.all('/health', guardRoute(read, OWN_GET, healthHandler({ status: deps.status })))
  app.all(
    '/openapi.json',
    guardRoute(read, OWN_GET, async (c) => json(c, JSON.stringify(openApi))),
  )
  app.all('/v2/info', guardRoute(read, OWN_GET, infoHandler(v2)))
  app.all('/v2/output', guardRoute(read, OWN_GET, outputHandler(v2)))
  app.all(`${PEER_PATHS.blob}/:hash`, guardRoute(read, OWN_GET, blobHandler(v2)))
  app.all(PEER_PATHS.encryptionKey, guardRoute(peer, OWN_GET, encryptionKeyHandler(v2)))
  app.all(
    PEER_PATHS.messages,
    guardRoute(
      peer,
      { method: 'POST', maxBody: MAX_MESSAGE_BYTES, style: 'own' },
      messageHandler(v2, config.limits.callers),
    ),
  )
  app.notFound((c) => plain(c, 404, '404 page not found'))
  app.onError((thrown, c) => {
    log.error({ path: c.req.path, ...errorFields(thrown) }, 'unexpected error')
    return refuse(c, asEigenxError(thrown))
  })
  return app
}
