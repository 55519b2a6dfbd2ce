/** Networks that cut, lose and hang: who can reach enough others goes on, and nobody goes its own way. */
import { describe, expect, it } from 'vitest'
import { nodeAt } from './kit.ts'
import { addressOf, epochOf, establish, goOn, newest, pass } from './scenario-kit.ts'
import type { World } from './world.ts'

const placeOf = (world: World, address: string) =>
  world.nodes.findIndex((sim) => addressOf(sim) === address)

/** Only nodes of one side hear each other. */
function cut(world: World, side: (place: number) => number): void {
  world.partition = (from, to) => side(placeOf(world, from)) !== side(placeOf(world, to))
}

function heal(world: World): void {
  world.partition = () => false
}

describe('a network in parts', () => {
  it('scenario 20: of t and n - t members goes on in the larger part, and together when it heals', async () => {
    const { world, sealed } = await establish({ seed: 1020, n: 4 })
    cut(world, (place) => (place === 2 ? 1 : 0))
    const larger = world.nodes.filter((_, i) => i !== 2)
    await goOn(world, sealed, { epochs: 2, who: larger })
    const lonely = nodeAt(world, 2)
    // It sees the chain and knows that it has no share: it refuses instead of using the old one.
    expect(epochOf(world, lonely)).toBe(-1)
    heal(world)
    await goOn(world, sealed)
  })

  it('scenario 21: with no part of t members makes no output, keeps serving, and goes on when it heals', async () => {
    const { world, sealed } = await establish({ seed: 1021, n: 4 })
    const { epoch } = newest(world).output
    cut(world, (place) => place % 2)
    await pass(world, 120)
    expect(newest(world).output.epoch).toBe(epoch)
    for (const sim of world.nodes) expect(epochOf(world, sim)).toBe(epoch)
    heal(world)
    await goOn(world, sealed)
  })

  it('scenario 22: of one direction only, for any two members, costs nothing but time', async () => {
    const { world, sealed } = await establish({ seed: 1022, n: 3 })
    for (const from of [0, 1, 2])
      for (const to of [0, 1, 2].filter((place) => place !== from)) {
        world.partition = (a, b) => placeOf(world, a) === from && placeOf(world, b) === to
        await goOn(world, sealed)
      }
  })
})

describe('scenario 23: a peer that accepts and never answers', () => {
  it.each([0, 3])('does not hold up the others (member %i)', async (place) => {
    const { world, sealed } = await establish({ seed: 1023 + place, n: 4 })
    nodeAt(world, place).hangs = true
    const others = world.nodes.filter((_, i) => i !== place)
    const begun = world.clock
    await goOn(world, sealed, { epochs: 3, who: others })
    // An undisturbed epoch takes twenty seconds.
    expect((world.clock - begun) / 3000).toBeLessThan(45)
    nodeAt(world, place).hangs = false
    await goOn(world, sealed)
  })

  it('nor does one that takes so long with everything that messages overtake each other', async () => {
    const { world, sealed } = await establish({ seed: 1029, n: 3 })
    world.delayMs = 3_000
    world.repeats = 0.3
    await goOn(world, sealed, { epochs: 2, turns: 800 })
    world.delayMs = 0
    world.repeats = 0
    await pass(world, 70)
    expect(world.timers).toEqual([])
    await goOn(world, sealed)
  })
})
