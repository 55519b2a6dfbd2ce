/**
 * What AMD writes into the certificate of an endorsement key: the TCB and the chip (VCEK) or the cloud provider (VLEK) it belongs to.
 *
 * Source: AMD 57230, tables of X.509 extensions under 1.3.6.1.4.1.3704.1. Known extensions only, each once, each in its DER type.
 * The chip id is written bare, without an inner OCTET STRING; 64 bytes, 8 on Turin.
 * @module
 */
import { fromBER, IA5String, Integer } from 'asn1js'
import { equalBytes } from '../bytes.ts'
import { malformed } from './checks.ts'
import type { SnpProduct, SnpTcb } from './types.ts'
import { type AmdX509, decode, isP384, parseAmdCertificate } from './x509.ts'

const AMD = '1.3.6.1.4.1.3704.1'
const OID = {
  structVersion: `${AMD}.1`,
  productName: `${AMD}.2`,
  bootloader: `${AMD}.3.1`,
  tee: `${AMD}.3.2`,
  snp: `${AMD}.3.3`,
  spl4: `${AMD}.3.4`,
  spl5: `${AMD}.3.5`,
  spl6: `${AMD}.3.6`,
  spl7: `${AMD}.3.7`,
  microcode: `${AMD}.3.8`,
  fmc: `${AMD}.3.9`,
  hwid: `${AMD}.4`,
  cspId: `${AMD}.5`,
} as const
type FieldName = keyof typeof OID

export type SnpLeaf = {
  kind: 'VCEK' | 'VLEK'
  issuer: string
  notBefore: number
  notAfter: number
  publicKey: AmdX509['publicKey']
  /** E.g. `Milan-B0`, `Genoa`. AMD mislabelled some; the issuer is what counts. */
  productName: string
  tcb: SnpTcb
  /** VCEK only. */
  hwid?: Uint8Array
  /** VLEK only. */
  cspId?: string
}

/**
 * @param product - Decides which TCB parts exist; the product line of the verified issuer.
 * @throws EVIDENCE_MALFORMED naming the field that does not fit the profile.
 */
export function parseSnpLeaf(der: Uint8Array, product: SnpProduct): SnpLeaf {
  const certificate = parseAmdCertificate(der, 'leaf')
  const kind = readKind(certificate.subject)
  if (!isP384(certificate.publicKey)) throw bad('publicKey')
  const extensions = readKnown(certificate)
  requireSet(new Set(extensions.keys()), product, kind)
  const value = (name: FieldName) => {
    const found = extensions.get(name)
    if (found === undefined) throw bad(name)
    return found
  }
  const level = (name: FieldName) => readInteger(value(name), name)

  if (level('structVersion') > 1) throw bad('structVersion')
  for (const name of ['spl4', 'spl5', 'spl6', 'spl7'] as const)
    if (extensions.has(name) && level(name) !== 0) throw bad(name)
  return {
    kind,
    issuer: certificate.issuer,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    publicKey: certificate.publicKey,
    productName: readIa5(value('productName'), 'productName'),
    tcb: {
      ...(product === 'Turin' ? { fmc: level('fmc') } : {}),
      bootloader: level('bootloader'),
      tee: level('tee'),
      snp: level('snp'),
      microcode: level('microcode'),
    },
    ...(kind === 'VCEK' ? { hwid: readHwid(value('hwid'), product) } : {}),
    ...(kind === 'VLEK' ? { cspId: readIa5(value('cspId'), 'cspId') } : {}),
  }
}

function readKind(subject: string): SnpLeaf['kind'] {
  if (subject === 'SEV-VCEK') return 'VCEK'
  if (subject === 'SEV-VLEK') return 'VLEK'
  throw bad('subject')
}

function readKnown(certificate: AmdX509): Map<FieldName, Uint8Array> {
  const names = new Map(Object.entries(OID).map(([name, oid]) => [oid, name as FieldName]))
  const known = new Map<FieldName, Uint8Array>()
  for (const [oid, { critical, value }] of certificate.extensions) {
    const name = names.get(oid as (typeof OID)[FieldName])
    if (name === undefined || critical) throw bad(`extension ${oid}`)
    known.set(name, value)
  }
  return known
}

/** A missing part must not read as zero, and a part that the product does not have must not be there. */
function requireSet(found: ReadonlySet<FieldName>, product: SnpProduct, kind: SnpLeaf['kind']) {
  const required = new Set<FieldName>([
    'structVersion',
    'productName',
    'bootloader',
    'tee',
    'snp',
    'spl5',
    'spl6',
    'spl7',
    'microcode',
    product === 'Turin' ? 'fmc' : 'spl4',
    kind === 'VCEK' ? 'hwid' : 'cspId',
  ])
  for (const name of required) if (!found.has(name)) throw bad(name)
  for (const name of found) if (!required.has(name)) throw bad(name)
}

/** A DER INTEGER of 0..255 and nothing behind it. */
function readInteger(bytes: Uint8Array, name: FieldName): number {
  const { offset, result } = decode(() => fromBER(bytes), `leaf.${name}`)
  if (offset !== bytes.length || !(result instanceof Integer)) throw bad(name)
  const value = result.valueBlock.valueDec
  if (!Number.isInteger(value) || value < 0 || value > 255) throw bad(name)
  if (!equalBytes(new Uint8Array(new Integer({ value }).toBER()), bytes)) throw bad(name)
  return value
}

/** A DER IA5String of 1..255 printable ASCII characters and nothing behind it. */
function readIa5(bytes: Uint8Array, name: FieldName): string {
  const { offset, result } = decode(() => fromBER(bytes), `leaf.${name}`)
  if (offset !== bytes.length || !(result instanceof IA5String)) throw bad(name)
  const value = result.valueBlock.value
  if (!/^[\x20-\x7e]{1,255}$/.test(value)) throw bad(name)
  if (!equalBytes(new Uint8Array(new IA5String({ value }).toBER()), bytes)) throw bad(name)
  return value
}

function readHwid(bytes: Uint8Array, product: SnpProduct): Uint8Array {
  if (bytes.length !== (product === 'Turin' ? 8 : 64)) throw bad('hwid')
  return bytes
}

const bad = (what: string) => malformed(`leaf.${what}`, `leaf certificate: bad ${what}`)
