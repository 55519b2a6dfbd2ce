import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UPGRADE_CONFIRMED_TOPIC } from '../../../sdk/chain/abi/app-controller.ts'
import { findConfirmation } from '../../../sdk/chain/confirmation.ts'
import type { ChainReader, Finality } from '../../../sdk/chain/reader.ts'
import { createReleaseCache } from '../../../sdk/chain/release.ts'
import type { ChainLog } from '../../../sdk/chain/wire.ts'
import { EigenxError } from '../../../sdk/errors.ts'
import { APP, APP_TOPIC, BLOCK, hash, logOf } from './fixtures.ts'

const CONTROLLER = logOf({}).address
const HALF_A_YEAR = 1_290_000n
const DATA: ChainLog['data'] = `0x${BLOCK.number.toString(16).padStart(64, '0')}`

/** UpgradeConfirmed for the releases of `BLOCK`. */
const confirmedIn = (blockNumber: bigint) =>
  logOf({
    topics: [UPGRADE_CONFIRMED_TOPIC, APP_TOPIC],
    data: DATA,
    blockNumber,
    transactionHash: hash(Number(blockNumber % 251n)),
  })

type Chain = {
  events: bigint[]
  finality: Finality
  requests: number
  /** More blocks of one request are refused. */
  maxSpan: bigint
}

function chainOf(changes: Partial<Chain> = {}): Chain {
  return { events: [], finality: 'finalized', requests: 0, maxSpan: 5000n, ...changes }
}

function readerOf(chain: Chain): Pick<ChainReader, 'logs' | 'finality'> {
  return {
    finality: chain.finality,
    logs: async ({ in: range }) => {
      if ('blockHash' in range) throw new Error('the test expects ranges')
      chain.requests++
      if (range.toBlock - range.fromBlock >= chain.maxSpan)
        throw new EigenxError({
          code: 'CHAIN_UNAVAILABLE',
          message: 'too many blocks',
          stage: 'chain',
          details: { needed: 1, got: 0 },
        })
      return chain.events
        .filter((number) => number >= range.fromBlock && number <= range.toBlock)
        .map(confirmedIn)
    },
  }
}

type Views = { head: bigint; final: bigint }
const newCache = () => createReleaseCache().confirmations

async function ask(chain: Chain, { head, final }: Views, memory?: ReturnType<typeof newCache>) {
  chain.requests = 0
  const question = {
    appController: CONTROLLER,
    app: APP,
    releaseBlock: BLOCK,
    head,
    final,
  } as const
  const found = await findConfirmation(readerOf(chain), question, memory)
  return typeof found === 'string' ? found : found.blockNumber
}

const viewsAt = (final: bigint): Views => ({ head: final + 70n, final })

describe('the search for the confirmation of a release', () => {
  it('is long once, and then looks only at what is new', async () => {
    const chain = chainOf()
    const memory = newCache()
    expect(await ask(chain, viewsAt(HALF_A_YEAR), memory)).toBe('none')
    expect(chain.requests).toBeGreaterThan(250)
    for (const later of [0n, 1n, 100n, 300n]) {
      expect(await ask(chain, viewsAt(HALF_A_YEAR + later), memory)).toBe('none')
      expect(chain.requests).toBe(1)
    }
  })

  it('finds an old event at once the second time, and a newer one instead when it comes', async () => {
    const chain = chainOf({ events: [500n] })
    const memory = newCache()
    expect(await ask(chain, viewsAt(HALF_A_YEAR), memory)).toBe(500n)
    expect(await ask(chain, viewsAt(HALF_A_YEAR + 5n), memory)).toBe(500n)
    expect(chain.requests).toBe(1)
    chain.events.push(HALF_A_YEAR + 50n)
    const notFinal = { head: HALF_A_YEAR + 80n, final: HALF_A_YEAR + 10n }
    expect(await ask(chain, notFinal, memory)).toBe(HALF_A_YEAR + 50n)
    // What is served until then: the newest one that is final.
    expect(await ask(chain, { ...notFinal, head: notFinal.final }, memory)).toBe(500n)
    expect(chain.requests).toBe(1)
  })

  it('remembers nothing that a reorganisation could change', async () => {
    const chain = chainOf({ events: [HALF_A_YEAR + 20n] })
    const memory = newCache()
    expect(await ask(chain, viewsAt(HALF_A_YEAR), memory)).toBe(HALF_A_YEAR + 20n)
    chain.events = [HALF_A_YEAR - 999n, HALF_A_YEAR + 30n]
    expect(await ask(chain, viewsAt(HALF_A_YEAR), memory)).toBe(HALF_A_YEAR + 30n)
    chain.events.pop()
    expect(await ask(chain, viewsAt(HALF_A_YEAR), memory)).toBe(HALF_A_YEAR - 999n)
    chain.events.pop()
    expect(await ask(chain, viewsAt(HALF_A_YEAR), memory)).toBe('none')
  })

  it('remembers nothing where the newest block counts as final', async () => {
    const chain = chainOf({ finality: 'latest' })
    const memory = newCache()
    const newest = { head: 50_000n, final: 50_000n }
    for (const _ of [1, 2]) {
      expect(await ask(chain, newest, memory)).toBe('none')
      expect(chain.requests).toBe(10)
    }
  })

  it('keeps apart the same height of two branches', async () => {
    const chain = chainOf()
    const memory = newCache()
    await ask(chain, viewsAt(50_000n), memory)
    chain.events.push(500n)
    const releaseBlock = { ...BLOCK, hash: hash(0x99) }
    const question = {
      appController: CONTROLLER,
      app: APP,
      releaseBlock,
      ...viewsAt(50_000n),
    } as const
    expect(await findConfirmation(readerOf(chain), question, memory)).toEqual(confirmedIn(500n))
  })

  it('asks anew after an hour, so that a wrong answer does not stay', async () => {
    const chain = chainOf()
    const memory = newCache()
    expect(await ask(chain, viewsAt(50_000n), memory)).toBe('none')
    chain.events.push(500n)
    expect(await ask(chain, viewsAt(50_300n), memory)).toBe('none')
    expect(await ask(chain, viewsAt(50_301n), memory)).toBe(500n)
  })

  it('goes on where it gave up', async () => {
    const chain = chainOf({ events: [500n] })
    const memory = newCache()
    const late = 2n * HALF_A_YEAR
    expect(await ask(chain, viewsAt(late))).toBe('gave-up')
    expect(await ask(chain, viewsAt(late), memory)).toBe('gave-up')
    expect(await ask(chain, viewsAt(late), memory)).toBe(500n)
    expect(await ask(chain, viewsAt(late), memory)).toBe(500n)
    expect(chain.requests).toBe(1)
  })

  it('does not take an old event for the newest where it could not look at all above it', async () => {
    const chain = chainOf({ events: [500n] })
    const memory = newCache()
    expect(await ask(chain, viewsAt(50_000n), memory)).toBe(500n)
    // Blocks come and nothing becomes final, and providers answer for few blocks at once.
    chain.maxSpan = 50n
    expect(await ask(chain, { head: 90_000n, final: 50_000n }, memory)).toBe('gave-up')
    chain.maxSpan = 5000n
    expect(await ask(chain, { head: 90_000n, final: 50_000n }, memory)).toBe(500n)
  })

  it('comes to the same with and without memory, on any chain and in any order of questions', async () => {
    const block = fc.bigInt({ min: BLOCK.number, max: 60_000n })
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { maxLength: 4 }),
        block,
        fc.array(
          fc.record({
            step: fc.bigInt({ min: -30n, max: 150n }),
            ahead: fc.bigInt({ min: 0n, max: 3000n }),
          }),
          { maxLength: 8 },
        ),
        fc.constantFrom(5000n, 500n),
        async (events, first, questions, maxSpan) => {
          const chain = chainOf({ events: events.sort((a, b) => Number(a - b)), maxSpan })
          const memory = newCache()
          let final = first
          for (const { step, ahead } of questions) {
            final += step
            for (const head of [final + ahead, final]) {
              const fresh = await ask(chain, { head, final })
              expect(await ask(chain, { head, final }, memory)).toBe(fresh)
            }
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
