/**
 * Which share serves which request (docs/protocol.md, Epochs): the version at a time is the same function of the log on every operator.
 *
 * - The version in force at time T is the settled output with the greatest `activateAt` not after T.
 * - A time in the future counts as now: a client's fast clock must not ask for what is not active.
 * - A time before all that is kept for the grace time counts as the oldest kept; before a genesis there was no key.
 * - An operator without the share of that very version refuses. It never answers with another.
 * @module
 */
import type { Hash32 } from '../sdk/chain/types.ts'
import { EigenxError } from '../sdk/errors.ts'
import { versionAt } from '../sdk/protocol/log.ts'
import { isOrigin } from '../sdk/protocol/terms.ts'
import type { CertifiedOutput, Output } from '../sdk/protocol/types.ts'
import type { Clock } from './epoch/ports.ts'

/** Settled outputs, oldest first, and the shares this operator holds of them, by output hash. */
export type KeyRing = {
  outputs: readonly CertifiedOutput[]
  shares: ReadonlyMap<Hash32, bigint>
  /** Unix seconds: versions that were in force at this time or later are never erased on purpose. */
  keptSince: number
}

/** What answers one request. `share` is secret. */
export type KeyVersion = {
  /** `activateAt`, Unix seconds: the version number that clients see. */
  version: number
  epoch: number
  output: Output
  hash: Hash32
  share: bigint
}

export type KeyService = {
  /** The version in force now; `undefined` before the first one, or when its share is not held. */
  active(): KeyVersion | undefined
  /**
   * @param unixSeconds - The time the client names; 0 or less means now.
   * @throws KEY_NOT_READY, KEY_VERSION_NOT_FOUND, KEY_SHARE_MISSING
   */
  at(unixSeconds: number): KeyVersion
  /** The public output in force now, whether or not the share is held. */
  inForce(): CertifiedOutput | undefined
}

/** A version that was not active yet counts for a time before it only where the one that it replaced is gone by right. */
function isInForce({ output }: CertifiedOutput, time: number, ring: KeyRing): boolean {
  return output.activateAt <= Math.max(time, ring.keptSince) || isOrigin(output)
}

export function createKeyService(deps: { keyRing(): KeyRing; clock: Clock }): KeyService {
  const now = () => Math.floor(deps.clock() / 1000)
  const inForce = (): CertifiedOutput | undefined =>
    deps.keyRing().outputs.findLast(({ output }) => output.activateAt <= now())
  const at = (unixSeconds: number): KeyVersion => {
    const ring = deps.keyRing()
    const time = unixSeconds > 0 ? Math.min(unixSeconds, now()) : now()
    if (inForce() === undefined)
      throw new EigenxError({
        code: 'KEY_NOT_READY',
        message: 'This operator set has no active key yet.',
        stage: 'key',
        details: {},
        hint: 'Key generation may still be running; try again in a minute.',
      })
    const found = versionAt(ring.outputs, time)
    if (found === undefined || !isInForce(found, time, ring))
      throw new EigenxError({
        code: 'KEY_VERSION_NOT_FOUND',
        message: 'This operator keeps no key version that was active at that time.',
        stage: 'key',
        details: { attestationTime: unixSeconds },
      })
    const share = ring.shares.get(found.hash)
    const version = found.output.activateAt
    if (share === undefined)
      throw new EigenxError({
        code: 'KEY_SHARE_MISSING',
        message: 'This operator does not hold a share of the version in force.',
        stage: 'key',
        details: { version },
        hint: 'Ask the other operators; this one takes part again from the next epoch.',
      })
    return { version, epoch: found.output.epoch, output: found.output, hash: found.hash, share }
  }
  return {
    at,
    inForce,
    active: () => {
      const current = inForce()
      return current !== undefined && deps.keyRing().shares.has(current.hash) ? at(0) : undefined
    },
  }
}
