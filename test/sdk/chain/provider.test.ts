import { createServer, type Server } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { createProvider, type Provider } from '../../../sdk/chain/provider.ts'

const TIMEOUT_MS = 400
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

/** It knows its chain and the newest block, and leaves everything else unanswered. */
async function startStalled(): Promise<Provider> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { id, method }: { id: unknown; method: string } = JSON.parse(
        Buffer.concat(chunks).toString('utf8'),
      )
      if (method === 'eth_call') return
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: '0x1' }))
    })
  }).unref()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return createProvider({
    url: `http://127.0.0.1:${address.port}`,
    chainId: 1,
    timeoutMs: TIMEOUT_MS,
    maxResponseBytes: 1024,
    maxConcurrent: 1,
  })
}

const timeout = { kind: 'fault', fault: 'timeout' }

it('a request has its time, the wait for its turn included', async () => {
  const provider = await startStalled()
  const start = performance.now()
  const answers = await Promise.all([1, 2, 3, 4].map(() => provider.request('eth_call', [])))
  expect(answers).toEqual([timeout, timeout, timeout, timeout])
  expect(performance.now() - start).toBeLessThan(2 * TIMEOUT_MS)
})

it('one in the lane of heads waits behind none of the others', async () => {
  const provider = await startStalled()
  const stalled = [1, 2].map(() => provider.request('eth_call', []))
  expect(await provider.request('eth_getBlockByNumber', ['latest', false], [], 'head')).toEqual({
    kind: 'value',
    value: '0x1',
  })
  expect(await Promise.all(stalled)).toEqual([timeout, timeout])
})

it('one whose caller goes away leaves the queue', async () => {
  const provider = await startStalled()
  const first = provider.request('eth_call', [])
  const controller = new AbortController()
  const second = provider.request('eth_chainId', [], [controller.signal])
  const third = provider.request('eth_call', [], [AbortSignal.abort()])
  controller.abort()
  const cancelled = { kind: 'fault', fault: 'cancelled' }
  expect(await Promise.race([first, second])).toEqual(cancelled)
  expect(await third).toEqual(cancelled)
  expect(await first).toEqual(timeout)
  expect(await provider.request('eth_chainId', [])).toMatchObject({ kind: 'value' })
})
