/** The timers around a node: when it looks, and how it ends. */
import { expect, it } from 'vitest'
import { runEpochNode } from '../../../kms/epoch/driver.ts'

/** A node with a post under way that only giving up ends. */
function waitingNode() {
  const happened: string[] = []
  let end = (): void => undefined
  const post = new Promise<void>((resolve) => {
    end = resolve
  })
  let ticked = (): void => undefined
  const firstTick = new Promise<void>((resolve) => {
    ticked = resolve
  })
  const node = {
    tick: async () => ticked(),
    nudge: () => undefined,
    failure: () => undefined,
    close: () => void happened.push('nothing new begins'),
    idle: async () => {
      await post
      happened.push('idle')
    },
  }
  const giveUp = () => {
    happened.push('given up')
    end()
  }
  return { node, giveUp, happened, firstTick }
}

it('stops without waiting for a post to be mined, and begins nothing new first', async () => {
  const { node, giveUp, happened, firstTick } = waitingNode()
  const running = runEpochNode(node, {
    pollMs: 600_000,
    report: () => undefined,
    onFailure: () => undefined,
    giveUp,
  })
  await firstTick
  await running.stop()
  expect(happened).toEqual(['nothing new begins', 'given up', 'idle'])
})

it('ends and tells when the store failed, and looks no more', async () => {
  const { node, giveUp } = waitingNode()
  const failure = new Error('disk full')
  let ticks = 0
  const told = await new Promise<unknown>((resolve) => {
    const failing = {
      ...node,
      tick: async () => {
        ticks++
        throw failure
      },
      failure: () => failure,
    }
    runEpochNode(failing, { pollMs: 1, report: () => undefined, onFailure: resolve, giveUp })
  })
  expect(told).toBe(failure)
  expect(ticks).toBe(1)
})

it('ends soon when the store fails between two looks, however far apart they are', async () => {
  const { node, giveUp, firstTick } = waitingNode()
  const failure = new Error('disk full')
  let failed: Error | undefined
  const told = new Promise<unknown>((resolve) => {
    runEpochNode(
      { ...node, failure: () => failed },
      { pollMs: 600_000, report: () => undefined, onFailure: resolve, giveUp },
    )
  })
  await firstTick
  failed = failure
  expect(await told).toBe(failure)
})
