/**
 * The public artefacts of the epoch protocol (DESIGN 5): what a helper needs to trust a master
 * public key and to name a bad partial, and what operators exchange.
 * @module
 */
import type { Address, Hash32 } from '../chain/types.ts'

/** Separates every signature and hash of one operator set from all others. */
export type Domain = {
  chainId: number
  /** Address of the EpochLog contract. */
  epochLog: Address
  avs: Address
  operatorSetId: number
}

/** One member of an epoch's configuration. */
export type Member = {
  address: Address
  /** ristretto255 point, 32 bytes: shares for this member are encrypted to it. */
  encryptionKey: Uint8Array
}

/** The result of one epoch: what a certificate signs and what the log orders. */
export type Output = {
  epoch: number
  /** Hash of the output this one follows; 32 zero bytes for genesis. */
  prev: Hash32
  /** Session id: hash of domain, epoch, configuration and prev. */
  sid: Hash32
  /** Dealings used, sorted by dealer. */
  dealings: readonly { dealer: Address; hash: Hash32 }[]
  threshold: number
  /** Every member of the new set with its public share x_j·G2 (96 bytes), sorted by address. */
  shares: readonly { operator: Address; publicShare: Uint8Array }[]
  /** Compressed G2, 96 bytes. */
  mpk: Uint8Array
  /** Unix seconds; also the key version that clients see. */
  activateAt: number
}

/** At least `threshold` signatures of members of the new set over the output's hash. */
export type Certificate = {
  signatures: readonly { operator: Address; signature: Uint8Array }[]
}

/** An output whose certificate was verified against the operators' registered keys. */
export type CertifiedOutput = { output: Output; hash: Hash32 }
