/**
 * Finds an operator set on chain: members, their sockets and the keys that they sign with.
 *
 * All reads are made at one block. The registered data is the operators' own: a member without a key stops the
 * discovery and is named, because no certificate could be judged; a member with an unusable socket is kept with an
 * empty one, because otherwise a single operator could make the whole set disappear by registering nonsense.
 * @module
 */
import { compareBytes, type Hex, lowerHex, parseHex, toHex, uintBE } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { allocationManagerAbi, keyRegistrarAbi, registrarAbi } from './abi/operator-set.ts'
import { readContract } from './contract.ts'
import type { ChainReader, ReadOptions } from './reader.ts'
import type { Address, BlockRef, OperatorInfo, OperatorSet } from './types.ts'

export type OperatorContracts = {
  allocationManager: Address
  keyRegistrar: Address
  avs: Address
  operatorSetId: number
}

/** Largest set that is worked with. */
export const MAX_OPERATORS = 128
const MAX_SOCKET_CHARS = 512
/** KeyRegistrar's curve types. */
const ECDSA = 1
const BN254 = 2

/**
 * @param at - The block to read at; the newest final one when absent.
 * @throws EigenxError OPERATOR_SET_INVALID, CONTRACT_UNEXPECTED, CHAIN_*.
 */
export async function readOperatorSet(
  reader: ChainReader,
  contracts: OperatorContracts,
  at?: BlockRef,
  options?: ReadOptions,
): Promise<OperatorSet> {
  const block = at ?? (await reader.pinnedBlock(options))
  const { avs, operatorSetId } = contracts
  const set = { avs, id: operatorSetId }
  const allocationManager = {
    contract: 'AllocationManager',
    address: contracts.allocationManager,
    abi: allocationManagerAbi,
    block,
  } as const
  const [members, registrar, curve] = await Promise.all([
    readContract(
      reader,
      { ...allocationManager, functionName: 'getMembers', args: [set] },
      options,
    ),
    readContract(
      reader,
      { ...allocationManager, functionName: 'getAVSRegistrar', args: [avs] },
      options,
    ),
    readContract(
      reader,
      {
        contract: 'KeyRegistrar',
        address: contracts.keyRegistrar,
        abi: keyRegistrarAbi,
        functionName: 'getOperatorSetCurveType',
        args: [set],
        block,
      },
      options,
    ),
  ])
  const addresses = sortMembers(members)
  const context = { reader, contracts, block, registrar, curve, options }
  const operators = await Promise.all(addresses.map((address) => readOperator(context, address)))
  refuseSharedKeys(operators)
  return { avs: lowerHex(avs), operatorSetId, operators, block }
}

/**
 * @returns The base URL without a slash at its end, or `undefined` when the text is not an http(s) base URL:
 * credentials, query, fragment, white space and other schemes are refused.
 */
export function parseSocket(text: string): string | undefined {
  if (text.length > MAX_SOCKET_CHARS || !/^https?:\/\/[!-~]+$/.test(text)) return undefined
  if (/[?#@\\]/.test(text) || !URL.canParse(text)) return undefined
  return text.replace(/\/+$/, '')
}

/** In the order of the address bytes, in which every party numbers operators. */
function sortMembers(members: readonly Address[]): Address[] {
  if (members.length === 0) throw invalid('The operator set has no members')
  if (members.length > MAX_OPERATORS)
    throw invalid(`The operator set has more than ${MAX_OPERATORS} members`)
  const addresses = members.map(lowerHex)
  addresses.sort((a, b) => compareBytes(bytesOf(a), bytesOf(b)))
  addresses.forEach((address, index) => {
    if (address === addresses[index - 1])
      throw invalid('An operator is a member of the set twice', address)
  })
  return addresses
}

type Context = {
  reader: ChainReader
  contracts: OperatorContracts
  block: BlockRef
  registrar: Address
  curve: number
  options: ReadOptions | undefined
}

async function readOperator(context: Context, address: Address): Promise<OperatorInfo> {
  const { reader, registrar, block, options } = context
  const [socket, signingKey] = await Promise.all([
    readContract(
      reader,
      {
        contract: 'AVS registrar',
        address: registrar,
        abi: registrarAbi,
        functionName: 'getOperatorSocket',
        args: [address],
        block,
      },
      options,
    ),
    readSigningKey(context, address),
  ])
  return { address, socket: parseSocket(socket) ?? '', signingKey }
}

async function readSigningKey(
  context: Context,
  operator: Address,
): Promise<OperatorInfo['signingKey']> {
  const { reader, contracts, block, curve, options } = context
  const read = {
    contract: 'KeyRegistrar',
    address: contracts.keyRegistrar,
    abi: keyRegistrarAbi,
    args: [{ avs: contracts.avs, id: contracts.operatorSetId }, operator],
    block,
  } as const
  const isRegistered = await readContract(
    reader,
    { ...read, functionName: 'isRegistered' },
    options,
  )
  if (!isRegistered) throw invalid('An operator of the set has registered no key', operator)
  if (curve === ECDSA) {
    const address = lowerHex(
      await readContract(reader, { ...read, functionName: 'getECDSAAddress' }, options),
    )
    if (/^0x0{40}$/.test(address))
      throw invalid('An operator has registered an empty key', operator)
    return { curve: 'ecdsa', address }
  }
  if (curve === BN254) {
    const [g1, g2] = await readContract(reader, { ...read, functionName: 'getBN254Key' }, options)
    const g1Words = [g1.X, g1.Y]
    const g2Words = [...g2.X, ...g2.Y]
    if (g1Words.every((word) => word === 0n) || g2Words.every((word) => word === 0n))
      throw invalid('An operator has registered an empty key', operator)
    return { curve: 'bn254', g1: joinWords(g1Words), g2: joinWords(g2Words) }
  }
  throw invalid(`The key registrar knows no usable curve for the operator set (type ${curve})`)
}

/** One key behind two operators would count twice in a certificate. */
function refuseSharedKeys(operators: readonly OperatorInfo[]): void {
  const seen = new Set<string>()
  for (const { address, signingKey } of operators) {
    const key = signingKey.curve === 'ecdsa' ? signingKey.address : signingKey.g1
    if (seen.has(key)) throw invalid('Two operators of the set share one signing key', address)
    seen.add(key)
  }
}

function joinWords(words: readonly bigint[]): Hex {
  return `0x${words.map((word) => toHex(uintBE(word, 32)).slice(2)).join('')}`
}

function bytesOf(address: Address): Uint8Array {
  return parseHex(address, 20) ?? new Uint8Array()
}

function invalid(reason: string, operator?: Address): EigenxError<'OPERATOR_SET_INVALID'> {
  return new EigenxError({
    code: 'OPERATOR_SET_INVALID',
    message: operator === undefined ? reason : `${reason}: ${operator}`,
    stage: 'chain',
    details: operator === undefined ? { reason } : { reason, operator },
  })
}
