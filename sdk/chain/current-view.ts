/**
 * A view of the chain that may not lie far in the past.
 *
 * Where all providers have to agree, one that lags or lies chooses the newest block, and with it an old state of every app: one that was
 * stopped since would run, a release that was replaced would count. The chain itself cannot tell, so here a clock does.
 * @module
 */
import { EigenxError } from '../errors.ts'
import type { ChainReader } from './reader.ts'

export type CurrentViewOptions = {
  /** How far the newest block may lie behind the clock; 0 asks for nothing. */
  maxLagSeconds: number
  /** Unix milliseconds. */
  now: () => number
}

/** The same reader, but for a newest block that is too old: `latestBlock` throws CHAIN_UNAVAILABLE then. */
export function currentView(
  reader: ChainReader,
  { maxLagSeconds, now }: CurrentViewOptions,
): ChainReader {
  if (maxLagSeconds === 0) return reader
  return {
    ...reader,
    latestBlock: async (options) => {
      const block = await reader.latestBlock(options)
      const lagSeconds = Math.floor(now() / 1000) - block.timestamp
      if (lagSeconds > maxLagSeconds) throw tooFarBack(lagSeconds, maxLagSeconds)
      return block
    },
  }
}

function tooFarBack(lagSeconds: number, limit: number): EigenxError<'CHAIN_UNAVAILABLE'> {
  return new EigenxError({
    code: 'CHAIN_UNAVAILABLE',
    message: `The newest block of the chain providers is ${lagSeconds} seconds old, and ${limit} are allowed`,
    stage: 'chain',
    details: { needed: 1, got: 0 },
    hint: "chain.max_lag_seconds: check the operator's clock, and that its providers are in sync. Where all must agree, one alone holds the view back.",
  })
}
