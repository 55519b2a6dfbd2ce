/**
 * Splitting a policy.rego into its rules and its data.
 *
 * genpolicy writes the rules, a newline, `policy_data := ` and one JSON value up to the end of the text
 * (kata-containers `src/tools/genpolicy/src/policy.rs`). Rego itself is not interpreted here: the rules half
 * is known by its hash or not at all, so nothing in it (a comment, a raw string, a second `policy_data`) can
 * speak for the policy, and the data half must be strict JSON, so no Rego expression can hide in it.
 *
 * A JSON string cannot hold a raw line feed, so the last line that begins with the marker is the only one
 * that the data half can begin at. Only U+000A ends a line here: Rego engines and JavaScript disagree on others.
 * @module
 */

import { createHash } from 'node:crypto'
import { utf8ToBytes } from '../sdk/bytes.ts'
import { isJsonObject, type JsonObject, readStrictJson } from './json.ts'

const MARKER = 'policy_data := '

export const MAX_POLICY = 4 * 1024 * 1024

export type PolicyParts = {
  rules: string
  /** SHA-256 of the rules half without the newline before the marker, lower-case hex. */
  rulesSha256: string
  data: { ok: true; value: JsonObject } | { ok: false; offset: number; reason: string }
}

/** @returns The two halves, or `undefined` when no line begins with `policy_data := `. */
export function splitPolicy(rego: string): PolicyParts | undefined {
  const at = rego.startsWith(MARKER) ? 0 : -1
  const newline = rego.lastIndexOf(`\n${MARKER}`)
  if (newline < 0 && at < 0) return undefined
  const rules = newline < 0 ? '' : rego.slice(0, newline)
  const start = (newline < 0 ? 0 : newline + 1) + MARKER.length
  return {
    rules,
    rulesSha256: hashRules(rules),
    data: readData(rego.slice(start), start),
  }
}

/** The identity of a rule set, as the table in `rules.ts` lists it. */
export function hashRules(rules: string): string {
  return createHash('sha256').update(utf8ToBytes(rules)).digest('hex')
}

/** The two halves back in the form that `splitPolicy` reads. */
export function joinPolicy(rules: string, data: JsonObject): string {
  return `${rules}\n${MARKER}${JSON.stringify(data, null, 2)}\n`
}

function readData(text: string, start: number): PolicyParts['data'] {
  const read = readStrictJson(text)
  if (!read.ok) return { ok: false, offset: start + read.offset, reason: read.reason }
  if (!isJsonObject(read.value)) return { ok: false, offset: start, reason: 'not a JSON object' }
  return { ok: true, value: read.value }
}

export type DefaultRule = { name: string; value: boolean; line: number }

/**
 * The `default X := true|false` lines of a rules half. For reports only: in an unknown rule set other lines can
 * say the opposite.
 */
export function readDefaults(rules: string): readonly DefaultRule[] {
  const out: DefaultRule[] = []
  rules.split('\n').forEach((line, index) => {
    const found = /^\s*default\s+(\w+)\s*:?=\s*(true|false)\b/.exec(line)
    const name = found?.[1]
    if (name !== undefined) out.push({ name, value: found?.[2] === 'true', line: index + 1 })
  })
  return out
}
