/**
 * Which changes of an operator set do not wait until an epoch is due anyway (docs/protocol.md, Epochs).
 *
 * A member may lose its key, join or go at any time, and then the others make an epoch at once. But a new key and a leave cost their operator a
 * signature and all others an epoch. So each operator's count once an hour: what it changed by its word alone is remembered with the log,
 * and everybody who has read the same log judges the next proposal alike.
 * @module
 */
import { equalBytes } from '../bytes.ts'
import type { Address } from '../chain/types.ts'
import { isAbsent } from './terms.ts'
import type { Terms } from './types.ts'

/** How long an operator that changed something by its word waits for the next epoch that is due. */
export const CHANGE_SECONDS = 3_600

/**
 * Operators with the times (Unix seconds, of a block) of the entries that took up their new key or their leave, oldest first, of the last
 * hour. Of each the last two: no more than the last entry can be voided.
 */
export type Changes = readonly (readonly [operator: Address, at: number])[]

/** How many of each operator are kept. */
const KEPT = 2

type Config = Pick<Terms, 'members' | 'leaves'>

const keysOf = ({ members }: Config): ReadonlyMap<Address, Uint8Array> =>
  new Map(members.map(({ address, encryptionKey }) => [address, encryptionKey]))

/**
 * @param at - Timestamp of the entry's block.
 * @returns The changes once an output follows another.
 */
export function changesAfter(
  changes: Changes,
  before: Config,
  output: Config,
  at: number,
): Changes {
  const keys = keysOf(output)
  const leaving = new Set(output.leaves.map(({ operator }) => operator))
  const byWord = before.members.filter((member) => {
    const key = keys.get(member.address)
    return key === undefined
      ? leaving.has(member.address)
      : !isAbsent(member) && !equalBytes(key, member.encryptionKey)
  })
  const all: Changes = [
    ...changes.filter(([, since]) => at < since + CHANGE_SECONDS),
    ...byWord.map(({ address }) => [address, at] as const),
  ]
  return all.filter(
    ([operator], i) => all.slice(i).filter(([other]) => other === operator).length <= KEPT,
  )
}

/** The changes without those of an entry that was voided. @param at - As above. */
export function changesWithout(changes: Changes, at: number): Changes {
  return changes.filter(([, since]) => since !== at)
}

/**
 * Whether members or keys change in a way that does not wait.
 * @param before - Of the last output.
 * @param seconds - The chain's time.
 */
export function isUrgent(
  changes: Changes,
  before: Config,
  coming: Config,
  seconds: number,
): boolean {
  const hasRested = (address: Address) =>
    changes.every(([operator, at]) => operator !== address || seconds >= at + CHANGE_SECONDS)
  const keys = keysOf(before)
  const stays = new Set(coming.members.map(({ address }) => address))
  const leaving = new Set(coming.leaves.map(({ operator }) => operator))
  return (
    before.members.some(
      ({ address }) => !stays.has(address) && (!leaving.has(address) || hasRested(address)),
    ) ||
    coming.members.some((member) => {
      const key = keys.get(member.address)
      // New to the set, or back from a leave.
      if (key === undefined) return hasRested(member.address)
      if (isAbsent(member) || equalBytes(key, member.encryptionKey)) return false
      return isAbsent({ encryptionKey: key }) || hasRested(member.address)
    })
  )
}
