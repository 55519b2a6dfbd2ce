/** Published policies and initdata documents, read where they lie; left out where they are not. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { analysePolicy } from '../../policy/analyse.ts'
import { encodeInitdata, parseInitdata } from '../../policy/initdata.ts'
import { judgePolicy } from '../../policy/judge.ts'
import { findRuleSet } from '../../policy/rules.ts'
import type { PolicyAnalysis } from '../../policy/types.ts'
import { bytesToHex, utf8ToBytes } from '../../sdk/bytes.ts'
import { sharedVectors } from '../kit/shared-vectors.ts'
import { changed, type Fields, samplePolicyData, scratchStorage } from './agent-requests.ts'
import { loadRules } from './rules-engine.ts'
import { demandOf, noPolicy, refusals } from './samples.ts'

const found = sharedVectors('policy')
const folder = found ?? ''

function listFiles(sub: string, ending: string): string[] {
  if (found === undefined) return []
  return readdirSync(join(folder, sub)).filter((name) => name.endsWith(ending))
}

function read(sub: string, name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, sub, name)))
}

function readText(sub: string, name: string): string {
  return readFileSync(join(folder, sub, name), 'utf8')
}

function analyse(name: string): PolicyAnalysis {
  return analysePolicy(readText('genpolicy', `${name}.policy.rego`))
}

/** Documents that leave what runs to the host: no pin excuses them. */
const UNPINNABLE = ['POLICY_MISSING', 'HOST_POWER']

describe.runIf(found !== undefined)('published initdata', () => {
  it.each(listFiles('initdata', '.b64'))('%s holds the document beside it', (name) => {
    const wire = parseInitdata(read('initdata', name))
    const toml = read('initdata', name.replace('.cc_init_data.b64', '.initdata.toml'))
    expect(Buffer.from(wire.toml).equals(toml)).toBe(true)
    expect(bytesToHex(wire.sha384)).toBe(createHash('sha384').update(toml).digest('hex'))
    expect(bytesToHex(wire.digest)).toBe(createHash(wire.algorithm).update(toml).digest('hex'))
  })

  it.each(listFiles('initdata', '.toml'))('%s survives our encoder', (name) => {
    const raw = parseInitdata(read('initdata', name))
    expect(raw.encoding).toBe('toml')
    const again = parseInitdata(utf8ToBytes(encodeInitdata(raw.toml)))
    expect(bytesToHex(again.sha384)).toBe(bytesToHex(raw.sha384))
    expect({ ...again.data }).toEqual({ ...raw.data })
  })

  it.each(listFiles('initdata', '.toml'))('%s is refused unless it is pinned', (name) => {
    const initdata = parseInitdata(read('initdata', name))
    for (const allowDigestOnly of [false, true]) {
      const verdict = judgePolicy({ initdata, demand: demandOf(), allowDigestOnly })
      expect(verdict.allowed).toBe(false)
      expect(refusals(verdict).length).toBeGreaterThan(0)
    }
    const publicEnv = { EIGENX_TEE_INITDATA_SHA384: bytesToHex(initdata.sha384) }
    const demand = demandOf({ publicEnv, containerPolicy: noPolicy() })
    const pinned = judgePolicy({ initdata, demand, allowDigestOnly: false })
    const leavesChoice = refusals(pinned).some((code) => UNPINNABLE.includes(code))
    expect(pinned.pinnedBy).toBe(leavesChoice ? undefined : 'initdata')
  })
})

describe.runIf(found !== undefined)('published policies', () => {
  const expected: Readonly<Record<string, { containers: number; pins: string | undefined }>> = {
    'kata-genpolicy-gpu-vfio-cdi': { containers: 1, pins: undefined },
    'ms-2025-12-csi-hostpath-plugin': { containers: 7, pins: 'false' },
    'ms-2025-12-deployment-busybox': { containers: 1, pins: 'false' },
    'ms-2025-12-pod-cm1': { containers: 1, pins: 'false' },
    'ms-2025-12-pod-exec': { containers: 1, pins: 'false' },
    'ms-2025-12-pod-same-containers': { containers: 3, pins: 'false' },
    'ms-2025-12-pod-three-containers': { containers: 3, pins: 'false' },
    'ms-2025-12-test-cron-job': { containers: 1, pins: 'false' },
    'ms-kata-pod-one-container': { containers: 1, pins: 'false' },
    'upstream-pod-one-container': { containers: 1, pins: 'false' },
  }
  const names = listFiles('genpolicy', '.policy.rego').map((name) =>
    name.replace('.policy.rego', ''),
  )

  it.each(names)('%s is read container by container, with one sandbox', (name) => {
    const analysis = analyse(name)
    const pins = analysis.rules === undefined ? undefined : String(analysis.rules.pinsImage)
    const apps = analysis.containers.filter((container) => !container.isSandbox)
    expect({ containers: apps.length, pins }).toEqual(expected[name])
    expect(analysis.containers.length - apps.length).toBe(1)
    expect(analysis.findings.map((item) => item.code)).not.toContain('POLICY_DATA_MALFORMED')
    expect(analysis.findings.map((item) => item.code)).not.toContain('POLICY_COMMON_CHANGED')
  })

  it('takes a reference with a tag and a digest, and pause as an ordinary container', () => {
    const app = analyse('kata-genpolicy-gpu-vfio-cdi').containers[1]
    expect(app).toMatchObject({ isSandbox: false, args: ['/pause'] })
    expect(app?.image?.digest).toMatch(/^sha256:3d380ca8/)
  })

  it('finds the commands that may be executed and the readable logs', () => {
    const analysis = analyse('ms-2025-12-pod-exec')
    expect(analysis.containers[1]?.execCommands).toHaveLength(3)
    expect(analysis.logsReadable).toBe(true)
    expect(analyse('ms-kata-pod-one-container').logsReadable).toBe(false)
  })

  it('are refused although their layers are well written, since no rules of theirs hold them fast', () => {
    const analysis = analyse('ms-2025-12-deployment-busybox')
    expect(analysis.containers.map(({ layerRoots }) => layerRoots.length)).toEqual([2, 2])
    const refused = analysis.findings.filter(({ severity }) => severity === 'refuse')
    expect(refused.map(({ code }) => code)).toEqual(['IMAGE_NOT_PINNED'])
  })

  it('knows every released Kata rule set by its hash', () => {
    const rows = readText('genpolicy', 'kata-rules-releases.tsv').trim().split('\n').slice(1)
    expect(rows.length).toBeGreaterThan(30)
    for (const row of rows)
      expect(findRuleSet(row.split('\t')[1] ?? '')).toMatchObject({ pinsImage: false })
  })
})

describe.runIf(found !== undefined)('published agent requests', () => {
  const json: z.ZodType<Fields[string]> = z.lazy(() =>
    z.union([
      z.null(),
      z.boolean(),
      z.number(),
      z.string(),
      z.array(json),
      z.record(z.string(), json),
    ]),
  )
  const cases = z.array(
    z.object({
      description: z.string(),
      allowed: z.boolean(),
      request: z.record(z.string(), json),
    }),
  )
  const guestPull = () =>
    cases.parse(JSON.parse(readText('agent-requests', 'guest-pull-storage.testcases.json')))
  const CONTAINER_ID = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

  it('with a guest pull get the answers of their authors from our rules, save for the disk of the host', async () => {
    const decide = await loadRules()
    const digest = 'sha256:3d380ca8864549e74af4b29c10f9cb0956236dfb01c40ca076fb6c37253234db'
    const data = {
      ...samplePolicyData(),
      containers: [
        {
          name: 'dummy',
          image: `registry.k8s.io/pause@${digest}`,
          image_digest: digest,
          args: ['/pause'],
          env: [],
          cwd: '/',
          user: { uid: 65535, gid: 0, additional_gids: [0] },
          capabilities: [
            'CHOWN',
            'DAC_OVERRIDE',
            'FSETID',
            'FOWNER',
            'MKNOD',
            'NET_RAW',
            'SETGID',
            'SETUID',
            'SETFCAP',
            'SETPCAP',
            'NET_BIND_SERVICE',
            'SYS_CHROOT',
            'KILL',
            'AUDIT_WRITE',
          ].map((name) => `CAP_${name}`),
          no_new_privileges: false,
          readonly_root: false,
          mounts: [{ destination: '/mnt/test', kind: 'scratch', volume: 'test', read_only: false }],
        },
      ],
    }
    const samples = guestPull()
    expect(samples.length).toBeGreaterThan(2)
    for (const sample of samples) {
      // The published requests leave out what the agent always sends: the container's id and its variables.
      const request: Fields = { ...sample.request, container_id: CONTAINER_ID }
      const oci = request.OCI
      if (oci === null || typeof oci !== 'object' || Array.isArray(oci)) throw new Error('no OCI')
      const process = oci.Process
      if (process === null || typeof process !== 'object' || Array.isArray(process))
        throw new Error('no process')
      process.Env = []
      expect(decide('CreateContainerRequest', request, data)).toBe(false)
      const inMemory = withVolumeInMemory(request)
      expect([sample.description, decide('CreateContainerRequest', inMemory, data)]).toEqual([
        sample.description,
        sample.allowed,
      ])
    }
  })

  /** With the emptyDir as Kata sends it for `medium: Memory`. */
  function withVolumeInMemory(request: Fields): Fields {
    const point = '/run/kata-containers/sandbox/ephemeral/test'
    const memory = { ...scratchStorage(), driver: 'ephemeral', fstype: 'tmpfs', source: 'tmpfs' }
    const storage = { ...memory, mount_point: point, options: [] }
    const disk = '/run/kata-containers/sandbox/storage/MDAvMDA='
    const source = JSON.stringify(disk)
    const moved = changed(request, ['storages', 0], storage)
    return JSON.parse(JSON.stringify(moved).replaceAll(source, JSON.stringify(point)))
  }

  it('without a listed image are denied, whatever they are', async () => {
    const decide = await loadRules()
    for (const name of listFiles('agent-requests', '.testcases.json'))
      for (const sample of cases.parse(JSON.parse(readText('agent-requests', name))))
        expect(decide('CreateContainerRequest', sample.request, samplePolicyData())).toBe(false)
  })
})
