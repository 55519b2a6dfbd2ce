/**
 * `policy rules list | review | add`: the table of rule sets, and how another one gets into it. `add` changes a file of a checkout; the
 * program itself believes only the table that it was built with.
 * @module
 */
import { z } from 'zod'
import { layoutColumns } from '../../kms/terminal.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { MAX_POLICY, splitPolicy } from '../../policy/rego.ts'
import { findRuleSet, KNOWN_RULE_SETS } from '../../policy/rules.ts'
import {
  blankReview,
  failed,
  QUESTION_IDS,
  REVIEW_QUESTIONS,
  type RuleReview,
  readFacts,
  renderTable,
  rowOf,
} from '../../policy/rules-review.ts'
import { RULE_SETS } from '../../policy/rules-table.ts'
import type { KnownRuleSet } from '../../policy/types.ts'
import { parseUtf8 } from '../../sdk/bytes.ts'
import { printable } from '../printable.ts'
import { type ExitCode, type Io, readInput, readTextInput, UsageError } from './io.ts'

const POLICY = { field: 'rules, a policy or initdata', maxBytes: MAX_POLICY }
const REVIEW = { field: 'a review', maxBytes: 256 * 1024 }
const TABLE = { field: 'the table of rule sets', maxBytes: 4 * 1024 * 1024 }

const answer = z.strictObject({ answer: z.enum(['yes', 'no', '']), note: z.string().max(4096) })
const text = z.string().max(512)
const Review: z.ZodType<RuleReview> = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  name: text.min(1),
  version: text.min(1),
  source: text,
  reviewer: text,
  date: text,
  shape: z.enum(['kata', 'eigenx']),
  image: z.enum(['dm-verity', 'digest']),
  commonSha256: text,
  answers: z.record(z.enum(QUESTION_IDS), answer),
})

export async function listRules(io: Io, input: { json: boolean }): Promise<ExitCode> {
  if (input.json) io.out(JSON.stringify(KNOWN_RULE_SETS, null, 2))
  else for (const line of layoutColumns(KNOWN_RULE_SETS.map(describeRow))) io.out(line)
  return 0
}

/** Prints what the text shows, and a review to fill in. */
export async function reviewRules(
  io: Io,
  input: { file: string; name: string; version: string; json: boolean },
): Promise<ExitCode> {
  const rules = await readRules(io, input.file)
  const facts = readFacts(rules)
  const review = blankReview(rules, input)
  if (input.json) {
    io.out(JSON.stringify(review, null, 2))
    return 0
  }
  const known = findRuleSet(facts.sha256)
  const rows: [string, string][] = [
    ['SHA-256', facts.sha256],
    ['known as', known === undefined ? 'not known' : describeRow(known).slice(1).join(', ')],
    ['size', `${facts.bytes} bytes, ${facts.lines} lines`],
    ['package', `${facts.package}, imports ${facts.imports.join(', ') || 'none'}`],
    ['allowed without a condition', facts.allowed.join(', ') || 'nothing'],
    ['data looked at', facts.data.join(', ') || 'none'],
    ['drivers of storages', facts.drivers.join(', ') || 'none'],
    ['lines that match a pattern', facts.patterns.join(', ') || 'none'],
  ]
  for (const line of layoutColumns(rows.map(([name, value]) => [name, printable(value)])))
    io.out(line)
  io.out('')
  io.out('To be answered by whoever has read all of it, with a note where in the text and why:')
  for (const id of QUESTION_IDS) {
    const { ask, good } = REVIEW_QUESTIONS[id]
    io.out(`  ${id.padEnd(12)} ${ask} (${good} pins)`)
  }
  return 0
}

/** Puts the row that follows from a review into the table of a checkout. */
export async function addRules(
  io: Io,
  input: { file: string; review: string; table: string },
): Promise<ExitCode> {
  const rules = await readRules(io, input.file)
  const review = parseReview(await readTextInput(io, input.review, REVIEW), input.review)
  const row = rowOf(review, rules)
  const before = findRuleSet(row.sha256)
  if (before?.reviewed === true)
    throw new UsageError(`the table has these rules already: ${describeRow(before).join(', ')}`)
  // Another table than the program's own would lose rows, or be another file altogether.
  if ((await readTextInput(io, input.table, TABLE)) !== renderTable(RULE_SETS))
    throw new UsageError(`${input.table} is not the table that this program was built with`)
  const others = RULE_SETS.filter(({ sha256 }) => sha256 !== row.sha256)
  await io.writeFile(input.table, renderTable([...others, row]))
  io.out(`${before === undefined ? 'Added' : 'Reviewed'}: ${describeRow(row).join(', ')}`)
  for (const id of failed(review))
    io.out(`  against it: ${REVIEW_QUESTIONS[id].ask} ${review.answers[id].answer}`)
  io.out(`Keep the review as policy/reviews/${row.sha256}.json: a test compares it with the row.`)
  return 0
}

function describeRow(row: KnownRuleSet): [string, string, string, string] {
  const pins = [
    row.pinsImage === false ? 'no image' : `image (${row.pinsImage})`,
    row.pinsCommand ? 'command' : '',
    row.pinsEnv ? 'environment' : '',
  ].filter((part) => part !== '')
  const what = row.reviewed ? `pins ${pins.join(', ')}` : 'listed by name, not reviewed'
  return [row.sha256, row.name, row.version, what]
}

/** A rules.rego as it lies in its repository, or the rules half of a finished policy or initdata. */
async function readRules(io: Io, path: string): Promise<string> {
  const bytes = await readInput(io, path, POLICY)
  const whole = parseUtf8(bytes)
  if (whole === undefined) throw new UsageError(`${path}: not UTF-8 text`)
  const isRego = /^\s*package\s/m.test(whole) && !/^\s*\[data\]/m.test(whole)
  const rego = isRego ? whole : parseInitdata(bytes).data['policy.rego']
  if (rego === undefined) throw new UsageError(`${path}: there is no policy.rego in it`)
  return splitPolicy(rego)?.rules ?? rego
}

function parseReview(json: string, path: string): RuleReview {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new UsageError(`${path}: not JSON`)
  }
  const parsed = Review.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new UsageError(`${path}: ${issue?.path.join('.') || 'review'}: ${issue?.message}`)
}
