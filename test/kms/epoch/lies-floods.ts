/** Lies in great numbers, or told to some alone: candidates without end, and a dealer that proves its own lie to those whom it picks. */

import type { Address, Hash32 } from '../../../sdk/chain/types.ts'
import { encodeComplaint, makeComplaint } from '../../../sdk/protocol/complaint.ts'
import {
  blobHash,
  type Dealing,
  encodeDealing,
  parseDealing,
} from '../../../sdk/protocol/dealing.ts'
import { parseOutput } from '../../../sdk/protocol/output.ts'
import type { Terms } from '../../../sdk/protocol/types.ts'
import { dealsInstead, encryptionSecretsOf, signedBy, spoilShare } from './liars.ts'
import type { Act } from './lies-chain.ts'
import { dealingsIn, outputOf } from './lies-dealings.ts'
import { candidateOf, type Liar, tell } from './lies-proposer.ts'
import type { SimNode, Tamper } from './world.ts'

/** At every turn three candidates that are good, and have to be posted at once. */
export function floodsCandidates(liar: Liar): { act: Act } {
  const { world, sim } = liar
  let told = 0
  return {
    act: async () => {
      const { sid, output } = world.overheard.candidate ?? {}
      if (sid === undefined || output === undefined) return
      const heard = parseOutput(output)
      const postBy = Math.ceil(world.clock / 1000)
      for (let i = 0; i < 3; i++) {
        told += 1
        const vetoBy = postBy + heard.vetoBy - heard.postBy + (told % 50)
        const activateAt = vetoBy + heard.activateAt - heard.vetoBy
        await tell(liar, () => candidateOf(sim, sid, { ...heard, postBy, vetoBy, activateAt }))
      }
    },
  }
}

/** A session has so many places for candidates of one proposer. */
const PLACES = 3

/**
 * Of each session, as soon as it can be, as many good candidates as there are places to one other member after another, other ones to each, all
 * to be posted at once; and again when those are over. Says nothing else.
 */
export function takesAllPlaces(liar: Liar): { act: Act; tamper: Tamper } {
  const { world, sim } = liar
  const self = sim.identity.info.address
  const { postSeconds } = world.options
  const outputs = new Map<Hash32, ReturnType<typeof outputOf>>()
  const told = new Map<Hash32, { next: number; at: number }>()
  const outputIn = (sid: Hash32, terms: Terms, needed: number) => {
    const others = dealingsIn(world, terms).filter(({ dealing: { dealer } }) => dealer !== self)
    const known = outputs.get(sid)
    if (known !== undefined || others.length < needed) return known
    const made = outputOf(liar, terms, others)
    outputs.set(sid, made)
    return made
  }
  const act = async () => {
    const last = world.witness.history.at(-1)
    const victims = world.nodes.filter((other) => other !== sim)
    for (const [sid, terms] of world.overheard.terms) {
      const { next, at } = told.get(sid) ?? { next: 0, at: 0 }
      if (last === undefined || terms.prev !== last.hash || world.clock < at) continue
      const output = await outputIn(sid, terms, last.output.threshold)
      if (output === undefined) continue
      const isLast = next === victims.length - 1
      const pause = isLast ? (postSeconds + 1) * 1000 : 0
      told.set(sid, { next: isLast ? 0 : next + 1, at: world.clock + pause })
      const postBy = Math.ceil(world.clock / 1000) + 3
      const vetoBy = postBy + output.vetoBy - output.postBy
      for (let i = 0; i < PLACES; i++) {
        const activateAt = vetoBy + output.activateAt - output.vetoBy + PLACES * next + i
        const windows = { postBy, vetoBy, activateAt }
        await tell(liar, async (receiver) =>
          receiver === victims[next]?.identity.info.address
            ? candidateOf(sim, sid, { ...output, ...windows })
            : undefined,
        )
      }
    }
  }
  return { act, tamper: () => undefined }
}

/** The complaint of a dealer about its own dealing, and that dealing's body. */
export async function complaintOfItself(sim: SimNode, dealing: Dealing) {
  const recipient = sim.identity.info.address
  const bytes = encodeDealing(dealing)
  for (const secret of encryptionSecretsOf(sim)) {
    const complaint = makeComplaint({ recipient, secret, dealing, bytes }, 5n)
    if (complaint !== undefined) return { bytes, complaint: encodeComplaint(complaint) }
  }
  return undefined
}

/**
 * Deals a share to itself that does not fit, which is good in the eyes of all others, and proves it to some of them alone.
 * @param isTold - Who is told.
 */
export function convictsItself(
  liar: Liar,
  isTold: (receiver: Address) => boolean,
): { act: Act; tamper: Tamper } {
  const { world, sim } = liar
  const self = sim.identity.info.address
  const spoilt = new Map<string, Promise<Dealing>>()
  const told = new Map<string, ReadonlySet<Address>>()
  const spoil = (dealing: Dealing) => {
    const members = world.overheard.terms.get(dealing.sid)?.members ?? []
    const place = members.findIndex(({ address }) => address === self)
    return signedBy(sim, { ...dealing, shares: spoilShare(dealing.shares, place) })
  }
  return {
    tamper: dealsInstead(sim, (dealing) => {
      const known = spoilt.get(dealing.sid) ?? spoil(dealing)
      spoilt.set(dealing.sid, known)
      return known
    }),
    act: async () => {
      // At every turn: who does not know the session yet does not hear it.
      for (const [sid, dealing] of spoilt) {
        if (!world.overheard.terms.has(sid as Hash32)) continue
        const made = await complaintOfItself(sim, await dealing)
        const chosen =
          told.get(sid) ??
          new Set(world.nodes.map(({ identity }) => identity.info.address).filter(isTold))
        told.set(sid, chosen)
        if (made === undefined) continue
        await tell(liar, async (receiver) => (chosen.has(receiver) ? made.complaint : undefined))
      }
    },
  }
}

/** At every turn another dealing of its own, a candidate that names it and is over soon, and the proof that its share in it is wrong. */
export function floodsComplaints(liar: Liar): { act: Act } {
  const { world, sim } = liar
  const self = sim.identity.info.address
  let told = 0
  return {
    act: async () => {
      const { sid, output } = world.overheard.candidate ?? {}
      if (sid === undefined || output === undefined) return
      const heard = parseOutput(output)
      const place = heard.members.findIndex(({ address }) => address === self)
      const used = heard.dealings.find(({ dealer }) => dealer === self)
      const body = used && sim.medium.blobs.get(used.hash)
      if (used === undefined || body === undefined || place < 0) return
      told += 1
      const own = parseDealing(body)
      const shares = own.shares.map((share, i) =>
        i === place
          ? share.map((byte, k) => (k < 2 ? byte ^ (1 + (told >> (8 * k))) : byte))
          : share,
      )
      const made = await complaintOfItself(sim, await signedBy(sim, { ...own, shares }))
      if (made === undefined) return
      const dealings = heard.dealings.map((one) =>
        one === used ? { dealer: self, hash: blobHash(made.bytes) } : one,
      )
      const postBy = Math.ceil(world.clock / 1000)
      await tell(liar, () => candidateOf(sim, sid, { ...heard, postBy, dealings }))
      await tell(liar, async () => made.complaint)
    },
  }
}
