/** What our rule set must allow and deny of storages: space that the guest makes in its own memory, and nothing that the host could fill. */

import {
  added,
  appRequest,
  changed,
  type Fields,
  type Json,
  scratchStorage,
} from './agent-requests.ts'

type Case = readonly [name: string, input: Fields, expect: boolean]

const APP = appRequest()
const LOCAL = scratchStorage()
const LOCAL_POINT = typeof LOCAL.mount_point === 'string' ? LOCAL.mount_point : ''
const DATA_MOUNT = ['OCI', 'Mounts', 10]

const MEMORY: Fields = {
  driver: 'ephemeral',
  driver_options: [],
  fs_group: null,
  fstype: 'tmpfs',
  mount_point: '/run/kata-containers/sandbox/ephemeral/data',
  options: [],
  source: 'tmpfs',
}

/** As Kata sends an emptyDir under `emptydir_mode = "block-encrypted"`; agents that do not know the option mount the disk as the host filled it. */
const BLOCK: Fields = {
  driver: 'blk',
  driver_options: ['encryption_key=ephemeral', 'create_filesystem'],
  fs_group: null,
  fstype: 'ext4',
  mount_point: '/run/kata-containers/sandbox/storage/MDAvMDA=',
  options: [],
  source: '00/00',
  shared: true,
}

/** The shared memory of the pod, as both runtimes send it with the sandbox. */
export const SHM: Fields = {
  driver: 'ephemeral',
  driver_options: [],
  fs_group: null,
  fstype: 'tmpfs',
  mount_point: '/run/kata-containers/sandbox/shm',
  options: ['noexec', 'nosuid', 'nodev', 'mode=1777', 'size=67108864'],
  source: 'shm',
}

const FS_GROUP: Fields = { group_id: 1000, group_change_policy: 'Always' }

/** Newer agents make an overlay of the sources of all storages with the first option, the host's disk on top. */
const LAYER_OPTIONS = [
  ['X-kata.multi-layer=true'],
  ['X-kata.multi-layer=true', 'X-kata.overlay-upper'],
  ['X-kata.multi-layer=true', 'X-kata.overlay-lower'],
  ['X-kata.mkdir.path=/run/confidential-containers/x:0777'],
  ['fsgid=1000', 'X-kata.multi-layer=true'],
  ['fsgid=1000,X-kata.multi-layer=true'],
]

/** The app's request with its scratch volume on another storage. */
function withScratch(storage: Fields): Fields {
  const moved = changed(APP, ['storages', 1], storage)
  return changed(moved, [...DATA_MOUNT, 'source'], storage.mount_point)
}

/** One more storage beside those that the app needs. */
function beside(storage: Fields): Fields {
  return added(APP, ['storages'], storage)
}

const denied = (name: string, changes: Fields, base: Fields): Case => [
  name,
  withScratch({ ...base, ...changes }),
  false,
]

const IN_MEMORY: readonly Case[] = [
  ['memory as scratch', withScratch(MEMORY), true],
  ['memory as scratch for a group', withScratch({ ...MEMORY, options: ['fsgid=1000'] }), true],
  ['memory as scratch, not shared', withScratch({ ...MEMORY, shared: false }), true],
  denied('memory as scratch, of another driver', { driver: 'nvdimm' }, MEMORY),
  denied('memory as scratch, with a file system of the host', { fstype: 'ext4' }, MEMORY),
  denied('memory as scratch, from another source', { source: '/dev/vda' }, MEMORY),
  denied('memory as scratch, without a source', { source: '' }, MEMORY),
  denied('memory as scratch, with driver options', { driver_options: ['x'] }, MEMORY),
  denied('memory as scratch, with a mount option', { options: ['mode=0777'] }, MEMORY),
  denied('memory as scratch, owned anew', { fs_group: FS_GROUP }, MEMORY),
  denied('memory as scratch, outliving its container', { shared: true }, MEMORY),
  denied('memory as scratch, elsewhere', { mount_point: '/usr' }, MEMORY),
  denied(
    'memory as scratch, above its directory',
    { mount_point: '/run/kata-containers/sandbox/ephemeral/..' },
    MEMORY,
  ),
]

const OF_ANOTHER_VOLUME: readonly Case[] = ['cache', 'xdata', 'data2', 'data.x'].flatMap(
  (volume): readonly Case[] => [
    denied(
      `memory of the volume ${volume}`,
      { mount_point: `/run/kata-containers/sandbox/ephemeral/${volume}` },
      MEMORY,
    ),
    denied(
      `the directory of the volume ${volume}`,
      { mount_point: `${LOCAL_POINT.slice(0, -4)}${volume}` },
      LOCAL,
    ),
  ],
)

const IN_DIRECTORY: readonly Case[] = [
  [
    'local scratch for a group',
    withScratch({ ...LOCAL, options: ['mode=0777', 'fsgid=1000'] }),
    true,
  ],
  [
    'local scratch mounted under the type that Kata leaves it',
    changed(APP, [...DATA_MOUNT, 'type_'], 'local'),
    true,
  ],
  [
    'listed files under the type of local scratch',
    changed(APP, ['OCI', 'Mounts', 11, 'type_'], 'local'),
    false,
  ],
  denied('local scratch of another file system', { fstype: 'virtiofs' }, LOCAL),
  denied('local scratch of another driver', { driver: '9p' }, LOCAL),
  denied('local scratch from another source', { source: '02/00' }, LOCAL),
  denied('local scratch with driver options', { driver_options: ['x'] }, LOCAL),
  denied('local scratch with another mode', { options: ['mode=4777'] }, LOCAL),
  denied('local scratch with a mount option', { options: ['bind'] }, LOCAL),
  denied('local scratch, owned anew', { fs_group: FS_GROUP }, LOCAL),
  denied('local scratch, outliving its container', { shared: true }, LOCAL),
  denied('local scratch elsewhere', { mount_point: '/run/confidential-containers' }, LOCAL),
  denied(
    'local scratch above its directory',
    { mount_point: `${LOCAL_POINT.slice(0, -4)}..` },
    LOCAL,
  ),
]

const ON_DISK: readonly Case[] = [
  denied('a disk to be encrypted by the agent', {}, BLOCK),
  denied('a SCSI disk to be encrypted by the agent', { driver: 'scsi' }, BLOCK),
  denied('a disk of another bus to be encrypted by the agent', { driver: 'mmioblk' }, BLOCK),
  denied('a disk that is not encrypted', { driver_options: ['create_filesystem'] }, BLOCK),
  denied('a disk as it is', { driver_options: [] }, BLOCK),
  denied('a disk in the place of memory', { mount_point: text(MEMORY.mount_point) }, BLOCK),
  denied('a disk in the place of local scratch', { mount_point: LOCAL_POINT }, BLOCK),
  ['a disk that nothing mounts', beside(BLOCK), false],
]

const AS_LAYER: readonly Case[] = LAYER_OPTIONS.flatMap((options): readonly Case[] => [
  denied(`memory as scratch with the options ${options.join(' ')}`, { options }, MEMORY),
  denied(`local scratch with the options ${options.join(' ')}`, { options }, LOCAL),
  [
    `a pull with the options ${options.join(' ')}`,
    changed(APP, ['storages', 0, 'options'], options),
    false,
  ],
])

const PULL: readonly Case[] = [
  ['a pull that is owned anew', changed(APP, ['storages', 0, 'fs_group'], FS_GROUP), false],
  ['a pull that outlives its container', changed(APP, ['storages', 0, 'shared'], true), false],
]

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** Requests to create a container. */
export const STORAGE_CASES: readonly Case[] = [
  ...IN_MEMORY,
  ...IN_DIRECTORY,
  ...OF_ANOTHER_VOLUME,
  ...ON_DISK,
  ...AS_LAYER,
  ...PULL,
]

/** The one storage of a sandbox. */
export const SANDBOX_STORAGE_CASES: readonly Case[] = [
  ['shared memory of the size that the host says', SHM, true],
  ['shared memory with an option of the host', { ...SHM, options: ['exec'] }, false],
  ['shared memory, owned anew', { ...SHM, fs_group: FS_GROUP }, false],
  ['shared memory marked as shared', { ...SHM, shared: true }, false],
  ...LAYER_OPTIONS.map(
    (options): Case => [
      `shared memory with the options ${options.join(' ')}`,
      { ...SHM, options },
      false,
    ],
  ),
]
