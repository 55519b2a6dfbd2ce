/**
 * Revocation lists of the throw-away authorities, with anything wrong that a test wants.
 * @module
 */
import { constants, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { id_mgf1, id_RSASSA_PSS, RsaSaPssParams } from '@peculiar/asn1-rsa'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  Certificate,
  CertificateList,
  Extension,
  type Name,
  RevokedCertificate,
  TBSCertList,
  Time,
} from '@peculiar/asn1-x509'
import { Integer } from 'asn1js'
import type { SnpProduct } from '../../../sdk/attest/types.ts'
import { parseAnyBase64, parseHex } from '../../../sdk/bytes.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'

type Role = 'ark' | 'ask' | 'asvk'

export const DAY = 86_400
const CRL_NUMBER = '2.5.29.20'

export type ListFields = {
  product: SnpProduct
  signedBy: Role
  keySet: 'default' | 'look-alike'
  issuer: Role
  number: number | undefined
  thisUpdate: number
  nextUpdate: number | undefined
  /** Serial numbers, hex. */
  revoked: readonly string[]
  entryExtensions: Extension[]
  extensions: Extension[]
  hash: 'sha384' | 'sha256'
  saltLength: number
}

export function healthyList(product: SnpProduct = 'Milan'): ListFields {
  return {
    product,
    signedBy: 'ark',
    keySet: 'default',
    issuer: 'ark',
    number: 7,
    thisUpdate: NOW - DAY,
    nextUpdate: NOW + 45 * DAY,
    revoked: [],
    entryExtensions: [],
    extensions: [],
    hash: 'sha384',
    saltLength: 48,
  }
}

export async function makeList(changes: Partial<ListFields> = {}): Promise<Uint8Array> {
  const fields = { ...healthyList(changes.product), ...changes }
  const { number, nextUpdate, saltLength, hash } = fields
  const algorithm = pssAlgorithm(fields)
  const tbs = new TBSCertList({
    version: 1,
    signature: algorithm,
    issuer: await subjectOf(fields),
    thisUpdate: time(fields.thisUpdate),
    ...(nextUpdate === undefined ? {} : { nextUpdate: time(nextUpdate) }),
    ...(fields.revoked.length === 0 ? {} : { revokedCertificates: revokedOf(fields) }),
    crlExtensions: [
      ...(number === undefined
        ? []
        : [makeExtension(CRL_NUMBER, false, new Integer({ value: number }).toBER())]),
      ...fields.extensions,
    ],
  })
  const padding = constants.RSA_PKCS1_PSS_PADDING
  const signed = new Uint8Array(AsnConvert.serialize(tbs))
  const signature = sign(hash, signed, { key: await keyOf(fields), padding, saltLength })
  const list = new CertificateList({
    tbsCertList: tbs,
    signatureAlgorithm: algorithm,
    signature: Uint8Array.from(signature).buffer,
  })
  return new Uint8Array(AsnConvert.serialize(list))
}

export function makeExtension(extnID: string, critical: boolean, value: ArrayBuffer): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(value) })
}

function revokedOf({ revoked, entryExtensions }: ListFields): RevokedCertificate[] {
  return revoked.map(
    (serial) =>
      new RevokedCertificate({
        userCertificate: Uint8Array.from(parseHex(serial) ?? []).buffer,
        revocationDate: time(NOW - DAY),
        ...(entryExtensions.length === 0 ? {} : { crlEntryExtensions: entryExtensions }),
      }),
  )
}

function pssAlgorithm({ hash, saltLength }: ListFields): AlgorithmIdentifier {
  const oid = hash === 'sha384' ? '2.16.840.1.101.3.4.2.2' : '2.16.840.1.101.3.4.2.1'
  const hashAlgorithm = new AlgorithmIdentifier({ algorithm: oid, parameters: null })
  const parameters = new RsaSaPssParams({
    hashAlgorithm,
    maskGenAlgorithm: new AlgorithmIdentifier({
      algorithm: id_mgf1,
      parameters: AsnConvert.serialize(hashAlgorithm),
    }),
    saltLength,
  })
  return new AlgorithmIdentifier({
    algorithm: id_RSASSA_PSS,
    parameters: AsnConvert.serialize(parameters),
  })
}

async function subjectOf({ product, keySet, issuer }: ListFields): Promise<Name> {
  const { certificates } = await authorityOf(product, 'VCEK', keySet)
  return AsnConvert.parse(certificates[issuer], Certificate).tbsCertificate.subject
}

async function keyOf({ product, keySet, signedBy }: ListFields): Promise<KeyObject> {
  const authority = await authorityOf(product, 'VCEK', keySet)
  const saved: { keys: Record<string, { private: string }> } = JSON.parse(
    await authority.exportAuthority(),
  )
  const key = Buffer.from(parseAnyBase64(saved.keys[signedBy]?.private ?? '') ?? [])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

const time = (unixSeconds: number) => new Time(new Date(unixSeconds * 1000))
