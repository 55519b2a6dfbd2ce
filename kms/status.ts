/**
 * What an operator tells about itself: `/health`, `/v2/info`, `kms status`. Public facts only.
 * @module
 */
import type { Address, Hash32 } from '../sdk/chain/types.ts'
import type { EpochStatus } from './epoch/driver.ts'
import type { KeyService } from './keys.ts'

const MAX_EXPIRING = 64

/** The part of the operator that changes while it runs; the composition root fills it. */
export type NodeStatus = {
  startedAtMs: number
  /** What the last look at the chain saw, where there was one. */
  chain?: { finalizedBlock: bigint; finalizedAtSeconds: number; seenAtMs: number }
  /** False once shutdown has begun. */
  accepting: boolean
}

/** Something that trust rests on, and the Unix seconds at which it runs out. `kind` and `name` come from code and configuration, never from a request. */
export type Expiry = { kind: string; name: string; expiresAt: number }

export type StatusReport = {
  status: 'ready' | 'waiting'
  /** Why it waits; empty when ready. */
  reasons: string[]
  operator: Address
  chainId: number
  /** Unix seconds at which the key in force was activated, where there is one. */
  keyVersion: number | null
  epoch: number | null
  outputHash: Hash32 | null
  threshold: number | null
  participants: number | null
  shareHeld: boolean
  finality: { block: number; lagSeconds: number; seenSecondsAgo: number } | null
  /** How far the epoch protocol has come: idle, dealing, certifying, … */
  protocol: { phase: string; nextEpoch: number } | null
  /** What runs out within `collateral.warn_days` or has run out, first first. */
  expiring: readonly Expiry[]
  uptimeSeconds: number
}

/** @param nowMs - Unix milliseconds. */
export function reportStatus(
  facts: {
    operator: Address
    chainId: number
    node: NodeStatus
    keys: KeyService
    epoch: EpochStatus | undefined
    expiries?: readonly Expiry[]
    /** Days before its end from which something is told. */
    warnDays?: number
  },
  nowMs: number,
): StatusReport {
  const { node, keys, epoch } = facts
  const key = keys.inForce()
  const shareHeld = keys.active() !== undefined
  const reasons: string[] = []
  if (!node.accepting) reasons.push('the operator is shutting down')
  if (key === undefined) reasons.push('no key version is active yet')
  else if (!shareHeld) reasons.push('this operator holds no share of the key version in force')
  return {
    status: reasons.length === 0 ? 'ready' : 'waiting',
    reasons,
    operator: facts.operator,
    chainId: facts.chainId,
    keyVersion: key?.output.activateAt ?? null,
    epoch: key?.output.epoch ?? null,
    outputHash: key?.hash ?? null,
    threshold: key?.output.threshold ?? null,
    participants: key?.output.members.length ?? null,
    shareHeld,
    finality:
      node.chain === undefined
        ? null
        : {
            block: Number(node.chain.finalizedBlock),
            lagSeconds: Math.max(0, Math.floor(nowMs / 1000) - node.chain.finalizedAtSeconds),
            seenSecondsAgo: Math.max(0, Math.floor((nowMs - node.chain.seenAtMs) / 1000)),
          },
    protocol: epoch === undefined ? null : { phase: epoch.phase, nextEpoch: epoch.nextEpoch },
    expiring: expiringOf(facts.expiries ?? [], facts.warnDays ?? 0, nowMs),
    uptimeSeconds: Math.floor((nowMs - node.startedAtMs) / 1000),
  }
}

function expiringOf(expiries: readonly Expiry[], days: number, nowMs: number): Expiry[] {
  const before = nowMs / 1000 + days * 86_400
  return expiries
    .filter(({ expiresAt }) => expiresAt < before)
    .sort((a, b) => a.expiresAt - b.expiresAt)
    .slice(0, MAX_EXPIRING)
}
