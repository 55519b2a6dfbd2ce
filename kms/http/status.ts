/**
 * The one place where an error becomes an HTTP status, and a refusal on the Go-compatible routes
 * becomes the status and plain text that a Go operator gives in the same situation.
 * @module
 */
import type { EigenxError, ErrorCode } from '../../sdk/errors.ts'

/** Status of each code on our own routes. A new code without a status does not compile. */
export const STATUS = {
  CONFIG_INVALID: 500,
  REQUEST_INVALID: 400,
  INPUT_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  TIMEOUT: 504,
  METHOD_DISABLED: 403,
  METHOD_UNKNOWN: 400,
  METHOD_NOT_READY: 503,
  EVIDENCE_MALFORMED: 400,
  EVIDENCE_INVALID: 401,
  EVIDENCE_NOT_ALLOWED: 403,
  TCB_TOO_OLD: 403,
  REPORT_DATA_MISMATCH: 401,
  EVIDENCE_STALE: 401,
  EVIDENCE_REPLAYED: 401,
  BINDING_TOO_WEAK: 403,
  INITDATA_INVALID: 400,
  INITDATA_MISMATCH: 401,
  POLICY_TOO_PERMISSIVE: 403,
  APP_ID_INVALID: 400,
  APP_ID_MISMATCH: 403,
  APP_UNKNOWN: 404,
  APP_NOT_RUNNING: 403,
  RELEASE_NOT_FOUND: 404,
  RELEASE_AMBIGUOUS: 409,
  RELEASE_INVALID: 409,
  RELEASE_MISMATCH: 403,
  NOT_APP_CREATOR: 403,
  CHAIN_UNAVAILABLE: 503,
  CHAIN_DISAGREES: 503,
  CONTRACT_UNEXPECTED: 503,
  OPERATOR_SET_INVALID: 503,
  CHAIN_WRITE_FAILED: 503,
  COLLATERAL_UNAVAILABLE: 503,
  KEY_NOT_READY: 503,
  KEY_VERSION_NOT_FOUND: 404,
  KEY_SHARE_MISSING: 503,
  QUORUM_NOT_REACHED: 503,
  OPERATORS_DISAGREE: 502,
  KEY_MISMATCH: 500,
  POINT_INVALID: 400,
  SHARE_INVALID: 400,
  CIPHERTEXT_INVALID: 400,
  RSA_KEY_INVALID: 400,
  PEER_UNAUTHENTICATED: 401,
  DEALING_INVALID: 400,
  COMPLAINT_INVALID: 400,
  CANDIDATE_INVALID: 400,
  CERTIFICATE_INVALID: 400,
  BODY_UNAVAILABLE: 404,
  STORE_CORRUPT: 500,
  STORE_UNAVAILABLE: 503,
  SIGNER_FAILED: 503,
  AGENT_UNREACHABLE: 502,
  NOT_IN_TEE: 500,
  AGENT_PROTOCOL: 502,
  VERSION_UNSUPPORTED: 400,
  SEALED_VALUE: 500,
  SECRET_NOT_FOUND: 404,
  INTERNAL: 500,
} as const satisfies Record<ErrorCode, number>

/**
 * The step of the pipeline that refused. On the compatible routes it decides the answer, because
 * Go answers by step: whatever is wrong with a quote is a 401, whatever is wrong with a release
 * lookup a 404.
 */
export type Step =
  | 'limits'
  | 'parse'
  | 'app'
  | 'allowlist'
  | 'method'
  | 'rsa'
  | 'evidence'
  | 'appraise'
  | 'initdata'
  | 'report-data'
  | 'freshness'
  | 'binding'
  | 'owner'
  | 'chain'
  | 'policy'
  | 'registry'
  | 'version'
  | 'sign'

export type PlainAnswer = { status: 400 | 401 | 403 | 404 | 429 | 500 | 502 | 503; text: string }

/** Codes whose answer does not depend on the step. */
const BY_CODE: Partial<Record<ErrorCode, PlainAnswer>> = {
  RATE_LIMITED: { status: 429, text: 'too many requests' },
  OVERLOADED: { status: 503, text: 'service unavailable' },
  TIMEOUT: { status: 503, text: 'service unavailable' },
  METHOD_NOT_READY: { status: 503, text: 'service unavailable' },
  COLLATERAL_UNAVAILABLE: { status: 503, text: 'service unavailable' },
  EVIDENCE_REPLAYED: { status: 401, text: 'attestation token already used' },
  KEY_VERSION_NOT_FOUND: {
    status: 404,
    text: 'No key version found for the specified attestation time',
  },
  KEY_NOT_READY: { status: 503, text: 'No valid key share' },
  KEY_SHARE_MISSING: { status: 503, text: 'No valid key share' },
  APP_ID_MISMATCH: { status: 403, text: 'App ID mismatch - unauthorized app' },
  // Go meets a key that it cannot use only when it encrypts; a bad key is still the caller's.
  RSA_KEY_INVALID: { status: 500, text: 'Encryption failed' },
  INTERNAL: { status: 500, text: 'Internal error' },
  STORE_CORRUPT: { status: 500, text: 'Internal error' },
  STORE_UNAVAILABLE: { status: 500, text: 'Internal error' },
  SIGNER_FAILED: { status: 500, text: 'Internal error' },
}

/** What a Go operator answers on POST /secrets where this refusal arises. */
export function answerAsGo(error: EigenxError, step: Step, method: string): PlainAnswer {
  const fixed = BY_CODE[error.code]
  if (fixed !== undefined) return fixed
  switch (step) {
    case 'limits':
    case 'parse':
      return { status: 400, text: error.shortMessage }
    case 'app':
      return { status: 403, text: error.shortMessage }
    case 'allowlist':
      return { status: 403, text: 'app not allowed' }
    case 'rsa':
      return { status: 500, text: 'Encryption failed' }
    case 'method':
    case 'evidence':
    case 'appraise':
    case 'initdata':
    case 'report-data':
    case 'freshness':
    case 'binding':
      return {
        status: 401,
        // The caller chose the name, and may have chosen a long one.
        text: `Invalid attestation: verification failed with method '${method.slice(0, 64)}': ${error.shortMessage}`,
      }
    case 'owner':
      return answerOwner(error)
    case 'chain':
      if (error.code === 'APP_NOT_RUNNING') return { status: 403, text: 'App is not running' }
      return { status: 404, text: 'Release not found' }
    case 'policy':
      return error.code === 'RELEASE_MISMATCH'
        ? { status: 403, text: 'Image digest mismatch - unauthorized image' }
        : { status: 403, text: 'Container policy mismatch' }
    case 'registry':
      return { status: 403, text: 'Registry mismatch - unauthorized image source' }
    case 'version':
      return { status: 503, text: 'No valid key share' }
    case 'sign':
      return { status: 500, text: 'Internal error' }
  }
}

function answerOwner(error: EigenxError): PlainAnswer {
  switch (error.code) {
    case 'APP_ID_INVALID':
      return { status: 400, text: 'app_id must be a contract address for ecdsa attestation' }
    case 'NOT_APP_CREATOR':
      return { status: 403, text: 'ecdsa signer is not the app creator' }
    case 'APP_NOT_RUNNING':
      return { status: 403, text: 'App is not running' }
    case 'APP_UNKNOWN':
      return { status: 403, text: 'ecdsa signer is not the app creator' }
    default:
      return { status: 502, text: 'failed to look up app creator' }
  }
}
