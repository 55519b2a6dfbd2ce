/**
 * Many reads, few at once. How many there are is in the hands of whoever posts to a public contract, and a provider
 * that has too many callers waiting turns the next ones away.
 * @module
 */

/** Reads under way at once; a provider is asked no more than that anyway. */
const WIDTH = 32

/** @returns The results in the order of the items. Rejects with the first failure, after which nothing new begins. */
export async function mapBounded<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  width = WIDTH,
): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  let failed = false
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed) return
      try {
        results[index] = await work(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  return results
}
