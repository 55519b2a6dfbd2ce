/**
 * A check's source and a comment may send their reader to a document: the document, and the section that they name, must be there.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../', import.meta.url).pathname
const FOLDERS = ['certs', 'policy', 'sdk', 'kms', 'helper', 'bench'] as const
/** Not `kbs/docs/…`, which is another project's. */
const REFERENCE = /(?<![\w/-])docs\/([\w-]+\.md)(?:, ([A-Z][\w /]*))?/g
const LINK = /\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g

const sources = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|sol|rego)$/.test(name))
    .map((name) => join(folder, name)),
)
const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
]
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')
const headings = new Map(
  documents.map((name) => [
    name,
    read(name)
      .split('\n')
      .flatMap((line) => /^#+ (.+)$/.exec(line)?.[1] ?? []),
  ]),
)

/** What is wrong with the references of one text; empty when all are good. */
function wrongReferences(text: string): string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([reference, file, section]) => {
    const known = headings.get(`docs/${file}`)
    if (known === undefined) return [reference]
    const found = section === undefined || known.some((heading) => section.startsWith(heading))
    return found ? [] : [reference]
  })
}

describe('references to documents', () => {
  it('finds a document and a section that are not there', () => {
    expect(wrongReferences("source: 'docs/absent.md, Keys'")).toEqual(['docs/absent.md, Keys'])
    expect(wrongReferences('(docs/protocol.md, Absent)')).toEqual(['docs/protocol.md, Absent'])
    expect(wrongReferences('(docs/protocol.md, Keys), kbs/docs/initdata.md')).toEqual([])
  })

  it('names only documents and sections that are there, in every source', () => {
    const wrong = sources.flatMap((name) =>
      wrongReferences(read(name)).map((reference) => `${name}: ${reference}`),
    )
    expect(sources.length).toBeGreaterThan(100)
    expect(wrong).toEqual([])
  })

  it('links only to files that are there, in every document', () => {
    const wrong = documents.flatMap((name) =>
      [...read(name).matchAll(LINK)]
        .map(([, target = '']) => normalize(join(dirname(name), target)))
        .filter((target) => !documents.includes(target))
        .map((target) => `${name}: ${target}`),
    )
    expect(wrong).toEqual([])
  })
})
