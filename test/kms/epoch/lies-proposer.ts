/** Lies of one whose turn it is, or who takes the word out of turn: false candidates and sessions. */
import type { Address } from '../../../sdk/chain/types.ts'
import { publicShareOf } from '../../../sdk/crypto/bls.ts'
import { candidateStatement, encodeCandidate } from '../../../sdk/protocol/messages.ts'
import { encodeOutput, parseOutput } from '../../../sdk/protocol/output.ts'
import {
  encodeSetup,
  NO_ENCRYPTION_KEY,
  type Setup,
  setupStatement,
} from '../../../sdk/protocol/terms.ts'
import type { Output } from '../../../sdk/protocol/types.ts'
import { DOMAIN } from './sim-chain.ts'
import type { SimNode, World } from './world.ts'

export type Liar = { world: World; sim: SimNode; rng: (length: number) => Uint8Array }

/** Hands a message to every other node that runs; another one to each if the maker wants. */
export async function tell(
  { world, sim }: Liar,
  make: (receiver: Address, place: number) => Promise<Uint8Array | undefined>,
): Promise<void> {
  for (const [place, other] of world.nodes.entries()) {
    const { address } = other.identity.info
    if (other === sim || other.node === undefined || other.hangs) continue
    if (world.partition(sim.identity.info.address, address)) continue
    const message = await make(address, place)
    if (message === undefined) continue
    sim.lied += 1
    await other.node.handler.receive(message)
  }
}

export async function candidateOf(sim: SimNode, sid: `0x${string}`, output: Output) {
  const unsigned = { sid, proposer: sim.identity.info.address, output: encodeOutput(output) }
  const signature = await sim.identity.signer.sign(candidateStatement(DOMAIN, unsigned))
  return encodeCandidate({ ...unsigned, signature })
}

/**
 * At the first candidate that it hears of in a session, and every ten seconds:
 * `unavailable` names a dealing that nobody has, with windows as long as they may be;
 * `different` is as good as the one it heard, with other windows for each receiver;
 * `nonsense` has a public share or a master key that is not the session's.
 */
export function proposesTo(liar: Liar, what: 'unavailable' | 'different' | 'nonsense') {
  const { world, sim, rng } = liar
  const next = new Map<string, number>()
  return {
    act: async (): Promise<void> => {
      const { sid, output: bytes } = world.overheard.candidate ?? {}
      if (sid === undefined || bytes === undefined) return
      if (world.clock < (next.get(sid) ?? 0)) return
      next.set(sid, world.clock + 10_000)
      const heard = parseOutput(bytes)
      await tell(liar, (_receiver, place) => candidateOf(sim, sid, forge(what, heard, place, rng)))
    },
  }
}

const LONG_SECONDS = 300

function forge(
  what: 'unavailable' | 'different' | 'nonsense',
  heard: Output,
  place: number,
  rng: Liar['rng'],
): Output {
  const by = (seconds: number) => ({
    postBy: heard.postBy + seconds,
    vetoBy: heard.vetoBy + seconds,
    activateAt: heard.activateAt + seconds,
  })
  if (what === 'different') return { ...heard, ...by(place + 1) }
  if (what === 'unavailable') {
    const hash: `0x${string}` = `0x${'e'.repeat(62)}${place.toString(16).padStart(2, '0')}`
    const dealings = heard.dealings.map((used, i) => (i === 0 ? { ...used, hash } : used))
    return { ...heard, ...by(LONG_SECONDS), dealings }
  }
  const wrong = publicShareOf(BigInt((rng(1)[0] ?? 0) + 1))
  return place % 2 === 0
    ? { ...heard, mpk: wrong }
    : { ...heard, publicShares: heard.publicShares.map((good, i) => (i === 0 ? wrong : good)) }
}

/** At every session that it hears of, and every ten seconds: sessions of its own, with somebody's key left out or an old block. */
export function floodsSessions(liar: Liar) {
  const { world, sim } = liar
  let next = 0
  return {
    act: async (): Promise<void> => {
      const { setup } = world.overheard
      if (setup === undefined || world.clock < next) return
      next = world.clock + 10_000
      const { block } = await world.chain.membership.current()
      await tell(liar, async (receiver, place) => {
        const left = place % 3 === 0 ? receiver : undefined
        const configBlock = place % 2 === 0 ? block : setup.terms.configBlock
        return setupOf(sim, { ...setup, terms: { ...setup.terms, configBlock } }, left)
      })
    },
  }
}

/** @param left - Whose key is left out. */
export async function setupOf(
  sim: SimNode,
  { terms, records }: Setup,
  left?: Address,
): Promise<Uint8Array> {
  const proposer = sim.identity.info.address
  const isLeft = terms.members.map(({ address }) => address === left)
  const changed = {
    ...terms,
    members: terms.members.map((member, i) =>
      isLeft[i] ? { ...member, encryptionKey: NO_ENCRYPTION_KEY } : member,
    ),
  }
  return encodeSetup({
    terms: changed,
    records: records.map((record, i) =>
      isLeft[i] ? { sequence: 0, signature: new Uint8Array(0) } : record,
    ),
    proposer,
    signature: await sim.identity.signer.sign(setupStatement(DOMAIN, changed, proposer)),
  })
}
