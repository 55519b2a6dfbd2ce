/**
 * Evidence of a pod, whatever its processor: from the Attestation Agent's JSON to what operators are sent.
 *
 * The shape of the agent's answer says which processor it is; what it is worth, the signed bytes say. The bytes themselves are
 * passed on as they are.
 * @module
 */
import { parseAaSnpEvidence } from '../sdk/attest/aa-snp.ts'
import { parseAaTdxEvidence } from '../sdk/attest/aa-tdx.ts'
import {
  type AzureSnpEvidence,
  type AzureTdxEvidence,
  parseAzureSnpEvidence,
  parseAzureTdxEvidence,
} from '../sdk/attest/azure-evidence.ts'
import { INITDATA_PCR } from '../sdk/attest/azure-policy.ts'
import { trimCcel } from '../sdk/attest/event-log-ccel.ts'
import { parseSnpReport } from '../sdk/attest/snp-report.ts'
import type { SnpEvidence } from '../sdk/attest/snp-verify.ts'
import { checkTdxEventLogs, type TdxEventLogs } from '../sdk/attest/tdx-event-log.ts'
import { parseTdxQuote } from '../sdk/attest/tdx-quote.ts'
import { parseTpmQuote } from '../sdk/attest/tpm-attest.ts'
import { encodeWireSnpEvidence } from '../sdk/attest/wire-snp.ts'
import { encodeWireTdxEvidence, WIRE_TDX_LIMIT } from '../sdk/attest/wire-tdx.ts'
import { utf8ToBytes } from '../sdk/bytes.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'

export type TdxPodEvidence = { tee: 'tdx'; quote: Uint8Array } & TdxEventLogs
/** `json`: the agent's answer, which operators take as it is. */
export type AzureSnpPodEvidence = { tee: 'az-snp-vtpm'; json: string } & AzureSnpEvidence
export type AzureTdxPodEvidence = { tee: 'az-tdx-vtpm'; json: string } & AzureTdxEvidence
export type AzurePodEvidence = AzureSnpPodEvidence | AzureTdxPodEvidence
export type Evidence = ({ tee: 'snp' } & SnpEvidence) | TdxPodEvidence | AzurePodEvidence
export type Platform = Evidence['tee']
/** The processor below. */
export type Tee = 'snp' | 'tdx'

/** The attestation method under which operators take the evidence. */
export const METHODS = {
  snp: 'eigenx-snp',
  tdx: 'eigenx-tdx',
  'az-snp-vtpm': 'az-snp-vtpm',
  'az-tdx-vtpm': 'az-tdx-vtpm',
} as const satisfies Record<Platform, string>
export type Method = (typeof METHODS)[Platform]

const PLATFORMS: readonly Platform[] = ['snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm']

/** What a method is for; `undefined` where the agent's evidence is to tell. */
export function platformOf(method: Method | 'auto'): Platform | undefined {
  return PLATFORMS.find((platform) => METHODS[platform] === method)
}

export const PROCESSORS = {
  snp: 'snp',
  tdx: 'tdx',
  'az-snp-vtpm': 'snp',
  'az-tdx-vtpm': 'tdx',
} as const satisfies Record<Platform, Tee>

/** As people know them. */
export const TEE_NAMES = {
  snp: 'AMD SEV-SNP',
  tdx: 'Intel TDX',
  'az-snp-vtpm': 'Azure vTPM on AMD SEV-SNP',
  'az-tdx-vtpm': 'Azure vTPM on Intel TDX',
} as const satisfies Record<Platform, string>

/** Where the pod's word is: in the hardware's report, or in the quote of a vTPM, which has room for a digest of it. */
export type Carrier = 'report' | 'vtpm'

export function carrierOf(platform: Platform): Carrier {
  return platform === 'snp' || platform === 'tdx' ? 'report' : 'vtpm'
}

export type SignedFields = {
  /** What the pod said: REPORT_DATA, 64 bytes; on Azure the quote's nonce, which is `azureNonce` of it. */
  reportData: Uint8Array
  /** What was said at launch: by the host, on Azure by the agent. */
  anchor: { field: 'HOST_DATA' | 'MRCONFIGID' | 'PCR 8'; value: Uint8Array }
}

/** @throws EigenxError AGENT_PROTOCOL, NOT_IN_TEE */
export function parseAgentEvidence(text: string): Evidence {
  const kind = kindOf(text)
  if (kind === 'sample') throw notInTee('the Attestation Agent gives sample evidence')
  if (kind === 'unknown') throw protocolError('the evidence is of no kind that operators take')
  try {
    const evidence = parsePlatform(kind, text)
    readSignedFields(evidence)
    return evidence
  } catch (cause) {
    if (!isEigenxError(cause)) throw cause
    throw protocolError(`the evidence is not ${TEE_NAMES[kind]} evidence: ${cause.shortMessage}`, {
      cause,
    })
  }
}

function parsePlatform(platform: Platform, text: string): Evidence {
  if (platform === 'snp') return { tee: 'snp', ...parseAaSnpEvidence(text) }
  if (platform === 'tdx') return { tee: 'tdx', ...parseAaTdxEvidence(text) }
  if (platform === 'az-snp-vtpm')
    return { tee: platform, json: text, ...parseAzureSnpEvidence(text) }
  return { tee: platform, json: text, ...parseAzureTdxEvidence(text) }
}

/** As they stand there: nobody's signature is checked. @throws EigenxError EVIDENCE_MALFORMED */
export function readSignedFields(evidence: Evidence): SignedFields {
  if (evidence.tee === 'snp') {
    const { reportData, hostData } = parseSnpReport(evidence.report)
    return { reportData, anchor: { field: 'HOST_DATA', value: hostData } }
  }
  if (evidence.tee === 'tdx') {
    const { reportData, mrConfigId } = parseTdxQuote(evidence.quote).report
    return { reportData, anchor: { field: 'MRCONFIGID', value: mrConfigId } }
  }
  const { message, pcrs } = evidence.quote
  const value = pcrs[INITDATA_PCR] ?? new Uint8Array()
  return { reportData: parseTpmQuote(message).extraData, anchor: { field: 'PCR 8', value } }
}

/** As the method of the evidence wants it. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  if (evidence.tee === 'snp') return encodeWireSnpEvidence(evidence)
  if (evidence.tee !== 'tdx') return utf8ToBytes(evidence.json)
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

type Kind = Platform | 'sample' | 'unknown'

/** By its members. The sample attester, which stands in outside a TEE, has an `svn`. */
function kindOf(text: string): Kind {
  const members = readMembers(text)
  const has = (name: string) => members.has(name)
  if (has('vcek')) return 'az-snp-vtpm'
  if (has('td_quote') || has('hcl_report')) return 'az-tdx-vtpm'
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

/** What the agent, or another source of evidence, says is not what it should say. */
export function protocolError(
  reason: string,
  {
    hint,
    cause,
    source = 'Attestation Agent',
  }: { hint?: string; cause?: unknown; source?: string } = {},
): EigenxError<'AGENT_PROTOCOL'> {
  return new EigenxError({
    code: 'AGENT_PROTOCOL',
    message: `${source}: ${reason}`,
    stage: 'agent',
    details: { reason },
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  })
}

export function notInTee(found: string): EigenxError<'NOT_IN_TEE'> {
  return new EigenxError({
    code: 'NOT_IN_TEE',
    message: `${found}: this guest is not a TEE`,
    stage: 'agent',
    details: {},
    hint: 'Check the runtime class and that the machine supports SEV-SNP or TDX; on a laptop use the simulator.',
  })
}
