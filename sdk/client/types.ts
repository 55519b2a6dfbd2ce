/**
 * What the helper's socket answers, and what the client makes of it.
 *
 * The `…Answer` types are the JSON on the socket (bytes as lower-case hex without 0x); the others are
 * what `createClient` returns (bytes as `Uint8Array`).
 * @module
 */

/** Which pods get the same key: all of the app, those of one release, or one instance. */
export type KeyScope = 'app' | `release:${string}` | `instance:${string}`

export type KeyAlgorithm =
  | 'secp256k1'
  | 'ed25519'
  | 'x25519'
  | 'p256'
  | 'raw'
  | 'rsa-2048'
  | 'rsa-3072'
  | 'rsa-4096'

/** Where a key comes from: public facts, to be shown or compared, not a signature. */
export type KeyOrigin = {
  appId: string
  /** Compressed G2, 192 hex digits. */
  masterPublicKey: string
  /** Operators that must answer, of those registered. */
  threshold: number
  operators: number
  /** Absent where the operators publish no certified outputs. */
  epoch?: number
  keyVersion?: number
}

export type MnemonicAnswer = {
  mnemonic: string
  words: 12 | 15 | 18 | 21 | 24
  /** `imported`: the release's sealed secret MNEMONIC, which wins over the derived one. */
  source: 'derived' | 'imported'
  origin: KeyOrigin
}

export type DerivedAddress = { index: number; path: string; address: string }

export type AddressesAnswer = {
  evm: readonly DerivedAddress[]
  solana: readonly DerivedAddress[]
  origin: KeyOrigin
}

export type KeyAnswer = {
  algorithm: KeyAlgorithm
  path: string
  scope: KeyScope
  /** As in `DerivedKey`. */
  privateKey: string
  publicKey?: string
  origin: KeyOrigin
}

export type TlsKeyAnswer = {
  kind: 'tls' | 'acme-account'
  domain?: string
  version?: number
  /** PKCS#8 PEM. */
  privateKey: string
  /** SubjectPublicKeyInfo PEM. */
  publicKey: string
  origin: KeyOrigin
}

export type StorageKeyAnswer = { name?: string; key: string; origin: KeyOrigin }

/** With a name in the request `value`, without one `names`. */
export type SecretAnswer =
  | { name: string; value: string; sealed: boolean }
  | { names: readonly string[] }

export type InfoAnswer = {
  version: string
  origin: KeyOrigin
  /** SHA-384 of the pod's decoded initdata, hex. */
  initdataSha384: string
  reportDataVersion: number
  /** Operators whose partial keys were used. */
  quorum: readonly string[]
  /** Operators that refused while the key was made, and why. */
  refusals: readonly { operator: string; code: string; message: string }[]
  /** What the operators tied to their grant. */
  marks: readonly string[]
}

export type VersionAnswer = { name: string; version: string; api: number }

/** A derived key pair. `wipe()` overwrites the private key where it lies. */
export type DerivedKey = {
  algorithm: KeyAlgorithm
  path: string
  scope: KeyScope
  /** 32 bytes; of RSA keys PKCS#8 in DER. */
  privateKey: Uint8Array
  /** secp256k1 and p256: 33 bytes, compressed; ed25519 and x25519: 32 bytes; RSA: SubjectPublicKeyInfo in DER; raw has none. */
  publicKey?: Uint8Array
  origin: KeyOrigin
  wipe: () => void
}

export type Mnemonic = MnemonicAnswer

/** One exchange with the helper; inject your own in tests or over other carriers. */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer>

export type TransportRequest = {
  /** e.g. `/GetMnemonic` */
  path: string
  /** JSON text; absent means GET. */
  body?: string
  /** In milliseconds. */
  timeoutMs: number
}

export type TransportAnswer = { status: number; body: string }
