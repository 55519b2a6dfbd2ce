/** Who is registered, who is in trouble, and so what the protocol must still be able to do. */

import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { thresholdOf } from '../../sdk/crypto/bls.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { parseCertifiedBody } from '../../sdk/protocol/output.ts'
import { isAbsent } from '../../sdk/protocol/terms.ts'
import type { Output } from '../../sdk/protocol/types.ts'
import { activeHash } from '../kms/epoch/kit.ts'
import type { SimNode, World } from '../kms/epoch/world.ts'

export type Ledger = {
  /** In the operator set on the chain. */
  registered: Set<SimNode>
  /** Announced to go, and until when that holds (Unix seconds). */
  leaves: Map<SimNode, number>
  isLeaving(sim: SimNode): boolean
  /** Lie now. */
  liars: Set<SimNode>
  /** Have a fault of their own now. */
  troubled: Set<SimNode>
  /** Are not started again until this is over. */
  heldDown: Set<SimNode>
  /** Lost what they need: until they hold the newest share again, and there are so many outputs. */
  damaged: Map<SimNode, number>
  /** Others may know a key of this one that it does not have: its own reaches all within two epochs. */
  mistaken(sim: SimNode): void
  /** Goes and comes back at will, so that sets to come may be without it; and until that is over (Unix seconds, number of outputs). */
  wandering: Map<SimNode, { until: number; outputs: number }>
  newest(): Hash32 | undefined
  /** A node that holds a share of the newest output and stays. */
  memberAt(index: number): SimNode | undefined
  /** Whether, with this one, no more are in trouble than the sets in force and to come can bear. */
  mayFail(sim: SimNode): boolean
  /** Whether the others could do without this one and bear those that are in trouble now. */
  mayWander(sim: SimNode): boolean
  /** Whether this set could bear those that are in trouble now. */
  mayBecome(coming: ReadonlySet<SimNode>): boolean
  /** Faulty whatever happens: nobody waits for them. */
  isExcused(sim: SimNode): boolean
  /** May be convicted for what it deals now, sooner or later: then it deals no more for a while. */
  suspect(sim: SimNode): void
  /** Takes note of who has recovered. */
  review(): void
}

/** Longer than a convicted dealer is barred. */
const BARRED_OUTPUTS = 10

export function createLedger(world: World): Ledger {
  const addressOf = (sim: SimNode): Address => sim.identity.info.address
  /** By dealer that is convicted or will be, how many outputs there were then. */
  const barred = new Map<Address, number>()
  const newestOutput = () => world.witness.history.at(-1)
  const isBarred = (sim: SimNode): boolean => {
    const since = barred.get(addressOf(sim))
    return since !== undefined && world.witness.history.length - since <= BARRED_OUTPUTS
  }
  /** Who was not to be reached when the last outputs were made holds no share of them, maybe for one epoch. */
  const withoutShare = (): ReadonlySet<Address> =>
    new Set(
      [...postedOutputs(world), ...[newestOutput()?.output ?? []].flat()].flatMap(({ members }) =>
        members.filter(isAbsent).map(({ address }) => address),
      ),
    )
  const mayGo = (sim: SimNode): boolean => ledger.wandering.has(sim) || ledger.isLeaving(sim)
  /** Whoever may go is not to be counted on: the worst that a set can become has lost all of them but those that fail. */
  const canBear = (set: ReadonlySet<SimNode>, one: SimNode | undefined): boolean => {
    const without = withoutShare()
    const fails = (sim: SimNode): boolean =>
      sim === one ||
      ledger.isExcused(sim) ||
      ledger.troubled.has(sim) ||
      isBarred(sim) ||
      without.has(addressOf(sim))
    const left = [...set].filter((sim) => fails(sim) || !mayGo(sim))
    const failing = left.filter(fails)
    return failing.length === 0 || failing.length <= left.length - thresholdOf(left.length)
  }
  const somebodyStays = (set: ReadonlySet<SimNode>): boolean => [...set].some((sim) => !mayGo(sim))
  const ledger: Ledger = {
    registered: new Set(),
    leaves: new Map(),
    isLeaving: (sim) => (ledger.leaves.get(sim) ?? 0) >= world.chain.finalTime(),
    liars: new Set(),
    troubled: new Set(),
    heldDown: new Set(),
    damaged: new Map(),
    wandering: new Map(),
    mistaken: (sim) => void ledger.damaged.set(sim, world.witness.history.length + 2),
    newest: () => newestOutput()?.hash,
    memberAt: (index) => {
      const members = world.nodes.filter((sim) => isMember(world, sim, ledger))
      return members[index % Math.max(1, members.length)]
    },
    isExcused: (sim) =>
      ledger.liars.has(sim) || ledger.damaged.has(sim) || ledger.heldDown.has(sim),
    mayFail: (sim) => {
      const newest = newestOutput()?.output
      // What is posted and not final yet may come into force when whoever it left out is leaving no more.
      const outputs = [...postedOutputs(world), ...(newest === undefined ? [] : [newest])]
      const made = outputs.map(({ members }) => {
        const addresses = new Set(members.map(({ address }) => address))
        return new Set(world.nodes.filter((other) => addresses.has(addressOf(other))))
      })
      return [...made, ledger.registered].every((set) => canBear(set, sim))
    },
    mayWander: (sim) =>
      ledger.mayBecome(new Set([...ledger.registered].filter((other) => other !== sim))),
    mayBecome: (coming) => somebodyStays(coming) && canBear(coming, undefined),
    suspect: (sim) => void barred.set(addressOf(sim), world.witness.history.length),
    review: () => {
      const newest = ledger.newest()
      const outputs = world.witness.history.length
      for (const [sim, least] of ledger.damaged)
        if (outputs >= least && newest !== undefined && activeHash(world, sim) === newest)
          ledger.damaged.delete(sim)
      for (const [sim, { until, outputs: least }] of ledger.wandering)
        if (world.chain.finalTime() > until && outputs >= least) ledger.wandering.delete(sim)
      for (const dealer of world.witness.convicted.keys())
        barred.set(dealer, world.witness.history.length)
      world.witness.convicted.clear()
    },
  }
  return ledger
}

/** The last ones, final or not. What strangers and liars post can only make the ledger more careful. */
function postedOutputs(world: World): Output[] {
  return world.chain
    .entries()
    .slice(-3)
    .flatMap(({ body }) => {
      try {
        return [parseCertifiedBody(body).output]
      } catch (error) {
        if (isEigenxError(error)) return []
        throw error
      }
    })
}

function isMember(world: World, sim: SimNode, ledger: Ledger): boolean {
  const newest = world.witness.history.at(-1)?.output
  const { address } = sim.identity.info
  return (
    ledger.registered.has(sim) &&
    !ledger.isLeaving(sim) &&
    (newest === undefined || newest.members.some((member) => member.address === address))
  )
}
