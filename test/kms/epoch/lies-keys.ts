/** Lies about encryption keys, what a member answers who asks for its own, and about going. */
import type { Address } from '../../../sdk/chain/types.ts'
import { encodeLeave, leaveStatement } from '../../../sdk/protocol/leave.ts'
import { randomRistrettoScalar, ristrettoPublicKey } from '../../../sdk/protocol/ristretto.ts'
import {
  encodeEncryptionKey,
  encryptionKeyStatement,
  NO_ENCRYPTION_KEY,
} from '../../../sdk/protocol/terms.ts'
import { DOMAIN } from './sim-chain.ts'
import type { SimNode, World } from './world.ts'

type Liar = { world: World; sim: SimNode; rng: (length: number) => Uint8Array }

/** Above every honest number, which are Unix times, and above those of its lies before. */
const firstSequence = ({ clock }: World): number => 2 * Math.floor(clock / 1000)

/** A record that is truly the member's own, of any key. */
export async function announcementOf(
  sim: SimNode,
  encryptionKey: Uint8Array,
  sequence: number,
): Promise<Uint8Array> {
  const { address } = sim.identity.info
  const unsigned = { operator: address, encryptionKey, sequence }
  const signature = await sim.identity.signer.sign(encryptionKeyStatement(DOMAIN, unsigned))
  return encodeEncryptionKey({ ...unsigned, signature })
}

const NO_POINTS = [new Uint8Array(32).fill(0xff), NO_ENCRYPTION_KEY]

/** Bytes that nothing can be encrypted to, signed as they must be; others to each asker. */
export function announcesNoKey({ world, sim }: Liar) {
  const sequence = firstSequence(world)
  const places = new Map<Address, number>()
  return {
    announces: (asker: Address) => {
      const place = places.get(asker) ?? places.size
      places.set(asker, place)
      const key = NO_POINTS[place % NO_POINTS.length] ?? NO_ENCRYPTION_KEY
      return announcementOf(sim, key, sequence)
    },
  }
}

/** Each asker gets another number, and a higher one as soon as it has proposed: whoever proposes next names an older one than that. */
export function announcesToEachAnother({ world, sim, rng }: Liar) {
  const key = ristrettoPublicKey(randomRistrettoScalar(rng))
  const given = new Map<Address, number>()
  let newest = firstSequence(world)
  return {
    announces: (asker: Address) => {
      const raises = world.overheard.setup?.proposer === asker
      const sequence = raises ? ++newest : (given.get(asker) ?? ++newest)
      given.set(asker, sequence)
      return announcementOf(sim, key, sequence)
    },
  }
}

/** A fresh key at every question, so that there is always one that nobody was dealt to. */
export function announcesEverNew({ world, sim, rng }: Liar) {
  let newest = firstSequence(world)
  return {
    announces: () => announcementOf(sim, ristrettoPublicKey(randomRistrettoScalar(rng)), ++newest),
  }
}

/** Long enough to be dealt out, and then in again. */
export const LEAVE_SECONDS = 25
const PRESENT_SECONDS = 35

/** Goes and comes back again and again, without a word on the chain. */
export function leavesAndReturns({ world, sim }: Liar) {
  let next = 0
  return {
    act: async (): Promise<void> => {
      const now = world.chain.now()
      if (now < next) return
      next = now + LEAVE_SECONDS + PRESENT_SECONDS
      const notAfter = now + LEAVE_SECONDS
      const unsigned = { operator: sim.identity.info.address, notAfter }
      const signature = await sim.identity.signer.sign(leaveStatement(DOMAIN, unsigned))
      const message = encodeLeave({ ...unsigned, signature })
      sim.lied += 1
      for (const other of world.nodes) if (!other.hangs) await other.node?.handler.receive(message)
    },
  }
}
