/** What lying members do to their messages. */
import type { Address } from '../../../sdk/chain/types.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import {
  type Dealing,
  dealingStatement,
  encodeDealing,
  parseDealing,
} from '../../../sdk/protocol/dealing.ts'
import { DOMAIN, type SimNode, type Tamper } from './kit.ts'

/** A dealing changed and signed again by its dealer. */
export async function redeal(
  sim: SimNode,
  message: Uint8Array,
  change: (dealing: Dealing) => Partial<Dealing>,
): Promise<Uint8Array> {
  const dealing = parseDealing(message)
  const changed = { ...dealing, ...change(dealing) }
  const signature = await sim.identity.signer.sign(dealingStatement(DOMAIN, changed))
  return encodeDealing({ ...changed, signature })
}

export const forDealings =
  (sim: SimNode, change: (dealing: Dealing, receiver: Address) => Partial<Dealing>): Tamper =>
  (message, receiver) =>
    messageKind(message) === 'dealing'
      ? redeal(sim, message, (dealing) => change(dealing, receiver))
      : message

export const spoilShare = (shares: readonly Uint8Array[], index: number): Uint8Array[] =>
  shares.map((share, i) => (i === index ? share.map((byte) => byte ^ 1) : share))
