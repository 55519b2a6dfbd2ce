/**
 * What a release says about platforms in its publicEnv, and a pod's. A release can only narrow what the operator allows: what it names and
 * the platform cannot show is refused.
 * @module
 */
import type { ReleaseDemand } from '../../policy/types.ts'
import { SNP_TCB_COMPONENTS } from '../../sdk/attest/snp-floor.ts'
import type { SnpProduct, SnpTcb } from '../../sdk/attest/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { type DecisionTrail, note } from './trail.ts'

export type PlatformFacts = {
  method: string
  /** MEASUREMENT or MRTD, lower-case hex; `undefined` where the launch is a paravisor's, or a token does not say. */
  measurement: string | undefined
  /** By Intel's rule. `none`: no TDX platform. `unknown`: one whose status the evidence does not show. */
  tcbStatus: string | 'none' | 'unknown'
  /** Of SEV-SNP platforms: what the report says. */
  snpTcb: { product: SnpProduct; tcb: SnpTcb } | undefined
}

/** @throws EigenxError EVIDENCE_NOT_ALLOWED, TCB_TOO_OLD */
export function demandAppraisal(
  trail: DecisionTrail,
  { appraisal = {} }: ReleaseDemand,
  { method, measurement, tcbStatus, snpTcb }: PlatformFacts,
): void {
  const { methods, measurements, tdxStatuses, minimumSnpTcb } = appraisal
  demandListed(trail, 'release.methods', methods, method)
  demandListed(trail, 'release.measurements', measurements, measurement)
  const statuses = tcbStatus === 'none' ? undefined : tdxStatuses
  demandListed(trail, 'release.tdx-statuses', statuses, tcbStatus)
  demandSnpTcb(trail, minimumSnpTcb, snpTcb)
}

/** The last word of a release: what this grant would be marked with. @throws EigenxError EVIDENCE_NOT_ALLOWED */
export function demandMarks(trail: DecisionTrail, { appraisal = {} }: ReleaseDemand): void {
  const { refusedMarks } = appraisal
  const found = trail.marks.filter((mark) => refusedMarks?.includes(mark))
  note(
    trail,
    'release.refused-marks',
    refusedMarks === undefined ? 'not-applicable' : found.length === 0 ? 'passed' : 'failed',
    { marks: trail.marks.join(', '), refused: (refusedMarks ?? []).join(', ') },
    'EIGENX_TEE_REFUSE_MARKS of the release',
  )
  if (found.length > 0) throw notByRelease('release.refused-marks')
}

function demandListed(
  trail: DecisionTrail,
  name: string,
  allowed: readonly string[] | undefined,
  actual: string | undefined,
): void {
  const passed = allowed === undefined || (actual !== undefined && allowed.includes(actual))
  note(
    trail,
    name,
    allowed === undefined ? 'not-applicable' : passed ? 'passed' : 'failed',
    { actual: actual ?? 'none', allowed: (allowed ?? []).join(', ').slice(0, 1024) },
    'publicEnv of the release',
  )
  if (!passed) throw notByRelease(name)
}

const TCB = { name: 'release.minimum-snp-tcb', source: 'EIGENX_TEE_MINIMUM_SNP_TCB of the release' }

/** Component by component, as operators do. A product line that the release does not name gets no key. */
function demandSnpTcb(
  trail: DecisionTrail,
  minimum: NonNullable<ReleaseDemand['appraisal']>['minimumSnpTcb'],
  platform: PlatformFacts['snpTcb'],
): void {
  if (minimum === undefined || platform === undefined) {
    note(trail, TCB.name, 'not-applicable', { product: platform?.product ?? 'none' }, TCB.source)
    return
  }
  const { product, tcb } = platform
  const floor = minimum.get(product)
  if (floor === undefined) {
    const named = [...minimum.keys()].join(', ')
    note(trail, TCB.name, 'failed', { product, named }, TCB.source)
    throw notByRelease(TCB.name)
  }
  for (const component of SNP_TCB_COMPONENTS) {
    const [required, reported] = [floor[component] ?? 0, tcb[component] ?? 0]
    const inputs = {
      product,
      component,
      reported: String(reported),
      required: String(required),
    }
    note(trail, TCB.name, reported >= required ? 'passed' : 'failed', inputs, TCB.source)
    if (reported < required)
      throw new EigenxError({
        code: 'TCB_TOO_OLD',
        message: `the platform's ${component} level ${reported} is below the release's ${required}`,
        stage: 'release',
        details: { component, required, reported },
        hint: 'The host needs a firmware update, and a certificate for the new level.',
      })
  }
}

function notByRelease(check: string): EigenxError<'EVIDENCE_NOT_ALLOWED'> {
  return new EigenxError({
    code: 'EVIDENCE_NOT_ALLOWED',
    message: 'The release does not allow its key to such a platform.',
    stage: 'release',
    details: { check },
    hint: 'Start the pod on a platform that the publicEnv of the release names, or change the release.',
  })
}
