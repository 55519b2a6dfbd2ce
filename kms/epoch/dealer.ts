/**
 * Opening a session and dealing in it: the effects of one who gives shares.
 * @module
 */
import type { Address, Hash32, OperatorSet } from '../../sdk/chain/types.ts'
import { parseScalar, thresholdOf } from '../../sdk/crypto/bls.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { blobHash, dealingStatement, encodeDealing } from '../../sdk/protocol/dealing.ts'
import {
  type EncryptionKeyRecord,
  encodeSetup,
  isEncryptionKeyOf,
  isGenesis,
  NO_ENCRYPTION_KEY,
  operatorsByAddress,
  setupStatement,
  sidOf,
} from '../../sdk/protocol/terms.ts'
import type { Terms } from '../../sdk/protocol/types.ts'
import type { SecretName } from '../store/store.ts'
import type { Lookup } from './context.ts'
import { type DealInput, makeDealing, SEED_BYTES } from './deal.ts'
import { learnEncryptionKeys } from './peer-keys.ts'
import { comingMembers, type Session } from './state.ts'

export async function proposeSetup(
  lookup: Lookup,
  { epoch, prev }: Pick<Terms, 'epoch' | 'prev'>,
): Promise<boolean> {
  const { runtime } = lookup
  const { deps, self } = runtime
  await learnEncryptionKeys(lookup)
  // One view for all: the others judge members and leaves by the set that the terms name.
  const view = runtime.view()
  const { operators: set, leaves } = view
  if (set === undefined) return false
  const records = recordsFor(lookup, set, comingMembers(view))
  const present = records.filter(({ record }) => record !== undefined).length
  const opened = runtime.state().opened?.at ?? 0
  const patient = deps.clock() < opened + self.options.patienceMs
  const threshold = thresholdOf(records.length)
  if (present < (patient ? records.length : threshold))
    throw new EigenxError({
      code: 'QUORUM_NOT_REACHED',
      message: 'Too few operators have announced an encryption key.',
      stage: 'protocol',
      details: { needed: threshold, got: present, refusals: [] },
    })
  const terms: Terms = {
    epoch,
    prev,
    configBlock: set.block,
    leaves,
    members: records.map(({ address, record }) => ({
      address,
      encryptionKey: record?.encryptionKey ?? NO_ENCRYPTION_KEY,
    })),
    threshold,
  }
  const signature = await deps.signer.sign(setupStatement(deps.domain, terms, self.operator))
  const setup = encodeSetup({
    terms,
    records: records.map(({ record }) => ({
      sequence: record?.sequence ?? 0,
      signature: record?.signature ?? new Uint8Array(0),
    })),
    proposer: self.operator,
    signature,
  })
  const sid = sidOf(deps.domain, terms)
  const verdict = await runtime.apply(
    [{ type: 'setup', sid, terms, proposer: self.operator, setup: blobHash(setup) }],
    [{ type: 'putBlob', bytes: setup }],
  )
  if (verdict === 'valid') lookup.begun.set(sid, terms.epoch)
  return verdict === 'valid'
}

/** The newest record of each member that the others will let pass; one that they would refuse would cost everybody the epoch. */
function recordsFor(
  { runtime, keys, peerKeys }: Lookup,
  { operators }: OperatorSet,
  members: readonly Address[],
): readonly { address: Address; record: EncryptionKeyRecord | undefined }[] {
  const { deps, self } = runtime
  const byAddress = operatorsByAddress(operators)
  return members.map((address) => {
    const operator = byAddress.get(address)
    const record = address === self.operator ? keys.record : peerKeys.get(address)
    const passes =
      operator !== undefined &&
      record !== undefined &&
      isEncryptionKeyOf(deps.domain, operator, record)
    return { address, record: passes ? record : undefined }
  })
}

export async function deal(lookup: Lookup, session: Session): Promise<boolean> {
  const { runtime } = lookup
  const { deps, self } = runtime
  const { terms, sid } = session
  const imported = runtime.imported?.root === terms.prev ? runtime.imported : undefined
  const currentShare = isGenesis(terms)
    ? undefined
    : (imported?.share ?? (await shareOf(lookup, terms.prev)))
  const input: DealInput = {
    domain: deps.domain,
    terms,
    dealer: self.operator,
    seed: await dealerSeed(lookup, terms.epoch),
    ...(currentShare === undefined ? {} : { currentShare }),
    imported: imported !== undefined,
  }
  const unsigned = await makeDealing(input, deps.pause)
  const signature = await deps.signer.sign(dealingStatement(deps.domain, unsigned))
  const bytes = encodeDealing({ ...unsigned, signature })
  const dealing = { dealer: self.operator, hash: blobHash(bytes) }
  const verdict = await runtime.apply(
    [{ type: 'session', sid, event: { type: 'dealing', dealing } }],
    [{ type: 'putBlob', bytes }],
  )
  return verdict === 'valid'
}

async function dealerSeed(lookup: Lookup, epoch: number): Promise<Uint8Array> {
  const { store, rng } = lookup.runtime.deps
  const name: SecretName = { kind: 'dealer-seed', epoch, id: '' }
  const known = await store.secret(name)
  if (known !== undefined) return known
  const value = rng(SEED_BYTES)
  await store.commit([{ type: 'putSecret', name, value }])
  return value
}

/** This node's share of an output. @throws KEY_SHARE_MISSING, STORE_CORRUPT */
export async function shareOf(lookup: Lookup, output: Hash32): Promise<bigint> {
  const { runtime } = lookup
  const record = runtime.state().shares.find((share) => share.output === output)
  if (record?.status !== 'held')
    throw new EigenxError({
      code: 'KEY_SHARE_MISSING',
      message: 'This operator does not hold the share that it should deal.',
      stage: 'key',
      details: { version: 0 },
    })
  const bytes = await runtime.deps.store.secret({ kind: 'share', epoch: record.epoch, id: output })
  if (bytes !== undefined) return parseScalar(bytes)
  throw new EigenxError({
    code: 'STORE_CORRUPT',
    message: 'A share that the head record names is gone.',
    stage: 'store',
    details: { record: 'share' },
  })
}
