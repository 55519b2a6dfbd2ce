/** A server of key sets on loopback that can be told to rotate, lie, hang and flood. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export type KeyServer = {
  url: string
  /** How it answers from now on. */
  answer: (listener: RequestListener) => void
  /** Requests so far. */
  count: () => number
  stop: () => Promise<void>
}

export async function startKeyServer(): Promise<KeyServer> {
  let listener: RequestListener = (_request, response) => response.writeHead(503).end()
  let count = 0
  const server = createServer((request, response) => {
    count++
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/certs`,
    answer: (next) => {
      listener = next
    },
    count: () => count,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const serveText =
  (text: string, status = 200): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
