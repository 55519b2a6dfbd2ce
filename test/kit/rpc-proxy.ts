/**
 * A chain provider that lies, hangs or babbles: a loopback proxy in front of a real node.
 * @module
 */
import { createServer, type ServerResponse } from 'node:http'

export type RpcCall = { method: string; params: readonly unknown[] }

/** What happens to an answer: another result, a late one, a hung connection, any bytes with any status, or nothing. */
export type Tamper = (
  call: RpcCall,
  result: unknown,
) =>
  | undefined
  | { result: unknown }
  | { error: { code: number; message: string } }
  | 'hang'
  | { delayMs: number }
  | { raw: string; status?: number; location?: string }
  | { flood: number }

export type RpcProxy = {
  url: string
  calls: RpcCall[]
  /** Most requests that were under way at once. */
  peak(): number
  stop(): Promise<void>
}

/** @param secret - A path segment in its URL, as providers carry API keys. */
export async function startRpcProxy(
  target: string,
  tamper: Tamper,
  secret = 'key-0123456789abcdef',
): Promise<RpcProxy> {
  const calls: RpcCall[] = []
  let open = 0
  let peak = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    open++
    peak = Math.max(peak, open)
    let isOpen = true
    // Before the answer goes out: its reader may ask again before the stream has closed here.
    const leave = () => {
      if (isOpen) open--
      isOpen = false
    }
    response.once('close', leave)
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      answer(target, Buffer.concat(chunks).toString('utf8'), tamper, calls, response, leave).catch(
        () => response.destroy(),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    url: `http://127.0.0.1:${address.port}/v2/${secret}`,
    calls,
    peak: () => peak,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function answer(
  target: string,
  body: string,
  tamper: Tamper,
  calls: RpcCall[],
  response: ServerResponse,
  leave: () => void,
): Promise<void> {
  const call: RpcCall & { id: unknown } = JSON.parse(body)
  calls.push({ method: call.method, params: call.params })
  const upstream = await fetch(target, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const text = await upstream.text()
  const changed = tamper(call, JSON.parse(text).result)
  if (changed === 'hang') return
  const isLate = changed !== undefined && 'delayMs' in changed
  if (isLate) await new Promise((resolve) => setTimeout(resolve, changed.delayMs))
  leave()
  const headers = { 'content-type': 'application/json' }
  if (changed === undefined || isLate) {
    response.writeHead(200, headers).end(text)
    return
  }
  if ('raw' in changed) {
    const location = changed.location === undefined ? {} : { location: changed.location }
    response.writeHead(changed.status ?? 200, { ...headers, ...location }).end(changed.raw)
    return
  }
  if ('flood' in changed) {
    response.writeHead(200, headers)
    const chunk = 'x'.repeat(64 * 1024)
    response.write('{"jsonrpc":"2.0","id":1,"result":"')
    for (let sent = 0; sent < changed.flood && !response.destroyed; sent += chunk.length)
      response.write(chunk)
    response.end('"}')
    return
  }
  response.writeHead(200, headers).end(JSON.stringify({ jsonrpc: '2.0', id: call.id, ...changed }))
}
