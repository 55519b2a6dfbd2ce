import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkFreshness, recentBlock } from '../../../sdk/chain/freshness.ts'
import { type ChainReader, createChainReader } from '../../../sdk/chain/reader.ts'
import { type Anvil, callNode, finalise, mineBlocks, startAnvil } from '../../kit/anvil.ts'

const LIMIT = 600
let anvil: Anvil
let reader: ChainReader

beforeAll(async () => {
  anvil = await startAnvil()
  reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: 31337 })
  await mineBlocks(anvil.url, 5)
})

afterAll(async () => {
  reader.close()
  await anvil.stop()
})

describe('a freshness block', () => {
  it('is the newest final one, and is accepted', async () => {
    const block = await recentBlock(reader)
    expect(block).toEqual(await reader.pinnedBlock())
    expect(await checkFreshness(reader, block.hash, LIMIT)).toEqual(block)
  })

  it('may be newer than the final view', async () => {
    const tip = await reader.latestBlock()
    expect(await checkFreshness(reader, tip.hash, LIMIT)).toEqual(tip)
  })

  it('is accepted up to its limit by block time, and not a second longer', async () => {
    const block = await recentBlock(reader)
    await callNode(anvil.url, 'evm_setNextBlockTimestamp', [block.timestamp + LIMIT])
    await mineBlocks(anvil.url, 1)
    await finalise(anvil.url)
    const final = await reader.pinnedBlock()
    const age = final.timestamp - block.timestamp
    expect(age).toBeGreaterThanOrEqual(LIMIT)
    expect(await checkFreshness(reader, block.hash, age)).toEqual(block)
    await expect(checkFreshness(reader, block.hash, age - 1)).rejects.toMatchObject({
      code: 'EVIDENCE_STALE',
      details: { ageSeconds: age, limitSeconds: age - 1 },
    })
  })

  it('of a dropped fork is refused', async () => {
    await mineBlocks(anvil.url, 3)
    const tip = await reader.latestBlock()
    await callNode(anvil.url, 'anvil_reorg', [1, []])
    await expect(checkFreshness(reader, tip.hash, LIMIT)).rejects.toMatchObject({
      code: 'EVIDENCE_STALE',
      details: { ageSeconds: -1 },
    })
  })

  it('that a node still remembers but that is not canonical is refused', async () => {
    const final = await reader.pinnedBlock()
    const hash = `0x${'ab'.repeat(32)}` as const
    const remembering: ChainReader = {
      ...reader,
      blockByHash: async () => ({ ...final, number: final.number - 1n, hash }),
    }
    await expect(checkFreshness(remembering, hash, LIMIT)).rejects.toMatchObject({
      code: 'EVIDENCE_STALE',
    })
  })

  const garbage = [
    '',
    '0x',
    `0x${'12'.repeat(32)}`,
    'ab'.repeat(32),
    `0x${'AB'.repeat(32)}`,
    `0x${'ab'.repeat(33)}`,
  ]
  it.each(garbage)('%j is refused', async (text) => {
    await expect(checkFreshness(reader, text, LIMIT)).rejects.toMatchObject({
      code: 'EVIDENCE_STALE',
      details: { ageSeconds: -1, limitSeconds: LIMIT },
    })
  })
})
