import { expect, it } from 'vitest'
import type { Hash32 } from '../../../sdk/chain/types.ts'
import { thresholdOf } from '../../../sdk/crypto/bls.ts'
import {
  encodeSetup,
  NO_ENCRYPTION_KEY,
  parseEncryptionKey,
  parseSetup,
  type Setup,
  setupStatement,
} from '../../../sdk/protocol/terms.ts'
import type { Terms } from '../../../sdk/protocol/types.ts'
import {
  allActive,
  assertOneKey,
  boot,
  bootAll,
  createWorld,
  DOMAIN,
  nodeAt,
  runUntil,
  type World,
} from './kit.ts'

/** The proposal of member 0, in which one has no encryption key. */
async function shutOut(world: World, left = 3): Promise<Uint8Array> {
  const { block } = await world.chain.membership.current()
  const proposer = nodeAt(world, 0).identity.signer
  const parts = await Promise.all(
    world.nodes.map(async ({ identity, node }, index) => {
      const bytes = index === left ? undefined : await node?.handler.encryptionKey()
      const record = bytes === undefined ? undefined : parseEncryptionKey(bytes)
      return {
        member: {
          address: identity.info.address,
          encryptionKey: record?.encryptionKey ?? NO_ENCRYPTION_KEY,
        },
        record: {
          sequence: record?.sequence ?? 0,
          signature: record?.signature ?? new Uint8Array(),
        },
      }
    }),
  )
  const terms: Terms = {
    epoch: 0,
    prev: `0x${'00'.repeat(32)}`,
    configBlock: block,
    leaves: [],
    members: parts.map(({ member }) => member),
    threshold: thresholdOf(world.nodes.length),
  }
  return encodeSetup({
    terms,
    records: parts.map(({ record }) => record),
    proposer: proposer.operator,
    signature: await proposer.sign(setupStatement(DOMAIN, terms, proposer.operator)),
  })
}

it('does not let a proposer leave out a member that has just come up', async () => {
  const world = createWorld({ seed: 61, n: 4 })
  for (const index of [0, 1, 2]) await boot(world, nodeAt(world, index))
  // The others look for keys, and find the last one's nowhere.
  await runUntil(world, () => false, 2)
  await boot(world, nodeAt(world, 3))
  const setup = await shutOut(world)
  for (const index of [1, 2])
    expect(await nodeAt(world, index).node?.handler.receive(setup)).toBe('refused')
  await bootAll(world)
  expect(await runUntil(world, allActive(world), 240)).toBe(true)
  assertOneKey(world)
})

/** Counts the sets that nodes ask the chain for. */
function countQuestions(world: World): () => number {
  const { view } = world.chain
  let asked = 0
  world.chain.view = (rpc) => {
    const { log, membership } = view(rpc)
    const at: typeof membership.at = (block) => {
      asked += 1
      return membership.at(block)
    }
    return { log, membership: { ...membership, at } }
  }
  return () => asked
}

/** What a member says of a block, signed by it. */
async function setupBy(
  world: World,
  index: number,
  setup: Setup,
  configBlock: Terms['configBlock'],
): Promise<Uint8Array> {
  const { operator, sign } = nodeAt(world, index).identity.signer
  const terms = { ...setup.terms, configBlock }
  const signature = await sign(setupStatement(DOMAIN, terms, operator))
  return encodeSetup({ terms, records: setup.records, proposer: operator, signature })
}

it('asks the chain about a few blocks for a member that names ever others, and still hears the others', async () => {
  const world = createWorld({ seed: 63, n: 4 })
  const asked = countQuestions(world)
  await bootAll(world)
  await runUntil(world, () => false, 1)
  const { block } = await world.chain.membership.current()
  const setup = parseSetup(await shutOut(world))
  const tell = async (from: number, place: number) => {
    const hash: Hash32 = `0x${place.toString(16).padStart(64, '0')}`
    const message = await setupBy(world, from, setup, { ...block, hash })
    return nodeAt(world, 1).node?.handler.receive(message)
  }
  const before = asked()
  const answers = await Promise.all(Array.from({ length: 30 }, (_, place) => tell(0, place)))
  expect(asked() - before).toBe(8)
  expect(answers.filter((answer) => answer === 'refused')).toHaveLength(8)
  // The same again costs nothing, and keeps no place of anybody.
  expect(await tell(0, answers.indexOf('refused'))).toBe('refused')
  expect(await tell(0, answers.indexOf('later'))).toBe('later')
  expect(asked() - before).toBe(8)
  expect(await tell(2, 99)).toBe('refused')
  expect(asked() - before).toBe(9)
  // After the time of a session it may ask again.
  world.clock += world.options.sessionMs
  const later = asked()
  expect(await tell(0, 77)).toBe('refused')
  expect(asked() - later).toBe(1)
})

it('asks the chain nothing for a proposer that has an open session', async () => {
  const world = createWorld({ seed: 64, n: 4 })
  const asked = countQuestions(world)
  await bootAll(world)
  const isOpen = () => (nodeAt(world, 1).node?.status().sessions.length ?? 0) > 0
  expect(await runUntil(world, isOpen, 60)).toBe(true)
  const setup = world.overheard.setup as Setup
  const from = world.nodes.findIndex(({ identity }) => identity.info.address === setup.proposer)
  const { configBlock } = setup.terms
  const message = await setupBy(world, from, setup, { ...configBlock, hash: setup.terms.prev })
  const before = asked()
  const hearers = world.nodes.filter((_, i) => i !== from)
  for (const { node } of hearers) expect(await node?.handler.receive(message)).toBe('later')
  expect(asked()).toBe(before)
})

it('asks the chain nothing for a setup of somebody who is no operator', async () => {
  const world = createWorld({ seed: 62, n: 4 })
  const asked = countQuestions(world)
  await bootAll(world)
  await runUntil(world, () => false, 1)
  const { block } = await world.chain.membership.current()
  const setup = parseSetup(await shutOut(world))
  const terms = { ...setup.terms, configBlock: { ...block, hash: setup.terms.prev } }
  const say = async (index: number, stranger: boolean) => {
    const { operator, sign } = nodeAt(world, index).identity.signer
    const signature = await sign(setupStatement(DOMAIN, terms, operator))
    const message = encodeSetup({
      terms,
      records: setup.records,
      proposer: operator,
      signature: stranger ? signature.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) : signature,
    })
    const before = asked()
    const answer = await nodeAt(world, 1).node?.handler.receive(message)
    return { answer, asked: asked() - before }
  }
  expect(await say(0, true)).toEqual({ answer: 'later', asked: 0 })
  expect(await say(0, false)).toEqual({ answer: 'refused', asked: 1 })
})

it('opens a session that was pushed out only where there is room: none push out each other without end', async () => {
  const world = createWorld({ seed: 65, n: 8 })
  await bootAll(world)
  await runUntil(world, () => false, 1)
  const setup = parseSetup(await shutOut(world, -1))
  world.partition = () => true
  const blocks: Terms['configBlock'][] = []
  const enough = async () => {
    const { block } = await world.chain.membership.current()
    if (block.number !== blocks.at(-1)?.number) blocks.push(block)
  }
  await runUntil(world, () => blocks.length >= 7, 200, enough)
  const target = nodeAt(world, 1)
  const messages = await Promise.all(
    [0, 2, 3, 4, 5, 6, 7].map((from, i) =>
      setupBy(world, from, setup, blocks[i] ?? setup.terms.configBlock),
    ),
  )
  const show = (message: Uint8Array | undefined) => message && target.node?.handler.receive(message)
  const open = () => target.node?.status().sessions.map(({ sid }) => sid) ?? []
  for (const message of messages) expect(await show(message)).toBe('accepted')
  const last = open()
  expect(last).toHaveLength(6)
  const answers = await Promise.all(messages.map(show))
  expect(answers).toContain('later')
  expect(answers.filter((answer) => answer === 'accepted').length).toBeLessThanOrEqual(6)
  expect(open()).toEqual(last)
  world.partition = () => false
  expect(await runUntil(world, allActive(world), 300)).toBe(true)
})
