/**
 * Freshness without a round trip: evidence names a recent block, which nobody could know in advance.
 *
 * The block's age is counted by block times against the operator's own final view, so no wall clock and no
 * difference between clocks decides.
 * @module
 */
import { EigenxError } from '../errors.ts'
import type { ChainReader, ReadOptions } from './reader.ts'
import type { BlockRef, Hash32 } from './types.ts'

/** The block to name in new evidence: the newest final one, which every operator knows. */
export function recentBlock(reader: ChainReader, options?: ReadOptions): Promise<BlockRef> {
  return reader.pinnedBlock(options)
}

/**
 * @param hash - As the evidence names it; any text.
 * @returns The block.
 * @throws EigenxError EVIDENCE_STALE when the block is unknown, not canonical or older than the limit; CHAIN_*.
 */
export async function checkFreshness(
  reader: ChainReader,
  hash: string,
  maxAgeSeconds: number,
  options?: ReadOptions,
): Promise<BlockRef> {
  if (!isHash(hash)) throw stale('The freshness block is no block hash', -1, maxAgeSeconds)
  const [final, block] = await Promise.all([
    reader.pinnedBlock(options),
    reader.blockByHash(hash, options),
  ])
  if (block === undefined)
    throw stale('The freshness block is not known on this chain', -1, maxAgeSeconds)
  // Nodes keep blocks that lost a reorganisation: only the one found by number is canonical.
  const canonical =
    block.number === final.number ? final : await reader.blockByNumber(block.number, options)
  if (canonical?.hash !== block.hash)
    throw stale('The freshness block is not part of the chain any more', -1, maxAgeSeconds)
  // Newer than the final view is as fresh as can be.
  const ageSeconds = Math.max(0, final.timestamp - block.timestamp)
  if (ageSeconds > maxAgeSeconds)
    throw stale('The freshness block is too old', ageSeconds, maxAgeSeconds)
  return block
}

function isHash(text: string): text is Hash32 {
  return /^0x[0-9a-f]{64}$/.test(text)
}

/** @param ageSeconds - -1 where there is no age. */
function stale(
  message: string,
  ageSeconds: number,
  limitSeconds: number,
): EigenxError<'EVIDENCE_STALE'> {
  return new EigenxError({
    code: 'EVIDENCE_STALE',
    message,
    stage: 'evidence',
    details: { ageSeconds, limitSeconds },
    hint: 'Fetch new evidence that names a current final block of the same chain.',
  })
}
