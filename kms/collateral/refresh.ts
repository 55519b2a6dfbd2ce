/**
 * Fetches collateral in the background, where the operator says so. Requests never wait for it: they use what lies in the folders.
 * @module
 */
import type { Log } from '../log.ts'
import { type Updated, type UpdateInput, updateCollateral } from './update.ts'
import { startWatch } from './watch.ts'

export type RefresherInput = Omit<UpdateInput, 'nowSeconds' | 'download'> & {
  log: Log
  /** Unix milliseconds. */
  now: () => number
  /** Told of every file after each fetch. */
  onUpdated: (update: Updated) => void
  /** After something new was written. */
  onWritten: () => Promise<unknown>
}

export type Refresher = { stop: () => Promise<void> }

/** @returns `undefined` where the configuration does not ask for it. */
export function startRefresher(input: RefresherInput): Refresher | undefined {
  const { refreshHours, timeoutMs } = input.config.collateral
  if (refreshHours === 0) return undefined
  const closing = new AbortController()
  const look = async () => {
    const updates = await updateCollateral({
      config: input.config,
      anchors: input.anchors,
      download: { timeoutMs, signal: closing.signal },
      nowSeconds: Math.floor(input.now() / 1000),
    })
    if (closing.signal.aborted) return
    for (const update of updates) input.onUpdated(update)
    const failed = updates.filter(({ result }) => result === 'failed')
    const level = failed.length === 0 ? 'info' : 'warn'
    input.log[level]({ event: 'collateral', updates }, 'collateral fetched')
    if (updates.some(({ result }) => result === 'written')) await input.onWritten()
  }
  const watch = startWatch(look, 3_600_000 * refreshHours, (thrown) =>
    input.log.error({ event: 'collateral', kind: String(thrown) }, 'collateral cannot be fetched'),
  )
  void watch.refresh()
  return {
    stop: async () => {
      closing.abort()
      await watch.stop()
    },
  }
}
