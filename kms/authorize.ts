/**
 * May this caller have this operator's partial key of this app? The heart of an operator.
 *
 * One ordered pipeline; whatever it throws is the refusal, and the trail holds every check up to
 * there. Cheap checks stand before expensive ones, the chain is asked only about good evidence,
 * and the share is touched last. I/O happens in `deps.chain` alone.
 *
 *   fields -> app id -> method -> evidence -> appraisal -> initdata -> RSA key -> REPORT_DATA -> binding
 *     -> freshness -> app state and release -> policy -> registry -> key version -> sign -> wrap
 *
 * No method looks into the RSA key before its evidence is genuine: OpenSSL parses nothing for callers who proved nothing.
 *
 * Evidence that is good for one grant is reserved once it is verified, spent with the grant, and given back by every refusal that
 * does not judge the pod: a chain that is down must not cost a pod its token.
 * @module
 */
import type { Finding } from '../policy/types.ts'
import type { TokenProvider } from '../sdk/attest/token-claims.ts'
import type { Check, InitdataBinding } from '../sdk/attest/types.ts'
import type { AppDecision } from '../sdk/chain/types.ts'
import { partialSign } from '../sdk/crypto/bls.ts'
import { EigenxError } from '../sdk/errors.ts'
import { wrapPartial } from '../sdk/wire/rsa-oaep.ts'
import type { SecretsRequest } from '../sdk/wire/secrets.ts'
import { demandAppraisal, demandMarks } from './authorize/appraisal.ts'
import { judgeOwner } from './authorize/ecdsa.ts'
import { demandFields, ECDSA_METHOD } from './authorize/fields.ts'
import { POD_METHODS } from './authorize/methods.ts'
import {
  appAddress,
  demandAllowed,
  demandBinding,
  demandOf,
  demandPolicy,
  demandRegistry,
  type ReleaseEnv,
} from './authorize/release.ts'
import { demandRsaKey } from './authorize/rsa.ts'
import type { DecisionDeps } from './authorize/settings.ts'
import {
  demandTokenBinding,
  isTokenMethod,
  judgeToken,
  settleRefused,
  tokenPlatform,
} from './authorize/token.ts'
import { judgeTokenContainer } from './authorize/token-release.ts'
import { type DecisionTrail, type Mark, note, startTrail } from './authorize/trail.ts'
import { settingsAt } from './authorize/windows.ts'
import { KNOWN_METHODS, TPM_HINT, TPM_METHOD, TPM_REFUSAL } from './config-attestation.ts'
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
  options: DecisionOptions = {},
): Promise<Decision> {
  const trail = startTrail(options.onStep)
  try {
    const current = { ...deps, settings: settingsAt(deps.settings, nowSeconds) }
    const grant = await decide(current, request, trail, nowSeconds)
    options.demandInTime?.()
    trail.use?.commit()
    return { ...record(trail), verdict: 'granted', grant }
  } catch (thrown) {
    const error = asEigenxError(thrown)
    settleRefused(trail, error)
    return { ...record(trail), verdict: 'refused', step: trail.step, error }
  }
}

export type DecisionOptions = {
  /** Told of every step as it begins. */
  onStep?: (step: Step) => void
  /** Throws once nobody waits for the answer any more: evidence is not spent on it. */
  demandInTime?: () => void
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

  const env = await judgeByMethod(deps, request, trail, nowSeconds)

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
    // Go's words are the message; why is told to those who read hints.
    hint:
      method === TPM_METHOD
        ? `${TPM_REFUSAL}. ${TPM_HINT}`
        : `This operator verifies: ${deps.settings.methods.join(', ')}.`,
  })
}

function judgeByMethod(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): Promise<ReleaseEnv> {
  const { attestationMethod: method } = request
  if (method === ECDSA_METHOD) return judgeOwner(deps, request, trail, nowSeconds)
  if (isTokenMethod(method)) return judgeVouched(deps, request, method, trail, nowSeconds)
  return judgePod(deps, request, trail, nowSeconds)
}

/** A guest for which its issuer vouches in a token. */
async function judgeVouched(
  deps: DecisionDeps,
  request: SecretsRequest,
  method: TokenProvider,
  trail: DecisionTrail,
  nowSeconds: number,
): Promise<ReleaseEnv> {
  const { container } = await judgeToken(deps, request, method, trail, nowSeconds)
  demandRsaKey(request, trail)

  trail.step = 'chain'
  const decision = await deps.chain.decideApp(appAddress(request.appId))
  const demand = demandOf(decision, trail)

  trail.step = 'binding'
  demandTokenBinding(trail, demand)

  trail.step = 'policy'
  demandAppraisal(trail, demand, tokenPlatform(method))
  const verdict = judgeTokenContainer(container, demand, deps.settings.allowDigestOnly)
  demandAllowed(trail, verdict, demand, {
    rules: 'confidential-space',
    source: 'container claims of the token',
    excess: 'The container was not started as the release says.',
    hint: 'Start the VM with the arguments and variables of the release, or release a ContainerPolicy that lists them.',
  })
  demandMarks(trail, demand)
  return envOf(request, decision)
}

async function judgePod(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): Promise<ReleaseEnv> {
  const method = POD_METHODS.get(request.attestationMethod)
  if (method === undefined) throw new RangeError('an enabled method that nobody judges')
  const pod = method.judge(deps, request, trail, nowSeconds)

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
  demandAppraisal(trail, demand, { method: request.attestationMethod, ...pod })
  const verdict = demandPolicy(trail, pod.initdata, demand, allowDigestOnly)
  trail.step = 'registry'
  demandRegistry(trail, decision, verdict)
  demandMarks(trail, demand)
  return envOf(request, decision)
}

/** Go leaves both texts empty where the request gives a stack id. */
function envOf(request: SecretsRequest, { release }: AppDecision): ReleaseEnv {
  if (request.stackId !== '') return { encryptedEnv: '', publicEnv: {} }
  const { encryptedEnv, publicEnv } = release
  return { encryptedEnv, publicEnv }
}
