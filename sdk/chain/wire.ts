/**
 * Strict readings of what a JSON-RPC node answers: headers, logs and call results.
 *
 * A provider is not trusted: what does not fit is `undefined`, which counts as a malformed answer.
 * @module
 */
import * as z from 'zod'
import type { Hex } from '../bytes.ts'
import type { Address, BlockRef, Hash32 } from './types.ts'

/** One event as the node tells it; hex in lower case. */
export type ChainLog = {
  address: Address
  topics: readonly Hash32[]
  data: Hex
  blockNumber: bigint
  blockHash: Hash32
  transactionHash: Hash32
  transactionIndex: number
  logIndex: number
}

/** An address as an indexed argument of an event. */
export function addressTopic(address: Address): Hash32 {
  return `0x${address.slice(2).padStart(64, '0')}`
}

/** No chain has a block number or time beyond it, and numbers stay exact. */
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

const hexText = (pattern: RegExp) =>
  z
    .string()
    .regex(pattern)
    .transform((text): Hex => `0x${text.slice(2).toLowerCase()}`)

const hash32 = hexText(/^0x[0-9a-fA-F]{64}$/)
const address = hexText(/^0x[0-9a-fA-F]{40}$/)
const bytes = hexText(/^0x([0-9a-fA-F]{2})*$/)
const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,16}$/)
  .transform((text) => BigInt(text))
  .refine((value) => value <= MAX_SAFE)
const smallNumber = quantity.transform(Number)

const header = z
  .object({ number: quantity, hash: hash32, timestamp: smallNumber })
  .transform((fields): BlockRef => fields)

const log = z.object({
  address,
  topics: z.array(hash32).max(4),
  data: bytes,
  blockNumber: quantity,
  blockHash: hash32,
  transactionHash: hash32,
  transactionIndex: smallNumber,
  logIndex: smallNumber,
  removed: z.literal(false).optional(),
})

export function parseHeader(value: unknown): BlockRef | undefined {
  const parsed = header.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

export function parseCallResult(value: unknown): Hex | undefined {
  const parsed = bytes.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

/** @returns The logs in chain order, or `undefined` when one is malformed, repeated or there are too many. */
export function parseLogs(value: unknown, limit: number): ChainLog[] | undefined {
  if (!Array.isArray(value) || value.length > limit) return undefined
  const logs: ChainLog[] = []
  for (const item of value) {
    const parsed = log.safeParse(item)
    if (!parsed.success) return undefined
    const { removed: _, ...fields } = parsed.data
    logs.push(fields)
  }
  logs.sort(compareLogs)
  const repeats = logs.some((item, index) => {
    const before = logs[index - 1]
    return before !== undefined && compareLogs(before, item) === 0
  })
  return repeats ? undefined : logs
}

/** Chain order: block number, then log index. */
export function compareLogs(
  a: Pick<ChainLog, 'blockNumber' | 'logIndex'>,
  b: Pick<ChainLog, 'blockNumber' | 'logIndex'>,
): number {
  if (a.blockNumber !== b.blockNumber) return a.blockNumber < b.blockNumber ? -1 : 1
  return a.logIndex - b.logIndex
}

export function canonicalHeader(block: BlockRef): string {
  return `${block.number}:${block.hash}:${block.timestamp}`
}

export function canonicalLogs(logs: readonly ChainLog[]): string {
  return JSON.stringify(logs.map((item) => ({ ...item, blockNumber: item.blockNumber.toString() })))
}
