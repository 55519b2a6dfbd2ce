import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createForeground } from '../../kms/foreground.ts'
import { makeWorld, post, WIDE_LIMITS } from './world.ts'

/** A decision that lasts until it is ended. */
function decision() {
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  return { work: () => ended, end }
}

/** A clock that only the test moves. */
function handClock() {
  let now = 0
  return {
    now: () => now,
    pass: (milliseconds: number) => {
      now += milliseconds
    },
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

describe('work that can wait', () => {
  it('goes on in the next turn where no decision is under way', async () => {
    const { pause } = createForeground(handClock().now)
    let resumed = false
    void pause().then(() => {
      resumed = true
    })
    await Promise.resolve()
    expect(resumed).toBe(false)
    await turns(3)
    expect(resumed).toBe(true)
  })

  it('waits for the decisions under way, the last of them', async () => {
    const clock = handClock()
    const { run, pause } = createForeground(clock.now)
    const [one, other] = [decision(), decision()]
    const runs = [run(one.work), run(other.work)]
    clock.pass(50)
    let resumed = false
    const paused = pause().then(() => {
      resumed = true
    })
    await turns(3)
    one.end()
    await turns(3)
    expect(resumed).toBe(false)
    other.end()
    await Promise.all(runs)
    await paused
  })

  it('lets an answer go out before it goes on', async () => {
    const { run, pause } = createForeground(handClock().now)
    const order: string[] = []
    const { work, end } = decision()
    const answered = run(work).then(async () => {
      // What is left of an answer after its decision: some steps in the same turn.
      for (let i = 0; i < 10; i++) await Promise.resolve()
      order.push('answer')
    })
    const paused = pause().then(() => void order.push('piece'))
    await turns(3)
    end()
    await Promise.all([answered, paused])
    expect(order).toEqual(['answer', 'piece'])
  })

  it('is done one piece a turn, whoever does it', async () => {
    const { pause } = createForeground(handClock().now)
    const order: string[] = []
    const worker = async (name: string) => {
      for (let i = 0; i < 3; i++) {
        await pause()
        order.push(name)
      }
    }
    let over = false
    const ticking = (async () => {
      while (!over) {
        await turn()
        order.push('|')
      }
    })()
    await Promise.all([worker('a'), worker('b')])
    over = true
    await ticking
    const perTurn = order.join('').split('|')
    expect(perTurn.every((pieces) => pieces.length <= 1)).toBe(true)
    expect(order.filter((name) => name !== '|').join('')).toBe('ababab')
  })

  it('goes on after a decision that failed', async () => {
    const { run, pause } = createForeground(handClock().now)
    const failing = run(async () => {
      await sleep(5)
      throw new Error('refused')
    })
    const paused = pause()
    await expect(failing).rejects.toThrow('refused')
    await paused
  })
})

describe('patience', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  function makeForeground() {
    const clock = handClock()
    const { run, pause } = createForeground(clock.now)
    return {
      pass: clock.pass,
      /** @returns Ends it. */
      begin: () => {
        const { work, end } = decision()
        const running = run(work)
        return () => {
          end()
          return running
        }
      },
      /** @returns How many milliseconds a pause lasted. */
      waited: async () => {
        let resumed = false
        void pause().then(() => {
          resumed = true
        })
        await turns(3)
        let milliseconds = 0
        for (; !resumed && milliseconds < 1000; milliseconds++) {
          clock.pass(1)
          vi.advanceTimersByTime(1)
          await turns(3)
        }
        return milliseconds
      },
    }
  }

  it('with decisions that never end is 200 ms, and from then on four times what each piece took', async () => {
    const { begin, waited, pass } = makeForeground()
    begin()
    expect(await waited()).toBe(200)
    pass(10)
    expect(await waited()).toBe(40)
    pass(2)
    expect(await waited()).toBe(8)
    // Most of a minute between two pauses is no piece of work.
    pass(60_000)
    expect(await waited()).toBe(200)
  })

  it('is saved up while nobody needs it, to 200 ms and no more', async () => {
    const { begin, waited, pass } = makeForeground()
    const end = begin()
    expect(await waited()).toBe(200)
    await end()
    for (let i = 0; i < 3; i++) {
      pass(10)
      expect(await waited()).toBe(0)
    }
    const endSecond = begin()
    expect(await waited()).toBe(120)
    await endSecond()
    for (let i = 0; i < 20; i++) {
      pass(10)
      expect(await waited()).toBe(0)
    }
    begin()
    expect(await waited()).toBe(200)
  })
})

describe('an operator', () => {
  it('counts what pods ask for as work that others make way for, and nothing else', async () => {
    let counted = 0
    const world = await makeWorld({
      anchors: new Map(),
      toml: `${WIDE_LIMITS}\n[routes]\napp_sign = true`,
      foreground: {
        run: (work) => {
          counted++
          return work()
        },
      },
    })
    expect((await post(world, '/secrets', {})).status).not.toBe(200)
    expect(counted).toBe(1)
    expect((await post(world, '/app/sign', { AppID: 'app' })).status).toBe(200)
    expect(counted).toBe(2)
    await world.app.request('/health')
    await world.app.request('/pubkey')
    await world.app.request('/v2/peer/messages', { method: 'POST', body: new Uint8Array(8) })
    expect(counted).toBe(2)
  })
})
