/**
 * What operators must never contradict, and what a run must have shown to count as passed. No I/O.
 * @module
 */
import type { Hash32 } from '../../sdk/chain/types.ts'
import { KINDS, type Kind } from './plan.ts'

/** What an operator said on `GET /pubkey`. */
export type Sighting = {
  /** Unix milliseconds, when the answer was here. */
  atMs: number
  /** Index. */
  operator: number
  epoch: number
  /** Unix seconds: the key version that it says is in force. */
  version: number
  outputHash: Hash32
  /** Hex. */
  masterPublicKey: string
}

export type Activation = { epoch: number; version: number; outputHash: Hash32 }

export type Ledger = {
  /** @returns What contradicts earlier sightings; empty when nothing does. */
  note: (sighting: Sighting) => string[]
  /** In the order of epochs. */
  activations: () => Activation[]
}

/** One version belongs to one epoch and one output, whoever is asked and whenever; versions only go forward, one master key stays. */
export function createLedger(masterPublicKey: string): Ledger {
  const byEpoch = new Map<number, Activation>()
  const newest = new Map<number, number>()
  return {
    note: (sighting) => {
      const { operator, epoch, version, outputHash, atMs } = sighting
      const who = `operator ${operator + 1}`
      const wrong: string[] = []
      if (sighting.masterPublicKey !== masterPublicKey)
        wrong.push(`${who} tells another master public key in epoch ${epoch}`)
      const known = byEpoch.get(epoch)
      if (known === undefined) byEpoch.set(epoch, { epoch, version, outputHash })
      else if (known.version !== version || known.outputHash !== outputHash)
        wrong.push(
          `${who} tells version ${version} and output ${outputHash} for epoch ${epoch}, which was ${known.version} and ${known.outputHash}`,
        )
      for (const other of byEpoch.values())
        if (other.epoch !== epoch && other.epoch < epoch !== other.version < version)
          wrong.push(
            `${who} tells version ${version} for epoch ${epoch}, but epoch ${other.epoch} has ${other.version}`,
          )
      if (1000 * version > atMs) wrong.push(`${who} serves version ${version} before its time`)
      if (epoch < (newest.get(operator) ?? 0))
        wrong.push(`${who} went back from epoch ${newest.get(operator)} to ${epoch}`)
      newest.set(operator, Math.max(epoch, newest.get(operator) ?? 0))
      return wrong
    },
    activations: () => [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch),
  }
}

export type Failure = {
  /** Unix milliseconds. */
  atMs: number
  what: string
  /** The last log lines of each operator at that time. */
  logs: readonly (readonly string[])[]
}

export type PodProbe = { atMs: number; when: string; granted: number; tookMs: number }

export type RunRecord = {
  seed: number
  operators: number
  threshold: number
  /** Unix milliseconds. */
  startedMs: number
  endedMs: number
  /** A new epoch must be in force at least this often. */
  stallSeconds: number
  faults: Readonly<Record<Kind, number>>
  /** Of the store faults those in which a write failed: others found nothing to write. */
  storesNoticed: number
  /** Kinds that this machine cannot do. */
  impossible: readonly Kind[]
  activations: readonly Activation[]
  sightings: number
  probes: readonly PodProbe[]
  /** Seen while it ran. */
  failures: readonly Failure[]
  /** What stopped it before its time, where something did. */
  cutShort?: string
}

/** @returns Why the run does not count as passed; empty when it does. */
export function judge(run: RunRecord): string[] {
  const reasons = run.failures.map(({ what }) => what)
  if (run.cutShort !== undefined) reasons.push(`cut short: ${run.cutShort}`)
  for (const kind of KINDS)
    if (run.faults[kind] === 0 && !run.impossible.includes(kind))
      reasons.push(`no fault of kind ${kind} was injected: run longer`)
  if (run.faults.store > 0 && run.storesNoticed === 0)
    reasons.push('no write failed in any fault of kind store: run longer')
  if (run.probes.length === 0) reasons.push('no pod was booted')
  if (run.sightings === 0) reasons.push('no operator was heard')
  for (const { when, granted } of run.probes)
    if (granted < run.threshold)
      reasons.push(`only ${granted} of ${run.threshold} operators granted ${when}`)
  const gap = longestGap(run)
  if (gap > run.stallSeconds)
    reasons.push(`no new epoch for ${Math.round(gap)} s, allowed are ${run.stallSeconds} s`)
  return reasons
}

/** @returns Seconds, of the time from start to end. */
export function longestGap({ startedMs, endedMs, activations }: RunRecord): number {
  const times = [startedMs, ...activations.map(({ version }) => 1000 * version), endedMs]
    .filter((atMs) => atMs >= startedMs && atMs <= endedMs)
    .sort((a, b) => a - b)
  return Math.max(0, ...times.slice(1).map((atMs, i) => (atMs - (times[i] ?? atMs)) / 1000))
}
