/**
 * Checking dealings and candidates: the expensive half of an epoch, for genesis and reshare alike.
 *
 * The two differ in what a constant term must be (proven fresh secret / the dealer's previous public share), in the weights
 * (1 / Lagrange coefficients at 0 over the dealers used) and in how many dealings are needed (t / t_old).
 *
 * Own shares are checked in batches: with random 128-bit ρ_i, Σ ρ_i·s_i must fit Σ ρ_i·C_i; a batch that fails is checked one
 * by one, so a bad dealer is always named. The candidate's table is checked as one random combination of its points against
 * the combined commitment, which has exactly `threshold` points: a table that passes is its table, with its degree.
 *
 * Work is cut by `pause()`, where the event loop may serve others, into pieces of a few milliseconds: a decision about a pod
 * returns to the event loop some ten times, and waits for a piece each time.
 * @module
 */
import { equalBytes, fromUintBE } from '../../sdk/bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../../sdk/chain/types.ts'
import {
  addG2,
  CURVE_ORDER,
  equalG2,
  type G2Point,
  g2Msm,
  multiplyG2Generator,
  operatorX,
  parseG2,
  type Rng,
  serializeG2,
  thresholdOf,
} from '../../sdk/crypto/bls.ts'
import {
  evaluateCommitment,
  lagrangeAtZero,
  shareMatchesCommitment,
} from '../../sdk/crypto/shamir.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import {
  type Dealing,
  dealingContext,
  isDealingOf,
  openShare,
  verifyConstant,
} from '../../sdk/protocol/dealing.ts'
import { candidateInvalid } from '../../sdk/protocol/output.ts'
import { diffieHellman, verifyKnowledge } from '../../sdk/protocol/ristretto.ts'
import { importRoot, isGenesis, sidOf } from '../../sdk/protocol/terms.ts'
import type { Domain, Output, Terms } from '../../sdk/protocol/types.ts'

/** What checking needs to know about a session. */
export type SessionContext = {
  domain: Domain
  terms: Terms
  sid: Hash32
  /** The output that `terms.prev` names; absent in the first epoch. */
  previous: Output | undefined
  /** Signing keys of those who may deal, by lower-case address. */
  dealers: ReadonlyMap<Address, OperatorInfo>
  self: Address
  /** Secret of the encryption key that the terms name for `self`; absent when it is no (present) member. */
  decryptionKey: bigint | undefined
  /**
   * The dealings are named by a certified output: its signers vouched for who dealt what, and a node that comes late may lack
   * the predecessor to check it again. What concerns this node's share is checked all the same.
   */
  certified: boolean
}

export type Work = {
  rng: Rng
  /** Lets the event loop run. */
  pause(): Promise<void>
}

/** A dealing that passed everything; `share` is absent when this node is not a recipient. */
export type OpenedDealing = {
  dealer: Address
  points: readonly G2Point[]
  share: bigint | undefined
}

export type DealingVerdict =
  | { verdict: 'good'; opened: OpenedDealing }
  /** Everybody sees the fault in the body. */
  | { verdict: 'bad'; reason: string }
  /** Only this recipient sees it: time for a complaint. */
  | { verdict: 'badShare' }

/** Dealers of a session: the holders of the previous key, or all members at genesis. */
export function dealersOf(terms: Terms, previous: Output | undefined): readonly Address[] {
  return (previous ?? terms).members.map((member) => member.address)
}

/** How many dealings an output needs at least: t_old. */
export function dealingsNeeded(terms: Terms, previous: Output | undefined): number {
  return (previous ?? terms).threshold
}

/** One verdict per dealing, in order. */
export async function checkDealings(
  work: Work,
  context: SessionContext,
  dealings: readonly Dealing[],
): Promise<readonly DealingVerdict[]> {
  const verdicts: DealingVerdict[] = []
  for (const dealing of dealings) {
    verdicts.push(await checkBody(work, context, dealing))
    await work.pause()
  }
  const opened = verdicts.flatMap((verdict) =>
    verdict.verdict === 'good' && verdict.opened.share !== undefined ? [verdict.opened] : [],
  )
  if (await sharesFit(work, context.self, opened)) return verdicts
  const singly: DealingVerdict[] = []
  for (const verdict of verdicts) {
    const wrong =
      verdict.verdict === 'good' && !(await sharesFit(work, context.self, [verdict.opened]))
    singly.push(wrong ? { verdict: 'badShare' } : verdict)
  }
  return singly
}

/** Everything but the share's fit; the share is decrypted here. */
async function checkBody(
  work: Work,
  context: SessionContext,
  dealing: Dealing,
): Promise<DealingVerdict> {
  const { terms, sid, previous, self, decryptionKey, certified } = context
  const bad = (reason: string): DealingVerdict => ({ verdict: 'bad', reason })
  if (dealing.sid !== sid) return bad('another session')
  if (dealing.commitment.length !== terms.threshold) return bad('wrong degree')
  if (dealing.shares.length !== terms.members.length) return bad('wrong number of shares')
  if (!certified && !isFromDealer(context, dealing)) return bad('not signed by a dealer')
  const proofContext = dealingContext(sid, dealing.dealer)
  if (!verifyKnowledge(dealing.ephemeral, proofContext, dealing.possession))
    return bad('no proof of the ephemeral key')
  const points = await parsePoints(work, dealing.commitment)
  if (points === undefined) return bad('a commitment is no valid point')
  if (!certified && !constantFits(previous, dealing, points)) return bad('wrong constant term')
  await work.pause()
  const index = terms.members.findIndex((member) => member.address === self)
  const sealed = dealing.shares[index]
  if (decryptionKey === undefined || sealed === undefined)
    return { verdict: 'good', opened: { dealer: dealing.dealer, points, share: undefined } }
  const shared = diffieHellman(decryptionKey, dealing.ephemeral)
  const route = { sid, dealer: dealing.dealer, recipient: self }
  const share = shared === undefined ? undefined : openShare(shared, route, sealed)
  return share === undefined
    ? { verdict: 'badShare' }
    : { verdict: 'good', opened: { dealer: dealing.dealer, points, share } }
}

function isFromDealer({ domain, dealers }: SessionContext, dealing: Dealing): boolean {
  const dealer = dealers.get(dealing.dealer)
  return dealer !== undefined && isDealingOf(domain, dealer, dealing)
}

async function parsePoints(
  work: Pick<Work, 'pause'>,
  encoded: readonly Uint8Array[],
): Promise<G2Point[] | undefined> {
  const points: G2Point[] = []
  try {
    for (const bytes of encoded) {
      points.push(parseG2(bytes))
      await work.pause()
    }
    return points
  } catch (error) {
    if (isEigenxError(error, 'POINT_INVALID')) return undefined
    throw error
  }
}

function constantFits(
  previous: Output | undefined,
  dealing: Dealing,
  points: readonly G2Point[],
): boolean {
  const [constant] = points
  const [bytes] = dealing.commitment
  if (constant === undefined || bytes === undefined) return false
  if (previous === undefined)
    return verifyConstant(
      constant,
      dealingContext(dealing.sid, dealing.dealer),
      dealing.constantProof,
    )
  const index = previous.members.findIndex((member) => member.address === dealing.dealer)
  const expected = previous.publicShares[index]
  return expected !== undefined && dealing.constantProof.length === 0 && equalBytes(expected, bytes)
}

/** Whether an opened share is its recipient's of a commitment; one that is no list of points fits nothing. */
export async function shareFits(
  work: Pick<Work, 'pause'>,
  recipient: Address,
  share: bigint,
  commitment: readonly Uint8Array[],
): Promise<boolean> {
  const points = await parsePoints(work, commitment)
  if (points === undefined) return false
  const x = operatorX(recipient)
  // Σ_i x^i·C_i = Σ_k (x^PIECE)^k·(the value of the k-th piece at x).
  const values: G2Point[] = []
  for (let from = 0; from < points.length; from += MSM_PIECE) {
    values.push(evaluateCommitment(points.slice(from, from + MSM_PIECE), x))
    await work.pause()
  }
  return shareMatchesCommitment(share, x ** BigInt(MSM_PIECE) % CURVE_ORDER, values)
}

async function sharesFit(
  work: Work,
  self: Address,
  opened: readonly OpenedDealing[],
): Promise<boolean> {
  if (opened.length === 0) return true
  const weights = opened.length === 1 ? [1n] : opened.map(() => fromUintBE(work.rng(16)) + 1n)
  const share = weightedSum(
    weights,
    opened.map((dealing) => dealing.share ?? 0n),
  )
  const combined = await combineCommitments(work, weights, opened)
  return shareMatchesCommitment(share, operatorX(self), combined)
}

function weightedSum(weights: readonly bigint[], values: readonly bigint[]): bigint {
  return values.reduce((sum, value, i) => (sum + value * (weights[i] ?? 0n)) % CURVE_ORDER, 0n)
}

/** Σ weights[i]·C_i, coefficient by coefficient. */
async function combineCommitments(
  work: Work,
  weights: readonly bigint[],
  opened: readonly OpenedDealing[],
): Promise<readonly G2Point[]> {
  const plain = weights.every((weight) => weight === 1n)
  const combined: G2Point[] = []
  const degree = opened[0]?.points.length ?? 0
  for (let k = 0; k < degree; k++) {
    const column = opened.map((dealing) => dealing.points[k] as G2Point)
    combined.push(plain ? column.reduce(addG2) : await msmInPieces(work, column, weights))
    await work.pause()
  }
  return combined
}

/** Beyond this many points a sum would take longer than 20 ms. */
const MSM_PIECE = 10

/** Σ scalars[i]·points[i], with pauses where it is long. */
export async function msmInPieces(
  work: Pick<Work, 'pause'>,
  points: readonly G2Point[],
  scalars: readonly bigint[],
): Promise<G2Point> {
  let sum = g2Msm(points.slice(0, MSM_PIECE), scalars.slice(0, MSM_PIECE))
  for (let from = MSM_PIECE; from < points.length; from += MSM_PIECE) {
    await work.pause()
    const to = from + MSM_PIECE
    sum = addG2(sum, g2Msm(points.slice(from, to), scalars.slice(from, to)))
  }
  return sum
}

/** The factor of each dealing in the new key. */
function weightsOf(terms: Terms, dealers: readonly Address[]): readonly bigint[] {
  return isGenesis(terms) ? dealers.map(() => 1n) : lagrangeAtZero(dealers.map(operatorX))
}

/** This node's share of the new key from the dealings of an output, in the output's order. */
export function combineShares(terms: Terms, opened: readonly OpenedDealing[]): bigint | undefined {
  const shares = opened.flatMap((dealing) => (dealing.share === undefined ? [] : [dealing.share]))
  if (shares.length !== opened.length) return undefined
  const weights = weightsOf(
    terms,
    opened.map((dealing) => dealing.dealer),
  )
  return weightedSum(weights, shares)
}

/** The public half of an output from the dealings it uses. Only good dealings, sorted by dealer. */
export async function buildKeyTable(
  work: Work,
  terms: Terms,
  opened: readonly OpenedDealing[],
): Promise<Pick<Output, 'publicShares' | 'mpk'>> {
  const weights = weightsOf(
    terms,
    opened.map((dealing) => dealing.dealer),
  )
  const combined = await combineCommitments(work, weights, opened)
  const publicShares: Uint8Array[] = []
  for (const member of terms.members) {
    publicShares.push(serializeG2(evaluateCommitment(combined, operatorX(member.address))))
    await work.pause()
  }
  return { publicShares, mpk: serializeG2(combined[0] as G2Point) }
}

/**
 * Whether an output follows from the dealings it names, and what this node's share of it is.
 * @param opened - The output's dealings, all good, in its order.
 * @returns The share; `undefined` when this node is no recipient.
 * @throws CANDIDATE_INVALID
 */
export async function checkOutput(
  work: Work,
  context: SessionContext,
  output: Output,
  opened: readonly OpenedDealing[],
): Promise<bigint | undefined> {
  const { terms, previous, self } = context
  if (sidOf(context.domain, output) !== context.sid) throw candidateInvalid('another session')
  if (
    (!context.certified && output.dealings.length < dealingsNeeded(terms, previous)) ||
    opened.length !== output.dealings.length ||
    !output.dealings.every(({ dealer }, i) => opened[i]?.dealer === dealer)
  )
    throw candidateInvalid('the dealings are not those of the session')
  // With the table below: what verifyOutput tests of an output whose dealings are not at hand.
  if (output.threshold !== thresholdOf(output.members.length))
    throw candidateInvalid('wrong threshold')
  const weights = weightsOf(
    terms,
    opened.map((dealing) => dealing.dealer),
  )
  const combined = await combineCommitments(work, weights, opened)
  const mpk = serializeG2(combined[0] as G2Point)
  if (!equalBytes(mpk, output.mpk) || (previous && !equalBytes(previous.mpk, mpk)))
    throw candidateInvalid('another master public key')
  const isImport = !context.certified && previous === undefined && !isGenesis(terms)
  if (isImport && importRoot(mpk) !== terms.prev)
    throw candidateInvalid('the imported shares do not belong to the master public key')
  if (!(await tableFits(work, output, combined)))
    throw candidateInvalid('a public share does not follow from the dealings')
  await work.pause()
  const share = combineShares(terms, opened)
  if (share === undefined) return undefined
  const index = terms.members.findIndex((member) => member.address === self)
  const mine = output.publicShares[index]
  if (mine === undefined || !equalBytes(serializeG2(multiplyG2Generator(share)), mine))
    throw candidateInvalid('the own share does not fit its public share')
  return share
}

/** Σ ρ_j·PK_j = Σ_k (Σ_j ρ_j·x_j^k)·C_k for random ρ. */
async function tableFits(
  work: Work,
  output: Output,
  combined: readonly G2Point[],
): Promise<boolean> {
  const [mpk, ...points] = (await parsePoints(work, [output.mpk, ...output.publicShares])) ?? []
  const xs = output.members.map((member) => operatorX(member.address))
  const isTable = mpk !== undefined && points.length === xs.length
  // A share at 0 would be the secret itself.
  if (!isTable || xs.includes(0n) || new Set(xs).size !== xs.length) return false
  const rhos = output.members.map(() => fromUintBE(work.rng(16)) + 1n)
  let powers = rhos
  const exponents = combined.map(() => {
    const sum = powers.reduce((a, b) => (a + b) % CURVE_ORDER, 0n)
    powers = powers.map((power, j) => (power * (xs[j] ?? 0n)) % CURVE_ORDER)
    return sum
  })
  const table = await msmInPieces(work, points, rhos)
  await work.pause()
  return equalG2(table, await msmInPieces(work, combined, exponents))
}
