/** The table of rule sets, the reviews behind its rows, and the commands that change it. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { reportRules } from '../../policy/analyse.ts'
import { hashRules, joinPolicy } from '../../policy/rego.ts'
import { findRuleSet } from '../../policy/rules.ts'
import {
  blankReview,
  deriveRow,
  missingIn,
  QUESTION_IDS,
  REVIEW_QUESTIONS,
  type RuleReview,
  readFacts,
  renderTable,
  rowOf,
} from '../../policy/rules-review.ts'
import { RULE_SETS } from '../../policy/rules-table.ts'
import { runCli } from '../kit/cli.ts'
import { refusalOf } from '../kit/errors.ts'

const TABLE = new URL('../../policy/rules-table.ts', import.meta.url)
const REVIEWS = new URL('../../policy/reviews/', import.meta.url)

const RULES = `package agent_policy

import future.keywords.in

default CreateContainerRequest := false
default SignalProcessRequest := true

CreateContainerRequest {
    some container in policy_data.containers
    regex.match(policy_data.common.cpath, input.path)
    input.storages[0].driver == "blk"
}`
const COMMON = 'c0'.repeat(32)

/** Everything speaks for the set, but for what a test changes. */
function review(changes: Partial<RuleReview> = {}, against: readonly string[] = []): RuleReview {
  const blank = blankReview(RULES, { name: 'a fork of genpolicy', version: '1.0' })
  const answers = Object.fromEntries(
    QUESTION_IDS.map((id) => {
      const { good } = REVIEW_QUESTIONS[id]
      const bad = good === 'yes' ? 'no' : 'yes'
      return [id, { answer: against.includes(id) ? bad : good, note: 'line 8' }]
    }),
  ) as RuleReview['answers']
  return {
    ...blank,
    source: 'example/genpolicy 1.0 rules.rego',
    reviewer: 'somebody',
    date: '2026-05-01',
    commonSha256: COMMON,
    answers,
    ...changes,
  }
}

describe('the table', () => {
  it('has the form in which the command writes it', () => {
    expect(readFileSync(TABLE, 'utf8')).toBe(renderTable(RULE_SETS))
  })

  it('pins images by reviewed sets alone, and by Kata’s only with their patterns held fast', () => {
    for (const row of RULE_SETS.filter(({ pinsImage }) => pinsImage !== false)) {
      expect(row.reviewed, row.version).toBe(true)
      expect(row.commonSha256, row.version).toMatch(/^[0-9a-f]{64}$/)
    }
    for (const row of RULE_SETS.filter(({ reviewed }) => !reviewed))
      expect([row.pinsImage, row.pinsCommand, row.pinsEnv], row.version).toEqual([
        false,
        false,
        false,
      ])
  })

  it('has the rows that its kept reviews lead to', () => {
    const files = readdirSync(REVIEWS)
    for (const file of files) {
      const kept: RuleReview = JSON.parse(readFileSync(new URL(file, REVIEWS), 'utf8'))
      expect(file).toBe(`${kept.sha256}.json`)
      expect(missingIn(kept)).toEqual([])
      expect(findRuleSet(kept.sha256)).toEqual(deriveRow(kept))
    }
    expect(files.length).toBeGreaterThan(4)
  })

  it('lets no set of another project pin images, as long as no review finds one that does', () => {
    expect(RULE_SETS.filter(({ pinsImage }) => pinsImage !== false)).toEqual([])
  })

  it('names releases of Microsoft’s fork without taking their word', () => {
    const named = RULE_SETS.filter(({ name, reviewed }) => /^microsoft/.test(name) && !reviewed)
    expect(named.map(({ version }) => version)).toContain('3.15.0.aks0 to 3.15.0.aks0.genpolicy0')
    const [row] = named
    expect(findRuleSet(row?.sha256 ?? '')).toBe(row)
  })
})

describe('a review', () => {
  it('that is good throughout makes a row that pins', () => {
    expect(rowOf(review(), RULES)).toEqual({
      sha256: hashRules(RULES),
      name: 'a fork of genpolicy',
      version: '1.0',
      pinsImage: 'dm-verity',
      pinsCommand: true,
      pinsEnv: true,
      shape: 'kata',
      reviewed: true,
      commonSha256: COMMON,
    })
  })

  it.each(QUESTION_IDS)('that answers %s for the worse makes one that does not', (id) => {
    const row = rowOf(review({}, [id]), RULES)
    expect(row.pinsImage).toBe(false)
    expect(row.pinsCommand).toBe(!['container', 'command', 'patterns'].includes(id))
    expect(row.pinsEnv).toBe(!['container', 'environment'].includes(id))
  })

  const { answers } = review()
  it.each<[string, Partial<RuleReview>]>([
    ['source', { source: ' ' }],
    ['reviewer', { reviewer: '' }],
    ['date', { date: 'today' }],
    ['commonSha256', { commonSha256: 'c0' }],
    ['commonSha256', { commonSha256: '' }],
    ['answers.mounts.answer', { answers: { ...answers, mounts: { answer: '', note: 'x' } } }],
    ['answers.powers.note', { answers: { ...answers, powers: { answer: 'no', note: '' } } }],
    ['sha256', { sha256: '00'.repeat(32) }],
  ])('without its %s makes none', (path, changes) => {
    expect(refusalOf(() => rowOf(review(changes), RULES))).toEqual({
      code: 'CONFIG_INVALID',
      details: { path },
    })
  })

  it('begins with what the text shows by itself', () => {
    expect(readFacts(RULES)).toEqual({
      sha256: hashRules(RULES),
      bytes: RULES.length,
      lines: 12,
      package: 'agent_policy',
      imports: ['future.keywords.in'],
      allowed: ['SignalProcessRequest'],
      data: ['common.cpath', 'containers'],
      drivers: ['blk'],
      patterns: [10],
    })
  })
})

describe('rules that are listed by name alone', () => {
  it('are refused as such, and named', () => {
    const row = RULE_SETS.find(({ reviewed }) => !reviewed) ?? expect.fail()
    expect(reportRules(row)).toEqual([
      expect.objectContaining({
        code: 'RULES_UNREVIEWED',
        severity: 'refuse',
        message: expect.stringContaining(row.version),
      }),
    ])
    const codes = (changes: object) =>
      reportRules({ ...row, ...changes }).map(({ code, severity }) => `${severity} ${code}`)
    expect(codes({ reviewed: true })).toEqual(['refuse IMAGE_NOT_PINNED'])
    expect(codes({ reviewed: true, pinsImage: 'dm-verity' })).toEqual(['info RULES_KNOWN'])
  })
})

describe('policy rules', () => {
  const table = renderTable(RULE_SETS)
  const add = (kept: unknown, files: Record<string, string> = {}) =>
    runCli(['policy', 'rules', 'add', 'rules.rego', '--review', 'review.json'], {
      'rules.rego': RULES,
      'review.json': typeof kept === 'string' ? kept : JSON.stringify(kept),
      'policy/rules-table.ts': table,
      ...files,
    })

  it('list has every row', async () => {
    const { code, out } = await runCli(['policy', 'rules', 'list'])
    expect(code).toBe(0)
    expect(out).toHaveLength(RULE_SETS.length + 1)
    expect(out[0]).toMatch(/eigenx-tee +1 +pins image \(digest\), command, environment$/)
    expect(out.filter((line) => /listed by name, not reviewed$/.test(line))).toHaveLength(
      RULE_SETS.filter(({ reviewed }) => !reviewed).length,
    )
  })

  it('review tells the facts and the questions, or the form to fill in', async () => {
    const files = { 'policy.rego': joinPolicy(RULES, {}) }
    const shown = await runCli(['policy', 'rules', 'review', 'policy.rego'], files)
    expect(shown.code).toBe(0)
    expect(shown.out.join('\n')).toContain(hashRules(RULES))
    expect(shown.out.join('\n')).toContain('not known')
    for (const id of QUESTION_IDS) expect(shown.out.join('\n')).toContain(REVIEW_QUESTIONS[id].ask)
    const json = await runCli(
      ['policy', 'rules', 'review', 'policy.rego', '--name', 'a', '--release', '2', '--json'],
      files,
    )
    expect(JSON.parse(json.out.join('\n'))).toEqual(blankReview(RULES, { name: 'a', version: '2' }))
  })

  it('add writes the table with the row that follows, and says what spoke against it', async () => {
    const good = await add(review())
    expect(good.code).toBe(0)
    expect(good.files.get('policy/rules-table.ts')).toBe(
      renderTable([...RULE_SETS, rowOf(review(), RULES)]),
    )
    const bad = await add(review({}, ['mounts']))
    expect(bad.out.join('\n')).toContain(REVIEW_QUESTIONS.mounts.ask)
    expect(bad.out.join('\n')).toContain('pins no image')
  })

  it.each<[string, () => ReturnType<typeof add>]>([
    ['a review with holes', () => add(review({ reviewer: '' }))],
    ['a review of another text', () => add(review({ sha256: '00'.repeat(32) }))],
    ['a review with a member more', () => add({ ...review(), trusted: true })],
    ['a review that is none', () => add('yes')],
    ['another table', () => add(review(), { 'policy/rules-table.ts': `${table}\n` })],
    ['no table', () => add(review(), { 'policy/rules-table.ts': '' })],
  ])('add changes nothing for %s', async (_name, run) => {
    const { code, files } = await run()
    expect(code).toBe(2)
    expect(files.size).toBe(0)
  })
})
