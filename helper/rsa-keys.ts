/**
 * RSA keys for apps, each searched in a thread of its own so that the helper goes on answering: few at once, a bounded queue, and the latest keys
 * remembered, since a search takes seconds to minutes and always ends on the same key.
 * @module
 */
import { availableParallelism } from 'node:os'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '../sdk/bytes.ts'
import type { RsaKeyPair } from '../sdk/crypto/rsa-seed.ts'
import { EigenxError } from '../sdk/errors.ts'
import { stoppedError } from './identity-holder.ts'
import { type RsaJob, type RsaThread, startRsaThread } from './rsa-thread.ts'

export type RsaKeys = {
  /** The seed is taken over, and overwritten when the key is there or refused. @throws EigenxError OVERLOADED when too many wait, KEY_NOT_READY after `stop` */
  make(job: RsaJob): Promise<RsaKeyPair>
  /** Ends the searches and overwrites the keys that are remembered. */
  stop(): Promise<void>
}

export type RsaKeysOptions = {
  /** Searches at once. @default one less than there are processors, but 1 or 2 */
  width?: number
  start?: (job: RsaJob) => Promise<RsaThread>
}

const MAX_WAITING = 16
const MAX_REMEMBERED = 64

export function createRsaKeys(options: RsaKeysOptions = {}): RsaKeys {
  const { width = Math.min(2, Math.max(1, availableParallelism() - 1)), start = startRsaThread } =
    options
  const remembered = new Map<string, Promise<RsaKeyPair>>()
  const threads = new Set<RsaThread>()
  const waiting: (() => void)[] = []
  let places = width
  let isStopped = false

  async function search(job: RsaJob): Promise<RsaKeyPair> {
    if (places > 0) places--
    else {
      if (waiting.length >= MAX_WAITING) throw overloaded()
      // Whoever leaves hands the place on.
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    try {
      if (isStopped) throw stoppedError()
      const thread = await start(job)
      threads.add(thread)
      try {
        if (isStopped) await thread.stop()
        return await thread.pair
      } finally {
        threads.delete(thread)
      }
    } finally {
      const next = waiting.shift()
      if (next === undefined) places++
      else next()
    }
  }

  return {
    make: (job) => {
      const name = bytesToHex(sha256(job.seed))
      const known = remembered.get(name)
      if (known !== undefined) {
        job.seed.fill(0)
        return known
      }
      const pair = search(job).finally(() => job.seed.fill(0))
      remembered.set(name, pair)
      pair.catch(() => remembered.delete(name))
      for (const oldest of remembered.keys()) {
        if (remembered.size <= MAX_REMEMBERED) break
        remembered.delete(oldest)
      }
      return pair
    },
    stop: async () => {
      isStopped = true
      for (const enter of waiting.splice(0)) enter()
      for (const pair of remembered.values())
        pair.then(
          ({ privateKey }) => privateKey.fill(0),
          () => undefined,
        )
      await Promise.all([...threads].map((thread) => thread.stop()))
    },
  }
}

function overloaded(): EigenxError<'OVERLOADED'> {
  return new EigenxError({
    code: 'OVERLOADED',
    message: 'too many RSA keys are being made',
    stage: 'key',
    details: { limit: MAX_WAITING },
    hint: 'Ask again later: a key that was made is remembered.',
  })
}
