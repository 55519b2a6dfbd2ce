/**
 * What the chain says about the operators, turned into what a quorum round needs: who to ask, at which
 * URLs, for which version of the key, and against which public shares and master public key to check.
 *
 * Pure: reading is in `chain-view.ts`. The master public key is the pinned one, or the one that the certified
 * log carries unchanged from its first standing entry to its last; where both are there they must agree.
 * @module
 */
import { equalBytes, parseHex } from '../sdk/bytes.ts'
import type { BlockRef, OperatorSet } from '../sdk/chain/types.ts'
import { thresholdOf } from '../sdk/crypto/bls.ts'
import { EigenxError } from '../sdk/errors.ts'
import { versionAt } from '../sdk/protocol/log.ts'
import { publicSharesOf, verifyOutput } from '../sdk/protocol/output.ts'
import type { CertifiedOutput, Output } from '../sdk/protocol/types.ts'
import type { EigenxConfig } from './config.ts'
import type { QuorumView } from './identity.ts'
import type { KeyTable } from './quorum.ts'

export type ViewInput = {
  config: EigenxConfig
  set: OperatorSet
  /** What the certified log holds at `now` (Unix seconds, of the newest block); undefined where there is no log. */
  log: { outputs: readonly CertifiedOutput[]; now: number } | undefined
  freshness: BlockRef
}

/**
 * @throws EigenxError KEY_NOT_READY before the first output is active, KEY_MISMATCH when log and pin or
 *   the ends of the log contradict each other, OPERATOR_SET_INVALID when nobody can be asked
 */
export function composeView({ config, set, log, freshness }: ViewInput): QuorumView {
  const operators = set.operators
    .filter(({ socket }) => socket !== '')
    .map(({ address, socket }) => ({ address, url: socket }))
  if (operators.length === 0) throw noOperators()
  const threshold = thresholdOf(set.operators.length)
  const pin = pinOf(config)
  if (log === undefined) {
    // parseEigenxToml demands a pin where there is no log.
    if (pin === undefined)
      throw keyMismatch('there is neither a pinned master public key nor a log')
    return {
      operators,
      threshold,
      tables: [],
      masterPublicKey: pin,
      attestationTime: 0,
      freshness,
    }
  }
  const current = versionAt(log.outputs, log.now)
  const first = log.outputs[0]
  if (current === undefined || first === undefined) throw notReady(log.outputs.length)
  const masterPublicKey = agreeOnKey(pin, first.output, current.output)
  return {
    operators,
    threshold: current.output.threshold,
    tables: neighboursOf(log.outputs, current).map(({ output }) => tableOf(output)),
    masterPublicKey,
    // Every operator answers this time with the same version, also while the next one becomes active.
    attestationTime: current.output.activateAt,
    freshness,
  }
}

/** An operator that is a step behind or ahead is understood, though its partial counts for its version only. */
function neighboursOf(
  outputs: readonly CertifiedOutput[],
  current: CertifiedOutput,
): readonly CertifiedOutput[] {
  const index = outputs.indexOf(current)
  const near = outputs.slice(Math.max(0, index - 1), index + 2)
  for (const { output } of near) verifyOutput(output)
  return near
}

/** One operator at a fixed place, checked against the pin only. */
export function composeSingleView(
  config: EigenxConfig,
  freshness: BlockRef | undefined,
): QuorumView {
  const { single } = config.operators
  const pin = pinOf(config)
  if (single === undefined || pin === undefined)
    throw keyMismatch('a single operator needs a pinned master public key')
  return {
    operators: [{ address: single.address, url: single.url.replace(/\/+$/, '') }],
    threshold: 1,
    tables: [],
    masterPublicKey: pin,
    attestationTime: 0,
    freshness,
  }
}

function tableOf(output: Output): KeyTable {
  return {
    version: output.activateAt,
    epoch: output.epoch,
    threshold: output.threshold,
    publicShares: publicSharesOf(output),
  }
}

function agreeOnKey(pin: Uint8Array | undefined, first: Output, current: Output): Uint8Array {
  if (!equalBytes(first.mpk, current.mpk))
    throw keyMismatch('the master public key changed between the ends of the log')
  if (pin !== undefined && !equalBytes(pin, current.mpk))
    throw keyMismatch('the log holds another master public key than the one pinned')
  return current.mpk
}

function pinOf(config: EigenxConfig): Uint8Array | undefined {
  const { masterPublicKey } = config.operators
  return masterPublicKey === undefined ? undefined : parseHex(masterPublicKey, 96)
}

function keyMismatch(problem: string): EigenxError<'KEY_MISMATCH'> {
  return new EigenxError({
    code: 'KEY_MISMATCH',
    message: `the master public key cannot be trusted: ${problem}`,
    stage: 'protocol',
    details: {},
  })
}

function notReady(outputs: number): EigenxError<'KEY_NOT_READY'> {
  return new EigenxError({
    code: 'KEY_NOT_READY',
    message: 'the operators have no active key yet',
    stage: 'key',
    details: {},
    hint:
      outputs === 0
        ? 'The log holds no certified output that stands; the operators are still making their key.'
        : 'Their first output becomes active soon.',
  })
}

function noOperators(): EigenxError<'OPERATOR_SET_INVALID'> {
  const reason = 'no operator of the set has a usable socket'
  return new EigenxError({
    code: 'OPERATOR_SET_INVALID',
    message: reason,
    stage: 'chain',
    details: { reason },
  })
}
