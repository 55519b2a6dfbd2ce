/**
 * What brings an operator into an EigenLayer operator set on chain, and out of it: a list of steps, each done already or a transaction.
 *
 * 1. The signing key in the KeyRegistrar, with the signature that it demands: EIP-712 over operator, AVS, set and key, by that very key.
 * 2. The account as an EigenLayer operator, in the DelegationManager that the AllocationManager names.
 * 3. The set membership in the AllocationManager, with the public URL as data for the AVS registrar; for a member whose URL changed,
 *    the new one in that registrar.
 *
 * What is signed is computed here. The registrar's own computation is only compared: a chain provider must not choose what the key signs.
 * @module
 */
import { encodeAbiParameters, encodeFunctionData } from 'viem'
import { type Hex, lowerHex, toHex } from '../sdk/bytes.ts'
import {
  avsRegistrarAbi,
  delegationAbi,
  keyRegistrationAbi,
  setRegistrationAbi,
} from '../sdk/chain/abi/operator-registration.ts'
import {
  allocationManagerAbi,
  keyRegistrarAbi,
  registrarAbi,
} from '../sdk/chain/abi/operator-set.ts'
import { readContract } from '../sdk/chain/contract.ts'
import type { OperatorContracts } from '../sdk/chain/operators.ts'
import type { ChainReader } from '../sdk/chain/reader.ts'
import type { Address, BlockRef, OperatorInfo } from '../sdk/chain/types.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { statementDigest } from '../sdk/protocol/digest.ts'
import { holdsKey, registrationStatement, setOf } from './registration-key.ts'
import type { OperatorKeys } from './signer.ts'

export type RegistrationDeps = {
  reader: Pick<ChainReader, 'chainId' | 'call' | 'latestBlock'>
  contracts: OperatorContracts
}

export type StepName = 'key' | 'operator' | 'membership' | 'socket'

export type RegistrationStep = {
  name: StepName
  /** What it makes true, for a person. */
  text: string
  /** Absent when that is so already. */
  transaction?: { to: Address; data: Hex /** `Contract.function` */; call: string }
}

export type RegistrationInput = {
  /** Base URL under which peers and pods reach this operator. */
  socket: string
  /** Blocks before a new allocation counts, for an account that is no EigenLayer operator yet. */
  allocationDelay: number
  metadataUri: string
}

const CURVE_TYPES = { ecdsa: 1, bn254: 2 } as const

/** @throws EigenxError CONFIG_INVALID when the set is of another curve, REQUEST_INVALID when it holds another key; CHAIN_*, CONTRACT_UNEXPECTED */
export async function planRegistration(
  deps: RegistrationDeps,
  keys: OperatorKeys,
  input: RegistrationInput,
): Promise<RegistrationStep[]> {
  const at = await deps.reader.latestBlock()
  const [key, operator, membership] = await Promise.all([
    keyStep(deps, keys, at),
    operatorStep(deps, keys, input, at),
    membershipStep(deps, keys, input, at),
  ])
  return [key, operator, membership]
}

/** One step: the membership. The key stays: a registrar takes no key twice, and it serves when the operator comes again. */
export async function planDeregistration(
  deps: RegistrationDeps,
  operator: Address,
): Promise<RegistrationStep> {
  const { allocationManager, avs, operatorSetId } = deps.contracts
  const members = await readMembers(deps, await deps.reader.latestBlock())
  const text = `no member of operator set ${operatorSetId}`
  if (!members.includes(operator)) return { name: 'membership', text }
  const data = encodeFunctionData({
    abi: setRegistrationAbi,
    functionName: 'deregisterFromOperatorSets',
    args: [{ operator, avs, operatorSetIds: [operatorSetId] }],
  })
  const call = 'AllocationManager.deregisterFromOperatorSets'
  return { name: 'membership', text, transaction: { to: allocationManager, data, call } }
}

/** The members as the newest block has them, in lower case. */
export async function readMembers(deps: RegistrationDeps, block: BlockRef): Promise<Address[]> {
  const members = await readContract(deps.reader, {
    contract: 'AllocationManager',
    address: deps.contracts.allocationManager,
    abi: allocationManagerAbi,
    functionName: 'getMembers',
    args: [setOf(deps.contracts)],
    block,
  })
  return members.map(lowerHex)
}

async function keyStep(
  deps: RegistrationDeps,
  { signer, signingKey }: OperatorKeys,
  block: BlockRef,
): Promise<RegistrationStep> {
  const { keyRegistrar } = deps.contracts
  const { operator } = signer
  const registrar = { contract: 'KeyRegistrar', address: keyRegistrar, block } as const
  const read = { ...registrar, abi: keyRegistrarAbi } as const
  const [curve, isRegistered] = await Promise.all([
    readContract(deps.reader, {
      ...read,
      functionName: 'getOperatorSetCurveType',
      args: [setOf(deps.contracts)],
    }),
    readContract(deps.reader, {
      ...read,
      functionName: 'isRegistered',
      args: [setOf(deps.contracts), operator],
    }),
  ])
  if (curve !== CURVE_TYPES[signingKey.curve]) throw otherCurve(curve)
  const text = `signing key ${nameOf(signingKey)} registered for operator ${operator}`
  if (isRegistered) {
    if (await holdsKey(deps.reader, deps.contracts, { operator, key: signingKey, block }))
      return { name: 'key', text }
    throw refuse('the key registrar holds another key of this operator; it must be removed first')
  }
  const { statement, keyData } = registrationStatement(
    { chainId: deps.reader.chainId, ...deps.contracts },
    operator,
    signingKey,
  )
  const common = { ...registrar, abi: keyRegistrationAbi } as const
  const expected =
    signingKey.curve === 'ecdsa'
      ? await readContract(deps.reader, {
          ...common,
          functionName: 'getECDSAKeyRegistrationMessageHash',
          args: [operator, setOf(deps.contracts), signingKey.address],
        })
      : await readContract(deps.reader, {
          ...common,
          functionName: 'getBN254KeyRegistrationMessageHash',
          args: [operator, setOf(deps.contracts), keyData],
        })
  if (expected !== toHex(statementDigest(statement)))
    throw refuse('the key registrar wants something else signed than EigenLayer’s does')
  const signature = toHex(await signer.sign(statement))
  const data = encodeFunctionData({
    abi: keyRegistrationAbi,
    functionName: 'registerKey',
    args: [operator, setOf(deps.contracts), keyData, signature],
  })
  return {
    name: 'key',
    text,
    transaction: { to: keyRegistrar, data, call: 'KeyRegistrar.registerKey' },
  }
}

async function operatorStep(
  deps: RegistrationDeps,
  { signer, account }: OperatorKeys,
  { allocationDelay, metadataUri }: RegistrationInput,
  block: BlockRef,
): Promise<RegistrationStep> {
  const { operator } = signer
  const delegation = await readContract(deps.reader, {
    contract: 'AllocationManager',
    address: deps.contracts.allocationManager,
    abi: setRegistrationAbi,
    functionName: 'delegation',
    args: [],
    block,
  })
  const isOperator = await readContract(deps.reader, {
    contract: 'DelegationManager',
    address: delegation,
    abi: delegationAbi,
    functionName: 'isOperator',
    args: [operator],
    block,
  })
  const text = `${operator} registered as an EigenLayer operator`
  if (isOperator) return { name: 'operator', text }
  if (lowerHex(account.address) !== operator)
    throw refuse(
      `only the key of ${operator} itself can make it an EigenLayer operator (--key-file)`,
    )
  const data = encodeFunctionData({
    abi: delegationAbi,
    functionName: 'registerAsOperator',
    args: [`0x${'0'.repeat(40)}`, allocationDelay, metadataUri],
  })
  return {
    name: 'operator',
    text,
    transaction: { to: lowerHex(delegation), data, call: 'DelegationManager.registerAsOperator' },
  }
}

async function membershipStep(
  deps: RegistrationDeps,
  { signer: { operator } }: OperatorKeys,
  { socket }: RegistrationInput,
  block: BlockRef,
): Promise<RegistrationStep> {
  const { allocationManager, avs, operatorSetId } = deps.contracts
  const text = `member of operator set ${operatorSetId} of ${avs}, reachable at ${socket}`
  const address = await readContract(deps.reader, {
    contract: 'AllocationManager',
    address: allocationManager,
    abi: allocationManagerAbi,
    functionName: 'getAVSRegistrar',
    args: [avs],
    block,
  })
  const registrar = { contract: 'AVS registrar', address, block } as const
  if (!(await readMembers(deps, block)).includes(operator)) {
    if (!(await isAdmitted(deps, registrar, operator)))
      throw refuse('its AVS admits only operators on its list, and this one is not on it')
    const data = encodeFunctionData({
      abi: setRegistrationAbi,
      functionName: 'registerForOperatorSets',
      args: [
        operator,
        {
          avs,
          operatorSetIds: [operatorSetId],
          data: encodeAbiParameters([{ type: 'string' }], [socket]),
        },
      ],
    })
    const call = 'AllocationManager.registerForOperatorSets'
    return { name: 'membership', text, transaction: { to: allocationManager, data, call } }
  }
  const known = await readContract(deps.reader, {
    ...registrar,
    abi: registrarAbi,
    functionName: 'getOperatorSocket',
    args: [operator],
  })
  if (known === socket) return { name: 'membership', text }
  const data = encodeFunctionData({
    abi: avsRegistrarAbi,
    functionName: 'updateSocket',
    args: [operator, socket],
  })
  return {
    name: 'socket',
    text,
    transaction: { to: lowerHex(address), data, call: 'AVS registrar.updateSocket' },
  }
}

/** A registrar without a list of operators does not know the question: it admits or refuses in the transaction. */
async function isAdmitted(
  deps: RegistrationDeps,
  registrar: { contract: 'AVS registrar'; address: Address; block: BlockRef },
  operator: Address,
): Promise<boolean> {
  try {
    return await readContract(deps.reader, {
      ...registrar,
      abi: avsRegistrarAbi,
      functionName: 'isOperatorAllowed',
      args: [setOf(deps.contracts), operator],
    })
  } catch (error) {
    if (isEigenxError(error, 'CONTRACT_UNEXPECTED')) return true
    throw error
  }
}

function nameOf(key: OperatorInfo['signingKey']): string {
  return key.curve === 'ecdsa' ? key.address : `BN254 ${key.g1.slice(0, 18)}…`
}

function otherCurve(curve: number): EigenxError<'CONFIG_INVALID'> {
  const name = curve === 1 ? 'ecdsa' : curve === 2 ? 'bn254' : undefined
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message:
      name === undefined
        ? 'The operator set has no curve of keys: it does not exist, or its AVS has not configured it.'
        : `The keys of the operator set are on the curve ${name}.`,
    stage: 'config',
    details: { path: name === undefined ? 'contracts.operator_set_id' : 'operator.signing_curve' },
  })
}

function refuse(reason: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: `The operator cannot register: ${reason}.`,
    stage: 'request',
    details: { path: 'register' },
  })
}
