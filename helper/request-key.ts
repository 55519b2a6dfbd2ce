/**
 * The RSA key of one request: operators encrypt their partial keys to it, the report binds it.
 *
 * 3072 bits: partial keys cross the network, and a recorded t of them must stay closed as long as the app's
 * key is worth something; 2048 bits fall short of the curve's own strength. Generation runs in
 * a worker thread of Node and takes about half a second, beside the chain reads that take as long.
 * @module
 */
import { createPublicKey, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { utf8ToBytes } from '../sdk/bytes.ts'
import { unwrapPartial } from '../sdk/wire/rsa-oaep.ts'

const generate = promisify(generateKeyPair)
const RSA_BITS = 3072

export type RequestKey = {
  /** SubjectPublicKeyInfo as PEM text bytes, as it goes on the wire. */
  publicPem: Uint8Array
  /** The same as DER. */
  publicSpki: Uint8Array
  /** @throws EigenxError CIPHERTEXT_INVALID */
  unwrap: (ciphertext: Uint8Array) => Uint8Array
}

export async function createRequestKey(): Promise<RequestKey> {
  const { privateKey } = await generate('rsa', { modulusLength: RSA_BITS })
  const publicKey = createPublicKey(privateKey)
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  return {
    publicPem: utf8ToBytes(typeof pem === 'string' ? pem : pem.toString('utf8')),
    publicSpki: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })),
    unwrap: (ciphertext) => unwrapPartial(privateKey, ciphertext),
  }
}
