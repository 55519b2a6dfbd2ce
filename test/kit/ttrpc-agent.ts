/**
 * The Attestation Agent's socket: a ttrpc server on a real Unix socket that answers what the test says, frame by frame.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { concatBytes, uintBE } from '../../sdk/bytes.ts'

export type TtrpcAsked = {
  streamId: number
  service: string
  method: string
  payload: Uint8Array
  timeoutNano: bigint
}

export type TtrpcAgent = { socketPath: string; asked: TtrpcAsked[]; stop: () => Promise<void> }

/** @param answer - Writes to the socket, or does not. */
export async function startTtrpcAgent(
  answer: (asked: TtrpcAsked, socket: Socket) => unknown,
): Promise<TtrpcAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'eigenx-ttrpc-'))
  const socketPath = join(folder, 'agent.sock')
  const asked: TtrpcAsked[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // the client may hang up at any time
    socket.on('close', () => sockets.delete(socket))
    let held = new Uint8Array()
    socket.on('data', (chunk) => {
      held = concatBytes(held, Uint8Array.from(chunk))
      if (held.length < 10) return
      const view = new DataView(held.buffer)
      const length = view.getUint32(0)
      if (held.length < 10 + length) return
      if (view.getUint8(8) !== 1 || view.getUint8(9) !== 0) throw new Error('no unary request')
      const request = {
        streamId: view.getUint32(4),
        ...readRequest(held.subarray(10, 10 + length)),
      }
      held = held.slice(10 + length)
      asked.push(request)
      void answer(request, socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return {
    socketPath,
    asked,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function readRequest(bytes: Uint8Array): Omit<TtrpcAsked, 'streamId'> {
  const request = { service: '', method: '', payload: new Uint8Array(), timeoutNano: 0n }
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (field === 1) request.service = reader.string()
    else if (field === 2) request.method = reader.string()
    else if (field === 3) request.payload = Uint8Array.from(reader.bytes())
    else if (field === 4) request.timeoutNano = BigInt(reader.int64())
    else reader.skip(type, field)
  }
  return request
}

export function encodeFrame(message: Uint8Array, streamId = 1, type = 2): Uint8Array {
  return concatBytes(
    uintBE(message.length, 4),
    uintBE(streamId, 4),
    Uint8Array.of(type, 0),
    message,
  )
}

/** As the agent's library writes it: a status also where all went well. */
export function encodeResponse(payload: Uint8Array, code = 0, message = ''): Uint8Array {
  const status = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int32(code)
    .tag(2, WireType.LengthDelimited)
    .string(message)
    .finish()
  return new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .bytes(status)
    .tag(2, WireType.LengthDelimited)
    .bytes(payload)
    .finish()
}

/** A message with one field of bytes, as all answers of the agent are. */
export function encodeField(value: Uint8Array, field = 1): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(value).finish()
}

export function readField(message: Uint8Array): Uint8Array {
  const reader = new BinaryReader(message)
  const [field] = reader.tag()
  if (field !== 1) throw new Error('no first field')
  return Uint8Array.from(reader.bytes())
}
