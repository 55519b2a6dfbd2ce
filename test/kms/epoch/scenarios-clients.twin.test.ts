/** What clients get while epochs go by: a threshold of one version, whatever they ask and whatever their clocks say. */
import { describe, expect, it } from 'vitest'
import { isEigenxError } from '../../../sdk/errors.ts'
import { keyServiceOf, kill, nodeAt, reviver, runUntil } from './kit.ts'
import { establish, goOn, newest } from './scenario-kit.ts'
import type { World } from './world.ts'

/** Versions that the running nodes answer with, and how many of them with each. */
function answersAt(world: World, time: number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const sim of world.nodes)
    try {
      if (sim.node === undefined) continue
      const { version } = keyServiceOf(world, sim).at(time)
      counts.set(version, (counts.get(version) ?? 0) + 1)
    } catch (error) {
      if (!isEigenxError(error) || error.stage !== 'key') throw error
    }
  return counts
}

describe('scenario 39: requests in every tenth of a second around activations', () => {
  it.each([false, true])(
    'are answered by a threshold with one version, also while members restart (%s)',
    async (restart) => {
      const { world, sealed } = await establish({ seed: 1039, n: 4 })
      const versions = new Set<number>()
      let turns = 0
      const revive = reviver(world)
      const ask = async (): Promise<void> => {
        turns += 1
        if (restart && turns % 60 === 0) kill(nodeAt(world, (turns / 60) % 4))
        if (restart && turns % 5 === 0) await revive()
        const answers = answersAt(world, 0)
        const most = Math.max(...answers.values())
        expect(most, JSON.stringify([...answers])).toBeGreaterThanOrEqual(3)
        for (const version of answers.keys()) versions.add(version)
      }
      const { epoch } = newest(world).output
      const done = () => newest(world).output.epoch >= epoch + 3
      expect(await runUntil(world, done, 2_000, ask, 100)).toBe(true)
      expect(versions.size).toBeGreaterThanOrEqual(3)
      await goOn(world, sealed, { between: revive })
    },
  )
})

describe('scenario 40: a client whose clock', () => {
  it('is ahead gets the version in force, and one whose clock is behind the one of its time or the oldest kept, from everybody', async () => {
    const { world, sealed } = await establish({ seed: 1040, n: 3, options: { graceSeconds: 30 } })
    await goOn(world, sealed, { epochs: 5 })
    const now = Math.floor(world.clock / 1000)
    const inForce = newest(world).output.activateAt
    for (const ahead of [0, 1, 60, 3_600, 10 ** 9])
      expect(answersAt(world, now + ahead)).toEqual(new Map([[inForce, 3]]))
    const before = world.witness.history.at(-2)?.output.activateAt ?? 0
    expect(answersAt(world, inForce - 1)).toEqual(new Map([[before, 3]]))
    const ring = nodeAt(world, 0).node?.keyRing().outputs ?? []
    const oldest = ring[0]?.output.activateAt ?? 0
    expect(oldest).toBeLessThan(before)
    expect(answersAt(world, now - 3_600)).toEqual(new Map([[oldest, 3]]))
  })
})
