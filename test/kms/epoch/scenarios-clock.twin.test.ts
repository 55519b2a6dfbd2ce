/** Clocks that are wrong: no share is ever served for another, and what waits for a clock waits for no wrong one. */
import { describe, expect, it } from 'vitest'
import { boot, keyServiceOf, kill, nodeAt, runUntil } from './kit.ts'
import { epochOf, establish, goOn, newest, pass } from './scenario-kit.ts'

const HOUR = 3_600_000

describe('scenario 38: a clock', () => {
  it.each([-HOUR, -60_000, -1_000, 1_000, 60_000, HOUR])(
    'off by %i ms at one member: the others go on, and it with them once it is right',
    async (skewMs) => {
      const { world, sealed } = await establish({ seed: 1038, n: 4 })
      const sim = nodeAt(world, 1)
      sim.skewMs = skewMs
      const others = world.nodes.filter((other) => other !== sim)
      const reached = newest(world).output.epoch + 2
      const there = () => others.every((other) => epochOf(world, other) >= reached)
      expect(await runUntil(world, there, 400)).toBe(true)
      sim.skewMs = 0
      await goOn(world, sealed)
    },
  )

  it('ahead by far more than activation and grace take: the share in force stays, and answers for the true time', async () => {
    const { world, sealed } = await establish({
      seed: 1044,
      n: 4,
      options: { reshareSeconds: 20, finalitySeconds: 60 },
    })
    const sim = nodeAt(world, 1)
    const other = nodeAt(world, 0)
    sim.skewMs = HOUR
    const versions = new Set<number>()
    // The invariants look at what it answers and at what it erases.
    const ask = async () => {
      const time = Math.floor(world.clock / 1000)
      const { version } = keyServiceOf(world, sim).at(time)
      expect(version).toBe(keyServiceOf(world, other).at(time).version)
      versions.add(version)
    }
    await pass(world, 300, ask)
    expect(versions.size).toBeGreaterThanOrEqual(3)
    sim.skewMs = 0
    await goOn(world, sealed, { turns: 600 })
  })

  it.each([1, 3])(
    'an hour ahead at all %i members and then set right: the next epoch does not wait an hour',
    async (n) => {
      const { world, sealed } = await establish({ seed: 1039, n })
      for (const sim of world.nodes) sim.skewMs = HOUR
      await pass(world, 60)
      for (const sim of world.nodes) sim.skewMs = 0
      await goOn(world, sealed, { turns: 400 })
    },
  )

  it.each([0, 1, 2, 3])(
    'an hour ahead at member %i brings no epoch before its time',
    async (place) => {
      const { world, sealed } = await establish({
        seed: 1043,
        n: 4,
        options: { reshareSeconds: 100 },
      })
      const sim = nodeAt(world, place)
      const { epoch, activateAt } = newest(world).output
      sim.skewMs = HOUR
      const entries = world.chain.entries().length
      const posted = () => world.chain.entries().length > entries
      expect(await runUntil(world, posted, 400)).toBe(true)
      // As long before as members give each other for a post.
      expect(world.chain.now()).toBeGreaterThanOrEqual(activateAt + 100 - world.options.postSeconds)
      expect(newest(world).output.epoch).toBe(epoch)
      sim.skewMs = 0
      await goOn(world, sealed, { turns: 600 })
    },
  )

  it('an hour behind in the middle of an epoch: whoever proposes does not repeat itself for ever', async () => {
    const { world, sealed } = await establish({ seed: 1040, n: 3 })
    for (const sim of world.nodes) {
      const open = () => (sim.node?.status().sessions.length ?? 0) > 0
      expect(await runUntil(world, open, 200)).toBe(true)
      sim.skewMs = -HOUR
      await pass(world, 30)
      sim.skewMs = 0
      await goOn(world, sealed, { turns: 400 })
    }
  })

  it('that leaps while a member starts again with an empty disk: its new key counts as the newer one', async () => {
    const { world, sealed } = await establish({ seed: 1041, n: 4 })
    const sim = nodeAt(world, 2)
    kill(sim)
    sim.medium.head = undefined
    sim.medium.secrets.clear()
    sim.medium.blobs.clear()
    sim.skewMs = -HOUR
    await boot(world, sim)
    await pass(world, 30)
    sim.skewMs = 0
    await goOn(world, sealed, { epochs: 2, turns: 600 })
  })

  it('that stands still at one member: the others go on', async () => {
    const { world, sealed } = await establish({ seed: 1042, n: 4 })
    const sim = nodeAt(world, 3)
    sim.frozenAt = world.clock
    const others = world.nodes.filter((other) => other !== sim)
    const reached = newest(world).output.epoch + 2
    const there = () => others.every((other) => epochOf(world, other) >= reached)
    expect(await runUntil(world, there, 400)).toBe(true)
    sim.frozenAt = undefined
    await goOn(world, sealed)
  })
})
