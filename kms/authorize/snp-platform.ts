/**
 * What an operator demands of the processor under an SNP guest, whichever method the evidence comes by: the platform policy, TCB floors that
 * take effect after a grace period, and authorities that AMD has not revoked. No I/O.
 * @module
 */
import {
  checkSnpRevocation,
  openCarriedSnpCrl,
  type SnpCrl,
  type SnpRevocationMemory,
  snpChainOf,
} from '../../sdk/attest/snp-crl.ts'
import { appraiseTcbFloor } from '../../sdk/attest/snp-floor.ts'
import { appraiseSnp, type SnpPolicy } from '../../sdk/attest/snp-policy.ts'
import type { SnpClaims } from '../../sdk/attest/types.ts'
import type { PlatformFacts } from './appraisal.ts'
import type { EvidenceDeps } from './settings.ts'
import type { DecisionTrail } from './trail.ts'

/** What this operator knows about revoked authorities. */
export type SnpRevocation = { lists: () => readonly SnpCrl[]; memory: SnpRevocationMemory }

export type SnpPlatform = {
  claims: SnpClaims
  policy: SnpPolicy
  /** Lists that came with the evidence. */
  crls?: readonly Uint8Array[]
}

/** What a release may set a floor for. */
export function snpTcbOf({ product, tcb }: SnpClaims): NonNullable<PlatformFacts['snpTcb']> {
  return { product, tcb: tcb.reported }
}

/** @throws EigenxError EVIDENCE_INVALID, EVIDENCE_MALFORMED, EVIDENCE_NOT_ALLOWED, TCB_TOO_OLD */
export function demandSnpPlatform(
  deps: EvidenceDeps,
  { claims, policy, crls = [] }: SnpPlatform,
  trail: DecisionTrail,
  nowSeconds: number,
): void {
  const { revocation, settings } = deps
  trail.step = 'evidence'
  const { product } = claims
  for (const der of crls) {
    const crl = openCarriedSnpCrl({ product, der }, deps.anchors, nowSeconds, trail.checks)
    revocation.memory.learn(product, crl)
  }
  const chain = snpChainOf(claims)
  const { lists, memory } = revocation
  checkSnpRevocation(chain, lists(), settings.crl, nowSeconds, trail.checks, memory)

  trail.step = 'appraise'
  appraiseSnp(claims, policy, trail.checks)
  const floor = appraiseTcbFloor(claims, settings.tcbFloors, nowSeconds, trail.checks)
  if (floor.status === 'grace') trail.marks.push('tcb-grace')
}
