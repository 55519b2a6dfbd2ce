/**
 * Runs one target: its seeds, its corpus, then mutations of both.
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { EigenxError } from '../../sdk/errors.ts'
import type { Coverage } from './coverage.ts'
import type { Run, Target, Verdict } from './kit.ts'
import { createMutator, createRandom } from './mutate.ts'

export const CORPUS = new URL('corpus/', import.meta.url)
/**
 * An execution above this is measured again; one that stays above it every time is a hang. 50 ms a reading: most targets read twice.
 * The hashes of the longest honest logs stay below.
 */
const HANG_MS = 100
const REMEASURED = 3
/** Coverage is read once for so many inputs; only those of a batch that reached something new are looked at one by one. */
const BATCH = 64
/** This share of the executions is guided by coverage, which makes each some times slower; the rest mutate what these found. */
const GUIDED_SHARE = 0.1
const MOST_GUIDED = 20_000
/** A target that fails on everything need not fill the disk. */
const MAX_FAILURES = 20

export type Failure = { input: Uint8Array; kind: 'crash' | 'hang'; reason: string }

export type Report = {
  target: string
  executions: number
  accepted: number
  refused: number
  failures: Failure[]
  slowestMs: number
  /** Inputs that reached code that none before them did. */
  found: Uint8Array[]
}

export type RunOptions = {
  executions: number
  seed: number
  /** Off in the suite, which asserts no times. */
  hangs?: boolean
  /** Mutates also what reached new code. Absent where a run must be the same again: what V8 counts depends on what ran before. */
  coverage?: Coverage
}

export function readCorpus(target: string): Uint8Array[] {
  try {
    const folder = new URL(`${target}/`, CORPUS)
    const files = readdirSync(folder).sort()
    return files.map((file) => Uint8Array.from(readFileSync(new URL(file, folder))))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Targets with saved inputs. */
export const corpusNames = (): string[] => readdirSync(CORPUS)

/** @returns The file's name: the same input is saved once. */
export function saveInput(target: string, input: Uint8Array): string {
  const folder = new URL(`${target}/`, CORPUS)
  mkdirSync(folder, { recursive: true })
  const name = createHash('sha256').update(input).digest('hex').slice(0, 16)
  writeFileSync(new URL(name, folder), input)
  return name
}

export async function runTarget(target: Target, options: RunOptions): Promise<Report> {
  const seeds = await target.seeds()
  const run = await target.prepare(seeds)
  const corpus = readCorpus(target.name)
  const report: Report = {
    target: target.name,
    executions: 0,
    accepted: 0,
    refused: 0,
    failures: [],
    slowestMs: 0,
    found: [],
  }
  for (const [index, input] of seeds.entries()) {
    await measure(run, input, report, options)
    // Mutations of what is refused anyway would only meet the first check.
    if (report.accepted + report.failures.length <= index)
      report.failures.push({ input, kind: 'crash', reason: `seed ${index} is refused` })
  }
  for (const input of corpus) await measure(run, input, report, options)
  const random = createRandom(options.seed)
  const mutate = createMutator([...seeds, ...corpus], target.dictionary, random, report.found)
  const wanted = Math.ceil(options.executions / target.cost)
  const { coverage } = options
  await coverage?.grew()
  const guided = coverage === undefined ? 0 : Math.min(MOST_GUIDED, wanted * GUIDED_SHARE)
  for (
    let i = 0;
    coverage !== undefined && i < guided && report.failures.length < MAX_FAILURES;
    i += BATCH
  )
    await explore(run, Array.from({ length: BATCH }, mutate), coverage, report, options)
  while (report.executions < wanted && report.failures.length < MAX_FAILURES)
    await measure(run, mutate(), report, options)
  return report
}

/** Adds those of the inputs that reached something new, each by itself, to `report.found`. */
async function explore(
  run: Run,
  inputs: readonly Uint8Array[],
  coverage: Coverage,
  report: Report,
  options: RunOptions,
): Promise<void> {
  for (const input of inputs) await measure(run, input, report, options)
  if (!(await coverage.wouldGrow())) return
  for (const input of inputs) {
    await execute(run, input).catch(() => undefined)
    if (await coverage.grew()) report.found.push(input)
  }
}

async function measure(run: Run, input: Uint8Array, report: Report, options: RunOptions) {
  report.executions++
  const start = performance.now()
  let verdict: Verdict
  try {
    verdict = await execute(run, input)
  } catch (error) {
    report.failures.push({ input, kind: 'crash', reason: String(error).slice(0, 200) })
    return
  }
  let took = performance.now() - start
  if (options.hangs === true && took > HANG_MS) {
    for (let i = 0; i < REMEASURED; i++) took = Math.min(took, await time(run, input))
    if (took > HANG_MS)
      report.failures.push({ input, kind: 'hang', reason: `takes ${took.toFixed(0)} ms` })
  }
  report.slowestMs = Math.max(report.slowestMs, took)
  if (verdict === 'accepted') report.accepted++
  else report.refused++
}

/** Time of the processor: other processes do not count. */
async function time(run: Run, input: Uint8Array): Promise<number> {
  const start = process.cpuUsage()
  await execute(run, input)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

/** @throws Whatever is no typed refusal. */
async function execute(run: Run, input: Uint8Array): Promise<Verdict> {
  try {
    return await run(Uint8Array.from(input))
  } catch (error) {
    if (error instanceof EigenxError) return 'refused'
    throw error
  }
}
