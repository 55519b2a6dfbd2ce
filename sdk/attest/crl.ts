/**
 * X.509 certificate revocation lists, version 2: DER in, record out, and the signature of the issuer. No policy, no I/O.
 *
 * Source: RFC 5280, 5; RFC 4055 for RSASSA-PSS; RFC 5758 for ECDSA. Only complete lists are taken, of an authority about its own
 * certificates: a delta list or one for part of the certificates would look like a whole one that revokes less.
 * A list is read with an ASN.1 library and written again; bytes that do not come back the same are not DER.
 * @module
 */
import { constants, createHash, type KeyObject, verify } from 'node:crypto'
import { id_mgf1, id_RSASSA_PSS, RsaSaPssParams } from '@peculiar/asn1-rsa'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  CertificateList,
  CRLNumber,
  type Extension,
  id_ce_certificateIssuer,
  id_ce_cRLNumber,
  id_ce_deltaCRLIndicator,
  id_ce_issuingDistributionPoint,
  type Name,
  type Time,
} from '@peculiar/asn1-x509'
import { bytesToHex, equalBytes, fromUintBE } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { decode, readExtensions, readTime, sameAlgorithm } from './x509.ts'

/** Some thousand entries; the lists in use have less than 4 KB. */
export const CRL_LIMIT = 256 * 1024
/** RFC 5280, 5.2.3. */
const NUMBER_BYTES = 20
const COMMON_NAME = '2.5.4.3'
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const ECDSA_SHA384 = '1.2.840.10045.4.3.3'
const HASHES: ReadonlyMap<string, 'sha256' | 'sha384' | 'sha512'> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

export type CrlAlgorithm =
  | { kind: 'rsa-pss'; hash: 'sha256' | 'sha384' | 'sha512'; saltLength: number }
  | { kind: 'ecdsa'; hash: 'sha256' | 'sha384' }

export type Crl = {
  /** SHA-256 of the DER, lower-case hex. */
  sha256: string
  /** The issuer's Name, DER: compare it with the subject of the certificate that signs. */
  issuer: Uint8Array
  /** Common name of the issuer, empty where there is none. */
  issuerCommonName: string
  /** Unix seconds. */
  thisUpdate: number
  nextUpdate: number
  /** Grows with each list of one series. */
  number: bigint
  /** Serial numbers as `serialHex` writes them -> time of revocation, Unix seconds. */
  revoked: ReadonlyMap<string, number>
  algorithm: CrlAlgorithm
  /** The bytes that the issuer signed. */
  signed: Uint8Array
  signature: Uint8Array
}

/**
 * @param label - Names the list in refusals, e.g. `vcek-crl`.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE
 */
export function parseCrl(der: Uint8Array, label = 'crl'): Crl {
  if (der.length > CRL_LIMIT) throw tooLarge(label, CRL_LIMIT)
  const list = decodeList(der, label)
  const { tbsCertList: tbs } = list
  if (tbs.version !== 1) throw bad(label, 'version') // v2 is written as 1
  if (!sameAlgorithm(list.signatureAlgorithm, tbs.signature)) throw bad(label, 'signatureAlgorithm')
  const algorithm = readAlgorithm(tbs.signature)
  if (algorithm === undefined) throw bad(label, 'signatureAlgorithm')
  const { nextUpdate: until } = tbs
  if (until === undefined) throw bad(label, 'nextUpdate')
  const signed = list.tbsCertListRaw
  if (signed === undefined) throw bad(label, 'encoding')
  const extensions = readUncritical(tbs.crlExtensions ?? [], label)
  const thisUpdate = readTime(() => toMilliseconds(tbs.thisUpdate), label)
  const nextUpdate = readTime(() => toMilliseconds(until), label)
  if (nextUpdate < thisUpdate) throw bad(label, 'nextUpdate')
  return {
    sha256: createHash('sha256').update(der).digest('hex'),
    issuer: new Uint8Array(AsnConvert.serialize(tbs.issuer)),
    issuerCommonName: readCommonName(tbs.issuer),
    thisUpdate,
    nextUpdate,
    number: readNumber(extensions, label),
    revoked: readRevoked(tbs.revokedCertificates ?? [], label),
    algorithm,
    signed: new Uint8Array(signed.slice(0)),
    signature: new Uint8Array(list.signature.slice(0)),
  }
}

/** The issuer's key signed exactly this list. Names, dates and the issuer's right to do so are the caller's to check. */
export function verifyCrlSignature(crl: Crl, issuer: KeyObject): boolean {
  const { algorithm, signed, signature } = crl
  if (algorithm.kind === 'rsa-pss') {
    if (issuer.asymmetricKeyType !== 'rsa' && issuer.asymmetricKeyType !== 'rsa-pss') return false
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const key = { key: issuer, padding, saltLength: algorithm.saltLength }
    return verify(algorithm.hash, signed, key, signature)
  }
  if (issuer.asymmetricKeyType !== 'ec') return false
  return verify(algorithm.hash, signed, { key: issuer, dsaEncoding: 'der' }, signature)
}

/**
 * @param serial - Content bytes of the certificate's serial number, or hex as node:crypto gives it.
 */
export function isRevoked(crl: Crl, serial: Uint8Array | string): boolean {
  return crl.revoked.has(serialHex(serial))
}

/** One text per number: lower-case hex without leading zero bytes, `00` for zero. */
export function serialHex(serial: Uint8Array | string): string {
  const hex = typeof serial === 'string' ? serial.toLowerCase() : bytesToHex(serial)
  const even = hex.length % 2 === 0 ? hex : `0${hex}`
  return even.replace(/^(00)+(?=..)/, '')
}

function decodeList(der: Uint8Array, label: string): CertificateList {
  const list = decode(() => AsnConvert.parse(der, CertificateList), label)
  const canonical = decode(() => new Uint8Array(AsnConvert.serialize(list)), label)
  if (!equalBytes(canonical, der)) throw bad(label, 'encoding')
  return list
}

function readAlgorithm(identifier: AlgorithmIdentifier): CrlAlgorithm | undefined {
  const { algorithm, parameters } = identifier
  if (algorithm === id_RSASSA_PSS) return readPss(parameters)
  // RFC 5758: no parameters at all.
  if (parameters !== undefined) return undefined
  if (algorithm === ECDSA_SHA256) return { kind: 'ecdsa', hash: 'sha256' }
  if (algorithm === ECDSA_SHA384) return { kind: 'ecdsa', hash: 'sha384' }
  return undefined
}

/** One hash for both uses, and a salt as long as the hash. */
function readPss(parameters: ArrayBuffer | null | undefined): CrlAlgorithm | undefined {
  if (parameters == null) return undefined
  try {
    const pss = AsnConvert.parse(parameters, RsaSaPssParams)
    const { algorithm, parameters: maskParameters } = pss.maskGenAlgorithm
    if (algorithm !== id_mgf1 || maskParameters == null || pss.trailerField !== 1) return undefined
    const maskHash = AsnConvert.parse(maskParameters, AlgorithmIdentifier).algorithm
    const hash = HASHES.get(pss.hashAlgorithm.algorithm)
    if (hash === undefined || maskHash !== pss.hashAlgorithm.algorithm) return undefined
    const saltLength = Number(hash.slice(3)) / 8
    return pss.saltLength === saltLength ? { kind: 'rsa-pss', hash, saltLength } : undefined
  } catch {
    return undefined
  }
}

type Extensions = ReadonlyMap<string, { critical: boolean; value: Uint8Array }>

/** They narrow what a list or an entry is about, and would also do so where a sloppy issuer does not mark them as critical. */
const NARROWING: ReadonlySet<string> = new Set([
  id_ce_deltaCRLIndicator,
  id_ce_issuingDistributionPoint,
  id_ce_certificateIssuer,
])

/** No critical extension is known: the number is never critical, and every other one changes what the list means. */
function readUncritical(list: Iterable<Extension>, label: string): Extensions {
  const extensions = readExtensions(list, label)
  for (const [oid, { critical }] of extensions)
    if (critical || NARROWING.has(oid)) throw bad(label, `extension ${oid}`)
  return extensions
}

function readNumber(extensions: Extensions, label: string): bigint {
  const value = extensions.get(id_ce_cRLNumber)?.value
  if (value === undefined) throw bad(label, 'number')
  decode(() => AsnConvert.parse(value, CRLNumber), label)
  // The library reads the INTEGER as a double; its content bytes are the number.
  const content = value.subarray(2)
  const negative = ((content[0] ?? 0x80) & 0x80) !== 0
  if (value[0] !== 0x02 || value[1] !== content.length || content.length > NUMBER_BYTES || negative)
    throw bad(label, 'number')
  return fromUintBE(content)
}

function readRevoked(
  entries: Iterable<{
    userCertificate: ArrayBuffer
    revocationDate: Time
    crlEntryExtensions?: Extension[]
  }>,
  label: string,
): ReadonlyMap<string, number> {
  const revoked = new Map<string, number>()
  for (const { userCertificate, revocationDate, crlEntryExtensions } of entries) {
    // Among the critical ones is certificateIssuer, which would make the serial one of another authority.
    readUncritical(crlEntryExtensions ?? [], `${label}.entry`)
    const serial = serialHex(new Uint8Array(userCertificate))
    if (revoked.has(serial)) throw bad(label, 'entry twice')
    revoked.set(
      serial,
      readTime(() => toMilliseconds(revocationDate), label),
    )
  }
  return revoked
}

const toMilliseconds = (time: Time) => time.getTime().getTime()

function readCommonName(name: Name): string {
  for (const relative of name)
    for (const { type, value } of relative) if (type === COMMON_NAME) return value.toString()
  return ''
}

const bad = (label: string, what: string) =>
  malformed(`${label}.${what}`, `${label}: bad ${what} of a revocation list`)
