/**
 * What a process remembers of verified TDX material: chains and collateral by their hash, bounded, per set of anchors.
 *
 * Only what does not depend on the clock is remembered, and only once it was verified, so that nobody but holders of an
 * Intel key can fill the lists. Dates are compared by the caller on every use.
 * @module
 */
import { createHash } from 'node:crypto'
import { frame } from '../bytes.ts'
import type { TdxTrustAnchors } from './tdx-anchors.ts'
import type { Check } from './types.ts'

export type Remembered<T> = {
  /**
   * @param build - Verifies, logging every check; what it throws is not remembered.
   * @returns What `build` returned, with its checks on the trace in either case.
   */
  get: (key: string, trace: Check[], build: (trace: Check[]) => T) => T
  /** Never above the limit. */
  size: () => number
}

/** How much of one kind is remembered, for people who watch a process. */
export type RememberedCount = { kind: string; entries: number; limit: number }

/** Last in the map = used last; the first one is dropped when the list is full. */
export function createRemembered<T>(limit: number): Remembered<T> {
  const entries = new Map<string, { value: T; checks: readonly Check[] }>()
  return {
    size: () => entries.size,
    get: (key, trace, build) => {
      const known = entries.get(key)
      if (known !== undefined) {
        entries.delete(key)
        entries.set(key, known)
        trace.push(...known.checks)
        return known.value
      }
      const before = trace.length
      const value = build(trace)
      entries.set(key, { value, checks: trace.slice(before) })
      const [oldest] = entries.keys()
      if (entries.size > limit && oldest !== undefined) entries.delete(oldest)
      return value
    },
  }
}

/** One list of each kind per set of anchors; it is gone with the anchors. */
export function createRememberedPerAnchors<T>(
  limit: number,
): (anchors: TdxTrustAnchors) => Remembered<T> {
  const lists = new WeakMap<TdxTrustAnchors, Remembered<T>>()
  return (anchors) => {
    const known = lists.get(anchors)
    if (known !== undefined) return known
    const created = createRemembered<T>(limit)
    lists.set(anchors, created)
    return created
  }
}

/** One text per list of byte strings. */
export function hashParts(parts: readonly Uint8Array[]): string {
  return createHash('sha256').update(frame(parts, 4)).digest('hex')
}
