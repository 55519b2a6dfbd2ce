/** How each planned fault is done to a world, and undone. */
import { kill } from '../kms/epoch/kit.ts'
import { corrupt, LIE_NAMES, type LieName } from '../kms/epoch/lies.ts'
import { LEAVE_SECONDS } from '../kms/epoch/lies-keys.ts'
import { HEALTHY_RPC } from '../kms/epoch/sim-chain.ts'
import { clockOf, type SimNode, type World } from '../kms/epoch/world.ts'
import type { Ledger } from './ledger.ts'
import type { ChaosKind, Fault, FaultKind } from './plan.ts'

export type Undo = () => void | Promise<void>

/** A fault that touches one node, and how. */
type OnNode = (world: World, sim: SimNode, fault: Fault, ledger: Ledger) => Undo

const CLOCK_ERRORS_MS = [-3_600_000, -60_000, -1_000, 1_000, 60_000, 3_600_000]
const isLie = (kind: FaultKind): kind is LieName => LIE_NAMES.some((name) => name === kind)

const ON_NODE: Partial<Record<ChaosKind, OnNode>> = {
  'crash at a point': (_world, sim, { amount }) => {
    sim.fuse = 1 + (amount % 80)
    return () => {
      if (sim.fuse > 0) sim.fuse = Number.POSITIVE_INFINITY
    }
  },
  'off for a while': (_world, sim, _fault, ledger) => {
    kill(sim)
    ledger.heldDown.add(sim)
    return () => void ledger.heldDown.delete(sim)
  },
  'hung peer': (_world, sim) => {
    sim.hangs = true
    return () => {
      sim.hangs = false
    }
  },
  'provider behind': (_world, sim, { amount }) =>
    withRpc(sim, { ...HEALTHY_RPC, behind: 1 + (amount % 20) }),
  'provider down': (_world, sim) => withRpc(sim, { ...HEALTHY_RPC, down: true }),
  'transactions refused': (_world, sim) => withRpc(sim, { ...HEALTHY_RPC, refuses: true }),
  'disk full': (_world, sim, { amount }) => {
    sim.diskSpace = amount % 40
    return () => {
      sim.diskSpace = Number.POSITIVE_INFINITY
    }
  },
  'clock off': (_world, sim, { amount }) => {
    sim.skewMs = CLOCK_ERRORS_MS[amount % CLOCK_ERRORS_MS.length] ?? 0
    return () => {
      sim.skewMs = 0
    }
  },
  'clock stopped': (world, sim) => {
    sim.frozenAt = clockOf(world, sim)
    return () => {
      sim.frozenAt = undefined
    }
  },
}

function withRpc(sim: SimNode, rpc: SimNode['rpc']): Undo {
  sim.rpc = rpc
  return () => {
    sim.rpc = HEALTHY_RPC
  }
}

/** What befalls the network, the chain or everybody. */
const ON_ALL: Partial<Record<ChaosKind, (world: World, fault: Fault, ledger: Ledger) => Undo>> = {
  'messages lost': (world, { amount, mode }) => {
    world.loss = (mode === 'lies' ? 0.15 : 0.6) * (amount / 1000)
    return () => {
      world.loss = 0
    }
  },
  'messages slow and overtaking': (world, { amount, mode }) => {
    world.delayMs = 500 + (mode === 'lies' ? 1 : 6) * amount
    return () => {
      world.delayMs = 0
    }
  },
  'messages repeated': (world) => {
    world.repeats = 0.3
    return () => {
      world.repeats = 0
    }
  },
  partition: (world, { amount }) => {
    // Every pattern of sides, the one without a majority among them.
    const side = (address: string) => (amount >> (placeOf(world, address) % 9)) & 1
    world.partition = (from, to) => side(from) !== side(to)
    return () => {
      world.partition = () => false
    }
  },
  'one-way link loss': (world, { who, amount }) => {
    const [from, to] = [who % world.nodes.length, amount % world.nodes.length]
    world.partition = (a, b) => placeOf(world, a) === from && placeOf(world, b) === to
    return () => {
      world.partition = () => false
    }
  },
  reorganisation: (world, { who, amount }) => {
    world.chain.reorg(1 + (amount % 6), who % 2 === 0 ? 'gone' : 'reversed')
    return () => undefined
  },
  'transactions stuck': (world) => {
    world.chain.stuck = true
    return () => {
      world.chain.stuck = false
    }
  },
  'finality stalled': (world) => {
    world.chain.finalityStalled = true
    return () => {
      world.chain.finalityStalled = false
    }
  },
  'crash of all at one point': (world, { amount }) => {
    for (const sim of world.nodes) sim.fuse = 1 + (amount % 80)
    return () => {
      for (const sim of world.nodes) if (sim.fuse > 0) sim.fuse = Number.POSITIVE_INFINITY
    }
  },
  'rolling restart': (world, { span }) => {
    const begun = world.clock
    const gap = (span * 1000) / world.nodes.length
    for (const [i, sim] of world.nodes.entries())
      world.timers.push({ at: begun + i * gap, run: () => void (sim.node && kill(sim)) })
    return () => undefined
  },
}

const placeOf = (world: World, address: string): number =>
  world.nodes.findIndex((sim) => sim.identity.info.address === address)

/** In a slot of lies these would keep complaints from the chain for as long as the window is open. */
const NEVER_WITH_LIES: readonly FaultKind[] = [
  'partition',
  'transactions stuck',
  'crash of all at one point',
  'finality stalled',
  'rolling restart',
]

/** Begins a fault of the network, the chain or single nodes. @returns How to end it; `undefined` when it may not happen now. */
export function beginFault(world: World, fault: Fault, ledger: Ledger): Undo | undefined {
  const { kind, mode, who } = fault
  const member = ledger.memberAt(who)
  if (isLie(kind)) {
    if (member === undefined || !ledger.mayFail(member)) return undefined
    const isWandering = kind === 'leaves and returns'
    if (isWandering && !ledger.mayWander(member)) return undefined
    ledger.liars.add(member)
    if (isWandering) ledger.wandering.set(member, { until: Number.POSITIVE_INFINITY, outputs: 0 })
    const reform = corrupt(world, member, kind)
    const isProvable = kind.startsWith('deals wrong shares')
    if (isProvable) ledger.suspect(member)
    return () => {
      if (isProvable) ledger.suspect(member)
      if (kind.startsWith('announces')) ledger.mistaken(member)
      // The last set without it may be on its way.
      if (isWandering)
        ledger.wandering.set(member, {
          until: world.chain.now() + LEAVE_SECONDS,
          outputs: world.witness.history.length + 2,
        })
      ledger.liars.delete(member)
      reform()
    }
  }
  if (mode === 'lies' && NEVER_WITH_LIES.includes(kind)) return undefined
  const onAll = ON_ALL[kind as ChaosKind]
  if (onAll !== undefined) return onAll(world, fault, ledger)
  const onNode = ON_NODE[kind as ChaosKind]
  const sim = world.nodes[who % world.nodes.length]
  if (onNode === undefined || sim?.node === undefined) return undefined
  if (mode === 'lies' && !ledger.mayFail(sim)) return undefined
  ledger.troubled.add(sim)
  const undo = onNode(world, sim, fault, ledger)
  return () => {
    ledger.troubled.delete(sim)
    return undo()
  }
}
