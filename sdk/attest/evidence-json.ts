/**
 * JSON of evidence, read without surprises: every number exact, no key twice, bounded depth and size.
 *
 * A number that JavaScript would round (64-bit words of a report) is a bigint here, and so is every other integer; fractions and
 * exponents are refused. Of two equal keys readers disagree which one counts, so neither does.
 * @module
 */
import { parse } from 'lossless-json'
import { malformed, tooLarge } from './checks.ts'

/** Unless the caller sets another one. */
const TEXT_LIMIT = 256 * 1024
const DEPTH_LIMIT = 8

export type EvidenceObject = Readonly<Record<string, unknown>>

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseEvidenceJson(text: string, field: string, limit = TEXT_LIMIT): EvidenceObject {
  if (text.length > limit) throw tooLarge(field, limit)
  const structure = scanStructure(text)
  if (structure.depth > DEPTH_LIMIT) throw malformed(field, `${field} is nested too deeply`)
  let value: unknown
  try {
    value = parse(text, null, readInteger)
  } catch {
    throw malformed(field, `${field} is not JSON of objects, arrays, strings and integers`)
  }
  // Each member has one colon outside strings: fewer members than colons means that a key came twice.
  if (countMembers(value) !== structure.colons) throw malformed(field, `${field} has a key twice`)
  const object = asObject(value)
  if (object === undefined) throw malformed(field, `${field} is not a JSON object`)
  return object
}

export function asObject(value: unknown): EvidenceObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  // Without a prototype, a name like `constructor` is absent unless the sender wrote it.
  return Object.assign(Object.create(null), value)
}

function readInteger(text: string): bigint {
  if (!/^-?\d{1,20}$/.test(text)) throw new Error('not an integer')
  return BigInt(text)
}

/** One pass, before the parser recurses: deepest nesting and colons outside strings. */
function scanStructure(text: string): { depth: number; colons: number } {
  let depth = 0
  let deepest = 0
  let colons = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === '}' || character === ']') depth--
    else if (character === ':') colons++
  }
  return { depth: deepest, colons }
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value).reduce<number>((sum, item) => sum + countMembers(item), 0)
  return Array.isArray(value) ? inner : inner + Object.keys(value).length
}
