/**
 * The method `ecdsa`: the app's creator asks for the key with a signature instead of a TEE. Off by
 * default; every grant is marked, because it proves who asks and nothing about where.
 *
 * The default message covers the RSA key and the extra data, so a captured request is worthless to
 * others. The older message of Go clients does not; it is taken only where the operator says so.
 * @module
 */
import { verifyEcdsaAttestation } from '../../sdk/attest/ecdsa.ts'
import type { Check } from '../../sdk/attest/types.ts'
import type { Address, AppDecision } from '../../sdk/chain/types.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import { demandAppraisal, demandMarks } from './appraisal.ts'
import { ECDSA_METHOD } from './fields.ts'
import { appAddress, demandOf, type ReleaseEnv } from './release.ts'
import { demandRsaKey } from './rsa.ts'
import type { DecisionDeps } from './settings.ts'
import { type DecisionTrail, note } from './trail.ts'

/**
 * @returns The env of the app's release; empty when it has none, which is fine for its owner.
 * @throws EigenxError; `trail.step` tells where.
 */
export async function judgeOwner(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): Promise<ReleaseEnv> {
  trail.step = 'evidence'
  const signer = verifySigner(deps, request, trail, nowSeconds)
  trail.marks.push('owner-not-attested')
  demandRsaKey(request, trail)

  trail.step = 'owner'
  const app = appAddress(request.appId)
  const creator = await deps.chain.creatorOf(app)
  const isCreator = signer === creator.toLowerCase()
  note(
    trail,
    'chain.app-creator',
    isCreator ? 'passed' : 'failed',
    { signer, creator: creator.toLowerCase() },
    'AppController.getAppCreator',
  )
  if (!isCreator)
    throw new EigenxError({
      code: 'NOT_APP_CREATOR',
      message: 'ecdsa signer is not the app creator',
      stage: 'chain',
      details: { appId: app },
    })
  trail.step = 'chain'
  const decision = await releaseIfAny(deps, app)
  if (decision === undefined) return { encryptedEnv: '', publicEnv: {} }
  const demand = demandOf(decision, trail)
  trail.step = 'policy'
  // The owner has no platform: of what the release demands, the method and the marks concern it.
  const { methods } = demand.appraisal ?? {}
  const appraisal = methods === undefined ? {} : { methods }
  const nowhere = { measurement: undefined, tcbStatus: 'none', snpTcb: undefined }
  demandAppraisal(trail, { ...demand, appraisal }, { method: ECDSA_METHOD, ...nowhere })
  demandMarks(trail, demand)
  const { encryptedEnv, publicEnv } = decision.release
  return { encryptedEnv, publicEnv }
}

function verifySigner(
  deps: DecisionDeps,
  request: SecretsRequest,
  trail: DecisionTrail,
  nowSeconds: number,
): Address {
  const evidence = {
    appId: request.appId,
    challenge: request.challenge,
    publicKey: request.publicKey,
    attestation: request.attestation,
    rsaPublicKey: request.rsaPubkeyTmp,
    extraData: request.extraData,
  }
  const attempt: Check[] = []
  try {
    const { signer } = verifyEcdsaAttestation({ ...evidence, version: 'v2' }, nowSeconds, attempt)
    trail.checks.push(...attempt)
    return signer
  } catch (thrown) {
    const wrongMessage =
      isEigenxError(thrown, 'EVIDENCE_INVALID') && thrown.details.check === 'ecdsa.signature'
    if (!wrongMessage || !deps.settings.ecdsaLegacy) {
      trail.checks.push(...attempt)
      throw thrown
    }
  }
  const legacy = { ...evidence, version: 'legacy' as const }
  const { signer } = verifyEcdsaAttestation(legacy, nowSeconds, trail.checks)
  trail.marks.push('ecdsa-legacy')
  return signer
}

/** Nothing released yet is no obstacle for the owner; a release that is there and cannot be read is, and so is a stopped, suspended or ended app. */
async function releaseIfAny(deps: DecisionDeps, app: Address): Promise<AppDecision | undefined> {
  try {
    return await deps.chain.decideApp(app)
  } catch (thrown) {
    const unreleased =
      (isEigenxError(thrown, 'RELEASE_NOT_FOUND') && !thrown.details.released) ||
      (isEigenxError(thrown, 'APP_NOT_RUNNING') && thrown.details.status === 'CREATED')
    if (unreleased) return undefined
    throw thrown
  }
}
