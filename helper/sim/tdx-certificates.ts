/**
 * Certificates and revocation lists in Intel's profile, made with throw-away keys. Every field can be made to lie.
 * @module
 */
import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  CRLDistributionPointsExtension,
  Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
  X509CrlReason,
} from '@peculiar/x509'
import { Integer } from 'asn1js'

export type CertificateFields = {
  subject: string
  issuer: string
  organization: string
  serial: string
  /** Unix seconds. */
  notBefore: number
  notAfter: number
  publicKey: CryptoKey
  signingKey: CryptoKey
  signingHash: 'SHA-256' | 'SHA-384'
  /** Absent: not an authority. */
  pathLength?: number
  extensions: Extension[]
  /** Last say over the extensions. */
  edit: (extensions: Extension[]) => Extension[]
}

export type CrlFields = {
  issuer: string
  number: number
  thisUpdate: number
  nextUpdate: number
  /** Serial numbers, hex. */
  revoked: readonly string[]
  signingKey: CryptoKey
  edit: (extensions: Extension[]) => Extension[]
}

export const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const

export async function makeKeys(curve: 'P-256' | 'P-384' = 'P-256'): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: curve }, true, ['sign', 'verify'])
}

export async function makeCertificate(fields: CertificateFields): Promise<Uint8Array> {
  const authority = fields.pathLength !== undefined
  const usage = authority
    ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign
    : KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation
  const extensions = [
    new CRLDistributionPointsExtension(['https://simulated.invalid/crl']),
    await SubjectKeyIdentifierExtension.create(fields.publicKey),
    new KeyUsagesExtension(usage, true),
    new BasicConstraintsExtension(authority, fields.pathLength, true),
    ...fields.extensions,
  ]
  const certificate = await X509CertificateGenerator.create({
    serialNumber: fields.serial,
    subject: intelName(fields.subject, fields.organization),
    issuer: intelName(fields.issuer, 'Intel Corporation'),
    notBefore: new Date(fields.notBefore * 1000),
    notAfter: new Date(fields.notAfter * 1000),
    publicKey: fields.publicKey,
    signingKey: fields.signingKey,
    signingAlgorithm: { name: 'ECDSA', hash: fields.signingHash },
    extensions: fields.edit(extensions),
  })
  return new Uint8Array(certificate.rawData)
}

export async function makeCrl(fields: CrlFields): Promise<Uint8Array> {
  const revocationDate = new Date(fields.thisUpdate * 1000)
  const crl = await X509CrlGenerator.create({
    issuer: intelName(fields.issuer, 'Intel Corporation'),
    thisUpdate: new Date(fields.thisUpdate * 1000),
    nextUpdate: new Date(fields.nextUpdate * 1000),
    entries: fields.revoked.map((serialNumber) => ({
      serialNumber,
      revocationDate,
      reason: X509CrlReason.keyCompromise,
    })),
    extensions: fields.edit([
      new Extension('2.5.29.20', false, new Integer({ value: fields.number }).toBER()),
      await AuthorityKeyIdentifierExtension.create(await publicKeyOf(fields.signingKey)),
    ]),
    signingKey: fields.signingKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return new Uint8Array(crl.rawData)
}

function intelName(commonName: string, organization: string): JsonName {
  return [
    { CN: [commonName] },
    { O: [organization] },
    { L: ['Santa Clara'] },
    { ST: ['CA'] },
    { C: ['US'] },
  ]
}

async function publicKeyOf(privateKey: CryptoKey): Promise<CryptoKey> {
  const { d: _, key_ops: __, ...jwk } = await crypto.subtle.exportKey('jwk', privateKey)
  return crypto.subtle.importKey('jwk', jwk, P256, true, ['verify'])
}
