/**
 * Evidence from the Attestation Agent through api-server-rest, which every Confidential Containers
 * guest runs on loopback: `GET /aa/evidence?runtime_data=…[&encoding=base64]`.
 *
 * Without `encoding` the agent takes the query value's UTF-8 bytes, so only text survives; with
 * `encoding=base64` it decodes unpadded URL-safe base64. Guest images from before May 2026 ignore the
 * parameter and attest the base64 text itself (or fail on its length). So the report data in the evidence
 * is always compared with what was asked for, and text is sent without `encoding`, which works everywhere.
 * @module
 */
import { azureNonce } from '../sdk/attest/azure-binding.ts'
import { equalBytes, parseUtf8, toBase64Url } from '../sdk/bytes.ts'
import type { HttpExchange } from '../sdk/client/node-http.ts'
import { EigenxError } from '../sdk/errors.ts'
import {
  type Carrier,
  carrierOf,
  type Evidence,
  parseAgentEvidence,
  protocolError,
  readSignedFields,
  TEE_NAMES,
} from './evidence.ts'

/** Any source of evidence: this file's REST route, the agent's ttrpc socket, or configfs. */
export type EvidenceSource = {
  /**
   * @param reportData - 64 bytes; the evidence is checked to carry exactly these.
   * @param carrier - In what; evidence of another kind is refused. @default 'report'
   * @throws EigenxError VERSION_UNSUPPORTED when this guest image cannot carry raw bytes;
   *   AGENT_UNREACHABLE, NOT_IN_TEE, AGENT_PROTOCOL, TIMEOUT
   */
  collect(reportData: Uint8Array, carrier?: Carrier): Promise<Evidence>
  /**
   * What the agent says about itself, for people.
   * @param reportData - Up to 64 bytes, for evidence that is looked at and thrown away.
   * @throws EigenxError as `collect`, also where the agent knows no such question
   */
  inspect?(reportData: Uint8Array): Promise<AgentAbout>
}

/** Its word, and no more. */
export type AgentAbout = {
  /** As the agent names it: `snp`, `tdx`, `azsnpvtpm`, `sample`. */
  tee: string
  /** Kinds of devices that it has evidence of beside the processor's, such as `nvidia`. */
  devices: readonly string[]
}

export type AaClientOptions = {
  /** Base URL of api-server-rest, e.g. `http://127.0.0.1:8006`. */
  url: string
  /** Signing takes well under a second; the agent may wait for other guests' requests. In milliseconds. */
  timeoutMs?: number
}

export const AGENT_TIMEOUT_MS = 30_000
/** SNP's byte arrays travel as JSON integers, below 100 kB; TDX comes with the firmware's whole event log, up to 350 kB. */
export const MAX_EVIDENCE_BYTES = 1024 * 1024
const MAX_INFO_BYTES = 16 * 1024
const REPORT_DATA_LENGTH = 64

export function createAaClient(
  deps: { exchange: HttpExchange },
  { url, timeoutMs = AGENT_TIMEOUT_MS }: AaClientOptions,
): EvidenceSource {
  return {
    collect: async (reportData, carrier = 'report') => {
      const runtimeData = runtimeDataFor(reportData, carrier)
      const text = asUrlText(runtimeData)
      const query =
        text === undefined
          ? `runtime_data=${toBase64Url(runtimeData)}&encoding=base64`
          : `runtime_data=${text}`
      const answer = await deps.exchange({
        method: 'GET',
        url: `${url.replace(/\/+$/, '')}/aa/evidence?${query}`,
        timeoutMs,
        maxBytes: MAX_EVIDENCE_BYTES,
        peer: 'Attestation Agent',
      })
      if (answer.status !== 200) throw explainStatus(answer.status)
      const evidence = readAnswer(answer.body, carrier)
      const { reportData: attested } = readSignedFields(evidence)
      if (!equalBytes(attested, runtimeData)) throw explainMismatch(text === undefined)
      return evidence
    },
    inspect: async () => {
      const answer = await deps.exchange({
        method: 'GET',
        url: `${url.replace(/\/+$/, '')}/info`,
        timeoutMs,
        maxBytes: MAX_INFO_BYTES,
        peer: 'Attestation Agent',
      })
      if (answer.status !== 200) throw explainStatus(answer.status)
      const info = parseObject(answer.body)
      const more = info?.additional_tees
      return {
        tee: parseTee(info?.tee),
        devices: Array.isArray(more) ? more.map(parseTee) : [],
      }
    },
  }
}

/** What every route of the agent answers with. @throws EigenxError AGENT_PROTOCOL, NOT_IN_TEE */
export function readAnswer(body: Uint8Array, carrier: Carrier): Evidence {
  const json = parseUtf8(body)
  if (json === undefined) throw protocolError('the evidence is not UTF-8')
  const evidence = parseAgentEvidence(json)
  if (carrierOf(evidence.tee) !== carrier)
    throw protocolError(`asked for a ${carrier}, it gives ${TEE_NAMES[evidence.tee]} evidence`)
  return evidence
}

/** A name as it can be shown. @throws EigenxError AGENT_PROTOCOL */
export function parseTee(name: unknown): string {
  if (typeof name === 'string' && /^[a-z0-9_-]{1,32}$/.test(name)) return name
  throw protocolError('it has no name for its TEE')
}

/** Evidence of devices: JSON by kind, or nothing at all. @throws EigenxError AGENT_PROTOCOL */
export function parseAdditional(body: Uint8Array): readonly string[] {
  if (body.length === 0) return []
  const evidence = parseObject(body)
  if (evidence === undefined) throw protocolError('its additional evidence is not a JSON object')
  return Object.keys(evidence).map(parseTee)
}

function parseObject(body: Uint8Array): { [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(parseUtf8(body) ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined
  } catch {
    return undefined
  }
}

/** @throws RangeError for report data of another length: a mistake of the caller */
export function runtimeDataFor(reportData: Uint8Array, carrier: Carrier): Uint8Array {
  if (reportData.length !== REPORT_DATA_LENGTH)
    throw new RangeError(`report data is ${REPORT_DATA_LENGTH} bytes`)
  return carrier === 'vtpm' ? azureNonce(reportData) : reportData
}

/** Letters, digits, hyphen and underscore mean the same in a URL and under both readings of the agent. */
function asUrlText(reportData: Uint8Array): string | undefined {
  const text = parseUtf8(reportData)
  return text !== undefined && /^[0-9A-Za-z_-]+$/.test(text) ? text : undefined
}

function explainStatus(status: number): EigenxError {
  if (status === 403 || status === 404)
    return protocolError(`status ${status}: the evidence route is switched off`, {
      hint: 'Start api-server-rest with --features all (agent.guest_components_rest_api=all) in this network namespace.',
    })
  return protocolError(`status ${status}`)
}

function explainMismatch(rawBytes: boolean): EigenxError {
  if (!rawBytes) return protocolError('the evidence carries other report data than asked for')
  return new EigenxError({
    code: 'VERSION_UNSUPPORTED',
    message: 'the guest image is too old to attest raw report data',
    stage: 'agent',
    details: { needed: 'api-server-rest with encoding=base64', got: 'one that ignores it' },
    hint: 'Use a guest image with guest-components of May 2026 or later, or report_data = "v1".',
  })
}
