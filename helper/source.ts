/**
 * The source of evidence that the configuration names, with the real agent or kernel.
 * @module
 */
import { existsSync } from 'node:fs'
import { requestBytes } from '../sdk/client/node-http.ts'
import { createAaClient, type EvidenceSource } from './aa.ts'
import { AGENT_SOCKET, createTtrpcSource } from './aa-ttrpc.ts'
import type { EigenxConfig } from './config.ts'
import { createTsmFolder, TSM_FOLDER } from './tsm-folder.ts'
import { createTsmSource } from './tsm-report.ts'

type SourceChoice = Pick<EigenxConfig['attestation'], 'source' | 'aaUrl'>

const UNIX = 'unix://'
const REST_URL = 'http://127.0.0.1:8006'

export function createEvidenceSource(choice: SourceChoice): EvidenceSource {
  if (choice.source === 'configfs-tsm') return createTsmSource(createTsmFolder())
  const url = agentUrl(choice)
  return url.startsWith(UNIX)
    ? createTtrpcSource({ socketPath: url.slice(UNIX.length) })
    : createAaClient({ exchange: requestBytes }, { url })
}

/** For people. */
export function describeSource(choice: SourceChoice, exists = existsSync): string {
  return choice.source === 'configfs-tsm'
    ? `the guest’s kernel, ${TSM_FOLDER}`
    : `the Attestation Agent, ${agentUrl(choice, exists)}`
}

/** In the network of a pod there is the REST server alone; beside the agent, where a podVM starts its daemons, there is the socket. */
function agentUrl({ aaUrl }: SourceChoice, exists = existsSync): string {
  return aaUrl ?? (exists(AGENT_SOCKET) ? `${UNIX}${AGENT_SOCKET}` : REST_URL)
}
