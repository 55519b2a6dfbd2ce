/** Candidates about whose dealings are whose: what a body says of itself counts, not what a candidate says of it. */
import { describe, expect, it } from 'vitest'
import { boot, kill, nodeAt, runUntil } from './kit.ts'
import { corrupt } from './lies.ts'
import { addressOf, establish, goOn, newest, pass } from './scenario-kit.ts'

describe('a candidate of dealings of another session', () => {
  it('is signed by nobody, so a member that was away is not left without a share', async () => {
    const { world, sealed } = await establish({ seed: 1201, n: 4 })
    const [liar, away] = [nodeAt(world, 1), nodeAt(world, 2)]
    const honest = world.nodes.filter((sim) => sim !== liar)
    kill(away)
    corrupt(world, liar, 'proposes dealings of other sessions')
    const entries = world.chain.entries().length
    await runUntil(world, () => world.chain.entries().length > entries, 100)
    kill(liar)
    await boot(world, away)
    await goOn(world, sealed, { who: honest, epochs: 2 })
    expect(newest(world).output.dealings.map(({ dealer }) => dealer)).toContain(addressOf(away))
  })

  it('of the last output among them: new shares are new', async () => {
    const { world, sealed } = await establish({ seed: 1202, n: 4 })
    const liar = nodeAt(world, 1)
    corrupt(world, liar, 'proposes dealings of other sessions')
    await goOn(world, sealed, { who: world.nodes.filter((sim) => sim !== liar), epochs: 3 })
    const tables = world.witness.history.map(({ output }) => `${output.publicShares[0]}`)
    expect(new Set(tables).size).toBe(tables.length)
  })
})

describe('a candidate that names anything in the place of a dealing', () => {
  it('does not keep the dealing out, however late that comes', async () => {
    const { world, sealed } = await establish({ seed: 1203, n: 4 })
    const liar = nodeAt(world, 3)
    const honest = world.nodes.filter((sim) => sim !== liar)
    world.delayMs = 1_500
    corrupt(world, liar, "fills the others' places")
    await goOn(world, sealed, { who: honest, epochs: 3 })
    await pass(world, 5)
    const blamed = world.reports.filter(({ event }) => event === 'peer broke the protocol')
    expect(blamed.map(({ detail }) => detail?.by)).toEqual([])
  })
})
