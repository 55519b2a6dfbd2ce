/**
 * What an operator keeps across restarts, as an interface: a head record, secrets and public blobs.
 *
 * - `commit` applies a list of writes atomically and returns only when they are durable. There is
 *   no other way to write, so "persist before promise" is one call before one send.
 * - The head is one record: everything the protocol knows beside secrets and bodies.
 * - Secrets are sealed before they reach the medium (`seal.ts`); blobs are public and named by
 *   their SHA-256, which is checked again on every read.
 * - A record that does not open, parse or hash is STORE_CORRUPT: the process must stop, because a node that goes
 *   on from half a memory may deal twice or serve a wrong share.
 *
 * What this cannot detect is a whole store put back to an older copy. That is harmless for safety: the chain log decides
 * what is current, the shares of the log's winner are rebuilt from public bodies and the encryption key, and a dealing
 * repeated with another seed is ignored by everybody who holds the first. Only erasure suffers: restore no old copies.
 * @module
 */
import type { Hash32 } from '../../sdk/chain/types.ts'

/**
 * `encryption-key` is filed under epoch 0 with its sequence number as id, a share under its output's hash, the share of an older
 * operator set's key (`imported-share`) under epoch 0 and an empty id, an `operator-set` under epoch 0 and its block's hash: public, but not for
 * others to change.
 */
export type SecretName = {
  kind: 'encryption-key' | 'dealer-seed' | 'share' | 'imported-share' | 'operator-set'
  epoch: number
  id: string
}

export type Write =
  | { type: 'setHead'; head: Uint8Array }
  | { type: 'putSecret'; name: SecretName; value: Uint8Array }
  | { type: 'eraseSecret'; name: SecretName }
  | { type: 'putBlob'; bytes: Uint8Array }
  | { type: 'deleteBlob'; hash: Hash32 }

/** All calls reject with STORE_UNAVAILABLE (medium) or STORE_CORRUPT (content). */
export type Store = {
  /** All of the writes or none of them, durable on return. An empty list is allowed. */
  commit(writes: readonly Write[]): Promise<void>
  head(): Promise<Uint8Array | undefined>
  secret(name: SecretName): Promise<Uint8Array | undefined>
  secretNames(kind: SecretName['kind']): Promise<readonly SecretName[]>
  blob(hash: Hash32): Promise<Uint8Array | undefined>
  blobHashes(): Promise<readonly Hash32[]>
  close(): Promise<void>
}
