/**
 * `eigenx-tee helper doctor`: what this pod has, what its hardware really vouches for, and what an operator would say to that.
 *
 * It looks, and changes nothing: it asks the agent for evidence over random report data, which no operator would take, and reads
 * the chain. A finding is data; nothing here is secret, so the output can go into a bug report.
 * @module
 */
import { bytesToHex } from '../sdk/bytes.ts'
import { isEigenxError } from '../sdk/errors.ts'
import type { EvidenceSource } from './aa.ts'
import { judgeEvidence } from './doctor-evidence.ts'
import {
  type Authorities,
  type DoctorFinding,
  type DoctorState,
  failureOf,
} from './doctor-finding.ts'
import { type Carrier, type Evidence, METHODS, TEE_NAMES } from './evidence.ts'
import type { QuorumViewer } from './identity.ts'
import type { PodConfig } from './initdata-file.ts'
import { describeSource } from './source.ts'

export type DoctorDeps = {
  readPod: () => Promise<PodConfig>
  connect: (pod: PodConfig) => { evidence: EvidenceSource; viewQuorum: QuorumViewer }
  /** @default the embedded ones of AMD and Intel */
  authorities?: Authorities
  rng: (length: number) => Uint8Array
  /** Unix milliseconds. */
  now: () => number
}

const REPORT_DATA_BYTES = 64
const VERSION_2 = 'version 2, bound to app, chain, operators and a fresh block'

/** Never throws for what it finds; what could not be looked at is a finding too. */
export async function diagnose(deps: DoctorDeps): Promise<readonly DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  const pod = await attempt(findings, 'initdata', deps.readPod)
  if (pod === undefined) return findings
  findings.push(...describePod(pod))
  const { evidence: source, viewQuorum } = deps.connect(pod)
  await inspect(findings, source, deps.rng)
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
  if (evidence === undefined) return findings
  findings.push(describeMethod(evidence, pod))
  const seconds = Math.floor(deps.now() / 1000)
  findings.push(...judgeEvidence(evidence, pod.initdata, seconds, deps.authorities))
  return findings
}

/** Whether a key can be had at all. */
export function isHealthy(findings: readonly DoctorFinding[]): boolean {
  return findings.every(({ state }) => state !== 'bad')
}

function describePod({ path, copies, initdata, config }: PodConfig): DoctorFinding[] {
  return [
    {
      subject: 'initdata',
      state: 'ok',
      text: `${[path, ...copies].join(' and ')}, ${initdata.encoding}, algorithm ${initdata.algorithm}, SHA-384 ${bytesToHex(initdata.sha384)}`,
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
    {
      subject: 'source',
      state: 'ok',
      text: `evidence comes from ${describeSource(config.attestation)}`,
    },
    ...config.warnings.map((text): DoctorFinding => ({ subject: 'initdata', state: 'warn', text })),
  ]
}

function describeMethod({ tee }: Evidence, { config }: PodConfig): DoctorFinding {
  const { method } = config.attestation
  const fits = method === 'auto' || method === METHODS[tee]
  return {
    subject: 'method',
    state: fits ? 'ok' : 'bad',
    text: `this machine gives ${TEE_NAMES[tee]} evidence; attestation.method is ${method}`,
    hint: fits
      ? `Operators must offer ${METHODS[tee]}.`
      : 'Leave attestation.method out of eigenx.toml, or deploy on the processor that it names.',
  }
}

/** Raw report data first; what cannot carry them may be the vTPM of Azure, or an old guest image, which attests text of version 1. */
async function collect(
  findings: DoctorFinding[],
  source: EvidenceSource,
  rng: DoctorDeps['rng'],
): Promise<Evidence | undefined> {
  const found = (state: DoctorState, text: string, hint?: string) =>
    findings.push({ subject: 'agent', state, text, ...(hint === undefined ? {} : { hint }) })
  try {
    const evidence = await source.collect(rng(REPORT_DATA_BYTES))
    found('ok', `attests raw report data (${VERSION_2})`)
    return evidence
  } catch (error) {
    const raw = failureOf('agent', error)
    const isOther = isEigenxError(error, 'AGENT_PROTOCOL')
    const vtpm = isOther ? await ask(source, rng(REPORT_DATA_BYTES), 'vtpm') : undefined
    if (vtpm !== undefined) {
      found('ok', `attests digests of report data through a vTPM (${VERSION_2})`)
      return vtpm
    }
    // Images that ignore `encoding` attest the base64 text, or fail on its length.
    const mayBeOld = isOther || isEigenxError(error, 'VERSION_UNSUPPORTED')
    const text = new TextEncoder().encode(bytesToHex(rng(REPORT_DATA_BYTES / 2)))
    const old = mayBeOld ? await ask(source, text, 'report') : undefined
    if (old === undefined) findings.push(raw)
    else
      found(
        'warn',
        'attests text only: report data of version 1, which names neither app nor a fresh block',
        'Use a guest image with guest-components of May 2026 or later.',
      )
    return old
  }
}

/** Older agents know no such question: no answer is no finding. */
async function inspect(
  findings: DoctorFinding[],
  source: EvidenceSource,
  rng: DoctorDeps['rng'],
): Promise<void> {
  const about = await source.inspect?.(rng(REPORT_DATA_BYTES)).catch(() => undefined)
  if (about === undefined) return
  const { tee, devices } = about
  findings.push({ subject: 'source', state: 'ok', text: `it calls its TEE ${tee}` })
  if (devices.length > 0)
    findings.push({
      subject: 'source',
      state: 'warn',
      text: `it has additional evidence of ${devices.join(', ')}`,
      hint: 'Operators judge the evidence of the processor alone; that of devices is not sent.',
    })
}

/** A second question after a first that failed: no answer is no finding. */
async function ask(
  source: EvidenceSource,
  reportData: Uint8Array,
  carrier: Carrier,
): Promise<Evidence | undefined> {
  return await source.collect(reportData, carrier).catch(() => undefined)
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
