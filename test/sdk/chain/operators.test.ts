import { bn254 } from '@noble/curves/bn254.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Devnet,
  deployDevnet,
  deregisterOperators,
  devAddress,
  registerOperators,
  registerWithoutKey,
  updateSocket,
} from '../../../helper/sim/contracts.ts'
import { createMembershipPort } from '../../../kms/chain/epoch-log-port.ts'
import { type Hex, toHex, uintBE } from '../../../sdk/bytes.ts'
import { parseSocket, readOperatorSet } from '../../../sdk/chain/operators.ts'
import { type ChainReader, createChainReader } from '../../../sdk/chain/reader.ts'
import type { OperatorInfo } from '../../../sdk/chain/types.ts'
import { type Anvil, callNode, finalise, mineBlocks, startAnvil } from '../../kit/anvil.ts'
import { startRpcProxy } from '../../kit/rpc-proxy.ts'

let anvil: Anvil
let reader: ChainReader

beforeAll(async () => {
  anvil = await startAnvil()
  reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: 31337 })
})

afterAll(async () => {
  reader.close()
  await anvil.stop()
})

function ecdsaOperator(index: number, socket = `http://127.0.0.1:${7500 + index}`): OperatorInfo {
  const address = devAddress(index)
  return { address, socket, signingKey: { curve: 'ecdsa', address } }
}

/** Coordinates as the chain keeps them: G2 with the imaginary part first. */
function bn254Operator(index: number): OperatorInfo {
  const scalar = BigInt(1000 + index)
  const g1 = bn254.G1.Point.BASE.multiply(scalar).toAffine()
  const g2 = bn254.G2.Point.BASE.multiply(scalar).toAffine()
  const join = (words: bigint[]): Hex =>
    `0x${words.map((word) => toHex(uintBE(word, 32)).slice(2)).join('')}`
  return {
    address: devAddress(index),
    socket: `https://operator-${index}.example`,
    signingKey: {
      curve: 'bn254',
      g1: join([g1.x, g1.y]),
      g2: join([g2.x.c1, g2.x.c0, g2.y.c1, g2.y.c0]),
    },
  }
}

async function deployWith(
  operators: readonly OperatorInfo[],
  curve: 'ecdsa' | 'bn254' = 'ecdsa',
): Promise<Devnet> {
  const devnet = await deployDevnet({ rpcUrl: anvil.url, operatorSetId: 5, curve })
  await registerOperators(devnet, operators)
  await finalise(anvil.url)
  return devnet
}

describe('an operator set', () => {
  it.each([
    ['secp256k1', 'ecdsa', ecdsaOperator],
    ['BN254', 'bn254', bn254Operator],
  ] as const)(
    'with %s keys is read whole, in the order of the addresses',
    async (_name, curve, make) => {
      const operators = [2, 3, 4, 5].map((index) => make(index))
      const devnet = await deployWith(operators, curve)
      const set = await readOperatorSet(reader, devnet)
      const sorted = operators.toSorted((a, b) => (a.address < b.address ? -1 : 1))
      expect(set.operators).toEqual(sorted)
      expect(set).toMatchObject({ avs: devnet.avs, operatorSetId: 5 })
      expect(set.block).toEqual(await reader.pinnedBlock())
    },
  )

  it('is that of the block that was asked for', async () => {
    const [first, second, third] = [ecdsaOperator(2), ecdsaOperator(3), ecdsaOperator(4)]
    const devnet = await deployWith([first, second])
    const before = await reader.pinnedBlock()
    await registerOperators(devnet, [third])
    await deregisterOperators(devnet, [first.address])
    await updateSocket(devnet, second.address, 'https://moved.example/kms/')
    await finalise(anvil.url)
    const members = async (block?: typeof before) =>
      (await readOperatorSet(reader, devnet, block)).operators.map(({ address }) => address).sort()
    expect(await members(before)).toEqual([first.address, second.address].sort())
    expect(await members()).toEqual([second.address, third.address].sort())
    const { operators } = await readOperatorSet(reader, devnet)
    const moved = operators.find(({ address }) => address === second.address)
    expect(moved?.socket).toBe('https://moved.example/kms')
  })

  it('keeps a member whose socket is of no use: one operator cannot hide the set', async () => {
    const devnet = await deployWith([ecdsaOperator(2), ecdsaOperator(3, 'file:///etc/passwd')])
    const { operators } = await readOperatorSet(reader, devnet)
    const sockets = Object.fromEntries(operators.map(({ address, socket }) => [address, socket]))
    expect(sockets).toEqual({
      [devAddress(2)]: 'http://127.0.0.1:7502',
      [devAddress(3)]: '',
    })
  })
})

describe('an operator set is refused', () => {
  it('without members', async () => {
    const devnet = await deployWith([])
    await expect(readOperatorSet(reader, devnet)).rejects.toMatchObject({
      code: 'OPERATOR_SET_INVALID',
    })
  })

  it('with a member that has registered no key, by name', async () => {
    const devnet = await deployWith([ecdsaOperator(2)])
    await registerWithoutKey(devnet, devAddress(3), 'http://127.0.0.1:1')
    await finalise(anvil.url)
    await expect(readOperatorSet(reader, devnet)).rejects.toMatchObject({
      code: 'OPERATOR_SET_INVALID',
      details: { operator: devAddress(3), reason: expect.stringMatching(/no key/) },
    })
  })

  it('with an empty key', async () => {
    const empty = {
      ...ecdsaOperator(2),
      signingKey: { curve: 'ecdsa', address: `0x${'00'.repeat(20)}` },
    } as const
    const devnet = await deployWith([empty])
    await expect(readOperatorSet(reader, devnet)).rejects.toMatchObject({
      details: { operator: devAddress(2), reason: expect.stringMatching(/empty key/) },
    })
  })

  it('with one key behind two operators', async () => {
    const twin = { ...ecdsaOperator(3), signingKey: ecdsaOperator(2).signingKey }
    const devnet = await deployWith([ecdsaOperator(2), twin])
    await expect(readOperatorSet(reader, devnet)).rejects.toMatchObject({
      code: 'OPERATOR_SET_INVALID',
      details: { reason: expect.stringMatching(/share one signing key/) },
    })
  })

  it('with a member that is listed twice', async () => {
    const devnet = await deployWith([ecdsaOperator(2)])
    const word = devAddress(2).slice(2).padStart(64, '0')
    const listed = `0x${(32).toString(16).padStart(64, '0')}${(2).toString(16).padStart(64, '0')}${word}${word}`
    const lying: ChainReader = {
      ...reader,
      call: async (call, options) =>
        call.data.startsWith('0x6e875dba')
          ? { kind: 'value', value: `0x${listed.slice(2)}` }
          : reader.call(call, options),
    }
    await expect(readOperatorSet(lying, devnet)).rejects.toMatchObject({
      code: 'OPERATOR_SET_INVALID',
      details: { operator: devAddress(2) },
    })
  })

  it('where the contracts are others than configured', async () => {
    const devnet = await deployWith([ecdsaOperator(2)])
    const wrong = { ...devnet, allocationManager: devnet.epochLog }
    await expect(readOperatorSet(reader, wrong)).rejects.toMatchObject({
      code: 'CONTRACT_UNEXPECTED',
    })
    const otherSet = { ...devnet, operatorSetId: 6 }
    await expect(readOperatorSet(reader, otherSet)).rejects.toMatchObject({
      code: 'OPERATOR_SET_INVALID',
    })
  })
})

describe('membership for the epoch driver', () => {
  it('is at the final block, or at a block that the chain still has', async () => {
    const devnet = await deployWith([ecdsaOperator(2)])
    const port = createMembershipPort(reader, devnet)
    const now = await port.current()
    await registerOperators(devnet, [ecdsaOperator(3)])
    await finalise(anvil.url)
    expect((await port.current()).operators).toHaveLength(2)
    expect(await port.at(now.block)).toEqual(now)
    const { timestamp } = now.block
    for (const lie of [{ hash: `0x${'12'.repeat(32)}` as const }, { timestamp: timestamp + 1 }])
      expect(await port.at({ ...now.block, ...lie })).toBeUndefined()
    // Not there yet: an entry that names it must wait, not fall.
    await expect(port.at({ ...now.block, number: 10n ** 9n })).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
    })
  })

  it('is none at a block before the contracts, and while a member has no key: no certificate can be judged by those', async () => {
    await mineBlocks(anvil.url, 1)
    const before = await reader.latestBlock()
    const devnet = await deployWith([])
    const empty = await reader.latestBlock()
    const port = createMembershipPort(reader, devnet)
    expect(await port.at(before)).toBeUndefined()
    expect(await port.at(empty)).toBeUndefined()
    await expect(readOperatorSet(reader, devnet, before)).rejects.toMatchObject({
      code: 'CONTRACT_UNEXPECTED',
    })
    await expect(readOperatorSet(reader, devnet, empty)).rejects.toMatchObject({
      code: 'OPERATOR_SET_INVALID',
    })
  })

  it('cannot be told where the state is gone: that is said, and no verdict', async () => {
    const devnet = await deployWith([ecdsaOperator(2)])
    const block = await reader.latestBlock()
    const forgetful = await startRpcProxy(anvil.url, ({ method }) =>
      method === 'eth_call' ? { error: { code: -32000, message: 'missing trie node' } } : undefined,
    )
    const behind = createChainReader({ rpcUrls: [forgetful.url], quorum: 1, chainId: 31337 })
    await expect(createMembershipPort(behind, devnet).at(block)).rejects.toMatchObject({
      code: 'CHAIN_UNAVAILABLE',
      hint: expect.stringContaining('archive'),
    })
    behind.close()
    await forgetful.stop()
  })

  it('is not that of a block which a reorganisation dropped', async () => {
    const devnet = await deployWith([ecdsaOperator(2)])
    const port = createMembershipPort(reader, devnet)
    await mineBlocks(anvil.url, 3)
    const tip = await reader.latestBlock()
    expect(await port.at(tip)).toBeDefined()
    await callNode(anvil.url, 'anvil_reorg', [1, []])
    expect(await port.at(tip)).toBeUndefined()
  })
})

describe('a socket', () => {
  const accepted = [
    ['http://127.0.0.1:7501', 'http://127.0.0.1:7501'],
    ['https://kms.example', 'https://kms.example'],
    ['https://kms.example/', 'https://kms.example'],
    ['https://kms.example/a/b//', 'https://kms.example/a/b'],
    ['http://[::1]:7501', 'http://[::1]:7501'],
  ]
  it.each(accepted)('%s is used as %s', (text, expected) => {
    expect(parseSocket(text)).toBe(expected)
  })

  const refused = [
    '',
    'kms.example:7501',
    'ftp://kms.example',
    'javascript:alert(1)',
    'https://user:pass@kms.example',
    'https://kms.example?x=1',
    'https://kms.example/#x',
    'https://kms.example\\evil',
    'https://kms .example',
    'https://kms.example\n',
    'https://',
    'https:///',
    'http://127.0.0.1:99999',
    'https://bücher.example',
    `https://${'a'.repeat(600)}.example`,
  ]
  it.each(refused)('%j is of no use', (text) => {
    expect(parseSocket(text)).toBeUndefined()
  })
})
