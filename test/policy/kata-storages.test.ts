/** Layers, scratch volumes and the sandbox's storages in genpolicy's data half: whatever could lie where a layer belongs is refused. */
import { describe, expect, it } from 'vitest'
import { analysePolicy } from '../../policy/analyse.ts'
import type { JsonObject } from '../../policy/json.ts'
import { joinPolicy } from '../../policy/rego.ts'

const IDS = ['1a'.repeat(32), '2a'.repeat(32)]
const ROOTS = ['1b'.repeat(32), '2b'.repeat(32)]
const ROOT = '$(cpath)/$(bundle-id)'

const layer = (index: number, changes: JsonObject = {}): JsonObject => ({
  driver: 'blk',
  driver_options: [],
  source: '',
  fstype: 'tar',
  options: [`$(hash${index})`],
  mount_point: `$(layer${index})`,
  fs_group: null,
  ...changes,
})
const overlay = (changes: JsonObject = {}): JsonObject => ({
  driver: 'overlayfs',
  driver_options: [],
  source: '',
  fstype: 'fuse3.kata-overlay',
  options: [IDS.join(':'), ROOTS.join(':')],
  mount_point: ROOT,
  fs_group: null,
  ...changes,
})
const LOCAL: JsonObject = {
  driver: 'local',
  source: 'local',
  fstype: 'local',
  options: ['mode=0777'],
  mount_point: '^$(cpath)/$(sandbox-id)/rootfs/local/data$',
}
const MEMORY: JsonObject = {
  driver: 'ephemeral',
  source: 'tmpfs',
  fstype: 'tmpfs',
  options: [],
  mount_point: '^/run/kata-containers/sandbox/ephemeral/data$',
}
const SHM: JsonObject = {
  driver: 'ephemeral',
  driver_options: [],
  source: 'shm',
  fstype: 'tmpfs',
  options: ['noexec', 'nosuid', 'nodev', 'mode=1777', 'size=67108864'],
  mount_point: '/run/kata-containers/sandbox/shm',
  fs_group: null,
}
const LAYERS = [layer(0), layer(1), overlay()]

type Changes = { root?: string; sandboxId?: string; mounts?: JsonObject[] }

function container(storages: JsonObject[], changes: Changes = {}): JsonObject {
  const { root = ROOT, sandboxId = '^[a-z0-9]{64}$', mounts = [] } = changes
  return {
    OCI: {
      Root: { Path: root, Readonly: true },
      Process: { Args: ['/app'], Env: [], Capabilities: null },
      Mounts: mounts,
      Annotations: {
        'io.kubernetes.cri.container-type': 'container',
        'io.kubernetes.cri.sandbox-id': sandboxId,
      },
    },
    storages,
    exec_commands: [],
  }
}

function read(containers: JsonObject[], shm: JsonObject = SHM) {
  const data = {
    containers,
    common: {},
    sandbox: { storages: [shm] },
    request_defaults: { ReadStreamRequest: false },
  }
  const analysis = analysePolicy(joinPolicy('package agent_policy', data))
  const refused = analysis.findings.filter(({ severity }) => severity === 'refuse')
  return {
    analysis,
    codes: refused.map(({ code }) => code).filter((code) => code !== 'RULES_UNKNOWN'),
  }
}

describe('storages of a container', () => {
  it('are its layers and what the guest makes', () => {
    const { analysis, codes } = read([
      container([...LAYERS, LOCAL, MEMORY]),
      container([...LAYERS].reverse()),
    ])
    expect(codes).toEqual([])
    expect(analysis.containers.map(({ layerRoots }) => layerRoots)).toEqual([ROOTS, ROOTS])
  })

  it.each<[string, JsonObject[], string]>([
    [
      'a layer at the place of another',
      [layer(0, { mount_point: '$(layer1)' }), layer(1), overlay()],
      'STORAGE_UNCHECKED',
    ],
    [
      'a layer elsewhere in the guest',
      [layer(0, { mount_point: '/usr' }), layer(1), overlay()],
      'STORAGE_UNCHECKED',
    ],
    [
      'a layer of a driver with options',
      [layer(0, { driver_options: ['x'] }), layer(1), overlay()],
      'STORAGE_UNCHECKED',
    ],
    ['a layer that is not mounted', [layer(0), overlay()], 'POLICY_DATA_MALFORMED'],
    ['a layer that is mounted twice', [layer(0), layer(0), overlay()], 'POLICY_DATA_MALFORMED'],
    ['a layer more', [layer(0), layer(1), layer(2), overlay()], 'POLICY_DATA_MALFORMED'],
    [
      'ids that lead elsewhere',
      [layer(0), layer(1), overlay({ options: [`${IDS[0]}:../x`, ROOTS.join(':')] })],
      'POLICY_DATA_MALFORMED',
    ],
    [
      'one id for two layers',
      [layer(0), layer(1), overlay({ options: [`${IDS[0]}:${IDS[0]}`, ROOTS.join(':')] })],
      'POLICY_DATA_MALFORMED',
    ],
    ['two overlays', [...LAYERS, overlay()], 'POLICY_DATA_MALFORMED'],
    [
      'a root of a place that is fixed',
      [layer(0), layer(1), overlay({ mount_point: '/x' })],
      'ROOT_NOT_OF_LAYERS',
    ],
    ['scratch at any place', [...LAYERS, { ...LOCAL, mount_point: '.*' }], 'STORAGE_UNCHECKED'],
    [
      'scratch at a place that goes on',
      [...LAYERS, { ...LOCAL, mount_point: '^$(cpath)/$(sandbox-id)/rootfs/local/data' }],
      'STORAGE_UNCHECKED',
    ],
    [
      'scratch of another file system',
      [...LAYERS, { ...LOCAL, fstype: 'tmpfs' }],
      'STORAGE_UNCHECKED',
    ],
    ['memory at any place', [...LAYERS, { ...MEMORY, mount_point: '/' }], 'STORAGE_UNCHECKED'],
    ['memory that is a share', [...LAYERS, { ...MEMORY, fstype: 'virtiofs' }], 'STORAGE_UNCHECKED'],
  ])('are refused with %s', (_name, storages, code) => {
    expect(read([container(storages)]).codes).toContain(code)
  })

  it('are refused when the root is not their overlay', () => {
    const copied = '$(cpath)/$(bundle-id)-0000000000000000-root'
    expect(read([container(LAYERS, { root: copied })]).codes).toEqual(['ROOT_NOT_OF_LAYERS'])
    expect(
      read([container([layer(0), layer(1), overlay({ mount_point: copied })], { root: copied })])
        .codes,
    ).toEqual(['ROOT_NOT_OF_LAYERS'])
  })

  it('are refused when containers give one id to layers of different roots', () => {
    const other = overlay({ options: [IDS.join(':'), [...ROOTS].reverse().join(':')] })
    expect(read([container(LAYERS), container([layer(0), layer(1), other])]).codes).toEqual([
      'POLICY_DATA_MALFORMED',
      'POLICY_DATA_MALFORMED',
    ])
  })
})

describe('patterns that the host could widen', () => {
  it('are those with any id of a sandbox', () => {
    expect(read([container(LAYERS, { sandboxId: '.*' })]).codes).toEqual(['SANDBOX_ID_OPEN'])
  })

  it('are sources of scratch mounts without both ends', () => {
    const mount = (source: string) =>
      read([
        container(LAYERS, {
          mounts: [{ destination: '/data', source, type_: 'local', options: [] }],
        }),
      ]).codes
    const whole = '^$(cpath)/$(sandbox-id)/rootfs/local/data$'
    expect(mount(whole)).toEqual([])
    for (const open of [whole.slice(1), whole.slice(0, -1), whole.replace('data', '..')])
      expect(mount(open)).toEqual(['HOST_FILES'])
  })
})

describe('storages of the sandbox', () => {
  it.each<[string, JsonObject]>([
    ['a share under the name of shared memory', { fstype: 'virtiofs' }],
    ['another place', { mount_point: '/run/kata-containers/sandbox/layers/x' }],
    ['options that name other directories', { options: ['lowerdir=/run'] }],
    ['options of a driver', { driver_options: ['x'] }],
    ['another group', { fs_group: { group_id: 1 } }],
  ])('are refused with %s', (_name, changes) => {
    expect(read([container(LAYERS)], { ...SHM, ...changes }).codes).toEqual(['SANDBOX_STORAGE'])
  })
})
