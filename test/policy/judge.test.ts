import { describe, expect, it } from 'vitest'
import { EIGENX_RULES } from '../../policy/eigenx/rules.ts'
import { explainVerdict } from '../../policy/explain.ts'
import type { JsonObject } from '../../policy/json.ts'
import { judgePolicy } from '../../policy/judge.ts'
import { judgeContainerPolicy } from '../../policy/judge-container.ts'
import { joinPolicy } from '../../policy/rego.ts'
import type { PolicyContainer, ReleaseDemand } from '../../policy/types.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { APP_DIGEST, OTHER_DIGEST, PATH, SIDE_DIGEST } from './agent-requests.ts'
import {
  appContainer,
  demandOf,
  initdataOf,
  noPolicy,
  ourPolicy,
  policyData,
  refusals,
  SIDE_ARGS_SHA256,
  sideContainer,
} from './samples.ts'

function judge(
  rego: string | undefined,
  demand: ReleaseDemand = demandOf(),
  allowDigestOnly = false,
) {
  return judgePolicy({ initdata: initdataOf(rego), demand, allowDigestOnly })
}

function pinned(
  rego: string | undefined,
  changes: Parameters<typeof demandOf>[0] = {},
): ReleaseDemand {
  const sha384 = bytesToHex(initdataOf(rego).sha384)
  return demandOf({
    containerPolicy: noPolicy(),
    ...changes,
    publicEnv: { EIGENX_TEE_INITDATA_SHA384: sha384, ...changes.publicEnv },
  })
}

function withApp(changes: JsonObject): string {
  return ourPolicy({ containers: [{ ...appContainer(), ...changes }] })
}

function withEnv(variable: string): string {
  return withApp({ env: [PATH, 'MODE=production', variable] })
}

/** Files in it come from the host, whatever their names. */
const SERVICE_ACCOUNT = {
  destination: '/var/run/secrets/kubernetes.io/serviceaccount',
  kind: 'files',
  read_only: true,
}

const SCRATCH = { destination: '/uploads', kind: 'scratch', volume: 'uploads', read_only: false }

describe('a release that pins the command', () => {
  it('allows the pod that runs exactly that', () => {
    const verdict = judge(ourPolicy())
    expect(refusals(verdict)).toEqual([])
    expect(verdict).toMatchObject({ allowed: true, pinnedBy: 'container-policy' })
  })

  it('allows the same container several times', () => {
    const second = { ...appContainer(), name: 'second' }
    expect(judge(ourPolicy({ containers: [appContainer(), second] })).allowed).toBe(true)
  })

  it.each<[string, string | undefined, string[]]>([
    ['no policy', undefined, ['POLICY_MISSING']],
    ['an empty policy', '', ['RULES_UNKNOWN']],
    [
      'another image',
      withApp({ image: `x@${OTHER_DIGEST}`, image_digest: OTHER_DIGEST }),
      ['IMAGE_NOT_IN_RELEASE', 'RELEASE_IMAGE_ABSENT', 'COMMAND_NOT_PINNED', 'ENV_NOT_IN_RELEASE'],
    ],
    [
      'a reference that contradicts the digest',
      withApp({ image: `x@${OTHER_DIGEST}` }),
      ['IMAGE_CONTRADICTS'],
    ],
    ['a tag', withApp({ image: 'x:1' }), ['IMAGE_CONTRADICTS']],
    ['no containers', ourPolicy({ containers: [] }), ['RELEASE_IMAGE_ABSENT']],
    ['another command', withApp({ args: ['/bin/sh', '-c', 'env'] }), ['ARGS_DIFFER']],
    ['an argument more', withApp({ args: ['/usr/bin/app', '--serve', '-v'] }), ['ARGS_DIFFER']],
    [
      'the same words split elsewhere',
      withApp({ args: ['/usr/bin/app --serve'] }),
      ['ARGS_DIFFER'],
    ],
    [
      'an unlisted container',
      ourPolicy({ containers: [appContainer(), sideContainer()] }),
      ['IMAGE_NOT_IN_RELEASE', 'COMMAND_NOT_PINNED'],
    ],
    ['LD_PRELOAD', withEnv('LD_PRELOAD=/x.so'), ['ENV_RUNS_CODE']],
    ['NODE_OPTIONS', withEnv('NODE_OPTIONS=--inspect'), ['ENV_RUNS_CODE']],
    ['a proxy', withEnv('https_proxy=http://evil'), ['ENV_RUNS_CODE']],
    [
      "a server's options with a file of the host",
      withEnv('GUNICORN_CMD_ARGS=-c /etc/hosts'),
      ['ENV_RUNS_CODE'],
    ],
    ['another home', withEnv('HOME=/var/run/secrets'), ['ENV_RUNS_CODE']],
    [
      'a variable that the release does not list',
      withEnv('DATABASE_URL=https://evil'),
      ['ENV_NOT_IN_RELEASE'],
    ],
    ['another value of a listed variable', withEnv('MODE=debug'), ['ENV_NOT_IN_RELEASE']],
    ['a variable without a value', withEnv('DEBUG'), ['ENV_NOT_IN_RELEASE']],
    ['a host name that is none', withEnv('HOSTNAME=$(curl evil)'), ['ENV_NOT_IN_RELEASE']],
    ...[
      '/var/run/secrets/kubernetes.io/serviceaccount',
      '/run/secrets/kubernetes.io/serviceaccount/..data',
      '/proc/self/root/var/run/secrets/kubernetes.io/serviceaccount',
      '/srv/../var/run/secrets',
      '//var/run/secrets',
      '/srv/',
      '/srv',
      '/app/node_modules/other',
      'srv',
      '',
    ].map((cwd): [string, string, string[]] => [
      `the working directory ${JSON.stringify(cwd)}`,
      withApp({ cwd, mounts: [SERVICE_ACCOUNT] }),
      ['WORKING_DIRECTORY'],
    ]),
    [
      'files of the host',
      withApp({ mounts: [{ destination: '/usr/bin', kind: 'files', read_only: true }] }),
      ['HOST_FILES'],
    ],
    ['a scratch volume', withApp({ mounts: [SCRATCH] }), ['SCRATCH_MOUNT']],
    [
      'a scratch volume with which one container writes the program of another',
      ourPolicy({
        containers: [
          { ...appContainer(), mounts: [SCRATCH, { ...SCRATCH, destination: '/app/lib' }] },
          { ...appContainer(), name: 'second', cwd: '/uploads', mounts: [SCRATCH] },
        ],
      }),
      ['SCRATCH_MOUNT', 'WORKING_DIRECTORY'],
    ],
    [
      'a scratch volume without a name',
      withApp({ mounts: [{ ...SCRATCH, volume: 7 }] }),
      ['SCRATCH_MOUNT', 'POLICY_DATA_MALFORMED'],
    ],
    [
      'a scratch volume whose name is a path',
      withApp({ mounts: [{ ...SCRATCH, volume: '../local' }] }),
      ['SCRATCH_MOUNT', 'POLICY_DATA_MALFORMED'],
    ],
    [
      'files of the host that name a volume',
      withApp({ mounts: [{ ...SERVICE_ACCOUNT, volume: 'token' }] }),
      ['POLICY_KEY_UNKNOWN'],
    ],
    [
      'an unknown kind of mount',
      withApp({ mounts: [{ destination: '/x', kind: 'host', read_only: true }] }),
      ['POLICY_DATA_MALFORMED'],
    ],
    [
      'readable logs',
      ourPolicy({ request_defaults: { ReadStreamRequest: true } }),
      ['LOGS_READABLE'],
    ],
    [
      'logs switched by a word',
      ourPolicy({ request_defaults: { ReadStreamRequest: 'no' } }),
      ['POLICY_DATA_MALFORMED', 'LOGS_READABLE'],
    ],
    [
      'no request defaults',
      ourPolicy({ request_defaults: null }),
      ['POLICY_DATA_MALFORMED', 'LOGS_READABLE'],
    ],
    [
      'a power that the rules do not know',
      ourPolicy({ request_defaults: { ReadStreamRequest: false, ExecProcessRequest: true } }),
      ['POLICY_KEY_UNKNOWN'],
    ],
    ['a further key', ourPolicy({ extra: 1 }), ['POLICY_KEY_UNKNOWN']],
    [
      'an unknown environment pattern',
      ourPolicy({ env_patterns: ['.*'] }),
      ['POLICY_DATA_MALFORMED'],
    ],
    ['another format', ourPolicy({ format: 'eigenx-tee/policy/2' }), ['POLICY_DATA_MALFORMED']],
  ])('refuses %s', (_, rego, codes) => {
    const verdict = judge(rego)
    expect(refusals(verdict)).toEqual(codes)
    expect(verdict).toMatchObject({ allowed: false, pinnedBy: undefined })
  })

  it('allows the service account beside it, and the host name', () => {
    const env = [PATH, 'MODE=production', 'HOSTNAME=wallet-0']
    expect(refusals(judge(withApp({ env, mounts: [SERVICE_ACCOUNT] })))).toEqual([])
  })

  it('shows unlisted variables as a mark where the operator allows them', () => {
    const verdict = judge(withEnv('COLOUR=green'), demandOf(), true)
    expect(verdict).toMatchObject({ allowed: true, pinnedBy: 'digest-only' })
    expect(verdict.findings).toContainEqual(
      expect.objectContaining({
        code: 'ENV_NOT_IN_RELEASE',
        severity: 'warn',
        path: 'policy.rego#policy_data.containers[0]#env',
      }),
    )
    expect(refusals(judge(withEnv('LD_PRELOAD=/x.so'), demandOf(), true))).toEqual([
      'ENV_RUNS_CODE',
    ])
  })

  it('counts PATH as part of a command that is looked up on it', () => {
    const env = ['PATH=/data/bin']
    const relative = { ...noPolicy(), args: ['app'] }
    const absolute = { ...noPolicy(), args: ['/usr/bin/app', '--serve'] }
    expect(
      refusals(judge(withApp({ args: ['app'], env }), demandOf({ containerPolicy: relative }))),
    ).toEqual(['ENV_RUNS_CODE'])
    expect(refusals(judge(withApp({ env }), demandOf({ containerPolicy: absolute })))).toEqual([
      'ENV_NOT_IN_RELEASE',
    ])
  })

  it('allows readable logs where the release does', () => {
    const rego = ourPolicy({ request_defaults: { ReadStreamRequest: true } })
    expect(judge(rego, demandOf({ publicEnv: { EIGENX_TEE_ALLOW_LOGS: 'true' } })).allowed).toBe(
      true,
    )
  })
})

describe('the fields of a ContainerPolicy', () => {
  const policy = (changes: Partial<ReleaseDemand['containerPolicy']>) =>
    demandOf({
      containerPolicy: {
        ...noPolicy(),
        args: ['/usr/bin/app', '--serve'],
        env: { MODE: 'production' },
        ...changes,
      },
    })

  it.each<[string, Partial<ReleaseDemand['containerPolicy']>, string[]]>([
    ['env that is there', { env: { MODE: 'production' } }, []],
    ['env with another value', { env: { MODE: 'debug' } }, ['ENV_DIFFERS', 'ENV_NOT_IN_RELEASE']],
    ['env that is missing', { env: { MODE: 'production', OTHER: '' } }, ['ENV_DIFFERS']],
    ['envOverride that is there', { envOverride: { MODE: 'production' } }, []],
    ['envOverride that is missing', { envOverride: { X: '1' } }, ['ENV_DIFFERS']],
    ['cmdOverride that ends the command', { cmdOverride: ['--serve'] }, []],
    ['cmdOverride that is something else', { cmdOverride: ['--debug'] }, ['CMD_OVERRIDE_DIFFERS']],
    [
      'cmdOverride alone, as the whole command',
      { args: [], cmdOverride: ['/usr/bin/app', '--serve'] },
      [],
    ],
    [
      'cmdOverride alone, behind an entrypoint that nobody pins',
      { args: [], cmdOverride: ['--serve'] },
      ['ARGS_DIFFER'],
    ],
    ['restartPolicy', { restartPolicy: 'Never' }, ['CONTAINER_POLICY_INEXPRESSIBLE']],
  ])('%s', (_, changes, codes) => {
    expect(refusals(judge(ourPolicy(), policy(changes)))).toEqual(codes)
  })

  it('reads an environment once, however many variables the release lists', () => {
    let reads = 0
    const env = new Proxy([PATH, 'MODE=production'], {
      get: (target, key, self) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads++
        return Reflect.get(target, key, self)
      },
    })
    const container: PolicyContainer = {
      path: 'c',
      isSandbox: false,
      layerRoots: [],
      args: ['/usr/bin/app', '--serve'],
      env,
      argsExact: true,
      execCommands: [],
    }
    const listed = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`V${index}`, '']))
    const { containerPolicy } = policy({ env: { ...listed, MODE: 'production' } })
    const [found, ...others] = judgeContainerPolicy([container], containerPolicy)
    expect(reads).toBeLessThanOrEqual(2 * env.length)
    expect(others).toEqual([])
    expect(found).toMatchObject({ severity: 'refuse', code: 'ENV_DIFFERS', path: 'c#env' })
    expect(found?.message).toMatch(/"V0, V1, .*…"\.$/)
  })

  it('names the field that cannot be enforced', () => {
    const verdict = judge(ourPolicy(), policy({ restartPolicy: 'Always' }))
    expect(
      verdict.findings.find((found) => found.code === 'CONTAINER_POLICY_INEXPRESSIBLE')?.path,
    ).toBe('release.containerPolicy.restartPolicy')
  })
})

describe('further containers', () => {
  const rego = ourPolicy({ containers: [appContainer(), sideContainer()] })

  it('are allowed by digest and command', () => {
    const publicEnv = { EIGENX_TEE_IMAGES: `${SIDE_DIGEST}=${SIDE_ARGS_SHA256}` }
    expect(judge(rego, demandOf({ publicEnv }))).toMatchObject({
      allowed: true,
      pinnedBy: 'container-policy',
    })
  })

  it('are refused by digest alone, with the item to list', () => {
    const verdict = judge(rego, demandOf({ publicEnv: { EIGENX_TEE_IMAGES: SIDE_DIGEST } }))
    expect(refusals(verdict)).toEqual(['COMMAND_NOT_PINNED'])
    expect(explainVerdict(verdict).join('\n')).toContain(`${SIDE_DIGEST}=${SIDE_ARGS_SHA256}`)
  })

  it.each([
    ['NODE_OPTIONS=--require=/etc/hosts', 'ENV_RUNS_CODE'],
    ['COLLECTOR=http://evil', 'ENV_NOT_IN_RELEASE'],
  ])('are refused with the variable %s, which the host chose', (variable, code) => {
    const publicEnv = { EIGENX_TEE_IMAGES: `${SIDE_DIGEST}=${SIDE_ARGS_SHA256}` }
    const side = { ...sideContainer(), env: [PATH, variable] }
    const verdict = judge(
      ourPolicy({ containers: [appContainer(), side] }),
      demandOf({ publicEnv }),
    )
    expect(refusals(verdict)).toEqual([code])
  })

  it('are refused with another command than the listed one', () => {
    const publicEnv = { EIGENX_TEE_IMAGES: `${SIDE_DIGEST}=${SIDE_ARGS_SHA256}` }
    const shell = { ...sideContainer(), args: ['sh', '-c', 'env'] }
    const verdict = judge(
      ourPolicy({ containers: [appContainer(), shell] }),
      demandOf({ publicEnv }),
    )
    expect(refusals(verdict)).toEqual(['COMMAND_NOT_PINNED'])
  })

  it("do not stand in for the release's own image", () => {
    const publicEnv = { EIGENX_TEE_IMAGES: `${SIDE_DIGEST}=${SIDE_ARGS_SHA256}` }
    const verdict = judge(ourPolicy({ containers: [sideContainer()] }), demandOf({ publicEnv }))
    expect(refusals(verdict)).toEqual(['RELEASE_IMAGE_ABSENT'])
  })
})

describe('a release that pins only digests', () => {
  const demand = demandOf({ containerPolicy: { ...noPolicy(), env: { MODE: 'production' } } })

  it('is refused with a hint how to add a pin', () => {
    const verdict = judge(ourPolicy(), demand)
    expect(refusals(verdict)).toEqual(['COMMAND_NOT_PINNED'])
    expect(verdict.findings.at(-1)?.message).toContain('EIGENX_TEE_INITDATA_SHA384')
  })

  it('is served where the operator allows it, and marked', () => {
    const verdict = judge(ourPolicy(), demand, true)
    expect(verdict).toMatchObject({ allowed: true, pinnedBy: 'digest-only' })
    expect(verdict.findings).toContainEqual(
      expect.objectContaining({ code: 'COMMAND_NOT_PINNED', severity: 'warn' }),
    )
  })

  it('is refused all the same for another image or a policy that pins none', () => {
    const other = withApp({ image: `x@${OTHER_DIGEST}`, image_digest: OTHER_DIGEST })
    expect(judge(other, demand, true).allowed).toBe(false)
    expect(judge(undefined, demand, true).allowed).toBe(false)
  })
})

describe('a release that pins the initdata', () => {
  it('allows that document, and still shows what could not be vouched for', () => {
    const rego = 'package agent_policy\ndefault CreateContainerRequest := false\n'
    const verdict = judge(rego, pinned(rego))
    expect(verdict).toMatchObject({ allowed: true, pinnedBy: 'initdata' })
    expect(verdict.findings).toContainEqual(
      expect.objectContaining({ code: 'RULES_UNKNOWN', severity: 'warn' }),
    )
  })

  it.each(['ExecProcessRequest', 'CreateContainerRequest', 'SetPolicyRequest'])(
    'does not stand for a document that leaves %s to the host',
    (power) => {
      const rego = `package agent_policy\ndefault ${power} := true\n`
      expect(refusals(judge(rego, pinned(rego)))).toEqual(['HOST_POWER'])
    },
  )

  it('allows the scratch volumes and working directory of that document', () => {
    const rego = withApp({ cwd: '/app', mounts: [SCRATCH] })
    const verdict = judge(rego, pinned(rego))
    expect(refusals(verdict)).toEqual([])
    expect(verdict).toMatchObject({ allowed: true, pinnedBy: 'initdata' })
    for (const code of ['SCRATCH_MOUNT', 'WORKING_DIRECTORY'])
      expect(verdict.findings).toContainEqual(expect.objectContaining({ code, severity: 'info' }))
    expect(judge(rego, demandOf(), true).allowed).toBe(false)
  })

  it('does not let a power hide behind as many lesser findings as are listed', () => {
    const lesser = 'default ReadStreamRequest := true\n'.repeat(100)
    const rego = `package agent_policy\n${lesser}default SetPolicyRequest := true\n`
    expect(refusals(judge(rego, pinned(rego)))).toEqual(['HOST_POWER'])
    const many = `package agent_policy\n${'default SetPolicyRequest := true\n'.repeat(100)}`
    expect(refusals(judge(many, pinned(many)))).toEqual(['HOST_POWER'])
  })

  it('does not stand for a document without a policy', () => {
    expect(refusals(judge(undefined, pinned(undefined)))).toEqual(['POLICY_MISSING'])
  })

  it('is satisfied by any document of its list', () => {
    const list = [ourPolicy(), ourPolicy({ env_patterns: [] })]
    const pins = list.map((rego) => bytesToHex(initdataOf(rego).sha384)).join(',')
    for (const rego of list)
      expect(
        judge(rego, pinned(rego, { publicEnv: { EIGENX_TEE_INITDATA_SHA384: pins } })).pinnedBy,
      ).toBe('initdata')
  })

  it('refuses every other document, however good its policy', () => {
    const demand = demandOf({ publicEnv: { EIGENX_TEE_INITDATA_SHA384: 'ab'.repeat(48) } })
    expect(refusals(judge(ourPolicy(), demand))).toEqual(['INITDATA_NOT_PINNED'])
    expect(judge(ourPolicy(), demand, true).allowed).toBe(false)
  })

  it('refuses a document whose one byte differs', () => {
    const rego = ourPolicy()
    expect(judge(rego.replace('--serve', '--Serve'), pinned(rego)).allowed).toBe(false)
  })

  it('is not read from the initdata itself', () => {
    const rego = ourPolicy()
    const sha384 = bytesToHex(initdataOf(rego).sha384)
    expect(judge(`# EIGENX_TEE_INITDATA_SHA384=${sha384}\n`, demandOf()).allowed).toBe(false)
  })

  it('must not be contradicted by the ContainerPolicy of the same release', () => {
    const rego = ourPolicy()
    const containerPolicy = { ...noPolicy(), args: ['/usr/bin/app', '--other'] }
    expect(refusals(judge(rego, pinned(rego, { containerPolicy })))).toEqual(['ARGS_DIFFER'])
    const restart = { ...noPolicy(), restartPolicy: 'Never' }
    expect(judge(rego, pinned(rego, { containerPolicy: restart })).allowed).toBe(true)
  })
})

describe('policies that only look as if they pinned', () => {
  const good = ourPolicy()
  const data = JSON.stringify(policyData())

  it.each<[string, string]>([
    ['allow-all', 'package agent_policy\ndefault CreateContainerRequest := true\n'],
    [
      'the image in a comment',
      `package agent_policy\ndefault CreateContainerRequest := true\n# ghcr.io/acme/app@${APP_DIGEST}\n`,
    ],
    [
      'the image in an unused variable',
      `package agent_policy\nimage := "ghcr.io/acme/app@${APP_DIGEST}"\ndefault CreateContainerRequest := true\n`,
    ],
    [
      'the image in a raw string',
      `package agent_policy\nx := \`ghcr.io/acme/app@${APP_DIGEST}\`\n`,
    ],
    [
      'some storage',
      `package agent_policy\nCreateContainerRequest if { some s in input.storages; s.source == "app@${APP_DIGEST}" }\n`,
    ],
    [
      'every storage',
      `package agent_policy\nCreateContainerRequest if { every s in input.storages { s.source == "app@${APP_DIGEST}" } }\n`,
    ],
    [
      'known data behind unknown rules',
      `package agent_policy\ndefault CreateContainerRequest := true\npolicy_data := ${data}\n`,
    ],
    [
      'a rule added before the data',
      joinPolicy(`${EIGENX_RULES}\nExecProcessRequest if true`, policyData()),
    ],
    ['a rule added behind the data', `${good}ExecProcessRequest if true\n`],
    ['a comment behind the data', `${good}# x\n`],
    ['a second policy_data', `${good}policy_data := {"containers": []}\n`],
    ['a second policy_data, spelled without blanks', `${good}policy_data:=${data}\n`],
    [
      'a first policy_data before the known one',
      joinPolicy(`${EIGENX_RULES}\npolicy_data := ${data}`, policyData()),
    ],
    ['policy_data without blanks alone', `${EIGENX_RULES}\npolicy_data:=${data}\n`],
    ['policy_data with =', `${EIGENX_RULES}\npolicy_data = ${data}\n`],
    ['policy_data indented', `${EIGENX_RULES}\n policy_data := ${data}\n`],
    ['a rule inside the data', good.replace('"--serve"', 'input.x')],
    ['a key twice in the data', good.replace('"format"', '"containers": [],\n  "format"')],
    ['a raw string in the data', good.replace('"--serve"', '`--serve`')],
    ['CRLF', good.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${good}`],
    ['a no-break space after the marker', good.replace('policy_data := ', 'policy_data :=\u00a0')],
    ['a line separator before the marker', good.replace('\npolicy_data', '\u2028policy_data')],
    [
      'a Cyrillic letter in the rules',
      good.replace('package agent_policy', 'p\u0430ckage agent_policy'),
    ],
    [
      'one character of the rules changed',
      good.replace('default ExecProcessRequest := false', 'default ExecProcessRequest := true '),
    ],
    ['the rules cut off', good.slice(good.indexOf('\n') + 1)],
    ['data nested too deeply', `${EIGENX_RULES}\npolicy_data := ${'['.repeat(100_000)}`],
    ['a list as data', `${EIGENX_RULES}\npolicy_data := []\n`],
    ['too much', `${good}${' '.repeat(5 * 1024 * 1024)}`],
  ])('refuses %s', (_, rego) => {
    for (const allowDigestOnly of [false, true]) {
      const verdict = judge(rego, demandOf(), allowDigestOnly)
      expect(verdict.allowed).toBe(false)
      expect(refusals(verdict).length).toBeGreaterThan(0)
    }
  })
})
