/**
 * SEV-SNP evidence on the wire to an operator: the JSON object of Go's `eigenx-snp` method, raw or in base64.
 *
 *   {"attestation_report": <base64 of 1184 bytes>, "cert_chain": [<PEM, or base64 of DER>, ...], "crls": [<base64 of DER>, ...]}
 *
 * `crls`, AMD's revocation lists, is ours and may be absent; Go ignores it.
 * Which certificate is what is decided by the verifier, not by order or by names that a sender may choose.
 * @module
 */
import { parseAnyBase64, toBase64, utf8ToBytes } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { parseEvidenceJson } from './evidence-json.ts'
import { encodeCertificatePem, parseCertificatePem } from './pem.ts'
import { REPORT_SIZE } from './snp-report.ts'
import type { SnpEvidence } from './snp-verify.ts'
import { readEvidenceText } from './wire-text.ts'
import { CERTIFICATE_LIMIT } from './x509.ts'

/** Ten certificates of 4 KiB in PEM inside base64, with room to spare. */
export const WIRE_EVIDENCE_LIMIT = 128 * 1024
const CERTIFICATE_COUNT_LIMIT = 10
/** Both kinds of one product line. */
const CRL_COUNT_LIMIT = 2
/** White space around base64 and PEM armour around a certificate. */
const TEXT_LIMIT = 2 * CERTIFICATE_LIMIT

/**
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE
 */
export function parseWireSnpEvidence(bytes: Uint8Array): SnpEvidence {
  const object = parseEvidenceJson(readEvidenceText(bytes, WIRE_EVIDENCE_LIMIT), 'attestation')
  const report = decodeText(object.attestation_report, 'attestation_report')
  if (report.length !== REPORT_SIZE)
    throw malformed('attestation_report', `an SNP report has ${REPORT_SIZE} bytes`)
  const chain = object.cert_chain ?? []
  if (!Array.isArray(chain)) throw malformed('cert_chain', 'cert_chain is not an array')
  if (chain.length > CERTIFICATE_COUNT_LIMIT) throw tooLarge('cert_chain', CERTIFICATE_COUNT_LIMIT)
  const { crls } = object
  return {
    report,
    certificates: chain.map((entry: unknown, index) => decodeCertificate(entry, index)),
    ...(crls == null ? {} : { crls: decodeLists(crls) }),
  }
}

/** What our helper sends; every Go operator reads it. */
export function encodeWireSnpEvidence(evidence: SnpEvidence): Uint8Array {
  return utf8ToBytes(
    JSON.stringify({
      attestation_report: toBase64(evidence.report),
      cert_chain: evidence.certificates.map(encodeCertificatePem),
      ...(evidence.crls === undefined ? {} : { crls: evidence.crls.map(toBase64) }),
    }),
  )
}

function decodeLists(lists: unknown): Uint8Array[] {
  if (!Array.isArray(lists)) throw malformed('crls', 'crls is not an array')
  if (lists.length > CRL_COUNT_LIMIT) throw tooLarge('crls', CRL_COUNT_LIMIT)
  return lists.map((entry: unknown, index) => decodeText(entry, `crls[${index}]`))
}

function decodeCertificate(entry: unknown, index: number): Uint8Array {
  const field = `cert_chain[${index}]`
  if (typeof entry === 'string' && entry.length > TEXT_LIMIT) throw tooLarge(field, TEXT_LIMIT)
  if (typeof entry !== 'string' || !entry.includes('-----BEGIN')) return decodeText(entry, field)
  const der = parseCertificatePem(entry)
  if (der === undefined) throw malformed(field, `${field} is not one PEM certificate`)
  return der
}

function decodeText(value: unknown, field: string): Uint8Array {
  const bytes = typeof value === 'string' ? parseAnyBase64(value) : undefined
  if (bytes === undefined) throw malformed(field, `${field} is not base64`)
  return bytes
}
