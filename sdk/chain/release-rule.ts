/**
 * Which of the AppUpgraded events in the block of the confirmed release is the confirmed release?
 *
 * AppController stores block numbers, not event positions, so two releases of one block look alike to a reader that
 * only knows the number: a developer could have A confirmed and have B served. The rule, for v1.5:
 * - one event in the block is the release;
 * - of several, it is the last one before the newest UpgradeConfirmed for that block, wherever that was emitted;
 * - without such a confirmation, it is the one in the transaction that created the app, since only creation
 *   confirms by itself;
 * - anything else is ambiguous. v1.4 knows no confirmations, so several events there always are.
 * @module
 */
import {
  APP_UPGRADED_V14_TOPIC,
  APP_UPGRADED_V15_TOPIC,
  UPGRADE_CONFIRMED_TOPIC,
} from './abi/app-controller.ts'
import { type ChainLog, compareLogs } from './wire.ts'

export type ReleaseCandidates = {
  /** All AppUpgraded events of the app in the block, in chain order, of either version. */
  upgrades: readonly ChainLog[]
  /** The newest UpgradeConfirmed of the app that names this block; it may lie in a later one. */
  confirmation: ChainLog | undefined
  /** AppCreated of the app, when it is in this block. */
  creation: ChainLog | undefined
}

/** @returns The confirmed release's event, `none` when there is no event, or `ambiguous`. */
export function selectConfirmedUpgrade(
  candidates: ReleaseCandidates,
): ChainLog | 'none' | 'ambiguous' {
  const { upgrades, confirmation, creation } = candidates
  const [first, ...others] = upgrades
  if (first === undefined) return 'none'
  if (others.length === 0) return first
  if (upgrades.some((log) => log.topics[0] === APP_UPGRADED_V14_TOPIC)) return 'ambiguous'
  if (confirmation !== undefined) {
    const before = upgrades.filter((log) => compareLogs(log, confirmation) < 0)
    return before.at(-1) ?? 'ambiguous'
  }
  if (creation === undefined) return 'ambiguous'
  const created = upgrades.filter((log) => log.transactionHash === creation.transactionHash)
  return created.length === 1 && created[0] !== undefined ? created[0] : 'ambiguous'
}

export function isUpgrade(log: ChainLog): boolean {
  const topic = log.topics[0]
  return topic === APP_UPGRADED_V15_TOPIC || topic === APP_UPGRADED_V14_TOPIC
}

/** Is it UpgradeConfirmed for the pending release of that block? Its one data word is the number. */
export function confirmsBlock(log: ChainLog, number: bigint): boolean {
  return (
    log.topics[0] === UPGRADE_CONFIRMED_TOPIC &&
    /^0x[0-9a-f]{64}$/.test(log.data) &&
    BigInt(log.data) === number
  )
}
