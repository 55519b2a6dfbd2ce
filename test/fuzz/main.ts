/**
 * `npm run fuzz -- [--target name] [--executions N] [--seed S]`: mutated inputs for every parser of outside input, and a table.
 * Failing inputs are saved into test/fuzz/corpus/<target>/, where every later run replays them. Exit code 1 on any.
 * @module
 */
import { parseArgs } from 'node:util'
import { runTarget, saveInput } from './run.ts'
import { TARGETS } from './targets.ts'

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    executions: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
  },
})
const [executions, seed] = [Number(values.executions), Number(values.seed)]
if (!Number.isSafeInteger(executions) || executions < 0 || !Number.isSafeInteger(seed))
  throw new RangeError('--executions and --seed are whole numbers')
const chosen = TARGETS.filter(({ name }) => values.target === undefined || name === values.target)
if (chosen.length === 0)
  throw new RangeError(`--target is one of ${TARGETS.map(({ name }) => name).join(', ')}`)

const write = (text: string) => process.stdout.write(`${text}\n`)
const row = (cells: readonly (string | number)[]) =>
  cells.map((cell, i) => (i === 0 ? `${cell}`.padEnd(22) : `${cell}`.padStart(11))).join('')

write(row(['target', 'executions', 'accepted', 'refused', 'crashes', 'hangs', 'slowest ms']))
for (const target of chosen) {
  const report = await runTarget(target, { executions, seed, hangs: true })
  const hangs = report.failures.filter(({ kind }) => kind === 'hang').length
  const crashes = report.failures.length - hangs
  const { accepted, refused, slowestMs } = report
  write(
    row([target.name, report.executions, accepted, refused, crashes, hangs, slowestMs.toFixed(1)]),
  )
  for (const { input, kind, reason } of report.failures) {
    write(`  ${kind}: ${reason}\n  saved as ${target.name}/${saveInput(target.name, input)}`)
    process.exitCode = 1
  }
}
