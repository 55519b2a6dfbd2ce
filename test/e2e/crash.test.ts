/** Operators that die at a bad moment, as real processes with real stores. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Devnet, startDevnet } from '../../helper/sim/devnet.ts'
import { waitForGenesis } from '../../helper/sim/genesis.ts'
import type { Operator } from '../../helper/sim/operators.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { createClient } from '../../sdk/index.ts'

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let devnet: Devnet
let crashed: Promise<void> | undefined
beforeAll(async () => {
  devnet = await startDevnet({
    onProgress: (progress) => {
      if (progress.step === 'operators') crashed = crashDuringGenesis(progress.operators)
    },
  })
  await crashed
}, 120_000)
afterAll(() => devnet.stop())

/** Two of four, at two different moments of the protocol. */
async function crashDuringGenesis(operators: readonly Operator[]): Promise<void> {
  const crash = async (index: number, atMs: number, awayMs: number) => {
    const operator = operators[index]
    await after(atMs)
    await operator?.crash()
    await after(awayMs)
    await operator?.restart()
  }
  await Promise.all([crash(1, 200, 800), crash(2, 900, 500)])
}

test('genesis ends although two operators were killed while it ran', async () => {
  expect(devnet.genesis.threshold).toBe(3)
  expect(devnet.genesis.dealers.length).toBeGreaterThanOrEqual(3)
  const again = await waitForGenesis(devnet.operators, 20_000)
  expect(again.outputHash).toBe(devnet.genesis.outputHash)
})

test('after kill -9 of every operator they serve the same key from their stores', async () => {
  const pod = await devnet.machine.boot({ initdata: devnet.app.initdata })
  const mnemonic = await createClient({ endpoint: pod.socketPath }).getMnemonic()
  await pod.stop()

  await Promise.all(devnet.operators.map((operator) => operator.crash()))
  await Promise.all(devnet.operators.map((operator) => operator.restart()))
  const again = await waitForGenesis(devnet.operators, 20_000)
  expect(bytesToHex(again.masterPublicKey)).toBe(bytesToHex(devnet.genesis.masterPublicKey))

  const next = await devnet.machine.boot({ initdata: devnet.app.initdata })
  expect(await createClient({ endpoint: next.socketPath }).getMnemonic()).toBe(mnemonic)
  await next.stop()
}, 60_000)

test('no operator wrote its keys or anything secret in clear', async () => {
  for (const operator of devnet.operators)
    expect(operator.program().lines().join('\n')).not.toContain(operator.signingKey.slice(2))
})
