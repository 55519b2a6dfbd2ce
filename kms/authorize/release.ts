/**
 * Does the pod run what the app's developer released? The chain half of a decision: the app's state
 * and confirmed release at one pinned block, and the initdata's policy against that release.
 * @module
 */
import { parseImageReference } from '../../policy/image.ts'
import { judgePolicy } from '../../policy/judge.ts'
import { releaseDemand } from '../../policy/release.ts'
import type { Finding, Initdata, PolicyVerdict, ReleaseDemand } from '../../policy/types.ts'
import type { BoundInitdata } from '../../sdk/attest/binding.ts'
import type { Address, AppDecision } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { type DecisionTrail, note } from './trail.ts'

/** Go's two env texts: the sealed one, and the public one before it is encoded. */
export type ReleaseEnv = { encryptedEnv: string; publicEnv: Readonly<Record<string, string>> }

/**
 * The address form that chain lookups use. Only full addresses are taken: a lenient reading maps
 * many texts to one app. The identity that the key belongs to stays the text as sent.
 * @throws EigenxError APP_ID_INVALID
 */
export function appAddress(appId: string): Address {
  if (/^0x[0-9a-fA-F]{40}$/.test(appId)) return `0x${appId.slice(2).toLowerCase()}`
  throw new EigenxError({
    code: 'APP_ID_INVALID',
    message: 'The app id is not 0x followed by 40 hex digits.',
    stage: 'request',
    details: { appId: appId.slice(0, 64) },
    hint: 'Use the app address exactly as it was registered, including 0x.',
  })
}

/** The release's demand, noted with the block at which the chain was read. */
export function demandOf(decision: AppDecision, trail: DecisionTrail): ReleaseDemand {
  const { release } = decision
  note(
    trail,
    'chain.app-release',
    'passed',
    {
      status: decision.status,
      image: release.imageDigest,
      releaseBlock: release.block.number.toString(),
      decisionBlock: decision.block.number.toString(),
      decisionBlockHash: decision.block.hash,
    },
    'AppController, finalized and latest agree',
  )
  return releaseDemand({
    app: release.app,
    imageDigest: release.imageDigest,
    publicEnv: release.publicEnv,
    containerPolicy: release.containerPolicy,
  })
}

/**
 * @param minBinding - What the release demands beside the operator's own rule.
 * @throws EigenxError BINDING_TOO_WEAK. A release can ask for more than the operator does; asking
 * for less is only the opt-in that self-asserted initdata needs.
 */
export function demandBinding(
  trail: DecisionTrail,
  minBinding: ReleaseDemand['minBinding'],
  vouchedBy: BoundInitdata['vouchedBy'],
  needsOptIn: boolean,
): void {
  const binding = trail.binding ?? 'report_data'
  const missing =
    (minBinding === 'launch' && vouchedBy !== 'launch') ||
    (vouchedBy === 'self' && needsOptIn && minBinding !== 'report_data')
  note(
    trail,
    'release.min-binding',
    missing ? 'failed' : 'passed',
    { binding, vouchedBy, release: minBinding ?? 'not set' },
    'EIGENX_TEE_MIN_BINDING of the release',
  )
  if (!missing) return
  throw new EigenxError({
    code: 'BINDING_TOO_WEAK',
    message: 'The initdata is anchored less strongly than this release allows.',
    stage: 'release',
    details: { binding: vouchedBy === 'self' ? 'self-asserted' : binding, required: 'launch' },
    hint:
      minBinding === 'launch'
        ? 'Boot a measured image where the launch anchors the initdata (HOST_DATA, MRCONFIGID, PCR 8).'
        : 'On platforms that do not anchor initdata at launch, release with EIGENX_TEE_MIN_BINDING=report_data.',
  })
}

/** Does what runs fit the release, and what ties it to it? */
export type ReleaseVerdict = {
  allowed: boolean
  pinnedBy: PolicyVerdict['pinnedBy'] | 'image'
  findings: readonly Finding[]
}

/** Judges initdata and its policy.rego against the release. @throws RELEASE_MISMATCH, POLICY_TOO_PERMISSIVE */
export function demandPolicy(
  trail: DecisionTrail,
  initdata: Initdata,
  demand: ReleaseDemand,
  allowDigestOnly: boolean,
): PolicyVerdict {
  const verdict = judgePolicy({ initdata, demand, allowDigestOnly })
  demandAllowed(trail, verdict, demand, {
    rules: verdict.analysis?.rules?.name ?? verdict.analysis?.rulesSha256 ?? 'none',
    source: 'policy.rego of the attested initdata',
    excess: 'The initdata allows more than the release.',
    hint: 'Run `eigenx-tee policy explain` on the initdata; `release prepare` writes one that is accepted.',
  })
  return verdict
}

export type VerdictTexts = { rules: string; source: string; excess: string; hint: string }

/** Notes a verdict about the release, and refuses what it does not allow. @throws RELEASE_MISMATCH, POLICY_TOO_PERMISSIVE */
export function demandAllowed(
  trail: DecisionTrail,
  verdict: ReleaseVerdict,
  demand: ReleaseDemand,
  texts: VerdictTexts,
): void {
  trail.findings.push(...verdict.findings)
  note(
    trail,
    'policy.release-enforced',
    verdict.allowed ? 'passed' : 'failed',
    {
      rules: texts.rules,
      pinnedBy: verdict.pinnedBy ?? 'nothing',
      image: demand.imageDigest,
    },
    texts.source,
  )
  if (verdict.allowed) {
    if (verdict.pinnedBy === 'digest-only') trail.marks.push('digest-only')
    return
  }
  const refusals = verdict.findings.filter((finding) => finding.severity === 'refuse')
  const foreign = refusals.find((finding) => FOREIGN.has(finding.code))
  if (foreign !== undefined)
    throw new EigenxError({
      code: 'RELEASE_MISMATCH',
      message: 'The pod does not run what is in the release.',
      stage: 'policy',
      details: { expected: demand.imageDigest, actual: foreign.message.slice(0, 256) },
      hint: 'Release this image, or boot the pod with the initdata prepared for the release.',
    })
  throw new EigenxError({
    code: 'POLICY_TOO_PERMISSIVE',
    message: texts.excess,
    stage: 'policy',
    details: {
      findings: refusals
        .slice(0, 32)
        .map(({ code, path, message }) => ({ code, path: path.slice(0, 256), message })),
    },
    hint: texts.hint,
  })
}

/** Findings that say "this is something else", as opposed to "this may do too much". */
const FOREIGN: ReadonlySet<string> = new Set([
  'IMAGE_NOT_IN_RELEASE',
  'LAYERS_NOT_IN_RELEASE',
  'INITDATA_NOT_PINNED',
])

/**
 * The repository, where both the release and the policy name one. The digest has pinned the
 * content already; this refuses an image that is fetched from elsewhere.
 * @throws EigenxError RELEASE_MISMATCH
 */
export function demandRegistry(
  trail: DecisionTrail,
  decision: AppDecision,
  verdict: PolicyVerdict,
): void {
  const expected = decision.release.registry
  const named = (verdict.analysis?.containers ?? [])
    .flatMap((container) => (container.image === undefined ? [] : [container.image]))
    .filter((image) => image.digest === decision.release.imageDigest)
    .map((image) => repositoryOf(image.reference))
    .filter((repository) => repository !== '')
  const compared = expected !== '' && named.length > 0
  const actual = named.find((repository) => repository !== expected)
  const failed = compared && actual !== undefined
  note(
    trail,
    'release.registry',
    failed ? 'failed' : compared ? 'passed' : 'not-applicable',
    { release: expected.slice(0, 256), policy: (actual ?? named[0] ?? '').slice(0, 256) },
    'registry of the release, compared where both sides name one',
  )
  if (!failed) return
  throw new EigenxError({
    code: 'RELEASE_MISMATCH',
    message: 'The image comes from another registry than the release names.',
    stage: 'release',
    details: { expected: expected.slice(0, 256), actual: actual.slice(0, 256) },
  })
}

/** `ghcr.io/org/app:1.0@sha256:…` -> `ghcr.io/org/app`; "" when the text names no repository. */
function repositoryOf(reference: string): string {
  const parsed = parseImageReference(reference)
  if (parsed === undefined) return ''
  return parsed.domain === undefined ? parsed.path : `${parsed.domain}/${parsed.path}`
}
