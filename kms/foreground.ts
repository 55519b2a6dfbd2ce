/**
 * Answers to pods before work that can wait: an epoch's arithmetic is cut by `pause()` into pieces of milliseconds, and a decision about a
 * pod returns to the event loop some ten times. Were a piece done each time, the pod would wait for ten of them.
 *
 * So a pause lasts while decisions are under way. Each piece of work lends them four times its own length, which they may use at once or
 * later: now and then a decision is not disturbed at all, and under full load the epoch still gets a fifth of the time, and goes on. And
 * whoever works, there is one piece a turn of the event loop.
 * @module
 */

/** How many times its own length a piece of work gives to decisions. */
const PATIENCE = 4
/** What they may use at once, when they needed nothing for long: some decisions one after the other. */
const MOST_PATIENCE_MS = 200
/** Most of what passed between two pauses farther apart was waiting, not a piece of work. */
const LONGEST_PIECE_MS = 50

export type Foreground = {
  /** Work that others make way for. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Between two pieces of the others. */
  pause(): Promise<void>
}

/** @param clock - Monotonic milliseconds. */
export function createForeground(clock: () => number): Foreground {
  let underWay = 0
  let resumedAt = clock()
  let patienceMs = MOST_PATIENCE_MS
  let last = Promise.resolve()
  let onQuiet = (): void => undefined

  const quiet = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs)
      onQuiet = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const wait = async (): Promise<void> => {
    const piece = Math.min(clock() - resumedAt, LONGEST_PIECE_MS)
    patienceMs = Math.min(patienceMs + PATIENCE * piece, MOST_PATIENCE_MS)
    // Lets in what has arrived meanwhile, and out the answer that was waited for.
    await nextTurn()
    while (underWay > 0 && patienceMs > 0) {
      const before = clock()
      await quiet()
      patienceMs = Math.max(0, patienceMs - (clock() - before))
      await nextTurn()
    }
    resumedAt = clock()
  }
  return {
    run: async (work) => {
      underWay++
      try {
        return await work()
      } finally {
        underWay--
        if (underWay === 0) onQuiet()
      }
    },
    pause: () => {
      // One after the other: the pieces of two tasks must not fall into one turn.
      last = last.then(wait)
      return last
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
