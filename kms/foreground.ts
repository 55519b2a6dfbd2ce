/**
 * Answers to pods before work that can wait: an epoch's arithmetic is cut by `pause()` into pieces of milliseconds, and a decision about a
 * pod returns to the event loop some ten times. Were a piece done each time, the pod would wait for ten of them.
 *
 * So a pause lasts while decisions are under way, up to four times as long as the piece before it took: under full load the epoch gets a
 * fifth of the time, and goes on. And whoever works, there is one piece a turn of the event loop.
 * @module
 */

/** How many times its own length a piece of work gives to decisions that are under way. */
const PATIENCE = 4
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
  let last = Promise.resolve()
  let onQuiet = (): void => undefined

  const quiet = (patienceMs: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs)
      onQuiet = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const wait = async (): Promise<void> => {
    const piece = Math.min(clock() - resumedAt, LONGEST_PIECE_MS)
    // Lets in what has arrived meanwhile.
    await nextTurn()
    if (underWay > 0) await quiet(PATIENCE * piece)
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
