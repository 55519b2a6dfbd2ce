/**
 * A throw-away SEV-SNP authority: makes reports that only a verifier with its anchors accepts. For the simulator and for tests.
 *
 * It plays AMD (ARK, ASK, ASVK), the chip (VCEK or VLEK) and the firmware, with the names, key sizes and algorithms that AMD
 * uses, so that the one production verifier reads what it makes. The RSA-4096 keys take seconds, so a process makes each set once.
 * @module
 */
import 'reflect-metadata'
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import {
  BasicConstraintsExtension,
  Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { IA5String, Integer } from 'asn1js'
import type { SnpAuthorityCertificates, SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import { SIGNATURE_HALF, SIGNED_SIZE } from '../../sdk/attest/snp-report.ts'
import type { SnpProduct, SnpTcb } from '../../sdk/attest/types.ts'
import { encodeWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { parseAnyBase64, toBase64 } from '../../sdk/bytes.ts'
import { type AaShape, encodeAaJson } from './evidence-json.ts'
import { encodeReport, healthyReport, type SnpReportFields } from './evidence-report.ts'

const RSA = {
  name: 'RSA-PSS',
  modulusLength: 4096,
  publicExponent: Uint8Array.of(1, 0, 1),
  hash: 'SHA-384',
} as const
const PSS = { name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 } as const
const YEAR_SECONDS = 365 * 24 * 3600
const OID = '1.3.6.1.4.1.3704.1'

/** As AMD numbers its authorities by product line. Its leaves all have the serial 0, which the generator does not write: here it is 1. */
const SERIES = { Milan: '01', Genoa: '02', Turin: '03' } as const

type Role = 'ark' | 'ask' | 'asvk'
type RsaKeys = Readonly<Record<Role, CryptoKeyPair>>

/** What the leaf certificate says; every field can be made to lie. */
export type LeafFields = {
  subject: string
  issuer: string
  signedBy: Role
  tcb: SnpTcb
  productName: string
  hwid: Uint8Array | undefined
  cspId: string | undefined
  /** Unix seconds. */
  notBefore: number
  notAfter: number
  curve: 'P-384' | 'P-256'
  pss: { hash: string; saltLength: number }
  /** Last say over the extensions. */
  edit: (extensions: LeafExtension[]) => LeafExtension[]
}
export type LeafExtension = { oid: string; critical: boolean; value: Uint8Array }

export type IssueOptions = {
  leaf?: Partial<LeafFields>
  /** Changes the report before it is signed. */
  beforeSigning?: (report: Uint8Array) => void
}

export type IssuedSnpEvidence = {
  report: Uint8Array
  /** DER, the leaf only. */
  certificates: Uint8Array[]
  /** What the Attestation Agent answers for it. */
  aaJson: (shape?: AaShape) => string
  /** What is sent to an operator: the bytes of Go's JSON form. */
  wire: () => Uint8Array
}

export type SnpAuthority = {
  product: SnpProduct
  kind: 'VCEK' | 'VLEK'
  anchors: SnpTrustAnchors
  certificates: SnpAuthorityCertificates
  issue: (fields?: Partial<SnpReportFields>, options?: IssueOptions) => Promise<IssuedSnpEvidence>
  /** Everything another process needs to issue under the same anchors. Contains private keys: of nothing but this simulation. */
  exportAuthority: () => Promise<string>
}

export type SnpAuthorityInput = {
  product: SnpProduct
  kind: 'VCEK' | 'VLEK'
  /** Unix seconds; certificates begin a day earlier. */
  now: number
  /** Different names get different keys; the same name the same ones. */
  keySet?: string
  /**
   * One RSA key behind all three authorities, where nothing but the time to make keys hangs on it: their
   * certificates differ all the same.
   * @default false
   */
  oneKey?: boolean
}

const keySets = new Map<string, Promise<RsaKeys>>()

export async function createSnpAuthority(input: SnpAuthorityInput): Promise<SnpAuthority> {
  const name = input.keySet ?? 'default'
  const keys = keySets.get(name) ?? generateKeys(input.oneKey ?? false)
  keySets.set(name, keys)
  return buildAuthority(input, await keys)
}

/** @param text - What `exportAuthority` returned in another process. */
export async function importAuthority(text: string): Promise<SnpAuthority> {
  const saved: unknown = JSON.parse(text)
  if (!isSaved(saved)) throw new Error('not an exported SNP authority')
  const load = (role: Role) => importPair(saved.keys[role])
  const [ark, ask, asvk] = await Promise.all([load('ark'), load('ask'), load('asvk')])
  const der = (role: Role) => decode(saved.certificates[role])
  const certificates = { ark: der('ark'), ask: der('ask'), asvk: der('asvk') }
  return assemble(saved, { ark, ask, asvk }, certificates)
}

type Saved = {
  product: SnpProduct
  kind: 'VCEK' | 'VLEK'
  now: number
  keys: Record<Role, { private: string; public: string }>
  certificates: Record<Role, string>
}

async function buildAuthority(input: SnpAuthorityInput, keys: RsaKeys): Promise<SnpAuthority> {
  const { product, now } = input
  const validity = { notBefore: now - 24 * 3600, notAfter: now + 25 * YEAR_SECONDS }
  const series = SERIES[product]
  const authority = (
    subject: string,
    pair: CryptoKeyPair,
    pathLength: number | undefined,
    number: string,
  ) =>
    createCertificate({
      serialNumber: `${series}${number}`,
      subject,
      issuer: `ARK-${product}`,
      publicKey: pair.publicKey,
      signingKey: keys.ark.privateKey,
      ...validity,
      pss: PSS,
      extensions: [
        new BasicConstraintsExtension(true, pathLength, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      ],
    })
  const [ark, ask, asvk] = await Promise.all([
    authority(`ARK-${product}`, keys.ark, undefined, '0000'),
    authority(`SEV-${product}`, keys.ask, 0, '0001'),
    authority(`SEV-VLEK-${product}`, keys.asvk, 0, '0101'),
  ])
  return assemble(input, keys, { ark, ask, asvk })
}

function assemble(
  input: SnpAuthorityInput,
  keys: RsaKeys,
  certificates: SnpAuthorityCertificates,
): SnpAuthority {
  const { product, kind, now } = input
  const leaves = new Map<string, ReturnType<typeof createLeaf>>()
  const issue: SnpAuthority['issue'] = async (fields = {}, options = {}) => {
    const report = { ...healthyReport(product, kind), ...fields }
    const leafFields = { ...describeLeaf(input, report), ...options.leaf }
    // `edit` is code, so a leaf with it is made anew.
    const key = options.leaf?.edit === undefined ? JSON.stringify(leafFields) : undefined
    const making = (key && leaves.get(key)) || createLeaf(leafFields, keys)
    if (key !== undefined) leaves.set(key, making)
    const leaf = await making
    const bytes = encodeReport(report, product)
    options.beforeSigning?.(bytes)
    signReport(bytes, leaf.privateKey)
    const chain = [{ type: kind, data: leaf.der }]
    const evidence = { report: bytes, certificates: [leaf.der] }
    return {
      ...evidence,
      aaJson: (shape = 'sev-6.3') => encodeAaJson(bytes, chain, shape),
      wire: () => encodeWireSnpEvidence(evidence),
    }
  }
  return {
    product,
    kind,
    anchors: new Map([[product, [certificates]]]),
    certificates,
    issue,
    exportAuthority: async () => {
      const [ark, ask, asvk] = await Promise.all([
        exportPair(keys.ark),
        exportPair(keys.ask),
        exportPair(keys.asvk),
      ])
      const saved: Saved = {
        product,
        kind,
        now,
        keys: { ark, ask, asvk },
        certificates: {
          ark: toBase64(certificates.ark),
          ask: toBase64(certificates.ask),
          asvk: toBase64(certificates.asvk),
        },
      }
      return JSON.stringify(saved)
    },
  }
}

/** The honest leaf for a report. */
function describeLeaf(input: SnpAuthorityInput, report: SnpReportFields): LeafFields {
  const { product, kind, now } = input
  const chip = kind === 'VCEK'
  return {
    subject: `SEV-${kind}`,
    issuer: chip ? `SEV-${product}` : `SEV-VLEK-${product}`,
    signedBy: chip ? 'ask' : 'asvk',
    tcb: report.reportedTcb,
    productName: product === 'Milan' && chip ? 'Milan-B0' : product,
    hwid: chip ? report.chipId.slice(0, product === 'Turin' ? 8 : 64) : undefined,
    cspId: chip ? undefined : 'CN=cc-sim.example.com',
    notBefore: now - 3600,
    notAfter: now + (chip ? 7 : 1) * YEAR_SECONDS,
    curve: 'P-384',
    pss: PSS,
    edit: (extensions) => extensions,
  }
}

async function createLeaf(
  fields: LeafFields,
  keys: RsaKeys,
): Promise<{ der: Uint8Array; privateKey: KeyObject }> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: fields.curve }, true, [
    'sign',
    'verify',
  ])
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  const der = await createCertificate({
    ...fields,
    serialNumber: '01',
    publicKey: pair.publicKey,
    signingKey: keys[fields.signedBy].privateKey,
    extensions: fields
      .edit(leafExtensions(fields))
      .map(({ oid, critical, value }) => new Extension(oid, critical, Uint8Array.from(value))),
  })
  return { der, privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }) }
}

function leafExtensions(fields: LeafFields): LeafExtension[] {
  const { tcb, hwid, cspId } = fields
  const turin = tcb.fmc !== undefined
  const add = (suffix: string, value: Uint8Array) => ({
    oid: `${OID}.${suffix}`,
    critical: false,
    value,
  })
  const integer = (suffix: string, value: number) =>
    add(suffix, new Uint8Array(new Integer({ value }).toBER()))
  const text = (suffix: string, value: string) =>
    add(suffix, new Uint8Array(new IA5String({ value }).toBER()))
  return [
    integer('1', turin ? 1 : 0),
    text('2', fields.productName),
    ...(tcb.fmc === undefined ? [] : [integer('3.9', tcb.fmc)]),
    integer('3.1', tcb.bootloader),
    integer('3.2', tcb.tee),
    integer('3.3', tcb.snp),
    ...(turin ? [] : [integer('3.4', 0)]),
    integer('3.5', 0),
    integer('3.6', 0),
    integer('3.7', 0),
    integer('3.8', tcb.microcode),
    ...(hwid === undefined ? [] : [add('4', hwid)]),
    ...(cspId === undefined ? [] : [text('5', cspId)]),
  ]
}

/** As the firmware does: r and s little-endian, each padded to 72 bytes. */
export function signReport(report: Uint8Array, privateKey: KeyObject): void {
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  const signature = new Uint8Array(sign('sha384', report.subarray(0, SIGNED_SIZE), key))
  const half = signature.length / 2
  report.fill(0, SIGNED_SIZE)
  report.set(signature.slice(0, half).reverse(), SIGNED_SIZE)
  report.set(signature.slice(half).reverse(), SIGNED_SIZE + SIGNATURE_HALF)
}

async function createCertificate(input: {
  serialNumber: string
  subject: string
  issuer: string
  publicKey: CryptoKey
  signingKey: CryptoKey
  notBefore: number
  notAfter: number
  pss: { hash: string; saltLength: number }
  extensions: Extension[]
}): Promise<Uint8Array> {
  const certificate = await X509CertificateGenerator.create({
    serialNumber: input.serialNumber,
    subject: amdName(input.subject),
    issuer: amdName(input.issuer),
    notBefore: new Date(input.notBefore * 1000),
    notAfter: new Date(input.notAfter * 1000),
    publicKey: input.publicKey,
    signingKey: await withHash(input.signingKey, input.pss.hash),
    signingAlgorithm: { name: 'RSA-PSS', ...input.pss },
    extensions: input.extensions,
  })
  return new Uint8Array(certificate.rawData)
}

/** WebCrypto ties an RSA key to one hash; a wrong one is wanted only to be refused. */
async function withHash(key: CryptoKey, hash: string): Promise<CryptoKey> {
  if (hash === RSA.hash) return key
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', key)
  return crypto.subtle.importKey('pkcs8', pkcs8, { name: 'RSA-PSS', hash }, true, ['sign'])
}

function amdName(commonName: string): JsonName {
  return [
    { OU: ['Engineering'] },
    { C: ['US'] },
    { L: ['Santa Clara'] },
    { ST: ['CA'] },
    { O: ['Advanced Micro Devices'] },
    { CN: [commonName] },
  ]
}

async function generateKeys(oneKey: boolean): Promise<RsaKeys> {
  const make = () => crypto.subtle.generateKey(RSA, true, ['sign', 'verify'])
  const first = make()
  const next = () => (oneKey ? first : make())
  const [ark, ask, asvk] = await Promise.all([first, next(), next()])
  return { ark, ask, asvk }
}

async function exportPair(pair: CryptoKeyPair): Promise<{ private: string; public: string }> {
  const [pkcs8, spki] = await Promise.all([
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
    crypto.subtle.exportKey('spki', pair.publicKey),
  ])
  return { private: toBase64(new Uint8Array(pkcs8)), public: toBase64(new Uint8Array(spki)) }
}

async function importPair(saved: { private: string; public: string }): Promise<CryptoKeyPair> {
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('pkcs8', decode(saved.private), RSA, true, ['sign']),
    crypto.subtle.importKey('spki', decode(saved.public), RSA, true, ['verify']),
  ])
  return { privateKey, publicKey }
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = parseAnyBase64(text)
  if (bytes === undefined) throw new Error('not an exported SNP authority')
  return Uint8Array.from(bytes)
}

function isSaved(value: unknown): value is Saved {
  return typeof value === 'object' && value !== null && 'keys' in value && 'certificates' in value
}
