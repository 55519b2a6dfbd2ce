/** A devnet whose operators do not limit the one caller that measures them. @module */
import { readFileSync } from 'node:fs'
import { type Devnet, startDevnet } from '../helper/sim/devnet.ts'
import type { Operator } from '../helper/sim/operators.ts'
import type { Row } from './row.ts'

export const UNLIMITED = { per_second: 100_000, burst: 100_000, concurrent: 64 }

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

/** Processor time since its start, as Linux counts it, in hundredths of a second. */
export function cpuSecondsOf(operator: Operator): number {
  const status = readFileSync(`/proc/${operator.program().pid}/stat`, 'utf8')
  // Behind the program's name, which is in brackets: user time is the twelfth field, system time the thirteenth.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
