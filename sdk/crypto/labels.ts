/**
 * The registry of derivations: every key that comes from the app key or from its mnemonic, in one table.
 * A label is public API. Add rows; never change one, never give a label a second meaning. Each row has a known
 * answer in test/vectors/derivation.
 *
 * `app-key` rows: HKDF-SHA-256(ikm = app key, salt = "eigenx-tee/v1", info = frame(scope, algorithm, purpose, path), length).
 * `seed` rows start at the BIP-39 seed (64 bytes, empty passphrase) and are EigenCompute's formulas.
 * @module
 */

export type DerivationRow = {
  from: 'app-key' | 'seed'
  /** Algorithm and purpose of the frame, or the formula's label. */
  algorithm: string
  purpose: string
  /** What `path` may be. */
  path: string
  /** Bytes drawn from the KDF. */
  length: number
  /** How those bytes become the key. */
  turnedInto: string
}

const SCALAR = 'scalar = 1 + (bytes as big-endian integer mod (n - 1))'

export const DERIVATIONS = {
  mnemonic24: row('bip39', 'mnemonic', '"24"', 32, 'entropy of 24 English words'),
  mnemonic12: row('bip39', 'mnemonic', '"12"', 16, 'entropy of 12 English words'),
  secp256k1: row('secp256k1', 'key-pair', 'any', 48, SCALAR),
  p256: row('p256', 'key-pair', 'any', 48, SCALAR),
  ed25519: row('ed25519', 'key-pair', 'any', 32, 'seed of RFC 8032'),
  x25519: row('x25519', 'key-pair', 'any', 32, 'scalar of RFC 7748, clamped in use'),
  raw: row('raw', 'key-pair', 'any', 32, 'the bytes'),
  storage: row('raw', 'storage', 'name of the store', 32, 'the bytes'),
  rsa2048: row('rsa-2048', 'key-pair', 'any', 32, 'seed of the stream that node-forge reads'),
  rsa3072: row('rsa-3072', 'key-pair', 'any', 32, 'seed of the stream that node-forge reads'),
  rsa4096: row('rsa-4096', 'key-pair', 'any', 32, 'seed of the stream that node-forge reads'),
  evm: seedRow('bip32', "m/44'/60'/0'/0/i", 'secp256k1 key'),
  solana: seedRow('slip10', "m/44'/501'/i'/0'", 'ed25519 seed'),
  acmeAccount: seedRow('hkdf-sha256', 'eigenx/acme-account/v1', 'P-256 scalar'),
  tlsKey: seedRow('hkdf-sha256', 'eigenx/tls-key/v1', 'P-256 scalar'),
  storageV1: seedRow('hmac-sha256', 'EIGENX_STORAGE_KEY_DERIVATION_V1', 'the bytes'),
} as const satisfies Readonly<Record<string, DerivationRow>>

function row<const A extends string, const P extends string>(
  algorithm: A,
  purpose: P,
  path: string,
  length: number,
  turnedInto: string,
) {
  return { from: 'app-key' as const, algorithm, purpose, path, length, turnedInto }
}

function seedRow<const P extends string>(algorithm: string, purpose: P, turnedInto: string) {
  return { from: 'seed' as const, algorithm, purpose, path: '', length: 32, turnedInto }
}
