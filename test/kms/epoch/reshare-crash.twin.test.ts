/**
 * Every crash point of a reshare: each commit before and after it is durable, each message, each write to the chain, of each member of
 * three. Who comes back two seconds later has its part of that epoch or the next, and what was sealed before opens.
 */
import { expect, it } from 'vitest'
import { nodeAt, reviver, runUntil } from './kit.ts'
import { establish, goOn, newest } from './scenario-kit.ts'

it.each([0, 1, 2])(
  'a crash at any single point of an epoch leaves member %i able to go on',
  async (place) => {
    const { world, sealed } = await establish({ seed: 1200 + place, n: 3 })
    const sim = nodeAt(world, place)
    const between = reviver(world)
    let points = 0
    // The members take turns in proposing and posting: an epoch of each kind has to end before the point is reached.
    for (let reached = 0; points - reached < 3; points++) {
      const { epoch } = newest(world).output
      sim.fuse = points + 1
      const over = () => sim.node === undefined || newest(world).output.epoch > epoch
      expect(await runUntil(world, over, 200)).toBe(true)
      if (sim.node === undefined) reached = points + 1
      else sim.fuse = Number.POSITIVE_INFINITY
      await goOn(world, sealed, { between })
    }
    expect(sim.restarts).toBeGreaterThan(40)
  },
  240_000,
)
