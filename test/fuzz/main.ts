/**
 * `npm run fuzz -- [--target name]... [--executions N] [--seed S] [--keep]`: mutated inputs for every parser of outside
 * input, guided by the code that they reach, and a table.
 * Failing inputs are saved into test/fuzz/corpus/<target>/, where every later run replays them; with `--keep` also those that reached
 * new code. Exit code 1 on any failure.
 * @module
 */
import { misuse, readFlags, wholeNumber } from '../kit/flags.ts'
import { startCoverage } from './coverage.ts'

// Before any code of the parsers is compiled: V8 counts the blocks only of what it compiles from now on.
const coverage = await startCoverage()
const { runTarget, saveInput } = await import('./run.ts')
const { TARGETS } = await import('./targets.ts')

const values = readFlags({
  target: { type: 'string', multiple: true, default: [] },
  executions: { type: 'string', default: '20000' },
  seed: { type: 'string', default: '1' },
  keep: { type: 'boolean', default: false },
})
const executions = wholeNumber('executions', values.executions, 0)
const seed = wholeNumber('seed', values.seed, 0)
const chosen = TARGETS.filter(
  ({ name }) => values.target.length === 0 || values.target.includes(name),
)
if (chosen.length < new Set(values.target).size)
  misuse(`--target is one of ${TARGETS.map(({ name }) => name).join(', ')}`)

const write = (text: string) => process.stdout.write(`${text}\n`)
const row = (cells: readonly (string | number)[]) =>
  cells.map((cell, i) => (i === 0 ? `${cell}`.padEnd(22) : `${cell}`.padStart(11))).join('')

write(
  row([
    'target',
    'executions',
    'accepted',
    'refused',
    'crashes',
    'hangs',
    'slowest ms',
    'new code',
  ]),
)
for (const target of chosen) {
  const report = await runTarget(target, { executions, seed, hangs: true, coverage })
  const hangs = report.failures.filter(({ kind }) => kind === 'hang').length
  const crashes = report.failures.length - hangs
  const { accepted, refused, slowestMs, found } = report
  write(
    row([
      target.name,
      report.executions,
      accepted,
      refused,
      crashes,
      hangs,
      slowestMs.toFixed(1),
      found.length,
    ]),
  )
  if (values.keep) for (const input of found) saveInput(target.name, input)
  for (const { input, kind, reason } of report.failures) {
    write(`  ${kind}: ${reason}\n  saved as ${target.name}/${saveInput(target.name, input)}`)
    process.exitCode = 1
  }
}
