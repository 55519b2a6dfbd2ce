/**
 * A backup key in parts: any `threshold` of the custodians open the backup, fewer learn nothing (Shamir over the scalar field of BLS12-381).
 *
 * A part is one line: eigenx-tee-part-v1:<key id>:<threshold>:<index>:<value>:<checksum>, all hex but the two numbers. The key id tells parts of
 * different backups apart; the checksum finds mistakes in copying.
 * @module
 */
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, parseHex, utf8ToBytes } from '../sdk/bytes.ts'
import {
  CURVE_ORDER,
  parseScalar,
  type Rng,
  randomScalar,
  serializeScalar,
} from '../sdk/crypto/bls.ts'
import { evaluatePolynomial, lagrangeAtZero, randomPolynomial } from '../sdk/crypto/shamir.ts'
import { EigenxError } from '../sdk/errors.ts'
import { BACKUP_KEY_BYTES } from './backup.ts'

const PREFIX = 'eigenx-tee-part-v1'
const MAX_CUSTODIANS = 32

/** @returns A fresh key and its parts. Secret. @throws EigenxError CONFIG_INVALID */
export function createCustodianKey(
  { custodians, threshold }: { custodians: number; threshold: number },
  rng: Rng,
): { key: Uint8Array; parts: readonly string[] } {
  // NaN is neither smaller nor larger than anything.
  const areNumbers = [custodians, threshold].every(Number.isSafeInteger)
  if (!areNumbers || threshold < 2 || threshold > custodians || custodians > MAX_CUSTODIANS)
    throw new EigenxError({
      code: 'CONFIG_INVALID',
      message: `A backup has 2 to ${MAX_CUSTODIANS} custodians, and a threshold from 2 to their number.`,
      stage: 'config',
      details: { path: 'custodians' },
    })
  const secret = randomScalar(rng)
  const polynomial = randomPolynomial(secret, threshold - 1, rng)
  const id = bytesToHex(derive(secret, 'id', 8))
  const parts = Array.from({ length: custodians }, (_, i) => {
    const value = bytesToHex(serializeScalar(evaluatePolynomial(polynomial, BigInt(i + 1))))
    const body = `${PREFIX}:${id}:${threshold}:${i + 1}:${value}`
    return `${body}:${checksum(body)}`
  })
  return { key: derive(secret, 'key', BACKUP_KEY_BYTES), parts }
}

/** @throws EigenxError REQUEST_INVALID */
export function combineCustodianParts(lines: readonly string[]): Uint8Array {
  const parts = lines.map(parsePart)
  const [first] = parts
  if (first === undefined) throw refuse('no parts')
  const different = new Map(parts.map((part) => [part.index, part]))
  if (parts.some((part) => part.id !== first.id || part.threshold !== first.threshold))
    throw refuse('the parts belong to different backups')
  if (different.size < first.threshold)
    throw refuse(`${first.threshold} different parts are needed`)
  const used = [...different.values()].slice(0, first.threshold)
  const weights = lagrangeAtZero(used.map((part) => BigInt(part.index)))
  const secret = used.reduce(
    (sum, part, i) => (sum + part.value * (weights[i] ?? 0n)) % CURVE_ORDER,
    0n,
  )
  if (secret === 0n || bytesToHex(derive(secret, 'id', 8)) !== first.id)
    throw refuse('a part is not the one that was given out')
  return derive(secret, 'key', BACKUP_KEY_BYTES)
}

function parsePart(line: string): { id: string; threshold: number; index: number; value: bigint } {
  const match =
    /^(eigenx-tee-part-v1:([0-9a-f]{16}):(\d{1,2}):(\d{1,2}):([0-9a-f]{64})):([0-9a-f]{8})$/.exec(
      line.trim(),
    )
  const [, body = '', id = '', threshold = '', index = '', value = '', sum] = match ?? []
  const bytes = parseHex(value, 32)
  if (match === null || bytes === undefined || checksum(body) !== sum || Number(index) === 0)
    throw refuse('a part is damaged')
  return { id, threshold: Number(threshold), index: Number(index), value: parseScalar(bytes) }
}

function derive(secret: bigint, label: string, length: number): Uint8Array {
  const info = utf8ToBytes(`eigenx-tee/custodians/v1/${label}`)
  return hkdf(sha256, serializeScalar(secret), undefined, info, length)
}

function checksum(body: string): string {
  return bytesToHex(sha256(utf8ToBytes(body)).subarray(0, 4))
}

function refuse(reason: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: `The custodians' parts cannot be used: ${reason}.`,
    stage: 'request',
    details: { path: 'parts' },
  })
}
