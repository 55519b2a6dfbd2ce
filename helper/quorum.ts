/**
 * One round with the operators: ask all at once, check each partial key as it arrives, stop at the
 * t-th good one.
 *
 * A partial is good when it opens with the pod's RSA key and fits the operator's public share in a
 * certified output. What the operators say about the release (its public and encrypted environment)
 * is believed when t operators with good partials of one key version say the same, so at least one
 * honest operator is among them whenever fewer than t lie. Every refusal is kept.
 *
 * Without certified public shares (a Go operator set) a bad partial cannot be named: then the round
 * tries each run of t neighbours among the answers, as many tries as answers, never all subsets.
 * @module
 */

import { lowerHex } from '../sdk/bytes.ts'
import type { Address } from '../sdk/chain/types.ts'
import type { HttpExchange } from '../sdk/client/node-http.ts'
import { type PartialKey, recombine, verifyPartial } from '../sdk/crypto/recombine.ts'
import { EigenxError, isEigenxError, type OperatorRefusal } from '../sdk/errors.ts'
import { parseSecretsResponse } from '../sdk/wire/secrets.ts'
import { explainFailure, explainRefusal, protocolRefusal, summariseRefusals } from './refusals.ts'

/** One version of the operators' key, from a certified output. */
export type KeyTable = {
  /** `activateAt` of the output, Unix seconds: the version that answers carry. */
  version: number
  epoch: number
  threshold: number
  /** By lower-case address. */
  publicShares: ReadonlyMap<Address, Uint8Array>
}

export type QuorumDeps = {
  exchange: HttpExchange
  /** Opens RSA-OAEP; @throws EigenxError CIPHERTEXT_INVALID */
  unwrap: (ciphertext: Uint8Array) => Uint8Array
}

export type QuorumRequest = {
  appId: string
  /** 96 bytes, pinned or certified. */
  masterPublicKey: Uint8Array
  operators: readonly { address: Address; url: string }[]
  /** Where `tables` is empty; else each table has its own. */
  threshold: number
  tables: readonly KeyTable[]
  /** The JSON body of POST /secrets. */
  body: Uint8Array
  /** For each operator, in milliseconds. */
  timeoutMs: number
  signal?: AbortSignal
}

export type QuorumAnswer = {
  /** 48 bytes, verified against the master public key. Secret. */
  appKey: Uint8Array
  table: KeyTable | undefined
  threshold: number
  used: readonly Address[]
  encryptedEnv: string
  publicEnv: string
  /** What operators tied to their grant, e.g. that the initdata is self-asserted. */
  marks: readonly string[]
  /** Of operators that answered before the round was over. */
  refusals: readonly OperatorRefusal[]
}

type Grant = PartialKey & {
  table: KeyTable | undefined
  encryptedEnv: string
  publicEnv: string
  marks: readonly string[]
}

type Outcome = { grant: Grant } | { refusal: OperatorRefusal }

/** One lying operator among the used ones must not fill logs with what it likes. */
const MAX_MARKS = 16
/**
 * Largest answer of one operator, in bytes. Operators serve releases with up to 256 KiB of sealed environment, in hex, and 128 KiB of public
 * one, of which Go's JSON in a JSON string makes up to seven times as much: together 1408 KiB.
 */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024

/**
 * @throws EigenxError QUORUM_NOT_REACHED with every refusal, OPERATORS_DISAGREE, KEY_MISMATCH
 */
export async function askQuorum(deps: QuorumDeps, request: QuorumRequest): Promise<QuorumAnswer> {
  const over = new AbortController()
  const signal =
    request.signal === undefined ? over.signal : AbortSignal.any([over.signal, request.signal])
  const pending = new Map(
    request.operators.map((operator, index) => [
      index,
      askOperator(deps, request, operator, signal).then((outcome) => ({ index, outcome })),
    ]),
  )
  const grants: Grant[] = []
  const refusals: OperatorRefusal[] = []
  let mismatch: EigenxError<'KEY_MISMATCH'> | undefined
  try {
    while (pending.size > 0) {
      const { index, outcome } = await Promise.race(pending.values())
      pending.delete(index)
      if ('refusal' in outcome) {
        refusals.push(outcome.refusal)
        continue
      }
      const group = grants.filter((grant) => agree(grant, outcome.grant))
      const grant = shareTexts(outcome.grant, group[0])
      group.push(grant)
      grants.push(grant)
      try {
        const answer = concludeGroup(request, group)
        if (answer !== undefined) return { ...answer, refusals }
      } catch (error) {
        if (!isEigenxError(error, 'KEY_MISMATCH')) throw error
        mismatch = error
      }
    }
  } finally {
    over.abort()
  }
  throw mismatch ?? explainDefeat(request, grants, refusals)
}

/** Never rejects: whatever goes wrong with one operator is that operator's refusal. */
async function askOperator(
  deps: QuorumDeps,
  request: QuorumRequest,
  operator: { address: Address; url: string },
  signal: AbortSignal,
): Promise<Outcome> {
  const { address } = operator
  try {
    const answer = await deps.exchange({
      method: 'POST',
      url: `${operator.url}/secrets`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, application/problem+json',
      },
      body: request.body,
      timeoutMs: request.timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
      peer: `operator ${address}`,
      signal,
    })
    if (answer.status !== 200) return { refusal: explainRefusal(address, answer) }
    return judgeAnswer(deps, request, address, answer.body)
  } catch (error) {
    return { refusal: explainFailure(address, error) }
  }
}

function judgeAnswer(
  deps: QuorumDeps,
  request: QuorumRequest,
  operator: Address,
  body: Uint8Array,
): Outcome {
  const refuse = (message: string): Outcome => ({ refusal: protocolRefusal(operator, message) })
  const answer = parseSecretsResponse(body)
  if (answer.operator !== undefined && lowerHex(answer.operator) !== lowerHex(operator))
    return refuse('answered in the name of another operator')
  let partial: Uint8Array
  try {
    partial = deps.unwrap(answer.encryptedPartialSig)
  } catch {
    return refuse('sent a partial key that does not open with the key of this request')
  }
  const grant = {
    operator,
    partial,
    encryptedEnv: answer.encryptedEnv,
    publicEnv: answer.publicEnv,
    marks: (answer.marks ?? []).filter(isMark).slice(0, MAX_MARKS),
  }
  if (request.tables.length === 0) return { grant: { ...grant, table: undefined } }
  const tables =
    answer.version === undefined
      ? request.tables
      : request.tables.filter((table) => table.version === answer.version)
  if (tables.length === 0)
    return {
      refusal: {
        operator,
        code: 'KEY_VERSION_NOT_FOUND',
        message: `answered with key version ${answer.version}, which no certified output has`,
      },
    }
  const table = tables.find((candidate) => fits(candidate, request.appId, operator, partial))
  if (table === undefined) return refuse('sent a partial key that does not fit its public share')
  return { grant: { ...grant, table } }
}

function isMark(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,63}$/.test(text)
}

function fits(table: KeyTable, appId: string, operator: Address, partial: Uint8Array): boolean {
  const publicShare = table.publicShares.get(lowerHex(operator))
  return publicShare !== undefined && verifyPartial({ appId, partial, publicShare })
}

/** The answer, once the group of like-minded operators is large enough. @throws KEY_MISMATCH */
function concludeGroup(
  request: QuorumRequest,
  group: readonly Grant[],
): Omit<QuorumAnswer, 'refusals'> | undefined {
  const first = group[0]
  const threshold = first?.table?.threshold ?? request.threshold
  if (first === undefined || group.length < threshold) return undefined
  const { appKey, used } = recombineRuns(request, group, threshold)
  const members = new Set(used.map(lowerHex))
  return {
    appKey,
    used,
    threshold,
    table: first.table,
    encryptedEnv: first.encryptedEnv,
    publicEnv: first.publicEnv,
    marks: [
      ...new Set(group.filter((g) => members.has(lowerHex(g.operator))).flatMap((g) => g.marks)),
    ],
  }
}

function recombineRuns(request: QuorumRequest, group: readonly Grant[], threshold: number) {
  const { appId, masterPublicKey } = request
  // Checked partials need one try. Unchecked ones: the runs that hold the newest answer; the others failed before.
  const runs = group[0]?.table === undefined && group.length > threshold ? threshold : 1
  let failure: unknown
  for (let start = 0; start < runs; start++) {
    const partials = Array.from(
      { length: threshold },
      (_, i) => group[(group.length - threshold + start + i) % group.length],
    ).filter((grant) => grant !== undefined)
    try {
      return recombine({ appId, masterPublicKey, threshold, partials })
    } catch (error) {
      failure = error
    }
  }
  throw isEigenxError(failure, 'QUORUM_NOT_REACHED') ? keyMismatch() : failure
}

function explainDefeat(
  request: QuorumRequest,
  grants: readonly Grant[],
  refusals: OperatorRefusal[],
): EigenxError {
  const largest = (same: (a: Grant, b: Grant) => boolean): Grant[] =>
    grants
      .map((grant) => grants.filter((other) => same(grant, other)))
      .reduce((best, group) => (group.length > best.length ? group : best), [])
  const group = largest((a, b) => a.table === b.table)
  const needed = group[0]?.table?.threshold ?? request.tables[0]?.threshold ?? request.threshold
  if (group.length >= needed)
    return new EigenxError({
      code: 'OPERATORS_DISAGREE',
      message: 'the operators gave good partial keys, but different environments of the release',
      stage: 'quorum',
      details: { what: 'environment of the release' },
      hint: 'A release that is just being confirmed looks like this for a minute; else an operator lies.',
    })
  const got = largest(agree).length
  const reasons = refusals.length === 0 ? '' : `: ${summariseRefusals(refusals)}`
  return new EigenxError({
    code: 'QUORUM_NOT_REACHED',
    message: `${got} of ${needed} needed operators gave a good partial key${reasons}`,
    stage: 'quorum',
    details: { needed, got, refusals },
    hint: 'details.refusals tells for each operator why.',
  })
}

function agree(a: Grant, b: Grant): boolean {
  return a.table === b.table && a.encryptedEnv === b.encryptedEnv && a.publicEnv === b.publicEnv
}

/** Equal environments are kept once, not once for each operator. */
function shareTexts(grant: Grant, twin: Grant | undefined): Grant {
  const { encryptedEnv, publicEnv } = twin ?? grant
  return { ...grant, encryptedEnv, publicEnv }
}

function keyMismatch(): EigenxError<'KEY_MISMATCH'> {
  return new EigenxError({
    code: 'KEY_MISMATCH',
    message: 'the partial keys do not combine to the key of the pinned master public key',
    stage: 'quorum',
    details: {},
  })
}
