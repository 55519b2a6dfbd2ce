/** The invariants that every simulated run asserts, shown to catch what they are for. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { EpochNode } from '../../../kms/epoch/driver.ts'
import type { KeyRing } from '../../../kms/keys.ts'
import type { SecretName } from '../../../kms/store/store.ts'
import type { Hash32 } from '../../../sdk/chain/types.ts'
import { publicShareOf } from '../../../sdk/crypto/bls.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { encodeDealing, parseDealing } from '../../../sdk/protocol/dealing.ts'
import { encodeCertifiedBody, parseCertifiedBody } from '../../../sdk/protocol/output.ts'
import type { CertifiedOutput, Output } from '../../../sdk/protocol/types.ts'
import { assertInvariants } from './invariants.ts'
import {
  allActive,
  bootAll,
  createIdentities,
  createWorld,
  keyServiceOf,
  nodeAt,
  runUntil,
} from './kit.ts'
import { emptyPromise } from './promises.ts'
import { createWitness, type World } from './world.ts'

let world: World

beforeAll(async () => {
  world = createWorld({ seed: 95, n: 2, options: { reshareSeconds: 2, graceSeconds: 600 } })
  await bootAll(world)
  const second = () =>
    world.nodes.every((sim) => (keyServiceOf(world, sim).active()?.epoch ?? 0) >= 1)
  if (!(await runUntil(world, second, 300))) throw new Error('the run did not come so far')
})

/** The world with one node whose memory is not what it was. */
function planted(change: (node: EpochNode) => Partial<EpochNode>): World {
  const nodes = world.nodes.map((sim, i) =>
    i === 0 && sim.node !== undefined
      ? { ...sim, node: { ...sim.node, ...change(sim.node) } }
      : sim,
  )
  return { ...world, nodes, witness: createWitness() }
}

const withRing = (change: (ring: KeyRing) => Partial<KeyRing>): World =>
  planted((node) => ({ keyRing: () => ({ ...node.keyRing(), ...change(node.keyRing()) }) }))

const withOutput = (change: (output: Output) => Partial<Output>, hash?: CertifiedOutput['hash']) =>
  withRing(({ outputs }) => ({
    outputs: outputs.map((known, i) =>
      i === outputs.length - 1
        ? {
            ...known,
            hash: hash ?? known.hash,
            output: { ...known.output, ...change(known.output) },
          }
        : known,
    ),
  }))

/** A disk on which something was left. */
function withSecret(name: SecretName): World {
  const nodes = world.nodes.map((sim) => ({
    ...sim,
    medium: {
      ...sim.medium,
      secrets: new Map(sim.medium.secrets).set('left', { name, value: new Uint8Array(32) }),
    },
  }))
  return { ...world, nodes, witness: createWitness() }
}

/** A log whose entries carry no signature. */
function withoutSignatures(): World {
  const entriesNamed: World['chain']['entriesNamed'] = (hash) =>
    world.chain.entriesNamed(hash).map((entry) => {
      const { output } = parseCertifiedBody(entry.body)
      return { ...entry, body: encodeCertifiedBody({ output, certificate: { signatures: [] } }) }
    })
  return { ...world, chain: { ...world.chain, entriesNamed }, witness: createWitness() }
}

const dealingsIn = (epoch: number) =>
  nodeAt(world, 0).node?.keyRing().outputs[epoch]?.output.dealings ?? []

function withDisks(change: (blobs: Map<Hash32, Uint8Array>) => void): World {
  const nodes = world.nodes.map((sim) => {
    const blobs = new Map(sim.medium.blobs)
    change(blobs)
    return { ...sim, medium: { ...sim.medium, blobs } }
  })
  return { ...world, nodes, witness: createWitness() }
}

/** All members are awake and lack a body, which is on the disk of one that is none any more, and down. */
function onlyOnASleepingDisk(): World {
  const spoilt = withDisks((blobs) => blobs.delete(dealingsIn(1)[0]?.hash ?? '0x'))
  const members = world.nodes.map(({ identity }) => identity.info.address)
  const [identity] = createIdentities(3).filter(({ info }) => !members.includes(info.address))
  if (identity === undefined) throw new Error('nobody else')
  return { ...spoilt, nodes: [...spoilt.nodes, { ...nodeAt(world, 0), identity, node: undefined }] }
}

/** Disks on which the dealings of an epoch have changed places. */
function withSwappedDealings(epoch: number): World {
  const [a, b] = dealingsIn(epoch)
  if (a === undefined || b === undefined) throw new Error('two dealings are needed')
  return withDisks((blobs) => {
    const [first, second] = [blobs.get(a.hash), blobs.get(b.hash)]
    if (first === undefined || second === undefined) throw new Error('no bodies')
    blobs.set(a.hash, second).set(b.hash, first)
  })
}

/** A dealing whose polynomial is another one from the second coefficient on. */
function withOtherPolynomial(): World {
  const [named] = dealingsIn(1)
  return withDisks((blobs) => {
    const body = named && blobs.get(named.hash)
    if (named === undefined || body === undefined) throw new Error('no body')
    const { signature, commitment, ...rest } = parseDealing(body)
    const other = [...commitment.slice(0, 1), publicShareOf(7n)]
    blobs.set(named.hash, encodeDealing({ ...rest, commitment: other, signature }))
  })
}

const other: CertifiedOutput['hash'] = `0x${'ab'.repeat(32)}`

describe('the invariants of a simulated run', () => {
  it('hold in a run without faults, which looked at them at every turn', () => {
    expect(world.witness.looks).toBeGreaterThan(20)
    expect(world.witness.settled.size).toBeGreaterThanOrEqual(2)
    expect(world.witness.compared).toBeGreaterThan(0)
    expect(() => assertInvariants({ ...world, witness: createWitness() })).not.toThrow()
  })

  it.each<[string, RegExp, () => World]>([
    ['an output of another key', /I4/, () => withOutput(() => ({ mpk: publicShareOf(7n) }))],
    ['an output that the log does not have', /I1/, () => withOutput(() => ({}), other)],
    ['an output that too few signed', /I3, I5/, withoutSignatures],
    ['a dealing of something else than a share', /I2/, () => withSwappedDealings(1)],
    ['a dealing of somebody else', /I1: the dealing/, () => withSwappedDealings(0)],
    ['a table that does not follow from the dealings', /I1: the public share/, withOtherPolynomial],
    [
      'a body that nobody has any more',
      /I9/,
      () => withDisks((blobs) => blobs.delete(dealingsIn(1)[0]?.hash ?? '0x')),
    ],
    ['a body that only one has who is down and no member', /I9/, onlyOnASleepingDisk],
    ['a second winner of an epoch', /I7/, () => withOutput(() => ({ epoch: 0 }))],
    ['a winner that follows nothing', /I7/, () => withOutput(() => ({ prev: other }))],
    [
      'an epoch number given back',
      /I7/,
      () => planted((node) => ({ status: () => ({ ...node.status(), nextEpoch: 0 }) })),
    ],
    [
      'a share of something else',
      /I8: .* holds a share/,
      () =>
        withRing(({ shares }) => ({
          shares: new Map([...shares].map(([hash, share]) => [hash, share + 1n])),
        })),
    ],
    [
      'a settled output that a node does not count',
      /I8: .* misses/,
      () => withRing(({ outputs }) => ({ outputs: outputs.slice(0, 1) })),
    ],
    [
      'an answer with the version before',
      /I8: .* answers/,
      () => withOutput(({ activateAt }) => ({ activateAt: activateAt + 3600 })),
    ],
    [
      'a promise that was seen to be empty',
      /I6/,
      () => ({
        ...world,
        witness: { ...createWitness(), violations: ['I6: signed, not stored'] },
      }),
    ],
    [
      'a dealing seed left on the disk',
      /I10: .* seed/,
      () => withSecret({ kind: 'dealer-seed', epoch: 0, id: '' }),
    ],
    [
      'the share of an output that lost',
      /I10: .* share/,
      () => withSecret({ kind: 'share', epoch: 0, id: other }),
    ],
    [
      'a share in force that is erased',
      /I10: .* before its time/,
      () => {
        const witness = createWitness()
        assertInvariants({ ...world, witness })
        return { ...withRing(() => ({ shares: new Map() })), witness }
      },
    ],
    [
      'shares kept past their grace window',
      /I10: .* share/,
      () => ({
        // Final up to now: before that no share is replaced.
        ...planted((node) => ({
          status: () => ({ ...node.status(), finalTime: world.clock / 1000 }),
        })),
        options: { ...world.options, graceSeconds: 0 },
      }),
    ],
  ])('catch %s', (_what, complaint, plant) => {
    const spoilt = plant()
    const lookTwice = () => {
      assertInvariants(spoilt)
      assertInvariants(spoilt)
    }
    expect(lookTwice).toThrow(complaint)
  })

  it('see in every kind of message that what it promises is not stored', async () => {
    const empty = new Set<string>()
    for (const sim of world.nodes)
      sim.tamper = (message) => {
        const medium = { ...sim.medium, blobs: new Map(), secrets: new Map() }
        const promises = emptyPromise(createWitness(), { ...sim, medium }, message)
        if (promises.length > 0) empty.add(`${messageKind(message)}`)
        return message
      }
    const next = () =>
      world.nodes.every((sim) => (keyServiceOf(world, sim).active()?.epoch ?? 0) >= 2)
    expect(await runUntil(world, next, 300)).toBe(true)
    for (const sim of world.nodes) sim.tamper = undefined
    expect([...empty].sort()).toEqual(['acks', 'candidate', 'dealing', 'signature'])
  })

  it('end a run in which a node diverges', async () => {
    const sim = nodeAt(world, 1)
    const { node } = sim
    if (node === undefined) throw new Error('the node is down')
    sim.node = {
      ...node,
      keyRing: () => ({
        ...node.keyRing(),
        shares: new Map([...node.keyRing().shares].map(([hash, share]) => [hash, share + 1n])),
      }),
    }
    try {
      await expect(runUntil(world, () => false, 1)).rejects.toThrow(/I8/)
    } finally {
      sim.node = node
    }
    expect(await runUntil(world, allActive(world), 8)).toBe(true)
  })
})
