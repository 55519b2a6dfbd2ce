/** Does to a devnet's processes what a fault says, and undoes it. @module */
import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Devnet } from '../../helper/sim/devnet.ts'
import type { Operator } from '../../helper/sim/operators.ts'
import { callNode } from '../kit/anvil.ts'
import type { Fault } from './plan.ts'

const run = promisify(execFile)
const BETWEEN_REORGS_MS = 1500
const AIM_MS = 20_000
const AIM_EVERY_MS = 50

export type Injected = {
  /** Indexes of operators that cannot be expected to answer. */
  away: readonly number[]
  /** Pods cannot obtain keys meanwhile, whatever operators do. */
  blocksPods: boolean
  lift: () => Promise<Lifted>
}

export type Lifted = {
  /** What there is to tell about it. */
  text: string
  /** Of a failing store: whether its operator met a write that failed. */
  noticed?: boolean
}

/** util-linux: the only way to fail the writes of a process that runs, without root. */
export async function canLimitFiles(): Promise<boolean> {
  return run('prlimit', ['--version']).then(
    () => true,
    () => false,
  )
}

export async function inject(devnet: Devnet, fault: Fault): Promise<Injected> {
  switch (fault.kind) {
    case 'crash': {
      const operator = operatorAt(devnet, fault.operator)
      await operator.crash()
      return { away: [fault.operator], blocksPods: false, lift: () => back(operator) }
    }
    case 'freeze': {
      const { pid } = operatorAt(devnet, fault.operator).program()
      process.kill(pid, 'SIGSTOP')
      return { away: [fault.operator], blocksPods: false, lift: async () => resume(pid) }
    }
    case 'store': {
      const operator = operatorAt(devnet, fault.operator)
      const program = operator.program()
      const before = program.lines().length
      // The soft limit only: the hard one cannot be raised again without root.
      await run('prlimit', ['--pid', `${program.pid}`, `--fsize=${fault.limitBytes}:`])
      const lift = async () => {
        const state = program.isRunning() ? 'still running' : 'had ended by itself'
        const complaint = program
          .lines()
          .slice(before)
          .find((line) => line.includes('STORE_'))
        await operator.crash()
        await back(operator)
        const said =
          complaint === undefined ? 'it had noticed nothing' : `it said: ${shorten(complaint)}`
        return { text: `${state}, ${said}`, noticed: complaint !== undefined }
      }
      return { away: [fault.operator], blocksPods: false, lift }
    }
    case 'reorg':
      return reorganise(devnet.chain.url, fault)
    case 'outage': {
      const { pid } = devnet.chain
      process.kill(pid, 'SIGSTOP')
      return { away: [], blocksPods: true, lift: async () => resume(pid) }
    }
    case 'blackout': {
      const { operators } = devnet
      await Promise.all(operators.map((operator) => operator.crash()))
      const lift = async () => {
        await Promise.all(operators.map(back))
        return { text: '' }
      }
      return { away: operators.map(({ index }) => index), blocksPods: true, lift }
    }
  }
}

type Reorg = Extract<Fault, { kind: 'reorg' }>

async function reorganise(url: string, { depth, times, aimed }: Reorg): Promise<Injected> {
  let dropped = 0
  for (let i = 0; i < times; i++) {
    if (i > 0) await pause(BETWEEN_REORGS_MS)
    if (aimed) await waitForTransaction(url)
    dropped += await countTransactions(url, depth)
    await callNode(url, 'anvil_reorg', [depth, []])
  }
  return {
    away: [],
    blocksPods: false,
    lift: async () => ({ text: `${dropped} transaction(s) were in the replaced blocks` }),
  }
}

/** Or until nothing was sent for long enough: an epoch need not be under way. */
async function waitForTransaction(url: string): Promise<void> {
  const deadline = Date.now() + AIM_MS
  while (Date.now() < deadline && (await countTransactions(url, 1)) === 0) await pause(AIM_EVERY_MS)
}

/** In the newest `depth` blocks. */
async function countTransactions(url: string, depth: number): Promise<number> {
  const head = Number(await callNode(url, 'eth_blockNumber'))
  const counts = await Promise.all(
    Array.from({ length: depth }, (_, i) =>
      callNode(url, 'eth_getBlockTransactionCountByNumber', [`0x${(head - i).toString(16)}`]),
    ),
  )
  return counts.reduce<number>((sum, count) => sum + Number(count), 0)
}

function operatorAt({ operators }: Devnet, index: number): Operator {
  const operator = operators[index]
  if (operator === undefined) throw new RangeError(`there is no operator ${index + 1}`)
  return operator
}

async function back(operator: Operator): Promise<Lifted> {
  await operator.restart()
  return { text: '' }
}

function resume(pid: number): Lifted {
  process.kill(pid, 'SIGCONT')
  return { text: '' }
}

const shorten = (line: string) => (line.length > 300 ? `${line.slice(0, 300)}…` : line)
