/**
 * Carrying out what is due, except sending (`outbox.ts`). Every effect may run twice and may be cut off anywhere: its lasting
 * result is one `apply`, and whatever goes out was stored before.
 * A rejection means "not now", and so does an answer that nothing came of it; the driver tries again, later and later, while the
 * effect stays due.
 * @module
 */
import type { Hash32 } from '../../sdk/chain/types.ts'
import { type Lookup, SessionOver, storedBlob } from './context.ts'
import { deal, proposeSetup } from './dealer.ts'
import type { NodeEffect } from './machine.ts'
import { learnEncryptionKeys } from './peer-keys.ts'
import { adopt, check, checkCandidate, complain, post, propose, sign } from './recipient.ts'
import type { Session } from './state.ts'

export type SendEffect = Extract<NodeEffect, { type: `send${string}` }>
export type WorkEffect = Exclude<NodeEffect, SendEffect>

export function isSend(effect: NodeEffect): effect is SendEffect {
  return effect.type.startsWith('send')
}

/** @returns Whether anything came of it. */
export async function perform(lookup: Lookup, effect: WorkEffect): Promise<boolean> {
  switch (effect.type) {
    case 'proposeSetup':
      return proposeSetup(lookup, effect)
    case 'deal':
      return deal(lookup, sessionOf(lookup, effect.sid))
    case 'check':
      return check(lookup, sessionOf(lookup, effect.sid), effect.hashes)
    case 'complain':
      return complain(lookup, sessionOf(lookup, effect.sid), effect.hash)
    case 'propose':
      return propose(lookup, sessionOf(lookup, effect.sid), effect.dealings)
    case 'checkCandidate':
      return checkCandidate(lookup, sessionOf(lookup, effect.sid), effect.hash)
    case 'sign':
      return sign(lookup, sessionOf(lookup, effect.sid), effect.hash)
    case 'post':
      await post(lookup, sessionOf(lookup, effect.sid), effect.hash)
      return true
    case 'accuse':
      await lookup.runtime.deps.log.complain({
        epoch: effect.epoch,
        body: await storedBlob(lookup, effect.blob),
      })
      return true
    case 'adopt':
      return adopt(lookup, effect.winner)
    case 'learnKeys':
      await learnEncryptionKeys(lookup)
      return true
  }
}

function sessionOf(lookup: Lookup, sid: Hash32): Session {
  const session = lookup.runtime.state().sessions.find((known) => known.sid === sid)
  if (session === undefined) throw new SessionOver('the session is over')
  return session
}

/** Names an effect among those under way. */
export function effectKey(effect: WorkEffect): string {
  switch (effect.type) {
    case 'proposeSetup':
      return `proposeSetup/${effect.epoch}/${effect.prev}`
    case 'deal':
    case 'check':
    case 'propose':
      return `${effect.type}/${effect.sid}`
    case 'complain':
    case 'checkCandidate':
    case 'sign':
    case 'post':
      return `${effect.type}/${effect.sid}/${effect.hash}`
    case 'accuse':
      return `accuse/${effect.blob}`
    case 'adopt':
      return `adopt/${effect.winner.hash}`
    case 'learnKeys':
      return 'learnKeys'
  }
}
