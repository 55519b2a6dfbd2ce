/**
 * An operator's signing key towards EigenLayer's KeyRegistrar: what it has to sign, how the registrar spells it, whether it is there.
 *
 * ECDSA: 20 bytes, the key's address. BN254: 192 bytes, G1 x, y and G2 with the imaginary part of each coordinate first.
 * @module
 */
import { encodeAbiParameters, hashDomain, hashStruct } from 'viem'
import { concatBytes, equalBytes, type Hex, lowerHex, parseHex, toHex } from '../sdk/bytes.ts'
import { keyRegistrarAbi } from '../sdk/chain/abi/operator-set.ts'
import { readContract } from '../sdk/chain/contract.ts'
import type { OperatorContracts } from '../sdk/chain/operators.ts'
import type { ChainReader } from '../sdk/chain/reader.ts'
import type { Address, BlockRef, OperatorInfo } from '../sdk/chain/types.ts'
import { isConsistentKey } from '../sdk/protocol/bn254.ts'

type SigningKey = OperatorInfo['signingKey']

/** Whether the registrar holds this very key for the operator. */
export async function holdsKey(
  reader: Pick<ChainReader, 'call'>,
  contracts: OperatorContracts,
  { operator, key, block }: { operator: Address; key: SigningKey; block: BlockRef },
): Promise<boolean> {
  const read = {
    contract: 'KeyRegistrar',
    address: contracts.keyRegistrar,
    abi: keyRegistrarAbi,
    args: [setOf(contracts), operator],
    block,
  } as const
  if (key.curve === 'ecdsa') {
    const address = await readContract(reader, { ...read, functionName: 'getECDSAAddress' })
    return lowerHex(address) === key.address
  }
  const [g1, g2] = await readContract(reader, { ...read, functionName: 'getBN254Key' })
  const registered = encodeWords([g1.X, g1.Y, ...g2.X, ...g2.Y])
  return equalBytes(registered, bn254KeyData(key))
}

/** What proves possession of the key to the registrar, as EIP-712 bytes before hashing, and the key in the registrar's encoding. */
export function registrationStatement(
  set: Omit<OperatorContracts, 'allocationManager'> & { chainId: number },
  operator: Address,
  key: SigningKey,
): { statement: Uint8Array; keyData: Hex } {
  const keyData = key.curve === 'ecdsa' ? key.address : toHex(bn254KeyData(key))
  const domain = {
    name: 'EigenLayer',
    version: '1',
    chainId: BigInt(set.chainId),
    verifyingContract: set.keyRegistrar,
  }
  const message = { operator, avs: set.avs, operatorSetId: set.operatorSetId }
  const common = [
    { name: 'operator', type: 'address' },
    { name: 'avs', type: 'address' },
    { name: 'operatorSetId', type: 'uint32' },
  ] as const
  const struct =
    key.curve === 'ecdsa'
      ? hashStruct({
          primaryType: 'ECDSAKeyRegistration',
          types: { ECDSAKeyRegistration: [...common, { name: 'keyAddress', type: 'address' }] },
          data: { ...message, keyAddress: key.address },
        })
      : hashStruct({
          primaryType: 'BN254KeyRegistration',
          types: { BN254KeyRegistration: [...common, { name: 'keyData', type: 'bytes' }] },
          data: { ...message, keyData },
        })
  const separator = hashDomain({
    domain,
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
    },
  })
  const statement = concatBytes(Uint8Array.of(0x19, 0x01), bytesOf(separator), bytesOf(struct))
  return { statement, keyData }
}

function bn254KeyData(key: Extract<SigningKey, { curve: 'bn254' }>): Uint8Array {
  if (!isConsistentKey(key)) throw new RangeError('a BN254 key has two halves of one secret')
  return concatBytes(bytesOf(key.g1), bytesOf(key.g2))
}

function encodeWords(words: readonly bigint[]): Uint8Array {
  return bytesOf(
    encodeAbiParameters(
      words.map(() => ({ type: 'uint256' })),
      words,
    ),
  )
}

function bytesOf(hex: Hex): Uint8Array {
  const bytes = parseHex(hex, (hex.length - 2) / 2)
  if (bytes === undefined) throw new RangeError('not hex')
  return bytes
}

export function setOf({ avs, operatorSetId }: Pick<OperatorContracts, 'avs' | 'operatorSetId'>): {
  avs: Address
  id: number
} {
  return { avs, id: operatorSetId }
}
