/**
 * `GET /pubkey`: the master public key and how to check partials against it.
 *
 * Byte-compatible with Go operators; the fields beyond theirs are ignored by Go clients. Keys are
 * sorted, as Go writes maps.
 * @module
 */
import { getAddress } from 'viem'
import { toBase64 } from '../../sdk/bytes.ts'
import type { Address } from '../../sdk/chain/types.ts'
import { g2Msm, operatorX, parseG2, serializeG2 } from '../../sdk/crypto/bls.ts'
import { lagrangeAtZero } from '../../sdk/crypto/shamir.ts'
import { encodeGoJson, type GoValue } from '../../sdk/wire/go-json.ts'
import type { KeyService, KeyVersion } from '../keys.ts'
import { json, plain } from './answers.ts'
import type { RouteHandler } from './guard.ts'

export type PubkeyDeps = { operator: Address; keys: KeyService }

export function pubkeyHandler(deps: PubkeyDeps): RouteHandler {
  // One epoch has one answer: the scalar multiplication is done once, not per request.
  let cached: { hash: string; text: string } | undefined
  return async (c) => {
    const key = deps.keys.active()
    if (key === undefined) return plain(c, 503, 'No active key version')
    const known = cached?.hash === key.hash ? cached : undefined
    cached = known ?? { hash: key.hash, text: encodeGoJson(describeKey(deps.operator, key)) }
    return json(c, cached.text)
  }
}

function describeKey(operator: Address, key: KeyVersion): GoValue {
  const { output } = key
  return {
    commitments: [{ CompressedBytes: toBase64(ownTerm(operator, key)) }],
    epoch: output.epoch,
    isActive: true,
    masterPublicKey: { CompressedBytes: toBase64(output.mpk) },
    operatorAddress: getAddress(operator),
    outputHash: key.hash,
    participants: output.members.map((member) => member.address),
    publicShares: output.publicShares.map((share) => ({ CompressedBytes: toBase64(share) })),
    threshold: output.threshold,
    version: key.version,
  }
}

/**
 * lambda_j·x_j·G2 over all participants: clients that sum the first commitment of every operator
 * get the master public key.
 */
function ownTerm(operator: Address, key: KeyVersion): Uint8Array {
  const { members, publicShares } = key.output
  const index = members.findIndex(
    (member) => member.address.toLowerCase() === operator.toLowerCase(),
  )
  const share = publicShares[index]
  const lambda = lagrangeAtZero(members.map((member) => operatorX(member.address)))[index]
  if (share === undefined || lambda === undefined)
    throw new RangeError('the operator is not a member of its own key version')
  return serializeG2(g2Msm([parseG2(share)], [lambda]))
}
