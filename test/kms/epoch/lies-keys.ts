/** Lies about encryption keys: what a member answers who asks for its own. */
import type { Address } from '../../../sdk/chain/types.ts'
import {
  encodeEncryptionKey,
  encryptionKeyStatement,
  NO_ENCRYPTION_KEY,
} from '../../../sdk/protocol/terms.ts'
import { DOMAIN } from './sim-chain.ts'
import type { SimNode } from './world.ts'

/** Above every honest number, which are Unix times; the higher, the newer. */
const FIRST_SEQUENCE = 2_000_000_000

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
export function announcesNoKey({ sim }: { sim: SimNode }) {
  const places = new Map<Address, number>()
  return {
    announces: (asker: Address) => {
      const place = places.get(asker) ?? places.size
      places.set(asker, place)
      const key = NO_POINTS[place % NO_POINTS.length] ?? NO_ENCRYPTION_KEY
      return announcementOf(sim, key, FIRST_SEQUENCE)
    },
  }
}
