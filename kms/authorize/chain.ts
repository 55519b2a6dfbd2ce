/** The chain's side of a decision: three questions, asked through the quorum reader. @module */
import { currentView } from '../../sdk/chain/current-view.ts'
import { checkFreshness } from '../../sdk/chain/freshness.ts'
import type { ChainReader } from '../../sdk/chain/reader.ts'
import { createReleaseCache, readAppCreator, readAppDecision } from '../../sdk/chain/release.ts'
import type { Address } from '../../sdk/chain/types.ts'
import type { ChainQuestions } from './settings.ts'

export type ChainQuestionsInput = {
  reader: ChainReader
  appController: Address
  freshnessSeconds: number
  serveStopped: boolean
  /** How far the newest block may lie behind the clock; 0 asks for nothing. */
  maxLagSeconds: number
  /** Unix milliseconds. */
  now: () => number
}

export function createChainQuestions(input: ChainQuestionsInput): ChainQuestions {
  const { reader, appController, freshnessSeconds, serveStopped } = input
  const contracts = { appController, cache: createReleaseCache() }
  // Every decision ends in `decideApp`, so a view that is too old ends there, whatever it says about the app.
  const current = currentView(reader, input)
  return {
    decideApp: (app) => readAppDecision(current, contracts, app, { serveStopped }),
    creatorOf: (app) => readAppCreator(reader, contracts, app),
    demandFresh: async (block) => {
      await checkFreshness(reader, block, freshnessSeconds)
    },
  }
}
