/**
 * What every request passes before its handler: request id, rate limit of the caller, method,
 * reading the body, concurrency, deadline. In Go's order, so a wrong method costs a token too.
 *
 * The body is read outside the route's concurrency limit, under a wider one with a share per
 * caller: slow senders can then not occupy the places of those who have sent all.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Handler, MiddlewareHandler } from 'hono'
import { type ErrorCode, isEigenxError } from '../../sdk/errors.ts'
import type { KmsConfig, RouteLimit } from '../config.ts'
import { asEigenxError } from '../errors.ts'
import { errorFields, type Log } from '../log.ts'
import { type Env, plain, refuse, refuseAsGo } from './answers.ts'
import {
  callerKey,
  createGate,
  createRateLimiter,
  type Gate,
  isTrusted,
  type RateLimiter,
  readBody,
  withinTime,
} from './limits.ts'
import { answerAsGo } from './status.ts'

/** Bodies being read at once, as a multiple of the route's concurrency. */
const READERS_PER_PLACE = 4

/** Of the places of a route, one address gets at most these: many pods may be behind it, and others want to be heard, too. */
function shareOf(places: number): number {
  return Math.max(1, Math.floor(places * 0.8))
}

export type GuardDeps = {
  limits: KmsConfig['limits']
  trustedProxies: readonly string[]
  log: Log
  /** Unix milliseconds. */
  now: () => number
  /** Told of what is refused before or beside the handler. */
  onRefused?: (code: ErrorCode) => void
  /** Told of the peer whose X-Forwarded-For is not believed. */
  onForwarded?: (peer: string) => void
}

/** Routes of one class share allowances. */
export type Guard = GuardDeps & { rate: RateLimiter; readers: Gate; places: Gate }

export function createGuard(deps: GuardDeps, limit: RouteLimit): Guard {
  return {
    ...deps,
    rate: createRateLimiter(limit, deps.limits.callers),
    readers: createGate(limit.concurrent * READERS_PER_PLACE, limit.concurrent),
    places: createGate(limit.concurrent, shareOf(limit.concurrent)),
  }
}

export type RouteOptions = {
  method: 'GET' | 'POST'
  /** Largest body in bytes; 0 for routes that take none. */
  maxBody: number
  /** How refusals look: as Go's, or ours. */
  style: 'go' | 'own'
}

/** A caller's facts that handlers write into the audit log. */
export type Received = { body: Uint8Array; caller: string; arrivedMs: number }

export type RouteHandler = (c: Context<Env>, received: Received) => Promise<Response>

export function guardRoute(
  guard: Guard,
  options: RouteOptions,
  handle: RouteHandler,
): Handler<Env> {
  return async (c) => {
    const arrivedMs = guard.now()
    const caller = callerOf(c, guard)
    try {
      await guard.rate.take(caller, arrivedMs)
      // HEAD is dispatched like GET, but Go answers it with 405.
      if (c.req.raw.method !== options.method) return refuseMethod(c, options.method)
      const body =
        options.maxBody === 0
          ? new Uint8Array()
          : await guard.readers.run(caller, () => readBody(c.req.raw, options.maxBody))
      const work = guard.places.run(caller, () => handle(c, { body, caller, arrivedMs }))
      return await withinTime(work, guard.limits.requestTimeoutMs)
    } catch (thrown) {
      return answerThrown(guard, options, c, thrown)
    }
  }
}

/** Takes a sane x-request-id over, or makes one; every answer carries it. */
export const requestId: MiddlewareHandler<Env> = async (c, next) => {
  const offered = c.req.header('x-request-id') ?? ''
  c.set('requestId', /^[A-Za-z0-9._-]{8,64}$/.test(offered) ? offered : randomUUID())
  await next()
}

function answerThrown(
  guard: Guard,
  options: RouteOptions,
  c: Context<Env>,
  thrown: unknown,
): Response {
  const error = asEigenxError(thrown)
  guard.onRefused?.(error.code)
  const level = isEigenxError(error, 'INTERNAL') ? 'error' : 'debug'
  guard.log[level](
    { requestId: c.get('requestId'), path: c.req.path, ...errorFields(thrown) },
    'request refused',
  )
  if (options.style === 'own') return refuse(c, error)
  const text = error.code === 'INPUT_TOO_LARGE' ? parseFailure(c, error.shortMessage) : undefined
  const answer = answerAsGo(error, 'limits', '')
  return refuseAsGo(c, error, text === undefined ? answer : { status: 400, text })
}

/** Go names the reason of a parse failure on /secrets only. */
export function parseFailure(c: Context, reason: string): string {
  return c.req.path === '/secrets'
    ? `Failed to parse request: ${reason}`
    : 'Failed to parse request'
}

function refuseMethod(c: Context, allowed: string): Response {
  const answer = plain(c, 405, 'Method not allowed')
  answer.headers.set('allow', allowed)
  return answer
}

function callerOf(c: Context, guard: GuardDeps): string {
  const remote = remoteAddress(c)
  const forwarded = c.req.header('x-forwarded-for')
  if (forwarded !== undefined && !isTrusted(remote, guard.trustedProxies))
    guard.onForwarded?.(remote ?? 'unknown')
  return callerKey(remote, forwarded, guard.trustedProxies)
}

/**
 * Warns of the first X-Forwarded-For that is not believed, and of no other: a stranger can send as many as he likes.
 * Behind a proxy that is not named, all callers are one.
 */
export function createForwardedWarning(log: Log): (peer: string) => void {
  let isTold = false
  return (peer) => {
    if (isTold) return
    isTold = true
    log.warn(
      { event: 'forwarded-not-believed', peer },
      'X-Forwarded-For came from an address that is not in listen.trusted_proxies: if it is your proxy, list it there, or all callers behind it share one allowance',
    )
  }
}

/** `undefined` for requests that came over no socket, as in tests of the app alone. */
function remoteAddress(c: Context): string | undefined {
  try {
    return getConnInfo(c).remote.address
  } catch {
    return undefined
  }
}
