/**
 * The ordered record of what a verification checked. The first check that fails ends it, and is the last entry.
 *
 * A caller that wants the record of a refusal too passes its own array: it is filled even when the verification throws.
 * @module
 */
import { EigenxError, type ErrorCode, type Stage } from '../errors.ts'
import type { Check } from './types.ts'

/** A check's stable name and the document its rule comes from. */
export type Rule = { name: string; source: string }

export type Inputs = Readonly<Record<string, string>>

export class CheckLog {
  readonly checks: Check[]

  constructor(trace: Check[] = []) {
    this.checks = trace
  }

  /** The evidence is genuine only if `ok`. @throws EVIDENCE_INVALID naming the check. */
  demand(rule: Rule, ok: boolean, inputs: Inputs, message: string, hint?: string): void {
    this.#record(rule, ok, inputs, () => refuse('EVIDENCE_INVALID', rule, message, hint))
  }

  /** The evidence is genuine; the policy takes it only if `ok`. @throws EVIDENCE_NOT_ALLOWED naming the check. */
  allow(rule: Rule, ok: boolean, inputs: Inputs, message: string, hint?: string): void {
    this.#record(rule, ok, inputs, () => refuse('EVIDENCE_NOT_ALLOWED', rule, message, hint))
  }

  /** As `demand`, with a refusal of the caller's own code. */
  expect(rule: Rule, ok: boolean, inputs: Inputs, refusal: () => EigenxError): void {
    this.#record(rule, ok, inputs, refusal)
  }

  /** The rule does not apply to this evidence; `inputs` say why. */
  skip(rule: Rule, inputs: Inputs): void {
    this.checks.push({ ...rule, result: 'not-applicable', inputs })
  }

  #record(rule: Rule, ok: boolean, inputs: Inputs, refusal: () => Error): void {
    this.checks.push({ ...rule, result: ok ? 'passed' : 'failed', inputs })
    if (!ok) throw refusal()
  }
}

function refuse(
  code: 'EVIDENCE_INVALID' | 'EVIDENCE_NOT_ALLOWED',
  rule: Rule,
  message: string,
  hint: string | undefined,
): EigenxError {
  return new EigenxError({
    code,
    message,
    stage: 'evidence',
    details: { check: rule.name },
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Bytes that are not evidence at all. `offset` is -1 where a byte position says nothing. */
export function malformed(
  field: string,
  message: string,
  offset = -1,
  cause?: unknown,
): EigenxError<'EVIDENCE_MALFORMED'> {
  return new EigenxError({
    code: 'EVIDENCE_MALFORMED',
    message,
    stage: 'evidence',
    details: { field, offset },
    cause,
  })
}

/** An input above its limit, refused before it is read. */
export function tooLarge(
  field: string,
  limit: number,
  stage: Stage = 'evidence',
): EigenxError<'INPUT_TOO_LARGE'> {
  return new EigenxError({
    code: 'INPUT_TOO_LARGE' satisfies ErrorCode,
    message: `${field} is larger than ${limit} bytes`,
    stage,
    details: { field, limit },
  })
}
