/**
 * Everything real that an attack runs against: a chain with the devnet's contracts, apps in every
 * state, and operators (the HTTP app with verifier, policy, chain reader and a share) that differ in
 * their configuration only.
 */
import {
  appCall,
  changeApp,
  coordinateApp,
  createApp,
  createEmptyApp,
  type Devnet,
  deployDevnet,
  devKey,
  type ReleaseInput,
  releaseStruct,
  send,
  submit,
  upgradeApp,
} from '../../helper/sim/contracts.ts'
import type { SnpAuthority } from '../../helper/sim/evidence.ts'
import { createChainQuestions } from '../../kms/authorize/chain.ts'
import { recentBlock } from '../../sdk/chain/freshness.ts'
import { type ChainReader, createChainReader } from '../../sdk/chain/reader.ts'
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import type { Domain } from '../../sdk/protocol/types.ts'
import { startAnvil } from '../kit/anvil.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import {
  COMMAND,
  IMAGE,
  makeBody,
  makeRsa,
  type PodOptions,
  REPOSITORY,
  type RsaPair,
  type SecretsBody,
} from '../kms/kit.ts'
import { KNOWN_IMAGE, makeWorld, WIDE_LIMITS, type World } from '../kms/world.ts'

export const OTHER_IMAGE = `sha256:${'22'.repeat(32)}`
export const RELEASE: ReleaseInput = {
  imageDigest: IMAGE,
  registry: REPOSITORY,
  containerPolicy: { args: COMMAND },
}

const FRESHNESS_SECONDS = 600

/** Milan as the simulated host reports it. */
const FLOOR = 'minimum_tcb = { Milan = { bootloader = 4, tee = 0, snp = 24, microcode = 219 } }'
const OPERATORS = {
  /** As an operator on anchored platforms would run it. */
  strict: `[attestation]\n${FLOOR}\n${KNOWN_IMAGE}`,
  /** Knows no guest image: HOST_DATA, which the host writes, is then no anchor. */
  imageless: `[attestation]\n${FLOOR}`,
  /** Serves fleets whose launch does not anchor the initdata, where the release opts in. */
  lenient: `[attestation]\n${FLOOR}\nallow_self_asserted_initdata = true`,
  /** Refuses the older report data. */
  modern: `[attestation]\naccept_report_data_v1 = false\n${KNOWN_IMAGE}`,
  /** Knows an image that lets nothing but its helper name the initdata. */
  guarded: `[attestation]\n${KNOWN_IMAGE}\nbinds_initdata = true`,
  /** Knows the firmware of a launch, not its image. */
  firmwareOnly: `[attestation]\n${KNOWN_IMAGE.replace('true', 'false')}`,
  /** Serves one image in Azure's VMs too. */
  azure: `[attestation]\nmethods = ["eigenx-snp", "az-snp-vtpm"]\n${KNOWN_IMAGE}
[attestation.azure]
id_key_digests = ["${'1d'.repeat(48)}"]
images = [{ pcr4 = "${'44'.repeat(32)}", pcr11 = "${'bb'.repeat(32)}", covers_image = true }]`,
  /** Serves owners too. */
  owner: `[attestation]\nmethods = ["eigenx-snp", "ecdsa"]\n${KNOWN_IMAGE}`,
  ownerLegacy: `[attestation]\nmethods = ["eigenx-snp", "ecdsa"]\n${KNOWN_IMAGE}\n[routes]\necdsa_legacy = true`,
  fixedApps: '[policy]\nallowed_apps = ["0x0000000000000000000000000000000000000001"]',
} as const

export type OperatorName = keyof typeof OPERATORS

export type AppName =
  | 'running'
  | 'other'
  | 'created'
  | 'startedEmpty'
  | 'stopped'
  | 'suspended'
  | 'terminated'
  | 'revoked'
  | 'unsettled'
  | 'pending'
  | 'sameBlock'
  | 'digestOnly'
  | 'pinned'
  | 'optIn'
  | 'launchOnly'
  | 'malformedPin'
  | 'unknownPin'
  | 'restartPolicy'

export type AttackWorld = {
  devnet: Devnet
  domain: Domain
  operators: Record<OperatorName, World>
  apps: Record<AppName, Address>
  authority: SnpAuthority
  /** Same certificate names, other keys: nobody trusts it. */
  lookAlike: SnpAuthority
  rsa: RsaPair
  thief: RsaPair
  creatorKey: `0x${string}`
  fresh: Hash32
  stale: Hash32
  /** An honest pod of the running app, with changes. */
  body: (changes?: Partial<PodOptions>) => Promise<SecretsBody>
  stop: () => Promise<void>
}

export async function startAttackWorld(): Promise<AttackWorld> {
  const anvil = await startAnvil()
  const devnet = await deployDevnet({ rpcUrl: anvil.url })
  const { chainId, epochLog, avs, operatorSetId } = devnet
  const domain = { chainId, epochLog, avs, operatorSetId }
  const reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId })
  const stale = (await recentBlock(reader)).hash
  const settled = await deploySettledApps(devnet)
  await call(anvil.url, 'evm_increaseTime', [FRESHNESS_SECONDS + 60])
  await call(anvil.url, 'anvil_mine', ['0x40'])
  const fresh = (await recentBlock(reader)).hash
  const apps = { ...settled, ...(await leaveUnsettled(devnet)) }
  const operators = await startOperators(devnet, domain, reader)
  const [authority, lookAlike] = await Promise.all([
    authorityOf(),
    authorityOf('Milan', 'VCEK', 'look-alike'),
  ])
  const rsa = makeRsa()
  return {
    devnet,
    domain,
    operators,
    apps,
    authority,
    lookAlike,
    rsa,
    thief: makeRsa(),
    creatorKey: devKey(1),
    fresh,
    stale,
    body: (changes = {}) =>
      makeBody(authority, { rsa, appId: apps.running, domain, freshnessBlock: fresh, ...changes }),
    stop: async () => {
      reader.close()
      await anvil.stop()
    },
  }
}

async function startOperators(
  devnet: Devnet,
  domain: Domain,
  reader: ChainReader,
): Promise<Record<OperatorName, World>> {
  const chain = createChainQuestions({
    reader,
    appController: devnet.appController,
    freshnessSeconds: FRESHNESS_SECONDS,
    serveStopped: false,
    // The node's clock is set forward for old evidence.
    maxLagSeconds: 0,
    now: () => Date.now(),
  })
  const start = (name: OperatorName) =>
    makeWorld({ toml: `${WIDE_LIMITS}\n${OPERATORS[name]}`, chain, domain })
  return {
    strict: await start('strict'),
    lenient: await start('lenient'),
    modern: await start('modern'),
    imageless: await start('imageless'),
    guarded: await start('guarded'),
    firmwareOnly: await start('firmwareOnly'),
    azure: await start('azure'),
    owner: await start('owner'),
    ownerLegacy: await start('ownerLegacy'),
    fixedApps: await start('fixedApps'),
  }
}

type Unsettled = 'revoked' | 'unsettled'

/** Apps whose last change is final. */
async function deploySettledApps(
  devnet: Devnet,
): Promise<Record<Exclude<AppName, Unsettled>, Address>> {
  const app = (release: Partial<ReleaseInput> = {}) =>
    createApp(devnet, { release: { ...RELEASE, ...release } })
  const running = await app()
  const other = await app({ imageDigest: OTHER_IMAGE })
  const created = await createEmptyApp(devnet)
  const startedEmpty = await createEmptyApp(devnet)
  await changeApp(devnet, startedEmpty, 'startApp')
  const stopped = await app()
  await changeApp(devnet, stopped, 'stopApp')
  const suspended = await app()
  await coordinateApp(devnet, suspended, 'suspendApp')
  const terminated = await app()
  await changeApp(devnet, terminated, 'terminateApp')
  const pending = await app()
  await upgradeApp(devnet, pending, { ...RELEASE, imageDigest: OTHER_IMAGE })
  const digestOnly = await app({ containerPolicy: {} })
  const pinned = await app({ publicEnv: { EIGENX_TEE_INITDATA_SHA384: 'ab'.repeat(48) } })
  const optIn = await app({ publicEnv: { EIGENX_TEE_MIN_BINDING: 'report_data' } })
  const launchOnly = await app({ publicEnv: { EIGENX_TEE_MIN_BINDING: 'launch' } })
  const malformedPin = await app({ publicEnv: { EIGENX_TEE_INITDATA_SHA384: 'not-hex' } })
  const unknownPin = await app({ publicEnv: { EIGENX_TEE_INITDATA_SHA348: 'ab'.repeat(48) } })
  const restartPolicy = await app({ containerPolicy: { args: COMMAND, restartPolicy: 'Never' } })
  const sameBlock = await releaseTwiceInOneBlock(devnet)
  return {
    running,
    other,
    created,
    startedEmpty,
    stopped,
    suspended,
    terminated,
    pending,
    sameBlock,
    digestOnly,
    pinned,
    optIn,
    launchOnly,
    malformedPin,
    unknownPin,
    restartPolicy,
  }
}

/** One block confirms the release of one image and publishes that of another behind it. */
async function releaseTwiceInOneBlock(devnet: Devnet): Promise<Address> {
  const app = await createEmptyApp(devnet, { creatorKey: devKey(0) })
  await changeApp(devnet, app, 'startApp', devKey(0))
  const publish = (imageDigest: string) =>
    appCall(devnet, 'upgradeApp', [app, releaseStruct({ ...RELEASE, imageDigest })])
  await call(devnet.rpcUrl, 'evm_setAutomine', [false])
  // Development account 0 is creator and coordinator here, so one nonce order covers all three.
  await submit(devnet.rpcUrl, devKey(0), [
    publish(IMAGE),
    appCall(devnet, 'confirmUpgrade', [app]),
    publish(OTHER_IMAGE),
  ])
  await call(devnet.rpcUrl, 'evm_mine', [])
  await call(devnet.rpcUrl, 'evm_setAutomine', [true])
  return app
}

/** Changes that the newest block shows and the final one does not. */
async function leaveUnsettled(devnet: Devnet): Promise<Record<Unsettled, Address>> {
  const revoked = await createApp(devnet, { release: RELEASE })
  const unsettled = await createApp(devnet, { release: RELEASE })
  await call(devnet.rpcUrl, 'anvil_mine', ['0x40'])
  const publish = appCall(devnet, 'upgradeApp', [
    unsettled,
    releaseStruct({ ...RELEASE, imageDigest: OTHER_IMAGE }),
  ])
  await send(devnet.rpcUrl, devKey(1), [publish])
  await coordinateApp(devnet, unsettled, 'confirmUpgrade')
  await changeApp(devnet, revoked, 'terminateApp')
  return { revoked, unsettled }
}

async function call(url: string, method: string, params: readonly unknown[]): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body })
  const answer: { error?: { message: string } } = await response.json()
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
}
