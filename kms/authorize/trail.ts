/**
 * The record of one decision: every named check in order, the policy's findings, the marks that a
 * grant must carry, and the step in progress. It is filled while the pipeline runs, so it is
 * complete for refusals too.
 * @module
 */
import type { Finding, GRANT_MARKS } from '../../policy/types.ts'
import type { Check, InitdataBinding } from '../../sdk/attest/types.ts'
import type { Step } from '../http/status.ts'
import type { Reservation } from '../tokens/uses.ts'

/** Facts about a grant that its receiver and the audit log must see. */
export type Mark = (typeof GRANT_MARKS)[number]

export type DecisionTrail = {
  step: Step
  checks: Check[]
  findings: Finding[]
  marks: Mark[]
  binding: InitdataBinding | undefined
  /** One-time evidence that this decision holds; whoever ends the decision settles it. */
  use: Reservation | undefined
}

/** @param onStep - Told of every step as it begins. */
export function startTrail(onStep: (step: Step) => void = () => undefined): DecisionTrail {
  let current: Step = 'parse'
  return {
    get step() {
      return current
    },
    set step(next) {
      if (next !== current) onStep(next)
      current = next
    },
    checks: [],
    findings: [],
    marks: [],
    binding: undefined,
    use: undefined,
  }
}

/** Notes a check of the operator's own; those of the evidence come from its verifier. */
export function note(
  trail: DecisionTrail,
  name: string,
  result: Check['result'],
  inputs: Readonly<Record<string, string>>,
  source: string,
): void {
  trail.checks.push({ name, result, inputs, source })
}
