/** Reads the published known answers; an empty list fails the run. */
import { readFileSync } from 'node:fs'
import { parseHex } from '../../../sdk/bytes.ts'

export function readVectors<T>(path: string): T {
  const url = new URL(`../../vectors/${path}`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as T
}

export function readCases<T>(path: string): T[] {
  const { cases } = readVectors<{ cases: T[] }>(path)
  if (cases.length === 0) throw new Error(`${path} has no cases`)
  return cases
}

export function hex(text: string): Uint8Array {
  const bytes = parseHex(text)
  if (bytes === undefined) throw new Error(`not hex: ${text.slice(0, 32)}`)
  return bytes
}
