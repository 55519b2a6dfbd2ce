/**
 * Intel's X.509 profile for SGX and TDX: certificates of the root, the PCK Platform CA, PCKs and the TCB signer. No dates, no chain.
 *
 * Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification; RFC 5280; RFC 5758 for ECDSA. All
 * keys are P-256, all signatures ecdsa-with-SHA256. Read as in `x509.ts`: what does not encode to the same bytes is refused.
 * @module
 */
import { createHash, type KeyObject, verify } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  BasicConstraints,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_cRLDistributionPoints,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
} from '@peculiar/asn1-x509'
import { malformed, tooLarge } from './checks.ts'
import { serialHex } from './crl.ts'
import {
  CERTIFICATE_LIMIT,
  decode,
  decodeCertificate,
  readExtensions,
  readKey,
  readTime,
  readVendorName,
  sameAlgorithm,
} from './x509.ts'

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
export const SGX_EXTENSION = '1.2.840.113741.1.13.1'

/** Every Intel certificate names subject and issuer so; only the common name differs. */
const INTEL_NAME: ReadonlyMap<string, string> = new Map([
  ['2.5.4.10', 'Intel Corporation'],
  ['2.5.4.7', 'Santa Clara'],
  ['2.5.4.8', 'CA'],
  ['2.5.4.6', 'US'],
])

/** What a certificate may be used for, by its own extensions. */
export type IntelRole = 'authority' | 'leaf' | 'signer'

export type IntelX509 = {
  /** SHA-256 of the DER, lower-case hex. */
  sha256: string
  subject: string
  issuer: string
  /** The subject's whole Name, DER: what a revocation list of this authority names as its issuer. */
  subjectName: Uint8Array
  /** As `serialHex` writes it. */
  serial: string
  /** Unix seconds, both inclusive. */
  notBefore: number
  notAfter: number
  publicKey: KeyObject
  /** SubjectPublicKeyInfo, DER. */
  spki: Uint8Array
  /** `authority` only: how many authorities may follow. */
  pathLength?: number
  /** `leaf` only: the value of the SGX extension. */
  sgx?: Uint8Array
  isSignedBy: (issuer: KeyObject) => boolean
}

const LEAF_USAGE = KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation
const AUTHORITY_USAGE = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign

/**
 * @param label - Names the certificate in refusals, e.g. `pck`.
 * @throws EVIDENCE_MALFORMED or INPUT_TOO_LARGE
 */
export function parseIntelCertificate(der: Uint8Array, role: IntelRole, label: string): IntelX509 {
  if (der.length > CERTIFICATE_LIMIT) throw tooLarge(label, CERTIFICATE_LIMIT)
  const certificate = decodeCertificate(der, label)
  const { tbsCertificate: tbs } = certificate
  if (tbs.version !== 2) throw bad(label, 'version') // v3 is written as 2
  if (
    !sameAlgorithm(certificate.signatureAlgorithm, tbs.signature) ||
    tbs.signature.algorithm !== ECDSA_WITH_SHA256 ||
    tbs.signature.parameters !== undefined
  )
    throw bad(label, 'signatureAlgorithm')
  if (tbs.issuerUniqueID !== undefined || tbs.subjectUniqueID !== undefined)
    throw bad(label, 'uniqueID')
  const spki = AsnConvert.serialize(tbs.subjectPublicKeyInfo)
  const publicKey = readKey(spki, label)
  if (!isP256(publicKey)) throw bad(label, 'publicKey')
  const extensions = readExtensions(tbs.extensions ?? [], label)
  requireKnown(extensions, role, label)
  const signed = new Uint8Array(AsnConvert.serialize(tbs))
  const signature = new Uint8Array(certificate.signatureValue)
  const pathLength = readConstraints(extensions, role, label)
  const sgx = extensions.get(SGX_EXTENSION)?.value
  return {
    sha256: createHash('sha256').update(der).digest('hex'),
    subject: readVendorName(tbs.subject, INTEL_NAME, label, 'subject'),
    issuer: readVendorName(tbs.issuer, INTEL_NAME, label, 'issuer'),
    subjectName: new Uint8Array(AsnConvert.serialize(tbs.subject)),
    serial: serialHex(new Uint8Array(tbs.serialNumber)),
    notBefore: readTime(() => tbs.validity.notBefore.getTime().getTime(), label),
    notAfter: readTime(() => tbs.validity.notAfter.getTime().getTime(), label),
    publicKey,
    spki: new Uint8Array(spki),
    ...(pathLength === undefined ? {} : { pathLength }),
    ...(sgx === undefined ? {} : { sgx }),
    isSignedBy: (issuer) => verifyDer(signed, signature, issuer),
  }
}

/** An X.509 signature: ECDSA over SHA-256, DER. */
function verifyDer(signed: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  return verify('sha256', signed, { key, dsaEncoding: 'der' }, signature)
}

/** A signature of a quote or of collateral: r || s, big-endian, 32 bytes each. */
export function verifyRaw(signed: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

function isP256(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
}

/** An extension that the profile does not have could change the meaning of the others. */
function requireKnown(
  extensions: ReadonlyMap<string, { critical: boolean }>,
  role: IntelRole,
  label: string,
): void {
  const known = new Map([
    [id_ce_authorityKeyIdentifier, false],
    [id_ce_cRLDistributionPoints, false],
    [id_ce_subjectKeyIdentifier, false],
    [id_ce_keyUsage, true],
    [id_ce_basicConstraints, true],
    ...(role === 'leaf' ? [[SGX_EXTENSION, false] as const] : []),
  ])
  for (const [oid, { critical }] of extensions)
    if (known.get(oid) !== critical) throw bad(label, `extension ${oid}`)
  for (const oid of role === 'leaf' ? [SGX_EXTENSION] : [])
    if (!extensions.has(oid)) throw bad(label, `extension ${oid}`)
}

function readConstraints(
  extensions: ReadonlyMap<string, { value: Uint8Array }>,
  role: IntelRole,
  label: string,
): number | undefined {
  const constraints = extensions.get(id_ce_basicConstraints)
  const usage = extensions.get(id_ce_keyUsage)
  if (constraints === undefined || usage === undefined) throw bad(label, 'key usage')
  const { cA, pathLenConstraint } = decode(
    () => AsnConvert.parse(constraints.value, BasicConstraints),
    label,
  )
  const flags = decode(() => AsnConvert.parse(usage.value, KeyUsage).toNumber(), label)
  const authority = role === 'authority'
  if (cA !== authority || flags !== (authority ? AUTHORITY_USAGE : LEAF_USAGE))
    throw bad(label, 'key usage')
  if (authority !== (pathLenConstraint !== undefined)) throw bad(label, 'path length')
  return pathLenConstraint
}

const bad = (label: string, what: string) =>
  malformed(`${label}.${what}`, `${label} certificate: bad ${what}`)
