import { describe, expect, it } from 'vitest'
import type { EpochStatus } from '../../../kms/epoch/status.ts'
import { allActive, boot, bootAll, createWorld, kill, nodeAt, runUntil } from './kit.ts'
import type { World } from './world.ts'

const statusOf = (world: World, index: number): EpochStatus => {
  const { node } = nodeAt(world, index)
  if (node === undefined) throw new Error('the node is down')
  return node.status()
}

describe('what an operator tells about an epoch', () => {
  it('goes through the phases, names who dealt and signed, and when the next key comes', async () => {
    const world = createWorld({ seed: 41, n: 3, options: { reshareSeconds: 60 } })
    await bootAll(world)
    const seen = new Set<string>()
    let ahead: number | undefined
    const look = async () => {
      const status = statusOf(world, 0)
      seen.add(status.phase)
      ahead ??= status.nextActivation
      expect(status.stalled).toBe(false)
      if (status.phase === 'idle') expect(status.openedAt).toBeUndefined()
    }
    expect(await runUntil(world, allActive(world), 160, look)).toBe(true)
    for (const phase of ['dealing', 'posting', 'settling']) expect([...seen]).toContain(phase)
    const { activateAt, nextEpochAt, nextActivation, epoch } = statusOf(world, 0)
    expect(epoch).toBe(0)
    expect(ahead).toBe(activateAt)
    expect(nextActivation).toBeUndefined()
    expect(nextEpochAt).toBe((activateAt ?? 0) + 60)
  })

  it('names the one who is late, and says stalled when too few are there', async () => {
    const world = createWorld({ seed: 42, n: 3 })
    const names = world.nodes.map(({ identity }) => identity.info.address)
    await boot(world, nodeAt(world, 0))
    await boot(world, nodeAt(world, 1))
    const dealt = () => statusOf(world, 0).dealt.length === 2
    expect(await runUntil(world, dealt, 80)).toBe(true)
    const status = statusOf(world, 0)
    expect([...status.dealt].sort()).toEqual(names.slice(0, 2).sort())
    expect(status.late).toContain(names[2])
    expect(status).toMatchObject({ dealingsNeeded: 2, signaturesNeeded: 2, stalled: false })

    const alone = createWorld({ seed: 43, n: 3 })
    await boot(alone, nodeAt(alone, 0))
    await runUntil(alone, () => false, 20)
    expect(statusOf(alone, 0).stalled).toBe(false)
    const opened = statusOf(alone, 0).openedAt
    const limit = 5 * alone.options.sessionMs
    await runUntil(alone, () => alone.clock - (opened ?? 0) > limit, 4 * limit)
    await runUntil(alone, () => false, 1)
    expect(statusOf(alone, 0)).toMatchObject({ stalled: true, openedAt: opened })
    // The others come: the same epoch ends, and nothing is stalled any more.
    await boot(alone, nodeAt(alone, 1))
    await boot(alone, nodeAt(alone, 2))
    expect(await runUntil(alone, allActive(alone), 400)).toBe(true)
    expect(statusOf(alone, 0)).toMatchObject({ stalled: false, phase: 'idle', late: [] })
    for (const sim of alone.nodes) kill(sim)
  })
})
