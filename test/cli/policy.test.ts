import { parse } from 'smol-toml'
import { beforeAll, expect, test } from 'vitest'
import { type CliResult, runCli } from '../kit/cli.ts'

const digest = `sha256:${'ab'.repeat(32)}`
const pod = (image: string) => `apiVersion: v1
kind: Pod
metadata: { name: wallet }
spec:
  containers:
    - name: wallet
      image: ${image}
      command: ["/usr/bin/wallet", "--serve"]
`
const files = {
  'pod.yaml': pod(`registry.example.com/wallet@${digest}`),
  'eigenx.toml': 'version = 1\n',
}

let prepared: CliResult
let written: Record<string, string>
beforeAll(async () => {
  prepared = await runCli(
    ['release', 'prepare', 'pod.yaml', '--config', 'eigenx.toml', '--out', 'release'],
    files,
  )
  written = Object.fromEntries([...prepared.files].map(([path, text]) => [path, String(text)]))
})

test('release prepare writes the document, the policy, the annotation and the pins', () => {
  expect(prepared.code).toBe(0)
  expect(Object.keys(written).sort()).toEqual([
    'release/annotation.txt',
    'release/initdata.toml',
    'release/policy.rego',
    'release/release.json',
  ])
  expect(JSON.parse(written['release/release.json'] ?? '')).toMatchObject({
    imageDigest: digest,
    publicEnv: { EIGENX_TEE_INITDATA_SHA384: expect.stringMatching(/^[0-9a-f]{96}$/) },
    containerPolicy: { args: ['/usr/bin/wallet', '--serve'] },
  })
  expect(parse(written['release/initdata.toml'] ?? '')).toMatchObject({
    data: { 'eigenx.toml': 'version = 1\n', 'policy.rego': written['release/policy.rego'] },
  })
})

test('what it writes is acceptable, as policy, as document and as annotation', async () => {
  for (const name of ['policy.rego', 'initdata.toml', 'annotation.txt']) {
    const { code, out } = await runCli(['policy', 'explain', `release/${name}`], written)
    expect(`${name} ${code} ${out.at(-1)}`).toContain(`${name} 0 ACCEPTABLE`)
  }
})

test('a finished document is described: its pin equals the one that was prepared', async () => {
  const release: unknown = JSON.parse(written['release/release.json'] ?? '')
  const { code, out } = await runCli(
    ['release', 'prepare', 'release/annotation.txt', '--json'],
    written,
  )
  expect(code).toBe(0)
  const { publicEnv } = JSON.parse(out[0] ?? '')
  expect(release).toMatchObject({ publicEnv })
})

test('an image without a digest is refused, with the way out', async () => {
  const { code, err } = await runCli(['release', 'prepare', 'p'], { p: pod('wallet:latest') })
  expect(code).toBe(2)
  expect(err.join('\n')).toContain('sha256')
})

test('the configuration of an image fills in what the pod does not say', async () => {
  const image = `registry.example.com/wallet@${digest}`
  const yaml = pod(image).replace(/ {6}command.*\n/, '')
  const config = JSON.stringify({ config: { Entrypoint: ['/entry'], Cmd: ['run'] } })
  const { code, out } = await runCli(
    ['release', 'prepare', 'p', '--json', '--image-config', `${image}=config.json`],
    { p: yaml, 'config.json': config },
  )
  expect(code).toBe(0)
  expect(JSON.parse(out[0] ?? '').containerPolicy.args).toEqual(['/entry', 'run'])
})

test('a policy that allows everything is refused with exit 1, also in a document', async () => {
  const rego = 'package agent_policy\ndefault ExecProcessRequest := true\n'
  const document = `version = "0.1.0"\nalgorithm = "sha384"\n[data]\n"policy.rego" = '''\n${rego}'''\n`
  for (const text of [rego, document]) {
    const { code, out } = await runCli(['policy', 'explain', 'f', '--json'], { f: text })
    expect(code).toBe(1)
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ accepted: false })
  }
})

test('a document without a policy is refused: the agent then allows everything', async () => {
  const document = 'version = "0.1.0"\nalgorithm = "sha384"\n[data]\n"aa.toml" = ""\n'
  const { code, out } = await runCli(['policy', 'explain', 'f', '--json'], { f: document })
  expect(code).toBe(1)
  expect(JSON.parse(out[0] ?? '').findings).toMatchObject([{ code: 'POLICY_MISSING' }])
})

test.each([
  ['nothing', ''],
  ['garbage', '\u0000\u0001'],
  ['a bomb of brackets', '['.repeat(100_000)],
])('%s instead of a document is refused, not a crash', async (_, text) => {
  const { code, err } = await runCli(['policy', 'explain', 'f'], { f: text })
  expect(code).toBe(1)
  expect(err[0]).toMatch(/^INITDATA_INVALID: /)
})
