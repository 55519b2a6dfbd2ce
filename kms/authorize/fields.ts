/**
 * The form of a /secrets request beyond its JSON: what must be there, how large each field may be,
 * and which combinations are refused before anything is verified. Texts and order are Go's, because
 * clients of Go operators match on them.
 * @module
 */
import { EigenxError } from '../../sdk/errors.ts'
import { MAX_ATTESTATION_BYTES } from '../../sdk/wire/limits.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import type { DecisionSettings } from './settings.ts'
import type { DecisionTrail } from './trail.ts'

export const ECDSA_METHOD = 'ecdsa'

const MAX_RSA_KEY_BYTES = 8192
const MAX_DATA_BYTES = 1024 * 1024

/** @throws EigenxError REQUEST_INVALID, INPUT_TOO_LARGE, METHOD_DISABLED, APP_ID_MISMATCH */
export function demandFields(
  settings: DecisionSettings,
  request: SecretsRequest,
  trail: DecisionTrail,
): void {
  trail.step = 'parse'
  if (request.appId === '') throw missing('app_id', 'app_id is required')
  trail.step = 'allowlist'
  demandListed(settings.allowedApps, request.appId)
  trail.step = 'parse'
  demandSizes(request)
  if (request.attestationMethod === '')
    throw missing('attestation_method', 'Attestation method is required')
  if (request.reportDataVersion === 2 && request.freshnessBlock === undefined)
    throw missing('freshness_block', 'report_data_version 2 needs freshness_block')
  trail.step = 'app'
  demandOneApp(request)
}

/** @throws EigenxError METHOD_DISABLED for an app that this operator does not serve. */
export function demandListed(allowedApps: ReadonlySet<string> | undefined, appId: string): void {
  if (allowedApps === undefined || allowedApps.has(appId)) return
  throw new EigenxError({
    code: 'METHOD_DISABLED',
    message: 'app not allowed',
    stage: 'request',
    details: { method: 'app' },
    hint: 'This operator serves a fixed list of apps.',
  })
}

function demandSizes(request: SecretsRequest): void {
  const { rsaPubkeyTmp, extraData, ccInitData, attestation } = request
  if (rsaPubkeyTmp.length === 0) throw missing('rsa_pubkey_tmp', 'rsa_pubkey_tmp is required')
  if (rsaPubkeyTmp.length > MAX_RSA_KEY_BYTES)
    throw tooLarge('rsa_pubkey_tmp', MAX_RSA_KEY_BYTES, 'rsa_pubkey_tmp too large')
  for (const [field, bytes] of [
    ['extra_data', extraData],
    ['cc_init_data', ccInitData],
  ] as const)
    if (bytes.length > MAX_DATA_BYTES)
      throw tooLarge(field, MAX_DATA_BYTES, `${field} exceeds 1MB limit (${bytes.length} bytes)`)
  if (attestation.length > MAX_ATTESTATION_BYTES)
    throw tooLarge(
      'attestation',
      MAX_ATTESTATION_BYTES,
      `attestation exceeds ${MAX_ATTESTATION_BYTES} byte limit (${attestation.length} bytes)`,
    )
}

/** The key is that of app_id: authorising another id beside it would hand out a foreign key. */
function demandOneApp(request: SecretsRequest): void {
  if (request.stackId === '') return
  if (request.attestationMethod === ECDSA_METHOD)
    throw new EigenxError({
      code: 'METHOD_DISABLED',
      message: 'ecdsa attestation is not permitted for stack_id requests',
      stage: 'request',
      details: { method: ECDSA_METHOD },
    })
  if (request.stackId !== request.appId)
    throw new EigenxError({
      code: 'APP_ID_MISMATCH',
      message: 'app_id and stack_id differ.',
      stage: 'request',
      details: { appId: request.appId.slice(0, 64) },
    })
}

function missing(path: string, message: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({ code: 'REQUEST_INVALID', message, stage: 'request', details: { path } })
}

function tooLarge(field: string, limit: number, message: string): EigenxError<'INPUT_TOO_LARGE'> {
  return new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message,
    stage: 'request',
    details: { field, limit },
  })
}
