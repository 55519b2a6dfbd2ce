/**
 * Parsers for what the helper answers: every field that the SDK hands on is checked, further fields of
 * newer helpers are ignored.
 * @module
 */
import { parseHex } from '../bytes.ts'
import { isRsaAlgorithm } from './algorithms.ts'
import { isRecord, unexpected } from './problem.ts'
import type {
  AddressesAnswer,
  DerivedAddress,
  DerivedKey,
  InfoAnswer,
  KeyAlgorithm,
  KeyOrigin,
  KeyScope,
  Mnemonic,
  SecretAnswer,
  TlsKeyAnswer,
  VersionAnswer,
} from './types.ts'

const ALGORITHMS: readonly KeyAlgorithm[] = [
  'secp256k1',
  'ed25519',
  'x25519',
  'p256',
  'raw',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
]
const WORD_COUNTS = [12, 15, 18, 21, 24] as const

export function parseMnemonic(value: unknown): Mnemonic {
  const object = record(value)
  const source = text(object, 'source')
  const mnemonic = text(object, 'mnemonic')
  const words = WORD_COUNTS.find((count) => count === object.words)
  if (words === undefined || mnemonic.split(' ').length !== words) throw unexpected('words')
  if (source !== 'derived' && source !== 'imported') throw unexpected('source')
  return { mnemonic, words, source, origin: parseOrigin(object.origin) }
}

export function parseAddresses(value: unknown): AddressesAnswer {
  const object = record(value)
  return {
    evm: list(object, 'evm').map(parseAddress),
    solana: list(object, 'solana').map(parseAddress),
    origin: parseOrigin(object.origin),
  }
}

export function parseKey(value: unknown): DerivedKey {
  const object = record(value)
  const algorithm = ALGORITHMS.find((known) => known === object.algorithm)
  if (algorithm === undefined) throw unexpected('algorithm')
  const isRsa = isRsaAlgorithm(algorithm)
  const privateKey = isRsa ? der(object, 'privateKey') : bytes(object, 'privateKey', 32)
  if (isRsa) der(object, 'publicKey')
  return {
    algorithm,
    path: text(object, 'path'),
    scope: parseScope(text(object, 'scope')),
    privateKey,
    ...(object.publicKey === undefined ? {} : { publicKey: bytes(object, 'publicKey') }),
    origin: parseOrigin(object.origin),
    wipe: () => {
      privateKey.fill(0)
    },
  }
}

export function parseTlsKey(value: unknown): TlsKeyAnswer {
  const object = record(value)
  const kind = text(object, 'kind')
  if (kind !== 'tls' && kind !== 'acme-account') throw unexpected('kind')
  const privateKey = text(object, 'privateKey')
  if (!privateKey.startsWith('-----BEGIN PRIVATE KEY-----')) throw unexpected('privateKey')
  return {
    kind,
    ...(object.domain === undefined ? {} : { domain: text(object, 'domain') }),
    ...(object.version === undefined ? {} : { version: whole(object, 'version') }),
    privateKey,
    publicKey: text(object, 'publicKey'),
    origin: parseOrigin(object.origin),
  }
}

export function parseStorageKey(value: unknown): Uint8Array {
  return bytes(record(value), 'key', 32)
}

export function parseSecret(value: unknown): SecretAnswer {
  const object = record(value)
  if (object.names !== undefined)
    return {
      names: list(object, 'names').map((name) => {
        if (typeof name !== 'string') throw unexpected('names')
        return name
      }),
    }
  if (typeof object.sealed !== 'boolean') throw unexpected('sealed')
  return { name: text(object, 'name'), value: text(object, 'value'), sealed: object.sealed }
}

export function parseInfo(value: unknown): InfoAnswer {
  const object = record(value)
  return {
    version: text(object, 'version'),
    origin: parseOrigin(object.origin),
    initdataSha384: text(object, 'initdataSha384'),
    reportDataVersion: whole(object, 'reportDataVersion'),
    quorum: list(object, 'quorum').map(string),
    refusals: list(object, 'refusals').map((entry) => {
      const refusal = record(entry)
      return {
        operator: text(refusal, 'operator'),
        code: text(refusal, 'code'),
        message: text(refusal, 'message'),
      }
    }),
    marks: list(object, 'marks').map(string),
  }
}

export function parseVersion(value: unknown): VersionAnswer {
  const object = record(value)
  return { name: text(object, 'name'), version: text(object, 'version'), api: whole(object, 'api') }
}

function parseOrigin(value: unknown): KeyOrigin {
  const object = record(value)
  return {
    appId: text(object, 'appId'),
    masterPublicKey: text(object, 'masterPublicKey'),
    threshold: whole(object, 'threshold'),
    operators: whole(object, 'operators'),
    ...(object.epoch === undefined ? {} : { epoch: whole(object, 'epoch') }),
    ...(object.keyVersion === undefined ? {} : { keyVersion: whole(object, 'keyVersion') }),
  }
}

function parseAddress(value: unknown): DerivedAddress {
  const object = record(value)
  return {
    index: whole(object, 'index'),
    path: text(object, 'path'),
    address: text(object, 'address'),
  }
}

function parseScope(value: string): KeyScope {
  if (value === 'app') return value
  if (value.startsWith('release:')) return `release:${value.slice('release:'.length)}`
  if (value.startsWith('instance:')) return `instance:${value.slice('instance:'.length)}`
  throw unexpected('scope')
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw unexpected('not an object')
  return value
}

function text(object: Record<string, unknown>, field: string): string {
  const value = object[field]
  if (typeof value !== 'string') throw unexpected(field)
  return value
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw unexpected('a list of texts')
  return value
}

function whole(object: Record<string, unknown>, field: string): number {
  const value = object[field]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw unexpected(field)
  return value
}

function list(object: Record<string, unknown>, field: string): readonly unknown[] {
  const value = object[field]
  if (!Array.isArray(value)) throw unexpected(field)
  return value
}

/** A DER sequence, by its first byte; what is inside is for whoever loads the key. */
function der(object: Record<string, unknown>, field: string): Uint8Array {
  const value = bytes(object, field)
  if (value[0] !== 0x30 || value.length < 256) throw unexpected(field)
  return value
}

function bytes(object: Record<string, unknown>, field: string, length?: number): Uint8Array {
  const value = parseHex(text(object, field), length)
  if (value === undefined) throw unexpected(field)
  return value
}
