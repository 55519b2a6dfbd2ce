/**
 * The ordered record of what a verification checked. The first check that fails ends it, and is the last entry.
 *
 * A caller that wants the record of a refusal too passes its own array: it is filled even when the verification throws.
 * @module
 */
import { EigenxError } from '../errors.ts'
import type { Check } from './types.ts'

/** A check's stable name and the document its rule comes from. */
export type Rule = { name: string; source: string }

export type Inputs = Readonly<Record<string, string>>

export type CheckLog = {
  readonly checks: readonly Check[]
  /** The evidence is genuine only if `ok`. Throws EVIDENCE_INVALID naming the check. */
  demand(rule: Rule, ok: boolean, inputs: Inputs, message: string, hint?: string): asserts ok
  /** The evidence is genuine; the policy takes it only if `ok`. Throws EVIDENCE_NOT_ALLOWED naming the check. */
  allow(rule: Rule, ok: boolean, inputs: Inputs, message: string, hint?: string): void
  /** As `demand`, with a refusal of the caller's own. */
  expect(rule: Rule, ok: boolean, inputs: Inputs, refusal: () => EigenxError): asserts ok
  /** The rule does not apply to this evidence; `inputs` say why. */
  skip(rule: Rule, inputs: Inputs): void
}

export function createCheckLog(trace: Check[] = []): CheckLog {
  const expect: CheckLog['expect'] = (rule, ok, inputs, refusal) => {
    trace.push({ name: rule.name, source: rule.source, result: ok ? 'passed' : 'failed', inputs })
    if (!ok) throw refusal()
  }
  return {
    checks: trace,
    expect,
    demand: (rule, ok, inputs, message, hint) =>
      expect(rule, ok, inputs, () => refuse('EVIDENCE_INVALID', rule, message, hint)),
    allow: (rule, ok, inputs, message, hint) =>
      expect(rule, ok, inputs, () => refuse('EVIDENCE_NOT_ALLOWED', rule, message, hint)),
    skip: (rule, inputs) => {
      trace.push({ name: rule.name, source: rule.source, result: 'not-applicable', inputs })
    },
  }
}

/** Bytes that are not evidence at all. `offset` is -1 where a byte position says nothing. */
export function malformed(
  field: string,
  message: string,
  offset = -1,
): EigenxError<'EVIDENCE_MALFORMED'> {
  return new EigenxError({
    code: 'EVIDENCE_MALFORMED',
    message,
    stage: 'evidence',
    details: { field, offset },
  })
}

/** An input above its limit, refused before it is read. */
export function tooLarge(field: string, limit: number): EigenxError<'INPUT_TOO_LARGE'> {
  return new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message: `${field} is larger than ${limit} bytes`,
    stage: 'evidence',
    details: { field, limit },
  })
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
