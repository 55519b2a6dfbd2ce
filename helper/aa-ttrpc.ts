/**
 * Evidence from the Attestation Agent over its own socket, where a helper in a podVM's root network namespace reaches it: the REST server is
 * in the pod's. Runtime data travel as bytes, whatever the age of the agent.
 *
 * Source: guest-components, protos/attestation-agent/attestation-agent.proto.
 * @module
 */
import { equalBytes, parseUtf8 } from '../sdk/bytes.ts'
import {
  AGENT_TIMEOUT_MS,
  type EvidenceSource,
  MAX_EVIDENCE_BYTES,
  parseAdditional,
  parseTee,
  readAnswer,
  runtimeDataFor,
} from './aa.ts'
import { protocolError, readSignedFields } from './evidence.ts'
import { callTtrpc } from './ttrpc.ts'
import { encodeBytesMessage, parseBytesMessage } from './ttrpc-messages.ts'

export const AGENT_SOCKET = '/run/confidential-containers/attestation-agent/attestation-agent.sock'

export type TtrpcAgentOptions = {
  /** Absolute path. */
  socketPath: string
  /** In milliseconds. @default 30000 */
  timeoutMs?: number
}

const SERVICE = 'attestation_agent.AttestationAgentService'
/** Length and status around the evidence. */
const FRAMING_BYTES = 1024

/** @returns A source that throws EigenxError AGENT_UNREACHABLE, NOT_IN_TEE, AGENT_PROTOCOL, INPUT_TOO_LARGE, TIMEOUT. */
export function createTtrpcSource({
  socketPath,
  timeoutMs = AGENT_TIMEOUT_MS,
}: TtrpcAgentOptions): EvidenceSource {
  const ask = async (method: string, payload: Uint8Array): Promise<Uint8Array> => {
    const answer = parseBytesMessage(
      await callTtrpc({
        socketPath,
        service: SERVICE,
        method,
        payload,
        timeoutMs,
        maxBytes: MAX_EVIDENCE_BYTES + FRAMING_BYTES,
        peer: 'Attestation Agent',
      }),
    )
    if (answer === undefined) throw protocolError(`its answer to ${method} is no message`)
    return answer
  }
  return {
    collect: async (reportData, carrier = 'report') => {
      const runtimeData = runtimeDataFor(reportData, carrier)
      const evidence = readAnswer(
        await ask('GetEvidence', encodeBytesMessage(runtimeData)),
        carrier,
      )
      if (!equalBytes(readSignedFields(evidence).reportData, runtimeData))
        throw protocolError('the evidence carries other report data than asked for')
      return evidence
    },
    inspect: async (reportData) => {
      const tee = parseTee(parseUtf8(await ask('GetTeeType', new Uint8Array())))
      // Empty where there is none, and unknown to agents before 2025.
      const more = await ask('GetAdditionalEvidence', encodeBytesMessage(reportData)).catch(
        () => new Uint8Array(),
      )
      return { tee, devices: parseAdditional(more) }
    },
  }
}
