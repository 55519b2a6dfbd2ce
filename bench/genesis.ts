/**
 * Genesis with real processes, from the last operator that listens until the key is in force at all
 * of them. The windows for posting, veto and finality are as short as they go: they are waiting, not
 * work, and every operator set chooses its own.
 * @module
 */
import { availableParallelism } from 'node:os'
import { type DevnetProgress, startDevnet } from '../helper/sim/devnet.ts'
import { postWindow } from '../helper/sim/operators.ts'
import { median } from './devnet.ts'
import { SHORTEST } from './epochs.ts'
import type { Row } from './row.ts'

const RUNS = 3

export async function genesisRows(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [operators, budget] of [
    [4, 3],
    [10, 12],
  ] as const) {
    const runs: Run[] = []
    for (let run = 0; run < RUNS; run++) runs.push(await measureGenesis(operators))
    const posted = median(runs.map((run) => run.posted))
    const inForce = median(runs.map((run) => run.inForce))
    const window = postWindow(operators)
    rows.push(
      {
        name: `genesis, ${operators} operator processes, certified key in the log`,
        value: posted,
        unit: 's',
        note: 'seen with half a second of delay at most',
      },
      {
        name: `genesis, ${operators} operator processes, key in force`,
        value: inForce,
        unit: 's',
        budget,
        note: `one block a second; post window ${window} s, no veto window`,
        why:
          `${posted.toFixed(1)} s until the entry is in the log: ${operators} processes that start cold share ${availableParallelism()} cores, ` +
          `and each checks all ${operators} dealings and the candidate. The rest is the post window of ${window} s, full seconds of ` +
          'block timestamps, and the block after it, which ends the window for everybody alike.',
      },
    )
  }
  return rows
}

/** Seconds since the last operator listened. */
type Run = { posted: number; inForce: number }

async function measureGenesis(operators: number): Promise<Run> {
  const at = new Map<DevnetProgress['step'], number>()
  const devnet = await startDevnet({
    operators,
    config: SHORTEST,
    onProgress: ({ step }) => at.set(step, performance.now()),
  })
  await devnet.stop()
  const since = (step: DevnetProgress['step']) =>
    ((at.get(step) ?? Number.NaN) - (at.get('operators') ?? 0)) / 1000
  return { posted: since('posted'), inForce: since('genesis') }
}
