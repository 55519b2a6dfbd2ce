import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { PeerHandler } from '../../../kms/epoch/ports.ts'
import { listen } from '../../../kms/http/server.ts'
import { createPeerTransport } from '../../../kms/peer/transport.ts'
import type { Hash32, OperatorInfo } from '../../../sdk/chain/types.ts'
import { makeWorld } from '../world.ts'

const HASH: Hash32 = `0x${'b1'.repeat(32)}`
const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const peerAt = (socket: string): OperatorInfo => ({
  address: `0x${'02'.repeat(20)}`,
  socket,
  signingKey: { curve: 'ecdsa', address: `0x${'02'.repeat(20)}` },
})

async function rogue(handler: RequestListener): Promise<OperatorInfo> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const { port } = server.address() as AddressInfo
  return peerAt(`http://127.0.0.1:${port}`)
}

async function honest(handler: PeerHandler): Promise<OperatorInfo> {
  const world = await makeWorld({ anchors: new Map(), peers: handler })
  const listener = await listen(world.app, {
    host: '127.0.0.1',
    port: 0,
    limits: world.config.limits,
  })
  cleanups.push(() => listener.close())
  return peerAt(listener.url)
}

const transport = createPeerTransport({ timeoutMs: 300 })
const MESSAGE = new Uint8Array([1, 2, 3])

describe('the peer transport', () => {
  it('carries messages, bodies and key records between two operators', async () => {
    const received: Uint8Array[] = []
    const peer = await honest({
      receive: async (message) => {
        received.push(message)
        return 'later'
      },
      blob: async (hash) => (hash === HASH ? MESSAGE : undefined),
      encryptionKey: async () => MESSAGE,
    })
    expect(await transport.push(peer, MESSAGE)).toBe('later')
    expect(received).toEqual([MESSAGE])
    expect(await transport.fetchBlob(peer, HASH)).toEqual(MESSAGE)
    expect(await transport.fetchBlob(peer, `0x${'00'.repeat(32)}`)).toBeUndefined()
    expect(await transport.fetchEncryptionKey(peer)).toEqual(MESSAGE)
  })

  it.each<[number, string, string]>([
    [200, '{"result":"accepted"}', 'accepted'],
    [200, '{"result":"refused"}', 'refused'],
    [200, '{"result":"whatever"}', 'later'],
    [200, 'no json', 'later'],
    [200, '', 'later'],
    [400, '{"result":"accepted"}', 'refused'],
    [413, '', 'refused'],
    [429, '', 'later'],
    [503, '{"result":"accepted"}', 'later'],
  ])('reads %i %s as %s', async (status, body, expected) => {
    const peer = await rogue((_request, response) => response.writeHead(status).end(body))
    expect(await transport.push(peer, MESSAGE)).toBe(expected)
  })

  it.each<[string, RequestListener, string]>([
    ['never answers', () => undefined, 'TIMEOUT'],
    [
      'sends headers and then nothing',
      (_request, response) => void response.writeHead(200).flushHeaders(),
      'TIMEOUT',
    ],
    [
      'redirects',
      (_request, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      'AGENT_UNREACHABLE',
    ],
    [
      'answers without end',
      (_request, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write(new Uint8Array(65_536)), 1)
        response.on('close', () => clearInterval(timer))
      },
      'AGENT_UNREACHABLE',
    ],
    ['hangs up', (request) => void request.socket.destroy(), 'AGENT_UNREACHABLE'],
  ])('gives up on a peer that %s', async (_name, handler, code) => {
    const peer = await rogue(handler)
    for (const call of [() => transport.push(peer, MESSAGE), () => transport.fetchBlob(peer, HASH)])
      await expect(call()).rejects.toMatchObject({ code })
  })

  it.each(['', 'not a url', 'http://127.0.0.1:1', 'ftp://127.0.0.1'])(
    'survives the socket %j',
    async (socket) => {
      const failure = await transport.push(peerAt(socket), MESSAGE).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'AGENT_UNREACHABLE' })
      if (socket !== '') expect(JSON.stringify(failure)).not.toContain(socket)
    },
  )
})
