import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  announceLeave,
  checkJoin,
  dealtOutIn,
  type MembershipDeps,
  type OwnReport,
  outputInForce,
} from '../../kms/membership.ts'
import { demandDealtOut, demandEnoughSharesToJoin } from '../../kms/registration-order.ts'
import type { OperatorKeys } from '../../kms/signer.ts'
import type { OperatorInfo } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { encodeCertifiedBody, parseCertifiedBody } from '../../sdk/protocol/output.ts'
import {
  allActive,
  assertOneKey,
  bootAll,
  createIdentities,
  createWorld,
  DOMAIN,
  keyServiceOf,
  nodeAt,
  runUntil,
  type Sealed,
  type World,
} from './epoch/kit.ts'

const HOUR = { holdsSeconds: 3600, force: false }

function depsOf(world: World): MembershipDeps {
  const nodeOf = (address: string) =>
    world.nodes.find((sim) => sim.identity.info.address === address)
  return {
    domain: DOMAIN,
    membership: world.chain.membership,
    peers: {
      push: async (peer, message) =>
        (await nodeOf(peer.address)?.node?.handler.receive(message)) ?? 'later',
    },
    fetchOutput: async (peer) => {
      const sim = nodeOf(peer.address)
      const key = sim === undefined ? undefined : keyServiceOf(world, sim).inForce()
      return key === undefined ? undefined : encodeCertifiedBody(key)
    },
    fetchReport: async (self) => {
      const sim = nodeOf(self.address)
      if (sim?.node === undefined) throw unreachable(self.socket)
      const keys = keyServiceOf(world, sim)
      return {
        outputHash: keys.inForce()?.hash ?? null,
        shareHeld: keys.active() !== undefined,
        protocol: { leaving: sim.node.status().leaving },
      }
    },
  }
}

const unreachable = (endpoint: string) =>
  new EigenxError({
    code: 'AGENT_UNREACHABLE',
    message: 'The operator does not answer.',
    stage: 'agent',
    details: { endpoint },
  })

const keysOf = (world: World, index: number): OperatorKeys => {
  const { signer, info } = nodeAt(world, index).identity
  // No transaction is sent here.
  return { signer, signingKey: info.signingKey, account: privateKeyToAccount(generatePrivateKey()) }
}

describe('an operator that comes and goes', () => {
  let world: World
  let sealed: Sealed

  beforeAll(async () => {
    world = createWorld({ seed: 98, n: 3 })
    world.chain.members = createIdentities(3)
      .slice(0, 2)
      .map(({ info }) => info)
    await bootAll(world)
    const two = () =>
      [0, 1].every((i) => keyServiceOf(world, nodeAt(world, i)).active() !== undefined)
    await runUntil(world, two, 120)
    sealed = assertOneKey(world)
  })

  it('is told what is missing until it is registered and dealt in', async () => {
    const steps = async () =>
      (await checkJoin(depsOf(world), keysOf(world, 2))).steps.map(({ done }) => done)
    expect(await steps()).toEqual([false, false, false, false, false])
    world.chain.members = createIdentities(3).map(({ info }) => info)
    await runUntil(world, () => false, 16)
    expect(await steps()).toEqual([true, true, true, false, false])
    const registered = (count: number) =>
      world.chain.members.slice(0, count).map(({ address }) => address)
    await demandEnoughSharesToJoin(depsOf(world), registered(2))
    await expect(demandEnoughSharesToJoin(depsOf(world), registered(3))).rejects.toThrow(
      /need 3 shares, and 2 operators hold one/,
    )
    expect(await runUntil(world, allActive(world), 200)).toBe(true)
    expect(await checkJoin(depsOf(world), keysOf(world, 2))).toMatchObject({ joined: true })
    assertOneKey(world, sealed)
  })

  it.each<[string, (report: OwnReport) => Promise<OwnReport>]>([
    ['lost its share', async (report) => ({ ...report, shareHeld: false })],
    ['is behind', async (report) => ({ ...report, outputHash: `0x${'00'.repeat(32)}` })],
    ['does not answer', async () => Promise.reject(unreachable('http://127.0.0.1:1'))],
  ])('has not joined while its process %s, whatever the others dealt', async (_name, change) => {
    const deps = depsOf(world)
    const fetchReport = async (self: OperatorInfo) => change(await deps.fetchReport(self))
    const { steps, joined } = await checkJoin({ ...deps, fetchReport }, keysOf(world, 2))
    expect(steps.map(({ done }) => done)).toEqual([true, true, true, true, false])
    expect(joined).toBe(false)
  })

  it('is not kept from the truth by a peer that names a block to come', async () => {
    const deps = depsOf(world)
    const set = await deps.membership.current()
    const liar = nodeAt(world, 0).identity.info.address
    const at: MembershipDeps['membership']['at'] = (block) =>
      block.number > set.block.number
        ? Promise.reject(new Error('no such block yet'))
        : deps.membership.at(block)
    const inForce = await outputInForce(
      {
        ...deps,
        membership: { ...deps.membership, at },
        fetchOutput: async (peer) => {
          const body = await deps.fetchOutput(peer)
          if (peer.address !== liar || body === undefined) return body
          const { output, certificate } = parseCertifiedBody(body)
          const configBlock = { ...output.configBlock, number: 10n ** 9n }
          return encodeCertifiedBody({ output: { ...output, configBlock }, certificate })
        },
      },
      set,
    )
    expect(inForce).toMatchObject({ servedBy: 2 })
  })

  it('needs no provider with old state while the members are the same; then more of them must agree', async () => {
    const deps = depsOf(world)
    const set = await deps.membership.current()
    const forgotten = new EigenxError({
      code: 'CHAIN_UNAVAILABLE',
      message: 'missing trie node',
      stage: 'chain',
      details: { needed: 1, got: 0 },
    })
    const forgetful: MembershipDeps = {
      ...deps,
      membership: { ...deps.membership, at: () => Promise.reject(forgotten) },
    }
    const known = await outputInForce(deps, set)
    expect(known).toBeDefined()
    expect(await outputInForce(forgetful, set)).toEqual(known)
    // Two serve it: enough for three registered operators, too few for four.
    const [silent, second] = set.operators
    const two: MembershipDeps = {
      ...forgetful,
      fetchOutput: async (peer) => (peer === silent ? undefined : deps.fetchOutput(peer)),
    }
    const stranger = createIdentities(9).find(
      ({ info }) => !world.nodes.some((sim) => sim.identity.info.address === info.address),
    )?.info
    if (silent === undefined || second === undefined || stranger === undefined)
      throw new Error('there are more')
    expect(await outputInForce(two, set)).toMatchObject({ servedBy: 2 })
    const four = { ...set, operators: [...set.operators, stranger] }
    expect(await outputInForce(two, four)).toBeUndefined()
    // Another key of a member today says nothing about its signature then.
    const signingKey = stranger.signingKey
    const changed = { ...set, operators: [silent, { ...second, signingKey }] }
    expect(await outputInForce(forgetful, changed)).toBeUndefined()
  })

  it('notices that another signing key is registered', async () => {
    const keys = { ...keysOf(world, 2), signingKey: keysOf(world, 1).signingKey }
    const { steps, joined } = await checkJoin(depsOf(world), keys)
    expect(steps[1]?.done).toBe(false)
    expect(joined).toBe(false)
  })

  it('may not deregister before the others hold the key without it, and may after', async () => {
    const deps = depsOf(world)
    const { signer } = nodeAt(world, 2).identity
    expect(await dealtOutIn(deps, signer)).toBeUndefined()
    const input = { ...HOUR, now: world.chain.now() }
    expect(await announceLeave(deps, signer, input)).toBe(3)
    expect(await dealtOutIn(deps, signer)).toBeUndefined()
    await runUntil(world, () => false, 2)
    // A second one knows of the first from its own process, and once the first is dealt out from the output in force.
    const second = nodeAt(world, 1).identity.signer
    const tooFew = /need 2 shares while 3 operators are registered, and 1 would hold one/
    await expect(announceLeave(deps, second, input)).rejects.toThrow(tooFew)
    const out = () =>
      [0, 1].every((i) => keyServiceOf(world, nodeAt(world, i)).active()?.epoch === 2)
    expect(await runUntil(world, out, 200)).toBe(true)
    expect(await dealtOutIn(deps, signer)).toBe(2)
    const mute = { ...deps, fetchReport: () => Promise.reject(unreachable('http://127.0.0.1:1')) }
    await expect(announceLeave(mute, second, input)).rejects.toThrow(tooFew)
    // Who is dealt out may say so again.
    expect(await announceLeave(deps, signer, { ...input, holdsSeconds: 7200 })).toBe(3)
    expect(await demandDealtOut(deps, keysOf(world, 2))).toBe(2)
    await expect(demandDealtOut(deps, keysOf(world, 1))).rejects.toThrow(/may not deregister/)
    assertOneKey(world, sealed)
  })

  it('cannot leave when it is no member, or when clients would miss it', async () => {
    const deps = depsOf(world)
    const stranger = createIdentities(9).find(
      ({ info }) => !world.nodes.some((sim) => sim.identity.info.address === info.address),
    )
    if (stranger === undefined) throw new Error('nine identities')
    const now = world.chain.now()
    await expect(announceLeave(deps, stranger.signer, { ...HOUR, now })).rejects.toThrow(
      /not registered/,
    )
    const { signer } = nodeAt(world, 0).identity
    const small = (n: number): MembershipDeps => ({
      ...deps,
      membership: {
        ...deps.membership,
        current: async () => {
          const set = await world.chain.membership.current()
          return { ...set, operators: set.operators.slice(0, n) }
        },
      },
    })
    await expect(announceLeave(small(1), signer, { ...HOUR, now })).rejects.toThrow(/last one/)
    await expect(announceLeave(small(2), signer, { ...HOUR, now })).rejects.toThrow(/--force/)
    const long = { now, holdsSeconds: 8 * 86_400, force: true }
    await expect(announceLeave(deps, signer, long)).rejects.toThrow(/at most/)
    const deaf = { ...deps, peers: { push: () => Promise.reject(new Error('down')) } }
    await expect(announceLeave(deaf, signer, { ...HOUR, now, force: true })).rejects.toMatchObject({
      code: 'QUORUM_NOT_REACHED',
    })
  })

  it('believes no single operator about what is in force', async () => {
    const deps = depsOf(world)
    const set = await deps.membership.current()
    const honest = await outputInForce(deps, set)
    expect(honest?.certified.output.epoch).toBe(2)
    const [first] = set.operators
    const only: MembershipDeps = {
      ...deps,
      fetchOutput: (peer) =>
        peer === first ? deps.fetchOutput(peer) : Promise.reject(new Error('down')),
    }
    expect(await outputInForce(only, set)).toBeUndefined()
    const garbage = { ...deps, fetchOutput: async () => new Uint8Array([1, 8, 0]) }
    expect(await outputInForce(garbage, set)).toBeUndefined()
  })
})
