/** What `helper doctor` finds. @module */
import type { SnpTrustAnchors } from '../sdk/attest/anchors.ts'
import type { TdxTrustAnchors } from '../sdk/attest/tdx-anchors.ts'
import type { PckChain } from '../sdk/attest/tdx-chain.ts'
import { platformOf } from '../sdk/attest/tdx-verify.ts'
import type { Advisory } from '../sdk/attest/types.ts'
import { EigenxError } from '../sdk/errors.ts'

/** `bad`: no key can be had like this. `warn`: it depends on what operators and the release allow. */
export type DoctorState = 'ok' | 'warn' | 'bad'

export type DoctorFinding = {
  /** What was looked at: `initdata`, `app`, `source`, `agent`, `method`, `evidence`, `vtpm`, `event-log`, `appraisal`, `binding`, `operators`. */
  subject: string
  state: DoctorState
  /** One sentence. */
  text: string
  hint?: string
}

/** Whose signatures are believed. */
export type Authorities = { snp: SnpTrustAnchors; tdx: TdxTrustAnchors }

/** @throws What is no refusal: a bug is not a finding. */
export function failureOf(subject: string, error: unknown): DoctorFinding {
  if (!(error instanceof EigenxError)) throw error
  return {
    subject,
    state: 'bad',
    text: `${error.code}: ${error.shortMessage}`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}

/** What `look` finds, or its refusal as a finding. */
export function examine(
  subject: string,
  look: () => Omit<DoctorFinding, 'subject'>,
): DoctorFinding {
  try {
    return { subject, ...look() }
  } catch (error) {
    return failureOf(subject, error)
  }
}

export function describeAdvisories(claims: { advisories: readonly Advisory[] }): DoctorFinding[] {
  return claims.advisories.map(({ id, message }) => ({
    subject: 'evidence',
    state: 'warn',
    text: `advisory ${id}: ${message}`,
  }))
}

/** Of a TDX quote whose chain is verified: the pod has nothing to evaluate its TCB with. */
export function describeMissingCollateral(chain: PckChain): DoctorFinding {
  const { fmspc, pceId } = platformOf(chain)
  return {
    subject: 'evidence',
    state: 'warn',
    text: `its TCB is not judged here: that takes Intel’s collateral for FMSPC ${fmspc}, PCE id ${pceId}`,
    hint: 'This helper sends none: the operators must keep it (attestation.tdx.collateral_dir).',
  }
}
