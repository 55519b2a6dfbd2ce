/**
 * How answers look: Go's JSON and plain text on the compatible routes, and RFC 9457 problem JSON
 * for every refusal where the client asks for it by name.
 * @module
 */
import type { Context } from 'hono'
import { makeFinding } from '../../policy/findings.ts'
import type { Finding } from '../../policy/types.ts'
import type { Check } from '../../sdk/attest/types.ts'
import { type EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { type PlainAnswer, STATUS } from './status.ts'

/** Findings of one answer, and characters of each text in them. */
const MAX_FINDINGS = 256
const MAX_FINDING_TEXT = 512

const PROBLEM_TYPE = 'application/problem+json'

/** What a request carries through the middleware. */
export type Env = { Variables: { requestId: string } }

/** What led to a refusal, for the audit log and for clients that ask for problem JSON. */
export type Trail = { checks: readonly Check[]; findings: readonly Finding[] }

/** True only where the client names the type; wildcards get what Go would send. */
function wantsProblem(c: Context): boolean {
  return (c.req.header('accept') ?? '')
    .split(',')
    .some((item) => item.split(';')[0]?.trim().toLowerCase() === PROBLEM_TYPE)
}

/** Go's http.Error: text, a line feed, and no content sniffing. */
export function plain(c: Context, status: number, text: string): Response {
  return new Response(`${text}\n`, {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestIdOf(c),
    },
  })
}

/** A JSON text that is already encoded, ended by Go's line feed. */
export function json(c: Context, text: string, status = 200): Response {
  return new Response(text.endsWith('\n') ? text : `${text}\n`, {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-request-id': requestIdOf(c),
    },
  })
}

/** One refusal as RFC 9457 problem JSON. Nothing in an EigenxError is secret, its cause stays here. */
function problem(c: Context, error: EigenxError, status: number, trail?: Trail): Response {
  const body = {
    type: `urn:eigenx-tee:error:${error.code}`,
    title: error.code.toLowerCase().replaceAll('_', ' '),
    status,
    detail: error.shortMessage,
    code: error.code,
    stage: error.stage,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    requestId: requestIdOf(c),
    details: error.details,
    ...(trail === undefined ? {} : { checks: trail.checks, findings: shorten(trail.findings) }),
  }
  return new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: {
      'content-type': PROBLEM_TYPE,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestIdOf(c),
      ...retryAfter(error),
    },
  })
}

/** The findings are about a document of the caller's: whatever is in it, the answer stays short. Refusals are cut last. */
function shorten(findings: readonly Finding[]): readonly Finding[] {
  const more = findings.length - MAX_FINDINGS
  const refusals = findings.filter(({ severity }) => severity === 'refuse')
  const others = findings.filter(({ severity }) => severity !== 'refuse')
  const ordered = more > 0 ? [...refusals, ...others] : findings
  const listed = ordered.slice(0, MAX_FINDINGS).map((finding) => ({
    ...finding,
    path: finding.path.slice(0, MAX_FINDING_TEXT),
    message: finding.message.slice(0, MAX_FINDING_TEXT),
  }))
  if (more <= 0) return listed
  return [...listed, makeFinding('info', 'MORE_FINDINGS', '', `${more} more are not listed.`)]
}

/** A refusal on a compatible route: Go's text, or the same refusal as problem JSON. */
export function refuseAsGo(
  c: Context,
  error: EigenxError,
  as: PlainAnswer,
  trail?: Trail,
): Response {
  if (wantsProblem(c)) return problem(c, error, as.status, trail)
  const answer = plain(c, as.status, as.text)
  for (const [name, value] of Object.entries(retryAfter(error))) answer.headers.set(name, value)
  return answer
}

/** A refusal on our own routes. */
export function refuse(c: Context, error: EigenxError): Response {
  return problem(c, error, STATUS[error.code])
}

function requestIdOf(c: Context): string {
  const id: unknown = c.get('requestId')
  return typeof id === 'string' ? id : ''
}

function retryAfter(error: EigenxError): Record<string, string> {
  return isEigenxError(error, 'RATE_LIMITED')
    ? { 'retry-after': String(error.details.retryAfterSeconds) }
    : {}
}
