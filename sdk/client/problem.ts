/**
 * Problem details from the helper, back into the error they were: code, stage, hint, request id and details.
 *
 * A code that this version of the SDK does not know, or whose details do not fit, becomes AGENT_PROTOCOL
 * with the code in its message: nothing from the wire is trusted by its type alone.
 * @module
 */
import { EigenxError, type ErrorCode, type ErrorDetails, type Stage } from '../errors.ts'

type FieldKind<T> = T extends string ? 'string' : T extends number ? 'number' : 'list'
type Shape<C extends ErrorCode> = {
  readonly [K in keyof ErrorDetails[C]]: FieldKind<ErrorDetails[C][K]>
}

/** The codes that a helper may answer with, and the fields of their details. */
const SHAPES = {
  CONFIG_INVALID: { path: 'string' },
  REQUEST_INVALID: { path: 'string' },
  INPUT_TOO_LARGE: { field: 'string', limit: 'number' },
  OVERLOADED: { limit: 'number' },
  TIMEOUT: { what: 'string', afterMs: 'number' },
  METHOD_DISABLED: { method: 'string' },
  EVIDENCE_MALFORMED: { field: 'string', offset: 'number' },
  INITDATA_INVALID: { reason: 'string' },
  INITDATA_MISMATCH: { anchor: 'string' },
  APP_ID_INVALID: { appId: 'string' },
  RELEASE_INVALID: { appId: 'string', reason: 'string' },
  CHAIN_UNAVAILABLE: { needed: 'number', got: 'number' },
  CHAIN_DISAGREES: { what: 'string' },
  CONTRACT_UNEXPECTED: { contract: 'string', call: 'string' },
  OPERATOR_SET_INVALID: { reason: 'string' },
  KEY_NOT_READY: {},
  QUORUM_NOT_REACHED: { needed: 'number', got: 'number', refusals: 'list' },
  OPERATORS_DISAGREE: { what: 'string' },
  KEY_MISMATCH: {},
  POINT_INVALID: { reason: 'string' },
  SHARE_INVALID: { reason: 'string' },
  CIPHERTEXT_INVALID: { reason: 'string' },
  CANDIDATE_INVALID: { reason: 'string' },
  CERTIFICATE_INVALID: { reason: 'string' },
  AGENT_UNREACHABLE: { endpoint: 'string' },
  NOT_IN_TEE: {},
  AGENT_PROTOCOL: { reason: 'string' },
  VERSION_UNSUPPORTED: { needed: 'string', got: 'string' },
  SECRET_NOT_FOUND: { name: 'string' },
  INTERNAL: {},
} as const satisfies { readonly [C in ErrorCode]?: Shape<C> }

type KnownCode = keyof typeof SHAPES

const STAGES: readonly Stage[] = [
  'config',
  'request',
  'evidence',
  'initdata',
  'policy',
  'chain',
  'release',
  'key',
  'quorum',
  'protocol',
  'store',
  'agent',
  'crypto',
]

/** @param body - What came with a status other than 200. */
export function parseProblem(status: number, body: string): EigenxError {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return unexpected(`status ${status} without an explanation`)
  }
  if (!isRecord(value)) return unexpected(`status ${status} without an explanation`)
  const { code, message, details } = value
  const stage = STAGES.find((known) => known === value.stage)
  const known = typeof code === 'string' && isKnownCode(code) ? code : undefined
  const parsed = known === undefined ? undefined : parseDetails(known, details)
  if (known === undefined || parsed === undefined || typeof message !== 'string' || !stage)
    return unexpected(
      typeof code === 'string' ? `status ${status}, code ${code.slice(0, 64)}` : `status ${status}`,
    )
  return new EigenxError({
    code: known,
    message: message.slice(0, 2000),
    stage,
    details: parsed,
    ...(typeof value.hint === 'string' ? { hint: value.hint.slice(0, 2000) } : {}),
    ...(typeof value.requestId === 'string' ? { requestId: value.requestId.slice(0, 128) } : {}),
  })
}

export function unexpected(reason: string): EigenxError<'AGENT_PROTOCOL'> {
  return new EigenxError({
    code: 'AGENT_PROTOCOL',
    message: `the helper answered something unexpected: ${reason}`,
    stage: 'agent',
    details: { reason },
    hint: 'SDK and helper may be of different versions.',
  })
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isKnownCode(code: string): code is KnownCode {
  return Object.hasOwn(SHAPES, code)
}

function parseDetails(code: KnownCode, value: unknown): ErrorDetails[KnownCode] | undefined {
  return isRecord(value) && fitsShape(code, value) ? value : undefined
}

function fitsShape(
  code: KnownCode,
  value: Record<string, unknown>,
): value is ErrorDetails[KnownCode] {
  return Object.entries(SHAPES[code]).every(([field, kind]) => {
    const found = value[field]
    return kind === 'list' ? isRefusalList(found) : typeof found === kind
  })
}

function isRefusalList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (entry: unknown) =>
        isRecord(entry) &&
        typeof entry.operator === 'string' &&
        typeof entry.code === 'string' &&
        typeof entry.message === 'string',
    )
  )
}
