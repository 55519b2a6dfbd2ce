/** What a devnet must undo at its end, in reverse order. @module */

/** Last added, first run; every task runs even when another one fails. */
export type Cleanup = {
  add: (task: () => Promise<void>) => void
  /** Once, however often it is called. @throws The first failure, after all tasks ran. */
  run: () => Promise<void>
}

export function createCleanup(): Cleanup {
  const tasks: (() => Promise<void>)[] = []
  let running: Promise<void> | undefined
  const runAll = async () => {
    const failures: unknown[] = []
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop())
      await task().catch((error) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
  return {
    add: (task) => void tasks.push(task),
    run: () => {
      running ??= runAll()
      return running
    },
  }
}

/**
 * As `Promise.all`, but fails only after everything has settled: whatever was started has told the
 * cleanup by then.
 */
export async function settleAll<const T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}
