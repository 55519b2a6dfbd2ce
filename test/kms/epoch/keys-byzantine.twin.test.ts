/** Members that lie about their encryption keys. */
import { describe, expect, it } from 'vitest'
import { NO_ENCRYPTION_KEY } from '../../../sdk/protocol/terms.ts'
import { bootAll, createWorld, kill, nodeAt, runUntil } from './kit.ts'
import { corrupt } from './lies.ts'
import { addressOf, epochOf, establish, goOn, infos, newest } from './scenario-kit.ts'
import type { SimNode, World } from './world.ts'

const keyOf = (world: World, sim: SimNode) =>
  newest(world).output.members.find(({ address }) => address === addressOf(sim))?.encryptionKey

describe('a key that is none, signed by its member', () => {
  it('holds up no epoch: its last good one counts', async () => {
    const { world, sealed } = await establish({ seed: 2001, n: 4 })
    const liar = nodeAt(world, 3)
    const before = keyOf(world, liar)
    const begun = world.clock
    corrupt(world, liar, 'announces a key that is none')
    await goOn(world, sealed, { epochs: 4 })
    expect((world.clock - begun) / 4000).toBeLessThan(30)
    expect(keyOf(world, liar)).toEqual(before)
  })

  it('holds up no genesis: its member is dealt out', async () => {
    const world = createWorld({ seed: 2002, n: 4 })
    const liar = nodeAt(world, 3)
    corrupt(world, liar, 'announces a key that is none')
    liar.tamper = () => undefined
    await bootAll(world)
    const others = world.nodes.slice(0, 3)
    expect(await runUntil(world, () => others.every((sim) => epochOf(world, sim) === 0), 300)).toBe(
      true,
    )
  })
})

describe('an operator that registered another signing key', () => {
  it('and is away is dealt out: nobody names the record that the old one signed', async () => {
    const { world, sealed } = await establish({ seed: 2003, n: 4 })
    const sim = nodeAt(world, 2)
    const { signingKey } = nodeAt(createWorld({ seed: 2003, n: 5 }), 4).identity.info
    kill(sim)
    world.chain.members = infos(4).map((info) =>
      info.address === addressOf(sim) ? { ...info, signingKey } : info,
    )
    await goOn(world, sealed, { epochs: 2, who: world.nodes.filter((other) => other !== sim) })
    expect(keyOf(world, sim)).toEqual(NO_ENCRYPTION_KEY)
  })
})
