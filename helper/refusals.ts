/**
 * Why an operator did not help: every outcome of one request that is not a good answer, as a code and a
 * sentence. Our operators explain themselves with RFC 9457 problem JSON; Go operators answer plain text,
 * which is matched by its fixed beginnings.
 *
 * Beside the error codes of `sdk/errors.ts` a refusal may carry `OPERATOR_UNREACHABLE` (no connection, broken
 * connection) or `OPERATOR_PROTOCOL` (an answer that is none).
 * @module
 */
import { parseUtf8 } from '../sdk/bytes.ts'
import type { HttpAnswer } from '../sdk/client/node-http.ts'
import { isEigenxError, type OperatorRefusal } from '../sdk/errors.ts'

const MAX_MESSAGE = 300

/** Beginnings of a Go operator's plain-text bodies, and what they mean. */
const GO_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^Invalid attestation/, 'EVIDENCE_INVALID'],
  [/^attestation token already used/, 'EVIDENCE_STALE'],
  [/^App ID mismatch/, 'APP_ID_MISMATCH'],
  [/^app not allowed/, 'APP_UNKNOWN'],
  [/^Release not found/, 'RELEASE_NOT_FOUND'],
  [/^no deployed release/, 'RELEASE_NOT_FOUND'],
  [/^(Image digest|Registry|Container policy) mismatch/, 'RELEASE_MISMATCH'],
  [/^image digest not authorized/, 'RELEASE_MISMATCH'],
  [/^ecdsa signer is not the app creator/, 'NOT_APP_CREATOR'],
  [/^No key version found/, 'KEY_VERSION_NOT_FOUND'],
  [/^No valid key share/, 'KEY_SHARE_MISSING'],
  [/^too many requests/, 'RATE_LIMITED'],
  [/^service unavailable/, 'OVERLOADED'],
]

/** An answer whose status is not 200. */
export function explainRefusal(operator: string, answer: HttpAnswer): OperatorRefusal {
  const { status } = answer
  if (status >= 300 && status < 400)
    return protocolRefusal(operator, `redirected with status ${status}; not followed`)
  // All of it: the record of checks in a refusal of TDX evidence is some 20 kB long.
  const text = parseUtf8(answer.body)
  const problem = text === undefined ? undefined : parseProblem(text)
  if (problem !== undefined) return { operator, ...problem }
  const line = printable(text?.split('\n', 1)[0] ?? '')
  const known = GO_TEXTS.find(([pattern]) => pattern.test(line))
  return {
    operator,
    code: known?.[1] ?? codeOfStatus(status),
    message: line === '' ? `answered with status ${status}` : line,
  }
}

/** A request that got no answer at all. */
export function explainFailure(operator: string, error: unknown): OperatorRefusal {
  if (isEigenxError(error, 'TIMEOUT'))
    return {
      operator,
      code: 'TIMEOUT',
      message: `did not answer within ${error.details.afterMs} ms`,
    }
  if (isEigenxError(error, 'INPUT_TOO_LARGE'))
    return {
      operator,
      code: 'INPUT_TOO_LARGE',
      message: `answered with more than ${error.details.limit} bytes`,
    }
  if (isEigenxError(error, 'AGENT_UNREACHABLE'))
    return { operator, code: 'OPERATOR_UNREACHABLE', message: 'cannot be reached' }
  return protocolRefusal(operator, 'answered something that is not its contract')
}

export function protocolRefusal(operator: string, message: string): OperatorRefusal {
  return { operator, code: 'OPERATOR_PROTOCOL', message }
}

/** One line for people: what stands between the app and its key. */
export function summariseRefusals(refusals: readonly OperatorRefusal[]): string {
  const counts = new Map<string, number>()
  for (const { code } of refusals) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts].map(([code, count]) => `${code} (${count})`).join(', ')
}

/** Other people's text: only a code that looks like one, and a sentence without control characters. */
function parseProblem(text: string): { code: string; message: string } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const code = 'code' in value ? value.code : undefined
  if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return undefined
  const message = [
    'message' in value ? value.message : undefined,
    'detail' in value ? value.detail : undefined,
    'title' in value ? value.title : undefined,
  ].find((candidate) => typeof candidate === 'string')
  const hint = 'hint' in value && typeof value.hint === 'string' ? ` Hint: ${value.hint}` : ''
  return { code, message: printable(`${message ?? 'refused'}${hint}`) }
}

function codeOfStatus(status: number): string {
  if (status === 401) return 'EVIDENCE_INVALID'
  if (status === 403) return 'EVIDENCE_NOT_ALLOWED'
  if (status === 413) return 'INPUT_TOO_LARGE'
  if (status === 429) return 'RATE_LIMITED'
  if (status === 503) return 'OVERLOADED'
  if (status >= 400 && status < 500) return 'REQUEST_INVALID'
  return status >= 500 ? 'INTERNAL' : 'OPERATOR_PROTOCOL'
}

/** Keeps terminals and logs safe from what a peer wrote. */
function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim()
    .slice(0, MAX_MESSAGE)
}
