/**
 * Evidence on the wire to an operator: a JSON object, raw or in base64 of it. The first byte decides, as in Go.
 * @module
 */
import { parseAnyBase64, parseUtf8 } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'

/**
 * @param limit - Bytes on the wire.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE
 */
export function readEvidenceText(bytes: Uint8Array, limit: number): string {
  if (bytes.length > limit) throw tooLarge('attestation', limit)
  const text = parseUtf8(bytes)?.trim()
  if (text === undefined || text === '') throw malformed('attestation', 'evidence is not text')
  if (text.startsWith('{')) return text
  const decoded = parseAnyBase64(text)
  const inner = decoded === undefined ? undefined : parseUtf8(decoded)
  if (inner === undefined) throw malformed('attestation', 'evidence is neither JSON nor base64')
  return inner
}

/** A field of base64 that must not be empty. @throws EVIDENCE_MALFORMED */
export function readBase64(value: unknown, field: string): Uint8Array {
  const bytes = typeof value === 'string' ? parseAnyBase64(value) : undefined
  if (bytes === undefined || bytes.length === 0) throw malformed(field, `${field} is not base64`)
  return bytes
}
