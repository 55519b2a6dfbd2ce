/**
 * What will go wrong in one simulated life, as data: the same seed gives the same plan, and a plan with faults taken out is a plan again,
 * which is how a failure gets small.
 *
 * A life is a row of slots. In a slot its faults begin and end, and then everybody must come to the newest output: one
 * epoch or more. What may happen together follows from what the protocol promises:
 *
 *   calm    nothing, but members may come and go and disks may be lost
 *   chaos   any number of members at once: crashes, partitions, full disks, bad clocks, a chain that reorganises or stands still
 *   lies    up to n - t members lie, are away or have lost their shares, over a moderately bad network
 *
 * A slot of lies is followed by one without chaos: a bad share must be found within the veto window.
 */

import { fromUintBE } from '../../sdk/bytes.ts'
import { LIE_NAMES, type LieName } from '../kms/epoch/lies.ts'
import { seededRng } from '../kms/epoch/sim-ports.ts'

export const CHAOS_KINDS = [
  'messages lost',
  'messages slow and overtaking',
  'messages repeated',
  'partition',
  'one-way link loss',
  'reorganisation',
  'transactions stuck',
  'finality stalled',
  'crash at a point',
  'crash of all at one point',
  'off for a while',
  'rolling restart',
  'hung peer',
  'provider behind',
  'provider down',
  'transactions refused',
  'disk full',
  'clock off',
  'clock stopped',
] as const
export const LOSS_KINDS = [
  'disk lost',
  'disk damaged',
  'only keys kept',
  'old disk copy',
  'away for slots',
] as const
export const MEMBER_KINDS = [
  'join',
  'join of two',
  'announced leave',
  'deregistration',
  'replacement',
  'new socket',
] as const

export type ChaosKind = (typeof CHAOS_KINDS)[number]
export type LossKind = (typeof LOSS_KINDS)[number]
export type MemberKind = (typeof MEMBER_KINDS)[number]
export type FaultKind = ChaosKind | LossKind | MemberKind | LieName

export type Fault = {
  slot: number
  kind: FaultKind
  /** Virtual seconds from the slot's start to the fault's, and how long it lasts. */
  after: number
  span: number
  /** Which node, how much: read modulo what there is. */
  who: number
  amount: number
  /** As one of these slots; decides what else may happen. */
  mode: 'calm' | 'chaos' | 'lies'
}

export type Plan = {
  seed: number
  /** Members at genesis, and operators in all. */
  n: number
  pool: number
  slots: number
  /** Blocks that are not final. */
  depth: number
  graceSeconds: number
  keyRotationSeconds: number
  faults: readonly Fault[]
}

/** Most lives are small: what depends on n shows there, and a large set costs its square. */
const SIZES: readonly number[] = [1, 2, 2, ...Array(12).fill(3), ...Array(10).fill(4), 5, 5, 6, 7]
const LARGE = { n: 10, chance: 0.01 }

type Dice = { below(limit: number): number; chance(p: number): boolean }

function diceOf(seed: number): Dice {
  const rng = seededRng(seed, 'plan')
  const below = (limit: number) => Number(fromUintBE(rng(6)) % BigInt(limit))
  return { below, chance: (p) => below(1_000_000) < p * 1_000_000 }
}

/** @param slots - About as many epochs; a life of chaos has some more. */
export function planOf(seed: number, slots: number): Plan {
  const dice = diceOf(seed)
  const pick = <T>(items: readonly T[]): T => items[dice.below(items.length)] as T
  const n = dice.chance(LARGE.chance) ? LARGE.n : pick(SIZES)
  const faults: Fault[] = []
  let mode = 'calm' as Fault['mode']
  for (let slot = 0; slot < slots; slot++) {
    const wish = pick(['calm', 'chaos', 'chaos', 'lies', 'lies'] as const)
    mode = wish === 'chaos' && mode === 'lies' ? 'calm' : wish
    const make = (kind: FaultKind): Fault => ({
      slot,
      kind,
      mode,
      after: dice.chance(0.6) ? dice.below(8) : dice.below(30),
      span: 1 + dice.below(dice.chance(0.85) ? 12 : 80),
      who: dice.below(1000),
      amount: dice.below(1000),
    })
    if (mode === 'chaos')
      for (let i = dice.below(4); i >= 0; i--) faults.push(make(pick(CHAOS_KINDS)))
    if (mode === 'lies')
      for (let i = dice.below(3); i >= 0; i--)
        faults.push(make(dice.chance(0.7) ? pick(LIE_NAMES) : pick(CHAOS_KINDS)))
    if (dice.chance(0.15)) faults.push(make(pick(LOSS_KINDS)))
    if (dice.chance(0.15)) faults.push(make(pick(MEMBER_KINDS)))
  }
  return {
    seed,
    n,
    pool: n + 3,
    slots,
    depth: pick([1, 2, 2, 5]),
    graceSeconds: pick([10, 40]),
    keyRotationSeconds: pick([0, 0, 200]),
    faults,
  }
}

export function isLoss(fault: Fault): fault is Fault & { kind: LossKind } {
  return LOSS_KINDS.some((kind) => kind === fault.kind)
}

export function isMemberChange(fault: Fault): fault is Fault & { kind: MemberKind } {
  return MEMBER_KINDS.some((kind) => kind === fault.kind)
}
