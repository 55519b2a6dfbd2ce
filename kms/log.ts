/**
 * Structured logs of an operator, and one audit record per decision.
 *
 * Nothing that a log line carries may be a secret, an RPC URL or a peer's body: errors are logged
 * by code, stage and own message, never by their cause, and secret-looking fields are removed as a
 * second fence.
 * @module
 */
import { type DestinationStream, type Logger, pino } from 'pino'
import type { Finding } from '../policy/types.ts'
import type { Check } from '../sdk/attest/types.ts'
import { isEigenxError } from '../sdk/errors.ts'

export type Log = Logger

const SECRET_FIELDS = [
  'share',
  'privateKey',
  'signingKey',
  'appKey',
  'partial',
  'partialSig',
  'encryptedPartialSig',
  'plaintext',
  'secret',
  'seed',
  'body',
  'rpcUrl',
  'rpcUrls',
  'authorization',
]

export type LogOptions = {
  /** `silent` is for tests: an operator's configuration has no such level. */
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Operator address, on every line. */
  operator?: string
  /** Default: standard output. */
  destination?: DestinationStream
}

export function createLog(options: LogOptions): Log {
  const settings = {
    level: options.level,
    base: options.operator === undefined ? null : { operator: options.operator },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), remove: true },
  }
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination)
}

/** What of a thrown value may be logged: never its cause, stack or foreign message. */
export function errorFields(thrown: unknown): Record<string, unknown> {
  if (isEigenxError(thrown))
    return {
      code: thrown.code,
      stage: thrown.stage,
      reason: thrown.shortMessage,
      details: thrown.details,
    }
  const name = thrown instanceof Error ? thrown.name : typeof thrown
  return { code: 'INTERNAL', reason: name, at: firstOwnFrame(thrown) }
}

/** One decision about a key, granted or refused: enough to reconstruct why. */
export type AuditRecord = {
  requestId: string
  /** Counting key of the caller. */
  caller: string
  route: 'secrets' | 'app_sign'
  app: string
  method: string
  verdict: 'granted' | 'refused'
  step?: string
  code?: string
  reason?: string
  status: number
  keyVersion?: number
  binding?: string
  marks: readonly string[]
  checks: readonly Check[]
  findings: readonly Finding[]
  /** Milliseconds from the request's arrival. */
  durationMs: number
}

const MAX_AUDIT_TEXT = 256

/** Whatever level the operator's log has: a decision about a key is always on record. */
export function writeAudit(log: Log, record: AuditRecord): void {
  const { app, method, verdict, findings, ...facts } = record
  const granted = verdict === 'granted'
  const audit = log.level === 'silent' ? log : log.child({}, { level: 'info' })
  audit[granted ? 'info' : 'warn'](
    {
      event: 'audit',
      decision: verdict,
      // The caller chooses these texts: their length is his too, so it is cut here.
      appId: clip(app),
      method: clip(method),
      ...facts,
      findings: findings
        .slice(0, 32)
        .map(({ code, severity, path }) => ({ code, severity, path: clip(path) })),
    },
    granted ? 'partial key granted' : 'partial key refused',
  )
}

function clip(text: string): string {
  return text.length <= MAX_AUDIT_TEXT ? text : `${text.slice(0, MAX_AUDIT_TEXT)}…`
}

/** `file:line` of the first stack frame: finds the bug without quoting the message. */
function firstOwnFrame(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined
  return /([\w.-]+\.[tj]s:\d+)/.exec(thrown.stack ?? '')?.[1]
}
