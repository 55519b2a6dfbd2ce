/**
 * Assertions about typed refusals.
 * @module
 */
import { EigenxError } from '../../sdk/errors.ts'

/** Runs `action` and gives back the refusal; anything else, success included, is returned as a text that no test expects. */
export function refusalOf(action: () => unknown): { code: string; details: unknown } | string {
  try {
    action()
  } catch (error) {
    if (error instanceof EigenxError) return { code: error.code, details: error.details }
    return `threw ${String(error)}`
  }
  return 'accepted'
}
