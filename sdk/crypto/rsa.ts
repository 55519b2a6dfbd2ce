/**
 * A deterministic RSA key pair from the app key, and PKCS#12 export.
 *
 * node:crypto cannot generate from a seed, so the key pair is what node-forge's PRIMEINC search (random start on 30k + 1, next
 * candidates coprime to 30, e = 65537) makes of this byte stream; that algorithm is part of the derivation:
 *   seed = HKDF of the label, 32 bytes; block i = HKDF-Expand-SHA-256(seed, uint32(i), 8160)
 * Known answers pin it, so a change in the library shows. Pure JavaScript: a second or two for 2048 bits, far
 * longer for 4096; the search takes a time that depends on the key. Node only.
 * @module
 */
import { checkPrimeSync } from 'node:crypto'
import { expand } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import forge from 'node-forge'
import { uintBE } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { deriveKey } from './derive.ts'
import { DERIVATIONS } from './labels.ts'

const PUBLIC_EXPONENT = 0x10001
const BLOCK_BYTES = 255 * 32

export type RsaBits = 2048 | 3072 | 4096

export type RsaKeyPair = {
  bits: RsaBits
  /** PKCS#8. */
  privateKeyPem: string
  /** SubjectPublicKeyInfo. */
  publicKeyPem: string
}

/** @throws REQUEST_INVALID when the scope or the path is malformed. */
export function deterministicRsa(
  appKey: Uint8Array,
  input: { bits: RsaBits; path: string; scope?: string },
): RsaKeyPair {
  const { bits, path, scope = 'app' } = input
  const { algorithm, purpose, length } = DERIVATIONS[`rsa${bits}`]
  const seed = deriveKey(appKey, { scope, algorithm, purpose, path }, length)
  // The types name no `prng`, which the documentation has; without it node:crypto would be used.
  const options = { bits, e: PUBLIC_EXPONENT, prng: createStream(seed) }
  const { privateKey, publicKey } = forge.pki.rsa.generateKeyPair(options)
  // node-forge's own test takes random bases; this one is independent of it.
  if (!isPrime(privateKey.p) || !isPrime(privateKey.q))
    throw new EigenxError({
      code: 'INTERNAL',
      message: 'the key search ended on a composite number',
      stage: 'key',
      details: {},
    })
  const pkcs8 = forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(privateKey))
  return {
    bits,
    privateKeyPem: toUnixLines(forge.pki.privateKeyInfoToPem(pkcs8)),
    publicKeyPem: toUnixLines(forge.pki.publicKeyToPem(publicKey)),
  }
}

export type Pkcs12Input = {
  privateKeyPem: string
  /** The leaf first. */
  certificatesPem: readonly string[]
  password: string
  friendlyName?: string
}

/**
 * A PKCS#12 file under PBES2 with AES-256. Salts and IVs are fresh, so the bytes differ from call to call.
 * @throws REQUEST_INVALID when a part does not parse or the password is empty.
 */
export function toPkcs12(input: Pkcs12Input): Uint8Array {
  const { privateKeyPem, certificatesPem, password, friendlyName } = input
  if (password === '') throw requestInvalid('password', 'a PKCS#12 file needs a password')
  const key = parsePart('privateKeyPem', () => forge.pki.privateKeyFromPem(privateKeyPem))
  const certificates = certificatesPem.map((pem) =>
    parsePart('certificatesPem', () => forge.pki.certificateFromPem(pem)),
  )
  const asn1 = forge.pkcs12.toPkcs12Asn1(key, certificates, password, {
    algorithm: 'aes256',
    count: 100_000,
    saltSize: 16,
    ...(friendlyName === undefined ? {} : { friendlyName }),
  })
  return fromBinary(forge.asn1.toDer(asn1).getBytes())
}

/** The endless byte stream behind node-forge's `prng` option. */
function createStream(seed: Uint8Array): { getBytesSync: (count: number) => string } {
  let block = new Uint8Array()
  let used = 0
  let counter = 0
  return {
    getBytesSync: (count) => {
      let out = ''
      for (let taken = 0; taken < count; taken++) {
        if (used === block.length) {
          block = expand(sha256, seed, uintBE(counter++, 4), BLOCK_BYTES)
          used = 0
        }
        out += String.fromCharCode(block[used++] ?? 0)
      }
      return out
    },
  }
}

function isPrime(value: forge.jsbn.BigInteger): boolean {
  return checkPrimeSync(BigInt(`0x${value.toString(16)}`))
}

function parsePart<T>(path: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw requestInvalid(path, `${path} does not parse`, cause)
  }
}

function toUnixLines(pem: string): string {
  return pem.replaceAll('\r\n', '\n')
}

function fromBinary(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

function requestInvalid(path: string, message: string, cause?: unknown): EigenxError {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message,
    stage: 'key',
    details: { path },
    cause,
  })
}
