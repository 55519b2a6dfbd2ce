/**
 * Reading a policy_data document: typed access that records what does not fit instead of throwing, so that
 * one report shows everything. A value of another type than the rules expect is a finding, never a default.
 * @module
 */

import { type FindingSink, makeFinding } from './findings.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import type { Finding, PolicyContainer } from './types.ts'

/** Where findings about policy_data point. */
export const DATA_PATH = 'policy.rego#policy_data'

/** More than any pod has; a bound for the work per document. */
export const MAX_CONTAINERS = 64
export const MAX_LIST = 4096

export type DataReading = {
  containers: readonly PolicyContainer[]
  logsReadable: boolean
  findings: readonly Finding[]
}

export function malformed(path: string, expected: string): Finding {
  return makeFinding('refuse', 'POLICY_DATA_MALFORMED', path, `This must be ${expected}.`)
}

export function readObject(
  value: JsonValue | undefined,
  path: string,
  findings: FindingSink,
): JsonObject | undefined {
  if (isJsonObject(value)) return value
  findings.push(malformed(path, 'an object'))
  return undefined
}

export function readString(
  value: JsonValue | undefined,
  path: string,
  findings: FindingSink,
): string | undefined {
  if (typeof value === 'string') return value
  findings.push(malformed(path, 'a string'))
  return undefined
}

export function readList(
  value: JsonValue | undefined,
  path: string,
  findings: FindingSink,
  limit = MAX_LIST,
): readonly JsonValue[] {
  if (isJsonArray(value) && value.length <= limit) return value
  findings.push(malformed(path, `a list of at most ${limit} items`))
  return []
}

export function readStrings(
  value: JsonValue | undefined,
  path: string,
  findings: FindingSink,
): readonly string[] {
  const list = readList(value, path, findings)
  const strings = list.filter((item) => typeof item === 'string')
  if (strings.length !== list.length) findings.push(malformed(path, 'a list of strings'))
  return strings
}

/** One finding per key that the rules do not know: what it does there nobody has reviewed. */
export function reportUnknownKeys(
  object: JsonObject,
  known: readonly string[],
  path: string,
  findings: FindingSink,
): void {
  for (const key of Object.keys(object))
    if (!known.includes(key))
      findings.push(
        makeFinding(
          'refuse',
          'POLICY_KEY_UNKNOWN',
          `${path}[${JSON.stringify(key.slice(0, 64))}]`,
          'The rule set has no such key, so what it is for is unknown.',
        ),
      )
}
