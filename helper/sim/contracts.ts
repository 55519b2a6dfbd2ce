/**
 * Puts our contracts on a devnet and drives them as operators, developers and the coordinator would.
 *
 * Meant for anvil with its public development accounts; every key used here is known to the whole world.
 * @module
 */
import {
  type Abi,
  createClient,
  encodeDeployData,
  encodeFunctionData,
  http,
  type TransactionReceipt,
} from 'viem'
import { mnemonicToAccount, privateKeyToAccount } from 'viem/accounts'
import {
  getChainId,
  getTransactionCount,
  sendRawTransaction,
  waitForTransactionReceipt,
} from 'viem/actions'
import { appRegistryArtifact } from '../../kms/contracts/artifacts/app-registry.ts'
import { epochLogArtifact } from '../../kms/contracts/artifacts/epoch-log.ts'
import { operatorRegistryArtifact } from '../../kms/contracts/artifacts/operator-registry.ts'
import { type Hex, lowerHex, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../../sdk/chain/types.ts'

/** Addresses of a deployed devnet; one contract stands for allocation manager and key registrar. */
export type Devnet = {
  rpcUrl: string
  chainId: number
  /** Owner of the operator registry and coordinator of the app registry. */
  deployerKey: Hex
  avs: Address
  operatorSetId: number
  curve: 'ecdsa' | 'bn254'
  allocationManager: Address
  keyRegistrar: Address
  appController: Address
  epochLog: Address
}

export type DevnetInput = {
  rpcUrl: string
  /** @default development account 0 */
  deployerKey?: Hex
  /** @default the deployer's address */
  avs?: Address
  /** @default 0 */
  operatorSetId?: number
  /** @default 'ecdsa' */
  curve?: 'ecdsa' | 'bn254'
}

/** A release as a developer writes it. */
export type ReleaseInput = {
  /** `sha256:<64 hex>` */
  imageDigest: string
  registry?: string
  publicEnv?: Readonly<Record<string, string>>
  encryptedEnv?: Uint8Array
  containerPolicy?: {
    args?: readonly string[]
    cmdOverride?: readonly string[]
    env?: Readonly<Record<string, string>>
    envOverride?: Readonly<Record<string, string>>
    restartPolicy?: string
  }
}

const DEVELOPMENT_MNEMONIC = 'test test test test test test test test test test test junk'
const DEPLOY_GAS = 5_000_000n
const MAX_FEE = 100_000_000_000n
const TIP = 1_000_000_000n
const RECEIPT_TIMEOUT_MS = 30_000

/** Key of anvil's i-th development account. 0 deploys and coordinates, 1 develops apps; operators may use the rest. */
export function devKey(index: number): Hex {
  const key = mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: index }).getHdKey().privateKey
  if (key === null) throw new Error('a derived account has a private key')
  return toHex(key)
}

export function devAddress(index: number): Address {
  return addressOf(devKey(index))
}

export async function deployDevnet(input: DevnetInput): Promise<Devnet> {
  const { rpcUrl, deployerKey = devKey(0), operatorSetId = 0, curve = 'ecdsa' } = input
  const deployer = addressOf(deployerKey)
  const avs = input.avs ?? deployer
  const receipts = await send(rpcUrl, deployerKey, [
    { data: deployData(appRegistryArtifact, [deployer]), gas: DEPLOY_GAS },
    { data: deployData(operatorRegistryArtifact, []), gas: DEPLOY_GAS },
    { data: deployData(epochLogArtifact, []), gas: DEPLOY_GAS },
  ])
  const [appController, registry, epochLog] = receipts.map((receipt) => receipt.contractAddress)
  if (!appController || !registry || !epochLog) throw new Error('a contract was not deployed')
  await send(rpcUrl, deployerKey, [
    callOf(operatorRegistryArtifact.abi, registry, 'configureOperatorSet', [
      { avs, id: operatorSetId },
      CURVE_TYPE[curve],
    ]),
  ])
  return {
    rpcUrl,
    chainId: await getChainId(clientOf(rpcUrl)),
    deployerKey,
    avs,
    operatorSetId,
    curve,
    allocationManager: lowerHex(registry),
    keyRegistrar: lowerHex(registry),
    appController: lowerHex(appController),
    epochLog: lowerHex(epochLog),
  }
}

/** Registers keys and sockets and joins each operator to the set. */
export async function registerOperators(
  devnet: Devnet,
  operators: readonly OperatorInfo[],
): Promise<void> {
  const calls = operators.flatMap((operator) => [
    registryCall(devnet, 'registerForOperatorSet', [
      setOf(devnet),
      operator.address,
      operator.socket,
    ]),
    keyCall(devnet, operator),
  ])
  await send(devnet.rpcUrl, devnet.deployerKey, calls)
}

/** Joins a member that has registered no key: a case that readers must refuse by name. */
export async function registerWithoutKey(
  devnet: Devnet,
  operator: Address,
  socket: string,
): Promise<void> {
  const call = registryCall(devnet, 'registerForOperatorSet', [setOf(devnet), operator, socket])
  await send(devnet.rpcUrl, devnet.deployerKey, [call])
}

export async function deregisterOperators(
  devnet: Devnet,
  operators: readonly Address[],
): Promise<void> {
  const calls = operators.map((operator) =>
    registryCall(devnet, 'deregisterFromOperatorSet', [setOf(devnet), operator]),
  )
  await send(devnet.rpcUrl, devnet.deployerKey, calls)
}

export async function updateSocket(
  devnet: Devnet,
  operator: Address,
  socket: string,
): Promise<void> {
  const call = registryCall(devnet, 'updateSocket', [operator, socket])
  await send(devnet.rpcUrl, devnet.deployerKey, [call])
}

export type AppInput = {
  release: ReleaseInput
  /** @default development account 1 */
  creatorKey?: Hex
  /** @default random */
  salt?: Hash32
}

/** @returns The app id as the chain spells it, lower case: the KMS identity is this very text. */
export async function createApp(devnet: Devnet, input: AppInput): Promise<Address> {
  const { release, creatorKey = devKey(1), salt = randomSalt() } = input
  const call = appCall(devnet, 'createApp', [salt, releaseStruct(release)])
  return createdApp(await send(devnet.rpcUrl, creatorKey, [call]))
}

/** CREATED, with no release: upgrade and start follow. */
export async function createEmptyApp(
  devnet: Devnet,
  input: { creatorKey?: Hex; salt?: Hash32 } = {},
): Promise<Address> {
  const { creatorKey = devKey(1), salt = randomSalt() } = input
  const call = appCall(devnet, 'createEmptyApp', [salt])
  return createdApp(await send(devnet.rpcUrl, creatorKey, [call]))
}

/** Publishes a release; it is pending until the coordinator confirms it. */
export async function upgradeApp(
  devnet: Devnet,
  app: Address,
  release: ReleaseInput,
  creatorKey: Hex = devKey(1),
): Promise<void> {
  const call = appCall(devnet, 'upgradeApp', [app, releaseStruct(release)])
  await send(devnet.rpcUrl, creatorKey, [call])
}

/** What the creator of an app may do besides publishing. */
export async function changeApp(
  devnet: Devnet,
  app: Address,
  change: 'startApp' | 'stopApp' | 'terminateApp',
  creatorKey: Hex = devKey(1),
): Promise<void> {
  await send(devnet.rpcUrl, creatorKey, [appCall(devnet, change, [app])])
}

/** What only the coordinator may do. */
export async function coordinateApp(
  devnet: Devnet,
  app: Address,
  change: 'confirmUpgrade' | 'suspendApp' | 'terminateAppByAdmin',
): Promise<void> {
  await send(devnet.rpcUrl, devnet.deployerKey, [appCall(devnet, change, [app])])
}

/** A transaction before it is signed. */
export type DevnetCall = { to?: Address; data: Hex; gas?: bigint }

/** One call to the app registry, for tests that compose blocks themselves with `submit`. */
export function appCall(
  devnet: Pick<Devnet, 'appController'>,
  functionName: string,
  args: readonly unknown[],
): DevnetCall {
  return callOf(appRegistryArtifact.abi, devnet.appController, functionName, args)
}

/** The release as the contract's ABI wants it. */
export function releaseStruct(release: ReleaseInput): Record<string, unknown> {
  const policy = release.containerPolicy ?? {}
  const pairs = (env: Readonly<Record<string, string>> = {}) =>
    Object.entries(env).map(([key, value]) => ({ key, value }))
  const publicEnv = JSON.stringify(release.publicEnv ?? {})
  return {
    rmsRelease: {
      artifacts: [
        {
          digest: `0x${release.imageDigest.replace(/^sha256:/, '')}`,
          registry: release.registry ?? '',
        },
      ],
      upgradeByTime: 0,
    },
    publicEnv: toHex(utf8ToBytes(publicEnv)),
    encryptedEnv: toHex(release.encryptedEnv ?? new Uint8Array()),
    containerPolicy: {
      args: policy.args ?? [],
      cmdOverride: policy.cmdOverride ?? [],
      env: pairs(policy.env),
      envOverride: pairs(policy.envOverride),
      restartPolicy: policy.restartPolicy ?? '',
    },
  }
}

/** Sends the calls in order from one account, all at once, without waiting for a block. */
export async function submit(
  rpcUrl: string,
  key: Hex,
  calls: readonly DevnetCall[],
): Promise<Hash32[]> {
  const client = clientOf(rpcUrl)
  const account = privateKeyToAccount(key)
  const chainId = await getChainId(client)
  let nonce = await getTransactionCount(client, { address: account.address, blockTag: 'pending' })
  const hashes: Hash32[] = []
  for (const call of calls) {
    const serializedTransaction = await account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce: nonce++,
      ...(call.to === undefined ? {} : { to: call.to }),
      data: call.data,
      gas: call.gas ?? callGas(call.data),
      maxFeePerGas: MAX_FEE,
      maxPriorityFeePerGas: TIP,
    })
    hashes.push(await sendRawTransaction(client, { serializedTransaction }))
  }
  return hashes
}

/** As `submit`, and waits until all are in blocks. @throws Error when one reverts. */
export async function send(
  rpcUrl: string,
  key: Hex,
  calls: readonly DevnetCall[],
): Promise<TransactionReceipt[]> {
  const client = clientOf(rpcUrl)
  const receipts: TransactionReceipt[] = []
  for (const hash of await submit(rpcUrl, key, calls)) {
    const options = { hash, timeout: RECEIPT_TIMEOUT_MS, pollingInterval: 50 }
    const receipt = await waitForTransactionReceipt(client, options)
    if (receipt.status !== 'success') throw new Error(`devnet transaction ${hash} reverted`)
    receipts.push(receipt)
  }
  return receipts
}

const CURVE_TYPE = { ecdsa: 1, bn254: 2 } as const

function keyCall(devnet: Devnet, operator: OperatorInfo): DevnetCall {
  const { address, signingKey } = operator
  if (signingKey.curve === 'ecdsa')
    return registryCall(devnet, 'registerEcdsaKey', [setOf(devnet), address, signingKey.address])
  const word = (hex: Hex, index: number) =>
    BigInt(`0x${hex.slice(2 + 64 * index, 66 + 64 * index)}`)
  const { g1, g2 } = signingKey
  return registryCall(devnet, 'registerBn254Key', [
    setOf(devnet),
    address,
    { X: word(g1, 0), Y: word(g1, 1) },
    { X: [word(g2, 0), word(g2, 1)], Y: [word(g2, 2), word(g2, 3)] },
  ])
}

function registryCall(devnet: Devnet, functionName: string, args: readonly unknown[]): DevnetCall {
  return callOf(operatorRegistryArtifact.abi, devnet.keyRegistrar, functionName, args)
}

function callOf(abi: Abi, to: Address, functionName: string, args: readonly unknown[]): DevnetCall {
  return { to, data: encodeFunctionData({ abi, functionName, args }) }
}

function deployData(
  artifact: { readonly abi: Abi; readonly bytecode: Hex },
  args: readonly unknown[],
): Hex {
  return encodeDeployData({ abi: artifact.abi, bytecode: artifact.bytecode, args })
}

/** Enough for storage writes and for logging the calldata; estimating would need a mined predecessor. */
function callGas(data: Hex): bigint {
  return 400_000n + BigInt(data.length / 2) * 100n
}

function createdApp(receipts: readonly TransactionReceipt[]): Address {
  // AppCreated(creator, app, operatorSetId) is the first log of both ways to create an app.
  const topic = receipts[0]?.logs[0]?.topics[2]
  if (topic === undefined) throw new Error('no app was created')
  return lowerHex(`0x${topic.slice(26)}`)
}

function setOf(devnet: Devnet): { avs: Address; id: number } {
  return { avs: devnet.avs, id: devnet.operatorSetId }
}

function addressOf(key: Hex): Address {
  return lowerHex(privateKeyToAccount(key).address)
}

function randomSalt(): Hash32 {
  return toHex(crypto.getRandomValues(new Uint8Array(32)))
}

function clientOf(rpcUrl: string) {
  return createClient({ transport: http(rpcUrl, { retryCount: 0 }), pollingInterval: 50 })
}
