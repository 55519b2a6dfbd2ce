/**
 * Reshares of real operator processes over a real EVM node, from the second in which one is due until
 * its output stands in the log, and until every operator serves it.
 * @module
 */
import { availableParallelism } from 'node:os'
import { startDevnet } from '../helper/sim/devnet.ts'
import { postWindow } from '../helper/sim/operators.ts'
import { median } from './devnet.ts'
import { followReshare, type Reshare, SHORTEST } from './epochs.ts'
import type { Row } from './row.ts'

const RUNS = 5
/** From an activation to the next reshare: long enough for everything to have come to rest. */
const restSeconds = (operators: number) => 5 + operators

export async function reshareRows(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [operators, budget] of [
    [4, 2],
    [10, 10],
  ] as const) {
    const runs = await measureReshares(operators)
    const window = postWindow(operators)
    const cores = availableParallelism()
    const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds))
    const took = (end: 'posted' | 'inForce') =>
      median(runs.map((run) => (run[end] - run.due) / 1000))
    rows.push(
      {
        name: `reshare, ${operators} operator processes, certified output in the log`,
        value: took('posted'),
        unit: 's',
        budget,
        note: `median of ${RUNS}; from the second in which it is due, with the looks at the chain that notice it, to its block`,
        why:
          `${operators} processes, each of which checks all ${operators} dealings and the candidate, take ${cpu.toFixed(1)} s of processor time: ` +
          `${(cpu / cores).toFixed(1)} s on ${cores} cores that have nothing else to do. Up to a second more is the wait for a block.`,
      },
      {
        name: `reshare, ${operators} operator processes: processor time of all of them`,
        value: cpu,
        unit: 's',
        note: 'until the output is in the log; with HTTP, store and looks at the chain',
      },
      {
        name: `reshare, ${operators} operator processes, in force at all of them`,
        value: took('inForce'),
        unit: 's',
        note: `one block a second; post window ${window} s, no veto window`,
      },
      {
        name: `reshare, ${operators} operator processes: transactions an epoch`,
        value: Math.max(...runs.map(({ transactions }) => transactions)),
        unit: 'transactions',
        budget: 1,
        note: `the most of ${RUNS}`,
        why: 'Another operator posts when the first one’s entry was not in a block after some seconds.',
      },
    )
  }
  return rows
}

async function measureReshares(operators: number): Promise<Reshare[]> {
  const reshareSeconds = restSeconds(operators)
  const devnet = await startDevnet({
    operators,
    config: { ...SHORTEST, epoch: { ...SHORTEST.epoch, reshare_seconds: reshareSeconds } },
  })
  try {
    const runs: Reshare[] = []
    while (runs.length < RUNS) runs.push(await followReshare(devnet, reshareSeconds))
    return runs
  } finally {
    await devnet.stop()
  }
}
