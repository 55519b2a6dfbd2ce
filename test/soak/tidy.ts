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
  const held: [what: string, count: number, most: number][] = [
    // Some of an epoch that is just over.
    ['bodies', medium.blobs.size, named + 2 * pool],
    // A share of each output, and some encryption keys that they name.
    ['secrets', medium.secrets.size, outputs.length + 8],
    // Of each operator the last two changes by its word, for an hour, and its last conviction.
    ['bytes of a head', medium.head?.length ?? 0, 1200 + 300 * named + 200 * pool],
    ['things in memory', node.remembered(), 8 * pool + 24],
  ]
  const [worst] = held.filter(([, count, most]) => count > most)
  if (worst === undefined) return undefined
  const [what, count, most] = worst
  return `${identity.info.address} keeps ${count} ${what} between epochs, ${most} at most`
}
