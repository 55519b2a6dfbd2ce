/**
 * A map of bounded size that forgets what was unused the longest.
 * @module
 */
export type Lru<V> = {
  get(key: string): V | undefined
  set(key: string, value: V): void
  deleteWhere(matches: (value: V) => boolean): void
}

export function createLru<V>(maxEntries: number): Lru<V> {
  // A Map iterates in the order of insertion, so its first key is the oldest.
  const entries = new Map<string, V>()
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries) break
        entries.delete(oldest)
      }
    },
    deleteWhere(matches) {
      for (const [key, value] of entries) if (matches(value)) entries.delete(key)
    },
  }
}
