import { describe, expect, it } from 'vitest'
import { createLookup, trimLookup } from '../../../kms/epoch/context.ts'
import { loadEncryptionKeys } from '../../../kms/epoch/encryption-keys.ts'
import { loadRuntime } from '../../../kms/epoch/runtime.ts'
import type { BlockRef } from '../../../sdk/chain/types.ts'
import { createWorld, nodeAt } from './kit.ts'
import { depsOf } from './sim-ports.ts'

describe('the memory of operator sets', () => {
  it('keeps a few that nothing refers to, however many epochs go by', async () => {
    const world = createWorld({ seed: 1, n: 1 })
    const sim = nodeAt(world, 0)
    sim.fuse = Number.POSITIVE_INFINITY
    const deps = depsOf(world, sim)
    const runtime = await loadRuntime(deps, world.options, () => undefined)
    const lookup = createLookup(runtime, await loadEncryptionKeys(deps), new Map())
    const blocks: BlockRef[] = []
    for (let i = 0; i < 200; i++) {
      world.chain.mine()
      const { block } = await world.chain.membership.current()
      blocks.push(block)
      lookup.final = block.number
      expect(await lookup.operatorsAt(block)).toBeDefined()
      trimLookup(lookup)
    }
    expect(lookup.sets.size).toBeLessThanOrEqual(16)
    // What was forgotten is asked for again.
    expect((await lookup.operatorsAt(blocks[0] ?? world.chain.first))?.operators).toEqual(
      world.chain.members,
    )
  })
})
