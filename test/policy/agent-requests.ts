/**
 * Requests as the Kata agent hands them to its policy engine, in the smallest form that starts one pod of two
 * containers. Field names follow `src/libs/protocols/protos/{agent,oci}.proto` as serde writes them.
 */

import type { JsonObject } from '../../policy/json.ts'

export const APP_DIGEST = `sha256:${'a1'.repeat(32)}`
export const SIDE_DIGEST = `sha256:${'b2'.repeat(32)}`
export const OTHER_DIGEST = `sha256:${'ee'.repeat(32)}`
export const APP_IMAGE = `ghcr.io/acme/app@${APP_DIGEST}`
export const SIDE_IMAGE = `ghcr.io/acme/side@${SIDE_DIGEST}`
export const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
export const CAPABILITIES = ['CAP_CHOWN', 'CAP_NET_BIND_SERVICE', 'CAP_SETGID', 'CAP_SETUID']

const SHARED = '/run/kata-containers/shared/containers'
const APP_ID = '11'.repeat(32)
const SANDBOX_ID = '22'.repeat(32)

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type Fields = { [key: string]: Json }

/** policy_data of the sample pod. */
export function samplePolicyData(): JsonObject {
  return {
    format: 'eigenx-tee/policy/1',
    containers: [
      {
        name: 'app',
        image: APP_IMAGE,
        image_digest: APP_DIGEST,
        args: ['/usr/bin/app', '--serve'],
        env: [PATH, 'MODE=production'],
        cwd: '/srv',
        user: { uid: 1000, gid: 1000, additional_gids: [1000] },
        capabilities: CAPABILITIES,
        no_new_privileges: true,
        readonly_root: false,
        mounts: [
          { destination: '/data', kind: 'scratch', volume: 'data', read_only: false },
          { destination: '/config', kind: 'files', read_only: true },
        ],
      },
      {
        name: 'side',
        image: SIDE_IMAGE,
        image_digest: SIDE_DIGEST,
        args: ['/side'],
        env: [PATH],
        cwd: '/',
        user: { uid: 0, gid: 0, additional_gids: [0] },
        capabilities: CAPABILITIES,
        no_new_privileges: false,
        readonly_root: true,
        mounts: [],
      },
    ],
    env_patterns: ['hostname', 'service_links'],
    request_defaults: { ReadStreamRequest: false },
  }
}

type RequestParts = {
  id: string
  annotations: Fields
  image: string
  process: Fields
  readonlyRoot: boolean
  mounts: Json[]
  storages: Json[]
}

function createContainer(parts: RequestParts): Fields {
  return {
    container_id: parts.id,
    exec_id: parts.id,
    devices: [],
    shared_mounts: [],
    sandbox_pidns: false,
    string_user: null,
    stdin_port: 0,
    stdout_port: 0,
    stderr_port: 0,
    storages: [pullStorage(parts.id, parts.image, parts.annotations), ...parts.storages],
    OCI: {
      Version: '1.1.0',
      Hostname: '',
      Hooks: null,
      Solaris: null,
      Windows: null,
      Annotations: parts.annotations,
      Root: { Path: `/run/kata-containers/${parts.id}/rootfs`, Readonly: parts.readonlyRoot },
      Process: parts.process,
      Mounts: [...kernelMounts(), ...parts.mounts],
      Linux: {
        CgroupsPath: '/kubepods/pod',
        Devices: [],
        UIDMappings: [],
        GIDMappings: [],
        MountLabel: '',
        RootfsPropagation: '',
        IntelRdt: null,
        Seccomp: null,
        Sysctl: {},
        MaskedPaths: ['/proc/kcore', '/proc/keys'],
        ReadonlyPaths: ['/proc/sys'],
        Namespaces: [
          { Type: 'ipc', Path: '' },
          { Type: 'uts', Path: '' },
          { Type: 'mount', Path: '' },
          { Type: 'network', Path: '/run/netns/podns' },
        ],
        Resources: { Devices: [], BlockIO: null, Network: null, Pids: null },
      },
    },
  }
}

export function pullStorage(id: string, image: string, metadata: Fields): Fields {
  return {
    driver: 'image_guest_pull',
    driver_options: [`image_guest_pull=${JSON.stringify({ metadata })}`],
    fs_group: null,
    fstype: 'overlay',
    mount_point: `/run/kata-containers/${id}/rootfs`,
    options: [],
    source: image,
  }
}

function kernelMounts(): Json[] {
  return [
    mount('/proc', 'proc', 'proc', ['nosuid', 'noexec', 'nodev']),
    mount('/dev', 'tmpfs', 'tmpfs', ['nosuid']),
    mount('/dev/pts', 'devpts', 'devpts', ['nosuid']),
    mount('/dev/shm', '/run/kata-containers/sandbox/shm', 'bind', ['rbind']),
    mount('/dev/mqueue', 'mqueue', 'mqueue', ['nosuid']),
    mount('/sys', 'sysfs', 'sysfs', ['ro']),
  ]
}

export function mount(
  destination: string,
  source: string,
  type: string,
  options: string[],
): Fields {
  return { destination, source, type_: type, options }
}

export function sharedFile(name: string): string {
  return `${SHARED}/${APP_ID}-0123456789abcdef-${name}`
}

const SCRATCH_POINT = `${SHARED}/${SANDBOX_ID}/rootfs/local/data`

export function scratchStorage(): Fields {
  return {
    driver: 'local',
    driver_options: [],
    fs_group: null,
    fstype: 'local',
    mount_point: SCRATCH_POINT,
    options: ['mode=0777'],
    source: 'local',
  }
}

export function appRequest(): Fields {
  return createContainer({
    id: APP_ID,
    image: APP_IMAGE,
    annotations: {
      'io.katacontainers.pkg.oci.bundle_path': `/run/containerd/k8s.io/${APP_ID}`,
      'io.katacontainers.pkg.oci.container_type': 'pod_container',
      'io.kubernetes.cri.container-name': 'app',
      'io.kubernetes.cri.container-type': 'container',
      'io.kubernetes.cri.image-name': APP_IMAGE,
      'io.kubernetes.cri.sandbox-id': SANDBOX_ID,
    },
    process: {
      Args: ['/usr/bin/app', '--serve'],
      Env: [PATH, 'MODE=production', 'HOSTNAME=pod-1', 'KUBERNETES_SERVICE_HOST=10.0.0.1'],
      Cwd: '/srv',
      Terminal: false,
      NoNewPrivileges: true,
      SelinuxLabel: '',
      User: { UID: 1000, GID: 1000, AdditionalGids: [1000], Username: '' },
      Capabilities: {
        Ambient: [],
        Bounding: CAPABILITIES,
        Effective: CAPABILITIES,
        Inheritable: [],
        Permitted: CAPABILITIES,
      },
    },
    readonlyRoot: false,
    mounts: [
      mount('/etc/hosts', sharedFile('hosts'), 'bind', ['rbind', 'rw']),
      mount('/etc/hostname', sharedFile('hostname'), 'bind', ['rbind', 'rw']),
      mount('/etc/resolv.conf', sharedFile('resolv.conf'), 'bind', ['rbind', 'rw']),
      mount('/dev/termination-log', sharedFile('termination-log'), 'bind', ['rbind', 'rw']),
      mount('/data', SCRATCH_POINT, 'bind', ['rbind', 'rw']),
      mount('/config', sharedFile('config'), 'bind', ['rbind', 'ro']),
    ],
    storages: [scratchStorage()],
  })
}

export function sandboxRequest(): Fields {
  return createContainer({
    id: SANDBOX_ID,
    image: 'registry.k8s.io/pause:3.10',
    annotations: {
      'io.katacontainers.pkg.oci.bundle_path': `/run/containerd/k8s.io/${SANDBOX_ID}`,
      'io.katacontainers.pkg.oci.container_type': 'pod_sandbox',
      'io.kubernetes.cri.container-type': 'sandbox',
      'io.kubernetes.cri.sandbox-id': SANDBOX_ID,
      'nerdctl/network-namespace': '/var/run/netns/cni-1',
    },
    process: {
      Args: ['/pause'],
      Env: [PATH],
      Cwd: '/',
      Terminal: false,
      NoNewPrivileges: true,
      SelinuxLabel: '',
      User: { UID: 65535, GID: 65535, AdditionalGids: [65535], Username: '' },
      Capabilities: { Ambient: [], Bounding: [], Effective: [], Inheritable: [], Permitted: [] },
    },
    readonlyRoot: true,
    mounts: [mount('/etc/resolv.conf', sharedFile('resolv.conf'), 'bind', ['rbind', 'ro'])],
    storages: [],
  })
}

/** A deep copy with the value at `path` replaced, or removed when `value` is undefined. */
export function changed(base: Fields, path: (string | number)[], value: Json | undefined): Fields {
  const copy = structuredClone(base)
  let at: Json = copy
  for (const key of path.slice(0, -1)) at = step(at, key)
  const last = path.at(-1) ?? ''
  if (Array.isArray(at) && typeof last === 'number') at[last] = value ?? null
  else if (isFields(at) && value === undefined) delete at[last]
  else if (isFields(at) && value !== undefined) at[last] = value
  else throw new Error('the path does not fit the request')
  return copy
}

/** A deep copy with an item added to the list at `path`. */
export function added(base: Fields, path: (string | number)[], item: Json): Fields {
  const copy = structuredClone(base)
  let at: Json = copy
  for (const key of path) at = step(at, key)
  if (!Array.isArray(at)) throw new Error('the path does not name a list')
  at.push(item)
  return copy
}

function step(at: Json, key: string | number): Json {
  const next = Array.isArray(at) ? at[Number(key)] : isFields(at) ? at[key] : undefined
  if (next === undefined) throw new Error(`the request has no ${key}`)
  return next
}

function isFields(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
