/**
 * `npm run bench`: every figure that the project promises something about, as a markdown table with
 * the facts of the machine. `npm run bench -- crypto helper` runs only the named parts.
 * @module
 */
import { cpus, totalmem } from 'node:os'
import { answerRows } from './answers.ts'
import { cryptoRows } from './crypto.ts'
import { withBenchDevnet } from './devnet.ts'
import { epochRows } from './epoch.ts'
import { evidenceRows } from './evidence.ts'
import { genesisRows } from './genesis.ts'
import { helperRows } from './helper.ts'
import { reshareRows } from './reshare.ts'
import type { Row } from './row.ts'
import { secretsRows } from './secrets.ts'
import { tdxRows } from './tdx.ts'

const PARTS: Readonly<Record<string, () => Promise<Row[]>>> = {
  crypto: cryptoRows,
  evidence: evidenceRows,
  tdx: tdxRows,
  epoch: epochRows,
  genesis: genesisRows,
  reshare: reshareRows,
  answers: answerRows,
  secrets: () => withBenchDevnet(secretsRows),
  helper: () => withBenchDevnet(helperRows),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in PARTS))
if (unknown.length > 0) {
  process.stderr.write(
    `no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}\n`,
  )
  process.exit(2)
}

const rows: Row[] = []
const failed: string[] = []
for (const [name, measure] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  process.stderr.write(`measuring ${name}\n`)
  try {
    rows.push(...(await measure()))
  } catch (error) {
    // The other figures are still worth having; the exit code says that some are missing.
    failed.push(name)
    process.stderr.write(
      `${name} could not be measured: ${error instanceof Error ? error.message : 'unknown failure'}\n`,
    )
  }
}
process.stdout.write(`${describeMachine()}\n\n${formatTable(rows)}\n`)
const budgets = rows.filter(({ budget }) => budget !== undefined)
if (budgets.length > 0) process.stdout.write(`\nBudgets:\n\n${formatBudgets(budgets)}\n`)
const missed = rows.filter((row) => row.budget !== undefined && row.value > row.budget)
process.stdout.write(
  missed.length > 0
    ? `\nMissed:\n${missed.map(explain).join('')}`
    : `\nEvery budget ${failed.length === 0 ? 'is kept' : 'that was measured is kept'}.\n`,
)
if (failed.length > 0) process.stdout.write(`Not measured: ${failed.join(', ')}.\n`)
// Idle connections may linger; the figures are out.
process.exit(failed.length > 0 ? 1 : 0)

function explain({ name, value, unit, budget, why }: Row): string {
  const figures = `${formatNumber(value)} ${unit} of ${budget} ${unit}`
  return `- ${name}: ${figures}${why === undefined ? '' : `. ${why}`}\n`
}

function describeMachine(): string {
  const processors = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${processors[0]?.model.trim() ?? 'unknown CPU'}, ${processors.length} cores, ${memory} GiB, Node ${process.version}, ${process.platform} ${process.arch}`
}

function formatTable(measured: readonly Row[]): string {
  const cells = measured.map((row) => [
    row.name,
    `${formatNumber(row.value)} ${row.unit}`,
    row.budget === undefined ? '' : `${row.budget} ${row.unit}`,
    row.budget === undefined ? '' : row.value <= row.budget ? 'ok' : 'MISSED',
    row.note ?? '',
  ])
  const head = [
    ['what', 'measured', 'budget', '', 'note'],
    ['---', '---:', '---:', '---', '---'],
  ]
  return joinCells([...head, ...cells])
}

/** What was promised beside what came of it, without the figures that nothing is promised about. */
function formatBudgets(budgeted: readonly Row[]): string {
  const cells = budgeted.map(({ name, value, unit, budget = Number.NaN }) => [
    name,
    `${budget} ${unit}`,
    `${formatNumber(value)} ${unit}`,
    value <= budget ? 'met' : 'MISSED',
  ])
  const head = [
    ['what', 'at most', 'measured', ''],
    ['---', '---:', '---:', '---'],
  ]
  return joinCells([...head, ...cells])
}

function joinCells(lines: readonly (readonly string[])[]): string {
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

/** Three significant digits: the fourth is noise. */
function formatNumber(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
}
