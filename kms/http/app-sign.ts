/**
 * `POST /app/sign`: a partial key of any app, without evidence. Off unless the operator enables it:
 * whoever reaches it has every app's key, so it belongs behind the operator's own access control,
 * for migrations and tests. Go has no "off"; where it is off this answers 403 "app sign disabled".
 * @module
 */
import { getAddress } from 'viem'
import type { Address } from '../../sdk/chain/types.ts'
import { partialSign } from '../../sdk/crypto/bls.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { encodeSignResponse, parseSignRequest } from '../../sdk/wire/secrets.ts'
import { demandListed } from '../authorize/fields.ts'
import { asEigenxError } from '../errors.ts'
import type { KeyService } from '../keys.ts'
import { type Log, writeAudit } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { json, refuseAsGo } from './answers.ts'
import type { Received, RouteHandler } from './guard.ts'
import type { PlainAnswer } from './status.ts'

/** Go's cap on this route. */
export const MAX_APP_SIGN_BODY = 16 * 1024

export type AppSignDeps = {
  operator: Address
  enabled: boolean
  allowedApps: ReadonlySet<string> | undefined
  keys: KeyService
  log: Log
  /** Unix milliseconds. */
  now: () => number
  metrics: Pick<Metrics, 'decided'> | undefined
}

export function appSignHandler(deps: AppSignDeps): RouteHandler {
  return async (c, received) => {
    const started = { app: '', step: 'parse' }
    try {
      if (!deps.enabled) throw disabled()
      const request = parseSignRequest(received.body)
      started.app = request.appId
      if (request.appId === '') throw appIdMissing()
      started.step = 'allowlist'
      demandListed(deps.allowedApps, request.appId)
      started.step = 'version'
      const key = deps.keys.at(request.attestationTime)
      const partial = partialSign(key.share, request.appId)
      record(deps, c.get('requestId'), received, started.app, { status: 200, version: key.version })
      return json(
        c,
        encodeSignResponse({ operator: getAddress(deps.operator), partial, version: key.version }),
      )
    } catch (thrown) {
      const error = asEigenxError(thrown)
      const answer = answerOf(error, started.step)
      record(deps, c.get('requestId'), received, started.app, {
        status: answer.status,
        step: started.step,
        error,
      })
      return refuseAsGo(c, error, answer)
    }
  }
}

/** Go answers 500 "Internal error" for everything that goes wrong after the request is read. */
function answerOf(error: EigenxError, step: string): PlainAnswer {
  if (isEigenxError(error, 'METHOD_DISABLED')) return { status: 403, text: error.shortMessage }
  if (step !== 'parse') return { status: 500, text: 'Internal error' }
  return isEigenxError(error, 'REQUEST_INVALID') && error.details.path === 'app_id'
    ? { status: 400, text: 'app_id is required' }
    : { status: 400, text: 'Failed to parse request' }
}

type Outcome = { status: number; version?: number; step?: string; error?: EigenxError }

function record(
  deps: AppSignDeps,
  requestId: string,
  received: Received,
  app: string,
  outcome: Outcome,
): void {
  const marks = ['not-attested']
  deps.metrics?.decided({
    route: 'app_sign',
    method: 'none',
    verdict: outcome.error === undefined ? 'granted' : 'refused',
    marks,
    ...(outcome.error === undefined ? {} : { code: outcome.error.code }),
  })
  writeAudit(deps.log, {
    requestId,
    caller: received.caller,
    route: 'app_sign',
    app,
    method: 'none',
    verdict: outcome.error === undefined ? 'granted' : 'refused',
    status: outcome.status,
    marks,
    checks: [],
    findings: [],
    durationMs: deps.now() - received.arrivedMs,
    ...(outcome.version === undefined ? {} : { keyVersion: outcome.version }),
    ...(outcome.step === undefined ? {} : { step: outcome.step }),
    ...(outcome.error === undefined
      ? {}
      : { code: outcome.error.code, reason: outcome.error.shortMessage }),
  })
}

function disabled(): EigenxError {
  return new EigenxError({
    code: 'METHOD_DISABLED',
    message: 'app sign disabled',
    stage: 'request',
    details: { method: 'app_sign' },
    hint: 'Ask for the key with evidence on POST /secrets.',
  })
}

function appIdMissing(): EigenxError {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: 'app_id is required',
    stage: 'request',
    details: { path: 'app_id' },
  })
}
