/**
 * The operators of a devnet: each one a process of its own with its own folder, signing key, store
 * and configuration file, as an operator would set it up by hand.
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { stringify as stringifyToml } from 'smol-toml'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../../sdk/bytes.ts'
import { bytesToHex, lowerHex } from '../../sdk/bytes.ts'
import type { Address, OperatorInfo } from '../../sdk/chain/types.ts'
import type { Cleanup } from './cleanup.ts'
import type { Devnet as DevnetContracts } from './contracts.ts'
import { type Program, startProgram } from './program.ts'

const START_TIMEOUT_MS = 30_000
/**
 * Short windows, since nobody on a devnet is far away. But each of n operators on one machine checks a candidate
 * with n dealings before it can be posted.
 * @returns Seconds.
 */
export function postWindow(operators: number): number {
  return Math.max(1, operators - 3)
}
const VETO_SECONDS = 1
const ACTIVATION_DELAY_SECONDS = 0
/**
 * All processes of a devnet share the machine: the more there are, the less often each one looks.
 * @returns Milliseconds.
 */
function pollMs(operators: number): number {
  return 100 * Math.max(4, operators)
}
/** All operators of a devnet call each other from one address, which is one caller to the limiter. */
const SHARED_ADDRESS_LIMIT = { per_second: 1000, burst: 4000, concurrent: 64 }
const STORE_KEY_BYTES = 32
const LOWEST_PORT = 10_240
const HIGHEST_PORT = 32_000

export type OperatorSetup = {
  address: Address
  url: string
  port: number
  folder: string
  signingKey: Hex
}

export type Operator = OperatorSetup & {
  index: number
  program: () => Program
  /** SIGKILL. */
  crash: () => Promise<void>
  /** Again, with the same folder. */
  restart: () => Promise<void>
  stop: () => Promise<void>
}

/** Keys and free ports of n operators, nothing on disk yet. */
export async function planOperators(folder: string, count: number): Promise<OperatorSetup[]> {
  const ports = await findFreePorts(count)
  return ports.map((port, index) => {
    const signingKey = generatePrivateKey()
    return {
      address: lowerHex(privateKeyToAccount(signingKey).address),
      url: `http://127.0.0.1:${port}`,
      port,
      folder: join(folder, `operator-${index + 1}`),
      signingKey,
    }
  })
}

/** As the chain must know it. */
export function registrationOf(setup: OperatorSetup): OperatorInfo {
  return {
    address: setup.address,
    socket: setup.url,
    signingKey: { curve: 'ecdsa', address: setup.address },
  }
}

export type OperatorEnvironment = {
  cliPath: string
  contracts: DevnetContracts
  operatorCount: number
  /** Whom operators trust for evidence, and which guest images they know: sections of operator.toml. */
  trust: ConfigOverrides
  /** Merged over the generated operator.toml, section by section. */
  overrides: ConfigOverrides
  cleanup: Cleanup
}

export type ConfigOverrides = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The log line that names the bound address. */
function isListening(line: string): true | undefined {
  return line.includes('listening') ? true : undefined
}

/** Writes the folder and starts the process. */
export async function startOperator(
  environment: OperatorEnvironment,
  setup: OperatorSetup,
  index: number,
): Promise<Operator> {
  const configPath = await writeOperatorFolder(environment, setup)
  const start = async () => {
    const program = startProgram({
      name: `operator ${index + 1}`,
      path: environment.cliPath,
      args: ['kms', 'serve', '--config', configPath],
      cwd: setup.folder,
    })
    environment.cleanup.add(program.stop)
    await program.waitFor(isListening, START_TIMEOUT_MS)
    return program
  }
  let program = await start()
  return {
    ...setup,
    index,
    program: () => program,
    crash: () => program.kill(),
    stop: () => program.stop(),
    restart: async () => {
      await program.stop()
      program = await start()
    },
  }
}

async function writeOperatorFolder(
  environment: OperatorEnvironment,
  setup: OperatorSetup,
): Promise<string> {
  const { folder } = setup
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const secret = (name: string, content: string) =>
    writeFile(join(folder, name), `${content}\n`, { mode: 0o600 })
  await secret('signing-key.hex', setup.signingKey.slice(2))
  await secret('store-key.hex', bytesToHex(crypto.getRandomValues(new Uint8Array(STORE_KEY_BYTES))))
  const trusting = mergeSections(operatorConfig(environment, setup), environment.trust)
  const config = mergeSections(trusting, environment.overrides)
  const path = join(folder, 'operator.toml')
  await writeFile(path, stringifyToml(config))
  return path
}

function operatorConfig(
  { contracts, operatorCount }: OperatorEnvironment,
  setup: OperatorSetup,
): Record<string, Record<string, unknown>> {
  const { folder, address, port, url } = setup
  return {
    operator: { address, signing_key_file: join(folder, 'signing-key.hex') },
    listen: { host: '127.0.0.1', port, public_url: url },
    chain: {
      chain_id: contracts.chainId,
      rpc_urls: [contracts.rpcUrl],
      quorum: 1,
      finality: 'finalized',
    },
    contracts: {
      allocation_manager: contracts.allocationManager,
      key_registrar: contracts.keyRegistrar,
      app_controller: contracts.appController,
      epoch_log: contracts.epochLog,
      avs: contracts.avs,
      operator_set_id: contracts.operatorSetId,
    },
    store: { path: join(folder, 'store.db'), key_file: join(folder, 'store-key.hex') },
    epoch: {
      genesis: true,
      post_seconds: postWindow(operatorCount),
      veto_seconds: VETO_SECONDS,
      activation_delay_seconds: ACTIVATION_DELAY_SECONDS,
      poll_ms: pollMs(operatorCount),
      grace_seconds: 60,
      // One key for the life of a devnet, unless who starts it wants epochs: they cost its machine time.
      reshare_seconds: 0,
    },
    limits: { peer: SHARED_ADDRESS_LIMIT, read: SHARED_ADDRESS_LIMIT },
  }
}

function mergeSections(
  config: Record<string, Record<string, unknown>>,
  overrides: ConfigOverrides,
): Record<string, Record<string, unknown>> {
  const merged = { ...config }
  for (const [section, fields] of Object.entries(overrides))
    merged[section] = { ...merged[section], ...fields }
  return merged
}

/**
 * Ports below the range from which the system takes ports of outgoing connections (32768 and up on
 * Linux): between this look and the operator's start nothing but another devnet could take one.
 */
async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const [random = 0] = crypto.getRandomValues(new Uint16Array(1))
    const port = LOWEST_PORT + (random % (HIGHEST_PORT - LOWEST_PORT))
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
