/**
 * What operators sign: EIP-712 typed data, one struct type per message, under a domain of chain id,
 * log contract, AVS and operator set. A signature for one purpose, set or chain is worth nothing
 * for another, and any EIP-712 signer (also a remote one) can make it.
 *
 * Only static 32-byte fields occur, so the EIP-712 encoding is a concatenation of words.
 * @module
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, equalBytes, toHex, uintBE, utf8ToBytes } from '../bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../chain/types.ts'
import { verifyBn254 } from './bn254.ts'
import { addressBytes, hashBytes } from './codec.ts'
import type { Domain } from './types.ts'

const DOMAIN_TYPE =
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)'

/** The struct types. Changing one is a new protocol version. */
export const STRUCTS = {
  EncryptionKey: 'EncryptionKey(address operator,bytes32 encryptionKey,uint64 sequence)',
  Leave: 'Leave(address operator,uint64 notAfter)',
  Setup: 'Setup(bytes32 sid,address proposer)',
  Dealing: 'Dealing(bytes32 sid,address dealer,bytes32 body)',
  Acks: 'Acks(bytes32 sid,address recipient,bytes32 dealings)',
  Candidate: 'Candidate(bytes32 sid,address proposer,bytes32 output)',
  Output: 'Output(bytes32 sid,bytes32 output)',
} as const

const STATEMENT_PREFIX = Uint8Array.of(0x19, 0x01)
const STATEMENT_BYTES = 66

const word = (bytes: Uint8Array): Uint8Array =>
  concatBytes(new Uint8Array(32 - bytes.length), bytes)

export const addressWord = (address: Address): Uint8Array => word(addressBytes(address))
export const hashWord = (hash: Hash32): Uint8Array => hashBytes(hash)
export const numberWord = (value: number): Uint8Array => uintBE(value, 32)

const keccakText = (text: string): Uint8Array => keccak_256(utf8ToBytes(text))

const typeHashes = new Map<keyof typeof STRUCTS, Uint8Array>()

function typeHash(struct: keyof typeof STRUCTS): Uint8Array {
  const known = typeHashes.get(struct)
  if (known !== undefined) return known
  const made = keccakText(STRUCTS[struct])
  typeHashes.set(struct, made)
  return made
}

/** The id of an operator set in the log contract: keccak256(abi.encode(avs, uint32)). */
export function operatorSetKey(domain: Pick<Domain, 'avs' | 'operatorSetId'>): Hash32 {
  return toHex(keccak_256(concatBytes(addressWord(domain.avs), numberWord(domain.operatorSetId))))
}

/** EIP-712 domain separator; the set's id is the salt. */
export function domainSeparator(domain: Domain): Uint8Array {
  const known = separators.get(domain)
  if (known !== undefined) return known
  const made = keccak_256(
    concatBytes(
      keccakText(DOMAIN_TYPE),
      keccakText('eigenx-tee'),
      keccakText('1'),
      numberWord(domain.chainId),
      addressWord(domain.epochLog),
      hashWord(operatorSetKey(domain)),
    ),
  )
  separators.set(domain, made)
  return made
}

/** A process has one domain or a few, and hashes thousands of messages under it. */
const separators = new WeakMap<Domain, Uint8Array>()

/**
 * @param fields - One 32-byte word per field of the struct, in its order.
 * @returns The 66 bytes 0x19 0x01 || domain separator || struct hash. Their keccak256 is the EIP-712 digest that is signed; signing services
 * that hash what they are given take the bytes themselves.
 */
export function typedStatement(
  domain: Domain,
  struct: keyof typeof STRUCTS,
  fields: readonly Uint8Array[],
): Uint8Array {
  const structHash = keccak_256(concatBytes(typeHash(struct), ...fields))
  return concatBytes(STATEMENT_PREFIX, domainSeparator(domain), structHash)
}

/**
 * The EIP-712 digest of a statement.
 * @throws RangeError for bytes that are no statement: neither a transaction nor a bare hash is ever signed in its place.
 */
export function statementDigest(statement: Uint8Array): Uint8Array {
  if (
    statement.length !== STATEMENT_BYTES ||
    !equalBytes(statement.subarray(0, 2), STATEMENT_PREFIX)
  )
    throw new RangeError('not an EIP-712 statement')
  return keccak_256(statement)
}

/**
 * @param signature - r || s || v, low s, v 27 or 28.
 * @returns The address of the key that made it; `undefined` for any other bytes.
 */
export function recoverSigner(digest: Uint8Array, signature: Uint8Array): Address | undefined {
  const v = signature[64]
  if (signature.length !== 65 || (v !== 27 && v !== 28)) return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
    if (parsed.hasHighS()) return undefined
    const key = parsed.addRecoveryBit(v - 27).recoverPublicKey(digest)
    return toHex(keccak_256(key.toBytes(false).subarray(1)).subarray(12))
  } catch {
    return undefined
  }
}

/**
 * True when the operator's registered key signed the statement: r || s || v of a secp256k1 key, or x || y in G1 of a BN254 key.
 * Remembers what it found true: an epoch shows a node most signatures again, in setups, bodies and twice in the log's certificates.
 */
export function isSignedBy(
  { signingKey }: Pick<OperatorInfo, 'signingKey'>,
  statement: Uint8Array,
  signature: Uint8Array,
): boolean {
  const digest = statementDigest(statement)
  const key = signingKey.curve === 'bn254' ? signingKey.g2 : signingKey.address.toLowerCase()
  const name = `${key}/${bytesToHex(digest)}/${bytesToHex(signature)}`
  if (proven.has(name)) return true
  if (!provesSigner(signingKey, digest, signature)) return false
  const [oldest] = proven
  if (proven.size >= MAX_PROVEN && oldest !== undefined) proven.delete(oldest)
  proven.add(name)
  return true
}

/** Members' true signatures only, so strangers cannot fill it: some epochs of a large set, about half a kilobyte each. */
const MAX_PROVEN = 2048
const proven = new Set<string>()

function provesSigner(
  signingKey: OperatorInfo['signingKey'],
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signingKey.curve === 'bn254') return verifyBn254(signingKey, digest, signature)
  const signer = recoverSigner(digest, signature)
  return signer !== undefined && equalBytes(addressBytes(signer), addressBytes(signingKey.address))
}

/** Signs with a secp256k1 key held in memory. @returns r || s || v. */
export function signStatement(privateKey: Uint8Array, statement: Uint8Array): Uint8Array {
  const digest = statementDigest(statement)
  const recovered = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' })
  // noble puts the recovery bit first; Ethereum puts v last.
  return concatBytes(recovered.subarray(1), Uint8Array.of(27 + (recovered[0] as number)))
}
