/**
 * The socket under the app: sizes and deadlines that hold before a handler runs, and a shutdown
 * that lets answers in progress finish.
 * @module
 */
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { EigenxError } from '../../sdk/errors.ts'
import type { KmsConfig } from '../config.ts'
import type { Env } from './answers.ts'

export type ListenOptions = {
  host: string
  /** 0 takes any free port. */
  port: number
  limits: KmsConfig['limits']
}

export type Listener = {
  url: string
  /** Stops accepting, waits for answers in progress at most `shutdownMs`, then cuts. */
  close: () => Promise<void>
}

/** @throws EigenxError CONFIG_INVALID when the address cannot be bound. */
export async function listen(app: Hono<Env>, options: ListenOptions): Promise<Listener> {
  const { limits } = options
  const server = createServer(
    {
      headersTimeout: limits.headerTimeoutMs,
      // From the first byte to the last one of the body: a sender that trickles is cut off.
      requestTimeout: limits.bodyTimeoutMs,
      maxHeaderSize: limits.headerBytes,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: Math.max(
        20,
        Math.min(1000, limits.headerTimeoutMs / 4, limits.bodyTimeoutMs / 4),
      ),
    },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  )
  server.maxConnections = limits.connections
  server.maxRequestsPerSocket = 1000
  // A client that does not read its answer holds a socket no longer than this.
  server.timeout = limits.requestTimeoutMs + limits.bodyTimeoutMs
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => reject(cannotBind(options)))
    server.listen(options.port, options.host, resolve)
  })
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw cannotBind(options)
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return {
    url: `http://${host}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), limits.shutdownMs)
        // A kept-alive connection becomes idle only after its last answer has gone out.
        const sweep = setInterval(() => server.closeIdleConnections(), 20)
        server.close(() => {
          clearTimeout(cut)
          clearInterval(sweep)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

function cannotBind(options: ListenOptions): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: `Cannot listen on ${options.host}:${options.port}.`,
    stage: 'config',
    details: { path: 'listen' },
    hint: 'Is another process using the port?',
  })
}
