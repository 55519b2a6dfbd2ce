/**
 * How a rule set gets into the table: what its text shows by itself, the questions that only a reader can answer, and the row that follows
 * from the answers. Values in, values out; `policy rules review` and `policy rules add` do the rest.
 *
 * The row is derived, never chosen: one answer against it, and the set is listed as one that does not pin the image.
 * @module
 */
import { EigenxError } from '../sdk/errors.ts'
import { hashRules, readDefaults } from './rego.ts'
import type { KnownRuleSet } from './types.ts'

/** What a reader looks at first; heuristics, which prove nothing. */
export type RuleFacts = {
  sha256: string
  bytes: number
  lines: number
  package: string
  imports: readonly string[]
  /** Requests that are allowed without a condition. */
  allowed: readonly string[]
  /** What of the data half the rules look at. */
  data: readonly string[]
  /** Drivers of storages that the text names. */
  drivers: readonly string[]
  /** Lines on which a pattern is matched. */
  patterns: readonly number[]
}

/** `yes` and `no` are about the text as it is; a question that does not apply is answered for the worse. */
export const REVIEW_QUESTIONS = {
  storages: {
    ask: 'Is every storage of a container compared with the data, its source or its dm-verity options included?',
    good: 'yes',
  },
  root: {
    ask: 'Does the root file system of a container come from what the data names alone (layers by root hash, or a pull by digest)?',
    good: 'yes',
  },
  mounts: {
    ask: 'Can the host mount anything over a path of the image that the data does not name?',
    good: 'no',
  },
  patterns: {
    ask: 'Can a value of the request become part of a pattern that decides about root file system, mounts or command?',
    good: 'no',
  },
  container: {
    ask: 'Must root file system, command, environment and mounts of one request fit one and the same container of the data?',
    good: 'yes',
  },
  command: { ask: 'Is the command compared element by element with the data?', good: 'yes' },
  environment: {
    ask: 'Is every variable of the request in the data, or matched by a pattern of the data?',
    good: 'yes',
  },
  powers: {
    ask: 'Can the host run, copy, read or change more in a container than the data’s request defaults say?',
    good: 'no',
  },
  loosened: {
    ask: 'Is everything in the data by which these rules can be loosened reported by kata-data.ts or eigenx-data.ts?',
    good: 'yes',
  },
} as const satisfies Record<string, { ask: string; good: 'yes' | 'no' }>

export type QuestionId = keyof typeof REVIEW_QUESTIONS
export const QUESTION_IDS = Object.keys(REVIEW_QUESTIONS) as QuestionId[]

export type RuleReview = {
  sha256: string
  name: string
  version: string
  /** Repository, tag and path of the text. */
  source: string
  reviewer: string
  /** `2026-05-01` */
  date: string
  shape: KnownRuleSet['shape']
  /** How the image is pinned, if it is. */
  image: 'dm-verity' | 'digest'
  /** SHA-256 of `policy_data.common` as the tool ships it; empty where the rules read none. */
  commonSha256: string
  /** `note`: where in the text, and why. */
  answers: Readonly<Record<QuestionId, { answer: 'yes' | 'no' | ''; note: string }>>
}

export function readFacts(rules: string): RuleFacts {
  const all = (pattern: RegExp) =>
    [...new Set([...rules.matchAll(pattern)].map(([, found = '']) => found))].sort()
  const lines = rules.split('\n')
  return {
    sha256: hashRules(rules),
    bytes: new TextEncoder().encode(rules).length,
    lines: lines.length,
    package: /^\s*package\s+(\S+)/m.exec(rules)?.[1] ?? '',
    imports: all(/^\s*import\s+(\S+)/gm),
    allowed: readDefaults(rules)
      .filter(({ value }) => value)
      .map(({ name }) => name),
    data: all(/\bpolicy_data\.([A-Za-z_.]+)/g),
    drivers: all(/\bdriver\s*==\s*"([^"]+)"/g),
    patterns: lines.flatMap((line, index) => (/\bregex\.match\(/.test(line) ? [index + 1] : [])),
  }
}

/** A review with nothing answered yet. */
export function blankReview(
  rules: string,
  { name, version }: { name: string; version: string },
): RuleReview {
  return {
    sha256: hashRules(rules),
    name,
    version,
    source: '',
    reviewer: '',
    date: '',
    shape: 'kata',
    image: 'dm-verity',
    commonSha256: '',
    answers: Object.fromEntries(
      QUESTION_IDS.map((id) => [id, { answer: '', note: '' }]),
    ) as RuleReview['answers'],
  }
}

/** @returns What is missing; empty when the review is whole. */
export function missingIn(review: RuleReview): readonly string[] {
  const { source, reviewer, date, answers, commonSha256, shape } = review
  const missing = Object.entries({ source, reviewer }).flatMap(([name, text]) =>
    text.trim() === '' ? [name] : [],
  )
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) missing.push('date')
  if (!/^([0-9a-f]{64})?$/.test(commonSha256)) missing.push('commonSha256')
  // Kata's rules build their patterns from these values: without their hash nothing holds them fast.
  else if (shape === 'kata' && commonSha256 === '' && failed(review).length === 0)
    missing.push('commonSha256')
  for (const id of QUESTION_IDS) {
    if (answers[id].answer === '') missing.push(`answers.${id}.answer`)
    if (answers[id].note.trim() === '') missing.push(`answers.${id}.note`)
  }
  return missing
}

/** Questions whose answer speaks against the set. */
export function failed({ answers }: RuleReview): readonly QuestionId[] {
  return QUESTION_IDS.filter((id) => answers[id].answer !== REVIEW_QUESTIONS[id].good)
}

/** @throws EigenxError CONFIG_INVALID when the review is of another text or not whole. */
export function rowOf(review: RuleReview, rules: string): KnownRuleSet {
  const sha256 = hashRules(rules)
  if (review.sha256 !== sha256) throw invalid('the review is of another text', 'sha256')
  const [missing] = missingIn(review)
  if (missing !== undefined) throw invalid(`the review lacks ${missing}`, missing)
  return deriveRow(review)
}

/** The row of a review that is whole. */
export function deriveRow(review: RuleReview): KnownRuleSet {
  const against = failed(review)
  const holds = (...ids: QuestionId[]) => !ids.some((id) => against.includes(id))
  return {
    sha256: review.sha256,
    name: review.name,
    version: review.version,
    pinsImage: against.length === 0 ? review.image : false,
    pinsCommand: holds('container', 'command', 'patterns'),
    pinsEnv: holds('container', 'environment'),
    shape: review.shape,
    reviewed: true,
    ...(review.commonSha256 === '' ? {} : { commonSha256: review.commonSha256 }),
  }
}

const HEAD = `/**
 * Rule sets that are known, by the SHA-256 of their text. Written by \`eigenx-tee policy rules add\`; a test holds the form.
 * How a set is reviewed: \`policy/rules-review.ts\`.
 * @module
 */
import type { KnownRuleSet } from './types.ts'

export const RULE_SETS: readonly KnownRuleSet[] = [
`

/** The text of \`rules-table.ts\`. */
export function renderTable(rows: readonly KnownRuleSet[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const value = (item: string | boolean) => (typeof item === 'string' ? quote(item) : String(item))
  const members = [
    'sha256',
    'name',
    'version',
    'pinsImage',
    'pinsCommand',
    'pinsEnv',
    'shape',
    'reviewed',
    'commonSha256',
  ] as const
  const entries = rows.map((row) =>
    [
      '  {',
      ...members.flatMap((name) => {
        const item = row[name]
        return item === undefined ? [] : [`    ${name}: ${value(item)},`]
      }),
      '  },',
    ].join('\n'),
  )
  return `${HEAD}${entries.join('\n')}\n]\n`
}

const invalid = (message: string, path: string) =>
  new EigenxError({ code: 'CONFIG_INVALID', message, stage: 'config', details: { path } })
