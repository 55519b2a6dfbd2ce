/**
 * policy_data as genpolicy writes it (kata-containers `src/tools/genpolicy`, and Microsoft's fork): `containers`,
 * `common`, `sandbox`, `request_defaults` and, in later versions, `devices` and `cluster_config`.
 *
 * The sandbox is told by its container-type annotation, never by its arguments or image: a pause image can run
 * as an ordinary container.
 * @module
 */

import { hostFiles, reportCapabilities, reportWorkingDirectory, scratch } from './eigenx-data.ts'
import { createFindings, type FindingSink, makeFinding, quote } from './findings.ts'
import { parseImageReference } from './image.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { readRequestDefaults } from './kata-requests.ts'
import { LOCAL_POINT, readLayers, readSandboxStorages } from './kata-storages.ts'
import {
  DATA_PATH,
  type DataReading,
  MAX_CONTAINERS,
  readList,
  readObject,
  readString,
  readStrings,
  reportUnknownKeys,
} from './shape.ts'
import type { PolicyContainer } from './types.ts'

const TOP_KEYS = [
  'containers',
  'common',
  'sandbox',
  'request_defaults',
  'devices',
  'cluster_config',
]
const CONTAINER_KEYS = [
  'OCI',
  'storages',
  'devices',
  'sandbox_pidns',
  'exec_commands',
  'runtime_anno_patterns',
]
const CONTAINER_TYPE = 'io.kubernetes.cri.container-type'
const SANDBOX_ID = 'io.kubernetes.cri.sandbox-id'
const IMAGE_NAME = 'io.kubernetes.cri.image-name'

export function readKataData(data: JsonObject): DataReading {
  const findings = createFindings()
  reportUnknownKeys(data, TOP_KEYS, DATA_PATH, findings)
  readObject(data.common, `${DATA_PATH}.common`, findings)
  if (data.sandbox !== undefined) readSandbox(data.sandbox, findings)
  const listPath = `${DATA_PATH}.containers`
  const list = readList(data.containers, listPath, findings, MAX_CONTAINERS)
  const layers = new Map<string, string>()
  const containers = list.flatMap((value, index) => {
    const container = readContainer(value, `${listPath}[${index}]`, layers, findings)
    return container === undefined ? [] : [container]
  })
  const logsReadable = readRequestDefaults(data.request_defaults, findings)
  return { containers, logsReadable, findings: findings.list() }
}

function readSandbox(value: JsonValue, findings: FindingSink): void {
  const path = `${DATA_PATH}.sandbox`
  const sandbox = readObject(value, path, findings)
  if (sandbox === undefined) return
  reportUnknownKeys(sandbox, ['storages'], path, findings)
  readSandboxStorages(sandbox.storages, findings)
}

function readContainer(
  value: JsonValue,
  path: string,
  layers: Map<string, string>,
  findings: FindingSink,
): PolicyContainer | undefined {
  const object = readObject(value, path, findings)
  if (object === undefined) return undefined
  reportUnknownKeys(object, CONTAINER_KEYS, path, findings)
  const oci = readObject(object.OCI, `${path}.OCI`, findings)
  const process = readObject(oci?.Process, `${path}.OCI.Process`, findings)
  const annotations = readObject(oci?.Annotations, `${path}.OCI.Annotations`, findings)
  if (oci === undefined || process === undefined || annotations === undefined) return undefined
  const root =
    oci.Root === undefined ? undefined : readObject(oci.Root, `${path}.OCI.Root`, findings)
  const isSandbox = readContainerType(annotations, path, findings)
  reportSandboxId(annotations, path, findings)
  const image = readImage(annotations, path, findings)
  const args = readArgs(process, path, findings)
  const env = readStrings(process.Env ?? [], `${path}.OCI.Process.Env`, findings)
  const execCommands = readExec(object.exec_commands, path, findings)
  reportMounts(oci.Mounts, `${path}.OCI.Mounts`, findings)
  reportProcess(process, path, findings)
  return {
    path,
    isSandbox,
    ...(image === undefined ? {} : { image }),
    layerRoots: readLayers({ storages: object.storages, root: root?.Path, path }, layers, findings),
    ...args,
    env,
    execCommands,
  }
}

function readContainerType(annotations: JsonObject, path: string, findings: FindingSink): boolean {
  const type = annotations[CONTAINER_TYPE]
  if (type !== 'sandbox' && type !== 'container')
    findings.push(
      makeFinding(
        'refuse',
        'CONTAINER_TYPE_UNKNOWN',
        `${path}.OCI.Annotations["${CONTAINER_TYPE}"]`,
        'The annotation must say sandbox or container.',
      ),
    )
  return type === 'sandbox'
}

/** The host's id of the sandbox becomes part of patterns, so it may hold nothing that means something there. */
function reportSandboxId(annotations: JsonObject, path: string, findings: FindingSink): void {
  const pattern = annotations[SANDBOX_ID]
  if (pattern === undefined || pattern === '^[a-z0-9]{64}$') return
  findings.push(
    makeFinding(
      'refuse',
      'SANDBOX_ID_OPEN',
      `${path}.OCI.Annotations["${SANDBOX_ID}"]`,
      'The host may choose an id of the sandbox that changes the patterns of mounts.',
    ),
  )
}

function readImage(
  annotations: JsonObject,
  path: string,
  findings: FindingSink,
): { reference: string; digest?: string } | undefined {
  const at = `${path}.OCI.Annotations["${IMAGE_NAME}"]`
  const value = annotations[IMAGE_NAME]
  if (value === undefined) return undefined
  const reference = readString(value, at, findings)
  if (reference === undefined) return undefined
  const parsed = parseImageReference(reference)
  if (parsed === undefined) {
    findings.push(
      makeFinding('refuse', 'IMAGE_REFERENCE_INVALID', at, `${quote(reference)} is no reference.`),
    )
    return { reference }
  }
  return { reference, ...(parsed.digest === undefined ? {} : { digest: parsed.digest }) }
}

/** The rules let an argument with $(node-name) be anything, and fill in the pod's name for $(sandbox-name). */
function readArgs(
  process: JsonObject,
  path: string,
  findings: FindingSink,
): { args: readonly string[]; argsExact: boolean } {
  const at = `${path}.OCI.Process.Args`
  const args = readStrings(process.Args ?? [], at, findings)
  const open = args.findIndex((arg) => /\$\((?:node-name|sandbox-name)\)|\$\$/.test(arg))
  if (open >= 0)
    findings.push(
      makeFinding(
        'warn',
        'ARGS_NOT_EXACT',
        `${at}[${open}]`,
        'A macro in this argument is filled in by the host.',
      ),
    )
  return { args, argsExact: open < 0 }
}

function readExec(
  value: JsonValue | undefined,
  path: string,
  findings: FindingSink,
): readonly string[] {
  const at = `${path}.exec_commands`
  // Older versions leave the key out; later ones hold either the words joined by blanks or a list of lists.
  const commands = readList(value ?? [], at, findings).map((item) =>
    typeof item === 'string' ? item : readStrings(item, at, findings).join(' '),
  )
  if (commands.length > 0)
    findings.push(
      makeFinding(
        'refuse',
        'EXEC_ALLOWED',
        at,
        `The host may run ${commands.length} command(s) in the container, the first ${quote(commands[0] ?? '')}.`,
      ),
    )
  return commands
}

/** Destinations that the runtime always mounts, and sources that never come from the host's disk. */
const KERNEL_TYPES = ['proc', 'tmpfs', 'devpts', 'mqueue', 'sysfs', 'cgroup', 'cgroup2']
const POD_FILES: Readonly<Record<string, string>> = {
  '/etc/hosts': '$(sfprefix)hosts$',
  '/etc/hostname': '$(sfprefix)hostname$',
  '/etc/resolv.conf': '$(sfprefix)resolv.conf$',
  '/dev/termination-log': '$(sfprefix)termination-log$',
}
/** genpolicy lists both for every pod. They hold credentials, not code. */
const CREDENTIALS: Readonly<Record<string, string>> = {
  '/var/run/secrets/kubernetes.io/serviceaccount': '$(sfprefix)serviceaccount$',
  '/var/run/secrets/azure/tokens': '$(sfprefix)tokens$',
}

function reportMounts(value: JsonValue | undefined, path: string, findings: FindingSink): void {
  readList(value ?? [], path, findings).forEach((item, index) => {
    const at = `${path}[${index}]`
    const mount = readObject(item, at, findings)
    if (mount === undefined) return
    const destination = readString(mount.destination, `${at}.destination`, findings) ?? ''
    const source = readString(mount.source, `${at}.source`, findings) ?? ''
    const type = readString(mount.type_, `${at}.type_`, findings) ?? ''
    if (KERNEL_TYPES.includes(type) && /^\/(?:proc|dev|sys)(?:\/|$)/.test(destination)) return
    if (destination === '/dev/shm' && source === '/run/kata-containers/sandbox/shm') return
    if (POD_FILES[destination] === source || CREDENTIALS[destination] === source) return
    if (LOCAL_POINT.test(source)) {
      findings.push(scratch(at, destination))
      return
    }
    findings.push(hostFiles(at, destination))
  })
}

function reportProcess(process: JsonObject, path: string, findings: FindingSink): void {
  const at = `${path}.OCI.Process`
  if (process.Terminal === true)
    findings.push(
      makeFinding('warn', 'TERMINAL', `${at}.Terminal`, 'The container is attached to a terminal.'),
    )
  if (process.Cwd !== undefined)
    reportWorkingDirectory(readString(process.Cwd, `${at}.Cwd`, findings), `${at}.Cwd`, findings)
  const capabilities = process.Capabilities
  if (capabilities === undefined || capabilities === null) return
  const sets = readObject(capabilities, `${at}.Capabilities`, findings)
  const names = Object.entries(sets ?? {}).flatMap(([set, list]) =>
    readStrings(list ?? [], `${at}.Capabilities.${set.slice(0, 64)}`, findings),
  )
  reportCapabilities([...new Set(names)], `${at}.Capabilities`, findings)
}
