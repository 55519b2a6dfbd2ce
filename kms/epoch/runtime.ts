/**
 * What the driver's parts share: the ports, the current state, and the one way to change it.
 *
 * `apply` hands facts to the state machine, stores the outcome and only then lets anybody see it. Facts that arrive while a
 * commit is under way are stored together by the next one. A store that fails ends the node: it must not act on
 * what it could not remember.
 * @module
 */
import type { Hash32 } from '../../sdk/chain/types.ts'
import type { Rng } from '../../sdk/crypto/bls.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { NO_OUTPUT } from '../../sdk/protocol/terms.ts'
import type { Domain } from '../../sdk/protocol/types.ts'
import type { Store, Write } from '../store/store.ts'
import { encodeHead, parseHead } from './head.ts'
import { type ImportedShare, readImportedShare } from './imported.ts'
import { type NodeEvent, type Self, step } from './machine.ts'
import type {
  Clock,
  EpochLogPort,
  EpochReport,
  MembershipPort,
  PeerPort,
  SignerPort,
} from './ports.ts'
import {
  EMPTY_STATE,
  EMPTY_VIEW,
  type EpochOptions,
  type NodeState,
  type Step,
  type View,
} from './state.ts'

export type EpochDeps = {
  domain: Domain
  store: Store
  log: EpochLogPort
  membership: MembershipPort
  peers: PeerPort
  signer: SignerPort
  clock: Clock
  rng: Rng
  /** Gives the event loop a turn between heavy steps. */
  pause(): Promise<void>
  report(report: EpochReport): void
  /** First block that can hold an entry of this set: the log contract's deployment. */
  fromBlock: bigint
}

type Verdict = Step<NodeState>['verdict']

export type Runtime = {
  deps: EpochDeps
  self: Self
  /** What this operator brings from an older set, until the log has its key. */
  imported: ImportedShare | undefined
  state(): NodeState
  view(): View
  look(view: View): void
  /**
   * All events or none are stored, together with `writes` when at least one event changed something.
   * Resolves when that is durable.
   * @returns The verdict on the first event.
   */
  apply(events: readonly NodeEvent[], writes?: readonly Write[]): Promise<Verdict>
  /** Set once the store failed; the node is over. */
  failure(): unknown
  /** Ends the node: a stored record turned out damaged or unreadable outside of a step. */
  fail(error: unknown): void
}

type Waiting = {
  events: readonly NodeEvent[]
  writes: readonly Write[]
  resolve(verdict: Verdict): void
  reject(error: unknown): void
}

/** @throws STORE_CORRUPT, STORE_UNAVAILABLE */
export async function loadRuntime(
  deps: EpochDeps,
  options: EpochOptions,
  changed: () => void,
): Promise<Runtime> {
  const head = await deps.store.head()
  let state =
    head === undefined ? EMPTY_STATE : await parseHead(head, (hash) => deps.store.blob(hash))
  const imported = await readImportedShare(deps.store)
  let view = EMPTY_VIEW
  let failure: unknown
  let draining = false
  const queue: Waiting[] = []
  const self: Self = {
    operator: deps.signer.operator,
    options,
    root: imported?.root ?? NO_OUTPUT,
  }

  const commitBatch = async (batch: readonly Waiting[]): Promise<void> => {
    const now = deps.clock()
    let next = state
    const writes: Write[] = []
    const verdicts = batch.map((item) => {
      const before = next
      const own: Write[] = []
      const steps = item.events.map((event) => {
        const moved = step(self, next, event, now)
        if (moved.verdict === 'valid') {
          next = moved.state
          own.push(...moved.writes)
        } else if (moved.verdict === 'fault') {
          const detail = { by: moved.by, reason: moved.reason }
          deps.report({ level: 'warn', event: 'peer broke the protocol', detail })
        }
        return moved.verdict
      })
      if (next !== before) writes.push(...item.writes, ...own)
      return steps[0] ?? 'skip'
    })
    if (next !== state)
      await deps.store.commit([...writes, { type: 'setHead', head: encodeHead(next) }])
    state = next
    batch.forEach((item, i) => {
      item.resolve(verdicts[i] ?? 'skip')
    })
  }

  const fail = (error: unknown): void => {
    if (failure !== undefined) return
    failure = error
    const code = isEigenxError(error) ? error.code : 'INTERNAL'
    deps.report({ level: 'error', event: 'stopped: the store failed', detail: { code } })
  }

  const drain = async (): Promise<void> => {
    if (draining) return
    draining = true
    while (queue.length > 0 && failure === undefined) {
      const batch = queue.splice(0)
      try {
        await commitBatch(batch)
        changed()
      } catch (error) {
        fail(error)
        for (const item of [...batch, ...queue.splice(0)]) item.reject(error)
      }
    }
    draining = false
  }

  return {
    deps,
    self,
    imported,
    state: () => state,
    view: () => view,
    look: (next) => {
      view = next
    },
    apply: (events, writes = []) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure)
          return
        }
        queue.push({ events, writes, resolve, reject })
        void drain()
      }),
    failure: () => failure,
    fail,
  }
}

export function bodyUnavailable(hash: Hash32): EigenxError<'BODY_UNAVAILABLE'> {
  return new EigenxError({
    code: 'BODY_UNAVAILABLE',
    message: 'No peer has a body that the epoch names.',
    stage: 'protocol',
    details: { hash },
  })
}
