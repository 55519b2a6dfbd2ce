/**
 * How a partial key travels: `{"CompressedBytes":"…"}` under RSA-OAEP with SHA-256 (MGF1-SHA-256, empty label), to
 * the RSA key that the evidence binds. Byte-compatible with eigenx-kms-go 0.4.3.
 *
 * Node only: the private operation is OpenSSL's, with its blinding.
 * @module
 */
import {
  constants,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto'
import { parseAnyBase64, parseUtf8 } from '../bytes.ts'
import { EigenxError, isEigenxError } from '../errors.ts'
import { encodeWrappedPartial, parseWrappedPartial } from './secrets.ts'

/** Go's bound on the PEM text; a key of 8192 bits takes about 1500 bytes. */
const MAX_PEM_BYTES = 8192
const MIN_BITS = 2048
const MAX_BITS = 8192
/** Larger exponents serve nobody and cost the operator time. */
const MAX_EXPONENT = 2n ** 32n - 1n

export type RsaPublicKey = {
  key: KeyObject
  /** SubjectPublicKeyInfo: REPORT_DATA v2 hashes it. */
  spkiDer: Uint8Array
  bits: number
}

/**
 * Text around the PEM block and the block's label do not matter, as in Go; the content must be an SPKI.
 * @throws RSA_KEY_INVALID
 */
export function parseRsaPublicKeyPem(pem: Uint8Array): RsaPublicKey {
  if (pem.length > MAX_PEM_BYTES)
    throw keyInvalid(`an RSA public key has at most ${MAX_PEM_BYTES} bytes`)
  const armored = armorSpki(pem)
  let key: KeyObject
  try {
    key = createPublicKey({ key: armored, format: 'pem' })
  } catch (cause) {
    throw keyInvalid('the PEM block holds no SubjectPublicKeyInfo', cause)
  }
  if (key.asymmetricKeyType !== 'rsa') throw keyInvalid('the key is not an RSA key')
  const { modulusLength: bits = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (bits < MIN_BITS || bits > MAX_BITS)
    throw keyInvalid(`the RSA modulus must have ${MIN_BITS} to ${MAX_BITS} bits`)
  if (publicExponent < 3n || publicExponent % 2n === 0n || publicExponent > MAX_EXPONENT)
    throw keyInvalid('the RSA public exponent must be odd, at least 3 and below 2^32')
  return { key, spkiDer: Uint8Array.from(key.export({ format: 'der', type: 'spki' })), bits }
}

/** The partial key for the owner of the RSA key. @throws RSA_KEY_INVALID */
export function wrapPartial(pem: Uint8Array, partial: Uint8Array): Uint8Array {
  const { key } = parseRsaPublicKeyPem(pem)
  try {
    return Uint8Array.from(publicEncrypt({ key, ...OAEP }, encodeWrappedPartial(partial)))
  } catch {
    // An even modulus, for one, parses. The cause stays here: nothing that touched the plaintext travels on.
    throw keyInvalid('nothing can be encrypted to this RSA key')
  }
}

/** @returns The bytes that the operator sent as its partial key, unchecked. @throws CIPHERTEXT_INVALID */
export function unwrapPartial(privateKey: KeyObject, ciphertext: Uint8Array): Uint8Array {
  let plaintext: Uint8Array
  try {
    plaintext = privateDecrypt({ key: privateKey, ...OAEP }, ciphertext)
  } catch (cause) {
    throw unwrapFailed('authentication', 'the partial key does not open with this RSA key', cause)
  }
  try {
    return parseWrappedPartial(plaintext)
  } catch (cause) {
    // The cause may quote the plaintext, so it stops here.
    if (isEigenxError(cause)) throw unwrapFailed('format', 'the opened partial key is malformed')
    throw cause
  }
}

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }

/** The first PEM block's content under the label of an SPKI, so that nothing else is read from it. */
function armorSpki(pem: Uint8Array): string {
  const text = parseUtf8(pem) ?? ''
  const block = /-----BEGIN ([A-Z0-9 ]*)-----([A-Za-z0-9+/=\r\n\t ]*)-----END \1-----/.exec(text)
  const digits = (block?.[2] ?? '').replace(/[\r\n\t ]/g, '')
  if (digits === '' || parseAnyBase64(digits) === undefined)
    throw keyInvalid('the RSA public key is no PEM text')
  const lines = digits.match(/.{1,64}/g) ?? []
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n')
}

function keyInvalid(reason: string, cause?: unknown): EigenxError {
  return new EigenxError({
    code: 'RSA_KEY_INVALID',
    message: reason,
    stage: 'request',
    details: { reason },
    cause,
  })
}

function unwrapFailed(
  reason: 'format' | 'authentication',
  message: string,
  cause?: unknown,
): EigenxError {
  return new EigenxError({
    code: 'CIPHERTEXT_INVALID',
    message,
    stage: 'crypto',
    details: { reason },
    cause,
  })
}
