/**
 * A deterministic RSA key pair from the app key, and PKCS#12 export.
 *
 * node:crypto cannot generate from a seed, so the key pair is what node-forge's PRIMEINC search (random start on 30k + 1, next
 * candidates coprime to 30, e = 65537) makes of this byte stream; that algorithm is part of the derivation:
 *   seed = HKDF of the label, 32 bytes (`rsa-seed.ts`); block i = HKDF-Expand-SHA-256(seed, uint32(i), 8160)
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
import type { RsaBits, RsaKeyPair } from './rsa-seed.ts'

const PUBLIC_EXPONENT = 0x10001
const BLOCK_BYTES = 255 * 32

/**
 * Keeps its thread busy for seconds to minutes.
 * @param seed - Of `rsaSeed`.
 */
export function rsaKeyPair(seed: Uint8Array, bits: RsaBits): RsaKeyPair {
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
    privateKey: toDer(pkcs8),
    publicKey: toDer(forge.pki.publicKeyToAsn1(publicKey)),
  }
}

export type Pkcs12Input = {
  /** PKCS#8 DER of an RSA key, as `getKey` gives it. */
  privateKey: Uint8Array
  /** PEM, the leaf first; of RSA keys, all of them. */
  certificates: readonly string[]
  password: string
  friendlyName?: string
}

/**
 * A PKCS#12 file under PBES2 with AES-256. Salts and IVs are fresh, so the bytes differ from call to call.
 * @throws REQUEST_INVALID when a part does not parse, the leaf is not of this key, or the password is empty.
 */
export function toPkcs12(input: Pkcs12Input): Uint8Array {
  const { privateKey, certificates, password, friendlyName } = input
  if (password === '') throw requestInvalid('password', 'a PKCS#12 file needs a password')
  const key = parsePart('privateKey', () => forge.pki.privateKeyFromAsn1(fromDer(privateKey)))
  const chain = certificates.map((pem) =>
    parsePart('certificates', () => forge.pki.certificateFromPem(pem)),
  )
  const leafKey = chain[0]?.publicKey
  if (leafKey === undefined || !('n' in leafKey) || !leafKey.n.equals(key.n))
    throw requestInvalid('certificates', 'the first certificate is not of this key')
  const asn1 = forge.pkcs12.toPkcs12Asn1(key, chain, password, {
    algorithm: 'aes256',
    count: 100_000,
    saltSize: 16,
    ...(friendlyName === undefined ? {} : { friendlyName }),
  })
  return toDer(asn1)
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

/** node-forge has bytes as text of the characters 0 to 255. */
function toDer(asn1: forge.asn1.Asn1): Uint8Array {
  return Uint8Array.from(forge.asn1.toDer(asn1).getBytes(), (char) => char.charCodeAt(0))
}

function fromDer(der: Uint8Array): forge.asn1.Asn1 {
  return forge.asn1.fromDer(Buffer.from(der).toString('latin1'))
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
