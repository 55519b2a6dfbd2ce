/** A simulated world as data: `kit.ts` runs it, `sim-ports.ts` connects nodes to it, `invariants.ts` looks at it. */
import type { EpochNode } from '../../../kms/epoch/driver.ts'
import type { EpochReport, SignerPort } from '../../../kms/epoch/ports.ts'
import type { EpochOptions } from '../../../kms/epoch/state.ts'
import { createKeyService, type KeyRing } from '../../../kms/keys.ts'
import type { MemoryMedium } from '../../../kms/store/memory.ts'
import type { Address, Hash32, OperatorInfo } from '../../../sdk/chain/types.ts'
import type { Setup } from '../../../sdk/protocol/terms.ts'
import type { Output, Terms } from '../../../sdk/protocol/types.ts'
import type { Rpc, SimChain } from './sim-chain.ts'

export type Identity = { info: OperatorInfo; privateKey: Uint8Array; signer: SignerPort }

/** What a lying member does to a message before it leaves, by receiver. `undefined`: nothing is sent. */
export type Tamper = (
  message: Uint8Array,
  receiver: Address,
) => Promise<Uint8Array | undefined> | Uint8Array | undefined

/** Where a node can crash. */
export type Moment =
  | { at: 'commit'; when: 'before' | 'after' }
  | { at: 'push'; message: Uint8Array }
  | { at: 'post' }

export type SimNode = {
  identity: Identity
  medium: MemoryMedium
  node: EpochNode | undefined
  /** Crash when it reaches zero: counts down at each commit (twice) and each push, post and complaint. */
  fuse: number
  /** Crashes at the first moment of which it says so. */
  crashAt: ((moment: Moment) => boolean) | undefined
  restarts: number
  tamper: Tamper | undefined
  /** Refuses to serve bodies. */
  withholds: boolean
  /** What it answers who asks for its encryption key, in the place of its node. */
  announces: ((asker: Address) => Promise<Uint8Array | undefined>) | undefined
  /** Lies that it told so far: what it changed or kept back, said to somebody, or wrote to the chain. */
  lied: number
  /** What a lying member does at every turn. */
  act: (() => Promise<void>) | undefined
  /** It is not done with what it did in an earlier turn. */
  isActing: boolean
  /** Accepts connections and never answers. */
  hangs: boolean
  /** What it says to peers is lost on the way; it hears, fetches and writes to the chain. */
  muted: boolean
  /** What its clock shows beyond the world's, milliseconds. */
  skewMs: number
  /** A clock that stands still shows this. */
  frozenAt: number | undefined
  /** Commits to come until the disk is full. */
  diskSpace: number
  rpc: Rpc
  /** How often it looked at its clock in this turn. */
  clockReads: number
}

export type Dice = { chance(probability: number): boolean; below(limit: number): number }

/** What the runs so far have shown; grows with every look. */
export type Witness = {
  /** Verified settled outputs, in the order in which they were first seen. */
  settled: Map<Hash32, Output>
  winners: Map<number, Hash32>
  /** Outputs of the log that are what they say, settled or not. */
  sound: Map<Hash32, Output>
  /** Winners by epoch, the newest last. */
  history: { hash: Hash32; output: Output }[]
  /** Shares that were found to fit, by operator and output, and in which of its lives. */
  shares: Map<Address, { life: number; fitting: Map<Hash32, bigint> }>
  /** Settled outputs that were not compared with their dealings yet, and how many were. */
  unread: Hash32[]
  compared: number
  /** Shares found past their time at the last look. */
  overdue: ReadonlySet<string>
  /** Complaints of the log that were judged. */
  judged: Set<string>
  /** Dealers that complaints of the log prove to have lied, and in which epoch last. */
  convicted: Map<Address, number>
  /** Dealings that honest members have sent. */
  dealt: Set<Hash32>
  /** What was seen on the way that must not be: promises without what they promise on the disk, work without end. */
  violations: string[]
  looks: number
}

export function createWitness(): Witness {
  return {
    settled: new Map(),
    winners: new Map(),
    sound: new Map(),
    history: [],
    shares: new Map(),
    unread: [],
    compared: 0,
    overdue: new Set(),
    judged: new Set(),
    convicted: new Map(),
    dealt: new Set(),
    violations: [],
    looks: 0,
  }
}

export type World = {
  seed: number
  chain: SimChain
  nodes: SimNode[]
  dice: Dice
  /** Probability that a push or fetch fails. */
  loss: number
  /** A message takes up to so long, so messages overtake each other. Milliseconds. */
  delayMs: number
  /** Probability that a message arrives a second time, up to a minute later. */
  repeats: number
  partition: (from: Address, to: Address) => boolean
  options: EpochOptions
  reports: (EpochReport & { node: Address })[]
  /** Who has ever lied: nobody else may be convicted. */
  liars: Set<Address>
  /** What liars can build on: they talk to each other. */
  overheard: {
    terms: Map<Hash32, Terms>
    setup: Setup | undefined
    candidate: { sid: Hash32; output: Uint8Array } | undefined
  }
  /** What the invariants have seen. */
  witness: Witness
  /** Milliseconds. */
  clock: number
  /** What waits for the clock. */
  timers: { at: number; run(): void }[]
}

/** What a node's clock shows. */
export function clockOf(world: World, sim: SimNode): number {
  return sim.frozenAt ?? world.clock + sim.skewMs
}

/** Resolves when the world's clock is so much later. */
export function later(world: World, ms: number): Promise<void> {
  return new Promise((run) => {
    world.timers.push({ at: world.clock + ms, run })
  })
}

/** What a node holds; nothing while it is down. */
export function ringOf(sim: SimNode): KeyRing {
  return sim.node?.keyRing() ?? { outputs: [], shares: new Map(), keptSince: 0 }
}

export function keyServiceOf(world: World, sim: SimNode) {
  return createKeyService({
    keyRing: () => ringOf(sim),
    clock: () => clockOf(world, sim),
  })
}
