import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { analysePolicy } from '../../policy/analyse.ts'
import { explainAnalysis } from '../../policy/explain.ts'
import type { JsonObject } from '../../policy/json.ts'
import { joinPolicy } from '../../policy/rego.ts'
import { APP_DIGEST } from './agent-requests.ts'
import { ourPolicy } from './samples.ts'

/** The smallest data half in genpolicy's shape; the rules before it are unknown, so only the data is of interest. */
function kataData(container: JsonObject = {}, top: JsonObject = {}): JsonObject {
  return {
    containers: [
      {
        OCI: {
          Process: { Args: ['/app'], Env: ['A=1'], Capabilities: null },
          Mounts: [],
          Annotations: {
            'io.kubernetes.cri.container-type': 'container',
            'io.kubernetes.cri.image-name': `ghcr.io/acme/app:1@${APP_DIGEST}`,
          },
        },
        storages: [],
        exec_commands: [],
        ...container,
      },
    ],
    common: {},
    request_defaults: { ReadStreamRequest: false },
    ...top,
  }
}

function codes(data: JsonObject, severity = 'refuse'): string[] {
  const found = analysePolicy(joinPolicy('package agent_policy', data)).findings
  return found
    .filter((item) => item.severity === severity && item.code !== 'RULES_UNKNOWN')
    .map((item) => item.code)
}

function oci(changes: JsonObject, annotations: JsonObject = {}): JsonObject {
  return {
    OCI: {
      Process: { Args: ['/app'], Env: [], Capabilities: null },
      Mounts: [],
      Annotations: { 'io.kubernetes.cri.container-type': 'container', ...annotations },
      ...changes,
    },
  }
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`)
const request = (name: string, value: JsonObject[string]) =>
  kataData({}, { request_defaults: { ReadStreamRequest: false, [name]: value } })
const process = (changes: JsonObject) =>
  kataData(oci({ Process: { Args: ['/app'], Env: [], ...changes } }))
const mounts = (destination: string, source: string, type = 'bind') =>
  kataData(oci({ Mounts: [{ destination, source, type_: type, options: [] }] }))

describe('policy_data as genpolicy writes it', () => {
  it('is read container by container', () => {
    const analysis = analysePolicy(joinPolicy('package agent_policy', kataData()))
    expect(codes(kataData())).toEqual([])
    expect(analysis.containers).toEqual([
      {
        path: 'policy.rego#policy_data.containers[0]',
        isSandbox: false,
        image: { reference: `ghcr.io/acme/app:1@${APP_DIGEST}`, digest: APP_DIGEST },
        layerRoots: [],
        args: ['/app'],
        argsExact: true,
        env: ['A=1'],
        execCommands: [],
      },
    ])
  })

  it.each<[string, JsonObject, string[]]>([
    [
      'commands for every container',
      request('ExecProcessRequest', { commands: ['sh'], regex: [] }),
      ['EXEC_ALLOWED'],
    ],
    [
      'commands under their newer name',
      request('ExecProcessRequest', { allowed_commands: [['sh']], regex: [] }),
      ['EXEC_ALLOWED'],
    ],
    [
      'commands by pattern',
      request('ExecProcessRequest', { commands: [], regex: ['.*'] }),
      ['EXEC_ALLOWED'],
    ],
    [
      'commands under an unknown name',
      request('ExecProcessRequest', { more: ['sh'] }),
      ['POLICY_KEY_UNKNOWN'],
    ],
    ['exec without a condition', request('ExecProcessRequest', true), ['HOST_POWER']],
    ['a replaced policy', request('SetPolicyRequest', true), ['HOST_POWER']],
    ['writing to standard input', request('WriteStreamRequest', true), ['HOST_POWER']],
    ['copying anywhere', request('CopyFileRequest', ['.*']), ['COPY_FILES_ANYWHERE']],
    [
      'copying anywhere beside the known place',
      request('CopyFileRequest', ['$(sfprefix)', '^/']),
      ['COPY_FILES_ANYWHERE'],
    ],
    [
      'copying into the root file systems',
      request('CopyFileRequest', ['^$(cpath)/']),
      ['COPY_FILES_ANYWHERE'],
    ],
    [
      'any environment',
      request('CreateContainerRequest', { allow_env_regex: ['^.*$'] }),
      ['ENV_PATTERN_OPEN'],
    ],
    [
      'an environment pattern with more behind',
      request('CreateContainerRequest', {
        allow_env_regex: ['^HOSTNAME=$(dns_label)$|^LD_PRELOAD='],
      }),
      ['ENV_PATTERN_OPEN'],
    ],
    ['an unknown request', request('NewRequest', true), ['POLICY_KEY_UNKNOWN']],
    ['a request switched by a word', request('WriteStreamRequest', 'yes'), ['POLICY_KEY_UNKNOWN']],
    ['exec in one container', kataData({ exec_commands: ['sh'] }), ['EXEC_ALLOWED']],
    [
      'exec in one container, as lists',
      kataData({ exec_commands: [['sh', '-c', 'env']] }),
      ['EXEC_ALLOWED'],
    ],
    ['a host mount over the binary', mounts('/usr/bin', '$(sfprefix)bin$'), ['HOST_FILES']],
    ['another source for the hosts file', mounts('/etc/hosts', '$(sfprefix).*'), ['HOST_FILES']],
    ['another source for shared memory', mounts('/dev/shm', '/'), ['HOST_FILES']],
    ['a kernel file system in the wrong place', mounts('/usr', 'tmpfs', 'tmpfs'), ['HOST_FILES']],
    [
      'a storage of the host',
      kataData({ storages: [{ driver: 'smb', options: [] }] }),
      ['STORAGE_UNCHECKED'],
    ],
    [
      'a pull as storage',
      kataData({ storages: [{ driver: 'image_guest_pull', options: [] }] }),
      ['STORAGE_UNCHECKED'],
    ],
    [
      'a block device that is no layer',
      kataData({ storages: [{ driver: 'blk', fstype: 'ext4', options: [] }] }),
      ['STORAGE_UNCHECKED'],
    ],
    [
      'an overlay without roots',
      kataData({
        storages: [{ driver: 'overlayfs', fstype: 'fuse3.kata-overlay', options: ['a', 'b'] }],
      }),
      ['POLICY_DATA_MALFORMED', 'POLICY_DATA_MALFORMED', 'ROOT_NOT_OF_LAYERS'],
    ],
    [
      'a reference that is none',
      kataData(oci({}, { 'io.kubernetes.cri.image-name': 'A B' })),
      ['IMAGE_REFERENCE_INVALID'],
    ],
    [
      'a container of unknown type',
      kataData(oci({}, { 'io.kubernetes.cri.container-type': 'other' })),
      ['CONTAINER_TYPE_UNKNOWN'],
    ],
    [
      'a container without OCI',
      kataData({ OCI: null }),
      ['POLICY_DATA_MALFORMED', 'POLICY_DATA_MALFORMED', 'POLICY_DATA_MALFORMED'],
    ],
    ['an unknown key of a container', kataData({ more: 1 }), ['POLICY_KEY_UNKNOWN']],
    ['an unknown top-level key', kataData({}, { more: {} }), ['POLICY_KEY_UNKNOWN']],
    ['no containers', kataData({}, { containers: null }), ['POLICY_DATA_MALFORMED']],
    [
      'too many containers',
      kataData({}, { containers: Array.from({ length: 65 }, () => ({})) }),
      ['POLICY_DATA_MALFORMED'],
    ],
    [
      'a sandbox storage of the host',
      kataData({}, { sandbox: { storages: [{ driver: 'virtio-fs', source: 'x' }] } }),
      ['SANDBOX_STORAGE'],
    ],
    ['arguments that are no strings', process({ Args: [1] }), ['POLICY_DATA_MALFORMED']],
  ])('refuses %s', (_, data, expected) => {
    expect(codes(data)).toEqual(expected)
  })

  it.each<[string, JsonObject, string]>([
    ['a macro in an argument', process({ Args: ['$(node-name)'] }), 'ARGS_NOT_EXACT'],
    [
      'strong capabilities',
      process({ Capabilities: { Bounding: ['$(privileged_caps)'] } }),
      'CONTAINER_PRIVILEGED',
    ],
    ['a terminal', process({ Terminal: true }), 'TERMINAL'],
  ])('warns of %s', (_, data, code) => {
    expect(codes(data, 'warn')).toContain(code)
  })

  it.each([true, undefined, 'false', 0])(
    'takes logs for readable unless false denies it: %j',
    (value) => {
      const data = kataData(
        {},
        { request_defaults: value === undefined ? {} : { ReadStreamRequest: value } },
      )
      expect(analysePolicy(joinPolicy('x', data)).logsReadable).toBe(true)
      expect(analysePolicy(joinPolicy('x', kataData())).logsReadable).toBe(false)
    },
  )

  it('tells the sandbox by its annotation, not by its command', () => {
    const pause = { Args: ['/pause'], Env: [] }
    const named = kataData(oci({ Process: pause }))
    const typed = kataData(
      oci({ Process: pause }, { 'io.kubernetes.cri.container-type': 'sandbox' }),
    )
    expect(analysePolicy(joinPolicy('x', named)).containers[0]?.isSandbox).toBe(false)
    expect(analysePolicy(joinPolicy('x', typed)).containers[0]?.isSandbox).toBe(true)
  })
})

describe('any text', () => {
  it('is answered with findings and never with an exception', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '\npolicy_data := ',
        'policy_data := {}',
        '{"containers":[',
        '{"format":1}',
        ourPolicy(),
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const analysis = analysePolicy(pieces.join(''))
        if (pieces.join('').trimEnd() !== ourPolicy().trimEnd())
          expect(analysis.findings.some((found) => found.severity === 'refuse')).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('is answered for any JSON in the data half of either shape', () => {
    const shapes = fc.constantFrom<JsonObject>({}, { format: 'x' }, kataData())
    fc.assert(
      fc.property(
        shapes,
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom('containers', 'common', 'request_defaults', 'sandbox', 'env_patterns'),
        (shape, value, key) => {
          const rego = `x\npolicy_data := ${JSON.stringify({ ...shape, [key]: value })}`
          expect(explainAnalysis(analysePolicy(rego)).length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 500 },
    )
  })

  it.each<[string, string]>([
    [
      'unknown keys',
      joinPolicy('x', kataData({}, Object.fromEntries(numbered(5000).map((key) => [key, 1])))),
    ],
    ['malformed mounts', joinPolicy('x', kataData(oci({ Mounts: numbered(4000).map(() => 1) })))],
    ['powers', `${'default ExecProcessRequest := true\n'.repeat(5000)}policy_data := {}`],
    [
      'sets of capabilities with endless names',
      joinPolicy('x', process({ Capabilities: { ['x'.repeat(1_000_000)]: 1 } })),
    ],
  ])('is told in a few lines with thousands of %s', (_, rego) => {
    const { findings } = analysePolicy(rego)
    expect(findings.length).toBeLessThan(100)
    expect(JSON.stringify(findings).length).toBeLessThan(20_000)
    expect(findings.some((found) => found.severity === 'refuse')).toBe(true)
  })

  it('counts the findings that it leaves out, by their own code and severity', () => {
    const keys = Object.fromEntries(numbered(100).map((key) => [key, 1]))
    const found = analysePolicy(joinPolicy('x', kataData({}, keys))).findings
    const unknown = found.filter((item) => item.code === 'POLICY_KEY_UNKNOWN')
    expect(unknown).toHaveLength(33)
    expect(unknown.at(-1)).toEqual({
      code: 'POLICY_KEY_UNKNOWN',
      severity: 'refuse',
      path: 'policy.rego#policy_data["k32"]',
      message: '68 more of this kind, from here on.',
    })
  })

  it('is shown without control characters and cut', () => {
    const evil = `\u001b[31m\u202e${'x'.repeat(5000)}`
    const lines = explainAnalysis(
      analysePolicy(joinPolicy('x', kataData({ exec_commands: [evil] }))),
    )
    expect(lines.join('')).not.toMatch(/\p{Cc}|\u202e/u)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(400)
  })
})
