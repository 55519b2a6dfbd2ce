/**
 * The signing keys of one token issuer, kept up to date in the background: requests read what is there and never wait.
 *
 * - A set replaces the one before as a whole: a key that the issuer withdrew is trusted no longer.
 * - What cannot be fetched or read changes nothing: the last good set stays, with its age, until it is too old to trust.
 * - The address is the operator's. Redirects are refused, size and time are bounded, and no credentials go out.
 * - A token with an unknown key asks for an early look, at most once a minute: strangers cannot make this operator call the issuer often.
 * @module
 */
import { MAX_JWKS_BYTES, parseJwks, type TokenKey } from '../../sdk/attest/token-jwks.ts'
import { parseUtf8 } from '../../sdk/bytes.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { readFileBounded } from '../../sdk/node/files.ts'
import { readBody } from '../http/limits.ts'

export type JwksLocation = { url: string } | { file: string }

/** Why a look at the issuer's keys failed; nothing of what was answered. */
export type JwksFailure = 'timeout' | 'unreachable' | 'status' | 'not-a-key-set'

export type JwksSourceOptions = {
  method: string
  location: JwksLocation
  refreshMs: number
  /** Older keys are not used. */
  maxAgeMs: number
  /** Unix milliseconds. */
  now: () => number
  /** Of one look. Default: 10 seconds. */
  timeoutMs?: number
  /** Between two looks after a failure or an unknown key. Default: one minute. */
  retryMs?: number
  onLook?: (result: 'loaded' | JwksFailure, keys: number) => void
  /** Default: the global fetch. */
  fetch?: typeof fetch
}

export type JwksSource = {
  /** @throws METHOD_NOT_READY until keys are loaded, and when they are too old. */
  keys: () => readonly TokenKey[]
  /** A token named a key that is not there. */
  missed: () => void
  /** Looks now, or joins the look under way. Never rejects. */
  refresh: () => Promise<void>
  /** Since the last good look; `undefined` before the first one. */
  ageSeconds: () => number | undefined
  /** Begins looking; returns at once. */
  start: () => void
  stop: () => Promise<void>
}

type Loaded = { keys: readonly TokenKey[]; atMs: number }

export function createJwksSource(options: JwksSourceOptions): JwksSource {
  const { method, now, refreshMs, retryMs = 60_000 } = options
  const closing = new AbortController()
  let loaded: Loaded | undefined
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let started = false

  const look = async (): Promise<void> => {
    lookedAtMs = now()
    const result = await loadKeys(options, closing.signal)
    if (closing.signal.aborted) return
    if (typeof result !== 'string') loaded = { keys: result, atMs: now() }
    options.onLook?.(typeof result === 'string' ? result : 'loaded', loaded?.keys.length ?? 0)
    if (started) schedule(typeof result === 'string' ? Math.min(retryMs, refreshMs) : refreshMs)
  }
  const refresh = (): Promise<void> => {
    if (closing.signal.aborted) return Promise.resolve()
    underWay ??= look().finally(() => {
      underWay = undefined
    })
    return underWay
  }
  const schedule = (afterMs: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => void refresh(), afterMs)
    timer.unref()
  }
  return {
    refresh,
    keys: () => {
      if (loaded === undefined)
        throw notReady(method, 'the keys of the token issuer are not loaded yet')
      if (now() - loaded.atMs > options.maxAgeMs)
        throw notReady(method, 'the keys of the token issuer are too old')
      return loaded.keys
    },
    missed: () => {
      if (now() - lookedAtMs >= retryMs) void refresh()
    },
    ageSeconds: () =>
      loaded === undefined ? undefined : Math.max(0, Math.floor((now() - loaded.atMs) / 1000)),
    start: () => {
      started = true
      void refresh()
    },
    stop: async () => {
      started = false
      clearTimeout(timer)
      closing.abort()
      await underWay
    },
  }
}

const KEY_SET = { field: 'keys', maxBytes: MAX_JWKS_BYTES }

/** What is there, or why there is nothing. */
async function loadKeys(
  options: JwksSourceOptions,
  closing: AbortSignal,
): Promise<readonly TokenKey[] | JwksFailure> {
  const deadline = AbortSignal.timeout(options.timeoutMs ?? 10_000)
  // Ends the look in any case, so that no half-read answer keeps its connection.
  const done = new AbortController()
  const signal = AbortSignal.any([closing, deadline, done.signal])
  let bytes: Uint8Array | 'status'
  try {
    const { location } = options
    bytes =
      'url' in location
        ? await fetchKeySet(options.fetch ?? fetch, location.url, signal)
        : await readFileBounded(location.file, KEY_SET, signal)
  } catch {
    // The cause may quote the answer or the address: the kind of failure is enough.
    return deadline.aborted ? 'timeout' : 'unreachable'
  } finally {
    done.abort()
  }
  if (bytes === 'status') return 'status'
  try {
    return await parseJwks(parseUtf8(bytes) ?? '')
  } catch {
    return 'not-a-key-set'
  }
}

async function fetchKeySet(
  call: typeof fetch,
  url: string,
  signal: AbortSignal,
): Promise<Uint8Array | 'status'> {
  const answer = await call(url, {
    redirect: 'error',
    credentials: 'omit',
    headers: { accept: 'application/json' },
    signal,
  })
  return answer.status === 200 ? readBody(answer, MAX_JWKS_BYTES) : 'status'
}

function notReady(method: string, message: string): EigenxError<'METHOD_NOT_READY'> {
  return new EigenxError({
    code: 'METHOD_NOT_READY',
    message,
    stage: 'evidence',
    details: { method },
    hint: 'The operator fetches them in the background; ask again in a minute.',
  })
}
