/** Whatever was thrown, as one of our errors. @module */
import { EigenxError, isEigenxError } from '../sdk/errors.ts'

/** A bug shows a constant message and nothing else; its cause stays in the process. */
export function asEigenxError(thrown: unknown): EigenxError {
  if (isEigenxError(thrown)) return thrown
  return new EigenxError({
    code: 'INTERNAL',
    message: 'Internal error',
    stage: 'request',
    details: {},
    cause: thrown,
  })
}
