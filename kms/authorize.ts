/**
 * May this caller have this operator's partial key of this app? The heart of an operator.
 *
 * One ordered pipeline; whatever it throws is the refusal, and the trail holds every check up to
 * there. Cheap checks stand before expensive ones, the chain is asked only about good evidence,
 * and the share is touched last. I/O happens in `deps.chain` alone.
 *
 *   fields -> app id -> method -> evidence -> appraisal -> initdata -> REPORT_DATA -> binding
 *     -> freshness -> app state and release -> policy -> registry -> key version -> sign -> wrap
 * @module
 */
import type { Finding } from '../policy/types.ts'
import type { Check, InitdataBinding } from '../sdk/attest/types.ts'
import { partialSign } from '../sdk/crypto/bls.ts'
import { EigenxError } from '../sdk/errors.ts'
import { parseRsaPublicKeyPem, wrapPartial } from '../sdk/wire/rsa-oaep.ts'
import type { SecretsRequest } from '../sdk/wire/secrets.ts'
import { judgeOwner } from './authorize/ecdsa.ts'
import { demandFields, ECDSA_METHOD } from './authorize/fields.ts'
import {
  appAddress,
  demandBinding,
  demandOf,
  demandPolicy,
  demandRegistry,
  type ReleaseEnv,
} from './authorize/release.ts'
import type { DecisionDeps } from './authorize/settings.ts'
import { judgeSnp } from './authorize/snp.ts'
import { type DecisionTrail, type Mark, note, startTrail } from './authorize/trail.ts'
import { KNOWN_METHODS } from './config.ts'
import { asEigenxError } from './errors.ts'
import type { Step } from './http/status.ts'

/** A partial key, encrypted to the request's RSA key, with what it was granted on. */
export type Grant = {
  encryptedPartial: Uint8Array
  /** Go's texts; both empty where the request gives a stack id or the app has no release. */
  encryptedEnv: string
  publicEnv: Readonly<Record<string, string>>
  /** Activation time of the key version, Unix seconds. */
  version: number
  binding: InitdataBinding | undefined
  marks: readonly Mark[]
}

export type Decision = {
  checks: readonly Check[]
  findings: readonly Finding[]
  marks: readonly Mark[]
  binding: InitdataBinding | undefined
} & ({ verdict: 'granted'; grant: Grant } | { verdict: 'refused'; step: Step; error: EigenxError })

/**
 * @param nowSeconds - Unix seconds.
 * @returns The decision; refusals are data. Nothing is thrown.
 */
export async function authorizeSecrets(
  deps: DecisionDeps,
  request: SecretsRequest,
  nowSeconds: number,
): Promise<Decision> {
  const trail = startTrail()
  try {
    const grant = await decide(deps, request, trail, nowSeconds)
    return { ...record(trail), verdict: 'granted', grant }
  } catch (thrown) {
    return { ...record(trail), verdict: 'refused', step: trail.step, error: asEigenxError(thrown) }
  }
}

function record(trail: DecisionTrail) {
  const { checks, findings, marks, binding } = trail
  return { checks, findings, marks, binding }
}

async function decide(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): Promise<Grant> {
  demandFields(deps.settings, request, trail)
  trail.step = 'method'
  demandMethod(deps, request.attestationMethod)

  const env =
    request.attestationMethod === ECDSA_METHOD
      ? await judgeOwner(deps, request, trail, nowSeconds)
      : await judgePod(deps, request, trail, nowSeconds)

  trail.step = 'version'
  // A time in the future counts as now: it must not bring a version forward.
  const key = deps.keys.at(request.attestationTime)
  note(
    trail,
    'key.version',
    'passed',
    { version: String(key.version), epoch: String(key.epoch), output: key.hash },
    'certified epoch log',
  )
  trail.step = 'sign'
  const partial = partialSign(key.share, request.appId)
  const encryptedPartial = wrapPartial(request.rsaPubkeyTmp, partial)
  partial.fill(0)
  return {
    ...env,
    encryptedPartial,
    version: key.version,
    binding: trail.binding,
    marks: [...trail.marks],
  }
}

function demandMethod(deps: DecisionDeps, method: string): void {
  if (deps.settings.methods.includes(method)) return
  const known = KNOWN_METHODS.some((name) => name === method)
  throw new EigenxError({
    code: known ? 'METHOD_DISABLED' : 'METHOD_UNKNOWN',
    message: known
      ? 'the attestation method is not enabled'
      : 'the attestation method is not registered',
    stage: 'request',
    details: { method: method.slice(0, 64) },
    hint: `This operator verifies: ${deps.settings.methods.join(', ')}.`,
  })
}

async function judgePod(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): Promise<ReleaseEnv> {
  trail.step = 'rsa'
  const rsa = parseRsaPublicKeyPem(request.rsaPubkeyTmp)
  const pod = judgeSnp(deps, request, rsa.spkiDer, trail, nowSeconds)

  if (request.freshnessBlock !== undefined && request.reportDataVersion === 2) {
    trail.step = 'freshness'
    await deps.chain.demandFresh(request.freshnessBlock)
    note(trail, 'report-data.fresh', 'passed', { block: request.freshnessBlock }, 'finalized chain')
  }

  trail.step = 'chain'
  const decision = await deps.chain.decideApp(appAddress(request.appId))
  const demand = demandOf(decision, trail)

  trail.step = 'binding'
  const { selfAssertedNeedsOptIn, allowDigestOnly } = deps.settings
  demandBinding(trail, demand.minBinding, pod.vouchedBy, selfAssertedNeedsOptIn)

  trail.step = 'policy'
  const verdict = demandPolicy(trail, pod.initdata, demand, allowDigestOnly)
  trail.step = 'registry'
  demandRegistry(trail, decision, verdict)
  if (request.stackId !== '') return { encryptedEnv: '', publicEnv: {} }
  const { encryptedEnv, publicEnv } = decision.release
  return { encryptedEnv, publicEnv }
}
