/**
 * A deterministic world for epoch nodes: a chain with finality and reorgs, a lossy network, disks that crash, a
 * virtual clock, and members that lie. Nothing sleeps; the same seed gives the same run.
 */

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { openEpochNode } from '../../../kms/epoch/driver.ts'
import type { EpochOptions } from '../../../kms/epoch/state.ts'
import { createMemoryMedium } from '../../../kms/store/memory.ts'
import { toHex, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../../../sdk/chain/types.ts'
import { partialSign } from '../../../sdk/crypto/bls.ts'
import { decryptWithAppKey, encryptForApp } from '../../../sdk/crypto/ibe.ts'
import { recombine } from '../../../sdk/crypto/recombine.ts'
import { bn254PublicKey, signBn254 } from '../../../sdk/protocol/bn254.ts'
import { sortByAddress } from '../../../sdk/protocol/codec.ts'
import { signStatement, statementDigest } from '../../../sdk/protocol/digest.ts'
import { publicSharesOf, verifyCertifiedBody } from '../../../sdk/protocol/output.ts'
import type { Output } from '../../../sdk/protocol/types.ts'
import { assertInvariants } from './invariants.ts'
import { ChainDown, createChain, DOMAIN, HEALTHY_RPC } from './sim-chain.ts'
import { Crash, depsOf, seededRng } from './sim-ports.ts'
import {
  createWitness,
  type Dice,
  type Identity,
  keyServiceOf,
  type SimNode,
  type World,
} from './world.ts'

export type { Identity, SimNode, World } from './world.ts'
export { DOMAIN, keyServiceOf, seededRng }

const OPTIONS: EpochOptions = {
  genesis: true,
  postSeconds: 6,
  vetoSeconds: 6,
  finalitySeconds: 4,
  graceSeconds: 20,
  slotMs: 4_000,
  patienceMs: 4_000,
  sessionMs: 40_000,
  reshareSeconds: 0,
  keyRotationSeconds: 0,
}

export function seededDice(seed: number, name: string): Dice {
  const rng = seededRng(seed, name)
  const unit = () => Number(BigInt(toHex(rng(6)))) / 2 ** 48
  return { chance: (p) => unit() < p, below: (limit) => Math.floor(unit() * limit) }
}

type Curve = OperatorInfo['signingKey']['curve']

function createIdentity(index: number, curve: Curve): Identity {
  const privateKey = sha256(utf8ToBytes(`operator ${index}`))
  const publicKey = secp256k1.getPublicKey(privateKey, false)
  const address: Address = toHex(keccak_256(publicKey.subarray(1)).subarray(12))
  const signingKey: OperatorInfo['signingKey'] =
    curve === 'ecdsa'
      ? { curve, address }
      : { curve, ...bn254PublicKey(privateKey.map((byte, i) => (i === 0 ? byte & 0x1f : byte))) }
  const sign = (statement: Uint8Array) =>
    curve === 'ecdsa'
      ? signStatement(privateKey, statement)
      : signBn254(
          privateKey.map((byte, i) => (i === 0 ? byte & 0x1f : byte)),
          statementDigest(statement),
        )
  return {
    info: { address, socket: `http://${index}`, signingKey },
    privateKey,
    signer: { operator: address, sign: async (statement) => sign(statement) },
  }
}

export function createIdentities(n: number, curve: Curve = 'ecdsa'): Identity[] {
  return sortByAddress(
    Array.from({ length: n }, (_, i) => createIdentity(i, curve)),
    (identity) => identity.info.address,
  )
}

export function createWorld(input: {
  seed: number
  n: number
  loss?: number
  depth?: number
  options?: Partial<EpochOptions>
  curve?: Curve
}): World {
  const identities = createIdentities(input.n, input.curve)
  const start = 1_800_000_000
  const world: World = {
    seed: input.seed,
    chain: createChain(
      identities.map(({ info }) => info),
      input.depth ?? 2,
      start,
    ),
    nodes: identities.map((identity) => ({
      identity,
      medium: createMemoryMedium(),
      node: undefined,
      fuse: Number.POSITIVE_INFINITY,
      crashAt: undefined,
      restarts: 0,
      tamper: undefined,
      withholds: false,
      announces: undefined,
      lied: 0,
      act: undefined,
      isActing: false,
      hangs: false,
      muted: false,
      skewMs: 0,
      frozenAt: undefined,
      diskSpace: Number.POSITIVE_INFINITY,
      rpc: HEALTHY_RPC,
      clockReads: 0,
    })),
    dice: seededDice(input.seed, 'world'),
    loss: input.loss ?? 0,
    delayMs: 0,
    repeats: 0,
    partition: () => false,
    options: { ...OPTIONS, ...input.options },
    reports: [],
    liars: new Set(),
    overheard: { terms: new Map(), setup: undefined, candidate: undefined },
    witness: createWitness(),
    clock: start * 1000,
    timers: [],
  }
  return world
}

export async function boot(world: World, sim: SimNode): Promise<void> {
  sim.restarts += 1
  if (sim.fuse <= 0) sim.fuse = Number.POSITIVE_INFINITY
  try {
    sim.node = await openEpochNode(depsOf(world, sim), world.options)
  } catch (error) {
    if (!(error instanceof Crash)) throw error
    sim.node = undefined
  }
}

export function kill(sim: SimNode): void {
  sim.node?.close()
  sim.node = undefined
  sim.restarts += 1
}

const TURN_MS = 500

/** A virtual half second, or so much: blocks come when their time is; every live node looks and acts. */
export async function turn(world: World, ms = TURN_MS): Promise<void> {
  world.clock += ms
  for (const sim of world.nodes) sim.clockReads = 0
  while ((world.chain.now() + 2) * 1000 <= world.clock) world.chain.mine()
  const due = world.timers.filter(({ at }) => at <= world.clock)
  world.timers = world.timers.filter(({ at }) => at > world.clock)
  for (const { run } of due) run()
  await settle()
  for (const sim of world.nodes) {
    const { node } = sim
    if (node === undefined) continue
    const looked = node.tick().catch((error: unknown) => error)
    await settle()
    const error = await looked
    const isExpected = error instanceof ChainDown || error instanceof Crash
    if (error !== undefined && !isExpected && node.failure() === undefined) throw error
    if (sim.node !== undefined && node.failure() !== undefined) kill(sim)
    if (sim.act === undefined) continue
    act(world, sim, sim.act)
    await settle()
  }
}

/** Whom a liar tells something may have to ask others first, and one that hangs for as long as it takes: the world does not wait. */
function act(world: World, sim: SimNode, lie: () => Promise<void>): void {
  if (sim.isActing) return
  sim.isActing = true
  lie()
    .catch((error: unknown) => {
      world.witness.violations.push(`a lie failed: ${error instanceof Error ? error.stack : error}`)
    })
    .finally(() => {
      sim.isActing = false
    })
}

/**
 * Until nothing can go on before the clock does. Nodes wait for timers of the world or for nothing at all, so when the event loop has
 * a turn for others, all that is left waits for the clock.
 */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The invariants are asserted after every turn. */
export async function runUntil(
  world: World,
  done: () => boolean,
  turns: number,
  between: () => Promise<void> = async () => undefined,
  turnMs = TURN_MS,
): Promise<boolean> {
  for (let i = 0; i < turns; i++) {
    if (done()) return true
    await turn(world, turnMs)
    assertInvariants(world)
    await between()
  }
  return done()
}

/** Between turns: once there is a key, enough of the running nodes serve it, whatever the phase. */
export function serviceWatch(world: World): () => Promise<void> {
  let served = false
  return async () => {
    const services = world.nodes.flatMap((sim) =>
      sim.node === undefined ? [] : [keyServiceOf(world, sim)],
    )
    const inForce = services.map((service) => service.inForce())
    const threshold = inForce.find((output) => output !== undefined)?.output.threshold
    if (threshold === undefined) {
      if (served) throw new Error(`seed ${world.seed}: the key is gone`)
      return
    }
    const serving = services.filter((service) => service.active() !== undefined).length
    served ||= serving >= threshold
    if (served && serving < threshold)
      throw new Error(`seed ${world.seed}: ${serving} serve, ${threshold} needed`)
  }
}

export function activeHash(world: World, sim: SimNode): Hash32 | undefined {
  return keyServiceOf(world, sim).active()?.hash
}

/** All of these nodes that have an active version hold shares of one output; t of them open a ciphertext. */
export function assertOneKey(world: World, sealed?: Sealed, who = world.nodes): Sealed {
  const active = who.flatMap((sim) => {
    const version = sim.node === undefined ? undefined : keyServiceOf(world, sim).active()
    return version === undefined ? [] : [{ operator: sim.identity.info.address, version }]
  })
  const [first] = active
  if (first === undefined) throw new Error(`seed ${world.seed}: no node is active`)
  const { output, hash } = first.version
  for (const { version } of active)
    if (version.hash !== hash) throw new Error(`seed ${world.seed}: two outputs are active`)
  if (active.length < output.threshold)
    throw new Error(`seed ${world.seed}: ${active.length} shares, ${output.threshold} needed`)
  const [entry] = world.chain.entriesNamed(hash)
  if (entry === undefined) throw new Error(`seed ${world.seed}: the output is not in the log`)
  const members = world.chain.membersAt(output.configBlock.number)
  verifyCertifiedBody({ body: entry.body, domain: DOMAIN, members })
  const secret = sealed ?? seal(output.mpk)
  const holders = active.map(({ operator, version }) => ({ operator, share: version.share }))
  assertOpens(world, output, holders, secret)
  return secret
}

/**
 * The last t and the first t open it: with more than t shares these are different sets. With liars among all that answer it opens as well.
 * @param liars - Operators that answer with another's part of the key.
 */
export function assertOpens(
  world: World,
  output: Output,
  holders: readonly { operator: Address; share: bigint }[],
  sealed: Sealed,
  liars: ReadonlySet<Address> = new Set(),
): void {
  const { threshold, mpk } = output
  const answers = holders.map(({ operator, share }) => ({
    operator,
    partial: partialSign(liars.has(operator) ? share + 1n : share, APP),
  }))
  const honest = answers.filter(({ operator }) => !liars.has(operator))
  const subsets = [honest.slice(0, threshold), honest.slice(-threshold)]
  for (const partials of liars.size === 0 ? subsets : [...subsets, answers]) {
    const { appKey } = recombine({
      appId: APP,
      masterPublicKey: mpk,
      threshold,
      publicShares: publicSharesOf(output),
      partials,
    })
    const opened = decryptWithAppKey({ appKey, appId: APP, ciphertext: sealed.ciphertext })
    if (toHex(opened) !== toHex(PLAINTEXT)) throw new Error(`seed ${world.seed}: wrong plaintext`)
  }
}

const APP = '0x00000000000000000000000000000000000000aa'
const PLAINTEXT = utf8ToBytes('still readable')
export type Sealed = { ciphertext: Uint8Array }

export function seal(masterPublicKey: Uint8Array): Sealed {
  return { ciphertext: encryptForApp({ masterPublicKey, appId: APP, plaintext: PLAINTEXT }) }
}

export async function bootAll(world: World): Promise<void> {
  for (const sim of world.nodes) if (sim.node === undefined) await boot(world, sim)
}

export const allActive = (world: World) => (): boolean =>
  world.nodes.every((sim) => sim.node !== undefined && activeHash(world, sim) !== undefined)

export function nodeAt(world: World, index: number): SimNode {
  const sim = world.nodes[index]
  if (sim === undefined) throw new RangeError('no such node')
  return sim
}

/** Restarts what crashed after four turns. */
export function reviver(world: World): () => Promise<void> {
  const downFor = new Map<number, number>()
  return async () => {
    for (const [i, sim] of world.nodes.entries()) {
      if (sim.node !== undefined) continue
      const turns = (downFor.get(i) ?? 0) + 1
      downFor.set(i, turns % 4)
      if (turns === 4) await boot(world, sim)
    }
  }
}
