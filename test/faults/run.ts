/** One run: faults one after the other, with looks and pods between and during them. @module */
import { setTimeout as pause } from 'node:timers/promises'
import { DEMO_SECRET } from '../../helper/sim/app.ts'
import type { Devnet } from '../../helper/sim/devnet.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { canLimitFiles, inject } from './inject.ts'
import { bootPod, look, type PodKeys, waitForAgreement } from './observe.ts'
import { describeFault, type Fault, KINDS, type Kind, planFaults } from './plan.ts'
import { createLedger, type Failure, type PodProbe, type RunRecord } from './verdict.ts'

const SIGHT_EVERY_MS = 1000
const LOG_LINES = 8
/** On a machine that is busy with all operators and somebody else's work. */
const RECOVERY_MS = 90_000

export type RunOptions = {
  seed: number
  /** Between two reshares. */
  periodSeconds: number
  durationMs: number
  stallSeconds: number
  /** Ends the run early; its record says so. */
  signal: AbortSignal
  say: (line: string) => void
}

export async function runFaults(devnet: Devnet, options: RunOptions): Promise<RunRecord> {
  const { operators, genesis } = devnet
  const { seed, durationMs, stallSeconds, signal, say } = options
  const startedMs = Date.now()
  const ledger = createLedger(bytesToHex(genesis.masterPublicKey))
  const failures: Failure[] = []
  const probes: PodProbe[] = []
  const faults = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>
  let storesNoticed = 0
  let sightings = 0
  let away: readonly number[] = []

  const fail = (what: string) => {
    if (failures.some((failure) => failure.what === what)) return
    say(`  FAILED: ${what}`)
    const logs = operators.map((operator) => operator.program().lines().slice(-LOG_LINES))
    failures.push({ atMs: Date.now(), what, logs })
  }

  const sight = async () => {
    for (const operator of operators)
      if (!away.includes(operator.index) && !operator.program().isRunning())
        fail(`operator ${operator.index + 1} ended by itself`)
    const seen = await Promise.all(operators.map(look))
    for (const sighting of seen) {
      if (sighting === undefined) continue
      sightings++
      for (const wrong of ledger.note(sighting)) fail(wrong)
    }
  }

  let expected: PodKeys | undefined
  const probe = async (when: string) => {
    const present = operators.filter(({ index }) => !away.includes(index))
    const atMs = Date.now()
    try {
      const { keys, granted, tookMs } = await bootPod(devnet, present)
      expected ??= keys
      if (keys.evm !== expected.evm || keys.solana !== expected.solana)
        fail(`the pod has other addresses ${when}`)
      if (keys.secret !== DEMO_SECRET.value) fail(`what was sealed in epoch 0 differs ${when}`)
      probes.push({ atMs, when, granted, tookMs })
      const epoch = ledger.activations().at(-1)?.epoch ?? 0
      say(
        `  pod ${when}: epoch ${epoch}, same keys, ${granted} of ${present.length} granted, ${tookMs} ms`,
      )
    } catch (error) {
      if (!signal.aborted) fail(`the pod got no keys ${when}: ${messageOf(error)}`)
    }
  }

  const recover = async (when: string, isGood?: (epoch: number) => boolean) => {
    const behind = await waitForAgreement(
      operators,
      RECOVERY_MS,
      ({ epoch }) => isGood === undefined || isGood(epoch),
    )
    if (behind.length > 0)
      fail(`no agreement within ${RECOVERY_MS / 1000} s ${when}: ${behind.join(', ')}`)
  }

  const suffer = async (fault: Fault, number: number) => {
    await pause(fault.restMs, undefined, { signal })
    say(`${elapsed(startedMs)} ${describeFault(fault)}`)
    const label = `${fault.kind} ${number}`
    // Known as away before it is, or its end would look like its own.
    if ('operator' in fault) away = [fault.operator]
    if (fault.kind === 'blackout') away = operators.map(({ index }) => index)
    const injected = await inject(devnet, fault)
    faults[fault.kind]++
    const lifted = Date.now() + fault.lastsMs
    const canServe = operators.length - away.length >= genesis.threshold
    if (!injected.blocksPods && canServe) await probe(`during ${label}`)
    await pause(Math.max(0, lifted - Date.now()), undefined, { signal })
    const { text: told, noticed } = await injected.lift()
    if (noticed === true) storesNoticed++
    if (told !== '') say(`  ${told}`)
    away = []
    await recover(`after ${label}`)
    await probe(`after ${label}`)
  }

  const impossible: Kind[] = (await canLimitFiles()) ? [] : ['store']
  const story = async () => {
    await probe('at the start')
    let number = 0
    for (const fault of planFaults(seed, operators.length, options.periodSeconds)) {
      if (Date.now() - startedMs > durationMs || signal.aborted) break
      if (!impossible.includes(fault.kind)) await suffer(fault, ++number)
    }
    say(`${elapsed(startedMs)} no more faults`)
    const last = ledger.activations().at(-1)?.epoch ?? 0
    await recover('in the end, in a new epoch', (epoch) => epoch > last)
    await probe('at the end')
  }

  const ending = new AbortController()
  const watching = repeat(sight, SIGHT_EVERY_MS, ending.signal)
  let cutShort: string | undefined
  try {
    await Promise.race([story(), watching, aborted(signal)])
  } catch (error) {
    cutShort = signal.aborted ? 'interrupted' : messageOf(error)
    if (!signal.aborted) fail(cutShort)
  } finally {
    ending.abort()
  }
  return {
    seed,
    operators: operators.length,
    threshold: genesis.threshold,
    startedMs,
    endedMs: Date.now(),
    stallSeconds,
    faults,
    storesNoticed,
    impossible,
    activations: ledger.activations(),
    sightings,
    probes,
    failures,
    ...(cutShort === undefined ? {} : { cutShort }),
  }
}

async function repeat(task: () => Promise<void>, everyMs: number, signal: AbortSignal) {
  while (!signal.aborted) {
    await task()
    await pause(everyMs)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error('interrupted'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function elapsed(startedMs: number): string {
  const seconds = Math.floor((Date.now() - startedMs) / 1000)
  return `${`${Math.floor(seconds / 60)}`.padStart(2)}:${`${seconds % 60}`.padStart(2, '0')}`
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
