/** A devnet whose operators do not limit the one caller that measures them. @module */
import { readFileSync } from 'node:fs'
import { type Devnet, startDevnet } from '../helper/sim/devnet.ts'
import type { Operator } from '../helper/sim/operators.ts'
import type { Row } from './row.ts'

const UNLIMITED = { per_second: 100_000, burst: 100_000, concurrent: 64 }

export async function withBenchDevnet(measure: (devnet: Devnet) => Promise<Row[]>): Promise<Row[]> {
  const devnet = await startDevnet({
    config: { limits: { secrets: UNLIMITED, read: UNLIMITED } },
  })
  try {
    return await measure(devnet)
  } finally {
    await devnet.stop()
  }
}

/** Resident memory in MiB, as Linux counts it. */
export function memoryOf(operator: Operator): number {
  const status = readFileSync(`/proc/${operator.program().pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
