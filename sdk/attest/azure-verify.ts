/**
 * Is this evidence of an Azure confidential VM genuine? The hardware report against pinned roots, then down to the vTPM's registers.
 *
 * Says nothing about whether the VM is wanted: that is `appraiseAzureSnp` and `appraiseAzureTdx`.
 * @module
 */
import type { SnpTrustAnchors } from './anchors.ts'
import type { AzureSnpEvidence } from './azure-evidence.ts'
import { type HclReport, parseHclReport } from './azure-hcl.ts'
import type { AzureSnpClaims, VerifiedAzure } from './azure-types.ts'
import { verifyVtpm } from './azure-vtpm.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import { verifySnp } from './snp-verify.ts'
import type { Check } from './types.ts'

const RULES = {
  tee: { name: 'azure.hardware', source: 'Microsoft, CVM guest attestation design' },
} as const satisfies Record<string, Rule>

/**
 * @param nowSeconds - Unix time at which certificates must be valid.
 * @param trace - Filled with every check in order, also when one of them throws.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID
 */
export function verifyAzureSnp(
  evidence: AzureSnpEvidence,
  anchors: SnpTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
): VerifiedAzure<AzureSnpClaims> {
  const log = createCheckLog(trace)
  const { version, quote } = evidence
  const hcl = openHcl(evidence.hclReport, 'snp', log)
  const snp = { report: hcl.hardware, certificates: [evidence.vcek] }
  const { claims: hardware } = verifySnp(snp, anchors, nowSeconds, trace)
  const found = verifyVtpm({ version, reportData: hardware.reportData, hcl, quote }, log)
  return {
    claims: { tee: 'az-snp-vtpm', evidenceVersion: version, hardware, ...found },
    checks: log.checks,
  }
}

function openHcl(bytes: Uint8Array, tee: HclReport['tee'], log: CheckLog): HclReport {
  const hcl = parseHclReport(bytes)
  log.demand(
    RULES.tee,
    hcl.tee === tee,
    { report: hcl.tee, method: tee, hclVersion: String(hcl.version) },
    'the report is of another kind of hardware than the evidence',
  )
  return hcl
}
