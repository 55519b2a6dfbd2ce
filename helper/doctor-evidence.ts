/**
 * What `helper doctor` says about the pod's evidence: genuine, acceptable by an operator's defaults, and what the launch anchored.
 *
 * A pod has no collateral of Intel, so of a TDX quote it verifies what needs none, and says what is left for the operators.
 * @module
 */
import type { Initdata } from '../policy/types.ts'
import { AMD_ANCHORS, type SnpTrustAnchors } from '../sdk/attest/anchors.ts'
import { bindInitdata } from '../sdk/attest/binding.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY } from '../sdk/attest/snp-policy.ts'
import { describeTcb, type SnpEvidence, verifySnp } from '../sdk/attest/snp-verify.ts'
import { INTEL_ANCHORS, type TdxTrustAnchors } from '../sdk/attest/tdx-anchors.ts'
import { bindTdxInitdata } from '../sdk/attest/tdx-binding.ts'
import { DEFAULT_TDX_POLICY } from '../sdk/attest/tdx-policy.ts'
import { appraiseTd } from '../sdk/attest/tdx-td.ts'
import { verifyTdxQuote } from '../sdk/attest/tdx-verify.ts'
import type { InitdataBinding, SnpClaims } from '../sdk/attest/types.ts'
import { bytesToHex } from '../sdk/bytes.ts'
import { judgeAzure } from './doctor-azure.ts'
import {
  type Authorities,
  type DoctorFinding,
  describeAdvisories,
  describeMissingCollateral,
  examine,
  failureOf,
} from './doctor-finding.ts'
import { type Evidence, openLogs, type TdxPodEvidence } from './evidence.ts'

const VENDORS: Authorities = { snp: AMD_ANCHORS, tdx: INTEL_ANCHORS }

/** @param nowSeconds - Unix seconds, for certificates. */
export function judgeEvidence(
  evidence: Evidence,
  initdata: Initdata,
  nowSeconds: number,
  authorities = VENDORS,
): DoctorFinding[] {
  if (evidence.tee === 'snp') return judgeSnp(evidence, initdata, authorities.snp, nowSeconds)
  if (evidence.tee === 'tdx') return judgeTdx(evidence, initdata, authorities.tdx, nowSeconds)
  return judgeAzure(evidence, initdata, authorities, nowSeconds)
}

function judgeSnp(
  evidence: SnpEvidence,
  initdata: Initdata,
  anchors: SnpTrustAnchors,
  nowSeconds: number,
): DoctorFinding[] {
  let claims: SnpClaims
  try {
    claims = verifySnp(evidence, anchors, nowSeconds).claims
  } catch (error) {
    return [failureOf('evidence', error)]
  }
  return [
    {
      subject: 'evidence',
      state: 'ok',
      text: `genuine AMD SEV-SNP (${claims.product}), TCB ${describeTcb(claims.tcb.reported)}, measurement ${bytesToHex(claims.measurement)}`,
    },
    ...describeAdvisories(claims),
    examine('appraisal', () => {
      appraiseSnp(claims, DEFAULT_SNP_POLICY)
      return {
        state: 'ok',
        text: 'passes an operator’s default platform policy (no debugging, no migration agent, VMPL 0)',
      }
    }),
    // Which measurements cover a guest image is the operators' knowledge, not the pod's.
    examine('binding', () =>
      describeBinding('HOST_DATA', bindInitdata(claims, initdata, []).binding),
    ),
  ]
}

function judgeTdx(
  evidence: TdxPodEvidence,
  initdata: Initdata,
  anchors: TdxTrustAnchors,
  nowSeconds: number,
): DoctorFinding[] {
  let verified: ReturnType<typeof verifyTdxQuote>
  try {
    verified = verifyTdxQuote(evidence.quote, anchors, nowSeconds)
  } catch (error) {
    return [failureOf('evidence', error)]
  }
  const { chain, quote } = verified
  const { version, tdVersion, report } = quote
  const registers = report.rtmrs.map((value, index) => `RTMR${index} ${bytesToHex(value)}`)
  return [
    {
      subject: 'evidence',
      state: 'ok',
      text: `genuine Intel TDX (quote version ${version}, TD ${tdVersion}), MRTD ${bytesToHex(report.mrTd)}, ${registers.join(', ')}`,
    },
    describeMissingCollateral(chain),
    describeLogs(evidence),
    examine('appraisal', () => {
      appraiseTd(report, DEFAULT_TDX_POLICY)
      return {
        state: 'ok',
        text: 'the TD passes an operator’s default policy (no debugging, no migration, no service TD)',
      }
    }),
    examine('binding', () =>
      describeBinding('MRCONFIGID', bindTdxInitdata(report, initdata, []).binding),
    ),
  ]
}

function describeLogs(evidence: TdxPodEvidence): DoctorFinding {
  const opened = openLogs(evidence)
  const subject = 'event-log'
  if (opened.state === 'none') return { subject, state: 'ok', text: 'none comes with the quote' }
  if (opened.state === 'leads')
    return { subject, state: 'ok', text: `${opened.events} events lead to the four registers` }
  return {
    subject,
    state: 'warn',
    text: `${opened.reason.code}: ${opened.reason.shortMessage}`,
    hint: 'The quote is sent without it; operators need no log.',
  }
}

function describeBinding(
  field: 'HOST_DATA' | 'MRCONFIGID',
  binding: InitdataBinding,
): Omit<DoctorFinding, 'subject'> {
  return binding === 'report_data'
    ? {
        state: 'warn',
        text: `${field} is zero: only REPORT_DATA names this initdata, and any guest on such hardware can name any document`,
        hint: 'Operators must allow self-asserted initdata, and the release must say EIGENX_TEE_MIN_BINDING=report_data.',
      }
    : {
        state: 'ok',
        text: `${field} is the digest of this initdata`,
        hint: 'Operators grant on it where they list the measurement above with covers_image.',
      }
}
