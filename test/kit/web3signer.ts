/**
 * A stand-in for Consensys' Web3Signer in eth1 mode, as its OpenAPI document describes it: one key, `POST /api/v1/eth1/sign/{identifier}` with
 * `{"data": "0x…"}`, the signature over keccak256(data) as plain text; 404 for another identifier, 400 for another body.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, parseHex, toHex } from '../../sdk/bytes.ts'

export type FakeWeb3Signer = {
  url: string
  /** `0x` and x || y. */
  publicKey: `0x${string}`
  /** What it was asked to sign, in order. */
  signed: Uint8Array[]
  /** Replaces the whole answer; `undefined` restores the documented one. */
  misbehave: (answer: ((response: ServerResponse, data: Uint8Array) => void) | undefined) => void
  close: () => Promise<void>
}

export function signAsWeb3Signer(privateKey: Uint8Array, data: Uint8Array): string {
  const recovered = secp256k1.sign(keccak_256(data), privateKey, {
    prehash: false,
    format: 'recovered',
  })
  return toHex(concatBytes(recovered.subarray(1), Uint8Array.of(27 + (recovered[0] ?? 0))))
}

export async function startWeb3Signer(privateKey: Uint8Array): Promise<FakeWeb3Signer> {
  const publicKey = toHex(secp256k1.getPublicKey(privateKey, false).subarray(1))
  const signed: Uint8Array[] = []
  let instead: ((response: ServerResponse, data: Uint8Array) => void) | undefined
  const server = createServer(async (request, response) => {
    const identifier = /^\/api\/v1\/eth1\/sign\/(.+)$/.exec(request.url ?? '')?.[1]
    if (request.method !== 'POST' || identifier?.toLowerCase() !== publicKey)
      return response.writeHead(404).end()
    const data = await readData(request)
    if (data === undefined) return response.writeHead(400).end()
    signed.push(data)
    if (instead !== undefined) return instead(response, data)
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(signAsWeb3Signer(privateKey, data))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publicKey,
    signed,
    misbehave: (answer) => {
      instead = answer
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function readData(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  if (typeof body !== 'object' || body === null || !('data' in body)) return undefined
  const { data } = body
  return typeof data === 'string' ? parseHex(data, (data.length - 2) / 2) : undefined
}
