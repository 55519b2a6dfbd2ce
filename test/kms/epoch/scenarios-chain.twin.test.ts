/** Chains that reorganise, lag, stop and refuse: the log decides, and all read it the same. */
import { describe, expect, it } from 'vitest'
import type { Hash32 } from '../../../sdk/chain/types.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { parseSignature } from '../../../sdk/protocol/messages.ts'
import {
  encodeCertifiedBody,
  outputHash,
  parseCertifiedBody,
  parseOutput,
} from '../../../sdk/protocol/output.ts'
import { activeHash, boot, DOMAIN, kill, nodeAt, reviver, runUntil } from './kit.ts'
import { candidateOf, setupOf } from './lies-proposer.ts'
import { epochOf, establish, goOn, newest, pass } from './scenario-kit.ts'
import { HEALTHY_RPC } from './sim-chain.ts'
import type { SimNode, World } from './world.ts'

const entriesOf = (world: World, epoch: number) =>
  new Set(
    world.chain
      .entries()
      .filter((entry) => entry.epoch === epoch)
      .map(({ outputHash: hash }) => hash),
  )

/** A second candidate, as good as the proposer's, that gets its certificate and its entry after the first. */
async function secondEntry(world: World): Promise<Hash32> {
  const signatures = new Map<Hash32, Map<`0x${string}`, Uint8Array>>()
  for (const sim of world.nodes)
    sim.tamper = (message) => {
      if (messageKind(message) === 'signature') {
        const { output, operator, signature } = parseSignature(message)
        const known = signatures.get(output) ?? new Map()
        signatures.set(output, known.set(operator, signature))
      }
      return message
    }
  const before = world.overheard.candidate
  const isNew = () => world.overheard.candidate !== before
  expect(await runUntil(world, isNew, 200)).toBe(true)
  const { candidate } = world.overheard
  if (candidate === undefined) throw new Error('no candidate')
  const { sid } = candidate
  const heard = parseOutput(candidate.output)
  const second = { ...heard, activateAt: heard.activateAt + 1 }
  const hash = outputHash(DOMAIN, second)
  const message = await candidateOf(nodeAt(world, 0), sid, second)
  for (const { node } of world.nodes) await node?.handler.receive(message)
  const isCertified = () => (signatures.get(hash)?.size ?? 0) >= second.threshold
  expect(await runUntil(world, isCertified, 40)).toBe(true)
  expect(await runUntil(world, () => entriesOf(world, heard.epoch).size > 0, 40)).toBe(true)
  const certificate = {
    signatures: [...(signatures.get(hash) ?? [])]
      .map(([operator, signature]) => ({ operator, signature }))
      .sort((a, b) => (a.operator < b.operator ? -1 : 1)),
  }
  const { epoch, prev } = second
  const body = encodeCertifiedBody({ output: second, certificate })
  await world.chain.log.post({ epoch, prev, outputHash: hash, body })
  expect(await runUntil(world, () => entriesOf(world, epoch).size === 2, 40)).toBe(true)
  for (const sim of world.nodes) sim.tamper = undefined
  return hash
}

describe('two certified outputs of one epoch', () => {
  it.each([false, true])(
    'scenario 34: the first in the chain wins, also when a reorganisation (%s) changes which that is',
    async (reorganise) => {
      const { world, sealed } = await establish({
        seed: 1034,
        n: 3,
        depth: 8,
        options: { postSeconds: 20, finalitySeconds: 18 },
      })
      const second = await secondEntry(world)
      if (reorganise) world.chain.reorg(7, 'reversed')
      const { epoch } = newest(world).output
      const settled = () => world.nodes.every((sim) => epochOf(world, sim) > epoch)
      expect(await runUntil(world, settled, 300)).toBe(true)
      expect(newest(world).hash === second).toBe(reorganise)
      await goOn(world, sealed)
    },
  )
})

describe('scenario 35: a reorganisation', () => {
  it.each([1, 5])('of depth %i takes the entry: it is posted again', async (depth) => {
    const { world, sealed } = await establish({
      seed: 1035,
      n: 3,
      depth: 6,
      options: { postSeconds: 30, finalitySeconds: 14 },
    })
    const { epoch } = newest(world).output
    for (let times = 0; times < 2; times++) {
      const posted = () => world.chain.entries().some((entry) => entry.epoch > epoch + times)
      expect(await runUntil(world, posted, 200)).toBe(true)
      world.chain.reorg(depth)
      expect(posted()).toBe(false)
      await goOn(world, sealed)
    }
  })

  it('past the moment of activation finds nobody that has activated: nothing is final yet', async () => {
    const { world, sealed } = await establish({
      seed: 1036,
      n: 3,
      depth: 12,
      options: { postSeconds: 40, vetoSeconds: 2, finalitySeconds: 2 },
    })
    const inForce = world.nodes.map((sim) => activeHash(world, sim))
    const { epoch } = newest(world).output
    const posted = () => world.chain.entries().find((entry) => entry.epoch > epoch)
    expect(await runUntil(world, () => posted() !== undefined, 300)).toBe(true)
    await pass(world, 20)
    expect(world.nodes.map((sim) => activeHash(world, sim))).toEqual(inForce)
    world.chain.reorg(11)
    expect(posted()).toBeUndefined()
    await goOn(world, sealed, { turns: 600 })
  })
})

describe('the operator set of a block that a reorganisation took away', () => {
  it('counts for nobody, also where it was asked for in time', async () => {
    const { world, sealed } = await establish({
      seed: 1044,
      n: 3,
      depth: 8,
      options: { postSeconds: 40, finalitySeconds: 18 },
    })
    const { setup } = world.overheard
    const entry = world.chain.entries().at(-1)
    if (setup === undefined || entry === undefined) throw new Error('no epoch yet')
    // Anybody can post: now every member has asked for the set at this block.
    const { latest } = await world.chain.log.read(0n)
    const { output, certificate } = parseCertifiedBody(entry.body)
    const body = encodeCertifiedBody({ output: { ...output, configBlock: latest }, certificate })
    await world.chain.log.post({ ...entry, body })
    await pass(world, 4)
    world.chain.stuck = true
    world.chain.reorg(7)
    expect(await world.chain.membership.at(latest)).toBeUndefined()
    const liar = nodeAt(world, 0)
    const answers = new Set<string | undefined>()
    const propose = async (): Promise<void> => {
      const epoch = liar.node?.status().nextEpoch ?? 0
      const prev = [...entriesOf(world, epoch - 1)][0] ?? latest.hash
      const terms = { ...setup.terms, configBlock: latest, epoch, prev }
      const message = await setupOf(liar, { ...setup, terms })
      for (const { node } of world.nodes) answers.add(await node?.handler.receive(message))
    }
    await propose()
    expect([...answers]).toEqual(['later'])
    await pass(world, 18)
    await propose()
    expect([...answers]).toEqual(['later', 'refused'])
    world.chain.stuck = false
    await goOn(world, sealed)
  })
})

describe('scenario 36: a provider', () => {
  it('that falls behind takes nothing back, and what was erased stays erased', async () => {
    const { world, sealed } = await establish({ seed: 1037, n: 4, options: { graceSeconds: 6 } })
    const sim = nodeAt(world, 1)
    await goOn(world, sealed, { epochs: 2 })
    // The others are at the next epoch before this one sees it.
    sim.rpc = { ...HEALTHY_RPC, behind: 12 }
    await pass(world, 30)
    sim.rpc = HEALTHY_RPC
    await goOn(world, sealed)
  })

  it('that is down for two epochs: its member erases nothing by its clock alone, and is at the newest output when it is back', async () => {
    const { world, sealed } = await establish({ seed: 1038, n: 4, options: { graceSeconds: 12 } })
    const sim = nodeAt(world, 2)
    // Final, and not active yet: from here on this member has its clock alone, which might be wrong.
    const { epoch } = newest(world).output
    expect(await runUntil(world, () => newest(world).output.epoch > epoch, 200)).toBe(true)
    sim.rpc = { ...HEALTHY_RPC, down: true }
    const others = world.nodes.filter((other) => other !== sim)
    await goOn(world, sealed, { epochs: 2, who: others })
    const old = () =>
      [...sim.medium.secrets.values()].filter(
        ({ name }) => name.kind === 'share' && name.epoch <= epoch,
      )
    expect(old()).toHaveLength(1)
    sim.rpc = HEALTHY_RPC
    expect(await runUntil(world, () => old().length === 0, 4)).toBe(true)
    await goOn(world, sealed)
  })
})

/** What a node has stored about the candidates of its sessions. */
const candidatesOf = (sim: SimNode): string[] => {
  const head = sim.medium.head
  const stored: unknown = head === undefined ? {} : JSON.parse(new TextDecoder().decode(head))
  const { sessions } = stored as { sessions: { candidates: { status: string }[] }[] }
  return sessions.flatMap(({ candidates }) => candidates.map(({ status }) => status))
}

it('scenario 36: a provider that is down while its member starts makes no candidate bad', async () => {
  const { world, sealed } = await establish({
    seed: 1041,
    n: 4,
    options: { slotMs: 20_000, postSeconds: 30 },
  })
  let isHeldBack = true
  for (const other of world.nodes)
    other.tamper = (message) => {
      if (isHeldBack && messageKind(message) === 'candidate') throw new Error('lost')
      return message
    }
  const isProposed = () => world.nodes.some((other) => candidatesOf(other).length > 0)
  expect(await runUntil(world, isProposed, 200)).toBe(true)
  // Each has looked at the chain since the session began, and stored whose it is.
  await pass(world, 2)
  const sim = world.nodes.find((other) => candidatesOf(other).length === 0)
  if (sim === undefined) throw new Error('everybody has a candidate')
  world.chain.stuck = true
  kill(sim)
  sim.rpc = { ...HEALTHY_RPC, down: true }
  isHeldBack = false
  await boot(world, sim)
  await runUntil(world, () => candidatesOf(sim).length > 0, 16)
  await pass(world, 1)
  expect(candidatesOf(sim)).toEqual(['unchecked'])
  sim.rpc = HEALTHY_RPC
  expect(await runUntil(world, () => candidatesOf(sim).includes('good'), 6)).toBe(true)
  world.chain.stuck = false
  for (const other of world.nodes) other.tamper = undefined
  await goOn(world, sealed)
})

describe('scenario 37: a transaction', () => {
  it('that is stuck for a minute is in time or the epoch comes again', async () => {
    const { world, sealed } = await establish({ seed: 1040, n: 3 })
    world.chain.stuck = true
    await pass(world, 60)
    expect(world.nodes.every((sim) => epochOf(world, sim) >= 0)).toBe(true)
    world.chain.stuck = false
    await goOn(world, sealed, { turns: 400 })
  })

  it('that the chain refuses from one member is sent by another', async () => {
    const { world, sealed } = await establish({ seed: 1041, n: 3 })
    for (const sim of world.nodes) {
      sim.rpc = { ...HEALTHY_RPC, refuses: true }
      await goOn(world, sealed)
      sim.rpc = HEALTHY_RPC
    }
  })

  it('whose sender crashes instead of sending is sent by another', async () => {
    const { world, sealed } = await establish({ seed: 1042, n: 3 })
    for (const sim of world.nodes) sim.crashAt = (moment) => moment.at === 'post'
    const first = () => world.nodes.some(({ node }) => node === undefined)
    expect(await runUntil(world, first, 200)).toBe(true)
    for (const sim of world.nodes) sim.crashAt = undefined
    await goOn(world, sealed, { between: reviver(world) })
  })
})

describe('a chain that stops finalising', () => {
  it('keeps the old output in force; with finality the next one comes', async () => {
    const { world, sealed } = await establish({ seed: 1043, n: 3 })
    const inForce = world.nodes.map((sim) => activeHash(world, sim))
    world.chain.finalityStalled = true
    await pass(world, 90)
    expect(world.nodes.map((sim) => activeHash(world, sim))).toEqual(inForce)
    world.chain.finalityStalled = false
    for (const sim of world.nodes) if (sim.node === undefined) await boot(world, sim)
    await goOn(world, sealed, { turns: 600 })
  })
})
