/**
 * Where the helper is: an explicit endpoint, else the simulator's from the environment, else the first
 * default socket that answers.
 *
 * Keys travel over the endpoint, so plain http is taken on loopback only; and because whoever starts a
 * container may be able to set its environment, a variable can name loopback or a socket and nothing else.
 * @module
 */
import { EigenxError } from '../errors.ts'
import { isLoopbackHost } from '../loopback.ts'

export type Endpoint =
  | { kind: 'socket'; path: string; name: string }
  | { kind: 'http'; url: string; name: string }

/** Set by `eigenx-tee sim`; wins over the default sockets. */
export const SIMULATOR_ENDPOINT = 'EIGENX_SIMULATOR_ENDPOINT'

/** Where the helper listens unless told otherwise. */
export const HELPER_SOCKET = '/run/eigenx/eigenx.sock'

export const DEFAULT_SOCKETS: readonly string[] = [
  HELPER_SOCKET,
  '/var/run/eigenx/eigenx.sock',
  '/var/run/eigenx.sock',
]

/**
 * @param text - An absolute path, `unix:///path`, or an http(s) base URL.
 * @throws EigenxError CONFIG_INVALID
 */
export function parseEndpoint(text: string, source: 'option' | 'environment'): Endpoint {
  const path = text.startsWith('unix://') ? text.slice('unix://'.length) : text
  if (path.startsWith('/')) {
    if (path.includes('\0') || path.length > 107)
      throw invalid(source, 'a socket path is at most 107 characters')
    return { kind: 'socket', path, name: path }
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw invalid(source, 'expected an absolute socket path or an http(s) URL')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw invalid(source, 'a base URL has no credentials, query or fragment')
  if (!isLoopbackHost(url.hostname) && (url.protocol === 'http:' || source === 'environment'))
    throw invalid(source, 'keys do not travel over plain http beyond loopback')
  return { kind: 'http', url: url.href.replace(/\/+$/, ''), name: url.origin }
}

function invalid(source: 'option' | 'environment', problem: string): EigenxError {
  const path = source === 'option' ? 'endpoint' : SIMULATOR_ENDPOINT
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: `${path}: ${problem}`,
    stage: 'config',
    details: { path },
  })
}
