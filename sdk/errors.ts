/**
 * The one error class of the package: a closed union of codes, typed details per code.
 *
 * A code is public API. Add codes freely; never rename one or give one a second meaning.
 * "Bad" and "good but not allowed" never share a code. Messages, hints and details carry no
 * secrets, no RPC URLs and no raw peer bodies: they go on the wire and into logs as they are.
 * @module
 */

/** Where in the life of a request the failure arose. */
export type Stage =
  | 'config'
  | 'request'
  | 'evidence'
  | 'initdata'
  | 'policy'
  | 'chain'
  | 'release'
  | 'key'
  | 'quorum'
  | 'protocol'
  | 'store'
  | 'agent'
  | 'crypto'

/** One refusal of one operator, as the quorum client keeps it. */
export type OperatorRefusal = { operator: string; code: string; message: string }

/** What each code carries besides its message. Plain JSON values only. */
export type ErrorDetails = {
  /** A configuration file, flag or eigenx.toml does not fit its schema. `path` names the field. */
  CONFIG_INVALID: { path: string }
  /** The request body or parameters do not fit the contract. `path` is a JSON pointer or a field name. */
  REQUEST_INVALID: { path: string }
  /** An input is larger than its limit; sizes in bytes. */
  INPUT_TOO_LARGE: { field: string; limit: number }
  /** The caller asked too often. */
  RATE_LIMITED: { retryAfterSeconds: number }
  /** The process is at its concurrency limit. */
  OVERLOADED: { limit: number }
  /** An operation did not end within its time; `afterMs` in milliseconds. */
  TIMEOUT: { what: string; afterMs: number }
  /** A route or attestation method exists but is switched off in this operator's configuration. */
  METHOD_DISABLED: { method: string }
  /** No such attestation method. */
  METHOD_UNKNOWN: { method: string }
  /** The method is enabled, but what it verifies with (an issuer's keys) is not loaded or too old. */
  METHOD_NOT_READY: { method: string }

  /** Bytes are not well-formed evidence. `offset` is in bytes from the start of the field, -1 where there is none. */
  EVIDENCE_MALFORMED: { field: string; offset: number }
  /** Evidence is well formed, but a check of its authenticity failed. `check` is the check's stable name. */
  EVIDENCE_INVALID: { check: string }
  /** Evidence is authentic, but the operator's or the release's policy does not allow it. */
  EVIDENCE_NOT_ALLOWED: { check: string }
  /** Authentic evidence whose TCB lies below the demanded floor. */
  TCB_TOO_OLD: { component: string; required: number; reported: number }
  /** REPORT_DATA in the evidence is not the one this request demands. */
  REPORT_DATA_MISMATCH: { version: number }
  /** The freshness block is unknown, not canonical or too old; seconds behind the finalized view. */
  EVIDENCE_STALE: { ageSeconds: number; limitSeconds: number }
  /** Evidence that serves once has served already. */
  EVIDENCE_REPLAYED: { method: string }
  /** The initdata is anchored less strongly than the operator or the release demands. */
  BINDING_TOO_WEAK: { binding: string; required: string }

  /** Initdata bytes are not one well-formed document. */
  INITDATA_INVALID: { reason: string }
  /** The launch-anchored digest in the evidence is not that of the initdata. */
  INITDATA_MISMATCH: { anchor: string }
  /** The policy in the initdata allows more than the release. `findings` lists each excess. */
  POLICY_TOO_PERMISSIVE: { findings: { code: string; path: string; message: string }[] }

  /** The app id is not a 0x-prefixed 20-byte address where one is needed. */
  APP_ID_INVALID: { appId: string }
  /** app_id and stack_id differ, or the evidence speaks for another app. */
  APP_ID_MISMATCH: { appId: string }
  /** The app does not exist on chain. */
  APP_UNKNOWN: { appId: string }
  /** The app exists but its state does not permit keys. */
  APP_NOT_RUNNING: { appId: string; status: string }
  /** The app has no confirmed release, or, where `released`, its event cannot be found. */
  RELEASE_NOT_FOUND: { appId: string; released: boolean }
  /** More than one release could be the confirmed one. */
  RELEASE_AMBIGUOUS: { appId: string; block: string }
  /** The release on chain is malformed (artifacts, public env, pins). */
  RELEASE_INVALID: { appId: string; reason: string }
  /** The pod does not run what the release says. */
  RELEASE_MISMATCH: { expected: string; actual: string }
  /** The signer is not the app's creator (ecdsa method). */
  NOT_APP_CREATOR: { appId: string }

  /** Too few chain providers answered, or what they answered lies too far back to decide on. */
  CHAIN_UNAVAILABLE: { needed: number; got: number }
  /** Chain providers contradict each other. */
  CHAIN_DISAGREES: { what: string }
  /** The providers agree, but a contract does not answer as its ABI says: a wrong address, not deployed, reverted. */
  CONTRACT_UNEXPECTED: { contract: string; call: string }
  /** The registered operator set cannot be worked with: empty, a duplicate, a member without key or usable socket. */
  OPERATOR_SET_INVALID: { reason: string; operator?: string }
  /** A transaction failed or was not mined in time. */
  CHAIN_WRITE_FAILED: { what: string }

  /** Documents of Intel or AMD that a verdict needs are missing, run out, or cannot be fetched. `files` names them. */
  COLLATERAL_UNAVAILABLE: { files: string }

  /** This operator has no active key version yet. */
  KEY_NOT_READY: Record<string, never>
  /** No key version was active at the asked time (Unix seconds). */
  KEY_VERSION_NOT_FOUND: { attestationTime: number }
  /** This operator does not hold the share of the version in force. */
  KEY_SHARE_MISSING: { version: number }

  /** Fewer good partials than the threshold. */
  QUORUM_NOT_REACHED: { needed: number; got: number; refusals: OperatorRefusal[] }
  /** Operators do not agree on a value that must be equal. */
  OPERATORS_DISAGREE: { what: string }
  /** The recombined key does not match the master public key. */
  KEY_MISMATCH: Record<string, never>

  /** A point, scalar or share is outside its group, not canonical, zero or repeated. */
  POINT_INVALID: { reason: 'encoding' | 'subgroup' | 'infinity' }
  SHARE_INVALID: { reason: 'encoding' | 'duplicate' | 'zero' | 'mismatch' }
  /** A ciphertext or sealed blob is malformed or does not open. */
  CIPHERTEXT_INVALID: { reason: 'format' | 'authentication' }
  /** An RSA public key is malformed, too small or of another kind. */
  RSA_KEY_INVALID: { reason: string }

  /** A message between operators is not signed by a member for this purpose. */
  PEER_UNAUTHENTICATED: { reason: string }
  /** A dealing, complaint, candidate or certificate breaks the protocol. */
  DEALING_INVALID: { dealer: string; reason: string }
  COMPLAINT_INVALID: { reason: string }
  CANDIDATE_INVALID: { reason: string }
  CERTIFICATE_INVALID: { reason: string }
  /** A body named by its hash cannot be had from any peer. */
  BODY_UNAVAILABLE: { hash: string }

  /** A stored record does not open or does not parse; the process must not go on with it. */
  STORE_CORRUPT: { record: string }
  /** The store cannot be read or written. */
  STORE_UNAVAILABLE: { reason: string }

  /** The service that holds an operator's key does not answer, or not with a signature of that key. */
  SIGNER_FAILED: { reason: string }

  /** The helper's socket or the Attestation Agent cannot be reached. */
  AGENT_UNREACHABLE: { endpoint: string }
  /** There is no attestation agent or device here. */
  NOT_IN_TEE: Record<string, never>
  /** The agent answered something that is not its contract. */
  AGENT_PROTOCOL: { reason: string }
  /** The peer speaks an older or newer version. */
  VERSION_UNSUPPORTED: { needed: string; got: string }
  /** An environment value is still sealed. */
  SEALED_VALUE: { name: string }
  /** No secret of that name. */
  SECRET_NOT_FOUND: { name: string }
  /** Anything else: a bug. The message is a constant; the cause stays in the process. */
  INTERNAL: Record<string, never>
}

export type ErrorCode = keyof ErrorDetails

export type EigenxErrorInput<C extends ErrorCode> = {
  code: C
  /** What happened, one sentence, no secrets. */
  message: string
  stage: Stage
  details: ErrorDetails[C]
  /** What the reader can do about it, one sentence. */
  hint?: string
  requestId?: string
  cause?: unknown
}

/** The JSON form: what goes on the wire, into the audit log and out of `--json`. */
export type EigenxErrorJson = {
  code: ErrorCode
  message: string
  stage: Stage
  details: ErrorDetails[ErrorCode]
  hint?: string
  requestId?: string
}

/**
 * @example
 * ```ts
 * try { await client.getMnemonic() } catch (error) {
 *   if (isEigenxError(error, 'QUORUM_NOT_REACHED')) console.error(error.details.refusals)
 *   else throw error
 * }
 * ```
 */
export class EigenxError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'EigenxError'
  readonly code: C
  readonly shortMessage: string
  readonly stage: Stage
  readonly details: ErrorDetails[C]
  readonly hint: string | undefined
  readonly requestId: string | undefined

  constructor(input: EigenxErrorInput<C>) {
    super(input.message, input.cause === undefined ? undefined : { cause: input.cause })
    this.code = input.code
    this.shortMessage = input.message
    this.stage = input.stage
    this.details = input.details
    this.hint = input.hint
    this.requestId = input.requestId
  }

  /** The cause is left out on purpose: it may quote an RPC URL or a peer's body. */
  toJSON(): EigenxErrorJson {
    return {
      code: this.code,
      message: this.shortMessage,
      stage: this.stage,
      details: this.details,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.requestId === undefined ? {} : { requestId: this.requestId }),
    }
  }

  /** The same error under the request id that the caller sees. */
  withRequestId(requestId: string): EigenxError<C> {
    return new EigenxError({
      code: this.code,
      message: this.shortMessage,
      stage: this.stage,
      details: this.details,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      requestId,
      cause: this.cause,
    })
  }
}

/** Narrows by code; works across duplicated copies of the package, where `instanceof` does not. */
export function isEigenxError(error: unknown): error is EigenxError
export function isEigenxError<C extends ErrorCode>(error: unknown, code: C): error is EigenxError<C>
export function isEigenxError(error: unknown, code?: ErrorCode): boolean {
  if (!(error instanceof Error) || error.name !== 'EigenxError') return false
  const found = (error as { code?: unknown }).code
  return typeof found === 'string' && (code === undefined || found === code)
}
