import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { mapBounded } from '../../../sdk/chain/bounded.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('mapBounded', () => {
  it('does five thousand pieces of work in order, never more than the width at once', async () => {
    let running = 0
    let most = 0
    const results = await mapBounded(numbers(5000), async (n) => {
      most = Math.max(most, ++running)
      await sleep(n % 3 === 0 ? 0 : undefined)
      running--
      return 2 * n
    })
    expect(results).toEqual(numbers(5000).map((n) => 2 * n))
    expect(most).toBe(32)
  })

  it('is done at once with nothing to do', async () => {
    expect(await mapBounded([], async () => 1)).toEqual([])
  })

  it('begins nothing new after a failure, and tells the first one', async () => {
    const begun: number[] = []
    const work = async (n: number) => {
      begun.push(n)
      await sleep(1)
      if (n === 1) throw new Error('no block')
    }
    await expect(mapBounded(numbers(100), work, 2)).rejects.toThrow('no block')
    await sleep(20)
    expect(begun.length).toBeLessThanOrEqual(4)
  })
})
