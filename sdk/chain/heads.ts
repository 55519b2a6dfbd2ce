/**
 * The two views of a decision: the newest final block and the newest block.
 * @module
 */
import { EigenxError } from '../errors.ts'
import type { ChainReader, ReadOptions } from './reader.ts'
import type { BlockRef } from './types.ts'

export type Heads = { final: BlockRef; latest: BlockRef }

/** One and the same record twice where both views are equal. */
export async function readHeads(reader: ChainReader, options?: ReadOptions): Promise<Heads> {
  if (reader.finality === 'latest') {
    const only = await reader.latestBlock(options)
    return { final: only, latest: only }
  }
  const [final, latest] = await Promise.all([
    reader.pinnedBlock(options),
    reader.latestBlock(options),
  ])
  if (final.hash === latest.hash) return { final, latest: final }
  if (final.number < latest.number) return { final, latest }
  throw new EigenxError({
    code: 'CHAIN_DISAGREES',
    message: 'The final block of the chain providers is not behind their newest',
    stage: 'chain',
    details: { what: 'the newest block' },
  })
}
