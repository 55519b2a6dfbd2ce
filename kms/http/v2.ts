/**
 * Our own routes: what anybody may read about the key and the log, and what operators send to each
 * other. Messages of operators carry their own signatures, which the handler behind the route checks before any work. What
 * such a check takes depends on the curve, a few milliseconds or a hundred: so an address is limited by requests, and by the time
 * that its worthless messages have taken.
 * @module
 */
import { performance } from 'node:perf_hooks'
import { parseHex, toBase64 } from '../../sdk/bytes.ts'
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { encodeCertifiedBody } from '../../sdk/protocol/output.ts'
import type { Domain } from '../../sdk/protocol/types.ts'
import type { PeerHandler } from '../epoch/ports.ts'
import type { KeyService } from '../keys.ts'
import { json } from './answers.ts'
import type { RouteHandler } from './guard.ts'
import { createTimeBudget } from './limits.ts'

export type V2Deps = {
  operator: Address
  domain: Domain
  publicUrl: string | undefined
  methods: readonly string[]
  reportDataVersions: readonly number[]
  keys: KeyService
  /** Absent until the epoch driver has started. */
  peers: () => PeerHandler | undefined
}

export function infoHandler(deps: V2Deps): RouteHandler {
  return async (c) => {
    const key = deps.keys.inForce()
    return json(
      c,
      JSON.stringify({
        protocol: 'eigenx-tee/v2',
        operator: deps.operator,
        url: deps.publicUrl ?? null,
        chainId: deps.domain.chainId,
        epochLog: deps.domain.epochLog,
        avs: deps.domain.avs,
        operatorSetId: deps.domain.operatorSetId,
        methods: deps.methods,
        reportDataVersions: deps.reportDataVersions,
        key:
          key === undefined
            ? null
            : {
                version: key.output.activateAt,
                epoch: key.output.epoch,
                threshold: key.output.threshold,
                outputHash: key.hash,
                masterPublicKey: toBase64(key.output.mpk),
              },
      }),
    )
  }
}

/** The certified output in force: binary, or as JSON with base64 where the client accepts JSON. */
export function outputHandler(deps: V2Deps): RouteHandler {
  return async (c) => {
    const key = deps.keys.inForce()
    if (key === undefined)
      throw new EigenxError({
        code: 'KEY_NOT_READY',
        message: 'No key version is active.',
        stage: 'key',
        details: {},
      })
    const body = encodeCertifiedBody(key)
    if ((c.req.header('accept') ?? '').includes('application/json'))
      return json(c, JSON.stringify({ outputHash: key.hash, body: toBase64(body) }))
    return binary(c.get('requestId'), body, { 'x-output-hash': key.hash })
  }
}

/** Any operator serves any body it has, by its SHA-256. */
export function blobHandler(deps: V2Deps): RouteHandler {
  return async (c) => {
    const hash = parseHash(c.req.param('hash') ?? '')
    const body = await deps.peers()?.blob(hash)
    if (body === undefined) throw unavailable(hash)
    return binary(c.get('requestId'), body, { 'cache-control': 'public, max-age=86400, immutable' })
  }
}

export function encryptionKeyHandler(deps: V2Deps): RouteHandler {
  return async (c) => {
    const record = await deps.peers()?.encryptionKey()
    if (record === undefined) throw notStarted()
    return binary(c.get('requestId'), record, {})
  }
}

/** A tenth of the time for messages of one address that are not taken. */
const WASTE = { ms: 1_000, windowMs: 10_000 }
/** Most of what a longer one took was work for others meanwhile. */
const LONGEST_CHECK_MS = 250

/**
 * Takes one signed protocol message.
 * @param busyMs - Time that the process has worked so far, waiting left out.
 */
export function messageHandler(
  deps: V2Deps,
  callers: number,
  busyMs: () => number = () => performance.eventLoopUtilization().active,
): RouteHandler {
  const waste = createTimeBudget(WASTE, callers)
  return async (c, { body, caller, arrivedMs }) => {
    waste.check(caller, arrivedMs)
    const begun = busyMs()
    const peers = deps.peers()
    const result = peers === undefined ? 'later' : await peers.receive(body)
    if (result !== 'accepted')
      waste.charge(caller, Math.min(busyMs() - begun, LONGEST_CHECK_MS), arrivedMs)
    return json(c, JSON.stringify({ result }))
  }
}

function parseHash(text: string): Hash32 {
  if (/^0x[0-9a-f]{64}$/.test(text) && parseHex(text, 32) !== undefined) return text as Hash32
  throw new EigenxError({
    code: 'REQUEST_INVALID',
    message: 'A body is named by 0x and 64 lower-case hex digits.',
    stage: 'request',
    details: { path: 'hash' },
  })
}

function unavailable(hash: Hash32): EigenxError {
  return new EigenxError({
    code: 'BODY_UNAVAILABLE',
    message: 'This operator does not hold that body.',
    stage: 'protocol',
    details: { hash },
  })
}

function notStarted(): EigenxError {
  return new EigenxError({
    code: 'OVERLOADED',
    message: 'The operator is still starting.',
    stage: 'protocol',
    details: { limit: 0 },
  })
}

function binary(requestId: string, body: Uint8Array, headers: Record<string, string>): Response {
  return new Response(new Uint8Array(body), {
    headers: {
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
      ...headers,
    },
  })
}
