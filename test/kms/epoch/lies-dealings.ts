/** Lies of a proposer about whose dealings are whose: dealings of another session, and no dealings at all in the others' places. */
import { buildKeyTable } from '../../../kms/epoch/verify.ts'
import type { BlockRef, Hash32 } from '../../../sdk/chain/types.ts'
import { parseG2 } from '../../../sdk/crypto/bls.ts'
import { messageKind, sortByAddress } from '../../../sdk/protocol/codec.ts'
import { blobHash, type Dealing, parseDealing } from '../../../sdk/protocol/dealing.ts'
import { encodeSignature, outputStatement } from '../../../sdk/protocol/messages.ts'
import { encodeOutput, outputHash } from '../../../sdk/protocol/output.ts'
import { encodeSetup, isOrigin, type Setup, sidOf } from '../../../sdk/protocol/terms.ts'
import type { Output, Terms } from '../../../sdk/protocol/types.ts'
import type { Act } from './lies-chain.ts'
import { candidateOf, type Liar, setupOf, tell } from './lies-proposer.ts'
import { DOMAIN } from './sim-chain.ts'
import type { Tamper, World } from './world.ts'

/** What it can know: the last output, and a setup of the epoch after it. */
function heardOf(world: World) {
  const { setup } = world.overheard
  const last = world.witness.history.at(-1)
  return setup === undefined || setup.terms.prev !== last?.hash ? undefined : { setup, last }
}

export type Held = { dealing: Dealing; hash: Hash32 }

/** One dealing of each dealer in a session, from all disks, of the degree that a table takes: other liars deal others. */
export function dealingsIn(world: World, terms: Terms): readonly Held[] {
  const sid = sidOf(DOMAIN, terms)
  const byDealer = new Map<string, Held>()
  for (const { medium } of world.nodes)
    for (const [hash, body] of medium.blobs) {
      if (messageKind(body) !== 'dealing') continue
      const dealing = parseDealing(body)
      if (dealing.sid === sid && dealing.commitment.length === terms.threshold)
        byDealer.set(dealing.dealer, { dealing, hash: hash as Hash32 })
    }
  return sortByAddress([...byDealer.values()], ({ dealing }) => dealing.dealer)
}

const soon = (world: World, { vetoSeconds, finalitySeconds } = world.options) => {
  const postBy = Math.ceil(world.clock / 1000) + world.options.postSeconds
  const vetoBy = postBy + vetoSeconds
  return { postBy, vetoBy, activateAt: vetoBy + finalitySeconds }
}

export async function outputOf({ world, rng }: Liar, terms: Terms, held: readonly Held[]) {
  const work = { rng, pause: async () => undefined }
  const opened = held.map(({ dealing: { dealer, commitment } }) => ({
    dealer,
    points: commitment.map((point) => parseG2(point)),
    share: undefined,
  }))
  const dealings = held.map(({ dealing: { dealer }, hash }) => ({ dealer, hash }))
  return { ...terms, dealings, ...(await buildKeyTable(work, terms, opened)), ...soon(world) }
}

/**
 * In every session that it hears of, a candidate of the last output's dealings; beside it a session of its own, and there a
 * candidate of the honest session's dealings. Tables and windows are as they should be, and it signs nothing else.
 */
export function namesForeignDealings(liar: Liar): { act: Act; tamper: Tamper } {
  const { world, sim } = liar
  const told = new Set<Hash32>()
  const blocks: BlockRef[] = []
  const propose = async (output: Output) => {
    const sid = sidOf(DOMAIN, output)
    const hash = outputHash(DOMAIN, output)
    const { operator, sign } = sim.identity.signer
    const signature = await sign(outputStatement(DOMAIN, sid, hash))
    await tell(liar, () => candidateOf(sim, sid, output))
    await tell(liar, async () => encodeSignature({ sid, output: hash, operator, signature }))
  }
  const act = async () => {
    blocks.push((await world.chain.membership.current()).block)
    const { setup, last } = heardOf(world) ?? {}
    if (setup === undefined || last === undefined) return
    const { terms } = setup
    const sid = sidOf(DOMAIN, terms)
    const held = dealingsIn(world, terms)
    if (told.has(sid) || held.length < last.output.threshold) return
    told.add(sid)
    if (!isOrigin(last.output)) {
      const { dealings, publicShares, mpk } = last.output
      await propose({ ...terms, dealings, publicShares, mpk, ...soon(world) })
    }
    const configBlock = blocks.findLast(({ number }) => number < terms.configBlock.number)
    if (configBlock === undefined) return
    const own = { ...terms, configBlock }
    told.add(sidOf(DOMAIN, own))
    await tell(liar, () => setupOf(sim, { ...setup, terms: own }))
    await propose(await outputOf(liar, own, held))
  }
  const isKept = (message: Uint8Array) =>
    ['setup', 'acks', 'signature', 'candidate'].includes(messageKind(message) ?? '')
  return { act, tamper: (message) => (isKept(message) ? undefined : message) }
}

/**
 * In every session that it hears of and in its own, faster than the others' dealings: a candidate that names, in the places of the others,
 * bodies that everybody has.
 */
export function fillsPlaces(liar: Liar): { act: Act } {
  const { world, sim } = liar
  const told = new Set<Hash32>()
  const fill = async (setup: Setup, message: Uint8Array): Promise<void> => {
    const last = world.witness.history.at(-1)
    const sid = sidOf(DOMAIN, setup.terms)
    const entry = last && world.chain.entriesNamed(last.hash)[0]
    if (last === undefined || entry === undefined || told.has(sid)) return
    told.add(sid)
    const { dealings, publicShares, mpk } = last.output
    const late = {
      ...setup.terms,
      dealings,
      publicShares,
      mpk,
      postBy: 1,
      vetoBy: 2,
      activateAt: 3,
    }
    const stored = [entry.body, message, encodeOutput(late)].map(blobHash)
    const names = [...stored, ...dealings.map(({ hash }) => hash)]
    const others = last.output.members.filter(
      ({ address }) => address !== sim.identity.info.address,
    )
    const places = others.map(({ address: dealer }, i) => ({
      dealer,
      hash: names[i % names.length] as Hash32,
    }))
    await tell(liar, async () => message)
    await tell(liar, () => candidateOf(sim, sid, late))
    await tell(liar, () => candidateOf(sim, sid, { ...late, dealings: places, ...soon(world) }))
  }
  return {
    act: async () => {
      const { setup } = heardOf(world) ?? {}
      if (setup === undefined) return
      await fill(setup, encodeSetup(setup))
      const { block: configBlock } = await world.chain.membership.current()
      if (world.clock % 10_000 !== 0) return
      const own = { ...setup, terms: { ...setup.terms, configBlock } }
      await fill(own, await setupOf(sim, own))
    },
  }
}
