/**
 * Keeps the identity of a running helper: obtains it once, retries with growing pauses while the world is
 * not ready (operators down, release not confirmed), and lets every request wait for the attempt in flight.
 * @module
 */
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import type { AppIdentity } from './identity.ts'

export type HolderState =
  | { status: 'starting'; attempts: number }
  | { status: 'retrying'; attempts: number; code: string; message: string }
  | { status: 'ready'; attempts: number }

export type IdentityHolder = {
  /** Waits for the attempt in flight; between attempts it fails at once with the last reason. */
  get(): Promise<AppIdentity>
  state(): HolderState
  /** Ends retries and overwrites the app key. */
  stop(): void
}

export type HolderOptions = {
  obtain: (signal: AbortSignal) => Promise<AppIdentity>
  onAttempt?: (state: HolderState) => void
  firstPauseMs?: number
  longestPauseMs?: number
}

export function createIdentityHolder(options: HolderOptions): IdentityHolder {
  const { obtain, onAttempt, firstPauseMs = 1000, longestPauseMs = 30_000 } = options
  const stopped = new AbortController()
  let state: HolderState = { status: 'starting', attempts: 0 }
  let identity: AppIdentity | undefined
  let timer: NodeJS.Timeout | undefined
  let current = attempt()

  function attempt(): Promise<AppIdentity> {
    const running = obtain(stopped.signal).then(accept, reject)
    // The reason reaches whoever calls get(); with nobody waiting it must not end the process.
    running.catch(() => undefined)
    return running
  }

  function accept(found: AppIdentity): AppIdentity {
    if (stopped.signal.aborted) {
      found.appKey.fill(0)
      throw stoppedError()
    }
    identity = found
    state = { status: 'ready', attempts: state.attempts + 1 }
    onAttempt?.(state)
    return found
  }

  function reject(reason: unknown): never {
    const attempts = state.attempts + 1
    state = {
      status: 'retrying',
      attempts,
      code: isEigenxError(reason) ? reason.code : 'INTERNAL',
      message: isEigenxError(reason) ? reason.shortMessage : 'unexpected failure',
    }
    onAttempt?.(state)
    if (!stopped.signal.aborted) {
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempts - 1, 16))
      timer = setTimeout(() => {
        current = attempt()
      }, pauseMs)
    }
    throw reason
  }

  return {
    get: () => current,
    state: () => state,
    stop: () => {
      stopped.abort()
      clearTimeout(timer)
      identity?.appKey.fill(0)
    },
  }
}

export function stoppedError(): EigenxError<'KEY_NOT_READY'> {
  return new EigenxError({
    code: 'KEY_NOT_READY',
    message: 'the helper is stopping',
    stage: 'key',
    details: {},
  })
}
