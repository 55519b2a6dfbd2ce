/** `verify` with AMD's revocation lists: of the sender, and given beside the evidence. Under throw-away roots. */
import { beforeAll, expect, test } from 'vitest'
import type { Verification } from '../../helper/cli/verify.ts'
import { encodeAzureSnpJson } from '../../helper/sim/azure-evidence.ts'
import { encodeSnpRoots } from '../../sdk/attest/anchors.ts'
import { CRL_LIMIT } from '../../sdk/attest/crl.ts'
import { verifySnp } from '../../sdk/attest/snp-verify.ts'
import { encodeWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { runCli } from '../kit/cli.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'
import { snpVm } from '../sdk/attest/azure/kit.ts'
import { DAY, makeList } from '../sdk/attest/crl-kit.ts'

const now = new Date(NOW * 1000)
let files: Record<string, string | Uint8Array>

beforeAll(async () => {
  const authority = await authorityOf()
  const { report, certificates } = await authority.issue()
  const { claims } = verifySnp({ report, certificates }, authority.anchors, NOW)
  const revoked = [claims.leaf.issuerSerial]
  const revoking = await makeList({ revoked })
  const wire = (crls: Uint8Array[]) => encodeWireSnpEvidence({ report, certificates, crls })
  files = {
    'roots.json': encodeSnpRoots(authority.anchors),
    'plain.json': encodeWireSnpEvidence({ report, certificates }),
    'fine.json': wire([await makeList()]),
    'revoked.json': wire([revoking]),
    'forged.json': wire([await makeList({ keySet: 'look-alike' })]),
    'good/vcek-milan.crl': await makeList(),
    'good/vlek-genoa.crl': await makeList({ product: 'Genoa' }),
    'bad/vlek-milan.crl': revoking,
    'old/vcek-milan.crl': await makeList({ thisUpdate: NOW - 60 * DAY, nextUpdate: NOW - DAY }),
    'strange/vcek-milan.crl': await makeList({ keySet: 'look-alike' }),
    'other/vcek-genoa.crl': await makeList({ product: 'Genoa' }),
    'empty/readme.txt': 'no list',
    'milan.crl': await makeList(),
    'garbage/vcek-milan.crl': new Uint8Array(2048).fill(0x30),
    'huge/vcek-milan.crl': new Uint8Array(CRL_LIMIT + 1),
  }
}, 60_000)

async function verify(...argv: string[]) {
  const devnet = ['--snp-roots', 'roots.json', '--json']
  const { code, out } = await runCli(['verify', ...argv, ...devnet], files, { now })
  const text = out[0]
  if (text === undefined) return { code, failed: undefined }
  const { refusal, checks }: Verification = JSON.parse(text)
  const failed = checks.filter(({ result }) => result === 'failed').map(({ name }) => name)
  return { code, refusal: refusal?.code, failed, checks }
}

test('without a list, the verdict says that none was looked at', async () => {
  const { code, checks } = await verify('plain.json')
  expect(code).toBe(0)
  const present = checks?.find(({ name }) => name === 'snp.crl.present')
  expect(present?.result).toBe('not-applicable')
})

test.each([
  ['a list of the sender that revokes nothing', ['fine.json'], 0, undefined, []],
  [
    'a list of the sender that revokes the authority',
    ['revoked.json'],
    1,
    'EVIDENCE_INVALID',
    ['snp.crl.seen-before'],
  ],
  [
    'a list of the sender that AMD did not sign',
    ['forged.json'],
    1,
    'EVIDENCE_INVALID',
    ['snp.crl.signature'],
  ],
  ['a current list', ['plain.json', '--crl', 'good'], 0, undefined, []],
  [
    'a list of the other kind that revokes the authority, beside a current one',
    ['plain.json', '--crl', 'good', '--crl', 'bad/vlek-milan.crl'],
    1,
    'EVIDENCE_INVALID',
    ['snp.crl.seen-before'],
  ],
  [
    'a list that ran out',
    ['plain.json', '--crl', 'old'],
    1,
    'EVIDENCE_NOT_ALLOWED',
    ['snp.crl.current'],
  ],
  [
    'a given list that AMD did not sign',
    ['plain.json', '--crl', 'strange'],
    1,
    'EVIDENCE_INVALID',
    ['snp.crl.signature'],
  ],
  ['a given list that is none', ['plain.json', '--crl', 'garbage'], 1, 'EVIDENCE_MALFORMED', []],
  [
    'lists of another product line alone',
    ['plain.json', '--crl', 'other'],
    1,
    'EVIDENCE_NOT_ALLOWED',
    ['snp.crl.present'],
  ],
])('%s', async (_name, argv, code, refusal, failed) => {
  expect(await verify(...argv)).toMatchObject({ code, refusal, failed })
})

test.each([
  ['a folder without a list', ['plain.json', '--crl', 'empty']],
  ['a list by another name', ['plain.json', '--crl', 'milan.crl']],
  ['a list that is not there', ['plain.json', '--crl', 'nowhere']],
  ['a list above the limit', ['plain.json', '--crl', 'huge']],
])('%s: exit 2', async (_name, argv) => {
  expect(await verify(...argv)).toMatchObject({ code: 2 })
})

test('lists count for the processor under an Azure VM too', async () => {
  files['azure.json'] = encodeAzureSnpJson(await (await snpVm()).issue())
  expect(await verify('azure.json', '--crl', 'good')).toMatchObject({ code: 0 })
  expect(await verify('azure.json', '--crl', 'bad')).toMatchObject({
    code: 1,
    failed: ['snp.crl.seen-before'],
  })
})
