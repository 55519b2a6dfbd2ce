/**
 * Wallets from a mnemonic, on the paths that EigenCompute uses, so that apps keep their addresses.
 *
 * EVM: BIP-32 m/44'/60'/0'/0/i; Solana: SLIP-10 m/44'/501'/i'/0'; any other BIP-32 chain through its path.
 * @module
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { base58 } from '@scure/base'
import { HDKey } from '@scure/bip32'
import { bytesToHex, utf8ToBytes } from '../bytes.ts'
import type { Address } from '../chain/types.ts'
import { EigenxError } from '../errors.ts'
import { requestInvalid } from './invalid.ts'
import { mnemonicToSeed } from './seed.ts'
import { deriveSlip10Ed25519 } from './slip10.ts'

/** secp256k1: 32-byte private key, 33-byte compressed public key. */
export type Bip32Account = { path: string; privateKey: Uint8Array; publicKey: Uint8Array }

export type EvmAccount = {
  path: string
  privateKey: Uint8Array
  /** EIP-55. */
  address: Address
}

export type SolanaAccount = {
  path: string
  /** Seed of RFC 8032, 32 bytes. */
  privateKey: Uint8Array
  publicKey: Uint8Array
  /** Base58. */
  address: string
}

const MAX_INDEX = 2 ** 31 - 1
const MAX_PATH_DEPTH = 32

/** @throws REQUEST_INVALID when the index is not in 0..2^31-1 or the mnemonic is malformed. */
export function evmAccount(mnemonic: string, index: number): EvmAccount {
  const { path, privateKey, publicKey } = deriveBip32(
    mnemonic,
    `m/44'/60'/0'/0/${checkIndex(index)}`,
  )
  const point = secp256k1.Point.fromBytes(publicKey).toBytes(false)
  return {
    path,
    privateKey,
    address: toChecksumAddress(keccak_256(point.subarray(1)).subarray(12)),
  }
}

/** @throws REQUEST_INVALID when the index is not in 0..2^31-1 or the mnemonic is malformed. */
export function solanaAccount(mnemonic: string, index: number): SolanaAccount {
  const indices = [44, 501, checkIndex(index), 0]
  const { privateKey } = deriveSlip10Ed25519(mnemonicToSeed(mnemonic), indices)
  const publicKey = ed25519.getPublicKey(privateKey)
  return {
    path: `m/${indices.map((i) => `${i}'`).join('/')}`,
    privateKey,
    publicKey,
    address: base58.encode(publicKey),
  }
}

/** @throws REQUEST_INVALID when the path is not of the form m/44'/0'/0'/0/0. */
export function deriveBip32(mnemonic: string, path: string): Bip32Account {
  const { privateKey, publicKey } = HDKey.fromMasterSeed(mnemonicToSeed(mnemonic)).derive(
    checkPath(path),
  )
  if (privateKey === null || publicKey === null)
    throw new EigenxError({
      code: 'INTERNAL',
      message: 'BIP-32 gave no private key',
      stage: 'key',
      details: {},
    })
  return { path, privateKey, publicKey }
}

function checkIndex(index: number): number {
  if (!Number.isSafeInteger(index) || index < 0 || index > MAX_INDEX)
    throw requestInvalid('index', 'an account index is an integer in 0..2^31-1')
  return index
}

function checkPath(path: string): string {
  const steps = /^m(?:\/[0-9]{1,10}'?)*$/.test(path) ? path.split('/').slice(1) : undefined
  if (
    steps === undefined ||
    steps.length > MAX_PATH_DEPTH ||
    steps.some((step) => Number.parseInt(step, 10) > MAX_INDEX)
  )
    throw requestInvalid('path', "a derivation path looks like m/44'/0'/0'/0/0")
  return path
}

/** EIP-55: a letter is upper case where the hash of the lower-case text has a nibble of 8 or more. */
function toChecksumAddress(bytes: Uint8Array): Address {
  const lower = bytesToHex(bytes)
  const hash = bytesToHex(keccak_256(utf8ToBytes(lower)))
  const mixed = [...lower].map((char, i) =>
    Number.parseInt(hash.charAt(i), 16) >= 8 ? char.toUpperCase() : char,
  )
  return `0x${mixed.join('')}`
}
