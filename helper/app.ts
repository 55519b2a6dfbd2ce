/**
 * The socket API: HTTP with JSON on a Unix socket in the pod, POST for programs and GET for curl.
 *
 *   curl --unix-socket /run/eigenx/eigenx.sock 'http://pod/GetAddresses?count=2'
 *
 * Whoever reaches the socket gets the app's keys; the socket's file mode is the access control. On the
 * optional loopback port a browser must not be a confused deputy: there, requests with an `Origin` or a
 * foreign `Host` are refused.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { bytesToHex } from '../sdk/bytes.ts'
import type { InfoAnswer, VersionAnswer } from '../sdk/client/types.ts'
import { EigenxError, type ErrorCode, isEigenxError } from '../sdk/errors.ts'
import type { AppIdentity } from './identity.ts'
import type { IdentityHolder } from './identity-holder.ts'
import { createKeyring, type Keyring, originOf } from './keyring.ts'
import { createOpenApi } from './openapi.ts'
import type { RsaKeys } from './rsa-keys.ts'
import { type Endpoint, type EndpointRequest, requests } from './schemas.ts'

export type HelperAppDeps = {
  identity: IdentityHolder
  rsa: Pick<RsaKeys, 'make'>
  /** Of the package. */
  version: string
  carrier: 'socket' | 'loopback'
  /** One line for each failed request: code and path, no content. */
  log: (event: string, fields: Readonly<Record<string, string | number>>) => void
}

/** Of the socket API; a client that needs more says VERSION_UNSUPPORTED. */
const API_VERSION = 1
const HELPER_NAME = 'eigenx-tee helper'

const MAX_BODY_BYTES = 16 * 1024

/** Statuses other than 500; the code in the body is what programs look at. */
const STATUS: Partial<Record<ErrorCode, 400 | 403 | 404 | 413 | 422 | 502 | 503 | 504>> = {
  REQUEST_INVALID: 400,
  METHOD_DISABLED: 403,
  SECRET_NOT_FOUND: 404,
  INPUT_TOO_LARGE: 413,
  RELEASE_INVALID: 422,
  CIPHERTEXT_INVALID: 422,
  AGENT_UNREACHABLE: 502,
  AGENT_PROTOCOL: 502,
  OPERATORS_DISAGREE: 502,
  CHAIN_DISAGREES: 502,
  CONTRACT_UNEXPECTED: 502,
  OPERATOR_SET_INVALID: 502,
  KEY_NOT_READY: 503,
  OVERLOADED: 503,
  QUORUM_NOT_REACHED: 503,
  CHAIN_UNAVAILABLE: 503,
  TIMEOUT: 504,
}

type Ready = { identity: AppIdentity; keyring: Keyring }
type Handlers = { [E in Endpoint]: (request: EndpointRequest<E>) => Promise<object> }

export function createHelperApp(deps: HelperAppDeps): Hono {
  const app = new Hono()
  const ready = rememberKeyring(deps)
  const version: VersionAnswer = { name: HELPER_NAME, version: deps.version, api: API_VERSION }
  const handlers: Handlers = {
    GetMnemonic: async (request) => (await ready()).keyring.mnemonic(request),
    GetAddresses: async (request) => (await ready()).keyring.addresses(request),
    GetKey: async (request) => (await ready()).keyring.key(request),
    GetTlsKey: async (request) => (await ready()).keyring.tlsKey(request),
    GetStorageKey: async (request) => (await ready()).keyring.storageKey(request),
    GetSecret: async (request) => (await ready()).keyring.secret(request),
    Info: async () => describe((await ready()).identity, deps.version),
    Version: async () => version,
  }

  app.use(async (c, next) => {
    c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
    if (deps.carrier === 'loopback') refuseBrowsers(c)
    await next()
  })
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: () => refuse(tooLarge()) }))
  addRoute(app, 'GetMnemonic', handlers, deps)
  addRoute(app, 'GetAddresses', handlers, deps)
  addRoute(app, 'GetKey', handlers, deps)
  addRoute(app, 'GetTlsKey', handlers, deps)
  addRoute(app, 'GetStorageKey', handlers, deps)
  addRoute(app, 'GetSecret', handlers, deps)
  addRoute(app, 'Info', handlers, deps)
  addRoute(app, 'Version', handlers, deps)
  app.get('/openapi.json', (c) => c.json(createOpenApi(deps.version)))
  app.get('/health', (c) => {
    const state = deps.identity.state()
    return c.json(state, state.status === 'ready' ? 200 : 503)
  })
  app.notFound((c) => answerProblem(c, unknownPath(c.req.path), 404, deps))
  app.onError((error, c) => answerProblem(c, error, undefined, deps))
  return app
}

function addRoute<E extends Endpoint>(
  app: Hono,
  name: E,
  handlers: Handlers,
  deps: HelperAppDeps,
): void {
  app.post(`/${name}`, async (c) =>
    c.json(await handlers[name](parseRequest(name, await readBody(c)))),
  )
  app.get(`/${name}`, async (c) => c.json(await handlers[name](parseRequest(name, readQuery(c)))))
  app.all(`/${name}`, (c) => {
    c.header('allow', 'GET, POST')
    return answerProblem(c, wrongMethod(name), 405, deps)
  })
}

/** An empty body asks for the defaults; anything else must be one JSON object. */
async function readBody(c: Context): Promise<unknown> {
  const text = await c.req.text()
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    throw invalidRequest('', 'the body is not JSON')
  }
}

function readQuery(c: Context): Record<string, string> {
  const query = Object.entries(c.req.queries())
  const twice = query.find(([, values]) => values.length > 1)
  if (twice !== undefined) throw invalidRequest(twice[0].slice(0, 64), 'is given twice')
  return Object.fromEntries(query.map(([name, values]) => [name, values[0] ?? '']))
}

function parseRequest<E extends Endpoint>(name: E, value: unknown): EndpointRequest<E>
function parseRequest(name: Endpoint, value: unknown): unknown {
  const parsed = requests[name].safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path.map(String).join('.').slice(0, 64) ?? ''
  throw invalidRequest(path, issue?.message.slice(0, 200) ?? 'does not fit the contract')
}

/** Derivations are remembered for one identity; a new identity starts afresh. */
function rememberKeyring({ identity: holder, rsa }: HelperAppDeps): () => Promise<Ready> {
  let current: Ready | undefined
  return async () => {
    const identity = await holder.get()
    if (current?.identity !== identity)
      current = { identity, keyring: createKeyring(identity, rsa) }
    return current
  }
}

function describe(identity: AppIdentity, version: string): InfoAnswer {
  return {
    version,
    origin: originOf(identity),
    initdataSha384: bytesToHex(identity.initdataSha384),
    reportDataVersion: identity.reportDataVersion,
    quorum: identity.used,
    refusals: identity.refusals,
    marks: identity.marks,
  }
}

function refuseBrowsers(c: Context): void {
  const host = c.req.header('host')?.replace(/:[0-9]+$/, '')
  const isLocal =
    host !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(host.toLowerCase())
  if (!isLocal || c.req.header('origin') !== undefined)
    throw new EigenxError({
      code: 'METHOD_DISABLED',
      message: 'requests from web pages are refused',
      stage: 'request',
      details: { method: 'cross-origin' },
      hint: 'Ask as localhost and without an Origin header.',
    })
}

function answerProblem(
  c: Context,
  thrown: unknown,
  status: 404 | 405 | undefined,
  deps: HelperAppDeps,
): Response {
  const requestId = randomUUID()
  const error = isEigenxError(thrown) ? thrown : internalError(thrown)
  const httpStatus = status ?? STATUS[error.code] ?? 500
  deps.log('request-refused', { requestId, path: c.req.path.slice(0, 128), code: error.code })
  const problem = {
    type: 'about:blank',
    title: error.shortMessage,
    status: httpStatus,
    ...error.toJSON(),
    requestId,
  }
  return c.body(JSON.stringify(problem), httpStatus, { 'content-type': 'application/problem+json' })
}

function refuse(error: EigenxError): never {
  throw error
}

function internalError(cause: unknown): EigenxError<'INTERNAL'> {
  return new EigenxError({
    code: 'INTERNAL',
    message: 'the helper failed on this request',
    stage: 'request',
    details: {},
    cause,
  })
}

function tooLarge(): EigenxError<'INPUT_TOO_LARGE'> {
  return new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message: `the request is larger than ${MAX_BODY_BYTES} bytes`,
    stage: 'request',
    details: { field: 'body', limit: MAX_BODY_BYTES },
  })
}

function unknownPath(path: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: 'no such endpoint',
    stage: 'request',
    details: { path: path.slice(0, 128) },
    hint: '/openapi.json lists the endpoints.',
  })
}

function wrongMethod(endpoint: Endpoint): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: 'an endpoint takes POST and GET',
    stage: 'request',
    details: { path: `/${endpoint}` },
  })
}

function invalidRequest(path: string, problem: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: path === '' ? problem : `${path}: ${problem}`,
    stage: 'request',
    details: { path },
  })
}
