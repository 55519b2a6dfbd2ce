/** The chain's side of a decision: three questions, asked through the quorum reader. @module */
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
}

export function createChainQuestions(input: ChainQuestionsInput): ChainQuestions {
  const { reader, appController, freshnessSeconds, serveStopped } = input
  const contracts = { appController, cache: createReleaseCache() }
  return {
    decideApp: (app) => readAppDecision(reader, contracts, app, { serveStopped }),
    creatorOf: (app) => readAppCreator(reader, contracts, app),
    demandFresh: async (block) => {
      await checkFreshness(reader, block, freshnessSeconds)
    },
  }
}
