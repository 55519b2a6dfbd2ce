/**
 * Counting inputs by what became of them.
 * @module
 */
import { isEigenxError } from '../../sdk/errors.ts'

export type Row = {
  name: string
  accepted: number
  refused: number
  /** Bits turned, each alone. */
  flipped: number
  /** Mutated inputs. */
  fuzzed: number
  /** Inputs whose answer was not the right one. */
  wrong: number
}

export type Section = { name: string; run: () => Promise<Row> | Row }

export function createRow(name: string): Row {
  return { name, accepted: 0, refused: 0, flipped: 0, fuzzed: 0, wrong: 0 }
}

/** @param expected - Details of the refusal; `undefined` where the input is to be accepted. */
export function count(row: Row, verify: () => unknown, expected: object | undefined): void {
  try {
    verify()
  } catch (error) {
    row.refused++
    const details = isEigenxError(error) ? (error.details as Record<string, unknown>) : undefined
    const isRight =
      expected !== undefined &&
      details !== undefined &&
      Object.entries(expected).every(([key, value]) => details[key] === value)
    if (!isRight) row.wrong++
    return
  }
  row.accepted++
  if (expected !== undefined) row.wrong++
}

export function countFlips(row: Row, bytes: number, survivors: readonly number[]): void {
  row.flipped += 8 * bytes
  row.wrong += survivors.length
}
