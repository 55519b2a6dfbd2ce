/** Making a failure small: the same kind of failure with fewer faults, in fewer slots. */
import { type LifeReport, live } from './life.ts'
import type { Fault, Plan } from './plan.ts'

/** Nobody waits for the last fault for ever. */
const MAX_MS = 120_000

/** What kind of failure it is: its text without seeds, moments, names and numbers. */
function kindOf(report: LifeReport): string | undefined {
  return report.failure?.message
    .replace(/^seed \d+(, at \d+)?: /, '')
    .replace(/0x[0-9a-f]+/g, '')
    .replace(/\d+/g, '')
}

/**
 * Takes faults out, halves first, as long as it fails in the same way.
 * @param run - How a plan is lived.
 * @returns The small plan's report.
 */
export async function shrink(failed: LifeReport, run = live): Promise<LifeReport> {
  const { plan, failure } = failed
  if (failure === undefined) return failed
  const kind = kindOf(failed)
  const until = Date.now() + MAX_MS
  let best: Plan = {
    ...plan,
    slots: failure.slot + 1,
    faults: plan.faults.filter(({ slot }) => slot <= failure.slot),
  }
  const isEnough = async (smaller: Plan): Promise<boolean> => {
    if (Date.now() > until || kindOf(await run(smaller)) !== kind) return false
    best = smaller
    return true
  }
  // Most failures come from what happened in their own slot.
  const { slot } = failure
  await isEnough(withFaults(best, (fault) => fault.slot === slot))
  for (let size = Math.ceil(best.faults.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1)
    for (let from = 0; from < best.faults.length; ) {
      const left = best.faults.filter((_, i) => i < from || i >= from + size)
      if (!(await isEnough({ ...best, faults: left }))) from += size
    }
  await isEnough(compact(best))
  const detailed = await run(best, true)
  // What fails only sometimes is told as it failed first.
  return detailed.failure === undefined ? failed : detailed
}

function withFaults(plan: Plan, keep: (fault: Fault) => boolean): Plan {
  return { ...plan, faults: plan.faults.filter(keep) }
}

/** Without the slots in which nothing happens, but the first. */
function compact(plan: Plan): Plan {
  const used = [...new Set([0, ...plan.faults.map(({ slot }) => slot)])].sort((a, b) => a - b)
  return {
    ...plan,
    slots: used.length,
    faults: plan.faults.map((fault) => ({ ...fault, slot: used.indexOf(fault.slot) })),
  }
}
