/**
 * Deliveries: each own message to each member until it is accepted or refused for good. What was delivered is remembered
 * in memory only; after a restart everything that is still due goes out again, and receivers know it.
 * @module
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../../sdk/chain/types.ts'
import { encodeLeave } from '../../sdk/protocol/leave.ts'
import {
  acksStatement,
  candidateStatement,
  encodeAcks,
  encodeCandidate,
  encodeSignature,
} from '../../sdk/protocol/messages.ts'
import { operatorsByAddress } from '../../sdk/protocol/terms.ts'
import { asReachable, contextOf, type Lookup, storedBlob } from './context.ts'
import type { SendEffect } from './perform.ts'
import type { Session } from './state.ts'

type Delivery = {
  /** Names message and receiver. */
  key: string
  /** The receiver. One message at a time goes to it: a peer that is slow is not asked to do everything at once. */
  lane: string
  /** @returns Whether the peer needs no further attempt. */
  attempt(): Promise<boolean>
}

export type Outbox = {
  /** What has to go out for these effects and has not been delivered yet. */
  open(effects: readonly SendEffect[]): Promise<readonly Delivery[]>
  /** Messages and deliveries that it remembers. */
  size(): number
}

export function createOutbox(lookup: Lookup): Outbox {
  const done = new Set<string>()
  const messages = new Map<string, Promise<Uint8Array>>()
  const { runtime } = lookup

  const messageFor = (name: string, effect: SendEffect): Promise<Uint8Array> => {
    const known = messages.get(name)
    if (known !== undefined) return known
    const made = encodeFor(lookup, effect)
    messages.set(name, made)
    // A signer that is down now may be up at the next attempt.
    made.catch(() => messages.delete(name))
    return made
  }

  const deliver = async (
    key: string,
    name: string,
    peer: OperatorInfo,
    effect: SendEffect,
  ): Promise<boolean> => {
    const message = await messageFor(name, effect)
    if (!isBacked(lookup, effect)) return true
    const result = await runtime.deps.peers.push(peer, message)
    if (result === 'later') {
      const session = 'sid' in effect ? sessionBy(lookup, effect.sid) : undefined
      // The peer may have missed the setup: anybody can show it.
      if (session !== undefined && effect.type !== 'sendSetup')
        await runtime.deps.peers.push(peer, await storedBlob(lookup, session.setup))
      // Or the candidate, which its proposer may have shown to a few alone.
      if (effect.type === 'sendSignature') {
        const shown: SendEffect = { ...effect, type: 'sendCandidate' }
        await runtime.deps.peers.push(peer, await messageFor(messageName(shown), shown))
      }
      return false
    }
    if (result === 'refused')
      runtime.deps.report({
        level: 'warn',
        event: 'message refused by peer',
        detail: { peer: peer.address, message: effect.type },
      })
    done.add(key)
    return true
  }

  return {
    open: async (effects) => {
      const deliveries: Delivery[] = []
      const current = new Set<string>()
      const names = new Set<string>()
      for (const effect of effects) {
        const name = messageName(effect)
        names.add(name)
        for (const peer of await receiversOf(lookup, effect)) {
          const lane = `to/${peer.address.toLowerCase()}`
          const key = `${name}/${lane}`
          current.add(key)
          if (!done.has(key))
            deliveries.push({ key, lane, attempt: () => deliver(key, name, peer, effect) })
        }
      }
      for (const key of done) if (!current.has(key)) done.delete(key)
      for (const name of messages.keys()) if (!names.has(name)) messages.delete(name)
      return deliveries
    },
    size: () => done.size + messages.size,
  }
}

function sessionBy(lookup: Lookup, sid: Hash32): Session | undefined {
  return lookup.runtime.state().sessions.find((session) => session.sid === sid)
}

/**
 * Whether what the message says is stored now. A delivery may have waited for its lane while the session was pushed out, and opened
 * again without it.
 */
function isBacked(lookup: Lookup, effect: SendEffect): boolean {
  if (!('sid' in effect)) return true
  const session = sessionBy(lookup, effect.sid)
  if (session === undefined) return false
  const { dealings, candidates } = session
  switch (effect.type) {
    case 'sendSetup':
      return true
    case 'sendDealing':
      return dealings.some(({ hash }) => hash === effect.hash)
    case 'sendAcks':
      return effect.dealings.every(({ hash }) => dealings.some((known) => known.hash === hash))
    case 'sendCandidate':
    case 'sendSignature':
      return candidates.some(({ hash }) => hash === effect.hash)
  }
}

async function receiversOf(lookup: Lookup, effect: SendEffect): Promise<readonly OperatorInfo[]> {
  const { operator } = lookup.runtime.self
  const isOther = (peer: OperatorInfo) => (peer.address.toLowerCase() as Address) !== operator
  if (effect.type === 'sendComplaint' || effect.type === 'sendLeave')
    return (lookup.runtime.view().operators?.operators ?? []).filter(isOther)
  const session = sessionBy(lookup, effect.sid)
  if (session === undefined) return []
  const { members, context } = await contextOf(lookup, session)
  if (effect.type !== 'sendSetup') return asReachable(lookup, members).filter(isOther)
  // Whoever holds the old key deals, also when it is leaving.
  const everybody = operatorsByAddress([...context.dealers.values(), ...members])
  return asReachable(lookup, [...everybody.values()]).filter(isOther)
}

function messageName(effect: SendEffect): string {
  switch (effect.type) {
    case 'sendSetup':
      return `setup/${effect.sid}`
    case 'sendDealing':
      return `dealing/${effect.hash}`
    case 'sendAcks': {
      const hashes = effect.dealings.map(({ hash }) => hash).join()
      return `acks/${effect.sid}/${toHex(sha256(utf8ToBytes(hashes)))}`
    }
    case 'sendCandidate':
      return `candidate/${effect.hash}`
    case 'sendSignature':
      return `signature/${effect.hash}`
    case 'sendComplaint':
      return `complaint/${effect.blob}`
    case 'sendLeave':
      return `leave/${effect.leave.notAfter}`
  }
}

async function encodeFor(lookup: Lookup, effect: SendEffect): Promise<Uint8Array> {
  const { deps, self } = lookup.runtime
  if (effect.type === 'sendLeave') return encodeLeave(effect.leave)
  if (effect.type === 'sendComplaint') return storedBlob(lookup, effect.blob)
  if (effect.type === 'sendDealing') return storedBlob(lookup, effect.hash)
  const { sid } = effect
  if (effect.type === 'sendAcks') {
    const unsigned = { sid, recipient: self.operator, dealings: effect.dealings }
    const signature = await deps.signer.sign(acksStatement(deps.domain, unsigned))
    return encodeAcks({ ...unsigned, signature })
  }
  const session = sessionBy(lookup, sid)
  if (session === undefined) throw new Error('the session is over')
  if (effect.type === 'sendSetup') return storedBlob(lookup, session.setup)
  const candidate = session.candidates.find((known) => known.hash === effect.hash)
  if (candidate === undefined) throw new Error('the candidate is gone')
  if (effect.type === 'sendCandidate') {
    const output = await storedBlob(lookup, candidate.blob)
    const { proposer, signature: shown } = candidate
    // As the proposer signed it: under our own name it would take the places of our own candidates.
    if (shown !== undefined) return encodeCandidate({ sid, proposer, output, signature: shown })
    const unsigned = { sid, proposer: self.operator, output }
    const signature = await deps.signer.sign(candidateStatement(deps.domain, unsigned))
    return encodeCandidate({ ...unsigned, signature })
  }
  const own = candidate.signatures.find((known) => known.operator === self.operator)
  if (own === undefined) throw new Error('not signed yet')
  return encodeSignature({ sid, output: effect.hash, ...own })
}
