import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { AaShape } from '../../../helper/sim/evidence-json.ts'
import { encodeAaJson } from '../../../helper/sim/evidence-json.ts'
import type { SnpReportFields } from '../../../helper/sim/evidence-report.ts'
import { encodeReport, healthyReport } from '../../../helper/sim/evidence-report.ts'
import { parseAaSnpEvidence } from '../../../sdk/attest/aa-snp.ts'
import { parseSnpReport } from '../../../sdk/attest/snp-report.ts'
import { verifySnp } from '../../../sdk/attest/snp-verify.ts'
import type { SnpProduct } from '../../../sdk/attest/types.ts'
import { bytesToHex } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'

const products: SnpProduct[] = ['Milan', 'Genoa', 'Turin']
const shapes: AaShape[] = ['sev-1', 'sev-6.0', 'sev-6.3']
const versions = [2, 3, 4, 5] as const
const combinations = products.flatMap((product) =>
  shapes.flatMap((shape) =>
    versions
      // Turin never wrote version 2, and the form of 6.0 has no place for version 5's vectors.
      .filter(
        (version) =>
          (product !== 'Turin' || version > 2) && !(shape === 'sev-6.0' && version === 5),
      )
      .map((version) => ({ product, shape, version })),
  ),
)

const report = (product: SnpProduct = 'Milan', fields: Partial<SnpReportFields> = {}) =>
  encodeReport({ ...healthyReport(product, 'VCEK'), ...fields }, product)
const text = (shape: AaShape = 'sev-6.3', product: SnpProduct = 'Milan') =>
  encodeAaJson(report(product), null, shape)

describe("the agent's JSON", () => {
  it.each(combinations)(
    '$shape of $product, version $version, becomes the same bytes',
    (wanted) => {
      const { product, shape, version } = wanted
      // Every field other than zero, so that none can be lost.
      const bytes = report(product, {
        version,
        guestSvn: 0xfffffffe,
        policy: 0xfedcba9876543210n,
        platformInfo: 0xfffffffffffffff1n,
        authorKeyEnabled: true,
        vmpl: 0xffffffff,
        launchMitigations: 0x8000000000000001n,
        currentMitigations: (1n << 53n) + 1n,
        current: { major: 1, minor: 2, build: 3 },
        committed: { major: 4, minor: 5, build: 6 },
        hostData: new Uint8Array(32).fill(9),
      })
      for (let at = 0x2a0; at < 0x330; at++) bytes[at] = at & 0xff
      const parsed = parseAaSnpEvidence(encodeAaJson(bytes, null, shape))
      expect(bytesToHex(parsed.report)).toBe(bytesToHex(bytes))
      expect(parsed.certificates).toEqual([])
    },
  )

  it.each(products)('of %s verifies after the way through either form', async (product) => {
    const authority = await authorityOf(product)
    const issued = await authority.issue({ version: 5 })
    for (const shape of ['sev-1', 'sev-6.3'] as const)
      expect(
        verifySnp(parseAaSnpEvidence(issued.aaJson(shape)), authority.anchors, NOW).claims.product,
      ).toBe(product)
  })

  it('gives certificates only, in order', () => {
    const chain = [
      { type: 'ARK', data: Uint8Array.of(1) },
      { type: 'CRL', data: Uint8Array.of(2) },
      { type: { OTHER: '00000000-0000-0000-0000-000000000000' }, data: Uint8Array.of(3) },
      { type: 'Empty', data: new Uint8Array() },
      { type: 'VCEK', data: Uint8Array.of(4) },
    ]
    const parsed = parseAaSnpEvidence(encodeAaJson(report(), chain, 'sev-6.3'))
    expect(parsed.certificates).toEqual([Uint8Array.of(1), Uint8Array.of(4)])
  })
})

const cases: { name: string; text: string; field: string }[] = [
  { name: 'an array', text: '[]', field: 'evidence' },
  { name: 'no report', text: '{}', field: 'attestation_report' },
  {
    name: 'a report in base64',
    text: '{"attestation_report":"AAAA"}',
    field: 'attestation_report',
  },
  {
    name: 'neither form',
    text: text().replace('"current":', '"currant":'),
    field: 'attestation_report.current',
  },
  {
    name: 'both forms',
    text: text().replace('"current":', '"current_build":1,"current":'),
    field: 'attestation_report.current',
  },
  {
    name: 'a missing field',
    text: text().replace('"vmpl":0,', ''),
    field: 'attestation_report.vmpl',
  },
  {
    name: 'a negative number',
    text: text().replace('"vmpl":0', '"vmpl":-1'),
    field: 'attestation_report.vmpl',
  },
  {
    name: 'a number beyond its width',
    text: text().replace('"vmpl":0', '"vmpl":4294967296'),
    field: 'attestation_report.vmpl',
  },
  {
    name: 'a policy of 65 bits',
    text: text().replace('"policy":196608', '"policy":18446744073709551616'),
    field: 'attestation_report.policy',
  },
  {
    name: 'a number in a string',
    text: text().replace('"vmpl":0', '"vmpl":"0"'),
    field: 'attestation_report.vmpl',
  },
  { name: 'a fraction', text: text().replace('"vmpl":0', '"vmpl":0.0'), field: 'evidence' },
  { name: 'an exponent', text: text().replace('"vmpl":0', '"vmpl":0e0'), field: 'evidence' },
  { name: 'NaN', text: text().replace('"vmpl":0', '"vmpl":NaN'), field: 'evidence' },
  {
    name: 'a key twice with two values',
    text: text().replace('"vmpl":0', '"vmpl":0,"vmpl":1'),
    field: 'evidence',
  },
  {
    name: 'a key twice with one value',
    text: text().replace('"vmpl":0', '"vmpl":0,"vmpl":0'),
    field: 'evidence',
  },
  {
    name: 'a key twice, once escaped',
    text: text().replace('"vmpl":0', '"vmpl":0,"\\u0076mpl":0'),
    field: 'evidence',
  },
  { name: 'bytes behind the object', text: `${text()}{}`, field: 'evidence' },
  {
    name: 'a byte of 256',
    text: text().replace('"host_data":[0', '"host_data":[256'),
    field: 'attestation_report.host_data',
  },
  {
    name: 'a byte too many',
    text: text().replace('"host_data":[0', '"host_data":[0,0'),
    field: 'attestation_report.host_data',
  },
  {
    name: 'a byte too few',
    text: text().replace('"host_data":[0,', '"host_data":['),
    field: 'attestation_report.host_data',
  },
  {
    name: 'a hole in an array',
    text: text().replace('"host_data":[0', '"host_data":[null'),
    field: 'attestation_report.host_data',
  },
  {
    name: 'bytes as text',
    text: text().replace(/"host_data":\[[0,]+\]/, '"host_data":"00"'),
    field: 'attestation_report.host_data',
  },
  {
    name: 'an FMC on Milan',
    text: text().replace('"current_tcb":{"fmc":null', '"current_tcb":{"fmc":1'),
    field: 'attestation_report.current_tcb.fmc',
  },
  {
    name: 'no FMC on Turin',
    text: text('sev-6.3', 'Turin').replace('"current_tcb":{"fmc":1', '"current_tcb":{"fmc":null'),
    field: 'attestation_report.current_tcb.fmc',
  },
  {
    name: 'Turin under the family of Milan',
    text: text('sev-6.3', 'Turin').replace('"cpuid_fam_id":26', '"cpuid_fam_id":25'),
    field: 'attestation_report.current_tcb.fmc',
  },
  {
    name: 'a version 5 report without vectors',
    text: encodeAaJson(report(), null, 'sev-6.0'),
    field: 'attestation_report.launch_mit_vector',
  },
  {
    name: 'a version 4 report with vectors',
    text: text().replace('"version":5', '"version":4'),
    field: 'attestation_report.launch_mit_vector',
  },
  {
    name: 'a version 3 report without CPU fields',
    text: text().replace('"cpuid_step":1', '"cpuid_step":null'),
    field: 'attestation_report.cpuid_step',
  },
  {
    name: 'a name of every object',
    text: text().replace('"signature":', '"constructor":'),
    field: 'attestation_report.signature',
  },
  {
    name: 'a prototype',
    text: text().replace('"signature":', '"__proto__":'),
    field: 'attestation_report.signature',
  },
  {
    name: 'a chain that is no array',
    text: text().replace('"cert_chain":null', '"cert_chain":{}'),
    field: 'cert_chain',
  },
  {
    name: 'an entry of an unknown type',
    text: text().replace('"cert_chain":null', '"cert_chain":[{"cert_type":"XYZ","data":[]}]'),
    field: 'cert_chain[0].cert_type',
  },
  {
    name: 'deep nesting',
    text: `{"attestation_report":${'['.repeat(60_000)}${']'.repeat(60_000)}}`,
    field: 'evidence',
  },
  { name: 'deep nesting that never ends', text: '{"a":'.repeat(40_000), field: 'evidence' },
]

describe("the agent's JSON is refused", () => {
  it.each(cases)('with $name', ({ text: changed, field }) => {
    expect(changed).not.toBe(text())
    expect(refusalOf(() => parseAaSnpEvidence(changed))).toEqual({
      code: 'EVIDENCE_MALFORMED',
      details: { field, offset: -1 },
    })
  })

  it.each([
    ['of more than 256 KiB', `{"a":"${'x'.repeat(256 * 1024)}"}`, 'evidence', 256 * 1024],
    [
      'with eleven certificates',
      text().replace(
        '"cert_chain":null',
        `"cert_chain":[${Array.from({ length: 11 }, () => '{}')}]`,
      ),
      'cert_chain',
      10,
    ],
    [
      'with a certificate of 4097 bytes',
      text().replace(
        '"cert_chain":null',
        `"cert_chain":[{"cert_type":"VCEK","data":[${new Uint8Array(4097)}]}]`,
      ),
      'cert_chain[0].data',
      4096,
    ],
  ])('%s', (_, changed, field, limit) => {
    expect(refusalOf(() => parseAaSnpEvidence(changed))).toEqual({
      code: 'INPUT_TOO_LARGE',
      details: { field, limit },
    })
  })

  it('in time, where quotes and backslashes alternate', () => {
    const started = performance.now()
    refusalOf(() => parseAaSnpEvidence(`{"a":"${'\\"'.repeat(100_000)}`))
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

test.prop([fc.uint8Array({ minLength: 1184, maxLength: 1184 }), fc.constantFrom(...shapes)])(
  'a report of random fields is refused or becomes bytes that parse to the same fields',
  (bytes, shape) => {
    const random = Uint8Array.from(bytes)
    random.set(report().subarray(0, 4), 0)
    let encoded: string
    try {
      parseSnpReport(random)
      encoded = encodeAaJson(random, null, shape)
    } catch {
      return
    }
    const refusal = refusalOf(() => parseAaSnpEvidence(encoded))
    if (refusal === 'accepted')
      expect(bytesToHex(parseAaSnpEvidence(encoded).report)).toBe(bytesToHex(random))
    else expect(refusal).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
  },
)

test.prop([fc.oneof(fc.string(), fc.json())])('garbage gets a typed refusal', (garbage) => {
  expect(refusalOf(() => parseAaSnpEvidence(garbage))).toMatchObject({
    code: 'EVIDENCE_MALFORMED',
  })
})

test.prop([fc.nat(), fc.nat(255)])(
  'a damaged text gets a typed refusal or other bytes',
  (at, code) => {
    const honest = text()
    const position = at % honest.length
    const damaged =
      honest.slice(0, position) + String.fromCharCode(code) + honest.slice(position + 1)
    const refusal = refusalOf(() => parseAaSnpEvidence(damaged))
    if (refusal !== 'accepted') expect(refusal).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
  },
)
