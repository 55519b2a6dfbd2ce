/**
 * Intel's certificate revocation lists: the root's, and the PCK Platform CA's.
 *
 * Source: Intel SGX PCK Certificate and CRL Profile Specification; RFC 5280, section 5. Intel numbers every list 1, so what
 * orders two lists of one issuer is thisUpdate.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  CertificateList,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  id_ce_cRLReasons,
} from '@peculiar/asn1-x509'
import { fromBER, Integer } from 'asn1js'
import { bytesToHex, equalBytes } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { ECDSA_WITH_SHA256, readIntelName, readSerial, verifyDer } from './tdx-x509.ts'
import { decode, readExtensions, readTime, sameAlgorithm } from './x509.ts'

/** Today's largest has 3.4 KB for 57 entries. */
export const CRL_LIMIT = 64 * 1024

export type IntelCrl = {
  issuer: string
  number: bigint
  /** Unix seconds, both inclusive. */
  thisUpdate: number
  nextUpdate: number
  /** As `IntelX509.serial`. */
  revoked: ReadonlySet<string>
  isSignedBy: (issuer: KeyObject) => boolean
}

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseIntelCrl(der: Uint8Array, label: string): IntelCrl {
  if (der.length > CRL_LIMIT) throw tooLarge(label, CRL_LIMIT)
  const list = decode(() => AsnConvert.parse(der, CertificateList), label)
  const { tbsCertList: tbs } = list
  const canonical = decode(() => new Uint8Array(AsnConvert.serialize(list)), label)
  if (!equalBytes(canonical, der)) throw bad(label, 'encoding')
  if (tbs.version !== 1) throw bad(label, 'version') // v2 is written as 1
  if (
    !sameAlgorithm(list.signatureAlgorithm, tbs.signature) ||
    tbs.signature.algorithm !== ECDSA_WITH_SHA256 ||
    tbs.signature.parameters !== undefined
  )
    throw bad(label, 'signatureAlgorithm')
  const { nextUpdate } = tbs
  if (nextUpdate === undefined) throw bad(label, 'nextUpdate')
  const signed = new Uint8Array(AsnConvert.serialize(tbs))
  const signature = new Uint8Array(list.signature)
  return {
    issuer: readIntelName(tbs.issuer, label, 'issuer'),
    number: readNumber(tbs.crlExtensions ?? [], label),
    thisUpdate: readTime(() => tbs.thisUpdate.getTime().getTime(), label),
    nextUpdate: readTime(() => nextUpdate.getTime().getTime(), label),
    revoked: readRevoked(tbs.revokedCertificates ?? [], label),
    isSignedBy: (issuer) => verifyDer(signed, signature, issuer),
  }
}

/** An extension beyond number and issuer key could say that the list is partial or indirect. */
function readNumber(list: Parameters<typeof readExtensions>[0], label: string): bigint {
  const extensions = readExtensions(list, label)
  for (const [oid, { critical }] of extensions)
    if ((oid !== id_ce_cRLNumber && oid !== id_ce_authorityKeyIdentifier) || critical)
      throw bad(label, `extension ${oid}`)
  const number = extensions.get(id_ce_cRLNumber)
  if (number === undefined) throw bad(label, 'number')
  const { offset, result } = decode(() => fromBER(number.value), label)
  if (offset !== number.value.length || !(result instanceof Integer)) throw bad(label, 'number')
  return result.toBigInt()
}

function readRevoked(
  entries: NonNullable<CertificateList['tbsCertList']['revokedCertificates']>,
  label: string,
): ReadonlySet<string> {
  const revoked = new Set<string>()
  for (const { userCertificate, crlEntryExtensions } of entries) {
    // A reason does not matter; anything else (another issuer, a hold) would need to be understood.
    for (const [oid, { critical }] of readExtensions(crlEntryExtensions ?? [], label))
      if (oid !== id_ce_cRLReasons || critical) throw bad(label, `entry extension ${oid}`)
    revoked.add(readSerial(userCertificate))
  }
  return revoked
}

/**
 * The newest verified list of each issuer that a process has seen: an older one that is still in date cannot hide a revocation.
 * Filled with lists whose signature was checked, and only with those.
 */
export type CrlMemory = {
  /** @returns The newer of `crl` and what is remembered for this issuer key, which is remembered. */
  newest: (issuerSpki: Uint8Array, crl: IntelCrl) => IntelCrl
}

/** Root and Platform CA of a few trust anchors. */
const REMEMBERED_LISTS = 16

export function createCrlMemory(): CrlMemory {
  const lists = new Map<string, IntelCrl>()
  return {
    newest: (issuerSpki, crl) => {
      const key = bytesToHex(issuerSpki)
      const known = lists.get(key)
      if (known !== undefined && !isNewer(crl, known)) return known
      if (known !== undefined || lists.size < REMEMBERED_LISTS) lists.set(key, crl)
      return crl
    },
  }
}

function isNewer(a: IntelCrl, b: IntelCrl): boolean {
  return a.number === b.number ? a.thisUpdate > b.thisUpdate : a.number > b.number
}

const bad = (label: string, what: string) => malformed(`${label}.${what}`, `${label}: bad ${what}`)
