/**
 * Everything an app can ask its identity for, as pure derivations from the app key and the release's
 * environment (docs/protocol.md, Keys). Nothing here does I/O; RSA keys alone are made elsewhere, in threads.
 *
 * The mnemonic in force is the release's sealed secret MNEMONIC where there is one, so an app that comes
 * with its own words keeps its wallets; else it is derived. Addresses, TLS and the unnamed storage key
 * follow the mnemonic in force; labelled keys follow the app key. A public MNEMONIC is no secret and
 * never becomes a key.
 * @module
 */
import { createECDH, createPrivateKey, createPublicKey } from 'node:crypto'
import { bytesToHex, toBase64Url } from '../sdk/bytes.ts'
import { isRsaAlgorithm, RSA_BITS } from '../sdk/client/algorithms.ts'
import type {
  AddressesAnswer,
  KeyAnswer,
  KeyOrigin,
  MnemonicAnswer,
  SecretAnswer,
  StorageKeyAnswer,
  TlsKeyAnswer,
} from '../sdk/client/types.ts'
import { deriveKey, deriveKeyPair } from '../sdk/crypto/derive.ts'
import { DERIVATIONS } from '../sdk/crypto/labels.ts'
import { deriveMnemonic, isMnemonic } from '../sdk/crypto/mnemonic.ts'
import { type RsaBits, type RsaKeyPair, rsaSeed } from '../sdk/crypto/rsa-seed.ts'
import { acmeAccountKey, storageKey, tlsKey } from '../sdk/crypto/tls-keys.ts'
import { evmAccount, solanaAccount } from '../sdk/crypto/wallets.ts'
import { EigenxError } from '../sdk/errors.ts'
import type { AppIdentity } from './identity.ts'
import type { RsaKeys } from './rsa-keys.ts'
import type { EndpointRequest } from './schemas.ts'

/** Name of the sealed secret that replaces the derived mnemonic. */
const MNEMONIC_SECRET = 'MNEMONIC'

const MAX_REMEMBERED_ADDRESSES = 1000

export type Keyring = {
  mnemonic(request: EndpointRequest<'GetMnemonic'>): MnemonicAnswer
  addresses(request: EndpointRequest<'GetAddresses'>): AddressesAnswer
  key(request: EndpointRequest<'GetKey'>): Promise<KeyAnswer>
  tlsKey(request: EndpointRequest<'GetTlsKey'>): TlsKeyAnswer
  storageKey(request: EndpointRequest<'GetStorageKey'>): StorageKeyAnswer
  secret(request: EndpointRequest<'GetSecret'>): SecretAnswer
}

/** @param rsa - Searches RSA keys; everything else is derived here and now. */
export function createKeyring(identity: AppIdentity, rsa: Pick<RsaKeys, 'make'>): Keyring {
  const origin = originOf(identity)
  const inForce = memoise(() => mnemonicInForce(identity))
  const evm = memoiseIndex((index) => evmAccount(inForce().mnemonic, index))
  const solana = memoiseIndex((index) => solanaAccount(inForce().mnemonic, index))
  return {
    mnemonic: ({ words, scope }) => {
      if (scope !== 'app') return { ...derive(identity, words ?? 24, scope), origin }
      const found = inForce()
      if (words === undefined || words === found.words) return { ...found, origin }
      if (found.source === 'derived') return { ...derive(identity, words, scope), origin }
      throw invalidRequest('words', `the app's imported mnemonic has ${found.words} words`)
    },
    addresses: ({ count, start }) => {
      const indices = Array.from({ length: count }, (_, i) => start + i)
      const list = (account: (index: number) => { path: string; address: string }) =>
        indices.map((index) => {
          const { path, address } = account(index)
          return { index, path, address }
        })
      return { evm: list(evm), solana: list(solana), origin }
    },
    key: async ({ path, algorithm, scope }) => {
      const pair: { privateKey: Uint8Array; publicKey?: Uint8Array } = isRsaAlgorithm(algorithm)
        ? await rsaPair(identity, rsa, { bits: RSA_BITS[algorithm], path, scope })
        : deriveKeyPair(identity.appKey, { scope, algorithm, path })
      return {
        algorithm,
        path,
        scope,
        privateKey: bytesToHex(pair.privateKey),
        ...(pair.publicKey === undefined ? {} : { publicKey: bytesToHex(pair.publicKey) }),
        origin,
      }
    },
    tlsKey: ({ kind, domain, version }) => {
      if (kind === 'acme-account') {
        if (domain !== undefined) throw invalidRequest('domain', 'an ACME account has no domain')
        return { kind, ...toPem(acmeAccountKey(inForce().mnemonic)), origin }
      }
      if (domain === undefined) throw invalidRequest('domain', 'a TLS key needs its domain')
      return {
        kind,
        domain,
        version,
        ...toPem(tlsKey(inForce().mnemonic, domain, version)),
        origin,
      }
    },
    storageKey: ({ name }) => {
      if (name === undefined) return { key: bytesToHex(storageKey(inForce().mnemonic)), origin }
      const { algorithm, purpose, length } = DERIVATIONS.storage
      const label = { scope: 'app', algorithm, purpose, path: name }
      return { name, key: bytesToHex(deriveKey(identity.appKey, label, length)), origin }
    },
    secret: ({ name }) => {
      if (name === undefined) return { names: [...identity.environment.keys()].sort() }
      const entry = identity.environment.get(name)
      if (entry === undefined)
        throw new EigenxError({
          code: 'SECRET_NOT_FOUND',
          message: 'the release has no value of that name',
          stage: 'release',
          details: { name },
          hint: 'GET /GetSecret without a name lists what there is.',
        })
      return { name, ...entry }
    },
  }
}

export function originOf(identity: AppIdentity): KeyOrigin {
  return {
    appId: identity.appId,
    masterPublicKey: bytesToHex(identity.masterPublicKey),
    threshold: identity.threshold,
    operators: identity.operators,
    ...(identity.epoch === undefined ? {} : { epoch: identity.epoch }),
    ...(identity.keyVersion === undefined ? {} : { keyVersion: identity.keyVersion }),
  }
}

function rsaPair(
  { appKey }: AppIdentity,
  rsa: Pick<RsaKeys, 'make'>,
  label: { bits: RsaBits; path: string; scope: string },
): Promise<RsaKeyPair> {
  return rsa.make({ seed: rsaSeed(appKey, label), bits: label.bits })
}

type Found = Omit<MnemonicAnswer, 'origin'>

function mnemonicInForce(identity: AppIdentity): Found {
  const imported = identity.environment.get(MNEMONIC_SECRET)
  if (imported === undefined || !imported.sealed) return derive(identity, 24, 'app')
  const mnemonic = imported.value.trim().split(/\s+/).join(' ')
  const words = wordCount(mnemonic)
  if (words === undefined || !isMnemonic(mnemonic))
    throw new EigenxError({
      code: 'RELEASE_INVALID',
      message: 'the sealed secret MNEMONIC is not a BIP-39 mnemonic',
      stage: 'release',
      details: { appId: identity.appId, reason: 'MNEMONIC is not a BIP-39 mnemonic' },
      hint: 'Seal 12 to 24 English BIP-39 words under that name, or another name.',
    })
  return { mnemonic, words, source: 'imported' }
}

function derive(identity: AppIdentity, words: number, scope: string): Found {
  const size = words === 12 ? 12 : 24
  return {
    mnemonic: deriveMnemonic(identity.appKey, { words: size, scope }),
    words: size,
    source: 'derived',
  }
}

function wordCount(mnemonic: string): MnemonicAnswer['words'] | undefined {
  const count = mnemonic.split(' ').length
  return ([12, 15, 18, 21, 24] as const).find((words) => words === count)
}

/** A P-256 scalar as PEM; node:crypto writes the ASN.1. */
function toPem(scalar: Uint8Array): { privateKey: string; publicKey: string } {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(scalar)
  const point = Uint8Array.from(ecdh.getPublicKey())
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      d: toBase64Url(scalar),
      x: toBase64Url(point.subarray(1, 33)),
      y: toBase64Url(point.subarray(33)),
    },
  })
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString(),
  }
}

function memoise<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** Bounded: what does not fit is derived again. */
function memoiseIndex<T>(make: (index: number) => T): (index: number) => T {
  const known = new Map<number, T>()
  return (index) => {
    const value = known.get(index) ?? make(index)
    if (known.size < MAX_REMEMBERED_ADDRESSES) known.set(index, value)
    return value
  }
}

function invalidRequest(path: string, problem: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: `${path}: ${problem}`,
    stage: 'request',
    details: { path },
  })
}
