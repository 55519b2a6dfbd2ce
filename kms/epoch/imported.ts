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
  operatorX,
  parseG2,
  parseScalar,
  type Rng,
  randomScalar,
  serializeG2,
  serializeScalar,
} from '../../sdk/crypto/bls.ts'
import { lagrangeAtZero } from '../../sdk/crypto/shamir.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { importRoot } from '../../sdk/protocol/terms.ts'
import type { SecretName, Store, Write } from '../store/store.ts'
import { msmInPieces, type OpenedDealing } from './verify.ts'

export type ImportedShare = {
  /** This operator's share of the old set's key: secret. */
  share: bigint
  mpk: Uint8Array
  /** The `prev` of the first epoch. */
  root: Hash32
}

const NAME: SecretName = { kind: 'imported-share', epoch: 0, id: '' }
const SCALAR_BYTES = 32
/** Selections of dealings that are tried: three wrong shares of thirty are missed once in three million times. A later attempt draws others. */
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
 * The dealings whose constants are shares of the key that `root` names.
 *
 * One wrong share among them hides which one it is. So selections of just as many as are needed are tried until one has the key, and each of the others
 * then shows by standing in for one of it. With w wrong shares of n, C(n-w, needed) of the C(n, needed) selections have it.
 * @param needed - Dealings that an output needs at least.
 * @returns In their order; `undefined` when no selection tried has the key.
 */
export async function consistentDealings(
  { rng, pause }: { rng: Rng; pause(): Promise<void> },
  opened: readonly OpenedDealing[],
  needed: number,
  root: Hash32,
): Promise<readonly OpenedDealing[] | undefined> {
  if (opened.length < needed) return undefined
  if ((await keyRootOf(pause, opened)) === root) return opened
  for (const found of selections(opened, needed, rng)) {
    await pause()
    if ((await keyRootOf(pause, found)) !== root) continue
    const fitting = new Set(found)
    for (const other of opened.filter((dealing) => !found.includes(dealing))) {
      await pause()
      if ((await keyRootOf(pause, [...found.slice(1), other])) === root) fitting.add(other)
    }
    return opened.filter((dealing) => fitting.has(dealing))
  }
  return undefined
}

/** All of so many, or as many drawn ones as are tried where all are too many. */
function* selections<T>(items: readonly T[], count: number, rng: Rng): Generator<readonly T[]> {
  if (binomial(items.length, count) <= MAX_TRIES) yield* combinations(items, count)
  else for (let tries = 0; tries < MAX_TRIES; tries++) yield draw(items, count, rng)
}

function* combinations<T>(items: readonly T[], count: number): Generator<readonly T[]> {
  if (count === 0) return yield []
  for (let first = 0; first + count <= items.length; first++)
    for (const rest of combinations(items.slice(first + 1), count - 1))
      yield [items[first] as T, ...rest]
}

function draw<T>(items: readonly T[], count: number, rng: Rng): readonly T[] {
  const left = [...items]
  return Array.from({ length: count }, () => {
    const at = Number(randomScalar(rng) % BigInt(left.length))
    return left.splice(at, 1)[0] as T
  })
}

function binomial(n: number, k: number): number {
  let ways = 1
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i
  return ways
}

async function keyRootOf(
  pause: () => Promise<void>,
  opened: readonly OpenedDealing[],
): Promise<Hash32 | undefined> {
  const constants = opened.flatMap(({ points }) => points.slice(0, 1))
  if (constants.length !== opened.length || opened.length === 0) return undefined
  const weights = lagrangeAtZero(opened.map(({ dealer }) => operatorX(dealer)))
  return importRoot(serializeG2(await msmInPieces({ pause }, constants, weights)))
}
