/**
 * The public artefacts of the epoch protocol (docs/protocol.md, Epochs): what a helper needs to trust a master
 * public key and to name a bad partial, and what operators exchange.
 * @module
 */
import type { Address, BlockRef, Hash32 } from '../chain/types.ts'

/** Separates every signature and hash of one operator set from all others. */
export type Domain = {
  readonly chainId: number
  /** Address of the EpochLog contract. */
  readonly epochLog: Address
  readonly avs: Address
  readonly operatorSetId: number
}

/** One member of an epoch's configuration. */
export type Member = {
  address: Address
  /** ristretto255 point, 32 bytes: shares for this member are encrypted to it. */
  encryptionKey: Uint8Array
}

/** "Deal me out": an operator's signed wish to be no member of coming epochs. */
export type Leave = {
  operator: Address
  /** Unix seconds: counts for config blocks up to this time. */
  notAfter: number
  signature: Uint8Array
}

/**
 * The configuration of one epoch. Its hash, the session id, is in every message of the epoch, so
 * two nodes that disagree on any field here simply do not hear each other.
 */
export type Terms = {
  epoch: number
  /** Hash of the output this epoch follows; zero for genesis, `importRoot` for the import of an older set's key. */
  prev: Hash32
  /** The final block whose operator set the members are. */
  configBlock: BlockRef
  /** Operators of the set that leave, sorted by address: they are no members. */
  leaves: readonly Leave[]
  /** Sorted by address bytes: the set without those that leave. */
  members: readonly Member[]
  /** Shares needed to use the new key: ceil(2n/3). */
  threshold: number
}

/** The result of one epoch: what a certificate signs and what the log orders. */
export type Output = Terms & {
  /** Dealings used, sorted by dealer. */
  dealings: readonly { dealer: Address; hash: Hash32 }[]
  /** Public share x_j·G2 (96 bytes) of each member, in the order of `members`. */
  publicShares: readonly Uint8Array[]
  /** Compressed G2, 96 bytes. */
  mpk: Uint8Array
  /** Unix seconds: an entry in a later block does not count. */
  postBy: number
  /** Unix seconds: a valid complaint in a block up to here voids the entry. */
  vetoBy: number
  /** Unix seconds; also the key version that clients see. */
  activateAt: number
}

/** At least `threshold` signatures of members over the output's hash, sorted by operator. */
export type Certificate = {
  signatures: readonly { operator: Address; signature: Uint8Array }[]
}

/** An output whose certificate was verified against the operators' registered keys. */
export type CertifiedOutput = { output: Output; hash: Hash32; certificate: Certificate }

/** Where an event stands in the chain. */
export type LogPosition = { block: BlockRef; logIndex: number }

/** One `EntryPosted` event, undecoded: nothing in it has been verified. */
export type LogEntry = LogPosition & {
  epoch: number
  prev: Hash32
  outputHash: Hash32
  poster: Address
  /** A certified body (`sdk/protocol/output.ts`). */
  body: Uint8Array
}

/** One `ComplaintPosted` event, undecoded. */
export type LogComplaint = LogPosition & {
  epoch: number
  poster: Address
  /** A complaint with the dealing it accuses (`sdk/protocol/complaint.ts`). */
  body: Uint8Array
}

/**
 * The log as one provider quorum saw it at one head: complete from `fromBlock` to `latest`, each list in
 * chain order (block number, then log index). What lies in blocks up to `finalized` is final.
 */
export type LogSnapshot = {
  fromBlock: bigint
  finalized: BlockRef
  latest: BlockRef
  entries: readonly LogEntry[]
  complaints: readonly LogComplaint[]
}
