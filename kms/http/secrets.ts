/**
 * `POST /secrets`: evidence in, an encrypted partial key out. Byte-compatible with Go operators:
 * tolerant JSON, plain-text refusals; further fields are ignored by Go clients.
 * @module
 */
import type { Address } from '../../sdk/chain/types.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { marshalGo } from '../../sdk/wire/go-json.ts'
import {
  encodeSecretsResponse,
  parseSecretsRequest,
  type SecretsRequest,
} from '../../sdk/wire/secrets.ts'
import type { DecisionDeps } from '../authorize/settings.ts'
import { authorizeSecrets, type Decision } from '../authorize.ts'
import { asEigenxError } from '../errors.ts'
import { errorFields, type Log, writeAudit } from '../log.ts'
import type { DecisionOutcome, Metrics } from '../metrics.ts'
import { json, refuseAsGo } from './answers.ts'
import { parseFailure, type Received, type RouteHandler } from './guard.ts'
import { answerAsGo } from './status.ts'

/** Go's cap on this route. */
export const MAX_SECRETS_BODY = 2 * 1024 * 1024

export type SecretsDeps = {
  operator: Address
  decision: DecisionDeps
  log: Log
  /** Unix milliseconds. */
  now: () => number
  /** After this time the guard has answered the caller, milliseconds. */
  requestTimeoutMs: number
  metrics: Pick<Metrics, 'startDecision' | 'turnedAway'> | undefined
}

export function secretsHandler(deps: SecretsDeps): RouteHandler {
  return async (c, received) => {
    const requestId = c.get('requestId')
    let request: SecretsRequest
    try {
      request = parseSecretsRequest(received.body)
    } catch (thrown) {
      const error = asEigenxError(thrown)
      if (isEigenxError(error, 'INTERNAL')) throw thrown
      deps.metrics?.turnedAway('secrets', error.code)
      deps.log.info(
        { requestId, caller: received.caller, ...errorFields(error) },
        'request refused',
      )
      return refuseAsGo(c, error, { status: 400, text: parseFailure(c, error.shortMessage) })
    }
    const timer = deps.metrics?.startDecision()
    const nowSeconds = Math.floor(deps.now() / 1000)
    const decision = await authorizeSecrets(deps.decision, request, nowSeconds, {
      demandInTime: () => demandInTime(deps, received),
      ...(timer === undefined ? {} : { onStep: timer.onStep }),
    })
    timer?.end(outcomeOf(request, decision))
    const { checks, findings } = decision
    if (decision.verdict === 'refused') {
      const answer = answerAsGo(decision.error, decision.step, request.attestationMethod)
      audit(deps, requestId, received, request, decision, answer.status)
      if (isEigenxError(decision.error, 'INTERNAL'))
        deps.log.error({ requestId, ...errorFields(decision.error.cause) }, 'a decision failed')
      return refuseAsGo(c, decision.error, answer, { checks, findings })
    }
    audit(deps, requestId, received, request, decision, 200)
    const { grant } = decision
    return json(
      c,
      encodeSecretsResponse({
        encryptedEnv: grant.encryptedEnv,
        publicEnv: goEnv(grant.publicEnv),
        encryptedPartialSig: grant.encryptedPartial,
        extraData: request.extraData,
        version: grant.version,
        operator: deps.operator,
        ...(grant.binding === undefined ? {} : { binding: grant.binding }),
        marks: grant.marks,
      }),
    )
  }
}

function outcomeOf(request: SecretsRequest, decision: Decision): DecisionOutcome {
  const { verdict, marks } = decision
  return {
    route: 'secrets',
    method: request.attestationMethod,
    verdict,
    marks,
    ...(verdict === 'refused' ? { code: decision.error.code } : {}),
  }
}

function demandInTime(deps: SecretsDeps, received: Received): void {
  if (deps.now() - received.arrivedMs < deps.requestTimeoutMs) return
  throw new EigenxError({
    code: 'TIMEOUT',
    message: 'The request was not answered in time.',
    stage: 'request',
    details: { what: 'request', afterMs: deps.requestTimeoutMs },
  })
}

/** Go's JSON of the map: keys sorted, HTML escaped; no text at all for an empty one. */
function goEnv(env: Readonly<Record<string, string>>): string {
  const entries = Object.entries(env)
  return entries.length === 0 ? '' : marshalGo(new Map(entries))
}

function audit(
  deps: SecretsDeps,
  requestId: string,
  received: Received,
  request: SecretsRequest,
  decision: Decision,
  status: number,
): void {
  const { checks, findings, marks, binding } = decision
  writeAudit(deps.log, {
    requestId,
    caller: received.caller,
    route: 'secrets',
    app: request.appId,
    method: request.attestationMethod,
    verdict: decision.verdict,
    status,
    marks,
    checks,
    findings,
    durationMs: deps.now() - received.arrivedMs,
    ...(binding === undefined ? {} : { binding }),
    ...(decision.verdict === 'granted'
      ? { keyVersion: decision.grant.version }
      : {
          step: decision.step,
          code: decision.error.code,
          reason: decision.error.shortMessage,
        }),
  })
}
