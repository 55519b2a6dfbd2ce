import { encodePacked, keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  appCall,
  changeApp,
  coordinateApp,
  createApp,
  createEmptyApp,
  type Devnet,
  deployDevnet,
  devAddress,
  devKey,
  releaseStruct,
  submit,
  upgradeApp,
} from '../../../helper/sim/contracts.ts'
import { type ChainReader, createChainReader } from '../../../sdk/chain/reader.ts'
import {
  createReleaseCache,
  type DecisionOptions,
  parseAppId,
  readAppCreator,
  readAppDecision,
} from '../../../sdk/chain/release.ts'
import type { Address, Hash32 } from '../../../sdk/chain/types.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import {
  type Anvil,
  callNode,
  finalise,
  inOneBlock,
  mineBlocks,
  startAnvil,
} from '../../kit/anvil.ts'

let anvil: Anvil
let devnet: Devnet
let reader: ChainReader

beforeAll(async () => {
  anvil = await startAnvil()
  devnet = await deployDevnet({ rpcUrl: anvil.url })
  reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: 31337 })
})

afterAll(async () => {
  reader.close()
  await anvil.stop()
})

const creator = devKey(1)
const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`
const release = (letter: string) => ({ imageDigest: digestOf(letter) })

/** The digest that is served, or the code of the refusal (with the status, where it names one). */
async function verdict(app: string, options: DecisionOptions = {}): Promise<string> {
  try {
    const decision = await readAppDecision(reader, devnet, app, options)
    return decision.release.imageDigest
  } catch (error) {
    if (isEigenxError(error, 'APP_NOT_RUNNING')) return `APP_NOT_RUNNING ${error.details.status}`
    if (isEigenxError(error)) return error.code
    throw error
  }
}

type Steps = (app: Address) => Promise<void>

const start: Steps = (app) => changeApp(devnet, app, 'startApp')
const stop: Steps = (app) => changeApp(devnet, app, 'stopApp')
const terminate: Steps = (app) => changeApp(devnet, app, 'terminateApp')
const confirm: Steps = (app) => coordinateApp(devnet, app, 'confirmUpgrade')
const suspend: Steps = (app) => coordinateApp(devnet, app, 'suspendApp')
const expel: Steps = (app) => coordinateApp(devnet, app, 'terminateAppByAdmin')
const upgrade =
  (letter: string): Steps =>
  (app) =>
    upgradeApp(devnet, app, release(letter))

async function appAfter(isEmpty: boolean, steps: readonly Steps[]): Promise<Address> {
  const app = isEmpty
    ? await createEmptyApp(devnet)
    : await createApp(devnet, { release: release('a') })
  for (const step of steps) await step(app)
  return app
}

describe('every state of an app', () => {
  const served = digestOf('a')
  const table: [string, boolean, Steps[], string, string][] = [
    ['created empty', true, [], 'APP_NOT_RUNNING CREATED', 'APP_NOT_RUNNING CREATED'],
    [
      'created empty, published',
      true,
      [upgrade('b')],
      'APP_NOT_RUNNING CREATED',
      'APP_NOT_RUNNING CREATED',
    ],
    ['created empty, started', true, [start], 'RELEASE_NOT_FOUND', 'RELEASE_NOT_FOUND'],
    [
      'started, published, not confirmed',
      true,
      [start, upgrade('b')],
      'RELEASE_NOT_FOUND',
      'RELEASE_NOT_FOUND',
    ],
    [
      'started, published, confirmed',
      true,
      [start, upgrade('b'), confirm],
      digestOf('b'),
      digestOf('b'),
    ],
    ['created with a release', false, [], served, served],
    ['upgraded, not confirmed', false, [upgrade('b')], served, served],
    ['upgraded, confirmed', false, [upgrade('b'), confirm], digestOf('b'), digestOf('b')],
    ['stopped', false, [stop], 'APP_NOT_RUNNING STOPPED', served],
    ['stopped, started again', false, [stop, start], served, served],
    ['suspended', false, [suspend], 'APP_NOT_RUNNING SUSPENDED', 'APP_NOT_RUNNING SUSPENDED'],
    ['suspended, started again', false, [suspend, start], served, served],
    ['terminated', false, [terminate], 'APP_NOT_RUNNING TERMINATED', 'APP_NOT_RUNNING TERMINATED'],
    [
      'terminated by the platform',
      false,
      [expel],
      'APP_NOT_RUNNING TERMINATED',
      'APP_NOT_RUNNING TERMINATED',
    ],
  ]
  it.each(table)('%s', async (_name, isEmpty, steps, expected, withStopped) => {
    const app = await appAfter(isEmpty, steps)
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(expected)
    expect(await verdict(app, { serveStopped: true })).toBe(withStopped)
  })

  it('unknown', async () => {
    expect(await verdict(`0x${'77'.repeat(20)}`)).toBe('APP_UNKNOWN')
    expect(await verdict(`0x${'00'.repeat(20)}`)).toBe('APP_UNKNOWN')
  })
})

describe('final and newest view', () => {
  it('what is not final yet is not granted', async () => {
    const app = await appAfter(false, [])
    expect(await verdict(app)).toBe('APP_UNKNOWN')
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('a'))
  })

  it('a withdrawal acts at once', async () => {
    const app = await appAfter(false, [])
    await finalise(anvil.url)
    await stop(app)
    expect(await verdict(app)).toBe('APP_NOT_RUNNING STOPPED')
    await finalise(anvil.url)
    await start(app)
    expect(await verdict(app)).toBe('APP_NOT_RUNNING STOPPED')
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('a'))
  })

  it('a confirmed upgrade withdraws the old release at once and grants the new one when final', async () => {
    const app = await appAfter(false, [upgrade('b')])
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('a'))
    await confirm(app)
    expect(await verdict(app)).toBe('RELEASE_AMBIGUOUS')
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('b'))
  })

  it('a withdrawal that a reorganisation undoes is undone here too', async () => {
    const app = await appAfter(false, [])
    await mineBlocks(anvil.url, 6)
    await stop(app)
    expect(await verdict(app)).toBe('APP_NOT_RUNNING STOPPED')
    await callNode(anvil.url, 'anvil_reorg', [1, []])
    expect(await verdict(app)).toBe(digestOf('a'))
  })

  it('are one where the configuration takes the newest block as final', async () => {
    const quick = createChainReader({
      rpcUrls: [anvil.url],
      quorum: 1,
      chainId: 31337,
      finality: 'latest',
    })
    const app = await appAfter(false, [])
    const decision = await readAppDecision(quick, devnet, app)
    expect(decision.block).toEqual(decision.latest)
    expect(decision).toMatchObject({ creator: devAddress(1), status: 'STARTED' })
    quick.close()
  })
})

describe('several releases in one block', () => {
  const salt = (byte: number): Hash32 => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
  const appOf = (saltOf: Hash32): Address => {
    const parts = [devnet.appController, devAddress(1), saltOf] as const
    const packed = encodePacked(['address', 'address', 'bytes32'], parts)
    return `0x${keccak256(packed).slice(26)}`
  }
  const upgradeCall = (app: Address, letter: string) =>
    appCall(devnet, 'upgradeApp', [app, releaseStruct(release(letter))])

  async function createWithUpgrade(byte: number): Promise<Address> {
    const app = appOf(salt(byte))
    await inOneBlock(anvil.url, () =>
      submit(anvil.url, creator, [
        appCall(devnet, 'createApp', [salt(byte), releaseStruct(release('a'))]),
        upgradeCall(app, 'b'),
      ]),
    )
    return app
  }

  it('creation with A and an unconfirmed B serves A, whatever comes later unconfirmed', async () => {
    const app = await createWithUpgrade(1)
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('a'))
    await upgrade('c')(app)
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('a'))
  })

  it('B of that block is served once its confirmation is final, and nothing in between', async () => {
    const app = await createWithUpgrade(2)
    await finalise(anvil.url)
    await confirm(app)
    expect(await verdict(app)).toBe('RELEASE_AMBIGUOUS')
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('b'))
  })

  it('are told apart by a search that is not made twice', async () => {
    const app = await createWithUpgrade(3)
    await confirm(app)
    await mineBlocks(anvil.url, 1100)
    await finalise(anvil.url)
    const starts: bigint[] = []
    const watched: ChainReader = {
      ...reader,
      logs: (filter, options) => {
        if ('fromBlock' in filter.in) starts.push(filter.in.fromBlock)
        return reader.logs(filter, options)
      },
    }
    const contracts = { appController: devnet.appController, cache: createReleaseCache() }
    const first = await readAppDecision(watched, contracts, app)
    expect(first.release.imageDigest).toBe(digestOf('b'))
    expect(starts).toEqual([first.release.block.number])
    const second = await readAppDecision(watched, contracts, app)
    expect(second.release).toEqual(first.release)
    expect(starts.at(-1)).toBe(first.block.number - 999n)
  })

  it('A, its confirmation and B in one block serve A', async () => {
    const app = await appAfter(false, [])
    await inOneBlock(anvil.url, async () => {
      await submit(anvil.url, creator, [upgradeCall(app, 'b')])
      await submit(anvil.url, devnet.deployerKey, [appCall(devnet, 'confirmUpgrade', [app])])
      await submit(anvil.url, creator, [upgradeCall(app, 'c')])
    })
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('b'))
    await mineBlocks(anvil.url, 50)
    await confirm(app)
    await finalise(anvil.url)
    expect(await verdict(app)).toBe(digestOf('c'))
  })
})

describe('app ids', () => {
  it('are an address with 0x in any letter case', async () => {
    const app = await appAfter(false, [])
    await finalise(anvil.url)
    expect(await verdict(`0x${app.slice(2).toUpperCase()}`)).toBe(digestOf('a'))
    expect(parseAppId(`0x${'AB'.repeat(20)}`)).toBe(`0x${'ab'.repeat(20)}`)
  })

  const refused = [
    ['no 0x', 'ab'.repeat(20)],
    ['an upper-case 0X', `0X${'ab'.repeat(20)}`],
    ['a nibble short', `0x${'ab'.repeat(20)}`.slice(0, -1)],
    ['a byte long', `0x${'ab'.repeat(21)}`],
    ['a space', ` 0x${'ab'.repeat(20)}`],
    ['a line break', `0x${'ab'.repeat(20)}\n`],
    ['another digit', `0x${'ag'.repeat(20)}`],
    ['nothing', ''],
    ['a megabyte', '0x'.padEnd(1_000_000, 'a')],
  ]
  it.each(refused)('refuse %s', async (_name, appId) => {
    expect(await verdict(appId)).toBe('APP_ID_INVALID')
  })
})

describe('around a decision', () => {
  it('names the creator of an app in any state, and of none', async () => {
    const app = await appAfter(false, [terminate])
    await finalise(anvil.url)
    expect(await readAppCreator(reader, devnet, app)).toBe(devAddress(1))
    await expect(readAppCreator(reader, devnet, `0x${'77'.repeat(20)}`)).rejects.toMatchObject({
      code: 'APP_UNKNOWN',
    })
  })

  it('says so when the address is not an AppController', async () => {
    const wrong = { appController: `0x${'12'.repeat(20)}` } as const
    await expect(readAppDecision(reader, wrong, `0x${'77'.repeat(20)}`)).rejects.toMatchObject({
      code: 'CONTRACT_UNEXPECTED',
      details: { contract: 'AppController' },
    })
    const other = { appController: devnet.epochLog }
    await expect(readAppDecision(reader, other, `0x${'77'.repeat(20)}`)).rejects.toMatchObject({
      code: 'CONTRACT_UNEXPECTED',
    })
  })

  it('asks for the events of a block once, and forgets them when the app ends', async () => {
    const app = await appAfter(false, [])
    await finalise(anvil.url)
    const cache = createReleaseCache(2)
    let reads = 0
    const counting: ChainReader = {
      ...reader,
      logs: (filter, options) => {
        reads++
        return reader.logs(filter, options)
      },
    }
    const contracts = { appController: devnet.appController, cache }
    const first = await readAppDecision(counting, contracts, app)
    const second = await readAppDecision(counting, contracts, app)
    expect(reads).toBe(1)
    expect(second.release).toEqual(first.release)
    await terminate(app)
    await expect(readAppDecision(counting, contracts, app)).rejects.toMatchObject({
      code: 'APP_NOT_RUNNING',
    })
    expect(cache.get(`${devnet.appController}:${first.release.block.hash}:${app}`)).toBeUndefined()
  })

  it('keeps the cache within its bound', () => {
    const cache = createReleaseCache(2)
    const app = devAddress(1)
    cache.set('a', app, [])
    cache.set('b', app, [])
    cache.get('a')
    cache.set('c', app, [])
    expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true])
  })
})
