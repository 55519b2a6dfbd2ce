/** What happened in a life, told in few lines: for a failure only, and of the last slots only. */
import type { World } from '../kms/epoch/world.ts'

export type Trace = {
  begin(slot: number): void
  note(text: string): void
  /** Takes up what changed since the last look. */
  look(): void
  lines(): readonly string[]
}

/** Says only that a network is bad. */
const NOISE: readonly string[] = ['message not taken', 'message refused by peer']

/** Slots whose lines are kept. */
const KEPT_SLOTS = 2

/** @param told - Counts reports by event. */
export function createTrace(world: World, told: Map<string, number>, isDetailed: boolean): Trace {
  let slots: string[][] = [[]]
  const phases = new Map<number, string>()
  const note = (text: string): void => {
    const seconds = world.clock / 1000 - 1_800_000_000
    slots.at(-1)?.push(`${seconds.toFixed(1).padStart(9)}  ${text}`)
  }
  const nameOf = (address: string): string =>
    `node ${world.nodes.findIndex((sim) => sim.identity.info.address === address)}`
  const lookAtNodes = (): void => {
    for (const [i, { node }] of world.nodes.entries()) {
      const status = node?.status()
      const phase =
        status === undefined ? 'down' : `epoch ${status.epoch ?? 'none'}, ${status.phase}`
      if (phases.get(i) !== phase) note(`node ${i}: ${phase}`)
      phases.set(i, phase)
    }
  }
  return {
    note,
    begin: (slot) => {
      slots = [...slots.slice(-KEPT_SLOTS), []]
      note(`slot ${slot}`)
    },
    look: () => {
      for (const { node, level, event, epoch, detail } of world.reports.splice(0)) {
        told.set(event, (told.get(event) ?? 0) + 1)
        if ((level !== 'debug' || isDetailed) && !NOISE.includes(event))
          note(`${nameOf(node)}: ${event} ${epoch ?? ''} ${JSON.stringify(detail ?? {})}`)
      }
      lookAtNodes()
    },
    lines: () => slots.flat(),
  }
}
