/**
 * `eigenx-tee helper doctor`: what this pod has, what its hardware really vouches for, and what an operator would say to that.
 *
 * It looks, and changes nothing: it asks the agent for evidence over random report data, which no operator would take, and reads
 * the chain. A finding is data; nothing here is secret, so the output can go into a bug report.
 * @module
 */
import { AMD_ANCHORS, type SnpTrustAnchors } from '../sdk/attest/anchors.ts'
import { bindInitdata } from '../sdk/attest/binding.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY } from '../sdk/attest/snp-policy.ts'
import { describeTcb, verifySnp } from '../sdk/attest/snp-verify.ts'
import type { SnpClaims } from '../sdk/attest/types.ts'
import { bytesToHex } from '../sdk/bytes.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import type { Evidence, EvidenceSource } from './aa.ts'
import type { QuorumViewer } from './identity.ts'
import type { PodConfig } from './initdata-file.ts'

/** `bad`: no key can be had like this. `warn`: it depends on what operators and the release allow. */
export type DoctorState = 'ok' | 'warn' | 'bad'

export type DoctorFinding = {
  /** What was looked at: `initdata`, `agent`, `evidence`, `appraisal`, `binding`, `operators`. */
  subject: string
  state: DoctorState
  /** One sentence. */
  text: string
  hint?: string
}

export type DoctorDeps = {
  readPod: () => Promise<PodConfig>
  connect: (pod: PodConfig) => { evidence: EvidenceSource; viewQuorum: QuorumViewer }
  /** @default the embedded authorities of AMD */
  anchors?: SnpTrustAnchors
  rng: (length: number) => Uint8Array
  /** Unix milliseconds. */
  now: () => number
}

const REPORT_DATA_BYTES = 64

/** Never throws for what it finds; what could not be looked at is a finding too. */
export async function diagnose(deps: DoctorDeps): Promise<readonly DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  const pod = await attempt(findings, 'initdata', deps.readPod)
  if (pod === undefined) return findings
  findings.push(...describePod(pod))
  const { evidence: source, viewQuorum } = deps.connect(pod)
  const [evidence] = await Promise.all([
    collect(findings, source, deps.rng),
    attempt(findings, 'operators', viewQuorum).then((view) => {
      if (view === undefined) return
      const { operators, threshold, masterPublicKey } = view
      findings.push({
        subject: 'operators',
        state: operators.length >= threshold ? 'ok' : 'bad',
        text: `${operators.length} operators with an address, ${threshold} must answer; master public key ${bytesToHex(masterPublicKey)}`,
      })
    }),
  ])
  if (evidence !== undefined) findings.push(...judge(evidence, pod, deps))
  return findings
}

/** Whether a key can be had at all. */
export function isHealthy(findings: readonly DoctorFinding[]): boolean {
  return findings.every(({ state }) => state !== 'bad')
}

function describePod({ path, initdata, config }: PodConfig): DoctorFinding[] {
  return [
    {
      subject: 'initdata',
      state: 'ok',
      text: `${path}, ${initdata.encoding}, algorithm ${initdata.algorithm}, SHA-384 ${bytesToHex(initdata.sha384)}`,
    },
    {
      subject: 'initdata',
      state: Object.hasOwn(initdata.data, 'policy.rego') ? 'ok' : 'bad',
      ...(Object.hasOwn(initdata.data, 'policy.rego')
        ? { text: `it holds ${Object.keys(initdata.data).join(', ')}` }
        : {
            text: 'it holds no policy.rego, so the guest allows the host everything',
            hint: 'Write one with "eigenx-tee release prepare".',
          }),
    },
    { subject: 'app', state: 'ok', text: config.appId },
    ...config.warnings.map((text): DoctorFinding => ({ subject: 'initdata', state: 'warn', text })),
  ]
}

/** Raw report data first; a guest image that cannot carry it may still serve version 1, which is text. */
async function collect(
  findings: DoctorFinding[],
  source: EvidenceSource,
  rng: DoctorDeps['rng'],
): Promise<Evidence | undefined> {
  try {
    const evidence = await source.collect(rng(REPORT_DATA_BYTES))
    findings.push({
      subject: 'agent',
      state: 'ok',
      text: 'attests raw report data (version 2, bound to app, chain, operators and a fresh block)',
    })
    return evidence
  } catch (error) {
    const raw = failureOf('agent', error)
    // Images that ignore `encoding` attest the base64 text, or fail on its length.
    const mayBeOld =
      isEigenxError(error, 'VERSION_UNSUPPORTED') || isEigenxError(error, 'AGENT_PROTOCOL')
    const text = new TextEncoder().encode(bytesToHex(rng(REPORT_DATA_BYTES / 2)))
    const evidence = mayBeOld ? await source.collect(text).catch(() => undefined) : undefined
    findings.push(
      evidence === undefined
        ? raw
        : {
            subject: 'agent',
            state: 'warn',
            text: 'attests text only: report data of version 1, which names neither app nor a fresh block',
            hint: 'Use a guest image with guest-components of May 2026 or later.',
          },
    )
    return evidence
  }
}

function judge(evidence: Evidence, { initdata }: PodConfig, deps: DoctorDeps): DoctorFinding[] {
  const findings: DoctorFinding[] = []
  const seconds = Math.floor(deps.now() / 1000)
  let claims: SnpClaims
  try {
    claims = verifySnp(evidence, deps.anchors ?? AMD_ANCHORS, seconds).claims
  } catch (error) {
    return [failureOf('evidence', error)]
  }
  findings.push({
    subject: 'evidence',
    state: 'ok',
    text: `genuine AMD SEV-SNP (${claims.product}), TCB ${describeTcb(claims.tcb.reported)}, measurement ${bytesToHex(claims.measurement)}`,
  })
  for (const { id, message } of claims.advisories)
    findings.push({ subject: 'evidence', state: 'warn', text: `advisory ${id}: ${message}` })
  try {
    appraiseSnp(claims, DEFAULT_SNP_POLICY)
    findings.push({
      subject: 'appraisal',
      state: 'ok',
      text: 'passes an operator’s default platform policy (no debugging, no migration agent, VMPL 0)',
    })
  } catch (error) {
    findings.push(failureOf('appraisal', error))
  }
  findings.push(describeBinding(claims, initdata))
  return findings
}

function describeBinding(claims: SnpClaims, initdata: PodConfig['initdata']): DoctorFinding {
  try {
    // Which measurements cover a guest image is the operators' knowledge, not the pod's.
    const { binding } = bindInitdata(claims, initdata, [])
    return binding === 'host_data'
      ? {
          subject: 'binding',
          state: 'ok',
          text: 'HOST_DATA is the digest of this initdata',
          hint: 'Operators grant on it where they list the measurement above with covers_image.',
        }
      : {
          subject: 'binding',
          state: 'warn',
          text: 'HOST_DATA is zero: only REPORT_DATA names this initdata, and any guest on such hardware can name any document',
          hint: 'Operators must allow self-asserted initdata, and the release must say EIGENX_TEE_MIN_BINDING=report_data.',
        }
  } catch (error) {
    return failureOf('binding', error)
  }
}

async function attempt<T>(
  findings: DoctorFinding[],
  subject: string,
  look: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    findings.push(failureOf(subject, error))
    return undefined
  }
}

/** @throws What is no refusal: a bug is not a finding. */
function failureOf(subject: string, error: unknown): DoctorFinding {
  if (!(error instanceof EigenxError)) throw error
  return {
    subject,
    state: 'bad',
    text: `${error.code}: ${error.shortMessage}`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}
