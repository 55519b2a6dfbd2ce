/**
 * The helper as a service: reads the pod's configuration, opens the socket at once and obtains the identity
 * behind it, so that an app that asks early waits instead of failing.
 *
 * What reads the chain is loaded while the socket already answers (`obtain.ts` brings viem's ABI codec).
 * @module
 */
import { chmod, lstat, mkdir, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { HELPER_SOCKET } from '../sdk/client/endpoint.ts'
import { EigenxError } from '../sdk/errors.ts'
import { createHelperApp } from './app.ts'
import type { LogMemory } from './chain-view.ts'
import { createIdentityHolder, type HolderState } from './identity-holder.ts'
import { INITDATA_PATHS, readPodConfig } from './initdata-file.ts'
import { createRequestKey } from './request-key.ts'
import { createRsaKeys } from './rsa-keys.ts'

/** Longest path that fits a `sockaddr_un`. */
const MAX_SOCKET_PATH = 107
const MAX_CONNECTIONS = 256

type HelperLog = (
  level: 'info' | 'warn' | 'error',
  event: string,
  fields?: Readonly<Record<string, string | number>>,
) => void

export type HelperOptions = {
  socketPath?: string
  /** Permission bits of the socket: the access control of the API. @default 0o600 */
  socketMode?: number
  /** Loopback port for containers that cannot mount the socket; 0 picks one; absent means none. */
  port?: number
  /** Where to look for initdata. A document that the launch did not anchor is refused, see `anchor.ts`. */
  initdataPaths?: readonly string[]
  version: string
  log: HelperLog
}

export type RunningHelper = {
  socketPath: string
  port: number | undefined
  state: () => HolderState
  stop(): Promise<void>
}

/** @throws EigenxError CONFIG_INVALID, INITDATA_INVALID when the pod's configuration is unusable or the socket cannot be opened */
export async function startHelper(options: HelperOptions): Promise<RunningHelper> {
  const { log, version, socketPath = HELPER_SOCKET, socketMode = 0o600 } = options
  const pod = await readPodConfig(options.initdataPaths ?? INITDATA_PATHS)
  for (const warning of pod.config.warnings) log('warn', 'config-warning', { warning })
  const memory: LogMemory = {}
  const holder = createIdentityHolder({
    obtain: async (signal) => {
      // A worker thread makes the key while this one loads what reads the chain.
      const key = createRequestKey()
      // Its failure reaches whoever waits for the identity; until then nobody waits for it.
      key.catch(() => undefined)
      const { obtainIdentity } = await import('./obtain.ts')
      return await obtainIdentity(pod, { signal, key, log: memory })
    },
    onAttempt: (state) => logAttempt(log, state),
  })
  const rsa = createRsaKeys()
  const createServer = (carrier: 'socket' | 'loopback'): Server => {
    const app = createHelperApp({
      identity: holder,
      rsa,
      version,
      carrier,
      log: (event, fields) => log('info', event, fields),
    })
    return asHttpServer(createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }))
  }
  const servers: Server[] = []
  const stop = async (): Promise<void> => {
    holder.stop()
    await Promise.all([rsa.stop(), ...servers.map(closeServer)])
  }
  try {
    await prepareSocket(socketPath)
    const onSocket = createServer('socket')
    servers.push(onSocket)
    await listenOnSocket(onSocket, socketPath, socketMode)
    log('info', 'listening', { socket: socketPath })
    let port: number | undefined
    if (options.port !== undefined) {
      const onPort = createServer('loopback')
      servers.push(onPort)
      port = await listenOnLoopback(onPort, options.port)
      log('info', 'listening', { port })
    }
    return { socketPath, port, state: holder.state, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function logAttempt(log: HelperLog, state: HolderState): void {
  const { attempts } = state
  if (state.status === 'ready') log('info', 'identity-ready', { attempts })
  else if (state.status === 'retrying')
    log('warn', 'identity-refused', { attempts, code: state.code, message: state.message })
}

/** A stale socket of a crashed helper is removed; one that answers, or anything else, is not. */
async function prepareSocket(path: string): Promise<void> {
  if (!path.startsWith('/') || Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw unusable(`must be an absolute path of at most ${MAX_SOCKET_PATH} bytes`)
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unusable('is in a folder that cannot be made', cause)
  })
  const { mode } = await lstat(folder)
  // In a folder that others may write to, without the sticky bit, anybody could put their own socket there.
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0)
    throw unusable('is in a folder that others may write to')
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw unusable('is taken by something that is not a socket')
  if (await answers(path)) throw unusable('is in use by another helper')
  await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function listenOnSocket(server: Server, path: string, mode: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(unusable('cannot be opened', cause)))
    // bind() happens inside listen(): with this mask the socket is closed to others from its first moment.
    const before = process.umask(0o177)
    server.listen({ path }, resolve)
    process.umask(before)
  })
  await chmod(path, mode)
}

async function listenOnLoopback(server: Server, port: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new EigenxError({
          code: 'CONFIG_INVALID',
          message: `port ${port} cannot be opened on loopback`,
          stage: 'config',
          details: { path: 'port' },
          cause,
        }),
      ),
    )
    server.listen({ port, host: '127.0.0.1' }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** The adaptor is typed for HTTP/2 as well; without TLS options it makes a plain HTTP server. */
function asHttpServer(server: ReturnType<typeof createAdaptorServer>): Server {
  if (!('requestTimeout' in server)) throw new TypeError('expected an HTTP/1.1 server')
  server.requestTimeout = 10_000
  server.headersTimeout = 5_000
  server.maxConnections = MAX_CONNECTIONS
  return server
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function unusable(problem: string, cause?: unknown): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: `the socket path ${problem}`,
    stage: 'config',
    details: { path: 'socket' },
    ...(cause === undefined ? {} : { cause }),
  })
}
