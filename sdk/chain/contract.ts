/**
 * Typed contract reads at one pinned block.
 * @module
 */
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  decodeFunctionResult,
  encodeFunctionData,
} from 'viem'
import { EigenxError } from '../errors.ts'
import type { ChainReader, ReadOptions } from './reader.ts'
import type { Address, BlockRef } from './types.ts'

type View = 'pure' | 'view'

export type ContractRead<
  abi extends Abi,
  name extends ContractFunctionName<abi, View>,
  args extends ContractFunctionArgs<abi, View, name>,
> = {
  /** For errors, e.g. `AppController`. */
  contract: string
  address: Address
  abi: abi
  functionName: name
  args: args
  block: Pick<BlockRef, 'hash'>
}

/** @throws EigenxError CHAIN_* without quorum, CONTRACT_UNEXPECTED when the agreed answer does not fit the ABI. */
export async function readContract<
  const abi extends Abi,
  name extends ContractFunctionName<abi, View>,
  const args extends ContractFunctionArgs<abi, View, name>,
>(
  reader: Pick<ChainReader, 'call'>,
  read: ContractRead<abi, name, args>,
  options?: ReadOptions,
): Promise<ContractFunctionReturnType<abi, View, name, args>> {
  const { contract, address, abi, functionName, args, block } = read
  // viem cannot follow generics through its own overloads; the types above are what callers see.
  const data = encodeFunctionData({ abi, functionName, args } as Parameters<
    typeof encodeFunctionData
  >[0])
  const answer = await reader.call({ to: address, data, block }, options)
  if (answer.kind === 'value') {
    try {
      return decodeFunctionResult({ abi, functionName, args, data: answer.value } as Parameters<
        typeof decodeFunctionResult
      >[0]) as ContractFunctionReturnType<abi, View, name, args>
    } catch {
      // Told below, without viem's text.
    }
  }
  throw new EigenxError({
    code: 'CONTRACT_UNEXPECTED',
    message: `${contract}.${functionName} ${answer.kind === 'revert' ? 'reverted' : 'answered something else than its ABI'}`,
    stage: 'chain',
    details: { contract, call: functionName },
    hint: `Check that ${address} is the ${contract} of this chain.`,
  })
}
