import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Verification } from '../../helper/cli/verify.ts'
import { DEMO_POD } from '../../helper/sim/app.ts'
import type { SnpAuthority } from '../../helper/sim/evidence.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { prepareRelease, stringifyInitdata } from '../../policy/prepare.ts'
import { encodeSnpRoots } from '../../sdk/attest/anchors.ts'
import type { EatClaims } from '../../sdk/attest/eat.ts'
import { bytesToHex, concatBytes } from '../../sdk/bytes.ts'
import { runCli } from '../kit/cli.ts'
import { sharedVectors } from '../kit/shared-vectors.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'

const now = new Date(NOW * 1000)
const toml = prepareRelease({ podYaml: DEMO_POD, files: {} }).initdataToml
const initdata = parseInitdata(new TextEncoder().encode(toml))
const other = toml.replace('0.1.0', '0.1.1')

let authority: SnpAuthority
let files: Record<string, string | Uint8Array>
beforeAll(async () => {
  authority = await authorityOf()
  const hostData = initdata.digest.subarray(0, 32)
  const reportData = concatBytes(new Uint8Array(32).fill(7), initdata.sha384.subarray(0, 32))
  const bound = await authority.issue({ hostData, reportData })
  const selfAsserted = await authority.issue({ reportData })
  const debug = await authority.issue({ hostData, policy: 0xb0000n })
  files = {
    'roots.json': encodeSnpRoots(authority.anchors),
    'evidence.json': bound.aaJson(),
    'wire.json': bound.wire(),
    'report.bin': bound.report,
    'vcek.der': bound.certificates[0] ?? new Uint8Array(),
    'self.json': selfAsserted.aaJson(),
    'debug.json': debug.aaJson(),
    'vmpl1.json': (await authority.issue({ vmpl: 1 })).aaJson(),
    'initdata.toml': toml,
    'other.toml': other,
  }
}, 60_000)

const verify = async (...argv: string[]) => {
  const result = await runCli(['verify', ...argv, '--json'], files, { now })
  const text = result.out[0]
  return { ...result, json: (text === undefined ? undefined : JSON.parse(text)) as Verification }
}
const devnet = ['--snp-roots', 'roots.json']

test('evidence in each of its forms is accepted under its roots, every check listed', async () => {
  for (const argv of [
    ['evidence.json'],
    ['wire.json'],
    ['report.bin', '--certificate', 'vcek.der'],
  ]) {
    const { code, json } = await verify(...argv, ...devnet)
    expect(code).toBe(0)
    expect(json).toMatchObject({ accepted: true, evidence: { product: 'Milan', vmpl: 0 } })
    expect(json.checks.find((check) => check.name === 'snp.report-signature')?.result).toBe(
      'passed',
    )
    expect(json.checks.filter((check) => check.result === 'failed')).toEqual([])
  }
})

test('without --snp-roots only AMD is trusted', async () => {
  const { code, json } = await verify('evidence.json')
  expect(code).toBe(1)
  expect(json).toMatchObject({
    accepted: false,
    trust: 'amd',
    refusal: { code: 'EVIDENCE_INVALID' },
  })
})

test('with --snp-roots the answer says loudly that it is not AMD', async () => {
  const { json } = await verify('evidence.json', ...devnet)
  expect(json.trust).toMatch(/^NOT AMD/)
  const text = await runCli(['verify', 'evidence.json', ...devnet], files, { now })
  expect(text.out[0]).toMatch(/^!! NOT AMD/)
  expect(text.out.at(-1)).toBe('ACCEPTED')
})

test('evidence and the document it was launched with are accepted, in either order', async () => {
  for (const argv of [
    ['evidence.json', 'initdata.toml'],
    ['initdata.toml', 'evidence.json'],
  ]) {
    const { code, json } = await verify(...argv, ...devnet)
    expect([code, json.binding]).toEqual([0, 'host_data'])
  }
})

test('a document that the guest names in REPORT_DATA is accepted, and the weaker binding is told', async () => {
  const { code, json } = await verify('self.json', 'initdata.toml', ...devnet)
  expect([code, json.binding]).toEqual([0, 'report_data'])
})

test.each([['evidence.json'], ['self.json']])(
  '%s with another document is refused',
  async (file) => {
    const { code, json } = await verify(file, 'other.toml', ...devnet)
    expect([code, json.refusal?.code]).toEqual([1, 'INITDATA_MISMATCH'])
    expect(json.checks.at(-1)?.result).toBe('failed')
  },
)

test('a debug guest is refused, and the check that failed is the last one listed', async () => {
  const { code, json } = await verify('debug.json', ...devnet)
  expect([code, json.refusal?.code]).toEqual([1, 'EVIDENCE_NOT_ALLOWED'])
  expect(json.checks.at(-1)).toMatchObject({ name: 'snp.policy.debug', result: 'failed' })
})

test('--explain keeps every input whole and names the source of each rule', async () => {
  const short = await runCli(['verify', 'debug.json', ...devnet], files, { now })
  const { code, out } = await runCli(['verify', 'debug.json', ...devnet, '--explain'], files, {
    now,
  })
  const { json } = await verify('debug.json', ...devnet)
  expect(code).toBe(1)
  const text = out.join('\n')
  for (const { name, inputs, source } of json.checks) {
    expect(text).toContain(`${name}  (${source})`)
    for (const value of Object.values(inputs)) expect(text).toContain(value)
  }
  expect(text).toContain('FAIL snp.policy.debug  (AMD 56860, guest POLICY)')
  expect(short.out.join('\n')).not.toContain('AMD 56860')
})

test('a report of another privilege level needs --vmpl', async () => {
  expect((await verify('vmpl1.json', ...devnet)).code).toBe(1)
  expect((await verify('vmpl1.json', '--vmpl', '1', ...devnet)).code).toBe(0)
})

test('--report-data demands its 64 bytes', async () => {
  const right = bytesToHex(concatBytes(new Uint8Array(32).fill(7), initdata.sha384.subarray(0, 32)))
  const wrong = right.replace('0707', '0708')
  expect((await verify('evidence.json', '--report-data', right, ...devnet)).code).toBe(0)
  const { code, json } = await verify('evidence.json', '--report-data', wrong, ...devnet)
  expect([code, json.refusal?.code]).toEqual([1, 'REPORT_DATA_MISMATCH'])
})

test('--at moves the clock: before the certificates began, nothing is valid', async () => {
  const { code, json } = await verify('evidence.json', '--at', '2020-01-01', ...devnet)
  expect([code, json.refusal?.code, json.at]).toEqual([
    1,
    'EVIDENCE_INVALID',
    '2020-01-01T00:00:00.000Z',
  ])
})

test('a document alone is checked for what its policy admits', async () => {
  expect((await verify('initdata.toml')).code).toBe(0)
  files['open.toml'] = stringifyInitdata({
    algorithm: 'sha384',
    data: { 'policy.rego': 'package agent_policy\ndefault SetPolicyRequest := true\n' },
  })
  const { code, json } = await verify('open.toml')
  expect([code, json.refusal?.code]).toEqual([1, 'POLICY_TOO_PERMISSIVE'])
})

test.each([
  ['two evidence files', ['evidence.json', 'wire.json']],
  ['two documents', ['initdata.toml', 'other.toml']],
  ['a date that is none', ['evidence.json', '--at', 'yesterday']],
  ['63 bytes of report data', ['evidence.json', '--report-data', '00'.repeat(63)]],
  ['certificates without evidence', ['initdata.toml', '--certificate', 'vcek.der']],
  ['a privilege level that does not exist', ['evidence.json', '--vmpl', '4']],
  ['a roots file that is none', ['evidence.json', '--snp-roots', 'initdata.toml']],
])('%s: exit 2', async (_, argv) => {
  const { code, out } = await runCli(['verify', ...argv], files, { now })
  expect([code, out]).toEqual([2, []])
})

test.each([
  ['an empty object', '{}'],
  ['half a document', '{"attestation_report": {'],
  ['a report that is too long', new Uint8Array(1185).fill(0xff)],
  ['a lie about its size', `{"attestation_report":"${'A'.repeat(100_000)}","cert_chain":[]}`],
  ['deep nesting', `{"a":${'['.repeat(50_000)}`],
])('%s is refused as evidence, not a crash', async (_, content) => {
  const { code, out } = await runCli(['verify', 'f', '--json'], { f: content }, { now })
  expect(code).toBe(1)
  expect(JSON.parse(out[0] ?? '')).toMatchObject({ accepted: false })
})

const genuine = sharedVectors('evidence')
describe.runIf(genuine !== undefined)('genuine evidence', () => {
  const read = (path: string) => new Uint8Array(readFileSync(join(genuine ?? '', 'snp', path)))
  const at = ['--at', '2026-06-01']

  test.each([
    ['evidence/aa-snp-sev6-v3-genoa-trustee.json', 0],
    ['evidence/derived-sev63-v5-turin-vcek-azure.json', 0],
    ['evidence/derived-sev63-v5-genoa-vcek-gcp.json', 0],
    // Its VLEK ended in December 2025.
    ['evidence/derived-sev63-v3-milan-vlek-aws.json', 1],
  ])('%s: exit %i', async (path, expected) => {
    const { code } = await runCli(['verify', 'e', ...at], { e: read(path) })
    expect(code).toBe(expected)
  })

  test('the AWS report is accepted for its own time and privilege level', async () => {
    const evidence = read('evidence/derived-sev63-v3-milan-vlek-aws.json')
    const { code } = await runCli(['verify', 'e', '--at', '2025-06-01', '--vmpl', '1'], {
      e: evidence,
    })
    expect(code).toBe(0)
  })

  test('a binary report needs its certificate', async () => {
    const given = {
      r: read('reports/v5-turin-vcek-azure-msft.bin'),
      c: read('certs/v5-turin-vcek-azure-msft.der'),
    }
    expect((await runCli(['verify', 'r', '--certificate', 'c', ...at], given)).code).toBe(0)
    expect((await runCli(['verify', 'r', ...at], given)).code).toBe(1)
  })
})

test('--eat prints the verdict as claims: results by name, and that no vendor stands behind throw-away roots', async () => {
  const eat = async (...argv: string[]) => {
    const { code, out } = await runCli(['verify', ...argv, ...devnet, '--eat'], files, { now })
    const claims: EatClaims = JSON.parse(out.join('\n'))
    return { code, claims }
  }
  const accepted = await eat('evidence.json', 'initdata.toml')
  expect(accepted.code).toBe(0)
  expect(accepted.claims).toMatchObject({
    eat_profile: 'urn:eigenx-tee:eat:1',
    iat: NOW,
    oemid: 3704,
    eigenx_tee: {
      accepted: true,
      initdata_binding: 'host_data',
      trust: expect.stringMatching(/^NOT AMD/),
    },
  })
  const refused = await eat('debug.json')
  expect(refused).toMatchObject({
    code: 1,
    claims: {
      dbgstat: 'enabled',
      eigenx_tee: { accepted: false, refusal: 'EVIDENCE_NOT_ALLOWED' },
    },
  })
  const without = await runCli(['verify', 'initdata.toml', '--eat'], files, { now })
  expect(without.code).toBe(2)
  const both = await runCli(['verify', 'evidence.json', '--eat', '--json'], files, { now })
  expect(both.code).toBe(2)
})
