/**
 * The encryption keys of the other operators: asking for them, passing them on, and holding them against setups that name older ones.
 *
 * Whoever proposes must not be able to leave a member out or to name its lost key, so what a node knows counts against a setup. But a member can
 * sign a newer record for one node at a time. If each counted at once, no honest proposer would know the newest, and all its setups would
 * be refused. So a record that replaces another goes on to everybody, and counts only after it had time to get there: until then the one that
 * it replaced does, and none before. Old records stay signed for ever, and their operator may have erased what opens shares under them.
 * @module
 */
import { equalBytes } from '../../sdk/bytes.ts'
import type { Address, OperatorInfo } from '../../sdk/chain/types.ts'
import { lastWinner } from '../../sdk/protocol/log.ts'
import {
  type EncryptionKeyRecord,
  encodeEncryptionKey,
  isAbsent,
  isEncryptionKeyOf,
  operatorsByAddress,
  parseEncryptionKey,
  type Setup,
} from '../../sdk/protocol/terms.ts'
import type { Lookup } from './context.ts'
import type { PushResult } from './ports.ts'
import type { Millis } from './state.ts'

/** A verified record of another operator. */
export type KnownKey = EncryptionKeyRecord & {
  heardAt: Millis
  /** The newest record that counted when this one came; itself where it was the first. */
  floor: Floor
}

type Floor = Pick<EncryptionKeyRecord, 'sequence' | 'encryptionKey'>

/** What a record may take from the first that has it to a proposer, and a proposal made without it from there to us. */
const PASSING_ON_MS = 30_000

/** Asks all other operators for their encryption keys, and passes on what is new about those that are known. */
export async function learnEncryptionKeys(lookup: Lookup): Promise<void> {
  const { deps } = lookup.runtime
  const others = otherOperators(lookup)
  // An operator that registered another signing key has to sign its record anew: nobody takes a setup with the old one.
  for (const [address, peer] of operatorsByAddress(others)) {
    const known = lookup.peerKeys.get(address)
    if (known !== undefined && !isEncryptionKeyOf(deps.domain, peer, known))
      lookup.peerKeys.delete(address)
  }
  const news = await Promise.allSettled(others.map((peer) => learnEncryptionKey(lookup, peer)))
  for (const answer of news)
    if (answer.status === 'fulfilled' && answer.value !== undefined)
      passOn(lookup, [answer.value], others)
}

/** @returns The record when it replaced another. */
async function learnEncryptionKey(
  lookup: Lookup,
  peer: OperatorInfo,
): Promise<EncryptionKeyRecord | undefined> {
  const bytes = await lookup.runtime.deps.peers.fetchEncryptionKey(peer)
  if (bytes === undefined) return undefined
  const record = parseEncryptionKey(bytes)
  const isKnown = lookup.peerKeys.has(record.operator)
  return takeRecord(lookup, peer, record) && isKnown ? record : undefined
}

/** A record that another operator passes on. @throws PEER_UNAUTHENTICATED */
export function receiveEncryptionKey(lookup: Lookup, bytes: Uint8Array): PushResult {
  const record = parseEncryptionKey(bytes)
  const peer = operatorsByAddress(otherOperators(lookup)).get(record.operator)
  if (peer === undefined) return 'refused'
  takeRecord(lookup, peer, record)
  return 'accepted'
}

/** Keeps a record that is newer than the known one. @returns Whether it is, and good. */
function takeRecord(lookup: Lookup, peer: OperatorInfo, record: EncryptionKeyRecord): boolean {
  const { deps } = lookup.runtime
  const known = lookup.peerKeys.get(record.operator)
  if (known !== undefined && known.sequence >= record.sequence) return false
  if (!isEncryptionKeyOf(deps.domain, peer, record)) return false
  lookup.peerKeys.set(record.operator, replacing(lookup, known, record))
  return true
}

function replacing(
  lookup: Lookup,
  known: KnownKey | undefined,
  record: EncryptionKeyRecord,
): KnownKey {
  const heardAt = lookup.runtime.deps.clock()
  const { sequence, encryptionKey } = known === undefined ? record : oldestOf(lookup, known)
  return { ...record, heardAt, floor: { sequence, encryptionKey } }
}

/** The oldest record that a setup may name for this operator. */
function oldestOf({ runtime }: Lookup, known: KnownKey): Floor {
  const now = runtime.deps.clock()
  // A clock that was set back must not make it news for as long.
  const isNews = now >= known.heardAt && now < known.heardAt + PASSING_ON_MS
  if (!isNews) return known
  // Once an output deals to another key than before, its operator may erase the one before.
  const dealtTo = lastWinner(runtime.state().log)?.output.members.find(
    ({ address }) => address === known.operator,
  )?.encryptionKey
  const isInUse =
    dealtTo !== undefined &&
    equalBytes(dealtTo, known.encryptionKey) &&
    !equalBytes(dealtTo, known.floor.encryptionKey)
  return isInUse ? known : known.floor
}

/** Nobody waits for it: who misses it is told again when it proposes an older one. */
export function passOn(
  { runtime }: Lookup,
  records: readonly EncryptionKeyRecord[],
  receivers: readonly OperatorInfo[],
): void {
  const { peers } = runtime.deps
  for (const record of records) {
    const message = encodeEncryptionKey(record)
    for (const peer of receivers)
      if (peer.address.toLowerCase() !== record.operator)
        peers.push(peer, message).catch(() => undefined)
  }
}

/** The records for which a setup is refused: it leaves their operator out, or names an older key of it. */
export function missingFrom(lookup: Lookup, { terms, records }: Setup): readonly KnownKey[] {
  return terms.members.flatMap((member, i) => {
    const known = lookup.peerKeys.get(member.address)
    if (known === undefined) return []
    const isTooOld = (records[i]?.sequence ?? 0) < oldestOf(lookup, known).sequence
    return isAbsent(member) || isTooOld ? [known] : []
  })
}

/** Of two records with one number, signed by a member that plays with us, the one that is dealt to counts. */
export function learnFromSetup(lookup: Lookup, { terms, records }: Setup): void {
  terms.members.forEach(({ address, encryptionKey }, i) => {
    const signed = records[i]
    if (signed === undefined || signed.signature.length === 0) return
    const record = { operator: address, encryptionKey, ...signed }
    const known = lookup.peerKeys.get(address)
    if (known === undefined || record.sequence > known.sequence)
      lookup.peerKeys.set(address, replacing(lookup, known, record))
    else if (record.sequence === known.sequence)
      lookup.peerKeys.set(address, { ...record, heardAt: known.heardAt, floor: known.floor })
  })
}

export function isStranger(lookup: Lookup, address: Address): boolean {
  return address !== lookup.runtime.self.operator && !lookup.peerKeys.has(address)
}

function otherOperators({ runtime }: Lookup): readonly OperatorInfo[] {
  const { operators } = runtime.view().operators ?? { operators: [] }
  return operators.filter((peer) => peer.address.toLowerCase() !== runtime.self.operator)
}
