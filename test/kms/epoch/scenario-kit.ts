/** What the scenarios share: a set that has its key, and "the next epoch comes, and what was sealed before opens". */
import { expect } from 'vitest'
import type { EpochOptions } from '../../../kms/epoch/state.ts'
import type { Address, OperatorInfo } from '../../../sdk/chain/types.ts'
import {
  assertOneKey,
  bootAll,
  createIdentities,
  createWorld,
  keyServiceOf,
  runUntil,
  type Sealed,
} from './kit.ts'
import type { SimNode, World } from './world.ts'

/** An epoch takes half a minute of the world's time. */
const OPTIONS: Partial<EpochOptions> = {
  reshareSeconds: 2,
  slotMs: 1_500,
  patienceMs: 2_000,
  sessionMs: 20_000,
}

export const infos = (n: number): OperatorInfo[] => createIdentities(n).map(({ info }) => info)
export const addressOf = (sim: SimNode): Address => sim.identity.info.address
export const epochOf = (world: World, sim: SimNode): number =>
  keyServiceOf(world, sim).active()?.epoch ?? -1
export const newest = (world: World) => {
  const last = world.witness.history.at(-1)
  if (last === undefined) throw new Error('no output yet')
  return last
}

/** @param input.members - How many of the nodes are in the first set: all, if not given. */
export async function establish(input: {
  seed: number
  n: number
  members?: number
  depth?: number
  options?: Partial<EpochOptions>
}): Promise<{ world: World; sealed: Sealed }> {
  const { seed, n, depth = 2, members = n } = input
  const world = createWorld({ seed, n, depth, options: { ...OPTIONS, ...input.options } })
  world.chain.members = infos(n).slice(0, members)
  await bootAll(world)
  const first = world.nodes.slice(0, members)
  const active = () => first.every((sim) => epochOf(world, sim) >= 0)
  expect(await runUntil(world, active, 300)).toBe(true)
  return { world, sealed: assertOneKey(world) }
}

/** So many more epochs become active at all of these nodes. */
export async function goOn(
  world: World,
  sealed: Sealed,
  input: {
    epochs?: number
    who?: SimNode[]
    turns?: number
    between?: () => Promise<void>
  } = {},
): Promise<void> {
  const { epochs = 1, who = world.nodes, turns = 200 * epochs, between } = input
  const target = Math.max(...world.nodes.map((sim) => epochOf(world, sim))) + epochs
  const there = () => who.every((sim) => sim.node !== undefined && epochOf(world, sim) >= target)
  expect(await runUntil(world, there, turns, between), `seed ${world.seed}`).toBe(true)
  assertOneKey(world, sealed, who)
}

/** So much of the world's time goes by. */
export async function pass(
  world: World,
  seconds: number,
  between?: () => Promise<void>,
): Promise<void> {
  await runUntil(world, () => false, seconds * 2, between)
}
