/**
 * One HTTP exchange over TCP, TLS or a Unix socket, with every bound a caller needs: total time,
 * answer size, no redirects.
 *
 * Node's modules are asked from the running process instead of being imported, so a browser bundle
 * of the SDK contains no Node built-in; outside Node the functions here refuse with a clear error.
 * @module
 */
import { concatBytes, utf8ToBytes } from '../bytes.ts'
import { EigenxError, isEigenxError } from '../errors.ts'

export type HttpRequest = {
  method: 'GET' | 'POST'
  /** http or https URL; with `socketPath` only its path and query are used. */
  url: string
  socketPath?: string
  headers?: Readonly<Record<string, string>>
  body?: Uint8Array | string
  /** For the whole exchange, in milliseconds. */
  timeoutMs: number
  /** Largest answer body, in bytes. */
  maxBytes: number
  /** Name of the peer for error texts; never a URL with credentials. */
  peer: string
  /** Reuse connections between calls. */
  keepAlive?: boolean
  signal?: AbortSignal
}

export type HttpAnswer = { status: number; contentType: string; body: Uint8Array }

/** What `requestBytes` is to its callers, so that tests hand in a plain function. */
export type HttpExchange = (request: HttpRequest) => Promise<HttpAnswer>

/** The Node process, or `undefined` in a browser. */
function findProcess(): NodeJS.Process | undefined {
  const found: NodeJS.Process | undefined = globalThis.process
  return typeof found?.getBuiltinModule === 'function' ? found : undefined
}

/** A variable of the environment, or `undefined` where there is no environment. */
export function readEnvironment(name: string): string | undefined {
  return findProcess()?.env[name]
}

function loadHttp(peer: string, secure: boolean) {
  const node = findProcess()
  if (node === undefined)
    throw new EigenxError({
      code: 'AGENT_UNREACHABLE',
      message: `${peer} cannot be reached: this runtime has no sockets`,
      stage: 'agent',
      details: { endpoint: peer },
      hint: 'The helper is reached from Node 20.19 or newer; in browsers pass your own transport.',
    })
  return secure ? node.getBuiltinModule('node:https') : node.getBuiltinModule('node:http')
}

function unreachable(peer: string, cause: unknown): EigenxError<'AGENT_UNREACHABLE'> {
  return new EigenxError({
    code: 'AGENT_UNREACHABLE',
    message: `${peer} cannot be reached`,
    stage: 'agent',
    details: { endpoint: peer },
    cause,
  })
}

/**
 * A 3xx answer is returned as it is and never followed: the address was pinned for a reason.
 * @throws EigenxError AGENT_UNREACHABLE, TIMEOUT, INPUT_TOO_LARGE
 */
export async function requestBytes(request: HttpRequest): Promise<HttpAnswer> {
  const url = new URL(request.url)
  const http = loadHttp(request.peer, request.socketPath === undefined && url.protocol === 'https:')
  const body = typeof request.body === 'string' ? utf8ToBytes(request.body) : request.body
  return await new Promise((resolve, reject) => {
    const settle = (error: unknown): void => {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', onAbort)
      reject(isEigenxError(error) ? error : unreachable(request.peer, error))
      outgoing.destroy()
    }
    const outgoing = http.request(
      {
        method: request.method,
        path: `${url.pathname}${url.search}`,
        headers: {
          ...request.headers,
          ...(body === undefined ? {} : { 'content-length': String(body.length) }),
        },
        ...(request.keepAlive === true ? {} : { agent: false }),
        ...(request.socketPath === undefined
          ? { host: stripBrackets(url.hostname), port: url.port === '' ? undefined : url.port }
          : { socketPath: request.socketPath, host: 'localhost' }),
      },
      (incoming) => {
        const chunks: Uint8Array[] = []
        let size = 0
        incoming.on('data', (chunk: Uint8Array) => {
          size += chunk.length
          if (size > request.maxBytes) settle(tooLarge(request))
          else chunks.push(chunk)
        })
        incoming.on('error', settle)
        incoming.on('aborted', () => settle(new Error('connection closed inside the answer')))
        incoming.on('end', () => {
          clearTimeout(timer)
          request.signal?.removeEventListener('abort', onAbort)
          resolve({
            status: incoming.statusCode ?? 0,
            contentType: incoming.headers['content-type'] ?? '',
            body: concatBytes(...chunks.map((chunk) => Uint8Array.from(chunk))),
          })
        })
      },
    )
    const onAbort = (): void => settle(new Error('aborted by the caller'))
    const timer = setTimeout(() => settle(timedOut(request)), request.timeoutMs)
    request.signal?.addEventListener('abort', onAbort, { once: true })
    outgoing.on('error', settle)
    if (request.signal?.aborted === true) onAbort()
    else outgoing.end(body)
  })
}

function tooLarge(request: HttpRequest): EigenxError {
  return new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message: `${request.peer} answered with more than ${request.maxBytes} bytes`,
    stage: 'agent',
    details: { field: 'answer', limit: request.maxBytes },
  })
}

function timedOut(request: HttpRequest): EigenxError {
  return new EigenxError({
    code: 'TIMEOUT',
    message: `${request.peer} did not answer within ${request.timeoutMs} ms`,
    stage: 'agent',
    details: { what: request.peer, afterMs: request.timeoutMs },
  })
}

/** `URL` keeps the brackets of an IPv6 literal, `http.request` wants none. */
function stripBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
