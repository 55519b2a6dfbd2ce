/**
 * This operator's encryption keys: loading, announcing, rotating, forgetting.
 *
 * Shares travel in public bodies, so whoever gets hold of an encryption key later can open all that was dealt to it. Therefore the key is
 * replaced from time to time, and an old one is erased as soon as nothing names it: no open session, no output that is kept or may still
 * win, and the newest settled output deals to its successor.
 *
 * The sequence number of a key is the Unix time at which it was made, so an operator that lost its disk announces a newer key than the lost one
 * without remembering anything. Where that is not enough (an old copy of the disk was put back, or the clock was wrong) the others' setups
 * name the key that is gone, and the operator makes one with a higher number.
 * @module
 */
import { equalBytes, type Hex, toHex } from '../../sdk/bytes.ts'
import type { Address } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import type { LogState } from '../../sdk/protocol/log.ts'
import {
  parseRistrettoScalar,
  randomRistrettoScalar,
  ristrettoPublicKey,
  serializeRistrettoScalar,
} from '../../sdk/protocol/ristretto.ts'
import {
  type EncryptionKeyRecord,
  encodeEncryptionKey,
  encryptionKeyStatement,
} from '../../sdk/protocol/terms.ts'
import type { Member, Output } from '../../sdk/protocol/types.ts'
import type { SecretName, Store } from '../store/store.ts'
import type { EpochDeps } from './runtime.ts'
import { isSettled, type NodeState } from './state.ts'

export type EncryptionKeys = {
  /** By the hex of the public key. Secret. */
  secrets: ReadonlyMap<Hex, { secret: bigint; sequence: number }>
  /** The announced one, signed. */
  record: EncryptionKeyRecord
  recordBytes: Uint8Array
}

type KeyDeps = Pick<EpochDeps, 'store' | 'signer' | 'domain' | 'rng' | 'clock'>

export function encryptionKeyName(sequence: number): SecretName {
  return { kind: 'encryption-key', epoch: 0, id: String(sequence) }
}

/** Loads the keys; makes and stores the first. @throws STORE_CORRUPT, STORE_UNAVAILABLE */
export async function loadEncryptionKeys(deps: KeyDeps): Promise<EncryptionKeys> {
  const secrets = new Map<Hex, { secret: bigint; sequence: number }>()
  for (const name of await deps.store.secretNames('encryption-key')) {
    const secret = await readScalar(deps.store, name)
    secrets.set(toHex(ristrettoPublicKey(secret)), { secret, sequence: Number(name.id) })
  }
  if (secrets.size === 0) return addKey(deps, secrets)
  return announce(deps, secrets)
}

/**
 * The keys with a new one beside them, which is stored before anybody hears of it.
 * @param after - A sequence number that the new one's must exceed.
 */
export async function rotateEncryptionKey(
  deps: KeyDeps,
  keys: EncryptionKeys,
  after: number,
): Promise<EncryptionKeys> {
  return addKey(deps, keys.secrets, after)
}

async function addKey(
  deps: KeyDeps,
  known: EncryptionKeys['secrets'],
  after = 0,
): Promise<EncryptionKeys> {
  const secret = randomRistrettoScalar(deps.rng)
  const newest = Math.max(after, ...[...known.values()].map((key) => key.sequence))
  const sequence = Math.max(newest + 1, Math.floor(deps.clock() / 1000))
  const secrets = new Map(known).set(toHex(ristrettoPublicKey(secret)), { secret, sequence })
  const keys = await announce(deps, secrets)
  const value = serializeRistrettoScalar(secret)
  await deps.store.commit([{ type: 'putSecret', name: encryptionKeyName(sequence), value }])
  return keys
}

/** Erases keys that {@link retiredKeys} names. */
export async function eraseEncryptionKeys(
  deps: KeyDeps,
  keys: EncryptionKeys,
  retired: readonly Hex[],
): Promise<EncryptionKeys> {
  const secrets = new Map(keys.secrets)
  for (const publicKey of retired) secrets.delete(publicKey)
  await deps.store.commit(
    retired.flatMap((publicKey) => {
      const key = keys.secrets.get(publicKey)
      return key === undefined
        ? []
        : [{ type: 'eraseSecret' as const, name: encryptionKeyName(key.sequence) }]
    }),
  )
  return { ...keys, secrets }
}

async function announce(
  deps: KeyDeps,
  secrets: EncryptionKeys['secrets'],
): Promise<EncryptionKeys> {
  const [newest] = [...secrets.values()].sort((a, b) => b.sequence - a.sequence)
  if (newest === undefined) throw new RangeError('no key to announce')
  const unsigned = {
    operator: deps.signer.operator,
    encryptionKey: ristrettoPublicKey(newest.secret),
    sequence: newest.sequence,
  }
  const signature = await deps.signer.sign(encryptionKeyStatement(deps.domain, unsigned))
  const record = { ...unsigned, signature }
  return { secrets, record, recordBytes: encodeEncryptionKey(record) }
}

/**
 * Whether it is time for a new key: the announced one is old enough and in use, so that at most one key waits for its first epoch.
 * @param now - Unix milliseconds.
 */
export function isRotationDue(
  keys: Pick<EncryptionKeys, 'record'>,
  state: NodeState,
  rotationSeconds: number,
  now: number,
): boolean {
  if (rotationSeconds === 0) return false
  const settled = lastSettled(state)
  const { operator, encryptionKey, sequence } = keys.record
  return (
    settled !== undefined &&
    keyOf(settled.members, operator, encryptionKey) &&
    now / 1000 >= sequence + rotationSeconds
  )
}

/** Public keys (hex) whose secrets nothing needs any more. */
export function retiredKeys(
  keys: EncryptionKeys,
  state: NodeState,
  pending: LogState,
): readonly Hex[] {
  const { operator, encryptionKey } = keys.record
  const settled = lastSettled(state)
  if (settled === undefined || !keyOf(settled.members, operator, encryptionKey)) return []
  const named = [
    ...state.sessions.map((session) => session.terms),
    ...state.log.winners.map((winner) => winner.output),
    ...pending.winners.map((winner) => winner.output),
  ].flatMap((terms) => terms.members.filter((member) => member.address === operator))
  const needed = new Set(named.map((member) => toHex(member.encryptionKey)))
  return [...keys.secrets.keys()].filter(
    (publicKey) => publicKey !== toHex(encryptionKey) && !needed.has(publicKey),
  )
}

function lastSettled(state: NodeState): Output | undefined {
  return state.log.winners.findLast((winner) => isSettled(winner, state))?.output
}

function keyOf(members: readonly Member[], operator: Address, key: Uint8Array): boolean {
  const member = members.find((other) => other.address === operator)
  return member !== undefined && equalBytes(member.encryptionKey, key)
}

async function readScalar(store: Store, name: SecretName): Promise<bigint> {
  const bytes = await store.secret(name)
  const secret = bytes === undefined ? undefined : parseRistrettoScalar(bytes)
  if (secret !== undefined && /^[1-9]\d{0,15}$/.test(name.id)) return secret
  throw new EigenxError({
    code: 'STORE_CORRUPT',
    message: 'The stored encryption key is not one.',
    stage: 'store',
    details: { record: 'encryption-key' },
  })
}
