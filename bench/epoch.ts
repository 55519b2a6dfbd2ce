/**
 * A whole genesis in one process, over a simulated network and chain: the CPU time of all operators together. Wall time on
 * real processes adds HTTP, the store's fsyncs and the log's windows.
 */
import { activeHash, bootAll, createWorld, runUntil } from '../test/kms/epoch/kit.ts'
import type { Row } from './row.ts'

export async function epochRows(): Promise<Row[]> {
  // The first run pays for compiling the curve code.
  await genesisCpuMs(2)
  const rows: Row[] = []
  for (const n of [4, 10]) {
    rows.push({
      name: `genesis, n = ${n}: CPU of all operators together`,
      value: await genesisCpuMs(n),
      unit: 'ms',
      // Two cores share it: half of this is the least wall time.
      budget: n === 4 ? 6_000 : 24_000,
      note: 'dealing, checking, certificate, activation; no HTTP, no disk',
    })
  }
  return rows
}

async function genesisCpuMs(n: number): Promise<number> {
  const world = createWorld({ seed: n, n })
  await bootAll(world)
  const before = process.cpuUsage()
  const done = () => world.nodes.every((sim) => activeHash(world, sim) !== undefined)
  if (!(await runUntil(world, done, 200))) throw new Error('the genesis did not finish')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
