/** A crash at every place that matters, and disks with no space left: the others go on, and who comes back is one of them again. */
import { describe, expect, it } from 'vitest'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { boot, kill, nodeAt, reviver, runUntil } from './kit.ts'
import { epochOf, establish, goOn, newest, pass } from './scenario-kit.ts'
import type { Moment, SimNode } from './world.ts'

const hasSecret = (sim: SimNode, kind: string): boolean =>
  [...sim.medium.secrets.values()].some(({ name }) => name.kind === kind)
const isOpen = (sim: SimNode): boolean => (sim.node?.status().sessions.length ?? 0) > 0

/** The so many-th message of this kind is not sent any more. */
function atPush(kind: ReturnType<typeof messageKind>, count: number): SimNode['crashAt'] {
  let sent = 0
  return (moment) => {
    if (moment.at === 'push' && messageKind(moment.message) === kind) sent += 1
    return sent >= count
  }
}

/** One member of three, each in turn, crashes at the place and is back two seconds later. */
async function everyMemberCrashes(
  seed: number,
  place: (sim: SimNode) => (moment: Moment) => boolean,
): Promise<void> {
  const { world, sealed } = await establish({ seed, n: 3 })
  for (const sim of world.nodes) {
    sim.crashAt = place(sim)
    expect(await runUntil(world, () => sim.node === undefined, 200)).toBe(true)
    await goOn(world, sealed, { between: reviver(world) })
  }
}

describe('a member crashes and comes back', () => {
  it('scenario 1: before it deals', async () => {
    await everyMemberCrashes(
      1001,
      (sim) => (moment) =>
        moment.at === 'commit' &&
        moment.when === 'before' &&
        isOpen(sim) &&
        !hasSecret(sim, 'dealer-seed'),
    )
  })

  it('scenario 2: with its seed on the disk and nothing sent', async () => {
    await everyMemberCrashes(
      1002,
      (sim) => (moment) =>
        moment.at === 'commit' && moment.when === 'after' && hasSecret(sim, 'dealer-seed'),
    )
  })

  it('scenario 3: after half of its dealings were sent', async () => {
    await everyMemberCrashes(1003, () => atPush('dealing', 2) ?? (() => false))
  })

  it('scenario 4: after its acknowledgements, before it signs', async () => {
    await everyMemberCrashes(1004, () => {
      const acknowledged = atPush('acks', 3)
      let seen = false
      return (moment) => {
        seen ||= acknowledged?.(moment) === true
        return seen && moment.at === 'commit' && moment.when === 'before'
      }
    })
  })

  it('scenario 5: after it signed, and until the entry is in the log', async () => {
    const { world, sealed } = await establish({ seed: 1005, n: 3 })
    for (const sim of world.nodes) {
      const entries = world.chain.entries().length
      sim.crashAt = atPush('signature', 2)
      expect(await runUntil(world, () => sim.node === undefined, 100)).toBe(true)
      expect(await runUntil(world, () => world.chain.entries().length > entries, 100)).toBe(true)
      await boot(world, sim)
      await goOn(world, sealed)
    }
  })

  it('scenario 6: between the final entry and its activation', async () => {
    const { world, sealed } = await establish({ seed: 1006, n: 3 })
    for (const sim of world.nodes) {
      const open = sim.node?.status().nextEpoch ?? 0
      const isFinal = () => (sim.node?.status().nextEpoch ?? 0) > open
      expect(await runUntil(world, isFinal, 200)).toBe(true)
      expect(epochOf(world, sim)).toBeLessThan(open)
      kill(sim)
      const others = world.nodes.filter((other) => other !== sim)
      const active = () => others.every((other) => epochOf(world, other) >= open)
      expect(await runUntil(world, active, 100)).toBe(true)
      await boot(world, sim)
      // It has looked at the chain once, and serves.
      await runUntil(world, () => false, 1)
      expect(epochOf(world, sim)).toBe(epochOf(world, others[0] as SimNode))
      await goOn(world, sealed)
    }
  })

  it('scenario 7: between activation and erasure, which it makes up for at its start', async () => {
    const { world, sealed } = await establish({ seed: 1007, n: 3, options: { graceSeconds: 15 } })
    const sim = nodeAt(world, 1)
    await goOn(world, sealed)
    const before = newest(world).output.epoch
    kill(sim)
    const sharesOf = () =>
      [...sim.medium.secrets.values()].flatMap(({ name }) =>
        name.kind === 'share' ? [name.epoch] : [],
      )
    expect(sharesOf()).toContain(before - 1)
    await pass(world, 60)
    await boot(world, sim)
    await runUntil(world, () => false, 2)
    expect(sharesOf()).not.toContain(before - 1)
    await goOn(world, sealed)
  })
})

describe('scenario 8: no space on the disk', () => {
  it('at any commit of an epoch stops the member loudly; with space it goes on where it was', async () => {
    const { world, sealed } = await establish({ seed: 1008, n: 3 })
    const sim = nodeAt(world, 0)
    const stops = () => world.reports.filter(({ event }) => event.startsWith('stopped')).length
    let points = 0
    for (; ; points++) {
      const before = stops()
      sim.diskSpace = points
      const { epoch } = newest(world).output
      const over = () => sim.node === undefined || newest(world).output.epoch > epoch
      expect(await runUntil(world, over, 300)).toBe(true)
      const survived = sim.node !== undefined
      sim.diskSpace = Number.POSITIVE_INFINITY
      if (survived) break
      expect(stops()).toBe(before + 1)
      await boot(world, sim)
      await goOn(world, sealed)
    }
    // Log steps, seed, dealing, checks, acknowledgements, candidate, share, signature.
    expect(points).toBeGreaterThan(12)
  })
})

describe('all members', () => {
  it.each([5, 17, 29])('scenario 9: crash at the same point %i and restart', async (fuse) => {
    const { world, sealed } = await establish({ seed: 1009 + fuse, n: 4 })
    for (const sim of world.nodes) sim.fuse = fuse
    await goOn(world, sealed, { turns: 400, between: reviver(world) })
    for (const sim of world.nodes) expect(sim.restarts).toBeGreaterThan(1)
  })

  it('scenario 10: restart one after the other in each of a hundred epochs', async () => {
    const { world, sealed } = await establish({ seed: 1010, n: 3, options: { vetoSeconds: 2 } })
    const start = newest(world).output.epoch
    let turns = 0
    const roll = async (): Promise<void> => {
      const sim = world.nodes[(turns++ >> 2) % 3] as SimNode
      if (turns % 4 === 0) kill(sim)
      if (turns % 4 === 2 && sim.node === undefined) await boot(world, sim)
      for (const other of world.nodes)
        if (other !== sim && other.node === undefined) await boot(world, other)
    }
    const done = () => newest(world).output.epoch >= start + 100
    expect(await runUntil(world, done, 12_000, roll)).toBe(true)
    expect(Math.min(...world.nodes.map(({ restarts }) => restarts))).toBeGreaterThan(100)
    await goOn(world, sealed, { between: reviver(world) })
  })
})
