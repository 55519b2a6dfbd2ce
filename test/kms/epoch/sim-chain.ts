/** A chain that lives in memory: two-second blocks, finality some blocks back, reorganisations on demand. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { EpochLogPort, MembershipPort } from '../../../kms/epoch/ports.ts'
import { toHex, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { BlockRef, OperatorInfo, OperatorSet } from '../../../sdk/chain/types.ts'
import type { Domain, LogComplaint, LogEntry } from '../../../sdk/protocol/types.ts'

export const DOMAIN: Domain = {
  chainId: 31337,
  epochLog: '0x00000000000000000000000000000000000000e1',
  avs: '0x00000000000000000000000000000000000000a5',
  operatorSetId: 0,
}

type Block = BlockRef & { entries: LogEntry[]; complaints: LogComplaint[] }

/** A chain of two-second blocks; the last `depth` blocks are not final and may be reorganised away. */
export type SimChain = {
  mine(): void
  /** Replaces the last blocks by empty ones; their entries are gone. */
  reorg(blocks: number): void
  log: EpochLogPort
  membership: MembershipPort
  /** The set of the next block on; earlier blocks keep theirs. */
  members: OperatorInfo[]
  membersAt(block: bigint): OperatorInfo[]
  entries(): readonly LogEntry[]
  complaints(): readonly LogComplaint[]
  now(): number
}

export function createChain(
  members: OperatorInfo[],
  depth: number,
  startSeconds: number,
): SimChain {
  let forks = 0
  const makeBlock = (number: bigint, timestamp: number): Block => ({
    number,
    hash: toHex(sha256(utf8ToBytes(`block ${number} of fork ${forks}`))),
    timestamp,
    entries: [],
    complaints: [],
  })
  const blocks: Block[] = [makeBlock(0n, startSeconds)]
  let mempool: ((block: Block) => void)[] = []
  const tip = (): Block => blocks.at(-1) as Block
  const finalBlock = (): Block => blocks[Math.max(0, blocks.length - 1 - depth)] as Block
  const ref = ({ number, hash, timestamp }: Block): BlockRef => ({ number, hash, timestamp })
  const setAt = (block: Block): OperatorSet => ({
    avs: DOMAIN.avs,
    operatorSetId: DOMAIN.operatorSetId,
    operators: chain.membersAt(block.number),
    block: ref(block),
  })
  const include = (post: (block: Block) => void): Promise<void> => {
    mempool.push(post)
    return Promise.resolve()
  }
  const sets = [{ from: 0n, members }]
  const chain: SimChain = {
    get members() {
      return sets.at(-1)?.members ?? []
    },
    set members(next) {
      // Before anything happened the first set is meant.
      const from = blocks.length === 1 ? 0n : tip().number + 1n
      sets.push({ from, members: next })
    },
    membersAt: (block) => sets.findLast(({ from }) => from <= block)?.members ?? [],
    now: () => tip().timestamp,
    mine: () => {
      const block = makeBlock(tip().number + 1n, tip().timestamp + 2)
      blocks.push(block)
      for (const post of mempool) post(block)
      mempool = []
    },
    reorg: (count) => {
      forks += 1
      const from = blocks.length - Math.min(count, depth, blocks.length - 1)
      const removed = blocks.splice(from)
      for (const old of removed) blocks.push(makeBlock(old.number, old.timestamp))
    },
    entries: () => blocks.flatMap((block) => block.entries),
    complaints: () => blocks.flatMap((block) => block.complaints),
    log: {
      read: async (fromBlock) => {
        const seen = blocks.filter((block) => block.number >= fromBlock)
        return {
          fromBlock,
          finalized: ref(finalBlock()),
          latest: ref(tip()),
          entries: seen.flatMap((block) => block.entries),
          complaints: seen.flatMap((block) => block.complaints),
        }
      },
      post: (entry) =>
        include((block) => {
          const logIndex = block.entries.length + block.complaints.length
          const poster = DOMAIN.avs
          block.entries.push({ ...entry, block: ref(block), logIndex, poster })
        }),
      complain: (complaint) =>
        include((block) => {
          const logIndex = block.entries.length + block.complaints.length
          const poster = DOMAIN.avs
          block.complaints.push({ ...complaint, block: ref(block), logIndex, poster })
        }),
    },
    membership: {
      current: async () => setAt(finalBlock()),
      at: async ({ number, hash }) => {
        const block = blocks[Number(number)]
        return block?.hash === hash ? setAt(block) : undefined
      },
    },
  }
  return chain
}
