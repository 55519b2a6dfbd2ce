/** Decisions over a real chain, through providers that hide or hold back. */

import { hexToBytes } from '@noble/hashes/utils.js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  changeApp,
  createApp,
  createEmptyApp,
  type Devnet,
  deployDevnet,
  devKey,
} from '../../helper/sim/contracts.ts'
import { createChainQuestions } from '../../kms/authorize/chain.ts'
import { createChainReader } from '../../sdk/chain/reader.ts'
import type { Address, AppDecision } from '../../sdk/chain/types.ts'
import { type Anvil, callNode, finalise, startAnvil } from '../kit/anvil.ts'
import { type RpcProxy, startRpcProxy, type Tamper } from '../kit/rpc-proxy.ts'
import { signedByOwner } from './kit.ts'
import { makeWorld, PROBLEM, post, WIDE_LIMITS } from './world.ts'

const MAX_LAG_SECONDS = 900
const DIGEST = `sha256:${'a'.repeat(64)}`
const honest: Tamper = () => undefined

let anvil: Anvil
let devnet: Devnet
const opened: { stop(): Promise<void> | void }[] = []

beforeAll(async () => {
  anvil = await startAnvil()
  devnet = await deployDevnet({ rpcUrl: anvil.url })
})
afterEach(async () => {
  for (const item of opened.splice(0)) await item.stop()
})
afterAll(() => anvil.stop())

/** All of the providers have to agree. */
async function ask(
  tampers: readonly Tamper[],
  limits: { maxLagSeconds: number; now: () => number },
) {
  const proxies: RpcProxy[] = []
  for (const tamper of tampers) proxies.push(await startRpcProxy(anvil.url, tamper))
  const reader = createChainReader({
    rpcUrls: proxies.map(({ url }) => url),
    quorum: proxies.length,
    chainId: 31337,
  })
  opened.push({ stop: () => reader.close() }, ...proxies)
  const { appController } = devnet
  return createChainQuestions({
    reader,
    appController,
    freshnessSeconds: 600,
    serveStopped: false,
    ...limits,
  })
}

describe('the owner of an app', () => {
  const unlimited = { maxLagSeconds: 0, now: () => Date.now() }
  const toml = `${WIDE_LIMITS}\n[attestation]\nmethods = ["eigenx-snp", "ecdsa"]`

  /** What a client of either kind hears. */
  async function askAsOwner(app: Address, tamper: Tamper) {
    const world = await makeWorld({ toml, chain: await ask([tamper], unlimited) })
    const body = signedByOwner({
      privateKey: hexToBytes(devKey(1).slice(2)),
      appId: app,
      rsaPem: world.rsa.pem,
    })
    const answer = await post(world, '/secrets', body, PROBLEM)
    const { code }: { code?: string } = await answer.json()
    if (answer.status === 200) return 'granted'
    const asGo = await post(world, '/secrets', body)
    return [code, asGo.status, (await asGo.text()).trim()]
  }

  it('gets the key of an app without a release, but not of one whose release a provider hides', async () => {
    const empty = await createEmptyApp(devnet)
    await changeApp(devnet, empty, 'startApp')
    const publicEnv = { EIGENX_TEE_METHODS: 'eigenx-snp' }
    const released = await createApp(devnet, { release: { imageDigest: DIGEST, publicEnv } })
    await finalise(anvil.url)
    const hides: Tamper = ({ method }, result) => ({
      result: method === 'eth_getLogs' ? [] : result,
    })
    expect(await askAsOwner(empty, hides)).toBe('granted')
    expect(await askAsOwner(released, honest)).toEqual([
      'EVIDENCE_NOT_ALLOWED',
      403,
      'Container policy mismatch',
    ])
    expect(await askAsOwner(released, hides)).toEqual([
      'RELEASE_NOT_FOUND',
      404,
      'Release not found',
    ])
  })
})

describe('one provider of two shows nothing newer than an old block', () => {
  let app: Address
  let holdsBack: Tamper
  /** Of the newest block, Unix milliseconds. */
  let now: number

  beforeAll(async () => {
    app = await createApp(devnet, { release: { imageDigest: DIGEST } })
    await finalise(anvil.url)
    const old = await callNode(anvil.url, 'eth_getBlockByNumber', ['finalized', false])
    await changeApp(devnet, app, 'stopApp')
    await callNode(anvil.url, 'evm_increaseTime', [MAX_LAG_SECONDS + 60])
    await finalise(anvil.url)
    holdsBack = ({ method, params }, result) => ({
      result:
        method === 'eth_getBlockByNumber' && ['finalized', 'latest'].includes(String(params[0]))
          ? old
          : result,
    })
    const reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: 31337 })
    now = (await reader.latestBlock()).timestamp * 1000
    reader.close()
  })

  const decide = async (tampers: readonly Tamper[], maxLagSeconds: number): Promise<AppDecision> =>
    (await ask(tampers, { maxLagSeconds, now: () => now })).decideApp(app)

  it('as the chain stands, the app is stopped', async () => {
    await expect(decide([honest, honest], MAX_LAG_SECONDS)).rejects.toMatchObject({
      code: 'APP_NOT_RUNNING',
      details: { status: 'STOPPED' },
    })
  })

  it('and no decision is made at that block, for it or against it', async () => {
    await expect(decide([honest, holdsBack], MAX_LAG_SECONDS)).rejects.toMatchObject({
      code: 'CHAIN_UNAVAILABLE',
      message: expect.stringMatching(/newest block .* 9\d\d seconds old, and 900 are allowed/),
    })
  })

  it('unless the operator asks for no newer one', async () => {
    expect((await decide([honest, holdsBack], 0)).status).toBe('STARTED')
  })

  it('while two of three outvote it', async () => {
    const proxies: RpcProxy[] = []
    for (const tamper of [honest, honest, holdsBack])
      proxies.push(await startRpcProxy(anvil.url, tamper))
    const reader = createChainReader({
      rpcUrls: proxies.map(({ url }) => url),
      quorum: 2,
      chainId: 31337,
    })
    opened.push({ stop: () => reader.close() }, ...proxies)
    expect((await reader.latestBlock()).timestamp * 1000).toBe(now)
  })
})
