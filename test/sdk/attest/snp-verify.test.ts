import { fc, test } from '@fast-check/vitest'
import { p384 } from '@noble/curves/nist.js'
import { Integer } from 'asn1js'
import { describe, expect, it } from 'vitest'
import type { IssueOptions, LeafExtension } from '../../../helper/sim/evidence.ts'
import type { SnpReportFields } from '../../../helper/sim/evidence-report.ts'
import { AMD_ANCHORS, type SnpTrustAnchors } from '../../../sdk/attest/anchors.ts'
import { SIGNATURE_HALF, SIGNED_SIZE } from '../../../sdk/attest/snp-report.ts'
import { type SnpEvidence, verifySnp } from '../../../sdk/attest/snp-verify.ts'
import type { Check, SnpProduct } from '../../../sdk/attest/types.ts'
import { concatBytes, fromUintBE, uintBE } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, issue, NOW } from './kit.ts'

const N = p384.Point.Fn.ORDER
const invalid = (check: string) => ({ code: 'EVIDENCE_INVALID', details: { check } })
const malformed = (field: string, offset = -1) => ({
  code: 'EVIDENCE_MALFORMED',
  details: { field, offset },
})

describe('genuine evidence', () => {
  const products: SnpProduct[] = ['Milan', 'Genoa', 'Turin']
  const kinds = ['VCEK', 'VLEK'] as const
  const versions = [2, 3, 4, 5] as const
  const cases = products.flatMap((product) =>
    kinds.flatMap((kind) =>
      versions
        .filter((version) => product !== 'Turin' || version > 2)
        .map((version) => ({ product, kind, version })),
    ),
  )

  it.each(cases)('of $product, $kind, version $version is accepted', async (wanted) => {
    const authority = await authorityOf(wanted.product, wanted.kind)
    const { evidence } = await issue({ version: wanted.version, guestSvn: 9 }, {}, authority)
    const { claims, checks } = verifySnp(evidence, authority.anchors, NOW)
    expect(claims).toMatchObject({
      tee: 'snp',
      product: wanted.product,
      signer: wanted.kind,
      reportVersion: wanted.version,
      guestSvn: 9,
    })
    expect(claims.cspId).toBe(wanted.kind === 'VLEK' ? 'CN=cc-sim.example.com' : undefined)
    expect(claims.tcb.reported.fmc).toBe(wanted.product === 'Turin' ? 1 : undefined)
    expect(claims.cpuid === undefined).toBe(wanted.version === 2)
    expect(claims.currentMitigations).toBe(wanted.version === 5 ? 0x3fn : undefined)
    expect(checks.every(({ result }) => result !== 'failed')).toBe(true)
    expect(checks).toHaveLength(17)
    expect(new Set(checks.map(({ name }) => name)).size).toBe(17)
  })

  it('may bring the trusted authorities along, in any order', async () => {
    const { evidence, authority } = await issue()
    const { ark, ask, asvk } = authority.certificates
    const certificates = [ask, ...evidence.certificates, asvk, ark, ask]
    expect(verifySnp({ ...evidence, certificates }, authority.anchors, NOW).claims.product).toBe(
      'Milan',
    )
  })

  it('may have the high or the low s: firmware writes both', async () => {
    const { evidence, authority } = await issue()
    const twin = Uint8Array.from(evidence.report)
    const at = SIGNED_SIZE + SIGNATURE_HALF
    const s = fromUintBE(twin.slice(at, at + 48).reverse())
    twin.set(uintBE(N - s, 48).reverse(), at)
    expect(verifySnp({ ...evidence, report: twin }, authority.anchors, NOW).claims.vmpl).toBe(0)
  })

  it('of a host that is ahead of what it reports is accepted', async () => {
    const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 217 }
    const { evidence, authority } = await issue({
      reportedTcb: tcb,
      committedTcb: { ...tcb, microcode: 219 },
      currentTcb: { ...tcb, microcode: 220 },
    })
    expect(verifySnp(evidence, authority.anchors, NOW).claims.tcb.current.microcode).toBe(220)
  })

  it('of two generations of authorities with the same names is accepted from either', async () => {
    const old = await authorityOf('Milan', 'VCEK', 'default')
    const next = await authorityOf('Milan', 'VCEK', 'look-alike')
    const both: SnpTrustAnchors = new Map([['Milan', [old.certificates, next.certificates]]])
    for (const authority of [old, next]) {
      const { evidence } = await issue({}, {}, authority)
      expect(verifySnp(evidence, both, NOW).claims.product).toBe('Milan')
    }
  })
})

type Case = {
  name: string
  fields?: Partial<SnpReportFields>
  options?: IssueOptions
  product?: SnpProduct
  kind?: 'VCEK' | 'VLEK'
  change?: (evidence: SnpEvidence) => Promise<SnpEvidence> | SnpEvidence
  now?: number
  expect: unknown
}

const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }
const DAY = 24 * 3600
const withReport = (edit: (report: Uint8Array) => void) => (evidence: SnpEvidence) => {
  const report = Uint8Array.from(evidence.report)
  edit(report)
  return { ...evidence, report }
}
const setSignature = (r: bigint, s: bigint) =>
  withReport((report) => {
    report.set(uintBE(r, SIGNATURE_HALF).reverse(), SIGNED_SIZE)
    report.set(uintBE(s, SIGNATURE_HALF).reverse(), SIGNED_SIZE + SIGNATURE_HALF)
  })
const replaceExtension = (suffix: string, value: Uint8Array): IssueOptions => ({
  leaf: {
    edit: (list) =>
      list.map((item) => (item.oid.endsWith(`.3704.1.${suffix}`) ? { ...item, value } : item)),
  },
})
const dropExtension = (suffix: string): IssueOptions => ({
  leaf: { edit: (list) => list.filter(({ oid }) => !oid.endsWith(`.3704.1.${suffix}`)) },
})
const addExtension = (oid: string, critical = false): IssueOptions => ({
  leaf: {
    edit: (list): LeafExtension[] => [...list, { oid, critical, value: Uint8Array.of(4, 1, 0) }],
  },
})
const der = (value: number) => new Uint8Array(new Integer({ value }).toBER())

const refusals: Case[] = [
  // the report
  {
    name: 'an empty report',
    change: (e) => ({ ...e, report: new Uint8Array() }),
    expect: malformed('length'),
  },
  {
    name: 'a report with one byte more',
    change: (e) => ({ ...e, report: concatBytes(e.report, Uint8Array.of(0)) }),
    expect: malformed('length'),
  },
  {
    name: 'two reports in a row',
    change: (e) => ({ ...e, report: concatBytes(e.report, e.report) }),
    expect: malformed('length'),
  },
  { name: 'version 1', change: withReport((b) => b.set([1], 0)), expect: malformed('version', 0) },
  { name: 'version 6', change: withReport((b) => b.set([6], 0)), expect: malformed('version', 0) },
  {
    name: 'a signature of another algorithm',
    fields: { signatureAlgorithm: 2 },
    expect: malformed('signature algorithm', 0x34),
  },
  {
    name: 'reserved bits behind SIGNING_KEY, signed',
    options: { beforeSigning: (b) => b.set([1], 0x49) },
    expect: malformed('reserved', 0x48),
  },
  {
    name: 'a reserved byte behind the mitigation vectors, signed',
    options: { beforeSigning: (b) => b.set([1], 0x208) },
    expect: malformed('reserved', 0x208),
  },
  {
    name: 'mitigation vectors in version 4, signed',
    fields: { version: 4 },
    options: { beforeSigning: (b) => b.set([1], 0x1f8) },
    expect: malformed('reserved', 0x1f8),
  },
  {
    name: 'CPU fields in version 2, signed',
    fields: { version: 2 },
    options: { beforeSigning: (b) => b.set([0x19], 0x188) },
    expect: malformed('reserved', 0x188),
  },
  {
    name: 'a byte behind the signature',
    change: withReport((b) => b.set([1], 0x49f)),
    expect: malformed('reserved', 0x49f),
  },
  {
    name: 'a reserved byte of the TCB, signed',
    options: { beforeSigning: (b) => b.set([1], 0x182) },
    expect: malformed('reported_tcb'),
  },
  // who signed
  { name: 'a report signed by no key', fields: { signingKey: 7 }, expect: invalid('snp.signer') },
  { name: 'a reserved signing key', fields: { signingKey: 2 }, expect: invalid('snp.signer') },
  { name: 'a masked chip key', fields: { maskChipKey: true }, expect: invalid('snp.signer') },
  {
    name: 'a VLEK report with a VCEK',
    fields: { signingKey: 1 },
    expect: invalid('snp.leaf-kind-equals-signer'),
  },
  {
    name: 'a VCEK report with a VLEK',
    kind: 'VLEK',
    fields: { signingKey: 0 },
    expect: invalid('snp.leaf-kind-equals-signer'),
  },
  {
    name: 'a VCEK issued by the ASVK',
    options: { leaf: { issuer: 'SEV-VLEK-Milan', signedBy: 'asvk' } },
    expect: invalid('snp.leaf-kind-equals-signer'),
  },
  {
    name: 'a VLEK by name, issued by the ASK',
    options: { leaf: { subject: 'SEV-VLEK', hwid: undefined, cspId: 'CN=x' } },
    expect: invalid('snp.leaf-kind-equals-issuer'),
  },
  // the processor
  {
    name: 'a processor from the future',
    fields: { cpuid: { family: 0x1a, model: 0x50, stepping: 0 } },
    expect: invalid('snp.cpu-known'),
  },
  {
    name: 'a Genoa report with a Milan certificate',
    fields: { cpuid: { family: 0x19, model: 0x11, stepping: 1 } },
    expect: invalid('snp.product'),
  },
  {
    name: 'a Turin report of version 2',
    product: 'Turin',
    fields: { version: 2 },
    expect: invalid('snp.product'),
  },
  {
    name: 'a version 2 report whose certificate names another product',
    fields: { version: 2 },
    options: { leaf: { productName: 'Genoa' } },
    expect: invalid('snp.leaf-product-name'),
  },
  // the signature of the report
  { name: 'a zero signature', change: setSignature(0n, 0n), expect: invalid('snp.signature-form') },
  { name: 'r = 0', change: setSignature(0n, 1n), expect: invalid('snp.signature-form') },
  { name: 's = 0', change: setSignature(1n, 0n), expect: invalid('snp.signature-form') },
  { name: 'r = n', change: setSignature(N, 1n), expect: invalid('snp.signature-form') },
  { name: 's = n', change: setSignature(1n, N), expect: invalid('snp.signature-form') },
  {
    name: 's = 2^384 - 1',
    change: setSignature(1n, (1n << 384n) - 1n),
    expect: invalid('snp.signature-form'),
  },
  {
    name: 'r with a bit in its padding',
    change: withReport((b) => b.set([1], SIGNED_SIZE + SIGNATURE_HALF - 1)),
    expect: invalid('snp.signature-form'),
  },
  { name: 'r = s = 1', change: setSignature(1n, 1n), expect: invalid('snp.report-signature') },
  {
    name: 'another measurement than the signed one',
    change: withReport((b) => b.set([0xff], 0x90)),
    expect: invalid('snp.report-signature'),
  },
  // the certificates
  {
    name: 'no certificate',
    change: (e) => ({ ...e, certificates: [] }),
    expect: invalid('snp.one-leaf'),
  },
  {
    name: 'the leaf twice',
    change: (e) => ({ ...e, certificates: [...e.certificates, ...e.certificates] }),
    expect: invalid('snp.one-leaf'),
  },
  {
    name: 'authorities but no leaf',
    change: async (e) => ({ ...e, certificates: [(await authorityOf()).certificates.ask] }),
    expect: invalid('snp.one-leaf'),
  },
  {
    name: 'a foreign authority beside the leaf',
    change: async (e) => {
      const foreign = await authorityOf('Milan', 'VCEK', 'look-alike')
      return { ...e, certificates: [...e.certificates, foreign.certificates.ask] }
    },
    expect: invalid('snp.one-leaf'),
  },
  {
    name: 'eleven certificates',
    change: (e) => ({ ...e, certificates: Array.from({ length: 11 }, () => e.report) }),
    expect: { code: 'INPUT_TOO_LARGE', details: { field: 'certificates', limit: 10 } },
  },
  {
    name: 'a certificate of 5000 bytes',
    change: (e) => ({ ...e, certificates: [new Uint8Array(5000).fill(0x30)] }),
    expect: { code: 'INPUT_TOO_LARGE', details: { field: 'leaf', limit: 4096 } },
  },
  {
    name: 'a PEM text where DER is due',
    change: (e) => ({ ...e, certificates: [Buffer.from('-----BEGIN CERTIFICATE-----')] }),
    expect: malformed('leaf'),
  },
  {
    name: 'a byte behind the certificate',
    change: (e) => ({
      ...e,
      certificates: e.certificates.map((leaf) => concatBytes(leaf, Uint8Array.of(0))),
    }),
    expect: malformed('leaf.encoding'),
  },
  {
    name: 'a leaf of an authority with the right names and other keys',
    change: async () => {
      const foreign = await authorityOf('Milan', 'VCEK', 'look-alike')
      return (await issue({}, {}, foreign)).evidence
    },
    expect: invalid('snp.leaf-signature'),
  },
  {
    name: 'a leaf issued by the ARK itself',
    options: { leaf: { issuer: 'ARK-Milan', signedBy: 'ark' } },
    expect: invalid('snp.leaf-issuer'),
  },
  {
    name: 'a leaf that names the ASK but is signed by the ASVK',
    options: { leaf: { signedBy: 'asvk' } },
    expect: invalid('snp.leaf-signature'),
  },
  {
    name: 'a leaf of another common name',
    options: { leaf: { subject: 'SEV-XXXX' } },
    expect: malformed('leaf.subject'),
  },
  {
    name: 'a leaf with a P-256 key',
    options: { leaf: { curve: 'P-256' } },
    expect: malformed('leaf.publicKey'),
  },
  {
    name: 'a leaf signed with SHA-256',
    options: { leaf: { pss: { hash: 'SHA-256', saltLength: 48 } } },
    expect: malformed('leaf.signatureAlgorithm'),
  },
  {
    name: 'a leaf signed with another salt length',
    options: { leaf: { pss: { hash: 'SHA-384', saltLength: 32 } } },
    expect: malformed('leaf.signatureAlgorithm'),
  },
  {
    name: 'an expired leaf',
    options: { leaf: { notAfter: NOW - 1 } },
    expect: invalid('snp.leaf-validity'),
  },
  {
    name: 'a leaf that is not valid yet',
    options: { leaf: { notBefore: NOW + 1 } },
    expect: invalid('snp.leaf-validity'),
  },
  {
    name: 'a time before the authorities began',
    options: { leaf: { notBefore: NOW - 30 * DAY } },
    now: NOW - 2 * DAY,
    expect: invalid('snp.intermediate-validity'),
  },
  {
    name: 'a time that is not a number',
    now: Number.NaN,
    expect: invalid('snp.leaf-validity'),
  },
  // what the leaf says
  ...['1', '2', '3.1', '3.2', '3.3', '3.4', '3.5', '3.6', '3.7', '3.8', '4'].map((suffix) => ({
    name: `a leaf without extension ${suffix}`,
    options: dropExtension(suffix),
    expect: expect.objectContaining({ code: 'EVIDENCE_MALFORMED' }),
  })),
  {
    name: 'a leaf with an FMC level on Milan',
    options: {
      leaf: {
        edit: (l) => [...l, { oid: '1.3.6.1.4.1.3704.1.3.9', critical: false, value: der(0) }],
      },
    },
    expect: malformed('leaf.fmc'),
  },
  {
    name: 'a leaf with chip id and provider',
    options: { leaf: { cspId: 'CN=both' } },
    expect: malformed('leaf.cspId'),
  },
  {
    name: 'a VLEK without a provider',
    kind: 'VLEK',
    options: { leaf: { cspId: undefined } },
    expect: malformed('leaf.cspId'),
  },
  {
    name: 'a VLEK with a chip id',
    kind: 'VLEK',
    options: { leaf: { hwid: new Uint8Array(64).fill(1) } },
    expect: malformed('leaf.hwid'),
  },
  {
    name: 'an extension that nobody knows',
    options: addExtension('1.3.6.1.4.1.3704.1.6'),
    expect: malformed('leaf.extension 1.3.6.1.4.1.3704.1.6'),
  },
  {
    name: 'a subject key identifier',
    options: addExtension('2.5.29.14'),
    expect: malformed('leaf.extension 2.5.29.14'),
  },
  {
    name: 'an extension twice',
    options: addExtension('1.3.6.1.4.1.3704.1.3.8'),
    expect: malformed('leaf.extension 1.3.6.1.4.1.3704.1.3.8 twice'),
  },
  {
    name: 'a critical extension',
    options: {
      leaf: { edit: (l) => l.map((item, i) => (i === 3 ? { ...item, critical: true } : item)) },
    },
    expect: expect.objectContaining({ code: 'EVIDENCE_MALFORMED' }),
  },
  {
    name: 'a level as an ENUMERATED',
    options: replaceExtension('3.1', Uint8Array.of(10, 1, 4)),
    expect: malformed('leaf.bootloader'),
  },
  {
    name: 'a level with a leading zero',
    options: replaceExtension('3.1', Uint8Array.of(2, 2, 0, 4)),
    expect: malformed('leaf.bootloader'),
  },
  {
    name: 'a level with bytes behind it',
    options: replaceExtension('3.1', Uint8Array.of(2, 1, 4, 0)),
    expect: malformed('leaf.bootloader'),
  },
  {
    name: 'a negative level',
    options: replaceExtension('3.1', Uint8Array.of(2, 1, 0xff)),
    expect: malformed('leaf.bootloader'),
  },
  {
    name: 'a level of 256',
    options: replaceExtension('3.8', der(256)),
    expect: malformed('leaf.microcode'),
  },
  {
    name: 'an empty level',
    options: replaceExtension('3.1', new Uint8Array()),
    expect: malformed('leaf.bootloader'),
  },
  {
    name: 'a set level 4',
    options: replaceExtension('3.4', der(1)),
    expect: malformed('leaf.spl4'),
  },
  {
    name: 'structure version 2',
    options: replaceExtension('1', der(2)),
    expect: malformed('leaf.structVersion'),
  },
  {
    name: 'a product name that is no string',
    options: replaceExtension('2', der(1)),
    expect: malformed('leaf.productName'),
  },
  {
    name: 'a chip id inside an OCTET STRING',
    options: replaceExtension(
      '4',
      concatBytes(Uint8Array.of(4, 64), new Uint8Array(64).fill(0xc1)),
    ),
    expect: malformed('leaf.hwid'),
  },
  // what the leaf says against the report
  ...(['bootloader', 'tee', 'snp', 'microcode'] as const).map((part) => ({
    name: `a leaf for another ${part} level`,
    options: { leaf: { tcb: { ...tcb, [part]: tcb[part] + 1 } } },
    expect: invalid('snp.leaf-tcb-equals-reported'),
  })),
  {
    name: 'a leaf for another FMC level',
    product: 'Turin',
    options: { leaf: { tcb: { fmc: 2, bootloader: 1, tee: 1, snp: 4, microcode: 81 } } },
    expect: invalid('snp.leaf-tcb-equals-reported'),
  },
  {
    name: 'a leaf of another chip',
    options: { leaf: { hwid: new Uint8Array(64).fill(0xc2) } },
    expect: invalid('snp.leaf-hwid-equals-chip-id'),
  },
  {
    name: 'a masked chip id',
    fields: { chipId: new Uint8Array(64) },
    options: { leaf: { hwid: new Uint8Array(64).fill(0xc1) } },
    expect: invalid('snp.leaf-hwid-equals-chip-id'),
  },
  {
    name: 'a masked chip id with a certificate for chip zero',
    fields: { chipId: new Uint8Array(64) },
    expect: invalid('snp.leaf-hwid-equals-chip-id'),
  },
  {
    name: 'a Turin chip id with more than eight bytes',
    product: 'Turin',
    fields: { chipId: new Uint8Array(64).fill(0xc1) },
    expect: invalid('snp.leaf-hwid-equals-chip-id'),
  },
  // TCB order
  {
    name: 'REPORTED above COMMITTED',
    fields: { committedTcb: { ...tcb, snp: 23 } },
    expect: invalid('snp.tcb-order'),
  },
  {
    name: 'COMMITTED above CURRENT',
    fields: { currentTcb: { ...tcb, microcode: 218 } },
    expect: invalid('snp.tcb-order'),
  },
]

describe('evidence with one thing wrong is refused', () => {
  it.each(refusals)('$name', async ({ fields, options, product, kind, change, now, ...wanted }) => {
    const authority = await authorityOf(product ?? 'Milan', kind ?? 'VCEK')
    const issued = await issue(fields, options, authority)
    // Milan and Genoa are both trusted, so that a wrong product is not merely an unknown one.
    const genoa = await authorityOf('Genoa', 'VCEK')
    const anchors: SnpTrustAnchors = new Map([...genoa.anchors, ...authority.anchors])
    const evidence = (await change?.(issued.evidence)) ?? issued.evidence
    const trace: Check[] = []
    const refusal = refusalOf(() => verifySnp(evidence, anchors, now ?? NOW, trace))
    expect(refusal).toEqual(wanted.expect)
    const failed = trace.filter(({ result }) => result === 'failed').map(({ name }) => name)
    const named = typeof refusal === 'object' && refusal.code === 'EVIDENCE_INVALID'
    expect(failed).toEqual(named ? [trace.at(-1)?.name] : [])
  })
})

describe('trust', () => {
  it('in AMD does not extend to a simulated authority', async () => {
    const { evidence } = await issue()
    expect(refusalOf(() => verifySnp(evidence, AMD_ANCHORS, NOW))).toEqual(
      invalid('snp.leaf-signature'),
    )
  })

  it('is not remembered from one set of anchors to another', async () => {
    const { evidence, authority } = await issue()
    verifySnp(evidence, authority.anchors, NOW)
    const foreign = await authorityOf('Milan', 'VCEK', 'look-alike')
    expect(refusalOf(() => verifySnp(evidence, foreign.anchors, NOW))).toEqual(
      invalid('snp.leaf-signature'),
    )
  })

  it('in a remembered certificate ends with its validity', async () => {
    const { evidence, authority } = await issue()
    const { leaf } = verifySnp(evidence, authority.anchors, NOW).claims
    verifySnp(evidence, authority.anchors, leaf.notAfter)
    const late = () => verifySnp(evidence, authority.anchors, leaf.notAfter + 1)
    expect(refusalOf(late)).toEqual(invalid('snp.leaf-validity'))
  })

  it.each([
    ['the ASK of another product', { ask: 'Genoa' }],
    ['the ARK of another product', { ark: 'Genoa' }],
  ] as const)('is not placed in anchors with %s', async (_, swap) => {
    const { evidence, authority } = await issue()
    const genoa = await authorityOf('Genoa')
    const certificates = {
      ...authority.certificates,
      ...('ask' in swap ? { ask: genoa.certificates.ask } : { ark: genoa.certificates.ark }),
    }
    const anchors: SnpTrustAnchors = new Map([['Milan', [certificates]]])
    const refusal = refusalOf(() => verifySnp(evidence, anchors, NOW))
    expect(refusal).toEqual(
      'ask' in swap
        ? invalid('snp.leaf-issuer')
        : { code: 'CONFIG_INVALID', details: { path: 'anchors.Milan.ask' } },
    )
  })

  it('is not placed in anchors whose ASK and ASVK are swapped', async () => {
    const { evidence, authority } = await issue()
    const { ark, ask, asvk } = authority.certificates
    const anchors: SnpTrustAnchors = new Map([['Milan', [{ ark, ask: asvk, asvk: ask }]]])
    expect(refusalOf(() => verifySnp(evidence, anchors, NOW))).toEqual(
      invalid('snp.leaf-kind-equals-signer'),
    )
  })
})

describe('the trace', () => {
  it('of a refusal ends with the check that failed, and shows both sides', async () => {
    const { evidence, authority } = await issue({}, { leaf: { tcb: { ...tcb, snp: 25 } } })
    const trace: Check[] = []
    expect(() => verifySnp(evidence, authority.anchors, NOW, trace)).toThrow()
    expect(trace.at(-1)).toEqual({
      name: 'snp.leaf-tcb-equals-reported',
      result: 'failed',
      inputs: { leaf: 'bl4.tee0.snp25.uc219', reported: 'bl4.tee0.snp24.uc219' },
      source: 'AMD 57230, VCEK and VLEK certificates',
    })
    expect(trace.slice(0, -1).every(({ result }) => result !== 'failed')).toBe(true)
  })
})

test.prop([fc.uint8Array({ maxLength: 1300 }), fc.array(fc.uint8Array({ maxLength: 600 }))])(
  'garbage gets a typed refusal',
  (report, certificates) => {
    const refusal = refusalOf(() => verifySnp({ report, certificates }, AMD_ANCHORS, NOW))
    expect(refusal).toMatchObject({ code: expect.stringMatching(/^(EVIDENCE_|INPUT_)/) })
  },
)
