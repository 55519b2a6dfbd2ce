/** A chain that lives in memory: two-second blocks, finality some blocks back, reorganisations and stuck transactions on demand. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { EpochLogPort, MembershipPort } from '../../../kms/epoch/ports.ts'
import { toHex, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { BlockRef, Hash32, OperatorInfo, OperatorSet } from '../../../sdk/chain/types.ts'
import type { Domain, LogComplaint, LogEntry } from '../../../sdk/protocol/types.ts'

export const DOMAIN: Domain = {
  chainId: 31337,
  epochLog: '0x00000000000000000000000000000000000000e1',
  avs: '0x00000000000000000000000000000000000000a5',
  operatorSetId: 0,
}

const BLOCK_SECONDS = 2

type Block = BlockRef & { entries: LogEntry[]; complaints: LogComplaint[] }
type Place = Pick<LogEntry, 'block' | 'logIndex' | 'poster'>
type Transaction = (block: Block) => void

/** How one node reaches the chain. */
export type Rpc = {
  /** Blocks that its provider is behind. */
  behind: number
  down: boolean
  /** Its transactions are refused: no funds, or a price too low. */
  refuses: boolean
}

export const HEALTHY_RPC: Rpc = { behind: 0, down: false, refuses: false }

export class ChainDown extends Error {}

/** A chain of two-second blocks; the last `depth` blocks are not final and may be reorganised away. */
export type SimChain = {
  mine(): void
  /**
   * Takes back the last blocks, as far as they are not final. Their transactions are gone, or come again in the
   * opposite order.
   */
  reorg(blocks: number, transactions?: 'gone' | 'reversed'): void
  /** Transactions wait while this is set. */
  stuck: boolean
  /** No further block becomes final while this is set. */
  finalityStalled: boolean
  /** The chain as a node sees it. */
  view(rpc: () => Rpc): { log: EpochLogPort; membership: MembershipPort }
  log: EpochLogPort
  membership: MembershipPort
  /** Before the first: its header is known for ever, its state to no provider. */
  first: BlockRef
  /** The set of the next block on; earlier blocks keep theirs. */
  members: OperatorInfo[]
  membersAt(block: bigint): OperatorInfo[]
  entries(): readonly LogEntry[]
  /** Those that say that they are this output. */
  entriesNamed(output: Hash32): readonly LogEntry[]
  complaints(): readonly LogComplaint[]
  /** Timestamp of the head, Unix seconds. */
  now(): number
  /** Timestamp of the last final block. */
  finalTime(): number
}

export function createChain(
  members: OperatorInfo[],
  depth: number,
  startSeconds: number,
): SimChain {
  let forks = 0
  let final = 1
  let mempool: Transaction[] = []
  const named = new Map<Hash32, LogEntry[]>()
  let allEntries: LogEntry[] = []
  let allComplaints: LogComplaint[] = []
  const makeBlock = (number: bigint, timestamp: number): Block => ({
    number,
    hash: toHex(sha256(utf8ToBytes(`block ${number} of fork ${forks}`))),
    timestamp,
    entries: [],
    complaints: [],
  })
  const blocks: Block[] = [makeBlock(0n, startSeconds - BLOCK_SECONDS), makeBlock(1n, startSeconds)]
  const at = (index: number): Block => blocks[Math.max(1, index)] as Block
  const tip = (): Block => at(blocks.length - 1)
  const ref = ({ number, hash, timestamp }: Block): BlockRef => ({ number, hash, timestamp })
  const setAt = (block: Block): OperatorSet => ({
    avs: DOMAIN.avs,
    operatorSetId: DOMAIN.operatorSetId,
    operators: chain.membersAt(block.number),
    block: ref(block),
  })
  const place = (block: Block): Place => ({
    block: ref(block),
    logIndex: block.entries.length + block.complaints.length,
    poster: DOMAIN.avs,
  })
  const addBlock = (block: Block): void => {
    blocks.push(block)
    if (!chain.finalityStalled) final = Math.max(final, blocks.length - 1 - depth)
  }
  const includeAll = (transactions: readonly Transaction[]): void => {
    for (const transaction of transactions) transaction(tip())
  }
  const addComplaint = (block: Block, complaint: Omit<LogComplaint, keyof Place>): void => {
    const placed = { ...complaint, ...place(block) }
    block.complaints.push(placed)
    allComplaints.push(placed)
  }
  const addEntry = (block: Block, entry: Omit<LogEntry, keyof Place>): void => {
    const placed = { ...entry, ...place(block) }
    block.entries.push(placed)
    allEntries.push(placed)
    named.set(entry.outputHash, [...(named.get(entry.outputHash) ?? []), placed])
  }
  const forget = ({ entries, complaints }: Block): void => {
    allEntries = allEntries.filter((entry) => !entries.includes(entry))
    allComplaints = allComplaints.filter((complaint) => !complaints.includes(complaint))
    for (const entry of entries) {
      const left = (named.get(entry.outputHash) ?? []).filter((known) => known !== entry)
      named.set(entry.outputHash, left)
    }
  }
  const sets = [{ from: 0n, members }]
  const view: SimChain['view'] = (rpc) => {
    const reach = (): Rpc => {
      const state = rpc()
      if (state.down) throw new ChainDown('the provider is down')
      return state
    }
    const submit = async (transaction: Transaction): Promise<void> => {
      if (reach().refuses) throw new Error('the transaction was refused')
      mempool.push(transaction)
    }
    return {
      log: {
        read: async (fromBlock) => {
          const { behind } = reach()
          const seen = blocks.slice(Number(fromBlock), Math.max(2, blocks.length - behind))
          return {
            fromBlock,
            finalized: ref(at(final - behind)),
            latest: ref(at(blocks.length - 1 - behind)),
            entries: seen.flatMap((block) => block.entries),
            complaints: seen.flatMap((block) => block.complaints),
          }
        },
        post: (entry) => submit((block) => addEntry(block, entry)),
        complain: (complaint) => submit((block) => addComplaint(block, complaint)),
      },
      membership: {
        current: async () => setAt(at(final - reach().behind)),
        at: async ({ number, hash, timestamp }) => {
          const { behind } = reach()
          const block = blocks[Number(number)]
          if (block === undefined || Number(number) >= Math.max(2, blocks.length - behind))
            throw new ChainDown('no such block yet')
          if (block.hash !== hash || block.timestamp !== timestamp) return undefined
          if (number === 0n) throw new ChainDown('no state of that block')
          return setAt(block)
        },
      },
    }
  }
  const chain: SimChain = {
    first: ref(makeBlock(0n, startSeconds - BLOCK_SECONDS)),
    stuck: false,
    finalityStalled: false,
    get members() {
      return sets.at(-1)?.members ?? []
    },
    set members(next) {
      // Before anything happened the first set is meant.
      const from = blocks.length === 2 ? 0n : tip().number + 1n
      sets.push({ from, members: next })
    },
    membersAt: (block) => sets.findLast(({ from }) => from <= block)?.members ?? [],
    now: () => tip().timestamp,
    finalTime: () => at(final).timestamp,
    mine: () => {
      addBlock(makeBlock(tip().number + 1n, tip().timestamp + BLOCK_SECONDS))
      if (chain.stuck) return
      const waiting = mempool
      mempool = []
      includeAll(waiting)
    },
    reorg: (count, transactions = 'gone') => {
      forks += 1
      const removed = blocks.splice(Math.max(final + 1, blocks.length - count))
      removed.forEach(forget)
      for (const old of removed) addBlock(makeBlock(old.number, old.timestamp))
      if (transactions === 'gone' || removed.length === 0) return
      const again = removed.flatMap(({ entries, complaints }): Transaction[] => [
        ...entries.map((entry) => (block: Block) => addEntry(block, entry)),
        ...complaints.map((complaint) => (block: Block) => addComplaint(block, complaint)),
      ])
      includeAll(again.reverse())
    },
    entries: () => allEntries,
    entriesNamed: (output) => named.get(output) ?? [],
    complaints: () => allComplaints,
    view,
    ...view(() => HEALTHY_RPC),
  }
  return chain
}
