/** What our rule set must allow and deny, as a table: one base request, one thing changed. */

import {
  APP_IMAGE,
  added,
  appRequest,
  changed,
  type Fields,
  type Json,
  mount,
  OTHER_DIGEST,
  PATH,
  pullStorage,
  SIDE_IMAGE,
  sandboxRequest,
  scratchStorage,
  sharedFile,
} from './agent-requests.ts'
import { SANDBOX_STORAGE_CASES, SHM, STORAGE_CASES } from './rules-storage-cases.ts'

export type RuleCase = { name: string; rule: string; input: Fields; expect: boolean }

const APP = appRequest()
const SANDBOX = sandboxRequest()
const MOUNTS = ['OCI', 'Mounts']
const ENV = ['OCI', 'Process', 'Env']

/** The app's request with another image everywhere the host names it. */
function withImage(
  image: string,
  where: { source?: boolean; metadata?: boolean; annotation?: boolean },
) {
  const annotations = fields(fields(APP.OCI).Annotations)
  const renamed: Fields = { ...annotations, 'io.kubernetes.cri.image-name': image }
  const source = where.source === true ? image : APP_IMAGE
  const storage = pullStorage(
    text(APP.container_id),
    source,
    where.metadata === true ? renamed : annotations,
  )
  const out = changed(APP, ['storages', 0], storage)
  return where.annotation === true ? changed(out, ['OCI', 'Annotations'], renamed) : out
}

function fields(value: Json | undefined): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new Error('not an object')
}

function text(value: Json | undefined): string {
  if (typeof value === 'string') return value
  throw new Error('not a string')
}

const EVIL = `evil.example/app@${OTHER_DIGEST}`
const TAGGED = 'ghcr.io/acme/app:latest'
const PULL = fields(Array.isArray(APP.storages) ? APP.storages[0] : undefined)
const PULL_OPTION = text(Array.isArray(PULL.driver_options) ? PULL.driver_options[0] : undefined)
const EVERYWHERE = { source: true, metadata: true, annotation: true }
const HOSTS = sharedFile('hosts')
const MAC = '02:00:5e:10:00:01'

function asSandbox(base: Fields): Fields {
  const typed = changed(base, ['OCI', 'Annotations', 'io.kubernetes.cri.container-type'], 'sandbox')
  return changed(
    typed,
    ['OCI', 'Annotations', 'io.katacontainers.pkg.oci.container_type'],
    'pod_sandbox',
  )
}

const CREATE: readonly [string, Fields, boolean][] = [
  ['the app as released', APP, true],
  ['the sandbox', SANDBOX, true],
  ['the app without the optional variables', changed(APP, ENV, [PATH, 'MODE=production']), true],
  [
    'the released digest from another registry',
    withImage(APP_IMAGE.replace('ghcr.io', 'mirror.example'), EVERYWHERE),
    true,
  ],
  ['tmpfs as /dev/shm', changed(APP, [...MOUNTS, 3], mount('/dev/shm', 'shm', 'tmpfs', [])), true],

  ['another image', withImage(EVIL, EVERYWHERE), false],
  ['another image in the pull source alone', withImage(EVIL, { source: true }), false],
  [
    'another image in the pull source and its metadata',
    withImage(EVIL, { source: true, metadata: true }),
    false,
  ],
  ['another image in the annotation alone', withImage(EVIL, { annotation: true }), false],
  ['another image in the metadata alone', withImage(EVIL, { metadata: true }), false],
  ['a tag instead of a digest', withImage(TAGGED, EVERYWHERE), false],
  [
    'the digest in the tag position of another reference',
    withImage(`evil.example/${APP_IMAGE.slice(-64)}:x@${OTHER_DIGEST}`, EVERYWHERE),
    false,
  ],
  [
    'two digests in one reference',
    withImage(`${EVIL}@${APP_IMAGE.split('@')[1]}`, EVERYWHERE),
    false,
  ],
  ['an approved image of another container', withImage(SIDE_IMAGE, EVERYWHERE), false],
  ['no pull at all', changed(APP, ['storages'], [scratchStorage()]), false],
  ['a second pull', added(APP, ['storages'], PULL), false],
  [
    'a second pull of another image',
    added(APP, ['storages'], changed(PULL, ['source'], EVIL)),
    false,
  ],
  [
    'a pull to another mount point',
    changed(APP, ['storages', 0, 'mount_point'], '/run/kata-containers/other/rootfs'),
    false,
  ],
  [
    'a pull with an option before the real one',
    changed(
      APP,
      ['storages', 0, 'driver_options'],
      [
        `image_guest_pull=${JSON.stringify({ metadata: { 'io.kubernetes.cri.container-type': 'sandbox' } })}`,
        PULL_OPTION,
      ],
    ),
    false,
  ],
  ['a pull without options', changed(APP, ['storages', 0, 'driver_options'], []), false],
  [
    'a pull with options that are no JSON',
    changed(APP, ['storages', 0, 'driver_options'], ['image_guest_pull={']),
    false,
  ],
  [
    'a root outside the pulled image',
    changed(APP, ['OCI', 'Root', 'Path'], '/run/kata-containers/shared/containers/x'),
    false,
  ],
  [
    'a writable root where a read-only one is listed',
    changed(APP, ['OCI', 'Root', 'Readonly'], true),
    false,
  ],
  [
    'a container id that leaves its directory',
    changed(
      changed(APP, ['container_id'], '../x'),
      ['OCI', 'Root', 'Path'],
      '/run/kata-containers/../x/rootfs',
    ),
    false,
  ],

  ['another command', changed(APP, ['OCI', 'Process', 'Args'], ['/bin/sh', '-c', 'env']), false],
  [
    'an argument more',
    changed(APP, ['OCI', 'Process', 'Args'], ['/usr/bin/app', '--serve', '--debug']),
    false,
  ],
  ['an argument less', changed(APP, ['OCI', 'Process', 'Args'], ['/usr/bin/app']), false],
  ['no command', changed(APP, ['OCI', 'Process', 'Args'], []), false],
  ['another working directory', changed(APP, ['OCI', 'Process', 'Cwd'], '/tmp'), false],
  ['root instead of the listed user', changed(APP, ['OCI', 'Process', 'User', 'UID'], 0), false],
  [
    'an unlisted group',
    changed(APP, ['OCI', 'Process', 'User', 'AdditionalGids'], [1000, 0]),
    false,
  ],
  ['a user by name', changed(APP, ['OCI', 'Process', 'User', 'Username'], 'root'), false],
  ['new privileges', changed(APP, ['OCI', 'Process', 'NoNewPrivileges'], false), false],
  [
    'an unlisted capability',
    added(APP, ['OCI', 'Process', 'Capabilities', 'Bounding'], 'CAP_SYS_ADMIN'),
    false,
  ],
  ['a terminal', changed(APP, ['OCI', 'Process', 'Terminal'], true), false],

  ['an extra variable', added(APP, ENV, 'DEBUG=1'), false],
  ['LD_PRELOAD', added(APP, ENV, 'LD_PRELOAD=/data/evil.so'), false],
  ['a listed variable with another value', changed(APP, ENV, [PATH, 'MODE=debug']), false],
  ['a listed variable twice, once with another value', added(APP, ENV, 'MODE=debug'), false],
  ['a listed variable left out', changed(APP, ENV, [PATH]), false],
  ['a service variable that is none', added(APP, ENV, 'LD_SERVICE_HOST=/data/evil.so'), false],
  ['a variable hidden behind a line feed', added(APP, ENV, 'HOSTNAME=x\nLD_PRELOAD=/x'), false],
  ['the host name twice', added(APP, ENV, 'HOSTNAME=pod-2'), false],

  [
    'a host file over the binary',
    added(APP, MOUNTS, mount('/usr/bin/app', sharedFile('app'), 'bind', ['ro'])),
    false,
  ],
  [
    'a host directory over a listed scratch volume',
    changed(APP, [...MOUNTS, 10], mount('/data', sharedFile('data'), 'bind', ['rw'])),
    false,
  ],
  [
    'listed files mounted writable',
    changed(APP, [...MOUNTS, 11], mount('/config', sharedFile('config'), 'bind', ['rw'])),
    false,
  ],
  [
    'listed files from elsewhere in the guest',
    changed(APP, [...MOUNTS, 11], mount('/config', '/run/confidential-containers', 'bind', ['ro'])),
    false,
  ],
  [
    'listed files from above their directory',
    changed(APP, [...MOUNTS, 11], mount('/config', sharedFile('x/../../../etc'), 'bind', ['ro'])),
    false,
  ],
  [
    'the hosts file from another source',
    changed(APP, [...MOUNTS, 6], mount('/etc/hosts', '/etc/shadow', 'bind', ['ro'])),
    false,
  ],
  [
    'a destination twice',
    added(APP, MOUNTS, mount('/config', sharedFile('config2'), 'bind', ['ro'])),
    false,
  ],
  [
    'a bind of the guest under /proc',
    changed(APP, [...MOUNTS, 0], mount('/proc', '/', 'bind', [])),
    false,
  ],
  [
    'an overlay of proc from a host source',
    changed(APP, [...MOUNTS, 0], mount('/proc', '/dev/vda', 'proc', [])),
    false,
  ],
  ['a scratch volume without its storage', changed(APP, ['storages'], [PULL]), false],
  [
    'a storage of an unknown driver',
    added(APP, ['storages'], {
      driver: 'virtio-fs',
      driver_options: [],
      fstype: 'virtiofs',
      mount_point: '/usr',
      options: [],
      source: 'x',
    }),
    false,
  ],
  [
    'a scratch storage outside its directory',
    changed(APP, ['storages', 1, 'mount_point'], '/usr/bin'),
    false,
  ],

  [
    'a container name that is not listed',
    changed(APP, ['OCI', 'Annotations', 'io.kubernetes.cri.container-name'], 'extra'),
    false,
  ],
  [
    'the name of another container',
    changed(APP, ['OCI', 'Annotations', 'io.kubernetes.cri.container-name'], 'side'),
    false,
  ],
  [
    'a device injected by CDI',
    changed(APP, ['OCI', 'Annotations', 'cdi.k8s.io/vfio0'], 'nvidia.com/gpu=0'),
    false,
  ],
  ['a device', changed(APP, ['devices'], [{ container_path: '/dev/mem' }]), false],
  ['standard input over a port', changed(APP, ['stdin_port'], 5000), false],
  ['standard output over a port', changed(APP, ['stdout_port'], 5000), false],
  ['standard error over a port', changed(APP, ['stderr_port'], 5000), false],
  ["the sandbox's output over a port", changed(SANDBOX, ['stdout_port'], 5000), false],
  ['no ports', changed(APP, ['stdout_port'], null), true],
  ['an agent that knows no ports', changed(APP, ['stdout_port'], undefined), true],
  ['a hook', changed(APP, ['OCI', 'Hooks'], { Prestart: [{ Path: '/bin/sh' }] }), false],
  [
    'a filter that only pretends to make system calls',
    changed(APP, ['OCI', 'Linux', 'Seccomp'], {
      DefaultAction: 'SCMP_ACT_ALLOW',
      Syscalls: [{ Names: ['getrandom'], Action: 'SCMP_ACT_ERRNO', ErrnoRet: 0 }],
    }),
    false,
  ],
  ['a shared mount', changed(APP, ['shared_mounts'], [{ name: 'x' }]), false],
  ['a shared process namespace', changed(APP, ['sandbox_pidns'], true), false],
  [
    'the guest mount namespace',
    changed(APP, ['OCI', 'Linux', 'Namespaces', 2, 'Path'], '/proc/1/ns/mnt'),
    false,
  ],
  [
    'no mount namespace',
    changed(
      APP,
      ['OCI', 'Linux', 'Namespaces'],
      [
        { Type: 'ipc', Path: '' },
        { Type: 'uts', Path: '' },
      ],
    ),
    false,
  ],
  [
    'a dangerous sysctl',
    changed(APP, ['OCI', 'Linux', 'Sysctl'], { 'kernel.core_pattern': '|/data/x' }),
    false,
  ],
  [
    'the masks of containerd',
    changed(APP, ['OCI', 'Linux', 'MaskedPaths'], ['/proc/kcore', '/sys/devices/virtual/powercap']),
    true,
  ],
  ['no masks', changed(APP, ['OCI', 'Linux', 'MaskedPaths'], null), true],
  [
    'a mask over a file of the image',
    changed(APP, ['OCI', 'Linux', 'MaskedPaths'], ['/etc/ssl/certs']),
    false,
  ],
  [
    'a mask that leaves /proc',
    changed(APP, ['OCI', 'Linux', 'MaskedPaths'], ['/proc/../etc']),
    false,
  ],
  [
    'a read-only path of the image',
    changed(APP, ['OCI', 'Linux', 'ReadonlyPaths'], ['/data']),
    false,
  ],
  [
    'the real pull option and another one',
    changed(APP, ['storages', 0, 'driver_options'], [PULL_OPTION, 'x=1']),
    false,
  ],
  [
    'a pull option of another name',
    changed(APP, ['storages', 0, 'driver_options'], [`image_guest_pulls${PULL_OPTION.slice(17)}`]),
    false,
  ],
  ['a pull with another file system', changed(APP, ['storages', 0, 'fstype'], 'ext4'), false],
  ['a pull with mount options', changed(APP, ['storages', 0, 'options'], ['lowerdir=/x']), false],
  [
    'a pull whose metadata asks for the pause bundle',
    changed(
      APP,
      ['storages', 0],
      pullStorage(text(APP.container_id), APP_IMAGE, {
        ...fields(fields(APP.OCI).Annotations),
        'io.kubernetes.cri.container-type': 'sandbox',
      }),
    ),
    false,
  ],
  ['three parts in a reference', withImage(`${APP_IMAGE}@x`, EVERYWHERE), false],
  ['the group of root', changed(APP, ['OCI', 'Process', 'User', 'GID'], 0), false],
  [
    'an unknown container type',
    changed(APP, ['OCI', 'Annotations', 'io.kubernetes.cri.container-type'], 'other'),
    false,
  ],
  [
    'types that contradict each other',
    changed(APP, ['OCI', 'Annotations', 'io.katacontainers.pkg.oci.container_type'], 'pod_sandbox'),
    false,
  ],
  ['a sandbox with a second storage', added(SANDBOX, ['storages'], scratchStorage()), false],

  [
    'the pulled image as a volume',
    changed(
      APP,
      [...MOUNTS, 10],
      mount('/data', `/run/kata-containers/${text(APP.container_id)}/rootfs`, 'bind', ['rw']),
    ),
    false,
  ],
  [
    'scratch space where files are listed',
    changed(
      APP,
      [...MOUNTS, 11],
      mount('/config', text(scratchStorage().mount_point), 'bind', ['ro']),
    ),
    false,
  ],
  [
    'a listed volume read-only where it is writable',
    changed(APP, [...MOUNTS, 10, 'options'], ['ro']),
    false,
  ],
  [
    'listed files both read-only and writable',
    changed(APP, [...MOUNTS, 11, 'options'], ['ro', 'rw']),
    false,
  ],
  ['a listed volume of another type', changed(APP, [...MOUNTS, 10, 'type_'], 'overlay'), false],
  ['a kernel file system of another type', changed(APP, [...MOUNTS, 0, 'type_'], 'tmpfs'), false],
  [
    'shared memory over the binary',
    added(APP, MOUNTS, mount('/usr/bin', '/run/kata-containers/sandbox/shm', 'bind', [])),
    false,
  ],
  [
    'fresh memory over the binary',
    added(APP, MOUNTS, mount('/usr/bin', 'shm', 'tmpfs', [])),
    false,
  ],
  ['shared memory from elsewhere', changed(APP, [...MOUNTS, 3, 'source'], '/run'), false],
  ['shared memory of another type', changed(APP, [...MOUNTS, 3, 'type_'], 'overlay'), false],
  [
    'fresh memory of another type',
    changed(APP, [...MOUNTS, 3], mount('/dev/shm', 'shm', 'bind', [])),
    false,
  ],
  [
    'fresh memory from a device',
    changed(APP, [...MOUNTS, 3], mount('/dev/shm', '/dev/vda', 'tmpfs', [])),
    false,
  ],
  ['the hosts file of another type', changed(APP, [...MOUNTS, 6, 'type_'], 'overlay'), false],
  ['an empty request', {}, false],

  ['the app under the annotations of a sandbox', asSandbox(APP), false],
  [
    'a sandbox that runs the app',
    changed(SANDBOX, ['OCI', 'Process', 'Args'], ['/usr/bin/app', '--serve']),
    false,
  ],
  [
    'a sandbox whose image is really pulled',
    changed(
      SANDBOX,
      ['storages', 0],
      pullStorage(text(SANDBOX.container_id), EVIL, {
        'io.kubernetes.cri.container-type': 'container',
      }),
    ),
    false,
  ],
  [
    'a sandbox whose metadata says nothing',
    changed(SANDBOX, ['storages', 0], pullStorage(text(SANDBOX.container_id), EVIL, {})),
    false,
  ],
  ['a sandbox without a pull', changed(SANDBOX, ['storages'], []), false],
  ['a sandbox with LD_PRELOAD', added(SANDBOX, ENV, 'LD_PRELOAD=/x'), false],
  [
    'a sandbox with a mount over /pause',
    added(SANDBOX, MOUNTS, mount('/pause', sharedFile('pause'), 'bind', ['ro'])),
    false,
  ],
  [
    'the metadata of CRI-O beside those of containerd',
    changed(
      APP,
      ['storages', 0],
      pullStorage(text(APP.container_id), APP_IMAGE, {
        ...fields(fields(APP.OCI).Annotations),
        'io.kubernetes.cri-o.ContainerType': 'sandbox',
      }),
    ),
    false,
  ],
]

const DENIED = [
  'AddSwapPathRequest',
  'AddSwapRequest',
  'AllowRequestsFailingPolicy',
  'CloseStdinRequest',
  'ExecProcessRequest',
  'GetDiagnosticDataRequest',
  'GetIPTablesRequest',
  'GetMetricsRequest',
  'GetVolumeStatsRequest',
  'ListInterfacesRequest',
  'ListRoutesRequest',
  'MemAgentCompactSetRequest',
  'MemAgentMemcgSetRequest',
  'MemHotplugByProbeRequest',
  'PauseContainerRequest',
  'PullImageRequest',
  'ReadStreamRequest',
  'ReseedRandomDevRequest',
  'ResizeVolumeRequest',
  'ResumeContainerRequest',
  'SetGuestDateTimeRequest',
  'SetIPTablesRequest',
  'SetPolicyRequest',
  'StartTracingRequest',
  'StopTracingRequest',
  'TtyWinResizeRequest',
  'UpdateContainerRequest',
  'UpdateEphemeralMountsRequest',
  'VolumeStatsRequest',
  'WriteStreamRequest',
]
const ALLOWED = [
  'DestroySandboxRequest',
  'GetOOMEventRequest',
  'GuestDetailsRequest',
  'OnlineCPUMemRequest',
  'RemoveContainerRequest',
  'RemoveStaleVirtiofsShareMountsRequest',
  'StartContainerRequest',
  'StatsContainerRequest',
  'WaitProcessRequest',
]

const FILE = 0o100644
const DIRECTORY = 0o040755
const LINK = 0o120777
const SYMLINK_IN = [...new TextEncoder().encode('..data/token')]
const SYMLINK_OUT = [...new TextEncoder().encode('../../../etc')]
const SYMLINK_DEEP = [...new TextEncoder().encode('..data/../../../etc')]
const SYMLINK_ROOT = [...new TextEncoder().encode('/etc')]

function copy(path: string, mode: number, data: number[] = []): Fields {
  return { path, file_mode: mode, dir_mode: 0o755, file_size: 1, offset: 0, uid: 0, gid: 0, data }
}

const COPY: readonly [string, Fields, boolean][] = [
  ['the hosts file', copy(HOSTS, FILE), true],
  ['the resolver file', copy(sharedFile('resolv.conf'), FILE), true],
  ['a file of a listed volume', copy(sharedFile('config/a.json'), FILE), true],
  ['a projected directory', copy(sharedFile('config/..2026_01_02_03_04_05.1'), DIRECTORY), true],
  ['a link inside a listed volume', copy(sharedFile('config/token'), LINK, SYMLINK_IN), true],
  [
    'a file outside the shared directory',
    copy('/run/confidential-containers/cdh.toml', FILE),
    false,
  ],
  ['a file above the shared directory', copy(sharedFile('config/../../../x'), FILE), false],
  ["a container's root", copy('/run/kata-containers/x/rootfs/usr/bin/app', FILE), false],
  ['a device node', copy(HOSTS, 0o060644), false],
  ['the hosts file as a link', copy(HOSTS, LINK, SYMLINK_ROOT), false],
  ['a link to the root', copy(sharedFile('config/token'), LINK, SYMLINK_ROOT), false],
  ['a link upwards', copy(sharedFile('config/token'), LINK, SYMLINK_OUT), false],
  [
    'a link that goes down and then up',
    copy(sharedFile('config/token'), LINK, SYMLINK_DEEP),
    false,
  ],
  ['a link without a readable target', copy(sharedFile('config/token'), LINK), false],
  ['a file that names its link target apart', { ...copy(HOSTS, FILE), symlink_src: '/etc' }, false],
]

const bytes = (target: string) => [...new TextEncoder().encode(target)]

const COPY_MORE: readonly [string, Fields, boolean][] = [
  ['a pipe', copy(sharedFile('config/a'), 0o010644), false],
  ['a character device', copy(sharedFile('config/a'), 0o020644), false],
  ['a block device', copy(sharedFile('config/a'), 0o060644), false],
  ['a pipe with a link target', copy(sharedFile('config/a'), 0o010644, SYMLINK_IN), false],
  ['a socket with a link target', copy(sharedFile('config/a'), 0o140644, SYMLINK_IN), false],
  ['a socket', copy(sharedFile('config/a'), 0o140644), false],
  [
    'a link with its target elsewhere too',
    { ...copy(sharedFile('config/a'), LINK, SYMLINK_IN), symlink_src: '/etc' },
    false,
  ],
  ['a link to a sibling', copy(sharedFile('config/a'), LINK, bytes('x.data')), false],
  ['a link to a hidden sibling', copy(sharedFile('config/a'), LINK, bytes('.xdata')), false],
  ['a link to the parent', copy(sharedFile('config/a'), LINK, bytes('..')), false],
  [
    'a link through a sibling of the parent',
    copy(sharedFile('config/a'), LINK, bytes('../x')),
    false,
  ],
  ['a link to a dotted name below', copy(sharedFile('config/a'), LINK, bytes('..data/.x')), true],
  [
    'a link to a name with two dots',
    copy(sharedFile('config/a'), LINK, bytes('..data/x..y')),
    true,
  ],
]

const BOOT: Fields = {
  hostname: 'pod',
  dns: [],
  storages: [SHM],
  sandbox_pidns: false,
  guest_hook_path: '',
  kernel_modules: [],
}

const SIGNALS: readonly [number, boolean][] = [
  [2, true],
  [3, true],
  [9, true],
  [15, true],
  [28, true],
  [0, false],
  [1, false],
  [10, false],
  [12, false],
  [19, false],
  [64, false],
]

const OTHERS: readonly [string, string, Fields, boolean][] = [
  ...SIGNALS.map(([signal, expect]): [string, string, Fields, boolean] => [
    'SignalProcessRequest',
    `signal ${signal}`,
    { container_id: APP.container_id ?? '', exec_id: '', signal },
    expect,
  ]),
  ['SignalProcessRequest', 'no signal', { container_id: APP.container_id ?? '' }, false],
  ['ExecProcessRequest', 'with streams of its own', { stdout_port: 5000 }, false],
  ['CreateSandboxRequest', 'shared memory', BOOT, true],
  ['CreateSandboxRequest', 'nothing to mount', { ...BOOT, storages: [] }, true],
  [
    'CreateSandboxRequest',
    'a host mount',
    { ...BOOT, storages: [{ ...SHM, driver: 'virtio-fs', source: 'kataShared' }] },
    false,
  ],
  [
    'CreateSandboxRequest',
    'shared memory elsewhere',
    { ...BOOT, storages: [{ ...SHM, mount_point: '/usr' }] },
    false,
  ],
  ['CreateSandboxRequest', 'guest hooks', { ...BOOT, guest_hook_path: '/hooks' }, false],
  ['CreateSandboxRequest', 'kernel modules', { ...BOOT, kernel_modules: [{ name: 'x' }] }, false],
  ['CreateSandboxRequest', 'one process namespace', { ...BOOT, sandbox_pidns: true }, false],
  [
    'UpdateInterfaceRequest',
    'the pod interface',
    {
      interface: {
        name: 'eth0',
        device: 'eth0',
        hwAddr: '02:00:5e:10:00:01',
        IPAddresses: [{ address: '10.1.2.3', mask: '24' }],
      },
    },
    true,
  ],
  ...['00:00:00:00:00:00', '', '0', '00-00-00-00-00-01'].map(
    (hwAddr): [string, string, Fields, boolean] => [
      'UpdateInterfaceRequest',
      `the loopback device by its hardware address ${JSON.stringify(hwAddr)}`,
      { interface: { name: 'eth0', device: 'eth0', hwAddr, IPAddresses: [] } },
      false,
    ],
  ),
  [
    'UpdateInterfaceRequest',
    'a loopback address written as version 6',
    { interface: { name: 'eth0', hwAddr: MAC, IPAddresses: [{ address: '::0.0.0.1' }] } },
    false,
  ],
  [
    'UpdateInterfaceRequest',
    'the loopback interface',
    { interface: { name: 'lo', hwAddr: MAC, IPAddresses: [] } },
    false,
  ],
  [
    'UpdateInterfaceRequest',
    'a loopback address',
    {
      interface: { name: 'eth0', hwAddr: MAC, IPAddresses: [{ address: '127.0.0.1', mask: '8' }] },
    },
    false,
  ],
  [
    'UpdateRoutesRequest',
    'the default route',
    { routes: { Routes: [{ dest: '', gateway: '10.1.2.1', device: 'eth0', source: '' }] } },
    true,
  ],
  [
    'UpdateRoutesRequest',
    'a route to loopback',
    { routes: { Routes: [{ dest: '127.0.0.1/32', gateway: '', device: 'eth0', source: '' }] } },
    false,
  ],
  [
    'UpdateRoutesRequest',
    'a route over lo',
    { routes: { Routes: [{ dest: '', gateway: '', device: 'lo', source: '' }] } },
    false,
  ],
  [
    'UpdateRoutesRequest',
    'an IPv6 loopback route',
    { routes: { Routes: [{ dest: '::1/128', gateway: '', device: 'eth0', source: '' }] } },
    false,
  ],
  [
    'AddARPNeighborsRequest',
    'a neighbour',
    {
      neighbors: {
        ARPNeighbors: [{ device: 'eth0', toIPAddress: { address: '10.1.2.1', mask: '' } }],
      },
    },
    true,
  ],
  [
    'AddARPNeighborsRequest',
    'a neighbour at loopback',
    {
      neighbors: {
        ARPNeighbors: [{ device: 'eth0', toIPAddress: { address: '127.0.0.1', mask: '' } }],
      },
    },
    false,
  ],
  [
    'UpdateInterfaceRequest',
    'the loopback device under another name',
    { interface: { name: 'eth0', device: 'lo', hwAddr: MAC, IPAddresses: [] } },
    false,
  ],
  [
    'UpdateRoutesRequest',
    'a route from loopback',
    { routes: { Routes: [{ dest: '', gateway: '', device: 'eth0', source: '127.0.0.1' }] } },
    false,
  ],
  [
    'AddARPNeighborsRequest',
    'a neighbour on lo',
    {
      neighbors: {
        ARPNeighbors: [{ device: 'lo', toIPAddress: { address: '10.1.2.1', mask: '' } }],
      },
    },
    false,
  ],
]

export const RULE_CASES: readonly RuleCase[] = [
  ...[...CREATE, ...STORAGE_CASES].map(([name, input, expect]) => ({
    name,
    rule: 'CreateContainerRequest',
    input,
    expect,
  })),
  ...[...COPY, ...COPY_MORE].map(([name, input, expect]) => ({
    name,
    rule: 'CopyFileRequest',
    input,
    expect,
  })),
  ...SANDBOX_STORAGE_CASES.map(([name, storage, expect]) => ({
    name,
    rule: 'CreateSandboxRequest',
    input: { ...BOOT, storages: [storage] },
    expect,
  })),
  ...OTHERS.map(([rule, name, input, expect]) => ({ name, rule, input, expect })),
  ...DENIED.map((rule) => ({ name: 'any', rule, input: {}, expect: false })),
  ...ALLOWED.map((rule) => ({ name: 'any', rule, input: {}, expect: true })),
]
