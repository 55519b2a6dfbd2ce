/**
 * Recombines partial keys x_i·H1(appId) into the app key x·H1(appId), and names the partials that lie.
 *
 * With x = f(0) and deg f = t - 1, any t partials give x·H = Σ λ_i·(x_i·H)
 * (Boldyreva, PKC 2003). A partial σ_j is right iff e(σ_j, G2) = e(H, PK_j); the app key is
 * right iff e(key, G2) = e(H, MPK). Work: one check when all is well; when it fails, one check for each partial.
 * There is no search over subsets, so liars cost time linear in their number.
 * @module
 */
import type { Address } from '../chain/types.ts'
import { EigenxError, isEigenxError, type OperatorRefusal } from '../errors.ts'
import {
  type CurvePoint,
  checkSubgroup,
  decodeG1,
  type G1Point,
  G2_GENERATOR,
  type G2Point,
  g1Msm,
  hashToG1,
  negateG1,
  operatorX,
  pairingProductIsOne,
  parseG1,
  parsePublicKeyG2,
  serializeG1,
} from './bls.ts'
import { lagrangeAtZero } from './shamir.ts'

export type PartialKey = {
  operator: Address
  /** Compressed G1 point, 48 bytes, as the operator sent it. */
  partial: Uint8Array
}

export type BadPartial = { operator: Address; reason: string }

export type RecombineInput = {
  appId: string
  /** Compressed G2, 96 bytes: pinned, or from a verified certificate. */
  masterPublicKey: Uint8Array
  threshold: number
  /** x_j·G2 of every operator, from a verified output. Without them a bad partial cannot be told from a good one. */
  publicShares?: ReadonlyMap<Address, Uint8Array>
  /** Best first: the first `threshold` well-formed ones are tried before anything is checked. */
  partials: readonly PartialKey[]
}

export type Recombined = {
  /** x·H1(appId), compressed, 48 bytes: verified against the master public key. */
  appKey: Uint8Array
  used: Address[]
  bad: BadPartial[]
}

/** The point is on the curve; whether it is in the subgroup shows in the sum, or when it is judged. */
type Candidate = { operator: Address; point: CurvePoint }

/** Whether e(partial, G2) = e(H1(appId), publicShare). Malformed bytes are simply wrong. */
export function verifyPartial(input: {
  appId: string
  partial: Uint8Array
  publicShare: Uint8Array
}): boolean {
  try {
    return isKeyFor(
      parseG1(input.partial),
      hashToG1(input.appId),
      parsePublicKeyG2(input.publicShare),
    )
  } catch (error) {
    if (isEigenxError(error, 'POINT_INVALID')) return false
    throw error
  }
}

/**
 * @throws QUORUM_NOT_REACHED when fewer than `threshold` partials are good; its refusals name the bad ones.
 * @throws KEY_MISMATCH when no bad partial can be named and yet the key does not fit the master public key.
 * @throws POINT_INVALID when the master public key is no valid point.
 */
export function recombine(input: RecombineInput): Recombined {
  const { threshold } = input
  if (!Number.isSafeInteger(threshold) || threshold < 1)
    throw new RangeError('a threshold is at least 1')
  const masterPublicKey = parsePublicKeyG2(input.masterPublicKey)
  const hash = hashToG1(input.appId)
  const shares = input.publicShares && byLowerCase(input.publicShares)
  const { candidates, bad } = sortOut(input.partials, shares)
  if (candidates.length < threshold) throw quorumNotReached(threshold, candidates.length, bad)

  const first = candidates.slice(0, threshold)
  const firstKey = interpolate(first)
  if (firstKey && isKeyFor(firstKey, hash, masterPublicKey)) return answer(firstKey, first, bad)
  if (shares === undefined) throw keyMismatch()

  const good: Candidate[] = []
  for (const candidate of candidates) {
    const reason = judge(candidate, hash, shares)
    if (reason === undefined) good.push(candidate)
    else bad.push({ operator: candidate.operator, reason })
  }
  if (good.length < threshold) throw quorumNotReached(threshold, good.length, bad)
  const chosen = good.slice(0, threshold)
  const key = interpolate(chosen)
  // Every partial fits its public share and the sum does not fit the key: the table itself is wrong.
  if (!key || !isKeyFor(key, hash, masterPublicKey)) throw keyMismatch()
  return answer(key, chosen, bad)
}

/** Parses every partial. Only an operator's first answer counts, so nobody has two votes. */
function sortOut(
  partials: readonly PartialKey[],
  shares: ReadonlyMap<string, Uint8Array> | undefined,
): { candidates: Candidate[]; bad: BadPartial[] } {
  const candidates: Candidate[] = []
  const bad: BadPartial[] = []
  const seen = new Set<string>()
  for (const { operator, partial } of partials) {
    const name = operator.toLowerCase()
    if (seen.has(name)) bad.push({ operator, reason: 'duplicate' })
    else if (shares && !shares.has(name)) bad.push({ operator, reason: 'not-a-member' })
    else {
      const point = attempt(() => decodeG1(partial))
      if (typeof point === 'string') bad.push({ operator, reason: point })
      else candidates.push({ operator, point })
    }
    seen.add(name)
  }
  return { candidates, bad }
}

/** What `parse` gives, or why the bytes or the point are refused. */
function attempt<P>(parse: () => P): P | string {
  try {
    return parse()
  } catch (error) {
    if (isEigenxError(error, 'POINT_INVALID')) return `malformed-point:${error.details.reason}`
    throw error
  }
}

/** Why the partial is bad, or `undefined`. */
function judge(
  { operator, point }: Candidate,
  hash: G1Point,
  shares: ReadonlyMap<string, Uint8Array>,
): string | undefined {
  const share = shares.get(operator.toLowerCase())
  if (share === undefined) return 'not-a-member'
  const partial = attempt(() => checkSubgroup(point))
  if (typeof partial === 'string') return partial
  return isKeyFor(partial, hash, parsePublicKeyG2(share)) ? undefined : 'does-not-fit-public-share'
}

/** e(key, G2) = e(hash, publicKey), as one product of two pairings. */
function isKeyFor(key: G1Point, hash: G1Point, publicKey: G2Point): boolean {
  return pairingProductIsOne([
    { g1: key, g2: G2_GENERATOR },
    { g1: negateG1(hash), g2: publicKey },
  ])
}

/**
 * The sum, or `undefined` when it is no key. The check on the sum stands for one on each point: a part outside
 * the subgroup either cancels out, leaving the right key, or is found here (a pairing alone would not see it).
 */
function interpolate(candidates: readonly Candidate[]): G1Point | undefined {
  const weights = lagrangeAtZero(candidates.map(({ operator }) => operatorX(operator)))
  const sum = g1Msm(
    candidates.map(({ point }) => point),
    weights,
  )
  const key = attempt(() => checkSubgroup(sum))
  return typeof key === 'string' ? undefined : key
}

function answer(key: G1Point, used: readonly Candidate[], bad: BadPartial[]): Recombined {
  return { appKey: serializeG1(key), used: used.map(({ operator }) => operator), bad }
}

function byLowerCase(shares: ReadonlyMap<Address, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...shares].map(([operator, share]) => [operator.toLowerCase(), share]))
}

function quorumNotReached(needed: number, got: number, bad: readonly BadPartial[]): EigenxError {
  const refusals = bad.map(
    ({ operator, reason }): OperatorRefusal => ({
      operator,
      code: 'PARTIAL_INVALID',
      message: reason,
    }),
  )
  return new EigenxError({
    code: 'QUORUM_NOT_REACHED',
    message: `${got} of ${needed} needed partial keys are good`,
    stage: 'quorum',
    details: { needed, got, refusals },
  })
}

function keyMismatch(): EigenxError {
  return new EigenxError({
    code: 'KEY_MISMATCH',
    message: 'the recombined key does not match the master public key',
    stage: 'quorum',
    details: {},
    hint: 'Operators may be between two key versions, or the master public key is not theirs; with public shares the bad partials can be named.',
  })
}
