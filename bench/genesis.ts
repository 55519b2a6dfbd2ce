/**
 * Genesis with real processes, from the last operator that listens until the key is in force at all
 * of them. The windows for posting, veto and finality are as short as they go: they are waiting, not
 * work, and every operator set chooses its own.
 * @module
 */
import { type DevnetProgress, startDevnet } from '../helper/sim/devnet.ts'
import { postWindow } from '../helper/sim/operators.ts'
import { median } from './devnet.ts'
import type { Row } from './row.ts'

const SHORTEST = {
  chain: { finality: 'latest' },
  epoch: { veto_seconds: 0, activation_delay_seconds: 0, poll_ms: 100 },
}
const RUNS = 3

export async function genesisRows(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [operators, budget] of [
    [4, 3],
    [10, 12],
  ] as const) {
    const seconds: number[] = []
    for (let run = 0; run < RUNS; run++) seconds.push(await measureGenesis(operators))
    rows.push({
      name: `genesis, ${operators} operator processes`,
      value: median(seconds),
      unit: 's',
      budget,
      note: `one block a second; post window ${postWindow(operators)} s, no veto window`,
    })
  }
  return rows
}

async function measureGenesis(operators: number): Promise<number> {
  const at = new Map<DevnetProgress['step'], number>()
  const devnet = await startDevnet({
    operators,
    config: SHORTEST,
    onProgress: ({ step }) => at.set(step, performance.now()),
  })
  await devnet.stop()
  return ((at.get('genesis') ?? Number.NaN) - (at.get('operators') ?? 0)) / 1000
}
