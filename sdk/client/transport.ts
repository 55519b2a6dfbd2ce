/**
 * The default transport: HTTP over the helper's Unix socket or loopback port.
 * @module
 */
import { parseUtf8 } from '../bytes.ts'
import { EigenxError, isEigenxError } from '../errors.ts'
import { DEFAULT_SOCKETS, type Endpoint, parseEndpoint, SIMULATOR_ENDPOINT } from './endpoint.ts'
import { type HttpExchange, readEnvironment, requestBytes } from './node-http.ts'
import type { Transport, TransportAnswer, TransportRequest } from './types.ts'

/** A release's environment may be large; keys are not. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

export type TransportOptions = {
  endpoint?: string
  exchange?: HttpExchange
  /** Reads a variable of the environment. */
  environment?: (name: string) => string | undefined
  defaultSockets?: readonly string[]
}

/** Nothing is read or opened before the first request. */
export function createHelperTransport(options: TransportOptions = {}): Transport {
  const exchange = options.exchange ?? requestBytes
  let chosen: Endpoint | undefined
  return async (request) => {
    if (chosen !== undefined) return await send(exchange, chosen, request)
    let failure: EigenxError<'AGENT_UNREACHABLE'> | undefined
    const candidates = listCandidates(options)
    for (const endpoint of candidates) {
      try {
        const answer = await send(exchange, endpoint, request)
        chosen = endpoint
        return answer
      } catch (error) {
        if (!isEigenxError(error, 'AGENT_UNREACHABLE')) throw error
        failure = error
      }
    }
    throw nowhere(candidates, failure)
  }
}

function listCandidates(options: TransportOptions): readonly Endpoint[] {
  if (options.endpoint !== undefined) return [parseEndpoint(options.endpoint, 'option')]
  const fromEnvironment = (options.environment ?? readEnvironment)(SIMULATOR_ENDPOINT)
  if (fromEnvironment !== undefined && fromEnvironment !== '')
    return [parseEndpoint(fromEnvironment, 'environment')]
  return (options.defaultSockets ?? DEFAULT_SOCKETS).map((path) => parseEndpoint(path, 'option'))
}

async function send(
  exchange: HttpExchange,
  endpoint: Endpoint,
  request: TransportRequest,
): Promise<TransportAnswer> {
  const base = endpoint.kind === 'socket' ? 'http://localhost' : endpoint.url
  const answer = await exchange({
    method: request.body === undefined ? 'GET' : 'POST',
    url: `${base}${request.path}`,
    ...(endpoint.kind === 'socket' ? { socketPath: endpoint.path } : {}),
    headers: {
      accept: 'application/json, application/problem+json',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: request.body }),
    timeoutMs: request.timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
    peer: `helper at ${endpoint.name}`,
    keepAlive: true,
  })
  const body = parseUtf8(answer.body)
  if (body === undefined)
    throw new EigenxError({
      code: 'AGENT_PROTOCOL',
      message: 'the helper answered something that is not text',
      stage: 'agent',
      details: { reason: 'not UTF-8' },
    })
  return { status: answer.status, body }
}

function nowhere(candidates: readonly Endpoint[], cause: unknown): EigenxError {
  const endpoint = candidates.map(({ name }) => name).join(', ')
  return new EigenxError({
    code: 'AGENT_UNREACHABLE',
    message: `no helper answers at ${endpoint}`,
    stage: 'agent',
    details: { endpoint },
    hint: `In a pod, mount the helper's socket; on a laptop run "npx eigenx-tee sim" and export ${SIMULATOR_ENDPOINT}.`,
    cause,
  })
}
