/**
 * The epoch protocol of one operator, running: load → step → store → perform, again and again.
 *
 * After every stored step, and at every tick, the driver asks the state machine what is due and starts what is not under way
 * yet. There is nothing else to resume: a restart loads the state and asks the same question. All effects may repeat.
 *
 * `tick` reads the chain; `nudge` only looks at what is due by now (retries, turns). `runEpochNode` calls both on timers; tests
 * call them by hand and wait for `idle`.
 * @module
 */
import { isEigenxError } from '../../sdk/errors.ts'
import type { KeyRing } from '../keys.ts'
import { createLookup, isSessionOver, type Lookup, trimLookup } from './context.ts'
import { shareOf } from './dealer.ts'
import {
  eraseEncryptionKeys,
  isRotationDue,
  loadEncryptionKeys,
  retiredKeys,
  rotateEncryptionKey,
} from './encryption-keys.ts'
import { FORGET_IMPORTED_SHARE } from './imported.ts'
import { receiveMessage } from './inbox.ts'
import { due, type NodeEffect } from './machine.ts'
import { loadOperatorSets } from './operator-sets.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { effectKey, isSend, perform, type WorkEffect } from './perform.ts'
import { MAX_BLOB_BYTES, type PeerHandler } from './ports.ts'
import { createPendingResolver, readLog } from './read-log.ts'
import { keptSince } from './retention.ts'
import { type EpochDeps, loadRuntime } from './runtime.ts'
import { type EpochOptions, isSettled } from './state.ts'
import { type EpochStatus, epochStatus } from './status.ts'

export type EpochNode = {
  handler: PeerHandler
  /** Reads the chain and acts. Rejects when the chain cannot be read or the store failed. */
  tick(): Promise<void>
  /** Starts whatever is due by now. */
  nudge(): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
  /** Settled outputs and this node's shares of them, for the key service. */
  keyRing(): KeyRing
  status(): EpochStatus
  /** How many things it keeps in memory beside the state: caches, messages, waits. Does not grow with the epochs that go by. */
  remembered(): number
  /** Set once the store failed: the process should end. */
  failure(): unknown
  /** Starts nothing more; what is under way may end. The store stays open. */
  close(): void
}

const RETRY_MS = 200
const RETRY_MAX_MS = 5_000
/** Between two looks at the peers' encryption keys: how soon an operator that comes new is dealt in. */
const LEARN_KEYS_MS = 15_000

/** @throws STORE_CORRUPT, STORE_UNAVAILABLE */
export async function openEpochNode(deps: EpochDeps, options: EpochOptions): Promise<EpochNode> {
  const running: { runner?: Runner } = {}
  const runtime = await loadRuntime(deps, options, () => running.runner?.nudge())
  const lookup = createLookup(
    runtime,
    await loadEncryptionKeys(deps),
    await loadOperatorSets(deps.store),
  )
  await loadShares(lookup)
  const outbox = createOutbox(lookup)
  const runner = createRunner(lookup, outbox)
  running.runner = runner
  const heads = createPendingResolver()
  const done = { sweptFor: -1, forgotten: false }
  return {
    handler: {
      receive: (message) => receiveMessage(lookup, message),
      blob: async (hash) => {
        const bytes = await deps.store.blob(hash)
        return bytes !== undefined && bytes.length <= MAX_BLOB_BYTES ? bytes : undefined
      },
      encryptionKey: async () => lookup.keys.recordBytes,
    },
    tick: async () => {
      if (runtime.failure() !== undefined) throw runtime.failure()
      try {
        await readLog(lookup, heads)
      } finally {
        // Also without the chain: turns come, and what is over is erased.
        await runtime.apply([{ type: 'tick', view: runtime.view() }])
        trimLookup(lookup)
      }
      await maintain(lookup, done).catch((error: unknown) => {
        if (isEigenxError(error) && error.stage === 'store') runtime.fail(error)
        throw error
      })
      runner.nudge()
    },
    nudge: runner.nudge,
    idle: runner.idle,
    keyRing: () => keyRingOf(lookup),
    status: () => epochStatus(runtime.state(), runtime.view(), options, deps.clock()),
    remembered: () => {
      const { sets, peerKeys, questions, begun, opened, shares, taken, contexts, court } = lookup
      const caches = [sets, peerKeys, questions, begun, opened, shares, taken, contexts]
      const others = outbox.size() + runner.waiting() + court.size()
      return caches.reduce((sum, { size }) => sum + size, others)
    },
    failure: runtime.failure,
    close: runner.close,
  }
}

type Task = {
  key: string
  lane: string
  /** Pause after success, milliseconds. */
  rest: number
  /** @returns Whether it is done; else it is tried again later. */
  work: () => Promise<boolean>
}

type Runner = {
  nudge(): void
  idle(): Promise<void>
  close(): void
  /** Work under way or resting. */
  waiting(): number
}

/** Starts due work once each, with back-off after failures. */
function createRunner(lookup: Lookup, outbox: Outbox): Runner {
  const { runtime } = lookup
  const { deps, self } = runtime
  const underWay = new Map<string, Promise<void>>()
  const waits = new Map<string, { from: number; until: number; failures: number }>()
  let round: Promise<void> | undefined
  let again = false
  let closed = false

  /** Work of one lane is done one after the other; a failure rests the lane, a "not yet" the piece of work alone. */
  const start = ({ key, lane, rest, work }: Task): void => {
    if (underWay.has(lane) || isResting(lane) || isResting(key)) return
    const task = work()
      .then((done) => {
        if (done || key !== lane) waits.delete(lane)
        if (!done || rest > 0) wait(key, done ? rest : undefined)
      })
      .catch((error: unknown) => {
        wait(isSessionOver(error) ? key : lane, undefined)
        if (isEigenxError(error) && error.stage === 'store') runtime.fail(error)
        else if (!isSessionOver(error)) tellFailure(key, error)
      })
      .finally(() => {
        underWay.delete(lane)
        nudge()
      })
    underWay.set(lane, task)
  }

  /** A clock that was set back ends all rest: it must not last until the clock is that late again. */
  const isResting = (name: string): boolean => {
    const { from, until } = waits.get(name) ?? { from: 0, until: 0 }
    const now = deps.clock()
    return from <= now && now < until
  }

  const wait = (name: string, rest: number | undefined): void => {
    const failures = rest === undefined ? (waits.get(name)?.failures ?? 0) + 1 : 0
    const pause = rest ?? Math.min(RETRY_MS * 2 ** (failures - 1), RETRY_MAX_MS)
    const from = deps.clock()
    waits.set(name, { from, until: from + pause, failures })
  }

  const tellFailure = (key: string, error: unknown): void => {
    const detail = {
      what: key.split('/')[0] ?? '',
      code: isEigenxError(error) ? error.code : 'INTERNAL',
    }
    deps.report({ level: 'debug', event: 'not now, will try again', detail })
  }

  const startAll = async (): Promise<void> => {
    const effects = due(self, runtime.state(), runtime.view(), deps.clock())
    const works = effects
      .filter((effect): effect is WorkEffect => !isSend(effect))
      .map((effect): Task => {
        const key = effectKey(effect)
        const rest = restAfter(effect, self.options)
        return { key, lane: key, rest, work: () => perform(lookup, effect) }
      })
    for (const task of works) start(task)
    const deliveries = await outbox.open(effects.filter(isSend))
    for (const { key, lane, attempt } of deliveries) start({ key, lane, rest: 0, work: attempt })
    const live = new Set([...works, ...deliveries].flatMap(({ key, lane }) => [key, lane]))
    for (const key of waits.keys()) if (!live.has(key)) waits.delete(key)
  }

  const nudge = (): void => {
    if (round !== undefined) {
      again = true
      return
    }
    if (closed || runtime.failure() !== undefined) return
    round = startAll()
      .catch((error: unknown) => tellFailure('deliveries', error))
      .finally(() => {
        round = undefined
        if (!again) return
        again = false
        nudge()
      })
  }

  const idle = async (): Promise<void> => {
    while (round !== undefined || underWay.size > 0)
      await Promise.all([round, ...underWay.values()])
  }
  const close = (): void => {
    closed = true
  }
  return { nudge, idle, close, waiting: () => underWay.size + waits.size }
}

/** Writes to the chain show in the log only later; give them time before they are repeated. */
function restAfter(effect: NodeEffect, options: EpochOptions): number {
  if (effect.type === 'learnKeys') return LEARN_KEYS_MS
  return effect.type === 'post' || effect.type === 'accuse' ? 2 * options.slotMs : 0
}

/** What is not urgent and follows from the state: new and old encryption keys, the imported share, bodies that nothing names. */
async function maintain(
  lookup: Lookup,
  done: { sweptFor: number; forgotten: boolean },
): Promise<void> {
  const { runtime } = lookup
  const { deps, self } = runtime
  const state = runtime.state()
  const { pending } = runtime.view()
  const isOld = isRotationDue(lookup.keys, state, self.options.keyRotationSeconds, deps.clock())
  if (isOld || lookup.lostSequence >= lookup.keys.record.sequence) {
    lookup.keys = await rotateEncryptionKey(deps, lookup.keys, lookup.lostSequence)
    deps.report({ level: 'info', event: 'new encryption key announced' })
  }
  const retired = retiredKeys(lookup.keys, state, pending)
  if (retired.length > 0) lookup.keys = await eraseEncryptionKeys(deps, lookup.keys, retired)
  const settled = state.log.winners.some((winner) => isSettled(winner, state))
  if (settled && runtime.imported !== undefined && !done.forgotten) {
    await deps.store.commit([FORGET_IMPORTED_SHARE])
    done.forgotten = true
  }
  if (state.log.nextEpoch === done.sweptFor) return
  await runtime.apply([{ type: 'sweep', stored: await deps.store.blobHashes(), pending }])
  done.sweptFor = state.log.nextEpoch
}

/** Sealed shares into memory: signing must not wait for the disk. */
async function loadShares(lookup: Lookup): Promise<void> {
  for (const record of lookup.runtime.state().shares)
    if (record.status === 'held')
      lookup.shares.set(record.output, await shareOf(lookup, record.output))
}

function keyRingOf({ runtime, shares }: Lookup): KeyRing {
  const state = runtime.state()
  return {
    outputs: state.log.winners.filter((winner) => isSettled(winner, state)),
    shares,
    keptSince: keptSince(runtime.self.options, state, runtime.deps.clock()),
  }
}

/**
 * Runs a node on timers until stopped. A chain that cannot be read is tried again at the next turn; a store that failed ends
 * the node, and `onFailure` tells.
 */
export function runEpochNode(
  node: Pick<EpochNode, 'tick' | 'nudge' | 'idle' | 'failure' | 'close'>,
  input: {
    pollMs: number
    report: EpochDeps['report']
    onFailure(error: unknown): void
    /** Called once nothing new begins: ends what would otherwise wait for minutes, such as a post for its block. */
    giveUp(): void
  },
): { stop(): Promise<void> } {
  let stopped = false
  let wake = (): void => undefined
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const nudges = setInterval(() => {
    node.nudge()
    // The next look may be minutes away.
    if (node.failure() !== undefined) wake()
  }, RETRY_MS)
  const loop = async (): Promise<void> => {
    while (!stopped) {
      try {
        await node.tick()
      } catch (error) {
        if (node.failure() !== undefined) break
        const code = isEigenxError(error) ? error.code : 'INTERNAL'
        input.report({ level: 'warn', event: 'the chain could not be read', detail: { code } })
      }
      if (!stopped) await sleep(input.pollMs)
      if (node.failure() !== undefined) break
    }
    clearInterval(nudges)
    if (!stopped && node.failure() !== undefined) input.onFailure(node.failure())
  }
  const finished = loop()
  return {
    stop: async () => {
      stopped = true
      wake()
      node.close()
      input.giveUp()
      await finished
      await node.idle()
    },
  }
}
