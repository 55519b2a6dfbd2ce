/**
 * One JSON-RPC provider: bounded in time, size and concurrency, and silent about itself.
 *
 * viem's transport does the HTTP. Its errors quote URL (with the API key in it) and body, so none of them leaves
 * this file: a call ends in an answer or in a fault, which is one word of a closed list.
 * @module
 */
import { http } from 'viem'

/** Why a provider gave no answer. Safe to log and to count. */
export type Fault =
  | 'timeout'
  | 'unreachable'
  | 'too-large'
  | 'wrong-chain'
  | 'refused'
  | 'malformed'
  | 'busy'
  | 'cancelled'

/** What a node says of a transaction that it does not take, as far as it can be told. */
export type Refusal = 'known' | 'nonce-too-low' | 'underpriced' | 'no-funds'

export type Answer<T> =
  | { kind: 'value'; value: T }
  /** The EVM ran the call and reverted: an answer about the chain, not a fault. */
  | { kind: 'revert' }
  | { kind: 'fault'; fault: Fault; refusal?: Refusal }

/** Questions for the newest blocks never wait behind other reads, which a provider may leave unanswered. */
export type Lane = 'head' | 'read'

/** One request to one provider. Never throws. */
export type Provider = {
  request(
    method: string,
    params: readonly unknown[],
    signals?: readonly AbortSignal[],
    /** @default 'read' */
    lane?: Lane,
  ): Promise<Answer<unknown>>
}

type Checked = Exclude<Answer<unknown>, { kind: 'revert' }>

export type ProviderConfig = {
  url: string
  chainId: number
  /** For a request as a whole: its wait for a turn, what precedes it, and a second try. */
  timeoutMs: number
  /** Largest answer in bytes. */
  maxResponseBytes: number
  /** Requests under way at once, beside `MAX_HEADS` in the lane of heads. */
  maxConcurrent: number
}

/** Few are needed: readers share the question for a head, and only those that may cancel ask for themselves. */
const MAX_HEADS = 8
/** Requests that may wait for their turn; beyond it a request is `busy` at once. */
const MAX_WAITING = 2000
/** Public endpoints are many nodes behind one name: a node that lags is often not the one asked next. */
const RETRY_DELAY_MS = 150

export function createProvider(config: ProviderConfig): Provider {
  const gates: Record<Lane, Gate> = {
    head: createGate(MAX_HEADS, MAX_WAITING),
    read: createGate(config.maxConcurrent, MAX_WAITING),
  }
  const send = createSender(config)
  let chainChecked: Promise<Checked> | undefined

  async function checkChain(): Promise<Checked> {
    const answer = await withinTime(config.timeoutMs, [], (ends) => send('eth_chainId', [], ends))
    if (answer.kind === 'revert') return { kind: 'fault', fault: 'malformed' }
    if (answer.kind === 'fault') return answer
    const matches = parseQuantity(answer.value) === BigInt(config.chainId)
    return matches ? answer : { kind: 'fault', fault: 'wrong-chain' }
  }

  async function ask(
    method: string,
    params: readonly unknown[],
    ends: readonly AbortSignal[],
  ): Promise<Answer<unknown>> {
    chainChecked ??= checkChain()
    const check = await orCancelled(chainChecked, ends)
    if (check.kind !== 'value') {
      // Ask again next time, unless only this caller went away.
      if (check.fault !== 'cancelled') chainChecked = undefined
      return check
    }
    const answer = await send(method, params, ends)
    if (answer.kind !== 'fault' || !isWorthRetrying(answer)) return answer
    await pause(RETRY_DELAY_MS)
    return isCancelled(ends) ? answer : await send(method, params, ends)
  }

  return {
    request: (method, params, signals = [], lane = 'read') =>
      withinTime(config.timeoutMs, signals, async (ends) => {
        const leave = await gates[lane](ends)
        if (leave === undefined)
          return { kind: 'fault', fault: isCancelled(ends) ? 'cancelled' : 'busy' }
        try {
          return await ask(method, params, ends)
        } finally {
          leave()
        }
      }),
  }
}

/** @param work - Stops with the fault `cancelled` once one of its signals says so; where that was the clock, it is a timeout. */
async function withinTime(
  timeoutMs: number,
  signals: readonly AbortSignal[],
  work: (ends: readonly AbortSignal[]) => Promise<Answer<unknown>>,
): Promise<Answer<unknown>> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeoutMs)
  try {
    const answer = await work([...signals, late.signal])
    const isCut = answer.kind === 'fault' && answer.fault === 'cancelled'
    return isCut && !isCancelled(signals) ? { kind: 'fault', fault: 'timeout' } : answer
  } finally {
    clearTimeout(timer)
  }
}

/** A JSON-RPC quantity: minimal hex of at most 256 bits. */
export function parseQuantity(value: unknown): bigint | undefined {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) return undefined
  return BigInt(value)
}

type Send = (
  method: string,
  params: readonly unknown[],
  ends: readonly AbortSignal[],
) => Promise<Answer<unknown>>

function createSender(config: ProviderConfig): Send {
  const transport = http(config.url, {
    raw: true,
    retryCount: 0,
    timeout: config.timeoutMs,
    maxResponseBodySize: config.maxResponseBytes,
    // A redirect would carry the request to a party that nobody configured.
    fetchOptions: { redirect: 'error' },
  })({ retryCount: 0, timeout: config.timeoutMs })
  const request: (
    args: { method: string; params: readonly unknown[] },
    options: { signal: AbortSignal },
  ) => Promise<unknown> = transport.request

  return async (method, params, ends) => {
    if (isCancelled(ends)) return { kind: 'fault', fault: 'cancelled' }
    // viem's own timer stops at the headers; these signals cover the body too. Linked by hand and unlinked, since
    // AbortSignal.any keeps every request's signal alive as long as a signal that lives with the process.
    const controller = new AbortController()
    const unlink = ends.map((signal) => onAbort(signal, () => controller.abort()))
    try {
      return readEnvelope(await request({ method, params }, { signal: controller.signal }))
    } catch (error) {
      return { kind: 'fault', fault: isCancelled(ends) ? 'cancelled' : faultOf(error) }
    } finally {
      for (const remove of unlink) remove()
    }
  }
}

const abortCalls = new WeakMap<AbortSignal, Set<() => void>>()

/** One listener a signal, however many requests hang on it: Node warns of a leak beyond ten. */
function onAbort(signal: AbortSignal, call: () => void): () => void {
  const known = abortCalls.get(signal)
  const calls = known ?? new Set()
  if (known === undefined) {
    abortCalls.set(signal, calls)
    signal.addEventListener('abort', () => {
      for (const next of calls) next()
    })
  }
  calls.add(call)
  return () => calls.delete(call)
}

/** The check is shared by all callers, so none of them may abort it; each may stop waiting. */
async function orCancelled(
  check: Promise<Checked>,
  signals: readonly AbortSignal[],
): Promise<Checked> {
  const cancelled: Checked = { kind: 'fault', fault: 'cancelled' }
  if (isCancelled(signals)) return cancelled
  let unlink: (() => void)[] = []
  try {
    const gone = new Promise<Checked>((resolve) => {
      unlink = signals.map((signal) => onAbort(signal, () => resolve(cancelled)))
    })
    return await Promise.race([check, gone])
  } finally {
    for (const remove of unlink) remove()
  }
}

function isCancelled(signals: readonly AbortSignal[]): boolean {
  return signals.some((signal) => signal.aborted)
}

function readEnvelope(raw: unknown): Answer<unknown> {
  if (typeof raw !== 'object' || raw === null) return { kind: 'fault', fault: 'malformed' }
  if ('error' in raw && raw.error !== undefined) return readRpcError(raw.error)
  if (!('result' in raw) || raw.result === undefined) return { kind: 'fault', fault: 'malformed' }
  return { kind: 'value', value: raw.result }
}

/** Nodes agree on "revert" only in words: code 3 or -32000 or -32015, with or without data. */
function readRpcError(error: unknown): Answer<unknown> {
  if (typeof error !== 'object' || error === null) return { kind: 'fault', fault: 'refused' }
  const code = 'code' in error ? error.code : undefined
  const message = 'message' in error && typeof error.message === 'string' ? error.message : ''
  const text = message.slice(0, 200)
  if (code === 3 || /\brevert(ed)?\b/i.test(text)) return { kind: 'revert' }
  const refusal = REFUSALS.find(([pattern]) => pattern.test(text))?.[1]
  return { kind: 'fault', fault: 'refused', ...(refusal === undefined ? {} : { refusal }) }
}

/** Words of geth, which reth, erigon, nethermind and anvil follow. */
const REFUSALS: readonly (readonly [RegExp, Refusal])[] = [
  [/already (known|imported)|known transaction/i, 'known'],
  [/nonce (is )?too low|nonce.*already used/i, 'nonce-too-low'],
  [/underpriced|fee too low|less than block base fee/i, 'underpriced'],
  [/insufficient funds/i, 'no-funds'],
]

function faultOf(error: unknown): Fault {
  const name = error instanceof Error ? error.name : ''
  if (name === 'TimeoutError') return 'timeout'
  if (name === 'ResponseBodyTooLargeError') return 'too-large'
  if (hasSyntaxError(error)) return 'malformed'
  return 'unreachable'
}

function hasSyntaxError(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (at instanceof SyntaxError) return true
  return false
}

function isWorthRetrying({ fault, refusal }: { fault: Fault; refusal?: Refusal }): boolean {
  return (fault === 'refused' && refusal === undefined) || fault === 'unreachable'
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Waits for a place. @returns A function to leave, or nothing when too many wait already or one of the signals ended the wait. */
type Gate = (ends: readonly AbortSignal[]) => Promise<(() => void) | undefined>

function createGate(width: number, maxWaiting: number): Gate {
  let inside = 0
  // In the order of their arrival.
  const waiting = new Set<() => void>()
  const leaveOnce = () => {
    let left = false
    return () => {
      if (left) return
      left = true
      const [next] = waiting
      // The place passes on to the next in line without becoming free.
      if (next === undefined) inside--
      else next()
    }
  }
  return async (ends) => {
    if (isCancelled(ends)) return undefined
    if (inside < width) {
      inside++
      return leaveOnce()
    }
    if (waiting.size >= maxWaiting) return undefined
    let unlink: (() => void)[] = []
    const place = new Promise<(() => void) | undefined>((resolve) => {
      const enter = () => {
        waiting.delete(enter)
        resolve(leaveOnce())
      }
      waiting.add(enter)
      const giveUp = () => {
        if (waiting.delete(enter)) resolve(undefined)
      }
      unlink = ends.map((signal) => onAbort(signal, giveUp))
    })
    return place.finally(() => {
      for (const remove of unlink) remove()
    })
  }
}
