/**
 * One call over ttrpc, as the daemons of a Confidential Containers guest speak it on Unix sockets: a connection, a request, a response.
 *
 * A frame is u32 length of the message, u32 stream, u8 type (1 request, 2 response), u8 flags, all big-endian, then the message. Streams of
 * clients have odd numbers. Source: containerd/ttrpc, PROTOCOL.md.
 * @module
 */
import { createConnection } from 'node:net'
import { concatBytes, uintBE } from '../sdk/bytes.ts'
import { EigenxError } from '../sdk/errors.ts'
import { protocolError } from './evidence.ts'
import { encodeTtrpcRequest, parseTtrpcResponse } from './ttrpc-messages.ts'

export type TtrpcCall = {
  /** Absolute path. */
  socketPath: string
  service: string
  method: string
  /** Protobuf. */
  payload: Uint8Array
  /** For everything, in milliseconds. */
  timeoutMs: number
  /** Largest response, in bytes; the protocol has 4 MiB. */
  maxBytes: number
  /** For error texts. */
  peer: string
}

const HEADER_SIZE = 10
const STREAM = 1
const REQUEST = 1
const RESPONSE = 2
const UNIMPLEMENTED = 12
/** google.rpc.Code. */
const CODES =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  )

/**
 * @returns The payload of the response, protobuf.
 * @throws EigenxError AGENT_UNREACHABLE, AGENT_PROTOCOL, INPUT_TOO_LARGE, TIMEOUT
 */
export async function callTtrpc(call: TtrpcCall): Promise<Uint8Array> {
  const { peer, method } = call
  const response = parseTtrpcResponse(await exchangeFrame(call))
  if (response === undefined) throw protocolError('its response is no message', { source: peer })
  const { code, payload } = response
  if (code === 0) return payload
  throw protocolError(`it answers ${method} with ${CODES[code] ?? 'an unknown status'}`, {
    source: peer,
    ...(code === UNIMPLEMENTED ? { hint: 'Use a guest image with newer guest components.' } : {}),
  })
}

function exchangeFrame(call: TtrpcCall): Promise<Uint8Array> {
  const { peer, timeoutMs } = call
  return new Promise((resolve, reject) => {
    const take = createFrameReader(call)
    const socket = createConnection({ path: call.socketPath })
    const settle = (outcome: { frame: Uint8Array } | { error: EigenxError }): void => {
      clearTimeout(timer)
      socket.destroy()
      if ('frame' in outcome) resolve(outcome.frame)
      else reject(outcome.error)
    }
    const timer = setTimeout(() => settle({ error: timedOut(peer, timeoutMs) }), timeoutMs)
    socket.on('connect', () => socket.write(encodeCall(call)))
    socket.on('data', (chunk: Uint8Array) => {
      const outcome = take(chunk)
      if (outcome !== undefined) settle(outcome)
    })
    socket.on('error', (cause) => settle({ error: unreachable(peer, cause) }))
    socket.on('close', () =>
      settle({ error: protocolError('it hung up before its response', { source: peer }) }),
    )
  })
}

function encodeCall({ service, method, payload, timeoutMs }: TtrpcCall): Uint8Array {
  const timeoutNano = BigInt(timeoutMs) * 1_000_000n
  const message = encodeTtrpcRequest({ service, method, payload, timeoutNano })
  return concatBytes(
    uintBE(message.length, 4),
    uintBE(STREAM, 4),
    Uint8Array.of(REQUEST, 0),
    message,
  )
}

/** Takes what arrives until the one frame that is expected is whole; a header that is wrong ends it at once. */
function createFrameReader({ maxBytes, peer }: TtrpcCall) {
  let held = new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  let length: number | undefined
  return (chunk: Uint8Array): { frame: Uint8Array } | { error: EigenxError } | undefined => {
    chunks.push(Uint8Array.from(chunk))
    size += chunk.length
    if (size < HEADER_SIZE) return undefined
    if (length === undefined) {
      held = concatBytes(...chunks.splice(0))
      const view = new DataView(held.buffer)
      length = view.getUint32(0)
      if (length > maxBytes) return { error: tooLarge(peer, maxBytes) }
      if (view.getUint32(4) !== STREAM || view.getUint8(8) !== RESPONSE)
        return { error: protocolError('it sends another frame than a response', { source: peer }) }
    }
    if (size < HEADER_SIZE + length) return undefined
    // What comes behind is nobody's answer.
    return {
      frame: concatBytes(held, ...chunks).subarray(HEADER_SIZE, HEADER_SIZE + length),
    }
  }
}

const unreachable = (peer: string, cause: unknown) =>
  new EigenxError({
    code: 'AGENT_UNREACHABLE',
    message: `${peer} cannot be reached`,
    stage: 'agent',
    details: { endpoint: peer },
    cause,
  })

const timedOut = (peer: string, afterMs: number) =>
  new EigenxError({
    code: 'TIMEOUT',
    message: `${peer} did not answer within ${afterMs} ms`,
    stage: 'agent',
    details: { what: peer, afterMs },
  })

const tooLarge = (peer: string, limit: number) =>
  new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message: `${peer} answers with more than ${limit} bytes`,
    stage: 'agent',
    details: { field: 'answer', limit },
  })
