/**
 * The certificates that a machine hands to its SNP guests beside a report: a table of GUIDs, bytes in, record out. The host wrote it, and
 * nothing in it is signed as a whole; each certificate speaks for itself.
 *
 * Source: AMD 56421 (GHCB), MSG_REPORT_REQ; Linux gives the same bytes as `auxblob`. Entries of 24 bytes {GUID, u32 offset, u32 length},
 * little-endian, the GUID in the order of its text; the last one is zero. Offsets count from the beginning of the table.
 * @module
 */
import { bytesToHex, isZero } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { CERTIFICATE_LIMIT } from './x509.ts'

/** Linux takes no more from the host. */
export const CERT_TABLE_LIMIT = 32 * 1024
const ENTRY_SIZE = 24
const ENTRY_LIMIT = 32
const VCEK_GUID = '63da758de6644564adc5f4b93be8accd'
const VLEK_GUID = 'a8074bc2a25a483eaae639c045a0b8a1'

/** DER. Authorities are not among them: verifiers have their own. */
export type SnpCertTable = { vcek?: Uint8Array; vlek?: Uint8Array }

/**
 * @param bytes - Empty where the host gives nothing.
 * @throws EVIDENCE_MALFORMED naming the field and where it is, INPUT_TOO_LARGE
 */
export function parseSnpCertTable(bytes: Uint8Array): SnpCertTable {
  if (bytes.length > CERT_TABLE_LIMIT) throw tooLarge('cert_table', CERT_TABLE_LIMIT)
  if (bytes.length === 0) return {}
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = countEntries(bytes)
  const first = (count + 1) * ENTRY_SIZE
  const found: SnpCertTable = {}
  for (let index = 0; index < count; index++) {
    const at = index * ENTRY_SIZE
    const offset = view.getUint32(at + 16, true)
    const length = view.getUint32(at + 20, true)
    if (offset < first || offset > bytes.length || length > bytes.length - offset)
      throw bad('range', at + 16)
    const guid = bytesToHex(bytes.subarray(at, at + 16))
    const name = guid === VCEK_GUID ? 'vcek' : guid === VLEK_GUID ? 'vlek' : undefined
    if (name === undefined) continue
    if (found[name] !== undefined) throw bad(`${name} twice`, at)
    if (length === 0) throw bad(name, at + 20)
    if (length > CERTIFICATE_LIMIT) throw tooLarge(`cert_table.${name}`, CERTIFICATE_LIMIT)
    found[name] = bytes.slice(offset, offset + length)
  }
  return found
}

/** Without the zero entry, which has to be there. */
function countEntries(bytes: Uint8Array): number {
  for (let index = 0; index <= ENTRY_LIMIT; index++) {
    const entry = bytes.subarray(index * ENTRY_SIZE, (index + 1) * ENTRY_SIZE)
    if (entry.length < ENTRY_SIZE) throw bad('end', index * ENTRY_SIZE)
    if (isZero(entry)) return index
  }
  throw bad('count', ENTRY_LIMIT * ENTRY_SIZE)
}

const bad = (field: string, offset: number) =>
  malformed(`cert_table.${field}`, `certificate table: bad ${field}`, offset)
