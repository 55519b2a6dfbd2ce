/**
 * A whole devnet on loopback: a real EVM node, the registries, n operator processes with a key that
 * they generated together, an app with a release, and machines that boot its pod.
 *
 * Everything is started on free ports in one temporary folder; `stop` ends every process by its own
 * id and removes the folder. Several devnets can run side by side.
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeCertificatePem } from '../../sdk/attest/pem.ts'
import type { SnpProduct } from '../../sdk/attest/types.ts'
import { type Anvil, startAnvil } from './anvil.ts'
import { type PublishedApp, publishApp, reserveApp } from './app.ts'
import { prepareCliEntry } from './bundle.ts'
import { type Cleanup, createCleanup } from './cleanup.ts'
import { type Devnet as DevnetContracts, deployDevnet, registerOperators } from './contracts.ts'
import { createSnpAuthority, type SnpAuthority } from './evidence.ts'
import { type Genesis, waitForGenesis } from './genesis.ts'
import { type Machine, startMachine } from './machine.ts'
import {
  type ConfigOverrides,
  type Operator,
  planOperators,
  registrationOf,
  startOperator,
} from './operators.ts'

export type DevnetOptions = {
  /** @default 4 */
  operators?: number
  /** @default 'Milan' */
  product?: SnpProduct
  /** Merged over every operator's operator.toml, section by section. */
  config?: ConfigOverrides
  /** Told as things happen, for a person who waits. */
  onProgress?: (progress: DevnetProgress) => void
}

export type DevnetProgress =
  | { step: 'chain'; url: string; pid: number }
  | { step: 'contracts'; contracts: DevnetContracts }
  | { step: 'operators'; operators: readonly Operator[] }
  | { step: 'genesis'; genesis: Genesis }
  | { step: 'app'; app: PublishedApp }

export type Devnet = {
  folder: string
  cliPath: string
  chain: Anvil
  contracts: DevnetContracts
  authority: SnpAuthority
  /** JSON with the throw-away hardware roots: what `development.snp_roots_file` names. */
  snpRootsFile: string
  operators: readonly Operator[]
  genesis: Genesis
  app: PublishedApp
  machine: Machine
  stop: () => Promise<void>
}

/** Chain time runs with the clock: sub-second blocks would push block timestamps into the future. */
const BLOCK_TIME_SECONDS = 1
const MAX_GENESIS_MS = 60_000

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
  const report = options.onProgress ?? (() => {})
  const folder = await mkdtemp(join(tmpdir(), 'eigenx-tee-devnet-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  // The longest single job is the hardware vendor's three RSA-4096 keys: everything else runs beside it.
  const makingAuthority = createSnpAuthority({
    product: options.product ?? 'Milan',
    kind: 'VCEK',
    now: Math.floor(Date.now() / 1000),
    keySet: folder,
  })
  const preparing = prepareCliEntry()
  const chain = await startAnvil({ blockTimeSeconds: BLOCK_TIME_SECONDS })
  cleanup.add(() => chain.stop())
  report({ step: 'chain', url: chain.url, pid: chain.pid })

  const contracts = await deployDevnet({ rpcUrl: chain.url })
  report({ step: 'contracts', contracts })
  const planned = await planOperators(folder, options.operators ?? 4)
  await fundAccounts(
    chain.url,
    planned.map((setup) => setup.address),
  )
  const registering = registerOperators(contracts, planned.map(registrationOf))

  const [cli, authority] = await Promise.all([preparing, makingAuthority, registering])
  cleanup.add(cli.remove)
  const snpRootsFile = join(folder, 'snp-roots.json')
  await writeFile(snpRootsFile, describeRoots(authority))
  const environment = {
    cliPath: cli.path,
    contracts,
    snpRootsFile,
    overrides: options.config ?? {},
  }
  const starting = planned.map((setup, index) => startOperator(environment, setup, index))
  for (const operator of await Promise.allSettled(starting))
    if (operator.status === 'fulfilled') cleanup.add(operator.value.stop)
  const operators = await Promise.all(starting)
  report({ step: 'operators', operators })

  const machine = await startMachine({ authority, cliPath: cli.path, folder, cleanup })
  const reserving = reserveApp(contracts)
  const genesis = await waitForGenesis(operators, MAX_GENESIS_MS)
  report({ step: 'genesis', genesis })
  const app = await publishApp({
    contracts,
    appId: await reserving,
    masterPublicKey: genesis.masterPublicKey,
    agentUrl: machine.agent.url,
  })
  report({ step: 'app', app })
  return {
    folder,
    cliPath: cli.path,
    chain,
    contracts,
    authority,
    snpRootsFile,
    operators,
    genesis,
    app,
    machine,
    stop: cleanup.run,
  }
}

/** Operators post to the log contract, which costs gas. */
async function fundAccounts(rpcUrl: string, addresses: readonly string[]): Promise<void> {
  const body = JSON.stringify(
    addresses.map((address, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'anvil_setBalance',
      params: [address, '0x56bc75e2d63100000'],
    })),
  )
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  if (!response.ok) throw new Error(`anvil_setBalance was answered with ${response.status}`)
}

function describeRoots({ product, certificates }: SnpAuthority): string {
  const { ark, ask, asvk } = certificates
  const pem = {
    ark: encodeCertificatePem(ark),
    ask: encodeCertificatePem(ask),
    asvk: encodeCertificatePem(asvk),
  }
  return JSON.stringify({ [product]: [pem] }, null, 2)
}
