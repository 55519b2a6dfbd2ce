/** A simulated world as data: `kit.ts` runs it, `invariants.ts` looks at it. */
import type { EpochNode } from '../../../kms/epoch/driver.ts'
import type { EpochReport, SignerPort } from '../../../kms/epoch/ports.ts'
import type { EpochOptions } from '../../../kms/epoch/state.ts'
import { createKeyService } from '../../../kms/keys.ts'
import type { MemoryMedium } from '../../../kms/store/memory.ts'
import type { Address, Hash32, OperatorInfo } from '../../../sdk/chain/types.ts'
import type { Output } from '../../../sdk/protocol/types.ts'
import type { SimChain } from './sim-chain.ts'

export type Identity = { info: OperatorInfo; privateKey: Uint8Array; signer: SignerPort }

/** What a lying member does to a message before it leaves, by receiver. `undefined`: nothing is sent. */
export type Tamper = (
  message: Uint8Array,
  receiver: Address,
) => Promise<Uint8Array | undefined> | Uint8Array | undefined

export type SimNode = {
  identity: Identity
  medium: MemoryMedium
  node: EpochNode | undefined
  /** Crash when it reaches zero: counts down at each commit (twice) and each push, post and complaint. */
  fuse: number
  restarts: number
  tamper: Tamper | undefined
  /** Refuses to serve bodies. */
  withholds: boolean
}

export type Dice = { chance(probability: number): boolean; below(limit: number): number }

/** What the runs so far have shown; grows with every look. */
export type Witness = {
  /** Verified settled outputs. */
  settled: Map<Hash32, Output>
  winners: Map<number, Hash32>
  /** `operator/output/share` that fit together. */
  shares: Set<string>
  /** `output/dealing` whose constant terms were compared. */
  dealings: Set<string>
  /** Shares found past their time at the last look. */
  overdue: ReadonlySet<string>
  looks: number
}

export function createWitness(): Witness {
  return {
    settled: new Map(),
    winners: new Map(),
    shares: new Set(),
    dealings: new Set(),
    overdue: new Set(),
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
  partition: (from: Address, to: Address) => boolean
  options: EpochOptions
  reports: (EpochReport & { node: Address })[]
  /** What the invariants have seen. */
  witness: Witness
  /** Milliseconds. */
  clock: number
}

export function keyServiceOf(world: World, sim: SimNode) {
  return createKeyService({
    keyRing: () => sim.node?.keyRing() ?? { outputs: [], shares: new Map() },
    clock: () => world.clock,
  })
}
