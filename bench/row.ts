/** One line of the benchmark table. */
export type Row = {
  name: string
  value: number
  unit: string
  /** Largest value that still passes. */
  budget?: number
  note?: string
  /** What the time goes into; printed where the budget is missed. */
  why?: string
}

/** The median of `runs` timed calls after `warmups` untimed ones, in milliseconds. */
export function measureMs(run: () => unknown, { runs = 20, warmups = 5 } = {}): number {
  for (let i = 0; i < warmups; i++) run()
  const times = Array.from({ length: runs }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  }).sort((a, b) => a - b)
  return times[runs >> 1] ?? Number.NaN
}
