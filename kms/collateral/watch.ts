/** Looks at something from time to time, in the background, and one look at a time. @module */
import { type ErrorCode, isEigenxError } from '../../sdk/errors.ts'

export type Watch = {
  /** Looks now, or joins the look under way. Never rejects. */
  refresh: () => Promise<void>
  stop: () => Promise<void>
}

/**
 * @param look - The first look is not made here.
 * @param onFailed - Told what a look threw.
 */
export function startWatch(
  look: () => Promise<void>,
  refreshMs: number,
  onFailed: (thrown: unknown) => void,
): Watch {
  let underWay: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  const refresh = (): Promise<void> => {
    underWay ??= look()
      .catch(onFailed)
      .finally(() => {
        underWay = undefined
      })
    return underWay
  }
  const schedule = () => {
    if (stopped) return
    timer = setTimeout(() => void refresh().finally(schedule), refreshMs)
    timer.unref()
  }
  schedule()
  return {
    refresh,
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await underWay
    },
  }
}

/** Why a file of the folder counts for nothing. */
export function codeOf(thrown: unknown): ErrorCode | 'UNREADABLE' {
  return isEigenxError(thrown) ? thrown.code : 'UNREADABLE'
}
