/**
 * Who may ask how often, how much runs at once, and how large a body may be.
 *
 * Limits fail closed and cost little: the caller is judged before a byte of the body is read.
 * Memory is bounded: once `callers` are remembered, all further strangers share one allowance
 * until the window turns.
 * @module
 */
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { EigenxError } from '../../sdk/errors.ts'
import type { RouteLimit } from '../config.ts'

const OVERFLOW_KEY = 'others'

export type RateLimiter = {
  /** @throws EigenxError RATE_LIMITED. `nowMs` only turns the window of remembered callers. */
  take: (caller: string, nowMs: number) => Promise<void>
}

export function createRateLimiter(limit: RouteLimit, callers: number): RateLimiter {
  // `burst` refills at `perSecond`, so the burst allowance spans this window.
  const windowSeconds = Math.max(1, Math.ceil(limit.burst / limit.perSecond))
  const limiter = new BurstyRateLimiter(
    new RateLimiterMemory({ keyPrefix: 'r', points: limit.perSecond, duration: 1 }),
    new RateLimiterMemory({ keyPrefix: 'b', points: limit.burst, duration: windowSeconds }),
  )
  const known = new Set<string>()
  let turnsAtMs = 0
  const nameOf = (caller: string, nowMs: number): string => {
    if (nowMs >= turnsAtMs) {
      known.clear()
      turnsAtMs = nowMs + 1000 * windowSeconds
    }
    if (known.has(caller)) return caller
    if (known.size >= callers) return OVERFLOW_KEY
    known.add(caller)
    return caller
  }
  return {
    take: async (caller, nowMs) => {
      try {
        await limiter.consume(nameOf(caller, nowMs))
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        throw rateLimited(refused.msBeforeNext)
      }
    },
  }
}

/** How much of the process's time each caller may waste. */
export type TimeBudget = {
  /** @throws EigenxError RATE_LIMITED for a caller that has wasted all of it, until the window turns. */
  check: (caller: string, nowMs: number) => void
  charge: (caller: string, wastedMs: number, nowMs: number) => void
}

/** @param callers - So many are remembered; beyond it all further ones share a budget. */
export function createTimeBudget(
  budget: { ms: number; windowMs: number },
  callers: number,
): TimeBudget {
  const wasted = new Map<string, number>()
  let turnsAtMs = 0
  const turn = (nowMs: number): void => {
    // Also when the clock was set back.
    if (nowMs < turnsAtMs && nowMs >= turnsAtMs - budget.windowMs) return
    wasted.clear()
    turnsAtMs = nowMs + budget.windowMs
  }
  const nameOf = (caller: string): string =>
    wasted.has(caller) || wasted.size < callers ? caller : OVERFLOW_KEY
  return {
    check: (caller, nowMs) => {
      turn(nowMs)
      if ((wasted.get(nameOf(caller)) ?? 0) >= budget.ms) throw rateLimited(turnsAtMs - nowMs)
    },
    charge: (caller, wastedMs, nowMs) => {
      turn(nowMs)
      const name = nameOf(caller)
      wasted.set(name, (wasted.get(name) ?? 0) + wastedMs)
    },
  }
}

function rateLimited(waitMs: number): EigenxError {
  return new EigenxError({
    code: 'RATE_LIMITED',
    message: 'too many requests',
    stage: 'request',
    details: { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
    hint: 'Wait and ask again; callers behind one address share its allowance.',
  })
}

export type Gate = {
  /** Runs `work` if a place is free. @throws EigenxError OVERLOADED at once where none is. */
  run: <T>(caller: string, work: () => Promise<T>) => Promise<T>
  inFlight: () => number
}

/**
 * At most `limit` pieces of work at once in this process, of which one caller gets at most
 * `perCaller`; nobody queues.
 */
export function createGate(limit: number, perCaller = limit): Gate {
  const running = new Map<string, number>()
  let total = 0
  return {
    run: async (caller, work) => {
      const own = running.get(caller) ?? 0
      if (total >= limit || own >= perCaller)
        throw new EigenxError({
          code: 'OVERLOADED',
          message: 'service unavailable',
          stage: 'request',
          details: { limit: total >= limit ? limit : perCaller },
          hint: 'The operator is at its concurrency limit; ask again.',
        })
      total++
      running.set(caller, own + 1)
      try {
        return await work()
      } finally {
        total--
        const left = (running.get(caller) ?? 1) - 1
        if (left === 0) running.delete(caller)
        else running.set(caller, left)
      }
    },
    inFlight: () => total,
  }
}

/**
 * The key under which a caller's requests are counted. An IPv6 host commands at least a /64, so
 * its lower half is left out.
 *
 * @param remote - The address of the TCP peer.
 * @param forwarded - X-Forwarded-For as received.
 * @param trustedProxies - Peers whose last X-Forwarded-For entry is believed.
 */
export function callerKey(
  remote: string | undefined,
  forwarded: string | undefined,
  trustedProxies: readonly string[],
): string {
  const peer = normaliseAddress(remote ?? '')
  if (forwarded === undefined || !isTrusted(remote, trustedProxies)) return subnetOf(peer)
  // Only the entry that our own proxy appended is true; all before it is the client's text.
  const last = forwarded.slice(forwarded.lastIndexOf(',') + 1).trim()
  return /^[0-9a-fA-F.:]{2,45}$/.test(last) ? subnetOf(normaliseAddress(last)) : subnetOf(peer)
}

/** Is that TCP peer one of the proxies whose X-Forwarded-For is believed? */
export function isTrusted(remote: string | undefined, trustedProxies: readonly string[]): boolean {
  return trustedProxies.map(normaliseAddress).includes(normaliseAddress(remote ?? ''))
}

function normaliseAddress(address: string): string {
  const lower = address.toLowerCase()
  return lower.startsWith('::ffff:') && lower.includes('.') ? lower.slice(7) : lower
}

function subnetOf(address: string): string {
  if (!address.includes(':')) return address || 'unknown'
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  if (tail !== undefined) while (groups.length + rest.length < 8) groups.push('0')
  return `${[...groups, ...rest]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}

/**
 * Reads a whole body, never holding more than `limit` bytes.
 * @throws EigenxError INPUT_TOO_LARGE
 */
export async function readBody(
  request: Pick<Request, 'headers' | 'body'>,
  limit: number,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new EigenxError({
      code: 'INPUT_TOO_LARGE',
      message: 'http: request body too large',
      stage: 'request',
      details: { field: 'body', limit },
    })
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared > limit) throw tooLarge()
  if (request.body === null) return new Uint8Array()
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.length
    if (size > limit) {
      await reader.cancel().catch(() => undefined)
      throw tooLarge()
    }
    chunks.push(value)
  }
  const out = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    out.set(chunk, offset)
    offset += chunk.length
  }
  return out
}

/**
 * The answer of `work`, or TIMEOUT after `afterMs`. The work itself is not cut short: it holds its
 * place at the gate until it ends, so late work cannot pile up.
 */
export async function withinTime<T>(work: Promise<T>, afterMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new EigenxError({
          code: 'TIMEOUT',
          message: 'The request was not answered in time.',
          stage: 'request',
          details: { what: 'request', afterMs },
        }),
      )
    }, afterMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}
