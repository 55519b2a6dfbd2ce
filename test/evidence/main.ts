/**
 * `npm run check:evidence -- [--executions N] [--seed S]`: how many inputs the verifiers accepted, refused, saw flipped and fuzzed,
 * and how many got a wrong answer. Exit code 1 on any.
 * @module
 */
import { readFlags, wholeNumber } from '../kit/flags.ts'
import { GENUINE_SECTIONS } from './genuine-sections.ts'
import { fuzzSections, MADE_SECTIONS } from './made-sections.ts'
import { createRow, type Row } from './tally.ts'

const values = readFlags({
  executions: { type: 'string', default: '20000' },
  seed: { type: 'string', default: '1' },
})
const executions = wholeNumber('executions', values.executions, 0)
const seed = wholeNumber('seed', values.seed, 0)

const write = (text: string) => process.stdout.write(`${text}\n`)
const line = (cells: readonly (string | number)[]) =>
  cells.map((cell, i) => (i === 0 ? `${cell}`.padEnd(36) : `${cell}`.padStart(10))).join('')
const show = ({ name, accepted, refused, flipped, fuzzed, wrong }: Row) =>
  write(line([name, accepted, refused, flipped, fuzzed, wrong]))

write(line(['evidence', 'accepted', 'refused', 'flipped', 'fuzzed', 'wrong']))
const total = createRow('all')
for (const { run } of [...GENUINE_SECTIONS, ...MADE_SECTIONS, ...fuzzSections(executions, seed)]) {
  const row = await run()
  show(row)
  for (const key of ['accepted', 'refused', 'flipped', 'fuzzed', 'wrong'] as const)
    total[key] += row[key]
}
show(total)
process.exitCode = total.wrong === 0 ? 0 : 1
