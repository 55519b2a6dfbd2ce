/**
 * policy_data of our own rule set (`eigenx/policy.rego`), read with the strictness that its rules rely on.
 *
 * ```json
 * { "format": "eigenx-tee/policy/1",
 *   "containers": [{ "name", "image", "image_digest", "args", "env", "cwd",
 *     "user": { "uid", "gid", "additional_gids" }, "capabilities", "no_new_privileges", "readonly_root",
 *     "mounts": [{ "destination", "kind": "scratch", "volume", "read_only" } | { "destination", "kind": "files", "read_only" }] }],
 *   "env_patterns": ["hostname", "kubernetes_links", "service_links"],
 *   "request_defaults": { "ReadStreamRequest": false } }
 * ```
 * @module
 */

import { createFindings, type FindingSink, makeFinding, quote } from './findings.ts'
import { isSha256Digest, parseImageReference } from './image.ts'
import type { JsonObject, JsonValue } from './json.ts'
import {
  DATA_PATH,
  type DataReading,
  MAX_CONTAINERS,
  malformed,
  readList,
  readObject,
  readString,
  readStrings,
  reportUnknownKeys,
} from './shape.ts'
import type { Finding, PolicyContainer } from './types.ts'

export const EIGENX_POLICY_FORMAT = 'eigenx-tee/policy/1'
export const ENV_PATTERNS = ['hostname', 'kubernetes_links', 'service_links'] as const

const CONTAINER_KEYS = [
  'name',
  'image',
  'image_digest',
  'args',
  'env',
  'cwd',
  'user',
  'capabilities',
  'no_new_privileges',
  'readonly_root',
  'mounts',
]

export function readEigenxData(data: JsonObject): DataReading {
  const findings = createFindings()
  reportUnknownKeys(
    data,
    ['format', 'containers', 'env_patterns', 'request_defaults'],
    DATA_PATH,
    findings,
  )
  if (data.format !== EIGENX_POLICY_FORMAT)
    findings.push(malformed(`${DATA_PATH}.format`, `"${EIGENX_POLICY_FORMAT}"`))
  const listPath = `${DATA_PATH}.containers`
  const list = readList(data.containers, listPath, findings, MAX_CONTAINERS)
  const containers = list.flatMap((value, index) => {
    const container = readContainer(value, `${listPath}[${index}]`, findings)
    return container === undefined ? [] : [container]
  })
  readEnvPatterns(data.env_patterns, findings)
  const logsReadable = readRequests(data.request_defaults, findings)
  return { containers, logsReadable, findings: findings.list() }
}

function readContainer(
  value: JsonValue,
  path: string,
  findings: FindingSink,
): PolicyContainer | undefined {
  const object = readObject(value, path, findings)
  if (object === undefined) return undefined
  reportUnknownKeys(object, CONTAINER_KEYS, path, findings)
  readString(object.name, `${path}.name`, findings)
  const image = readImage(object, path, findings)
  reportWorkingDirectory(readString(object.cwd, `${path}.cwd`, findings), `${path}.cwd`, findings)
  readUser(object.user, `${path}.user`, findings)
  const capabilities = readStrings(object.capabilities, `${path}.capabilities`, findings)
  reportCapabilities(capabilities, `${path}.capabilities`, findings)
  for (const key of ['no_new_privileges', 'readonly_root'])
    if (typeof object[key] !== 'boolean') findings.push(malformed(`${path}.${key}`, 'a boolean'))
  readMounts(object.mounts, `${path}.mounts`, findings)
  return {
    path,
    isSandbox: false,
    ...(image === undefined ? {} : { image }),
    layerRoots: [],
    args: readStrings(object.args, `${path}.args`, findings),
    argsExact: true,
    env: readStrings(object.env, `${path}.env`, findings),
    execCommands: [],
  }
}

/** The rules compare `image_digest`; `image` is for people and must not say something else. */
function readImage(
  object: JsonObject,
  path: string,
  findings: FindingSink,
): { reference: string; digest?: string } | undefined {
  const reference = readString(object.image, `${path}.image`, findings)
  const digest = readString(object.image_digest, `${path}.image_digest`, findings)
  if (reference === undefined || digest === undefined) return undefined
  if (!isSha256Digest(digest)) {
    findings.push(malformed(`${path}.image_digest`, 'sha256: and 64 lower-case hex digits'))
    return { reference }
  }
  if (parseImageReference(reference)?.digest !== digest) {
    findings.push(
      makeFinding(
        'refuse',
        'IMAGE_CONTRADICTS',
        `${path}.image`,
        `The reference ${quote(reference)} does not carry the digest that the rules compare.`,
      ),
    )
  }
  return { reference, digest }
}

function readUser(value: JsonValue | undefined, path: string, findings: FindingSink): void {
  const user = readObject(value, path, findings)
  if (user === undefined) return
  reportUnknownKeys(user, ['uid', 'gid', 'additional_gids'], path, findings)
  const gids = readList(user.additional_gids, `${path}.additional_gids`, findings)
  for (const id of [user.uid, user.gid, ...gids])
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0)
      findings.push(malformed(path, 'numeric uid, gid and additional_gids'))
}

/** Capabilities with which a container reaches out of itself, into the guest and its agents. */
const STRONG_CAPABILITIES = [
  'CAP_SYS_ADMIN',
  'CAP_SYS_MODULE',
  'CAP_SYS_PTRACE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_BOOT',
  'CAP_DAC_READ_SEARCH',
  'CAP_BPF',
  'CAP_PERFMON',
  'CAP_MAC_ADMIN',
]

/** Shared with the other data shape: the same list means the same there. */
export function reportCapabilities(
  capabilities: readonly string[],
  path: string,
  findings: FindingSink,
): void {
  const strong = capabilities.filter(
    (name) => STRONG_CAPABILITIES.includes(name) || name === '$(privileged_caps)',
  )
  if (strong.length > 0)
    findings.push(
      makeFinding(
        'warn',
        'CONTAINER_PRIVILEGED',
        path,
        `The container gets capabilities that reach into the guest: ${strong.join(', ')}.`,
      ),
    )
}

function readMounts(value: JsonValue | undefined, path: string, findings: FindingSink): void {
  readList(value, path, findings).forEach((item, index) => {
    const at = `${path}[${index}]`
    const mount = readObject(item, at, findings)
    if (mount === undefined) return
    const isScratch = mount.kind === 'scratch'
    const keys = ['destination', 'kind', 'read_only', ...(isScratch ? ['volume'] : [])]
    reportUnknownKeys(mount, keys, at, findings)
    const destination = readString(mount.destination, `${at}.destination`, findings) ?? ''
    if (typeof mount.read_only !== 'boolean')
      findings.push(malformed(`${at}.read_only`, 'a boolean'))
    if (mount.kind === 'files') findings.push(hostFiles(at, destination))
    else if (isScratch) {
      findings.push(scratch(at, destination))
      const volume = readString(mount.volume, `${at}.volume`, findings)
      if (volume !== undefined && !VOLUME_NAME.test(volume))
        findings.push(malformed(`${at}.volume`, 'the name of a volume'))
    } else findings.push(malformed(`${at}.kind`, '"scratch" or "files"'))
  })
}

/** A DNS label: the rules compare it with the last part of the storage's path. */
const VOLUME_NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/

/** Credentials of the pod in its cluster, not code. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

export function hostFiles(path: string, destination: string): Finding {
  return makeFinding(
    destination === SERVICE_ACCOUNT ? 'info' : 'refuse',
    'HOST_FILES',
    path,
    `The host supplies the files under ${quote(destination)}, and nothing checks them.`,
  )
}

export function scratch(path: string, destination: string): Finding {
  return makeFinding(
    'info',
    'SCRATCH_MOUNT',
    path,
    `An empty volume made in the guest covers ${quote(destination)}.`,
  )
}

/** Where the runtime mounts what the host supplies, and ways round through the kernel's file systems. */
const NOT_OF_THE_IMAGE = /^\/(?:proc|sys|dev|run|var\/run)(?:\/|$)/

/**
 * A command may name its code relative to the working directory, so a directory that the host fills would make its files
 * the program. Shared with the other data shape.
 */
export function reportWorkingDirectory(
  cwd: string | undefined,
  path: string,
  findings: FindingSink,
): void {
  if (cwd === undefined || cwd === '/') return
  const isPlain = /^(?:\/[^/]+)+$/.test(cwd) && !/\/\.{1,2}(?:\/|$)/.test(cwd)
  const isOfImage = isPlain && !NOT_OF_THE_IMAGE.test(cwd)
  const message = isOfImage
    ? `The command starts in ${quote(cwd)}.`
    : `The command would start in ${quote(cwd)}, which may hold files that are not the image's.`
  findings.push(makeFinding(isOfImage ? 'info' : 'refuse', 'WORKING_DIRECTORY', path, message))
}

function readEnvPatterns(value: JsonValue | undefined, findings: FindingSink): void {
  const path = `${DATA_PATH}.env_patterns`
  for (const name of readStrings(value, path, findings)) {
    if (!ENV_PATTERNS.some((known) => known === name))
      findings.push(malformed(path, `a list of ${ENV_PATTERNS.join(', ')}`))
    else
      findings.push(
        makeFinding(
          'info',
          'ENV_PATTERN',
          path,
          `The control plane may add environment variables of the kind ${name}.`,
        ),
      )
  }
}

function readRequests(value: JsonValue | undefined, findings: FindingSink): boolean {
  const path = `${DATA_PATH}.request_defaults`
  const requests = readObject(value, path, findings)
  if (requests === undefined) return true
  reportUnknownKeys(requests, ['ReadStreamRequest'], path, findings)
  const logs = requests.ReadStreamRequest
  if (typeof logs !== 'boolean') findings.push(malformed(`${path}.ReadStreamRequest`, 'a boolean'))
  return logs !== false
}
