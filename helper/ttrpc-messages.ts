/**
 * The protobuf messages of ttrpc and of the Attestation Agent that the helper speaks, a few fields each.
 *
 * Sources: containerd/ttrpc, request.proto; google.rpc.Status; guest-components, protos/attestation-agent/attestation-agent.proto:
 *   Request     {1 service, 2 method, 3 payload, 4 timeout_nano}
 *   Response    {1 status {1 code, 2 message}, 2 payload}
 *   GetEvidenceRequest, GetAdditionalEvidenceRequest {1 RuntimeData}; GetEvidenceResponse {1 Evidence}; GetTeeTypeResponse {1 tee}
 * As protobuf wants it, unknown fields are skipped, and of a field that comes twice the last one counts.
 * @module
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

export type TtrpcRequest = {
  service: string
  method: string
  payload: Uint8Array
  timeoutNano: bigint
}

const NOTHING = new Uint8Array()

/** `code` of google.rpc.Code, 0 where all went well. What the server says in words is left out: it may quote anything. */
export type TtrpcResponse = { code: number; payload: Uint8Array }

export function encodeTtrpcRequest(request: TtrpcRequest): Uint8Array {
  return new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(request.service)
    .tag(2, WireType.LengthDelimited)
    .string(request.method)
    .tag(3, WireType.LengthDelimited)
    .bytes(request.payload)
    .tag(4, WireType.Varint)
    .int64(request.timeoutNano)
    .finish()
}

/** @returns `undefined` for what is no such message. */
export function parseTtrpcResponse(bytes: Uint8Array): TtrpcResponse | undefined {
  const fields = readFields(bytes)
  if (fields === undefined) return undefined
  const status = readFields(fields.get(1) ?? NOTHING)
  const code = status === undefined ? undefined : (status.get(1) ?? 0)
  const payload = fields.get(2) ?? NOTHING
  if (typeof code !== 'number' || typeof payload === 'number') return undefined
  return { code, payload }
}

/** A message whose only field is number 1, of bytes: what the agent is asked with. */
export function encodeBytesMessage(value: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(value).finish()
}

/** The first field, bytes or text, empty where it is left out: what the agent answers with. @returns `undefined` for what is no such message. */
export function parseBytesMessage(bytes: Uint8Array): Uint8Array | undefined {
  const fields = readFields(bytes)
  const value = fields === undefined ? undefined : (fields.get(1) ?? NOTHING)
  return typeof value === 'number' ? undefined : value
}

type Value = Uint8Array | number

/** Field number -> its last value: varints as 32 bits, and what has a length. @returns `undefined` for garbage. */
function readFields(bytes: Value): ReadonlyMap<number, Value> | undefined {
  if (typeof bytes === 'number') return undefined
  const fields = new Map<number, Value>()
  try {
    const reader = new BinaryReader(bytes)
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag()
      if (type === WireType.Varint) fields.set(number, reader.int32())
      else if (type === WireType.LengthDelimited) fields.set(number, reader.bytes())
      else reader.skip(type, number)
    }
  } catch {
    return undefined // The reader throws plain errors for whatever is wrong.
  }
  return fields
}
