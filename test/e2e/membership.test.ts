/** An operator that comes and one that goes, by the commands of the runbook, while real processes serve. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEMO_SECRET } from '../../helper/sim/app.ts'
import { createCleanup } from '../../helper/sim/cleanup.ts'
import { type Devnet, startDevnet } from '../../helper/sim/devnet.ts'
import { type Operator, planOperators, startOperator } from '../../helper/sim/operators.ts'
import { createClient } from '../../sdk/index.ts'
import { callNode } from '../kit/anvil.ts'

const cleanup = createCleanup()
let devnet: Devnet
let before: Seen
beforeAll(async () => {
  devnet = await startDevnet({ operators: 3 })
  cleanup.add(devnet.stop)
  before = await bootPod()
}, 120_000)
afterAll(() => cleanup.run())

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

type Run = { code: number; text: string }

function kms(command: string, folder: string, ...rest: string[]): Promise<Run> {
  const config = join(folder, 'operator.toml')
  const argv = [devnet.cliPath, 'kms', command, '--config', config, ...rest]
  return new Promise((resolve) => {
    execFile(process.execPath, argv, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
    )
  })
}

type Seen = { mnemonic: string; secret: string; operators: number; threshold: number }

/** A new pod finds the operators on chain, obtains the key, and opens what was sealed for the app at the start. */
async function bootPod(): Promise<Seen> {
  const pod = await devnet.machine.boot({ initdata: devnet.app.initdata })
  const client = createClient({ endpoint: pod.socketPath })
  const [mnemonic, secret, addresses] = await Promise.all([
    client.getMnemonic(),
    client.getSecret(DEMO_SECRET.name),
    client.getAddresses(),
  ])
  await pod.stop()
  const { operators, threshold } = addresses.origin
  return { mnemonic, secret, operators, threshold }
}

async function startNewcomer(): Promise<{ folder: string; start: () => Promise<Operator> }> {
  const [setup] = await planOperators(join(devnet.folder, 'newcomer'), 1)
  if (setup === undefined) throw new Error('one operator was planned')
  await callNode(devnet.chain.url, 'anvil_setBalance', [setup.address, '0x56bc75e2d63100000'])
  const environment = {
    cliPath: devnet.cliPath,
    contracts: devnet.contracts,
    operatorCount: 3,
    trust: await devnet.vendor.equip(devnet.folder),
    overrides: {},
    cleanup,
  }
  return { folder: setup.folder, start: () => startOperator(environment, setup, 3) }
}

test('an operator joins: it starts, registers, and is dealt in', async () => {
  const { folder, start } = await startNewcomer()
  await start()
  expect(await kms('join', folder)).toMatchObject({
    code: 1,
    text: expect.stringMatching(/no {3}registered in operator set 0/),
  })
  const registered = await kms('register', folder)
  expect(registered.text.match(/^sent/gm)).toHaveLength(3)
  expect(registered.code).toBe(0)

  let joined = await kms('join', folder)
  for (let tries = 0; joined.code !== 0 && tries < 60; tries++) {
    await after(500)
    joined = await kms('join', folder)
  }
  expect(joined).toMatchObject({ code: 0, text: expect.stringMatching(/yes {2}dealt in/) })
  expect(await bootPod()).toEqual({ ...before, operators: 4, threshold: 3 })
}, 150_000)

test('an operator leaves: it is dealt out, then deregisters, and is not missed', async () => {
  const [leaver] = devnet.operators
  if (leaver === undefined) throw new Error('a devnet has operators')
  const early = await kms('deregister', leaver.folder)
  expect(early).toMatchObject({ code: 1, text: expect.stringMatching(/may not deregister yet/) })

  const left = await kms('leave', leaver.folder, '--hours', '1')
  expect(left).toMatchObject({ code: 0, text: expect.stringMatching(/without this operator/) })
  const [, next] = devnet.operators
  const second = await kms('leave', next?.folder ?? '', '--hours', '1')
  expect(second).toMatchObject({ code: 1, text: expect.stringMatching(/2 would hold one/) })
  const gone = await kms('deregister', leaver.folder)
  expect(gone).toMatchObject({ code: 0, text: expect.stringMatching(/^sent/m) })
  await leaver.stop()

  let seen = await bootPod()
  // A pod reads the set at a final block.
  for (let tries = 0; seen.operators !== 3 && tries < 20; tries++) {
    await after(500)
    seen = await bootPod()
  }
  expect(seen).toEqual({ ...before, operators: 3, threshold: 2 })
}, 150_000)
