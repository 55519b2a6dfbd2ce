/** Errors of a command line, and whatever was thrown, as one of our errors. @module */
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

/** A command that cannot be carried out as it was given: exit code 2. @param path - The setting or option that is wrong. */
export function usage(message: string, path = ''): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({ code: 'CONFIG_INVALID', message, stage: 'config', details: { path } })
}
