import { p384 } from '@noble/curves/nist.js'
import { SIGNATURE_HALF, SIGNED_SIZE } from '../../../sdk/attest/snp-report.ts'
import type { SnpEvidence } from '../../../sdk/attest/snp-verify.ts'
import { concatBytes, uintBE } from '../../../sdk/bytes.ts'
import { describeRefusals, invalid, malformed } from './kit.ts'

const N = p384.Point.Fn.ORDER
const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }
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

describeRefusals('a report with one thing wrong is refused', [
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
  {
    name: 'newer firmware committed than runs',
    fields: { committed: { major: 1, minor: 56, build: 0 } },
    expect: invalid('snp.firmware-order'),
  },
])
