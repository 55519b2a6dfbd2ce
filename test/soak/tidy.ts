/** What a node may keep when nothing is going on: a thing more with each epoch would be too many in the end. */
import type { SimNode } from '../kms/epoch/world.ts'

/**
 * Looks at a node that is awake and has no session open.
 * @param pool - Operators there may be.
 * @returns What is too much; `undefined` where nothing is.
 */
export function surplusOf({ node, medium, identity }: SimNode, pool: number): string | undefined {
  if (node === undefined || node.status().sessions.length > 0) return undefined
  const { outputs } = node.keyRing()
  /** Bodies that the outputs it keeps name, and their own. */
  const named = outputs.reduce((sum, { output }) => sum + output.dealings.length + 1, 0)
  // Generous: what grows by one with each epoch of a life passes any such line soon.
  const held: [what: string, count: number, most: number][] = [
    // Those of the epoch before, and of one that is posted and not final.
    ['bodies', medium.blobs.size, named + 3 * (pool + 1)],
    // A share of each output, and some encryption keys that they name.
    ['secrets', medium.secrets.size, outputs.length + 12],
    // Of each operator the last two changes by its word, for an hour, and its last conviction.
    ['bytes of a head', medium.head?.length ?? 0, 2000 + 400 * named + 300 * pool],
    ['things in memory', node.remembered(), 12 * pool + 36],
  ]
  const [worst] = held.filter(([, count, most]) => count > most)
  if (worst === undefined) return undefined
  const [what, count, most] = worst
  return `${identity.info.address} keeps ${count} ${what} between epochs, ${most} at most`
}
