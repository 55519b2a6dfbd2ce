import { beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { parseInitdata } from '../../policy/initdata.ts'
import { judgePolicy } from '../../policy/judge.ts'
import { describeInitdata } from '../../policy/prepare.ts'
import { releaseDemand } from '../../policy/release.ts'
import { bytesToHex, utf8ToBytes } from '../../sdk/bytes.ts'
import { refusalOf } from '../kit/errors.ts'
import {
  APP_DIGEST,
  appRequest,
  changed,
  PATH,
  pullStorage,
  SIDE_DIGEST,
  sandboxRequest,
} from './agent-requests.ts'
import { container, dataOf, FILES, type Manifest, podYaml, prepare } from './prepare-kit.ts'
import { type Engine, loadRules } from './rules-engine.ts'
import { APP_ID, noPolicy } from './samples.ts'

describe('prepareRelease', () => {
  it('makes a document that the pinned release accepts', () => {
    const made = prepare()
    const initdata = parseInitdata(utf8ToBytes(made.annotation.value))
    expect(made.annotation.name).toBe('io.katacontainers.config.hypervisor.cc_init_data')
    expect(made.pins).toEqual({ EIGENX_TEE_INITDATA_SHA384: bytesToHex(initdata.sha384) })
    expect(Object.keys(initdata.data)).toEqual([
      'aa.toml',
      'cdh.toml',
      'eigenx.toml',
      'policy.rego',
    ])
    expect(initdata.data['eigenx.toml']).toBe(FILES['eigenx.toml'])
    const demand = releaseDemand({
      app: APP_ID,
      imageDigest: made.imageDigest,
      publicEnv: made.pins,
      containerPolicy: noPolicy(),
    })
    expect(judgePolicy({ initdata, demand, allowDigestOnly: false })).toMatchObject({
      allowed: true,
      pinnedBy: 'initdata',
    })
  })

  it('makes a document that a release with a ContainerPolicy accepts too', () => {
    const made = prepare({ podYaml: podYaml({}, [container({ workingDir: '/' })]) })
    const initdata = parseInitdata(utf8ToBytes(made.initdataToml))
    const containerPolicy = { ...noPolicy(), args: made.args, env: made.env }
    const demand = releaseDemand({
      app: APP_ID,
      imageDigest: made.imageDigest,
      publicEnv: {},
      containerPolicy,
    })
    expect(judgePolicy({ initdata, demand, allowDigestOnly: false })).toMatchObject({
      allowed: true,
      pinnedBy: 'container-policy',
    })
  })

  it('is deterministic', () => {
    const shuffled = {
      'eigenx.toml': FILES['eigenx.toml'],
      'cdh.toml': FILES['cdh.toml'],
      'aa.toml': FILES['aa.toml'],
    }
    expect(prepare({ files: shuffled })).toEqual(prepare())
  })

  it('lists further containers with their commands', () => {
    const side = container({
      name: 'side',
      image: `ghcr.io/acme/side@${SIDE_DIGEST}`,
      command: ['/side'],
      args: undefined,
      env: undefined,
      workingDir: '/',
    })
    const app = container({ workingDir: '/' })
    const made = prepare({ podYaml: podYaml({}, [app, side]) })
    expect(made.pins.EIGENX_TEE_IMAGES).toMatch(new RegExp(`^${SIDE_DIGEST}=[0-9a-f]{64}$`))
    const { EIGENX_TEE_IMAGES = '' } = made.pins
    const containerPolicy = { ...noPolicy(), args: made.args, env: made.env }
    const demand = releaseDemand({
      app: APP_ID,
      imageDigest: made.imageDigest,
      publicEnv: { EIGENX_TEE_IMAGES },
      containerPolicy,
    })
    const initdata = parseInitdata(utf8ToBytes(made.initdataToml))
    expect(judgePolicy({ initdata, demand, allowDigestOnly: false }).allowed).toBe(true)
    expect(
      prepare({ podYaml: podYaml({}, [side, container()]), appContainer: 'app' }).imageDigest,
    ).toBe(APP_DIGEST)
  })

  it('names the volume of each scratch mount', () => {
    const volumes = [{ name: 'data', emptyDir: { medium: 'Memory' } }]
    const volumeMounts = [{ name: 'data', mountPath: '/uploads' }]
    const made = prepare({ podYaml: podYaml({ volumes }, [container({ volumeMounts })]) })
    expect(dataOf(made.policyRego)).toMatchObject({
      containers: [
        {
          mounts: [{ destination: '/uploads', kind: 'scratch', volume: 'data', read_only: false }],
        },
      ],
    })
  })

  it('takes a digest for a tag from the caller', () => {
    const image = 'ghcr.io/acme/app:v1'
    const yaml = podYaml({}, [container({ image })])
    for (const digest of [APP_DIGEST, `ghcr.io/acme/app@${APP_DIGEST}`])
      expect(prepare({ podYaml: yaml, images: { [image]: digest } }).imageDigest).toBe(APP_DIGEST)
  })

  it('finds the pod in a Deployment, a CronJob and beside other documents', () => {
    const spec = { automountServiceAccountToken: false, containers: [container()] }
    const deployment = { kind: 'Deployment', spec: { template: { spec } } }
    const cron = { kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec } } } } }
    const service = { kind: 'Service', spec: { ports: [] } }
    for (const workload of [deployment, cron])
      expect(
        prepare({ podYaml: `${stringify(service)}---\n${stringify(workload)}` }).initdataSha384,
      ).toBe(prepare().initdataSha384)
  })

  it('marks volumes that the host fills', () => {
    const volumes = [
      { name: 'c', configMap: { name: 'x' } },
      { name: 's', emptyDir: {} },
    ]
    const volumeMounts = [
      { name: 'c', mountPath: '/config' },
      { name: 's', mountPath: '/data' },
    ]
    const made = prepare({ podYaml: podYaml({ volumes }, [container({ volumeMounts })]) })
    expect(made.findings.filter((found) => found.code === 'HOST_FILES')).toHaveLength(1)
    expect(made.findings.filter((found) => found.code === 'SCRATCH_MOUNT')).toHaveLength(1)
  })

  it('warns of volumes that Kata may bring on a disk, which the guest refuses', () => {
    const volumes = [
      { name: 's', emptyDir: {} },
      { name: 'm', emptyDir: { medium: 'Memory' } },
      { name: 'unused', emptyDir: {} },
    ]
    const volumeMounts = [
      { name: 's', mountPath: '/data' },
      { name: 'm', mountPath: '/cache' },
    ]
    const made = prepare({ podYaml: podYaml({ volumes }, [container({ volumeMounts })]) })
    const found = made.findings.filter((item) => item.code === 'SCRATCH_MEDIUM')
    expect(found.map((item) => item.path)).toEqual(['pod.yaml#app.volumeMounts.s'])
  })

  it('opens the logs only on request, and pins that', () => {
    expect(dataOf(prepare().policyRego)).toMatchObject({
      request_defaults: { ReadStreamRequest: false },
    })
    const open = prepare({ allowLogs: true })
    expect(dataOf(open.policyRego)).toMatchObject({ request_defaults: { ReadStreamRequest: true } })
    expect(open.pins.EIGENX_TEE_ALLOW_LOGS).toBe('true')
  })

  it('names fields that it does not carry over', () => {
    const made = prepare({ podYaml: podYaml({}, [container({ resizePolicy: [] })]) })
    expect(made.findings.map((found) => found.code)).toContain('POD_FIELD_IGNORED')
  })
})

describe('manifests that cannot be released', () => {
  const withContainer = (changes: Manifest) => podYaml({}, [container(changes)])

  it.each<[string, string, string]>([
    ['a tag alone', withContainer({ image: 'ghcr.io/acme/app:v1' }), 'app.image'],
    ['a reference that is none', withContainer({ image: 'A B' }), 'app.image'],
    [
      'another digest algorithm',
      withContainer({ image: `app@sha512:${'ab'.repeat(64)}` }),
      'app.image',
    ],
    ['no command', withContainer({ command: undefined }), 'app.command'],
    [
      'a privileged container',
      withContainer({ securityContext: { privileged: true } }),
      'spec.containers[0].securityContext.privileged',
    ],
    [
      'all capabilities',
      withContainer({ securityContext: { capabilities: { add: ['ALL'] } } }),
      'app.securityContext.capabilities.add',
    ],
    [
      'a value from a Secret',
      withContainer({ env: [{ name: 'K', valueFrom: { secretKeyRef: {} } }] }),
      'spec.containers[0].env.K.valueFrom',
    ],
    [
      'variables from a ConfigMap',
      withContainer({ envFrom: [{ configMapRef: {} }] }),
      'spec.containers[0].envFrom',
    ],
    [
      'an exec probe',
      withContainer({ livenessProbe: { exec: { command: ['x'] } } }),
      'spec.containers[0].livenessProbe.exec',
    ],
    [
      'a lifecycle hook',
      withContainer({ lifecycle: { postStart: {} } }),
      'spec.containers[0].lifecycle',
    ],
    ['a terminal', withContainer({ tty: true }), 'spec.containers[0].tty'],
    [
      'a sub-path',
      podYaml({ volumes: [{ name: 'v', emptyDir: {} }] }, [
        container({ volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'x' }] }),
      ]),
      'spec.containers[0].volumeMounts.subPath',
    ],
    [
      'huge pages',
      podYaml({ volumes: [{ name: 'v', emptyDir: { medium: 'HugePages-2Mi' } }] }),
      'spec.volumes.0.emptyDir.medium',
    ],
    [
      'a host path',
      podYaml({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, [
        container({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      ]),
      'app.volumeMounts.v',
    ],
    [
      'a volume that is missing',
      withContainer({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      'app.volumeMounts.v',
    ],
    [
      'a shared process namespace',
      podYaml({ shareProcessNamespace: true }),
      'spec.shareProcessNamespace',
    ],
    ['the host network', podYaml({ hostNetwork: true }), 'spec.hostNetwork'],
    ['two containers of one name', podYaml({}, [container(), container()]), 'spec.containers'],
    ['no containers', podYaml({}, []), 'spec.containers'],
    ['a number as argument', withContainer({ args: [1] }), 'spec.containers.0.args.0'],
    ['two pods', `${podYaml()}---\n${podYaml()}`, 'pod.yaml'],
    ['no pod', 'kind: Service\n', 'pod.yaml'],
    ['nothing', '', 'pod.yaml'],
    ['broken YAML', 'kind: [', 'pod.yaml'],
    ['a key twice', 'kind: Pod\nkind: Pod\n', 'pod.yaml'],
    ['a number and a text as one key', 'kind: Pod\nspec: {1: a, "1": b}\n', 'pod.yaml'],
    ['nesting beyond the stack', '['.repeat(50_000), 'pod.yaml'],
    [
      'thousands of keys',
      Array.from({ length: 2500 }, (_, i) => `k${i}: 1\n`).join(''),
      'pod.yaml',
    ],
    [
      'anchors without end',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n`,
      'pod.yaml',
    ],
  ])('refuses %s', (_, yaml, path) => {
    expect(refusalOf(() => prepare({ podYaml: yaml }))).toEqual({
      code: 'CONFIG_INVALID',
      details: { path },
    })
  })

  it('refuses a file of its own name, broken TOML and a manifest that is too large', () => {
    expect(refusalOf(() => prepare({ files: { 'policy.rego': '' } }))).toMatchObject({
      details: { path: 'policy.rego' },
    })
    expect(refusalOf(() => prepare({ files: { 'aa.toml': '= 1' } }))).toMatchObject({
      details: { path: 'aa.toml' },
    })
    expect(refusalOf(() => prepare({ podYaml: ' '.repeat(256 * 1024 + 1) }))).toMatchObject({
      code: 'INPUT_TOO_LARGE',
    })
  })

  it('hints at the digest for a tag', () => {
    expect(() => prepare({ podYaml: withContainer({ image: 'app:1' }) })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('sha256') }),
    )
  })
})

describe('the finished policy in a Rego engine', () => {
  let decide: Engine
  beforeAll(async () => {
    decide = await loadRules()
  })

  it('starts the pod it was made from, and no other', () => {
    const data = dataOf(prepare().policyRego)
    const image = `ghcr.io/acme/app@${APP_DIGEST}`
    const base = appRequest()
    const mounts =
      base.OCI !== null && typeof base.OCI === 'object' && 'Mounts' in base.OCI
        ? base.OCI.Mounts
        : []
    const plain = changed(
      changed(base, ['OCI', 'Mounts'], Array.isArray(mounts) ? mounts.slice(0, 10) : []),
      ['OCI', 'Process', 'Env'],
      [PATH, 'MODE=production', 'HOSTNAME=demo'],
    )
    expect(decide('CreateContainerRequest', sandboxRequest(), data)).toBe(true)
    expect(decide('CreateContainerRequest', plain, data)).toBe(true)
    expect(
      decide('CreateContainerRequest', changed(plain, ['OCI', 'Process', 'Args'], ['sh']), data),
    ).toBe(false)
    const pulled = pullStorage('11'.repeat(32), image.replace(APP_DIGEST, SIDE_DIGEST), {})
    expect(decide('CreateContainerRequest', changed(plain, ['storages', 0], pulled), data)).toBe(
      false,
    )
  })
})

describe('describeInitdata', () => {
  it('gives the pins of an existing document', () => {
    const made = prepare()
    const described = describeInitdata(utf8ToBytes(made.annotation.value))
    expect(described.pins).toEqual({ EIGENX_TEE_INITDATA_SHA384: made.initdataSha384 })
    expect(described.analysis?.rules?.name).toBe('eigenx-tee')
  })

  it('says nothing about a policy that is not there', () => {
    const toml = 'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"aa.toml" = ""\n'
    expect(describeInitdata(utf8ToBytes(toml)).analysis).toBeUndefined()
  })
})
