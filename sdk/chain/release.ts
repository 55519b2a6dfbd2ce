/**
 * May this app have keys now, and for which release? Decided at one final block and checked against the newest one.
 *
 * A grant needs both views to agree, a refusal needs one of them: what is withdrawn is withdrawn at once, what is
 * new counts once it is final.
 * @module
 */
import { EigenxError } from '../errors.ts'
import {
  APP_CREATED_TOPIC,
  APP_UPGRADED_V14_TOPIC,
  APP_UPGRADED_V15_TOPIC,
  appControllerAbi,
} from './abi/app-controller.ts'
import { type ConfirmationMemory, type ConfirmedPast, findConfirmation } from './confirmation.ts'
import { readContract } from './contract.ts'
import { readHeads } from './heads.ts'
import { createLru } from './lru.ts'
import type { ChainReader, ReadOptions } from './reader.ts'
import { parseAppUpgraded } from './release-event.ts'
import { isUpgrade, selectConfirmedUpgrade } from './release-rule.ts'
import type { Address, AppDecision, AppStatus, BlockRef, Release } from './types.ts'
import { addressTopic, type ChainLog } from './wire.ts'

export type ReleaseContracts = {
  appController: Address
  /** Keeps events of blocks that were read before, which never change, and for a while what searches found. */
  cache?: ReleaseCache
}

export type DecisionOptions = ReadOptions & {
  /** Serve STOPPED apps too, as Go operators do. @default false */
  serveStopped?: boolean
}

/** Index is the contract's number. CREATED was appended in v1.5, so old numbers keep their meaning. */
const STATUSES: readonly AppStatus[] = [
  'NONE',
  'STARTED',
  'STOPPED',
  'TERMINATED',
  'SUSPENDED',
  'CREATED',
]

/**
 * @param appId - The text of the request. Only `0x` and 40 hex digits name an app on chain; the text itself stays
 *   what keys are bound to.
 * @throws EigenxError APP_ID_INVALID, APP_UNKNOWN, APP_NOT_RUNNING, RELEASE_*, CHAIN_*, CONTRACT_UNEXPECTED.
 */
export async function readAppDecision(
  reader: ChainReader,
  contracts: ReleaseContracts,
  appId: string,
  options: DecisionOptions = {},
): Promise<AppDecision> {
  const app = parseAppId(appId)
  const { final: block, latest } = await readHeads(reader, options)
  const [settled, newest] = await Promise.all([
    readState(reader, contracts, app, block, options),
    block === latest ? undefined : readState(reader, contracts, app, latest, options),
  ])
  const states = newest === undefined ? [settled] : [newest, settled]
  if (states.some((state) => state.status === 'TERMINATED')) contracts.cache?.drop(app)
  for (const state of states) refuseState(appId, state, options.serveStopped ?? false)
  const now = newest ?? settled
  if (now.releaseBlock !== settled.releaseBlock) throw notFinalYet(appId, now.releaseBlock)

  const release = await readRelease({ reader, contracts, appId, app, options }, settled, {
    block,
    latest,
  })
  return { creator: settled.creator, status: now.status, release, block, latest }
}

/**
 * The account that created the app, whatever state the app is in.
 * @throws EigenxError APP_ID_INVALID, APP_UNKNOWN, CHAIN_*, CONTRACT_UNEXPECTED.
 */
export async function readAppCreator(
  reader: ChainReader,
  contracts: ReleaseContracts,
  appId: string,
  options: ReadOptions = {},
): Promise<Address> {
  const app = parseAppId(appId)
  const block = await reader.pinnedBlock(options)
  const { creator } = await readState(reader, contracts, app, block, options)
  if (isZeroAddress(creator)) throw unknownApp(appId)
  return creator
}

/** @throws EigenxError APP_ID_INVALID */
export function parseAppId(appId: string): Address {
  if (/^0x[0-9a-fA-F]{40}$/.test(appId)) return `0x${appId.slice(2).toLowerCase()}`
  throw new EigenxError({
    code: 'APP_ID_INVALID',
    message: 'The app id is not an address: 0x and 40 hex digits',
    stage: 'chain',
    details: { appId: appId.slice(0, 64) },
  })
}

export type ReleaseCache = {
  get(key: string): readonly ChainLog[] | undefined
  set(key: string, app: Address, logs: readonly ChainLog[]): void
  drop(app: Address): void
  confirmations: ConfirmationMemory
}

export function createReleaseCache(maxEntries = 256): ReleaseCache {
  const blocks = createLru<{ app: Address; logs: readonly ChainLog[] }>(maxEntries)
  const pasts = createLru<{ app: Address; past: ConfirmedPast }>(maxEntries)
  return {
    get: (key) => blocks.get(key)?.logs,
    set: (key, app, logs) => blocks.set(key, { app, logs }),
    drop: (app) => {
      blocks.deleteWhere((entry) => entry.app === app)
      pasts.deleteWhere((entry) => entry.app === app)
    },
    confirmations: {
      get: (key) => pasts.get(key)?.past,
      set: (key, app, past) => pasts.set(key, { app, past }),
    },
  }
}

type AppState = { creator: Address; status: AppStatus; releaseBlock: bigint }

async function readState(
  reader: ChainReader,
  contracts: ReleaseContracts,
  app: Address,
  block: BlockRef,
  options: ReadOptions,
): Promise<AppState> {
  const read = {
    contract: 'AppController',
    address: contracts.appController,
    abi: appControllerAbi,
    args: [app],
    block,
  } as const
  const [creator, code, releaseBlock] = await Promise.all([
    readContract(reader, { ...read, functionName: 'getAppCreator' }, options),
    readContract(reader, { ...read, functionName: 'getAppStatus' }, options),
    readContract(reader, { ...read, functionName: 'getAppLatestReleaseBlockNumber' }, options),
  ])
  const status = STATUSES[code]
  if (status === undefined)
    throw new EigenxError({
      code: 'CONTRACT_UNEXPECTED',
      message: `AppController answers an app status that is not known: ${code}`,
      stage: 'chain',
      details: { contract: 'AppController', call: 'getAppStatus' },
    })
  return {
    creator: `0x${creator.slice(2).toLowerCase()}`,
    status,
    releaseBlock: BigInt(releaseBlock),
  }
}

function refuseState(appId: string, state: AppState, serveStopped: boolean): void {
  const { status, creator, releaseBlock } = state
  if (status === 'NONE' || isZeroAddress(creator)) throw unknownApp(appId)
  const mayRun = status === 'STARTED' || (status === 'STOPPED' && serveStopped)
  if (!mayRun)
    throw new EigenxError({
      code: 'APP_NOT_RUNNING',
      message: `The app is ${status} on chain`,
      stage: 'release',
      details: { appId, status },
      hint: STATUS_HINTS[status],
    })
  if (releaseBlock === 0n)
    throw new EigenxError({
      code: 'RELEASE_NOT_FOUND',
      message: 'The app has no confirmed release',
      stage: 'release',
      details: { appId, released: false },
      hint: 'Publish a release and wait until it is confirmed and final.',
    })
}

const STATUS_HINTS: Readonly<Record<AppStatus, string>> = {
  NONE: 'Create the app first.',
  CREATED: 'Publish a release, start the app and wait until both are final.',
  STARTED: 'Wait until the start is final.',
  STOPPED: 'Start the app again.',
  SUSPENDED: 'Capacity was withdrawn: ask the platform, then start the app again.',
  TERMINATED: 'Termination cannot be undone: create a new app.',
}

type ReleaseContext = {
  reader: ChainReader
  contracts: ReleaseContracts
  appId: string
  app: Address
  options: ReadOptions
}

type Views = { block: BlockRef; latest: BlockRef }

async function readRelease(
  context: ReleaseContext,
  state: AppState,
  views: Views,
): Promise<Release> {
  const { reader, appId, options } = context
  const number = state.releaseBlock
  const releaseBlock = await reader.blockByNumber(number, options)
  if (releaseBlock === undefined || number > views.block.number) throw eventMissing(appId)
  const upgrades = await readUpgrades(context, releaseBlock)
  const selected =
    upgrades.length > 1
      ? await resolveSeveral(context, upgrades, releaseBlock, views)
      : selectConfirmedUpgrade({ upgrades, confirmation: undefined, creation: undefined })
  if (selected === 'none') throw eventMissing(appId)
  if (selected === 'ambiguous') throw ambiguous(appId, number)
  return parseAppUpgraded(selected, releaseBlock)
}

async function readUpgrades(
  context: ReleaseContext,
  releaseBlock: BlockRef,
): Promise<readonly ChainLog[]> {
  const { reader, contracts, app, options } = context
  const key = `${contracts.appController}:${releaseBlock.hash}:${app}`
  const cached = contracts.cache?.get(key)
  if (cached !== undefined) return cached
  const upgrades = await reader.logs(
    {
      address: contracts.appController,
      topics: [[APP_UPGRADED_V15_TOPIC, APP_UPGRADED_V14_TOPIC], addressTopic(app)],
      in: { blockHash: releaseBlock.hash },
    },
    options,
  )
  const logs = upgrades.filter(isUpgrade)
  if (logs.length > 0) contracts.cache?.set(key, app, logs)
  return logs
}

/** The rule is applied to both views: a confirmation that is not final yet may have moved it. */
async function resolveSeveral(
  context: ReleaseContext,
  upgrades: readonly ChainLog[],
  releaseBlock: BlockRef,
  views: Views,
): Promise<ChainLog | 'none' | 'ambiguous'> {
  const { reader, contracts, app, appId, options } = context
  const [creation] = await reader.logs(
    {
      address: contracts.appController,
      topics: [APP_CREATED_TOPIC, null, addressTopic(app)],
      in: { blockHash: releaseBlock.hash },
    },
    options,
  )
  const confirmedUpTo = async (head: bigint): Promise<ChainLog | undefined> => {
    const question = { appController: contracts.appController, app, releaseBlock, head }
    const final = views.block.number
    const memory = contracts.cache?.confirmations
    const found = await findConfirmation(reader, { ...question, final }, memory, options)
    if (found === 'gave-up') throw ambiguous(appId, releaseBlock.number)
    return found === 'none' ? undefined : found
  }
  const newest = await confirmedUpTo(views.latest.number)
  const isFinal = newest === undefined || newest.blockNumber <= views.block.number
  const final = isFinal ? newest : await confirmedUpTo(views.block.number)
  const selected = selectConfirmedUpgrade({ upgrades, confirmation: final, creation })
  if (isFinal) return selected
  const next = selectConfirmedUpgrade({ upgrades, confirmation: newest, creation })
  if (next !== selected) throw notFinalYet(appId, releaseBlock.number)
  return selected
}

function isZeroAddress(address: Address): boolean {
  return /^0x0{40}$/.test(address)
}

function unknownApp(appId: string): EigenxError<'APP_UNKNOWN'> {
  return new EigenxError({
    code: 'APP_UNKNOWN',
    message: 'The app does not exist on chain, or its creation is not final yet',
    stage: 'chain',
    details: { appId },
  })
}

function eventMissing(appId: string): EigenxError<'RELEASE_NOT_FOUND'> {
  return new EigenxError({
    code: 'RELEASE_NOT_FOUND',
    message: 'The block of the confirmed release holds no release event of the app',
    stage: 'release',
    details: { appId, released: true },
    hint: 'A provider may keep recent events only: use one with the full history.',
  })
}

function ambiguous(appId: string, block: bigint): EigenxError<'RELEASE_AMBIGUOUS'> {
  return new EigenxError({
    code: 'RELEASE_AMBIGUOUS',
    message: 'Several releases were published in one block and the confirmed one cannot be told',
    stage: 'release',
    details: { appId, block: block.toString() },
    hint: 'Publish the release again, alone in its block, and have it confirmed.',
  })
}

function notFinalYet(appId: string, block: bigint): EigenxError<'RELEASE_AMBIGUOUS'> {
  return new EigenxError({
    code: 'RELEASE_AMBIGUOUS',
    message:
      'A newer release was confirmed and is not final yet: neither it nor the old one is served',
    stage: 'release',
    details: { appId, block: block.toString() },
    hint: 'Ask again once the confirmation is final, on Ethereum after about 15 minutes.',
  })
}
