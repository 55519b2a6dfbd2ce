/**
 * The stdin/stdout contract of the Go helper (eigenx-kms-go `cmd/kmsCDHHelper`), as the Confidential Data Hub
 * calls it: one process for each sealed variable.
 *
 * stdin: one JSON object with `key`, the variable's name, and `app_id` or `stack_id`. stdout: the value, raw, no line
 * break. Anything else goes to stderr, with an exit code that is not 0. Whatever else stdin names (operators, chain,
 * app) is ignored: initdata decides, because initdata is attested and stdin is not. The reserved key
 * `__EIGENX_APP_PRIVATE_KEY__` gives the app key itself as hex; it always attests and is never cached.
 * @module
 */
import { bytesToHex, parseUtf8 } from '../sdk/bytes.ts'
import { EigenxError } from '../sdk/errors.ts'
import { openEnvCache } from './env-cache.ts'
import type { AppIdentity } from './identity.ts'
import type { PodConfig } from './initdata-file.ts'

export const APP_KEY_NAME = '__EIGENX_APP_PRIVATE_KEY__'

export const MAX_UNSEAL_BYTES = 64 * 1024
const MAX_NAME_LENGTH = 512

export type UnsealRequest = {
  key: string
  /** What the caller calls the app; initdata's name wins. */
  appId: string | undefined
  /** Names of fields that try to say where to go. */
  ignored: readonly string[]
}

/** Fields of the Go helper that could redirect it, were they believed. */
const REDIRECTING: readonly string[] = [
  'kms_url',
  'avs_address',
  'operator_set_id',
  'rpc_url',
  'operator_address',
]

export type UnsealDeps = {
  readPod: () => Promise<PodConfig>
  obtain: (pod: PodConfig) => Promise<AppIdentity>
  /** Undefined switches the cache off. */
  cacheDir: string | undefined
  warn: (message: string) => void
}

/**
 * Total. Unknown fields are ignored: the plugin that calls and the helper are of different ages.
 * @throws EigenxError REQUEST_INVALID, INPUT_TOO_LARGE
 */
export function parseUnsealRequest(bytes: Uint8Array): UnsealRequest {
  if (bytes.length > MAX_UNSEAL_BYTES)
    throw new EigenxError({
      code: 'INPUT_TOO_LARGE',
      message: `the request on stdin is larger than ${MAX_UNSEAL_BYTES} bytes`,
      stage: 'request',
      details: { field: 'stdin', limit: MAX_UNSEAL_BYTES },
    })
  const text = parseUtf8(bytes)
  let value: unknown
  try {
    value = text === undefined ? undefined : JSON.parse(text)
  } catch {
    value = undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('', 'the request on stdin is not a JSON object')
  const fields = new Map<string, unknown>(Object.entries(value))
  const key = fields.get('key')
  if (typeof key !== 'string' || key === '') throw invalid('key', 'key is required')
  if (key.length > MAX_NAME_LENGTH) throw invalid('key', 'key is too long')
  const appId = fields.get('app_id') ?? fields.get('stack_id')
  if (appId !== undefined && typeof appId !== 'string')
    throw invalid('app_id', 'app_id is not a text')
  return { key, appId, ignored: REDIRECTING.filter((name) => fields.has(name)) }
}

/** @returns What goes to stdout. @throws EigenxError SECRET_NOT_FOUND, and whatever keeps the identity away */
export async function unseal(deps: UnsealDeps, input: Uint8Array): Promise<string> {
  const request = parseUnsealRequest(input)
  const pod = await deps.readPod()
  const { appId } = pod.config
  for (const warning of pod.config.warnings) deps.warn(warning)
  if (request.ignored.length > 0)
    deps.warn(`stdin's ${request.ignored.join(', ')} ignored: initdata decides`)
  if (request.appId !== undefined && request.appId !== appId)
    deps.warn("stdin's app id ignored: it is not the one in initdata")
  if (request.key === APP_KEY_NAME) {
    const identity = await deps.obtain(pod)
    const text = bytesToHex(identity.appKey)
    identity.appKey.fill(0)
    return text
  }
  return pick(await readValues(deps, pod), request.key)
}

async function readValues(deps: UnsealDeps, pod: PodConfig): Promise<ReadonlyMap<string, string>> {
  const fetchValues = async (): Promise<ReadonlyMap<string, string>> => {
    const identity = await deps.obtain(pod)
    identity.appKey.fill(0)
    return new Map([...identity.environment].map(([name, { value }]) => [name, value]))
  }
  if (deps.cacheDir === undefined) return await fetchValues()
  const cache = await openEnvCache({
    folder: deps.cacheDir,
    appId: pod.config.appId,
    initdataSha384: bytesToHex(pod.initdata.sha384),
  })
  return (
    (await cache.read()) ??
    (await cache.locked(async () => {
      const found = await cache.read()
      if (found !== undefined) return found
      const values = await fetchValues()
      await cache.write(values)
      return values
    }))
  )
}

/** A name that the release lacks is a mistake to be told, never an empty secret. */
function pick(values: ReadonlyMap<string, string>, name: string): string {
  const value = values.get(name)
  if (value !== undefined) return value
  throw new EigenxError({
    code: 'SECRET_NOT_FOUND',
    message: `the release has no value of that name (it has ${values.size})`,
    stage: 'release',
    details: { name },
  })
}

function invalid(path: string, message: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({ code: 'REQUEST_INVALID', message, stage: 'request', details: { path } })
}
