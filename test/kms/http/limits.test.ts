import { describe, expect, it } from 'vitest'
import {
  callerKey,
  createGate,
  createRateLimiter,
  createTimeBudget,
  readBody,
  type TimeBudget,
  withinTime,
} from '../../../kms/http/limits.ts'
import { isEigenxError } from '../../../sdk/errors.ts'

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    return isEigenxError(error) ? error.code : 'foreign'
  }
}

describe('the rate limiter', () => {
  const limit = { perSecond: 1, burst: 3, concurrent: 1 }

  it('lets a burst through and then refuses, with the time to wait', async () => {
    const limiter = createRateLimiter(limit, 100)
    // One token of this second and three of the burst.
    for (let i = 0; i < 4; i++) await limiter.take('a', 0)
    const refused = await limiter.take('a', 0).catch((error: unknown) => error)
    expect(
      isEigenxError(refused, 'RATE_LIMITED') && refused.details.retryAfterSeconds,
    ).toBeGreaterThan(0)
  })

  it('counts callers apart', async () => {
    const limiter = createRateLimiter(limit, 100)
    for (let i = 0; i < 4; i++) await limiter.take('a', 0)
    expect(await codeOf(limiter.take('a', 0))).toBe('RATE_LIMITED')
    expect(await codeOf(limiter.take('b', 0))).toBe('none')
  })

  it('remembers a bounded number of callers; later strangers share one allowance', async () => {
    const limiter = createRateLimiter(limit, 2)
    for (const known of ['a', 'b']) await limiter.take(known, 0)
    for (let i = 0; i < 4; i++) await limiter.take(`stranger-${i}`, 0)
    expect(await codeOf(limiter.take('stranger-99', 0))).toBe('RATE_LIMITED')
    expect(await codeOf(limiter.take('a', 0))).toBe('none')
  })

  it('takes new callers up again when the window turns', async () => {
    const limiter = createRateLimiter(limit, 1)
    await limiter.take('a', 0)
    for (let i = 0; i < 4; i++) await limiter.take(`stranger-${i}`, 0)
    expect(await codeOf(limiter.take('stranger-0', 3000))).toBe('none')
  })
})

describe('a budget of time', () => {
  const waste = (budget: TimeBudget, caller: string, nowMs: number) => {
    budget.check(caller, nowMs)
    budget.charge(caller, 60, nowMs)
  }
  const refusal = expect.objectContaining({
    code: 'RATE_LIMITED',
    details: { retryAfterSeconds: 9 },
  })

  it('is used up by what was wasted, of each caller apart, until the window turns', () => {
    const budget = createTimeBudget({ ms: 100, windowMs: 10_000 }, 100)
    waste(budget, 'a', 1_000)
    waste(budget, 'a', 1_000)
    expect(() => waste(budget, 'a', 2_000)).toThrow(refusal)
    waste(budget, 'b', 2_000)
    waste(budget, 'a', 11_000)
  })

  it('begins anew when the clock is set back, and knows a bounded number of callers', () => {
    const budget = createTimeBudget({ ms: 100, windowMs: 10_000 }, 2)
    for (const caller of ['a', 'a', 'b', 'c', 'd']) waste(budget, caller, 50_000)
    expect(() => waste(budget, 'e', 51_000)).toThrow(refusal)
    waste(budget, 'b', 51_000)
    waste(budget, 'a', 1_000)
  })
})

describe('the gate', () => {
  it('refuses at once above its limit and frees places when work ends or fails', async () => {
    const gate = createGate(2)
    let finish = () => {}
    const slow = new Promise<void>((resolve) => {
      finish = resolve
    })
    const first = gate.run('a', () => slow)
    const second = gate.run('b', () => slow.then(() => Promise.reject(new Error('broken'))))
    expect(await codeOf(gate.run('c', async () => undefined))).toBe('OVERLOADED')
    finish()
    await first
    await expect(second).rejects.toThrow('broken')
    expect(gate.inFlight()).toBe(0)
    expect(await codeOf(gate.run('c', async () => undefined))).toBe('none')
  })

  it('keeps places free for others when one caller holds its share', async () => {
    const gate = createGate(3, 1)
    let finish = () => {}
    const slow = new Promise<void>((resolve) => {
      finish = resolve
    })
    const held = gate.run('a', () => slow)
    expect(await codeOf(gate.run('a', async () => undefined))).toBe('OVERLOADED')
    expect(await codeOf(gate.run('b', async () => undefined))).toBe('none')
    finish()
    await held
  })
})

describe('the caller key', () => {
  it.each<[string | undefined, string | undefined, readonly string[], string]>([
    ['203.0.113.9', undefined, [], '203.0.113.9'],
    ['::ffff:203.0.113.9', undefined, [], '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', undefined, [], '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::1', undefined, [], '2001:db8:1:2::/64'],
    ['2001:db8::1', undefined, [], '2001:db8:0:0::/64'],
    ['::1', undefined, [], '0:0:0:0::/64'],
    [undefined, undefined, [], 'unknown'],
    // Nobody is a proxy by default, so the header is the caller's own text.
    ['203.0.113.9', '10.0.0.1', [], '203.0.113.9'],
    ['10.0.0.2', '198.51.100.1', ['10.0.0.2'], '198.51.100.1'],
    ['10.0.0.2', '1.1.1.1, 198.51.100.1', ['10.0.0.2'], '198.51.100.1'],
    ['10.0.0.2', 'nonsense', ['10.0.0.2'], '10.0.0.2'],
    ['::ffff:10.0.0.2', '198.51.100.1', ['10.0.0.2'], '198.51.100.1'],
  ])('%s with X-Forwarded-For %s behind %s is %s', (remote, forwarded, proxies, expected) => {
    expect(callerKey(remote, forwarded, proxies)).toBe(expected)
  })
})

describe('reading a body', () => {
  const request = (body: BodyInit | ReadableStream, headers = {}) =>
    new Request('http://x/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)

  it('takes exactly the limit', async () => {
    expect(await readBody(request(new Uint8Array(10)), 10)).toHaveLength(10)
  })

  it('refuses one byte more', async () => {
    expect(await codeOf(readBody(request(new Uint8Array(11)), 10))).toBe('INPUT_TOO_LARGE')
  })

  it('believes a large content-length without reading', async () => {
    const body = request('x', { 'content-length': '999999' })
    expect(await codeOf(readBody(body, 10))).toBe('INPUT_TOO_LARGE')
  })

  it('stops an endless stream at the limit', async () => {
    let pulled = 0
    const endless = new ReadableStream({
      pull: (controller) => {
        pulled++
        controller.enqueue(new Uint8Array(1000))
      },
    })
    expect(await codeOf(readBody(request(endless), 5000))).toBe('INPUT_TOO_LARGE')
    expect(pulled).toBeLessThan(10)
  })

  it('gives nothing for no body', async () => {
    expect(await readBody(new Request('http://x/'), 10)).toHaveLength(0)
  })
})

describe('the deadline', () => {
  it('answers late work with TIMEOUT and swallows its end', async () => {
    const work = new Promise((_, reject) => {
      setTimeout(() => reject(new Error('late')), 30)
    })
    expect(await codeOf(withinTime(work, 5))).toBe('TIMEOUT')
    await new Promise((resolve) => setTimeout(resolve, 40))
  })

  it('passes results and failures through', async () => {
    expect(await withinTime(Promise.resolve(7), 100)).toBe(7)
    await expect(withinTime(Promise.reject(new Error('own')), 100)).rejects.toThrow('own')
  })
})
