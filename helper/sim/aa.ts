/**
 * A stand-in for the Attestation Agent's REST server, on the real one's routes
 * (guest-components, api-server-rest): what a pod finds at http://127.0.0.1:8006.
 *
 * Answers as the real one does, errors included, so that the helper cannot tell the difference:
 * unknown path 404, other method 405, missing or bad parameter 400, an attester that refuses 500.
 * Only the evidence itself is made by the caller, under a root that no production operator trusts.
 * @module
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { base64urlnopad } from '@scure/base'
import { utf8ToBytes } from '../../sdk/bytes.ts'

/** REPORT_DATA of SEV-SNP and TDX, in bytes. */
const RUNTIME_DATA_BYTES = 64
/** The nonce of a quote by Azure's vTPM. */
const VTPM_NONCE_BYTES = 50

export type AttestationAgentOptions = {
  /** The evidence JSON for 64 bytes of runtime data, or up to 50 for a vTPM. Throwing makes the agent answer 500. */
  getEvidence: (runtimeData: Uint8Array) => string | Promise<string>
  /** What `/info` says. @default 'snp' */
  tee?: 'snp' | 'tdx'
  port?: number
  /** Runtime data go into the quote of an Azure vTPM, as they are, instead of a hardware report. */
  vtpm?: boolean
  /**
   * Agents in images older than May 2026 do not know the `encoding` parameter and take the text of
   * `runtime_data` itself, whatever it encodes.
   */
  knowsEncoding?: boolean
}

export type AttestationAgent = {
  /** Base URL without trailing slash. */
  url: string
  /** How many times evidence was asked for. */
  evidenceRequests: () => number
  stop: () => Promise<void>
}

type Answer = { status: number; body: string; type?: string }

export async function startAttestationAgent(
  options: AttestationAgentOptions,
): Promise<AttestationAgent> {
  let asked = 0
  const server = createServer(async (request, response) => {
    const { status, body, type } = await answer(options, request, () => {
      asked++
    }).catch((): Answer => ({ status: 500, body: 'internal error' }))
    response.writeHead(status, { 'content-type': type ?? 'text/plain; charset=utf-8' })
    response.end(body)
  })
  const port = await listenOnLoopback(server, options.port ?? 0)
  return {
    url: `http://127.0.0.1:${port}`,
    evidenceRequests: () => asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  options: AttestationAgentOptions,
  request: IncomingMessage,
  count: () => void,
): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  if (url.pathname === '/info')
    return onlyGet(request, async () => ({
      status: 200,
      body: JSON.stringify({
        version: '0.1.0',
        tee: options.tee ?? 'snp',
        additional_tees: [],
        feature: 'attestation',
      }),
      type: 'application/json',
    }))
  // The token route needs a KBS, which a pod of ours does not have: the feature is off.
  if (url.pathname !== '/aa/evidence') return { status: 404, body: 'not found' }
  return onlyGet(request, async () => {
    const runtimeData = parseRuntimeData(url.searchParams, options.knowsEncoding ?? true)
    if (runtimeData === undefined) return { status: 400, body: 'bad runtime_data or encoding' }
    const limit = options.vtpm === true ? VTPM_NONCE_BYTES : RUNTIME_DATA_BYTES
    if (runtimeData.length > limit)
      return { status: 500, body: `report data is longer than ${limit} bytes` }
    const padded = new Uint8Array(options.vtpm === true ? runtimeData.length : limit)
    padded.set(runtimeData)
    count()
    return {
      status: 200,
      body: await options.getEvidence(padded),
      type: 'application/octet-stream',
    }
  })
}

async function onlyGet(request: IncomingMessage, then: () => Promise<Answer>): Promise<Answer> {
  return request.method === 'GET' ? then() : { status: 405, body: 'method not allowed' }
}

/** Without `encoding` the text's UTF-8 bytes are the data; `base64` means URL-safe without padding. */
function parseRuntimeData(query: URLSearchParams, knowsEncoding: boolean): Uint8Array | undefined {
  const text = query.get('runtime_data')
  const encoding = query.get('encoding')
  if (text === null) return undefined
  if (encoding === null || !knowsEncoding) return utf8ToBytes(text)
  if (encoding !== 'base64') return undefined
  try {
    return base64urlnopad.decode(text)
  } catch {
    return undefined
  }
}

function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string')
        reject(new Error('no TCP port was bound'))
      else resolve(address.port)
    })
  })
}
