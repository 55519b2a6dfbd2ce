/** Follows the epochs of a running devnet from outside: when the next one is due, posted, and in force everywhere. @module */
import { setTimeout as pause } from 'node:timers/promises'
import type { Devnet } from '../helper/sim/devnet.ts'
import type { Operator } from '../helper/sim/operators.ts'
import { epochSetId, readLogEntries } from '../sdk/chain/epoch-log.ts'
import { createChainReader } from '../sdk/chain/reader.ts'
import type { LogEntry } from '../sdk/protocol/types.ts'
import { cpuSecondsOf } from './devnet.ts'

/** Waiting that every operator set chooses for itself, as short as it goes. */
export const SHORTEST = {
  chain: { finality: 'latest' },
  epoch: { veto_seconds: 0, activation_delay_seconds: 0 },
} as const

const LOOK_MS = 100
const MAX_EPOCH_MS = 180_000

/** Unix milliseconds. */
export type Reshare = {
  epoch: number
  /** The second in which it was due, by the protocol's own rule. */
  due: number
  /** Its output stands in a block of the chain. */
  posted: number
  /** The last operator serves it. */
  inForce: number
  /** Processor time of all operators from due to posted. */
  cpuSeconds: number
  /** How many the operators sent to the log, whatever became of them. */
  transactions: number
}

/**
 * The reshare after the one that is in force now, to its end.
 * @param reshareSeconds - As in the operators' configuration.
 * @throws Error when it does not come.
 */
export async function followReshare(devnet: Devnet, reshareSeconds: number): Promise<Reshare> {
  const { chain, contracts, operators } = devnet
  const last = await newestOf(operators)
  const due = 1000 * (last.activateAt + reshareSeconds)
  const epoch = last.epoch + 1
  if (Date.now() > due) throw new Error(`epoch ${epoch} was due before anybody looked`)
  const reader = createChainReader({
    rpcUrls: [chain.url],
    quorum: 1,
    chainId: contracts.chainId,
    finality: 'latest',
    timeoutMs: 5000,
  })
  const { epochLog, avs, operatorSetId } = contracts
  const source = { epochLog, set: epochSetId(avs, operatorSetId) }
  const { number: from } = await reader.latestBlock()
  const isThere = (entries: readonly LogEntry[]) => entries.some((entry) => entry.epoch >= epoch)
  try {
    await pause(Math.max(0, due - Date.now()))
    const before = cpuOf(operators)
    const deadline = Date.now() + MAX_EPOCH_MS
    const until = async (what: string, isDone: () => Promise<boolean>) => {
      while (!(await isDone())) {
        if (Date.now() > deadline) throw new Error(`epoch ${epoch} was not ${what} in time`)
        await pause(LOOK_MS)
      }
      return Date.now()
    }
    const posted = await until('posted', async () =>
      isThere((await readLogEntries(reader, source, from)).entries),
    )
    const cpuSeconds = cpuOf(operators) - before
    const inForce = await until('in force', async () =>
      (await Promise.all(operators.map(keyOf))).every((key) => key.epoch >= epoch),
    )
    const { number: to } = await reader.latestBlock()
    const transactions = await countTransactions(chain.url, epochLog, from + 1n, to)
    return { epoch, due, posted, inForce, cpuSeconds, transactions }
  } finally {
    reader.close()
  }
}

function cpuOf(operators: readonly Operator[]): number {
  return operators.reduce((sum, operator) => sum + cpuSecondsOf(operator), 0)
}

/** In blocks of this range, bounds included. */
async function countTransactions(
  url: string,
  receiver: string,
  from: bigint,
  to: bigint,
): Promise<number> {
  const blocks = Array.from({ length: Number(to - from) + 1 }, (_, i) => from + BigInt(i))
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(
      blocks.map((block, id) => ({
        jsonrpc: '2.0',
        id,
        method: 'eth_getBlockByNumber',
        params: [`0x${block.toString(16)}`, true],
      })),
    ),
  })
  const answers: { result: { transactions: { to: string | null }[] } }[] = await response.json()
  return answers
    .flatMap(({ result }) => result.transactions)
    .filter((sent) => sent.to?.toLowerCase() === receiver.toLowerCase()).length
}

type Key = { epoch: number; activateAt: number }

async function keyOf({ url }: Operator): Promise<Key> {
  const answer: { epoch: number | null; keyVersion: number | null } = await (
    await fetch(`${url}/health`)
  ).json()
  return { epoch: answer.epoch ?? -1, activateAt: answer.keyVersion ?? 0 }
}

async function newestOf(operators: readonly Operator[]): Promise<Key> {
  const keys = await Promise.all(operators.map(keyOf))
  return keys.reduce((best, key) => (key.epoch > best.epoch ? key : best))
}
