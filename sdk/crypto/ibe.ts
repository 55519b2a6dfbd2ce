/**
 * Identity-based encryption to an app, envelope version 1, byte-compatible with eigenx-kms-go 0.4.3.
 *
 * Boneh-Franklin over BLS12-381 with an AES-256-GCM body:
 *   C1 = r·G2, K = e(H1(appId), MPK)^r = e(x·H1(appId), C1)
 *   key = HKDF-SHA-256(ikm = GT bytes of K, salt, info = "IBE-encryption|v1|" appId, 32)
 *
 *   offset 0    3   magic "IBE"
 *          3    1   version, 1
 *          4   96   C1, compressed G2
 *        100   12   nonce
 *        112        ciphertext and 16-byte tag; associated data = appId ‖ version ‖ C1
 *
 * Only the recombined app key opens it. The scheme authenticates the content to the app, not the sender: anyone can encrypt.
 * @module
 */
import { gcm } from '@noble/ciphers/aes.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { randomBytes } from '@noble/hashes/utils.js'
import { concatBytes, equalBytes, utf8ToBytes } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import {
  G2_BYTES,
  type GtElement,
  hashToG1,
  multiplyG1,
  multiplyG2Generator,
  pairing,
  parseG1,
  parseG2,
  parsePublicKeyG2,
  type Rng,
  randomScalar,
  serializeG2,
  serializeGt,
} from './bls.ts'

const VERSION = 1
const HEADER = concatBytes(utf8ToBytes('IBE'), Uint8Array.of(VERSION))
const SALT = utf8ToBytes('eigenx-kms-go-ibe-encryption')
const NONCE_BYTES = 12
const TAG_BYTES = 16
const BODY_OFFSET = HEADER.length + G2_BYTES + NONCE_BYTES

/** The largest plaintext; secrets are small, and the cipher holds everything in memory. */
export const MAX_IBE_PLAINTEXT_BYTES = 16 * 1024 * 1024
/** App ids that the Go implementation encrypts to and decrypts for, in bytes. */
const MIN_APP_ID_BYTES = 5
const MAX_APP_ID_BYTES = 255

export type EncryptInput = {
  /** Compressed G2, 96 bytes. The caller knows that it is the right one. */
  masterPublicKey: Uint8Array
  appId: string
  plaintext: Uint8Array
}

/**
 * @returns The envelope, 128 bytes longer than the plaintext.
 * @throws APP_ID_INVALID, POINT_INVALID (the master public key) or INPUT_TOO_LARGE
 */
export function encryptForApp(input: EncryptInput, rng: Rng = randomBytes): Uint8Array {
  return encryptWith(input, { scalar: randomScalar(rng), nonce: rng(NONCE_BYTES) })
}

/**
 * The deterministic core, for known answers: the same scalar for two plaintexts of one app breaks both.
 * @internal
 */
export function encryptWith(
  { masterPublicKey, appId, plaintext }: EncryptInput,
  { scalar, nonce }: { scalar: bigint; nonce: Uint8Array },
): Uint8Array {
  checkAppId(appId)
  checkSize(plaintext.length)
  const c1 = serializeG2(multiplyG2Generator(scalar))
  // e(r·H1, MPK) equals e(H1, MPK)^r, and the secret r meets only the fixed-sequence multiplication.
  const shared = pairing(multiplyG1(hashToG1(appId), scalar), parsePublicKeyG2(masterPublicKey))
  const body = cipherOf(shared, appId, c1, nonce).encrypt(plaintext)
  return concatBytes(HEADER, c1, nonce, body)
}

/**
 * @param input.appKey - x·H1(appId), compressed G1, 48 bytes.
 * @throws CIPHERTEXT_INVALID, APP_ID_INVALID, POINT_INVALID (the app key) or INPUT_TOO_LARGE
 */
export function decryptWithAppKey(input: {
  appKey: Uint8Array
  appId: string
  ciphertext: Uint8Array
}): Uint8Array {
  const { appKey, appId, ciphertext } = input
  checkAppId(appId)
  checkSize(ciphertext.length - BODY_OFFSET - TAG_BYTES)
  if (ciphertext.length < BODY_OFFSET + TAG_BYTES) throw formatInvalid('the envelope is too short')
  if (!equalBytes(ciphertext.subarray(0, HEADER.length), HEADER))
    throw formatInvalid('the envelope does not start with the magic bytes of version 1')
  const key = parseG1(appKey)
  const c1 = ciphertext.subarray(HEADER.length, HEADER.length + G2_BYTES)
  const nonce = ciphertext.subarray(HEADER.length + G2_BYTES, BODY_OFFSET)
  const shared = pairing(key, parseC1(c1))
  try {
    return cipherOf(shared, appId, c1, nonce).decrypt(ciphertext.subarray(BODY_OFFSET))
  } catch (cause) {
    throw new EigenxError({
      code: 'CIPHERTEXT_INVALID',
      message: 'the envelope does not open with this app key and app id',
      stage: 'crypto',
      details: { reason: 'authentication' },
      hint: 'An envelope opens only for the exact app id text, and under the master public key, it was made for.',
      cause,
    })
  }
}

function parseC1(bytes: Uint8Array): ReturnType<typeof parseG2> {
  try {
    return parseG2(bytes)
  } catch (cause) {
    throw formatInvalid('the envelope holds no valid point', cause)
  }
}

function cipherOf(shared: GtElement, appId: string, c1: Uint8Array, nonce: Uint8Array) {
  const id = utf8ToBytes(appId)
  const info = concatBytes(utf8ToBytes(`IBE-encryption|v${VERSION}|`), id)
  const key = hkdf(sha256, serializeGt(shared), SALT, info, 32)
  return gcm(key, nonce, concatBytes(id, Uint8Array.of(VERSION), c1))
}

function checkAppId(appId: string): void {
  const { length } = utf8ToBytes(appId)
  if (length < MIN_APP_ID_BYTES || length > MAX_APP_ID_BYTES)
    throw new EigenxError({
      code: 'APP_ID_INVALID',
      message: `an app id has ${MIN_APP_ID_BYTES} to ${MAX_APP_ID_BYTES} bytes`,
      stage: 'crypto',
      details: { appId: appId.slice(0, 64) },
    })
}

function checkSize(plaintextBytes: number): void {
  if (plaintextBytes > MAX_IBE_PLAINTEXT_BYTES)
    throw new EigenxError({
      code: 'INPUT_TOO_LARGE',
      message: 'the content is larger than an envelope may be',
      stage: 'crypto',
      details: { field: 'plaintext', limit: MAX_IBE_PLAINTEXT_BYTES },
    })
}

function formatInvalid(message: string, cause?: unknown): EigenxError {
  return new EigenxError({
    code: 'CIPHERTEXT_INVALID',
    message,
    stage: 'crypto',
    details: { reason: 'format' },
    cause,
  })
}
