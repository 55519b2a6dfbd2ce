/**
 * The outgoing side of the peer transport: `PeerPort` over HTTP.
 *
 * Addresses come from the on-chain operator set. Nothing a peer answers is trusted: bodies are
 * capped and re-hashed by the caller, redirects are refused, and every call has its own deadline,
 * so one silent peer costs its own time only. Messages authenticate themselves.
 * @module
 */
import { z } from 'zod'
import type { OperatorInfo } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { MAX_BLOB_BYTES, type PeerPort, type PushResult } from '../epoch/ports.ts'

export const PEER_PATHS = {
  messages: '/v2/peer/messages',
  encryptionKey: '/v2/peer/encryption-key',
  blob: '/v2/blob',
} as const

const MAX_RECORD_BYTES = 4096
const PushAnswer = z.strictObject({ result: z.enum(['accepted', 'later', 'refused']) })

export type PeerTransportOptions = {
  timeoutMs: number
  /** Default: the global fetch. */
  fetch?: typeof fetch
}

export function createPeerTransport(options: PeerTransportOptions): PeerPort {
  const get = async (peer: OperatorInfo, path: string, limit: number) => {
    const answer = await callPeer(options, peer, path, { method: 'GET' }, limit)
    return answer.status === 200 ? answer.body : undefined
  }
  return {
    push: async (peer, message) => {
      const answer = await callPeer(
        options,
        peer,
        PEER_PATHS.messages,
        {
          method: 'POST',
          headers: { 'content-type': 'application/octet-stream' },
          body: new Uint8Array(message),
        },
        MAX_RECORD_BYTES,
      )
      return readPushAnswer(answer)
    },
    fetchBlob: (peer, hash) => get(peer, `${PEER_PATHS.blob}/${hash}`, MAX_BLOB_BYTES),
    fetchEncryptionKey: (peer) => get(peer, PEER_PATHS.encryptionKey, MAX_RECORD_BYTES),
  }
}

type PeerAnswer = { status: number; body: Uint8Array }

function readPushAnswer(answer: PeerAnswer): PushResult {
  if (answer.status === 429 || answer.status >= 500) return 'later'
  if (answer.status !== 200) return 'refused'
  try {
    return PushAnswer.parse(JSON.parse(new TextDecoder().decode(answer.body))).result
  } catch {
    return 'later'
  }
}

async function callPeer(
  options: PeerTransportOptions,
  peer: OperatorInfo,
  path: string,
  init: RequestInit,
  limit: number,
): Promise<PeerAnswer> {
  const deadline = AbortSignal.timeout(options.timeoutMs)
  try {
    const response = await (options.fetch ?? fetch)(`${peer.socket}${path}`, {
      ...init,
      redirect: 'error',
      signal: deadline,
    })
    return { status: response.status, body: await readCapped(response, limit) }
  } catch {
    // The cause may quote the peer's URL or its bytes: it is left out.
    throw new EigenxError({
      code: deadline.aborted ? 'TIMEOUT' : 'AGENT_UNREACHABLE',
      message: deadline.aborted
        ? 'The peer did not answer in time.'
        : 'The peer could not be reached.',
      stage: 'protocol',
      details: deadline.aborted
        ? { what: `peer ${peer.address}`, afterMs: options.timeoutMs }
        : { endpoint: peer.address },
    })
  }
}

export async function readCapped(response: Response, limit: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array()
  const reader = response.body.getReader()
  const out = new Uint8Array(limit)
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return out.slice(0, size)
    if (size + value.length > limit) {
      await reader.cancel().catch(() => undefined)
      throw new RangeError('answer too large')
    }
    out.set(value, size)
    size += value.length
  }
}
