/** What a caller gave cannot be derived from. @module */
import { EigenxError } from '../errors.ts'

export function requestInvalid(path: string, message: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({ code: 'REQUEST_INVALID', message, stage: 'key', details: { path } })
}
