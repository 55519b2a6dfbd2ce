/**
 * Taking over the key of an older operator set (DESIGN 5.6): its members bring the shares that they exported.
 *
 * The first epoch of the log then is a reshare without a predecessor in it: each dealer's constant term is its imported share with a proof of
 * knowledge, and weighted with the Lagrange coefficients of the dealers the constants must add up to the master public key
 * that the session's `prev` names. With a wrong share among them they do not, whatever else fits. So one epoch both
 * checks the old shares and replaces them.
 * @module
 */
import { concatBytes } from '../../sdk/bytes.ts'
import type { Hash32 } from '../../sdk/chain/types.ts'
import {
  G2_BYTES,
  g2Msm,
  operatorX,
  parseG2,
  parseScalar,
  serializeG2,
  serializeScalar,
} from '../../sdk/crypto/bls.ts'
import { lagrangeAtZero } from '../../sdk/crypto/shamir.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { importRoot } from '../../sdk/protocol/terms.ts'
import type { SecretName, Store, Write } from '../store/store.ts'
import type { OpenedDealing } from './verify.ts'

export type ImportedShare = {
  /** This operator's share of the old set's key: secret. */
  share: bigint
  mpk: Uint8Array
  /** The `prev` of the first epoch. */
  root: Hash32
}

const NAME: SecretName = { kind: 'imported-share', epoch: 0, id: '' }
const SCALAR_BYTES = 32
/** Subsets of dealings that are tried: enough for two wrong shares in a set of thirty. */
const MAX_TRIES = 500

export function importedShareWrite(share: bigint, mpk: Uint8Array): Write {
  return { type: 'putSecret', name: NAME, value: concatBytes(serializeScalar(share), mpk) }
}

export const FORGET_IMPORTED_SHARE: Write = { type: 'eraseSecret', name: NAME }

/** @throws STORE_CORRUPT, STORE_UNAVAILABLE */
export async function readImportedShare(store: Store): Promise<ImportedShare | undefined> {
  const bytes = await store.secret(NAME)
  if (bytes === undefined) return undefined
  try {
    if (bytes.length !== SCALAR_BYTES + G2_BYTES) throw new RangeError('length')
    const mpk = bytes.slice(SCALAR_BYTES)
    parseG2(mpk)
    return { share: parseScalar(bytes.subarray(0, SCALAR_BYTES)), mpk, root: importRoot(mpk) }
  } catch (cause) {
    if (!isEigenxError(cause) && !(cause instanceof RangeError)) throw cause
    throw new EigenxError({
      code: 'STORE_CORRUPT',
      message: 'The stored imported share is not one.',
      stage: 'store',
      details: { record: 'imported-share' },
      cause,
    })
  }
}

/**
 * The largest selection of dealings whose constants are shares of the key that `root` names.
 * @param needed - Dealings that an output needs at least.
 * @returns `undefined` when there is none among the selections tried.
 */
export function consistentDealings(
  opened: readonly OpenedDealing[],
  needed: number,
  root: Hash32,
): readonly OpenedDealing[] | undefined {
  let tries = 0
  for (let left = 0; opened.length - left >= needed; left++)
    for (const selection of without(opened, left)) {
      if (++tries > MAX_TRIES) return undefined
      if (keyRootOf(selection) === root) return selection
    }
  return undefined
}

/** All selections that leave out so many. */
function* without<T>(items: readonly T[], count: number, from = 0): Generator<readonly T[]> {
  if (count === 0) {
    yield items
    return
  }
  for (let i = from; i < items.length; i++)
    yield* without(
      items.filter((_, index) => index !== i),
      count - 1,
      i,
    )
}

function keyRootOf(opened: readonly OpenedDealing[]): Hash32 | undefined {
  const constants = opened.flatMap(({ points }) => points.slice(0, 1))
  if (constants.length !== opened.length || opened.length === 0) return undefined
  const weights = lagrangeAtZero(opened.map(({ dealer }) => operatorX(dealer)))
  return importRoot(serializeG2(g2Msm(constants, weights)))
}
