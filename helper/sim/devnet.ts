/**
 * A whole devnet on loopback: a real EVM node, the registries, n operator processes with a key that
 * they generated together, an app with a release, and machines that boot its pod.
 *
 * Everything is started on free ports in one temporary folder; `stop` ends every process by its own
 * id and removes the folder. Several devnets can run side by side.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { equalBytes } from '../../sdk/bytes.ts'
import { type Anvil, startAnvil } from './anvil.ts'
import { chooseApp, type PublishedApp, publishApp } from './app.ts'
import { prepareCliEntry } from './bundle.ts'
import { type Cleanup, createCleanup, settleAll } from './cleanup.ts'
import { type Devnet as DevnetContracts, deployDevnet, registerOperators } from './contracts.ts'
import { foreseeKey, type Genesis, waitForGenesis } from './genesis.ts'
import { type Machine, startMachine } from './machine.ts'
import {
  type ConfigOverrides,
  type Operator,
  planOperators,
  registrationOf,
  startOperator,
} from './operators.ts'
import { createVendor, type Vendor, type VendorChoice } from './vendor.ts'

export type DevnetOptions = VendorChoice & {
  /** @default 4 */
  operators?: number
  /** Merged over every operator's operator.toml, section by section. */
  config?: ConfigOverrides
  /** Gives up and cleans up at the next step. */
  signal?: AbortSignal
  /** Told as things happen, for a person who waits. */
  onProgress?: (progress: DevnetProgress) => void
}

export type DevnetProgress =
  | { step: 'chain'; url: string; pid: number }
  | { step: 'contracts'; contracts: DevnetContracts }
  | { step: 'operators'; operators: readonly Operator[] }
  /** The log has an entry; its windows still run. */
  | { step: 'posted' }
  | { step: 'genesis'; genesis: Genesis }
  | { step: 'app'; app: PublishedApp }

export type Devnet = {
  folder: string
  cliPath: string
  chain: Anvil
  contracts: DevnetContracts
  /** Of the machine's processor; nobody but this devnet's operators believes it. */
  vendor: Vendor
  operators: readonly Operator[]
  genesis: Genesis
  app: PublishedApp
  machine: Machine
  stop: () => Promise<void>
}

/** Chain time runs with the clock: sub-second blocks would push block timestamps into the future. */
const BLOCK_TIME_SECONDS = 1
/** Operators pay for their posts to the log: 100 ether, in wei. */
const OPERATOR_BALANCE = '0x56bc75e2d63100000'
const MAX_GENESIS_MS = 150_000

export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const cleanup = createCleanup()
  try {
    return await assemble(options, cleanup)
  } catch (error) {
    await cleanup.run()
    throw error
  }
}

async function assemble(options: DevnetOptions, cleanup: Cleanup): Promise<Devnet> {
  const report = (progress: DevnetProgress) => {
    options.signal?.throwIfAborted()
    options.onProgress?.(progress)
  }
  const folder = await mkdtemp(join(tmpdir(), 'eigenx-tee-devnet-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  // The longest single job is AMD's RSA-4096 key: all else runs beside it.
  const [vendor, cli, { chain, contracts, planned }] = await settleAll([
    createVendor(options),
    prepareCliEntry(cleanup),
    prepareChain({ folder, operators: options.operators ?? 4, cleanup, report }),
  ])
  const environment = {
    cliPath: cli,
    contracts,
    operatorCount: planned.length,
    trust: await vendor.equip(folder),
    overrides: options.config ?? {},
    cleanup,
  }
  const operators = await settleAll(
    planned.map((setup, index) => startOperator(environment, setup, index)),
  )
  report({ step: 'operators', operators })

  const machine = await startMachine({ vendor, cliPath: cli, folder, cleanup })
  const agentUrl = machine.agent.url
  const publish = async (masterPublicKey: Uint8Array) =>
    publishApp({ contracts, chosen: await chooseApp(contracts), masterPublicKey, agentUrl })
  const [genesis, early] = await settleAll([
    waitForGenesis(operators, MAX_GENESIS_MS, options.signal).then((result) => {
      report({ step: 'genesis', genesis: result })
      return result
    }),
    // Beside the windows in which the key becomes final: a release is final about when the key is.
    foreseeKey(contracts, MAX_GENESIS_MS, options.signal).then(async (masterPublicKey) => {
      report({ step: 'posted' })
      return { masterPublicKey, app: await publish(masterPublicKey) }
    }),
  ])
  // A post that came too late, as on a busy machine, does not count: then another key won.
  const foreseen = equalBytes(genesis.masterPublicKey, early.masterPublicKey)
  const app = foreseen ? early.app : await publish(genesis.masterPublicKey)
  report({ step: 'app', app })
  return {
    folder,
    cliPath: cli,
    chain,
    contracts,
    vendor,
    operators,
    genesis,
    app,
    machine,
    stop: cleanup.run,
  }
}

type ChainInput = {
  folder: string
  operators: number
  cleanup: Cleanup
  report: (progress: DevnetProgress) => void
}

/** The node, the contracts, and the operators as the chain knows them before they exist. */
async function prepareChain({ folder, operators, cleanup, report }: ChainInput) {
  // A block per transaction while the contracts are made, and from then on one a second.
  const chain = await startAnvil()
  cleanup.add(() => chain.stop())
  report({ step: 'chain', url: chain.url, pid: chain.pid })
  const contracts = await deployDevnet({ rpcUrl: chain.url })
  report({ step: 'contracts', contracts })
  const planned = await planOperators(folder, operators)
  await askAnvil(
    chain.url,
    planned.map(({ address }) => ['anvil_setBalance', [address, OPERATOR_BALANCE]]),
  )
  await registerOperators(contracts, planned.map(registrationOf))
  await askAnvil(chain.url, [['evm_setIntervalMining', [BLOCK_TIME_SECONDS]]])
  return { chain, contracts, planned }
}

type AnvilCall = readonly [method: string, params: readonly unknown[]]

async function askAnvil(url: string, calls: readonly AnvilCall[]): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(
      calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params })),
    ),
  })
  const text = await response.text()
  if (!response.ok || text.includes('"error"'))
    throw new Error(`anvil refused: ${text.slice(0, 200)}`)
}
