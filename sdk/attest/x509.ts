/**
 * AMD's X.509 profile: certificates of the ARK, ASK and ASVK, and of the endorsement keys VCEK and VLEK. No signatures, no dates.
 *
 * Source: AMD 57230 (VCEK Certificate and KDS Interface Specification), certificate format tables; RFC 5280; RFC 4055 for RSASSA-PSS.
 * A certificate is read with an ASN.1 library and written again: if that does not give the same bytes, the input was not
 * DER (long lengths, wrong padding, bytes behind the end) and two texts could mean one certificate.
 * @module
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { id_mgf1, id_RSASSA_PSS, RsaSaPssParams } from '@peculiar/asn1-rsa'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  BasicConstraints,
  Certificate,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
  type Name,
} from '@peculiar/asn1-x509'
import { equalBytes } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'

/** AMD's own certificates have less than 1.7 KB. */
export const CERTIFICATE_LIMIT = 4096

const SHA384 = '2.16.840.1.101.3.4.2.2'
const COMMON_NAME = '2.5.4.3'
/** Every AMD certificate names subject and issuer so; only the common name differs. */
const AMD_NAME: ReadonlyMap<string, string> = new Map([
  ['2.5.4.11', 'Engineering'],
  ['2.5.4.6', 'US'],
  ['2.5.4.7', 'Santa Clara'],
  ['2.5.4.8', 'CA'],
  ['2.5.4.10', 'Advanced Micro Devices'],
])

export type AmdX509 = {
  subject: string
  issuer: string
  /** Unix seconds, both inclusive. */
  notBefore: number
  notAfter: number
  publicKey: KeyObject
  extensions: ReadonlyMap<string, { critical: boolean; value: Uint8Array }>
}

/**
 * @param label - Names the certificate in refusals, e.g. `leaf`.
 * @throws EVIDENCE_MALFORMED or INPUT_TOO_LARGE
 */
export function parseAmdCertificate(der: Uint8Array, label: string): AmdX509 {
  if (der.length > CERTIFICATE_LIMIT) throw tooLarge(label, CERTIFICATE_LIMIT)
  const certificate = decodeCertificate(der, label)
  const { tbsCertificate: tbs } = certificate
  if (tbs.version !== 2) throw bad(label, 'version') // v3 is written as 2
  if (!sameAlgorithm(certificate.signatureAlgorithm, tbs.signature) || !isPss(tbs.signature))
    throw bad(label, 'signatureAlgorithm')
  if (certificate.signatureValue.byteLength !== 512) throw bad(label, 'signatureValue')
  if (tbs.issuerUniqueID !== undefined || tbs.subjectUniqueID !== undefined)
    throw bad(label, 'uniqueID')
  return {
    subject: readVendorName(tbs.subject, AMD_NAME, label, 'subject'),
    issuer: readVendorName(tbs.issuer, AMD_NAME, label, 'issuer'),
    notBefore: readTime(() => tbs.validity.notBefore.getTime().getTime(), label),
    notAfter: readTime(() => tbs.validity.notAfter.getTime().getTime(), label),
    publicKey: readKey(AsnConvert.serialize(tbs.subjectPublicKeyInfo), label),
    extensions: readExtensions(tbs.extensions ?? [], label),
  }
}

/** The key of a VCEK or VLEK. */
export function isP384(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
}

/** The key of an AMD authority. */
export function isRsa4096(key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails
  return (
    key.asymmetricKeyType === 'rsa' &&
    details?.modulusLength === 4096 &&
    details.publicExponent === 65537n
  )
}

/** Marked as an authority that may sign certificates; `pathLength` 0 means it signs leaves only. */
export function readAuthority(
  certificate: AmdX509,
  label: string,
): { pathLength: number | undefined } {
  const constraints = certificate.extensions.get(id_ce_basicConstraints)
  const usage = certificate.extensions.get(id_ce_keyUsage)
  if (constraints === undefined || usage === undefined) throw bad(label, 'authority extensions')
  const { cA, pathLenConstraint } = decode(
    () => AsnConvert.parse(constraints.value, BasicConstraints),
    label,
  )
  const flags = decode(() => AsnConvert.parse(usage.value, KeyUsage).toNumber(), label)
  if (!constraints.critical || !cA || (flags & KeyUsageFlags.keyCertSign) === 0)
    throw bad(label, 'authority extensions')
  return { pathLength: pathLenConstraint }
}

/** DER only: what does not encode to the same bytes again is refused. */
export function decodeCertificate(der: Uint8Array, label: string): Certificate {
  const certificate = decode(() => AsnConvert.parse(der, Certificate), label)
  const canonical = decode(() => new Uint8Array(AsnConvert.serialize(certificate)), label)
  if (!equalBytes(canonical, der)) throw bad(label, 'encoding')
  return certificate
}

export function decode<T>(read: () => T, label: string): T {
  try {
    return read()
  } catch {
    throw bad(label, 'encoding')
  }
}

export function sameAlgorithm(a: AlgorithmIdentifier, b: AlgorithmIdentifier): boolean {
  const bytes = (value: AlgorithmIdentifier) => new Uint8Array(AsnConvert.serialize(value))
  return equalBytes(bytes(a), bytes(b))
}

/** SHA-384, MGF1 with SHA-384, 48 bytes of salt. AMD wrote the default trailer field until 2024 and omits it since. */
function isPss(algorithm: AlgorithmIdentifier): boolean {
  if (algorithm.algorithm !== id_RSASSA_PSS || algorithm.parameters == null) return false
  try {
    const pss = AsnConvert.parse(algorithm.parameters, RsaSaPssParams)
    const mask = pss.maskGenAlgorithm
    if (mask.algorithm !== id_mgf1 || mask.parameters == null) return false
    const maskHash = AsnConvert.parse(mask.parameters, AlgorithmIdentifier)
    return (
      pss.hashAlgorithm.algorithm === SHA384 &&
      maskHash.algorithm === SHA384 &&
      pss.saltLength === 48 &&
      pss.trailerField === 1
    )
  } catch {
    return false
  }
}

/**
 * One attribute of each kind, in any order: the vendor's values, and a common name.
 * @param vendor - Values by attribute type, without the common name.
 * @returns The common name.
 */
export function readVendorName(
  name: Name,
  vendor: ReadonlyMap<string, string>,
  label: string,
  which: string,
): string {
  const found = new Map<string, string>()
  for (const relative of name) {
    const [attribute] = relative
    if (attribute === undefined || relative.length !== 1 || found.has(attribute.type))
      throw bad(label, which)
    found.set(attribute.type, attribute.value.toString())
  }
  const commonName = found.get(COMMON_NAME)
  if (commonName === undefined || found.size !== vendor.size + 1) throw bad(label, which)
  for (const [type, value] of vendor) if (found.get(type) !== value) throw bad(label, which)
  return commonName
}

export function readTime(milliseconds: () => number, label: string): number {
  const time = decode(milliseconds, label)
  if (!Number.isFinite(time)) throw bad(label, 'validity')
  return Math.floor(time / 1000)
}

export function readKey(spki: ArrayBuffer, label: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch {
    throw bad(label, 'publicKey')
  }
}

export function readExtensions(
  list: Iterable<{ extnID: string; critical: boolean; extnValue: { buffer: ArrayBuffer } }>,
  label: string,
): AmdX509['extensions'] {
  const extensions = new Map<string, { critical: boolean; value: Uint8Array }>()
  for (const { extnID, critical, extnValue } of list) {
    if (extensions.has(extnID)) throw bad(label, `extension ${extnID} twice`)
    extensions.set(extnID, { critical, value: new Uint8Array(extnValue.buffer) })
  }
  return extensions
}

const bad = (label: string, what: string) =>
  malformed(`${label}.${what}`, `${label} certificate: bad ${what}`)

/** For inputs of checks. Total, also for times that no calendar has. */
export function describeTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000)
  return Number.isNaN(date.getTime()) ? String(unixSeconds) : date.toISOString()
}
