/**
 * Which faults come in which order: a pure function of the seed. The protocol's own timing is real, so a seed repeats
 * the faults, not the run.
 * @module
 */
import { createRandom, type Random } from '../fuzz/mutate.ts'

export const KINDS = ['crash', 'freeze', 'store', 'reorg', 'outage', 'blackout'] as const
export type Kind = (typeof KINDS)[number]

type Timing = {
  /** Quiet time before it, so that faults meet every phase of an epoch. */
  restMs: number
  /** Until it is lifted. */
  lastsMs: number
}

export type Fault = Timing &
  (
    | { kind: 'crash' | 'freeze'; operator: number }
    /** No file of this operator can grow beyond so many bytes: writes fail, some of them half way. */
    | { kind: 'store'; operator: number; limitBytes: number }
    /** The newest blocks are replaced by empty ones, several times. Aimed: each time once the newest has a transaction, an operator's post. */
    | { kind: 'reorg'; depth: number; times: number; aimed: boolean }
    /** The chain's node hangs. */
    | { kind: 'outage' }
    /** Every operator is killed. */
    | { kind: 'blackout' }
  )

const PAGE_BYTES = 4096
/** Finality lies two blocks behind the head of a development node. */
const MAX_DEPTH = 2

/**
 * Endless. Each round has every kind once, in an order of its own.
 * @param operators - How many there are; a fault's `operator` is an index.
 * @param periodSeconds - Between two reshares: rests and faults are up to about as long.
 */
export function* planFaults(
  seed: number,
  operators: number,
  periodSeconds: number,
): Generator<Fault, never> {
  const random = createRandom(seed)
  for (;;) {
    const kinds: Kind[] = [...KINDS]
    while (kinds.length > 0) {
      const [kind] = kinds.splice(random(kinds.length), 1)
      if (kind !== undefined) yield drawFault(kind, random, operators, 1000 * periodSeconds)
    }
  }
}

function drawFault(kind: Kind, random: Random, operators: number, periodMs: number): Fault {
  const restMs = random(periodMs)
  const between = (low: number, high: number) => low + random(high - low + 1)
  switch (kind) {
    case 'crash':
      return { kind, restMs, lastsMs: random(periodMs), operator: random(operators) }
    case 'freeze':
      return { kind, restMs, lastsMs: 1000 + random(periodMs), operator: random(operators) }
    case 'store': {
      const limitBytes = PAGE_BYTES * random(48) + random(PAGE_BYTES)
      return { kind, restMs, lastsMs: periodMs, operator: random(operators), limitBytes }
    }
    case 'reorg': {
      const aimed = random(2) === 0
      const times = between(1, 4)
      return { kind, restMs, lastsMs: 0, depth: between(1, MAX_DEPTH), times, aimed }
    }
    case 'outage':
      return { kind, restMs, lastsMs: between(2000, 6000) }
    case 'blackout':
      return { kind, restMs, lastsMs: random(3000) }
  }
}

/** For the report: what is done to whom. */
export function describeFault(fault: Fault): string {
  const forSeconds = `for ${(fault.lastsMs / 1000).toFixed(1)} s`
  switch (fault.kind) {
    case 'crash':
      return `crash     operator ${fault.operator + 1} killed, away ${forSeconds}`
    case 'freeze':
      return `freeze    operator ${fault.operator + 1} stopped ${forSeconds}`
    case 'store':
      return `store     operator ${fault.operator + 1} cannot write beyond ${fault.limitBytes} bytes of a file ${forSeconds}`
    case 'reorg':
      return `reorg     ${fault.depth} block(s) replaced, ${fault.times} time(s)${fault.aimed ? ', each with a transaction in it' : ''}`
    case 'outage':
      return `outage    the chain's node hangs ${forSeconds}`
    case 'blackout':
      return `blackout  every operator killed, away ${forSeconds}`
  }
}
