/**
 * docs/operators.md lists every key of operator.toml with its default, and no other key.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigSchema } from '../../kms/config.ts'

type Leaf = { name: string; fallback: unknown }
type Row = { names: readonly string[]; fallback: string }

const node = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  default: z.unknown().optional(),
})

/** Every key that a file can hold, lists as one. */
function leavesOf(schema: unknown, name: string): readonly Leaf[] {
  const { properties, default: fallback } = node.parse(schema)
  if (properties === undefined) return [{ name, fallback }]
  return Object.entries(properties).flatMap(([key, child]) =>
    leavesOf(child, name === '' ? key : `${name}.${key}`),
  )
}

/** Rows of the tables whose first column is `Key`, or `Key under` one or more sections. */
function rowsOf(document: string): readonly Row[] {
  const rows: Row[] = []
  let sections: readonly string[] | undefined
  for (const line of document.split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').map((cell) => cell.trim()) : []
    const [, key = '', fallback = ''] = cells
    if (cells.length === 0) sections = undefined
    else if (/^Key( under .*)?$/.test(key)) {
      const under = quoted(key)
      sections = under.length === 0 ? [''] : under.map((section) => `${section}.`)
    } else if (sections !== undefined && key.startsWith('`')) {
      const names = fullNames(quoted(key))
      rows.push({ names: sections.flatMap((at) => names.map((name) => at + name)), fallback })
    }
  }
  return rows
}

const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

/** `.burst` after `limits.read.per_second` means its neighbour. */
function fullNames(names: readonly string[]): readonly string[] {
  const [first = ''] = names
  const parent = first.slice(0, first.lastIndexOf('.'))
  return names.map((name) => (name.startsWith('.') ? parent + name : name))
}

/** `<product>` stands for any one key, with all that is under it; a row `section.*` points to another table. */
function covers(pattern: string, name: string): boolean {
  const parts = pattern.split('.')
  const given = name.split('.')
  const open = parts.at(-1)?.startsWith('<') === true
  return (
    (open ? given.length >= parts.length : given.length === parts.length) &&
    parts.every((part, i) => part.startsWith('<') || part === given[i])
  )
}

const leaves = leavesOf(z.toJSONSchema(ConfigSchema, { io: 'input' }), '')
const rows = rowsOf(
  readFileSync(new URL('../../docs/operators.md', import.meta.url), 'utf8'),
).filter(({ names }) => !names.some((name) => name.endsWith('.*')))

describe('docs/operators.md', () => {
  it('has a row for every key', () => {
    const missing = leaves.filter(
      ({ name }) => !rows.some(({ names }) => names.some((pattern) => covers(pattern, name))),
    )
    expect(leaves.length).toBeGreaterThan(80)
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  it('has no row for a key that is unknown', () => {
    const unknown = rows
      .flatMap(({ names }) => names)
      .filter((pattern) => !leaves.some(({ name }) => covers(pattern, name)))
    expect(unknown).toEqual([])
  })

  it('states the defaults of the schema', () => {
    const wrong = leaves.flatMap(({ name, fallback }) => {
      const row = rows.find(({ names }) => names.some((pattern) => covers(pattern, name)))
      const words = row?.fallback.split(/[\s,`"[\]]+/) ?? []
      const right = isScalar(fallback)
        ? words.includes(String(fallback))
        : !words.some((word) => word === 'true' || word === 'false') &&
          !/^\d+$/.test(row?.fallback ?? '')
      return right ? [] : [`${name}: ${String(fallback)}, the table says ${row?.fallback}`]
    })
    expect(wrong).toEqual([])
  })

  it('is read by names, sections and neighbours', () => {
    const table = '| Key under `a` and `b` | Default |\n|---|---|\n| `c.d`, `.e` | 1, 2 |\n'
    expect(rowsOf(table)).toEqual([
      { names: ['a.c.d', 'a.c.e', 'b.c.d', 'b.c.e'], fallback: '1, 2' },
    ])
    expect(covers('x.<product>', 'x.Milan.snp')).toBe(true)
    expect(covers('x.y', 'x.y.z')).toBe(false)
  })
})

const isScalar = (value: unknown) => ['number', 'boolean', 'string'].includes(typeof value)
