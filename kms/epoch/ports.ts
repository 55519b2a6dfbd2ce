/**
 * What the epoch protocol needs from the outside world. The protocol core is pure; the driver
 * (`driver.ts`) reaches chain, peers, signer and clock only through these records, so the same
 * driver runs over HTTP and anvil in production and over a simulated network in tests.
 *
 * Two demands on the chain that are easy to miss:
 * - `read` must be complete: an omitted entry makes this node follow another history.
 * - An entry activates only once a *final block's* timestamp lies past its veto window. A chain that
 *   mines only on transactions never gets there; development chains need a block interval.
 * @module
 */
import type { Address, BlockRef, Hash32, OperatorInfo, OperatorSet } from '../../sdk/chain/types.ts'
import type { LogSnapshot } from '../../sdk/protocol/types.ts'

/** Unix milliseconds. */
export type Clock = () => number

/** The append-only log contract. Rejections mean "not now": the driver tries again. */
export type EpochLogPort = {
  /** Everything the log of this operator set holds from `fromBlock` (inclusive) to the head. */
  read(fromBlock: bigint): Promise<LogSnapshot>
  /**
   * Posts a certified body. Called again after a crash or a reorg: an equal entry already in the
   * log is success. Resolves when the transaction is in a block.
   */
  post(entry: { epoch: number; prev: Hash32; outputHash: Hash32; body: Uint8Array }): Promise<void>
  complain(complaint: { epoch: number; body: Uint8Array }): Promise<void>
}

/** The operator set as the chain knows it. Rejects when the chain cannot be asked. */
export type MembershipPort = {
  /** The set at the newest final block. */
  current(): Promise<OperatorSet>
  /**
   * The set at that block. `undefined` when the chain has another block at that height, or the same with another timestamp, and when its
   * state holds no usable set: the contracts were not there yet, or a member without a key was. No certificate can be judged by such a
   * block, on any node. Rejects when the chain has no such height yet or its state cannot be had: what every node must judge alike
   * cannot be judged from that.
   */
  at(block: BlockRef): Promise<OperatorSet | undefined>
}

/**
 * `accepted`: the peer has stored it, or had it before. `later`: the peer does not know the session yet or is
 * busy; send again. `refused`: it will never take this message.
 */
export type PushResult = 'accepted' | 'later' | 'refused'

/**
 * Outgoing side of the transport. Messages are self-contained: signed, typed and bound to chain,
 * operator set and session, so the transport need not authenticate anybody. Every call has its own
 * timeout inside; a rejection means the peer could not be reached.
 */
export type PeerPort = {
  push(peer: OperatorInfo, message: Uint8Array): Promise<PushResult>
  /** Any peer serves any body; the caller re-hashes it. `undefined` when the peer lacks it. */
  fetchBlob(peer: OperatorInfo, hash: Hash32): Promise<Uint8Array | undefined>
  /** The peer's signed encryption-key record. */
  fetchEncryptionKey(peer: OperatorInfo): Promise<Uint8Array | undefined>
}

/** Incoming side: what the transport's routes call. Never throws on any bytes. */
export type PeerHandler = {
  receive(message: Uint8Array): Promise<PushResult>
  blob(hash: Hash32): Promise<Uint8Array | undefined>
  /** `undefined` until the node has started. */
  encryptionKey(): Promise<Uint8Array | undefined>
}

/** The operator's registered key; the key itself may live in a signing service. */
export type SignerPort = {
  /** The operator's address in the operator set (not necessarily the address of the key). */
  operator: Address
  /**
   * @param statement - The 66 bytes of an EIP-712 message; their keccak256 is signed.
   * @returns By the registered curve: r || s || v (65 bytes, low s, v 27 or 28), or a G1 point x || y (64 bytes).
   */
  sign(statement: Uint8Array): Promise<Uint8Array>
}

/** Where the driver tells what it did. Fields never hold secrets or peers' raw bytes. */
export type EpochReport = {
  level: 'debug' | 'info' | 'warn' | 'error'
  event: string
  epoch?: number
  detail?: Readonly<Record<string, string | number | boolean>>
}

/** Largest message a peer may push, in bytes: a certified output of the largest set fits several times. */
export const MAX_MESSAGE_BYTES = 65_536
/** Largest body served under its hash. */
export const MAX_BLOB_BYTES = 65_536
