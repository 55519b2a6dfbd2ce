/**
 * `GET /pubkey`: the master public key and how to check partials against it.
 *
 * Byte-compatible with Go operators; the fields beyond theirs are ignored by Go clients.
 * @module
 */
import { getAddress } from 'viem'
import type { Address } from '../../sdk/chain/types.ts'
import { g2Msm, operatorX, parseG2, serializeG2 } from '../../sdk/crypto/bls.ts'
import { lagrangeAtZero } from '../../sdk/crypto/shamir.ts'
import type { CertifiedOutput, Output } from '../../sdk/protocol/types.ts'
import { encodePubkeyResponse, type PubkeyResponse } from '../../sdk/wire/secrets.ts'
import type { KeyService } from '../keys.ts'
import { json, plain } from './answers.ts'
import type { RouteHandler } from './guard.ts'

export type PubkeyDeps = { operator: Address; keys: KeyService }

export function pubkeyHandler(deps: PubkeyDeps): RouteHandler {
  // One epoch has one answer: the scalar multiplication is done once, not per request.
  let cached: { state: string; text: string } | undefined
  return async (c) => {
    const key = deps.keys.inForce()
    const isActive = deps.keys.active() !== undefined
    const state = `${key?.hash} ${isActive}`
    if (cached?.state !== state) {
      const described = key === undefined ? undefined : describeKey(deps.operator, key, isActive)
      cached =
        described === undefined ? undefined : { state, text: encodePubkeyResponse(described) }
    }
    return cached === undefined ? plain(c, 503, 'No active key version') : json(c, cached.text)
  }
}

/** @returns `undefined` where this operator is no member: it has nothing to contribute. */
function describeKey(
  operator: Address,
  { output, hash }: CertifiedOutput,
  isActive: boolean,
): PubkeyResponse | undefined {
  const term = ownTerm(operator, output)
  if (term === undefined) return undefined
  return {
    commitments: [term],
    epoch: output.epoch,
    isActive,
    masterPublicKey: output.mpk,
    operator: getAddress(operator),
    outputHash: hash,
    participants: output.members.map((member) => member.address),
    publicShares: output.publicShares,
    threshold: output.threshold,
    version: output.activateAt,
  }
}

/**
 * lambda_j·x_j·G2 over all participants: clients that sum the first commitment of every operator
 * get the master public key.
 */
function ownTerm(operator: Address, output: Output): Uint8Array | undefined {
  const { members, publicShares } = output
  const index = members.findIndex(
    (member) => member.address.toLowerCase() === operator.toLowerCase(),
  )
  const share = publicShares[index]
  const lambda = lagrangeAtZero(members.map((member) => operatorX(member.address)))[index]
  if (share === undefined || lambda === undefined) return undefined
  return serializeG2(g2Msm([parseG2(share)], [lambda]))
}
