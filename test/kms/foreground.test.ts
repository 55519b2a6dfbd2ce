import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
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

  it('does not wait longer than four times what its last piece took', async () => {
    const clock = handClock()
    const { run, pause } = createForeground(clock.now)
    const endless = decision()
    void run(endless.work)
    clock.pass(10)
    const began = performance.now()
    await pause()
    expect(performance.now() - began).toBeGreaterThan(35)
    // Time that passed without any piece is not counted: at most 50 ms are.
    clock.pass(60_000)
    const late = performance.now()
    await pause()
    expect(performance.now() - late).toBeLessThan(5_000)
    endless.end()
  })

  it('is done one piece a turn, whoever does it', async () => {
    const { pause } = createForeground(handClock().now)
    const order: string[] = []
    const work = async (name: string) => {
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
    await Promise.all([work('a'), work('b')])
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
