/** What `helper doctor` finds. @module */
import { EigenxError } from '../sdk/errors.ts'

/** `bad`: no key can be had like this. `warn`: it depends on what operators and the release allow. */
export type DoctorState = 'ok' | 'warn' | 'bad'

export type DoctorFinding = {
  /** What was looked at: `initdata`, `app`, `agent`, `method`, `evidence`, `event-log`, `appraisal`, `binding`, `operators`. */
  subject: string
  state: DoctorState
  /** One sentence. */
  text: string
  hint?: string
}

/** @throws What is no refusal: a bug is not a finding. */
export function failureOf(subject: string, error: unknown): DoctorFinding {
  if (!(error instanceof EigenxError)) throw error
  return {
    subject,
    state: 'bad',
    text: `${error.code}: ${error.shortMessage}`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}

/** What `look` finds, or its refusal as a finding. */
export function examine(
  subject: string,
  look: () => Omit<DoctorFinding, 'subject'>,
): DoctorFinding {
  try {
    return { subject, ...look() }
  } catch (error) {
    return failureOf(subject, error)
  }
}
