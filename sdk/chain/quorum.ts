/**
 * k of m: one question to all providers, one answer that k of them gave in equal words.
 *
 * The quorum is more than half of the providers, so two answers cannot both have one. A liar in the minority is
 * outvoted and reported; without k equal answers there is no answer.
 * @module
 */
import { EigenxError } from '../errors.ts'
import type { Answer, Fault } from './provider.ts'

/** What k providers said. `absent`: they do not have the thing asked for (a JSON-RPC null). */
export type Agreed<T> = { kind: 'value'; value: T } | { kind: 'absent' } | { kind: 'revert' }

/** A provider that contradicts the quorum or serves another chain; `provider` is its place in the configuration. */
export type ProviderAlarm = { provider: number; what: string; kind: 'disagrees' | 'wrong-chain' }

export type QuorumQuestion<T> = {
  /** Short public text for errors and alarms, e.g. `finalized block`. */
  what: string
  quorum: number
  /** One promise a provider, in configured order. They never reject. `undefined` as a value means absent. */
  answers: readonly Promise<Answer<T | undefined>>[]
  /** Canonical form: equal text is an equal answer. */
  canonical: (value: T) => string
  onAlarm: (alarm: ProviderAlarm) => void
}

type Vote<T> = { agreed: Agreed<T>; providers: number[] }

const ABSENT = 'absent'

/** Resolves with the first answer that k providers share; later contradictions still reach `onAlarm`. */
export function askQuorum<T>(question: QuorumQuestion<T>): Promise<Agreed<T>> {
  const { answers, quorum, what, onAlarm } = question
  const votes = new Map<string, Vote<T>>()
  const faults: Fault[] = []
  let winner: string | undefined
  let open = answers.length

  return new Promise((resolve, reject) => {
    const take = (answer: Answer<T | undefined>, provider: number) => {
      open--
      if (answer.kind === 'fault') {
        faults.push(answer.fault)
        if (answer.fault === 'wrong-chain') onAlarm({ provider, what, kind: 'wrong-chain' })
      } else {
        const [key, agreed] = readVote(answer, question.canonical)
        const vote = votes.get(key) ?? { agreed, providers: [] }
        vote.providers.push(provider)
        votes.set(key, vote)
        if (winner !== undefined && contradicts(key, winner))
          onAlarm({ provider, what, kind: 'disagrees' })
        if (winner === undefined && vote.providers.length >= quorum) {
          winner = key
          for (const [other, { providers }] of votes)
            if (contradicts(other, key))
              for (const liar of providers) onAlarm({ provider: liar, what, kind: 'disagrees' })
          resolve(agreed)
        }
      }
      if (open === 0 && winner === undefined) reject(noQuorum(what, quorum, votes, faults))
    }
    answers.forEach((answer, provider) => {
      answer.then((settled) => take(settled, provider)).catch(reject)
    })
    if (answers.length === 0) reject(unavailable(what, quorum, 0, []))
  })
}

function readVote<T>(
  answer: Exclude<Answer<T | undefined>, { kind: 'fault' }>,
  canonical: (value: T) => string,
): [string, Agreed<T>] {
  if (answer.kind === 'revert') return ['revert', { kind: 'revert' }]
  if (answer.value === undefined) return [ABSENT, { kind: ABSENT }]
  return [`value:${canonical(answer.value)}`, { kind: 'value', value: answer.value }]
}

/** A provider that lags behind lacks a block; that is no contradiction. */
function contradicts(key: string, winner: string): boolean {
  return key !== winner && key !== ABSENT && winner !== ABSENT
}

function noQuorum<T>(
  what: string,
  quorum: number,
  votes: ReadonlyMap<string, Vote<T>>,
  faults: readonly Fault[],
): EigenxError {
  const contradicting = [...votes.keys()].filter((key) => key !== ABSENT)
  if (contradicting.length > 1)
    return new EigenxError({
      code: 'CHAIN_DISAGREES',
      message: `Chain providers contradict each other about ${what}`,
      stage: 'chain',
      details: { what },
      hint: 'At one block honest providers always agree: find the wrong one by its alarm in the log and replace it.',
    })
  const most = Math.max(0, ...[...votes.values()].map((vote) => vote.providers.length))
  return unavailable(what, quorum, most, faults)
}

/** @param got - Equal answers that were there. */
export function unavailable(
  what: string,
  needed: number,
  got: number,
  faults: readonly Fault[],
): EigenxError<'CHAIN_UNAVAILABLE'> {
  const counts = new Map<Fault, number>()
  for (const fault of faults) counts.set(fault, (counts.get(fault) ?? 0) + 1)
  const reasons = [...counts].sort().map(([fault, count]) => `${count} ${fault}`)
  const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`
  return new EigenxError({
    code: 'CHAIN_UNAVAILABLE',
    message: `Too few chain providers answered about ${what}: ${got} of ${needed}${why}`,
    stage: 'chain',
    details: { needed, got },
    hint: 'Check that the configured providers are up, in sync and serve the configured chain.',
  })
}
