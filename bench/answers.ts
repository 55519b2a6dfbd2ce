/**
 * How long a pod waits for an answer while the operators refresh their shares: real requests at a steady
 * rate to one operator of ten, between reshares and during them.
 *
 * Ten operators on one machine would measure the machine. So the other nine give way to the one that is asked: their
 * processes run at the lowest priority, as far as the system has one.
 * @module
 */
import { readdirSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { startDevnet } from '../helper/sim/devnet.ts'
import type { Operator } from '../helper/sim/operators.ts'
import { UNLIMITED } from './devnet.ts'
import { followReshare, type Reshare, SHORTEST } from './epochs.ts'
import type { Row } from './row.ts'
import { postSecrets, recordRequest } from './secrets.ts'

const OPERATORS = 10
const PERIOD_SECONDS = 24
const REQUESTS_PER_SECOND = 15
/** p99 of fewer is the luck of two or three requests. */
const MIN_SAMPLES = 600
const WARM_UP_MS = 5_000
/** What an ended epoch leaves behind, and what the next begins with, counts for neither side. */
const MARGIN_MS = 1_000
const MAX_GROWTH = 2

export async function answerRows(): Promise<Row[]> {
  const devnet = await startDevnet({
    operators: OPERATORS,
    config: {
      ...SHORTEST,
      epoch: { ...SHORTEST.epoch, reshare_seconds: PERIOD_SECONDS },
      limits: { secrets: UNLIMITED, read: UNLIMITED, peer: UNLIMITED },
    },
  })
  try {
    const [measured, ...others] = devnet.operators
    if (measured === undefined) throw new RangeError('a devnet has operators')
    others.forEach(giveWay)
    // The first pays for compiling; and pods look at final blocks, in which the key is only some time after it is in force here.
    await followReshare(devnet, PERIOD_SECONDS)
    const body = await recordRequest(devnet)
    const stream = startStream(() => postSecrets(measured, body))
    await pause(WARM_UP_MS)
    const began = Date.now()
    const reshares: Reshare[] = []
    const during = () => stream.answers().filter(({ at }) => reshares.some(isDuring(at)))
    do {
      reshares.push(await followReshare(devnet, PERIOD_SECONDS))
    } while (during().length < MIN_SAMPLES)
    await stream.stop()
    const quiet = stream
      .answers()
      .filter(({ at }) => at >= began && !reshares.some(isDuring(at, MARGIN_MS)))
    return rowsOf(quiet.map(tookOf), during().map(tookOf), reshares.length)
  } finally {
    await devnet.stop()
  }
}

function rowsOf(quiet: readonly number[], during: readonly number[], reshares: number): Row[] {
  const name = `/secrets of one of ${OPERATORS} operators`
  const note = (samples: number) => `${samples} requests, ${REQUESTS_PER_SECOND} a second`
  const [before, under] = [quantile(quiet, 0.99), quantile(during, 0.99)]
  return [
    { name: `${name}, between reshares: p50`, value: quantile(quiet, 0.5), unit: 'ms' },
    { name: `${name}, between reshares: p99`, value: before, unit: 'ms', note: note(quiet.length) },
    { name: `${name}, during a reshare: p50`, value: quantile(during, 0.5), unit: 'ms' },
    {
      name: `${name}, during a reshare: p99`,
      value: under,
      unit: 'ms',
      note: `${note(during.length)}, in ${reshares} reshares, from due to posted`,
    },
    {
      name: `${name}: p99 during a reshare over p99 between`,
      value: under / before,
      unit: 'times',
      budget: MAX_GROWTH,
      note: 'the other nine run at the lowest priority',
      why: 'A request that arrives in the middle of a piece of an epoch’s arithmetic waits for its end, and for some that are not cut.',
    },
  ]
}

type Answer = { at: number; took: number }

const tookOf = ({ took }: Answer) => took

/** Whether a request that was due then met the work of a reshare, from the second in which it is due to its post. */
function isDuring(at: number, margin = 0) {
  return ({ due, posted }: Reshare) => at >= due - margin && at <= posted + margin
}

/**
 * Requests at fixed times, whether or not earlier ones are answered: a server that stands still is
 * asked all the same. Waiting counts from the time at which a request was due.
 */
function startStream(ask: () => Promise<unknown>) {
  const answers: Answer[] = []
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  const began = performance.now()
  const offset = Date.now() - began
  let sent = 0
  const timer = setInterval(() => {
    for (;;) {
      const due = began + (sent * 1000) / REQUESTS_PER_SECOND
      if (performance.now() < due) return
      sent++
      const asked = ask().then(
        () => void answers.push({ at: due + offset, took: performance.now() - due }),
        (error: unknown) => void failures.push(error),
      )
      underWay.add(asked)
      void asked.finally(() => underWay.delete(asked))
    }
  }, 1)
  return {
    answers: () => answers,
    /** @throws The first failure: an operator that refuses is quick. */
    stop: async () => {
      clearInterval(timer)
      await Promise.all(underWay)
      if (failures.length > 0) throw failures[0]
    },
  }
}

/** All threads of the process: on Linux each has a priority of its own. */
function giveWay(operator: Operator): void {
  const { pid } = operator.program()
  let threads = [pid]
  try {
    threads = readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    // Not Linux: the process is one.
  }
  for (const thread of threads) setPriority(thread, constants.priority.PRIORITY_LOW)
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}
