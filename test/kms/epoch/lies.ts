/** The lies that a byzantine member can tell in a reshare, by name: for scenarios and for the soak. */
import { equalBytes } from '../../../sdk/bytes.ts'
import type { Address } from '../../../sdk/chain/types.ts'
import { randomScalar } from '../../../sdk/crypto/bls.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { encodeComplaint, makeComplaint } from '../../../sdk/protocol/complaint.ts'
import { type Dealing, parseDealing } from '../../../sdk/protocol/dealing.ts'
import { dealsInstead, encryptionSecretsOf, forgeDealing, signedBy, spoilShare } from './liars.ts'
import { type Act, actsOnLog } from './lies-chain.ts'
import { fillsPlaces, namesForeignDealings } from './lies-dealings.ts'
import {
  convictsItself,
  floodsCandidates,
  floodsComplaints,
  takesAllPlaces,
} from './lies-floods.ts'
import {
  announcesEverNew,
  announcesNoKey,
  announcesToEachAnother,
  leavesAndReturns,
} from './lies-keys.ts'
import { floodsSessions, proposesTo } from './lies-proposer.ts'
import { seededRng } from './sim-ports.ts'
import type { SimNode, Tamper, World } from './world.ts'

export type Lie = {
  /** What becomes of each message. */
  tamper?: Tamper
  /** Keeps the bodies that it has. */
  withholds?: boolean
  /** What it answers who asks for its encryption key. */
  announces?: SimNode['announces']
  /** What it does at every turn beside. */
  act?: Act
  /** Undoes what it did to others. */
  end?: () => void
}

type Liar = { world: World; sim: SimNode; rng: (length: number) => Uint8Array; dice: Dice }
type Dice = World['dice']

export const LIES = {
  /** Two good dealings, each to a half. */
  equivocates: (liar) => {
    const forged = new Map<string, Promise<Dealing>>()
    return {
      tamper: dealsInstead(liar.sim, async (dealing, receiver) => {
        if (placeOf(liar.world, receiver) % 2 === 0) return dealing
        const known = forged.get(dealing.sid) ?? reforge(liar, dealing, {})
        forged.set(dealing.sid, known)
        return known
      }),
    }
  },
  /** To some of the others. */
  'deals wrong shares': (liar) => spoilsFor(liar, () => liar.dice.chance(0.5)),
  /** To those that are not there to see it. */
  'deals wrong shares to the absent': (liar) =>
    spoilsFor(liar, (sim) => sim.node === undefined || sim.hangs),
  /** To one whose complaint the others do not hear: it must go to the chain. */
  'deals wrong shares to the silenced': (liar) => {
    const others = liar.world.nodes.filter((sim) => sim !== liar.sim && sim.node !== undefined)
    const victim = others[liar.dice.below(Math.max(1, others.length))]
    if (victim !== undefined) victim.muted = true
    const end = () => {
      if (victim !== undefined) victim.muted = false
    }
    return { ...spoilsFor(liar, (sim) => sim === victim), end }
  },
  'deals too high a degree': (liar) => forges(liar, { degree: 1 }),
  'deals too low a degree': (liar) => forges(liar, { degree: -1 }),
  'deals a stale share': (liar) => {
    const old = [...(liar.sim.node?.keyRing().shares ?? [])]
    return forges(liar, { constant: (prev) => old.findLast(([hash]) => hash !== prev)?.[1] })
  },
  'deals a random constant': (liar) => forges(liar, { constant: () => randomScalar(liar.rng) }),
  'withholds bodies': (liar) => ({
    withholds: true,
    tamper: dealsInstead(liar.sim, async (dealing) =>
      liar.dice.chance(0.5) ? dealing : undefined,
    ),
  }),
  'complains falsely': (liar) => ({ tamper: complainsFalsely(liar) }),
  'sends garbage': ({ rng }) => ({
    tamper: (message) => {
      const [choice = 0, at = 0] = rng(2)
      if (choice < 60) return rng(200)
      if (choice < 120) return message.slice(0, -1)
      if (choice < 200) return message.map((byte, i) => (i === at % message.length ? ~byte : byte))
      return message
    },
  }),
  'says nothing': () => ({ withholds: true, tamper: () => undefined }),
  'proposes what nobody can check': (liar) => proposesTo(liar, 'unavailable'),
  'proposes differently to everyone': (liar) => proposesTo(liar, 'different'),
  'proposes nonsense': (liar) => proposesTo(liar, 'nonsense'),
  'proposes dealings of other sessions': (liar) => namesForeignDealings(liar),
  "fills the others' places": (liar) => fillsPlaces(liar),
  'floods with candidates': (liar) => floodsCandidates(liar),
  'takes all places for candidates': (liar) => takesAllPlaces(liar),
  /** And proves it to some alone. */
  'deals wrong shares to itself': (liar) => convictsItself(liar, () => liar.dice.chance(0.4)),
  'deals wrong shares to itself without end': (liar) => floodsComplaints(liar),
  'floods with sessions': (liar) => floodsSessions(liar),
  'spams the log': (liar) => actsOnLog(liar),
  'announces a key that is none': (liar) => announcesNoKey(liar),
  'announces to each another number': (liar) => announcesToEachAnother(liar),
  'announces ever new keys': (liar) => announcesEverNew(liar),
  'leaves and returns': (liar) => leavesAndReturns(liar),
} satisfies Record<string, (liar: Liar) => Lie>

export type LieName = keyof typeof LIES
export const LIE_NAMES = Object.keys(LIES) as LieName[]

/** From now on the member lies in this way. @returns What makes it honest again. */
export function corrupt(world: World, sim: SimNode, name: LieName): () => void {
  const seed = `${world.seed}/${world.clock}/${sim.identity.info.address}`
  const lie: Lie = LIES[name]({
    world,
    sim,
    rng: seededRng(world.seed, seed),
    dice: world.dice,
  })
  world.liars.add(sim.identity.info.address)
  tellCounted(sim, lie)
  return () => {
    lie.end?.()
    sim.tamper = undefined
    sim.withholds = false
    sim.announces = undefined
    sim.act = undefined
  }
}

/** Lies of `act` count themselves. */
function tellCounted(sim: SimNode, { tamper, announces, act, withholds }: Lie): void {
  sim.withholds = withholds ?? false
  sim.act = act
  sim.tamper = async (message, receiver) => {
    if (tamper === undefined) return message
    const said = await tamper(message, receiver)
    if (said === undefined || !equalBytes(said, message)) sim.lied += 1
    return said
  }
  sim.announces =
    announces &&
    ((asker) => {
      sim.lied += 1
      return announces(asker)
    })
}

const placeOf = (world: World, address: Address): number =>
  world.nodes.findIndex((sim) => sim.identity.info.address === address)

/** A dealing in the place of the liar's own; `undefined` where it does not know the session or holds no share. */
function reforge(
  { world, sim, rng }: Liar,
  dealing: Dealing,
  change: { degree?: number; constant?: (prev: string) => bigint | undefined },
): Promise<Dealing> {
  const terms = world.overheard.terms.get(dealing.sid)
  const share = terms === undefined ? undefined : sim.node?.keyRing().shares.get(terms.prev)
  if (terms === undefined || share === undefined) return Promise.resolve(dealing)
  const constant = change.constant === undefined ? share : change.constant(terms.prev)
  const degree = Math.max(0, terms.threshold - 1 + (change.degree ?? 0))
  return signedBy(
    sim,
    forgeDealing({
      terms,
      dealer: sim.identity.info.address,
      constant: constant ?? share,
      degree,
      rng,
    }),
  )
}

function forges(liar: Liar, change: Parameters<typeof reforge>[2]): Lie {
  const forged = new Map<string, Promise<Dealing>>()
  return {
    tamper: dealsInstead(liar.sim, (dealing) => {
      const known = forged.get(dealing.sid) ?? reforge(liar, dealing, change)
      forged.set(dealing.sid, known)
      return known
    }),
  }
}

/** Everybody gets the same dealing, in which the shares of the chosen victims are wrong. */
function spoilsFor(liar: Liar, isVictim: (sim: SimNode) => boolean): Lie {
  const { world, sim } = liar
  const spoilt = new Map<string, Promise<Dealing>>()
  const spoil = (dealing: Dealing): Promise<Dealing> => {
    const members = world.overheard.terms.get(dealing.sid)?.members ?? []
    const shares = members.reduce<readonly Uint8Array[]>((kept, { address }, i) => {
      const victim = world.nodes[placeOf(world, address)]
      return victim !== undefined && victim !== sim && isVictim(victim) ? spoilShare(kept, i) : kept
    }, dealing.shares)
    return signedBy(sim, { ...dealing, shares })
  }
  return {
    tamper: dealsInstead(sim, (dealing) => {
      const known = spoilt.get(dealing.sid) ?? spoil(dealing)
      spoilt.set(dealing.sid, known)
      return known
    }),
  }
}

/** Instead of every other acknowledgement, with a secret that is not its own, or with its own about a dealing that is good. */
function complainsFalsely({ world, sim, rng, dice }: Liar): Tamper {
  return async (message) => {
    if (messageKind(message) !== 'acks' || dice.chance(0.5)) return message
    const bodies = world.nodes.flatMap(({ medium }) => [...medium.blobs.values()])
    const dealings = bodies.filter((body) => messageKind(body) === 'dealing')
    const bytes = dealings[dice.below(Math.max(1, dealings.length))]
    if (bytes === undefined) return message
    const [choice = 0, foreign = 0] = rng(2)
    const own = choice < 128 ? encryptionSecretsOf(sim).at(-1) : undefined
    const secret = own ?? BigInt(foreign + 2)
    const recipient = sim.identity.info.address
    const made = makeComplaint({ recipient, secret, dealing: parseDealing(bytes), bytes }, 5n)
    if (made === undefined) return message
    const body = encodeComplaint(made)
    const epoch = (sim.node?.status().nextEpoch ?? 1) - 1
    if (dice.chance(0.3)) await world.chain.log.complain({ epoch, body })
    return body
  }
}
