/**
 * When an operator may register and deregister. Clients take the number of shares that they need from the operators registered at the moment of
 * their call, whoever holds a share: so nobody registers before it can be dealt in, nor deregisters before it is dealt out.
 * @module
 */
import type { Address, OperatorInfo } from '../sdk/chain/types.ts'
import { thresholdOf } from '../sdk/crypto/bls.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { isEncryptionKeyOf, parseEncryptionKey } from '../sdk/protocol/terms.ts'
import type { PeerPort } from './epoch/ports.ts'
import { dealtOutIn, type MembershipDeps, outputInForce } from './membership.ts'
import type { RegistrationDeps } from './registration.ts'
import type { OperatorKeys } from './signer.ts'

export type OrderDeps = MembershipDeps &
  RegistrationDeps & { peers: Pick<PeerPort, 'fetchEncryptionKey'> }

/**
 * The URL must lead to this operator's running process: that is where the others fetch the key with which they deal it in.
 * @throws EigenxError REQUEST_INVALID
 */
export async function demandRunning(
  deps: OrderDeps,
  { signer, signingKey }: OperatorKeys,
  socket: string,
): Promise<void> {
  const self: OperatorInfo = { address: signer.operator, socket, signingKey }
  const bytes = await deps.peers.fetchEncryptionKey(self).catch(() => undefined)
  const isOurs = bytes !== undefined && isEncryptionKey(deps, self, bytes)
  if (!isOurs)
    throw refuse(
      'register',
      `its process does not answer at ${socket}, so the others could not deal it in`,
      'Start it with `eigenx-tee kms serve` first, and let that URL lead to it.',
    )
}

/**
 * With one more member registered, clients may need more shares than there are until the next epoch.
 * @param registered - The members so far, lower case.
 * @throws EigenxError REQUEST_INVALID
 */
export async function demandEnoughSharesToJoin(
  deps: MembershipDeps,
  registered: readonly Address[],
): Promise<void> {
  if (registered.length === 0) return
  const set = await deps.membership.current().catch((error: unknown) => {
    // What is final has no members yet, or a member without a key: no client gets anything from such a set.
    if (isEigenxError(error, 'OPERATOR_SET_INVALID')) return undefined
    throw error
  })
  const inForce = set === undefined ? undefined : await outputInForce(deps, set)
  // No key is in force: nobody is served yet.
  if (inForce === undefined) return
  const holders = inForce.certified.output.members.filter(({ address }) =>
    registered.includes(address),
  )
  const needed = thresholdOf(registered.length + 1)
  if (holders.length >= needed) return
  throw refuse(
    'register',
    `clients would need ${needed} shares, and ${holders.length} operators hold one until it is dealt in`,
    'Wait until those who registered before are dealt in; --force accepts the gap.',
  )
}

/** @returns The epoch that dealt it out. @throws EigenxError REQUEST_INVALID */
export async function demandDealtOut(
  deps: MembershipDeps,
  { signer }: OperatorKeys,
): Promise<number> {
  const epoch = await dealtOutIn(deps, signer)
  if (epoch !== undefined) return epoch
  throw refuse(
    'deregister',
    'no key is in force that was dealt without it, so clients would miss its share',
    'Run `eigenx-tee kms leave` first; it tells when this is possible.',
  )
}

function isEncryptionKey(deps: OrderDeps, self: OperatorInfo, bytes: Uint8Array): boolean {
  try {
    return isEncryptionKeyOf(deps.domain, self, parseEncryptionKey(bytes))
  } catch (error) {
    if (isEigenxError(error)) return false
    throw error
  }
}

function refuse(path: string, reason: string, hint: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: `The operator may not ${path} yet: ${reason}.`,
    stage: 'request',
    details: { path },
    hint,
  })
}
