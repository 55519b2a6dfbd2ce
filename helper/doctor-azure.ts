/**
 * What `helper doctor` says about the evidence of an Azure confidential VM: the hardware, the paravisor, and the vTPM that speaks for the guest.
 *
 * Which paravisors and images are known is the operators' knowledge, so it tells what they have to list.
 * @module
 */
import type { Initdata } from '../policy/types.ts'
import { bindAzureInitdata } from '../sdk/attest/azure-binding.ts'
import { appraiseAzure, DEFAULT_AZURE_POLICY, INITDATA_PCR } from '../sdk/attest/azure-policy.ts'
import type { AzureGuest } from '../sdk/attest/azure-types.ts'
import { verifyAzureSnp, verifyAzureTdxQuote } from '../sdk/attest/azure-verify.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY } from '../sdk/attest/snp-policy.ts'
import { describeTcb } from '../sdk/attest/snp-verify.ts'
import { DEFAULT_TDX_POLICY } from '../sdk/attest/tdx-policy.ts'
import { appraiseTd } from '../sdk/attest/tdx-td.ts'
import { bytesToHex, isZero } from '../sdk/bytes.ts'
import {
  type Authorities,
  type DoctorFinding,
  describeAdvisories,
  describeMissingCollateral,
  examine,
  failureOf,
} from './doctor-finding.ts'
import type { AzurePodEvidence } from './evidence.ts'

/** Software in the guest can reset 16 and 23 at any time; those between serve another way to start. */
const LAST_BOOT_REGISTER = 15

type Examined = {
  guest: AzureGuest
  /** About the hardware. */
  findings: DoctorFinding[]
  appraise: () => void
}

/** @param nowSeconds - Unix seconds, for certificates. */
export function judgeAzure(
  evidence: AzurePodEvidence,
  initdata: Initdata,
  authorities: Authorities,
  nowSeconds: number,
): DoctorFinding[] {
  let examined: Examined
  try {
    examined = examineVm(evidence, authorities, nowSeconds)
  } catch (error) {
    return [failureOf('evidence', error)]
  }
  const { guest, findings, appraise } = examined
  return [
    ...findings,
    describeRegisters(guest),
    examine('appraisal', () => {
      appraise()
      appraiseAzure(guest, DEFAULT_AZURE_POLICY)
      return {
        state: 'ok',
        text: 'passes an operator’s default platform policy (no debugging, no migration, secure boot)',
      }
    }),
    examine('binding', () =>
      describeBinding(bindAzureInitdata(guest, initdata, DEFAULT_AZURE_POLICY).binding === 'pcr8'),
    ),
  ]
}

function examineVm(
  evidence: AzurePodEvidence,
  authorities: Authorities,
  nowSeconds: number,
): Examined {
  if (evidence.tee === 'az-snp-vtpm') {
    const { claims } = verifyAzureSnp(evidence, authorities.snp, nowSeconds)
    const { hardware } = claims
    return {
      guest: claims,
      findings: [
        genuine(
          `AMD SEV-SNP (${hardware.product}), TCB ${describeTcb(hardware.tcb.reported)}`,
          `id key ${bytesToHex(hardware.idKeyDigest)}`,
        ),
        ...describeAdvisories(hardware),
      ],
      appraise: () => appraiseSnp(hardware, DEFAULT_SNP_POLICY),
    }
  }
  const { hardware, ...found } = verifyAzureTdxQuote(evidence, authorities.tdx, nowSeconds)
  const { chain, quote } = hardware
  const { mrTd } = quote.report
  return {
    guest: { ...found, hardware: { tee: 'tdx', mrTd } },
    findings: [
      genuine(`Intel TDX (quote version ${quote.version})`, `MRTD ${bytesToHex(mrTd)}`),
      describeMissingCollateral(chain),
    ],
    appraise: () => appraiseTd(quote.report, DEFAULT_TDX_POLICY),
  }
}

function genuine(hardware: string, paravisor: string): DoctorFinding {
  return {
    subject: 'evidence',
    state: 'ok',
    text: `genuine ${hardware} below an Azure paravisor, ${paravisor}`,
    hint: 'Operators must list this paravisor (attestation.azure).',
  }
}

function describeRegisters({ vtpm: { pcrs } }: AzureGuest): DoctorFinding {
  const registers = pcrs.flatMap((value, index) =>
    index <= LAST_BOOT_REGISTER && index !== INITDATA_PCR && !isZero(value)
      ? [`PCR${index} ${bytesToHex(value)}`]
      : [],
  )
  return { subject: 'vtpm', state: 'ok', text: `its quote holds: ${registers.join(', ')}` }
}

function describeBinding(anchored: boolean): Omit<DoctorFinding, 'subject'> {
  return anchored
    ? {
        state: 'ok',
        text: 'PCR 8 was extended with the digest of this initdata, by the agent in the guest',
        hint: 'Operators grant on it where they know the paravisor and list the registers above with covers_image.',
      }
    : {
        state: 'warn',
        text: 'PCR 8 is zero: only the nonce of the quote names this initdata, and any guest of the image can name any document',
        hint: 'Use a guest image whose agent extends PCR 8; else operators must allow self-asserted initdata, and the release must say EIGENX_TEE_MIN_BINDING=report_data.',
      }
}
