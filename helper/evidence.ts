/**
 * Evidence of a pod, whatever its processor: from the Attestation Agent's JSON to what operators are sent.
 *
 * The shape of the agent's answer says which processor it is; what it is worth, the signed bytes say. The bytes themselves are
 * passed on as they are.
 * @module
 */
import { parseAaSnpEvidence } from '../sdk/attest/aa-snp.ts'
import { parseAaTdxEvidence } from '../sdk/attest/aa-tdx.ts'
import { trimCcel } from '../sdk/attest/event-log-ccel.ts'
import { parseSnpReport } from '../sdk/attest/snp-report.ts'
import type { SnpEvidence } from '../sdk/attest/snp-verify.ts'
import { checkTdxEventLogs, type TdxEventLogs } from '../sdk/attest/tdx-event-log.ts'
import { parseTdxQuote } from '../sdk/attest/tdx-quote.ts'
import { encodeWireSnpEvidence } from '../sdk/attest/wire-snp.ts'
import { encodeWireTdxEvidence, WIRE_TDX_LIMIT } from '../sdk/attest/wire-tdx.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'

export type TdxPodEvidence = { tee: 'tdx'; quote: Uint8Array } & TdxEventLogs
export type Evidence = ({ tee: 'snp' } & SnpEvidence) | TdxPodEvidence
export type Tee = Evidence['tee']

/** The attestation method under which operators take the evidence. */
export const METHODS = { snp: 'eigenx-snp', tdx: 'eigenx-tdx' } as const satisfies Record<
  Tee,
  string
>
export type Method = (typeof METHODS)[Tee]

/** As people know them. */
export const TEE_NAMES = { snp: 'AMD SEV-SNP', tdx: 'Intel TDX' } as const satisfies Record<
  Tee,
  string
>

export type SignedFields = {
  /** 64 bytes: what the pod said. */
  reportData: Uint8Array
  /** What the host said at launch. */
  anchor: { field: 'HOST_DATA' | 'MRCONFIGID'; value: Uint8Array }
}

/** @throws EigenxError AGENT_PROTOCOL, NOT_IN_TEE */
export function parseAgentEvidence(text: string): Evidence {
  const kind = kindOf(text)
  if (kind === 'sample') throw notInTee()
  if (kind === 'azure') throw protocolError('evidence of an Azure vTPM is not sent to operators')
  if (kind === 'unknown') throw protocolError('the evidence is of no kind that operators take')
  try {
    const evidence: Evidence =
      kind === 'snp'
        ? { tee: 'snp', ...parseAaSnpEvidence(text) }
        : { tee: 'tdx', ...parseAaTdxEvidence(text) }
    readSignedFields(evidence)
    return evidence
  } catch (cause) {
    if (!isEigenxError(cause)) throw cause
    throw protocolError(`the evidence is not ${TEE_NAMES[kind]} evidence: ${cause.shortMessage}`, {
      cause,
    })
  }
}

/** @throws EigenxError EVIDENCE_MALFORMED */
export function readSignedFields(evidence: Evidence): SignedFields {
  if (evidence.tee === 'snp') {
    const { reportData, hostData } = parseSnpReport(evidence.report)
    return { reportData, anchor: { field: 'HOST_DATA', value: hostData } }
  }
  const { reportData, mrConfigId } = parseTdxQuote(evidence.quote).report
  return { reportData, anchor: { field: 'MRCONFIGID', value: mrConfigId } }
}

/** As the method of the evidence wants it. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  if (evidence.tee === 'snp') return encodeWireSnpEvidence(evidence)
  const { quote } = evidence
  const opened = openLogs(evidence)
  const whole = encodeWireTdxEvidence({
    quote,
    ...(opened.state === 'leads' ? opened.logs : {}),
  })
  return whole.length <= WIRE_TDX_LIMIT ? whole : encodeWireTdxEvidence({ quote })
}

export type OpenedLogs =
  | { state: 'none' }
  /** Without the padding of the firmware's buffer. */
  | { state: 'leads'; logs: TdxEventLogs; events: number }
  | { state: 'differs'; reason: EigenxError }

/**
 * Operators need no event log, and refuse one that does not lead to the registers of its quote. Some firmware writes such: then the pod is
 * better off without.
 */
export function openLogs({ quote, eventLog, agentLog }: TdxPodEvidence): OpenedLogs {
  if (eventLog === undefined && agentLog === undefined) return { state: 'none' }
  try {
    const logs = {
      ...(eventLog === undefined ? {} : { eventLog: trimCcel(eventLog) }),
      ...(agentLog === undefined ? {} : { agentLog }),
    }
    const { rtmrs } = parseTdxQuote(quote).report
    return { state: 'leads', logs, events: checkTdxEventLogs(logs, rtmrs).length }
  } catch (reason) {
    if (!isEigenxError(reason)) throw reason
    return { state: 'differs', reason }
  }
}

type Kind = Tee | 'azure' | 'sample' | 'unknown'

/** By its members. The sample attester, which stands in outside a TEE, has an `svn`. */
function kindOf(text: string): Kind {
  const members = readMembers(text)
  const has = (name: string) => members.has(name)
  if (has('hcl_report') || has('vcek')) return 'azure'
  if (has('attestation_report')) return has('quote') ? 'unknown' : 'snp'
  if (has('quote')) return 'tdx'
  return has('svn') ? 'sample' : 'unknown'
}

function readMembers(text: string): ReadonlySet<string> {
  try {
    const value: unknown = JSON.parse(text)
    return new Set(typeof value === 'object' && value !== null ? Object.keys(value) : [])
  } catch {
    throw protocolError('the evidence is not JSON')
  }
}

/** What the agent says is not what an agent says. */
export function protocolError(
  reason: string,
  { hint, cause }: { hint?: string; cause?: unknown } = {},
): EigenxError<'AGENT_PROTOCOL'> {
  return new EigenxError({
    code: 'AGENT_PROTOCOL',
    message: `Attestation Agent: ${reason}`,
    stage: 'agent',
    details: { reason },
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  })
}

function notInTee(): EigenxError<'NOT_IN_TEE'> {
  return new EigenxError({
    code: 'NOT_IN_TEE',
    message: 'the Attestation Agent gives sample evidence: this guest is not a TEE',
    stage: 'agent',
    details: {},
    hint: 'Check the runtime class and that the machine supports SEV-SNP or TDX; on a laptop use the simulator.',
  })
}
