/**
 * What an operator tells about itself: `/health`, `/v2/info`, `kms status`. Public facts only.
 * @module
 */
import type { Address, Hash32 } from '../sdk/chain/types.ts'
import type { EpochStatus } from './epoch/status.ts'
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
  /** Whose dealings made the shares in force. */
  dealers: readonly Address[]
  finality: { block: number; lagSeconds: number; seenSecondsAgo: number } | null
  protocol: ProtocolReport | null
  /** What runs out within `collateral.warn_days` or has run out, first first. */
  expiring: readonly Expiry[]
  uptimeSeconds: number
}

/** How far the epoch protocol has come. */
export type ProtocolReport = {
  /** idle, opening, dealing, certifying, posting or settling. */
  phase: EpochStatus['phase']
  /** The epoch that it works on, or will. */
  nextEpoch: number
  /** Since this operator saw that epoch open; `null` while none is. */
  openSeconds: number | null
  stalled: boolean
  /** Unix seconds from which the next epoch is due; `null` when only a change of members brings one. */
  nextEpochAt: number | null
  /** Unix seconds at which what stands in the log becomes active; `null` when nothing is ahead. */
  nextActivation: number | null
  /** Whose dealings are here, of the newest attempt. */
  dealt: readonly Address[]
  dealingsNeeded: number
  signatures: number
  signaturesNeeded: number
  /** Who is waited for. */
  late: readonly Address[]
  /** Registered operators that have announced a leave. */
  leaving: readonly Address[]
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
    dealers: key?.output.dealings.map(({ dealer }) => dealer) ?? [],
    finality:
      node.chain === undefined
        ? null
        : {
            block: Number(node.chain.finalizedBlock),
            lagSeconds: Math.max(0, Math.floor(nowMs / 1000) - node.chain.finalizedAtSeconds),
            seenSecondsAgo: Math.max(0, Math.floor((nowMs - node.chain.seenAtMs) / 1000)),
          },
    protocol: epoch === undefined ? null : protocolOf(epoch, nowMs),
    expiring: expiringOf(facts.expiries ?? [], facts.warnDays ?? 0, nowMs),
    uptimeSeconds: Math.floor((nowMs - node.startedAtMs) / 1000),
  }
}

function protocolOf(epoch: EpochStatus, nowMs: number): ProtocolReport {
  const { phase, nextEpoch, openedAt, stalled, dealt, dealingsNeeded, signaturesNeeded, late } =
    epoch
  return {
    phase,
    nextEpoch,
    openSeconds: openedAt === undefined ? null : Math.max(0, Math.floor((nowMs - openedAt) / 1000)),
    stalled,
    nextEpochAt: epoch.nextEpochAt ?? null,
    nextActivation: epoch.nextActivation ?? null,
    dealt,
    dealingsNeeded,
    signatures: epoch.signed.length,
    signaturesNeeded,
    late,
    leaving: epoch.leaving,
  }
}

function expiringOf(expiries: readonly Expiry[], days: number, nowMs: number): Expiry[] {
  const before = nowMs / 1000 + days * 86_400
  return expiries
    .filter(({ expiresAt }) => expiresAt < before)
    .sort((a, b) => a.expiresAt - b.expiresAt)
    .slice(0, MAX_EXPIRING)
}
