/** One thread of the soak: lives the lives that it is told, and makes failures small. */
import { parentPort } from 'node:worker_threads'
import { type LifeReport, live } from './life.ts'
import { type Plan, planOf } from './plan.ts'
import { shrink } from './shrink.ts'

export type Task = { seed: number; slots: number } | { plan: Plan }
/** `small` is there when the life failed. */
export type Answer = { report: LifeReport; small: LifeReport | undefined }

parentPort?.on('message', (task: Task) => {
  // Time is simulated: when nothing is left to do the life will never go on, and the thread ends instead of waiting for it.
  parentPort?.unref()
  void answer(task).finally(() => parentPort?.ref())
})

async function answer(task: Task): Promise<void> {
  const plan = 'plan' in task ? task.plan : planOf(task.seed, task.slots)
  const report = await live(plan)
  const small = report.failure === undefined ? undefined : await shrink(report)
  parentPort?.postMessage({ report, small } satisfies Answer)
}
