import { Integer } from 'asn1js'
import { expect } from 'vitest'
import type { IssueOptions, LeafExtension } from '../../../helper/sim/evidence.ts'
import { concatBytes } from '../../../sdk/bytes.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { describeRefusals, invalid, issue, malformed } from './kit.ts'

const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }
const DAY = 24 * 3600
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

describeRefusals('a certificate with one thing wrong is refused', [
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
])
