/**
 * The demonstration app of a devnet: a pod with one container, its initdata, a sealed secret, and a
 * confirmed release on chain that pins all of it. What a developer does with `release prepare`.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { stringify as stringifyToml } from 'smol-toml'
import { createClient, http } from 'viem'
import { getBlock, readContract } from 'viem/actions'
import { appRegistryArtifact } from '../../kms/contracts/artifacts/app-registry.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { type PreparedRelease, prepareRelease } from '../../policy/prepare.ts'
import type { Initdata } from '../../policy/types.ts'
import { bytesToHex, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { encryptForApp } from '../../sdk/crypto/ibe.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { createApp, type Devnet as DevnetContracts, devAddress } from './contracts.ts'

const FINALITY_TIMEOUT_MS = 30_000
const POLL_MS = 100

/** No registry is asked for it: nothing pulls the image, only its digest is compared. */
const DEMO_IMAGE_DIGEST = `sha256:${bytesToHex(sha256(utf8ToBytes('eigenx-tee demonstration image')))}`
const DEMO_REGISTRY = 'registry.example.com/demo/wallet'

export const DEMO_SECRET = { name: 'DB_PASSWORD', value: 'correct horse battery staple' } as const

export type PublishedApp = {
  appId: Address
  imageDigest: string
  prepared: PreparedRelease
  initdata: Initdata
}

export type PublishInput = {
  contracts: DevnetContracts
  chosen: ChosenApp
  masterPublicKey: Uint8Array
  /** Where the pod finds its Attestation Agent. */
  agentUrl: string
}

export type ChosenApp = { salt: Hash32; appId: Address }

/** The address that an app of development account 1 will have: eigenx.toml names it, and the release pins eigenx.toml. */
export async function chooseApp(contracts: DevnetContracts): Promise<ChosenApp> {
  const salt = toHex(crypto.getRandomValues(new Uint8Array(32)))
  const appId = await readContract(createClient({ transport: http(contracts.rpcUrl) }), {
    address: contracts.appController,
    abi: appRegistryArtifact.abi,
    functionName: 'calculateAppId',
    args: [devAddress(1), salt],
  })
  if (typeof appId !== 'string') throw new TypeError('calculateAppId answers with an address')
  return { salt, appId: `0x${appId.slice(2).toLowerCase()}` }
}

export async function publishApp(input: PublishInput): Promise<PublishedApp> {
  const { contracts, masterPublicKey } = input
  const { salt, appId } = input.chosen
  const prepared = prepareRelease({
    podYaml: DEMO_POD,
    files: {
      'aa.toml': AA_TOML,
      'cdh.toml': CDH_TOML,
      'eigenx.toml': describeConfig(input),
    },
  })
  const sealed = { [DEMO_SECRET.name]: DEMO_SECRET.value }
  const release = {
    imageDigest: prepared.imageDigest,
    registry: DEMO_REGISTRY,
    publicEnv: { GREETING: 'hello', ...prepared.pins },
    encryptedEnv: encryptForApp({
      masterPublicKey,
      appId,
      plaintext: utf8ToBytes(JSON.stringify(sealed)),
    }),
  }
  await createApp(contracts, { release, salt })
  await waitForFinality(contracts.rpcUrl)
  return {
    appId,
    imageDigest: prepared.imageDigest,
    prepared,
    initdata: parseInitdata(utf8ToBytes(prepared.initdataToml)),
  }
}

export const DEMO_POD = `apiVersion: v1
kind: Pod
metadata:
  name: wallet
spec:
  runtimeClassName: kata-remote
  containers:
    - name: wallet
      image: ${DEMO_REGISTRY}:1.0@${DEMO_IMAGE_DIGEST}
      command: ["/usr/bin/wallet"]
      args: ["--serve"]
      env:
        - name: NETWORK
          value: devnet
`

/** The agent needs no key broker: evidence is all that the helper asks it for. */
const AA_TOML = `[token_configs]
`

const CDH_TOML = `socket = "unix:///run/confidential-containers/cdh.sock"
credentials = []

[kbc]
name = "offline_fs_kbc"
url = ""
`

function describeConfig({ contracts, chosen, masterPublicKey, agentUrl }: PublishInput): string {
  return stringifyToml({
    version: 1,
    app_id: chosen.appId,
    chain: { chain_id: contracts.chainId, rpc_urls: [contracts.rpcUrl], quorum: 1 },
    operators: {
      avs_address: contracts.avs,
      operator_set_id: contracts.operatorSetId,
      allocation_manager: contracts.allocationManager,
      key_registrar: contracts.keyRegistrar,
      epoch_log: contracts.epochLog,
      master_public_key: bytesToHex(masterPublicKey),
    },
    attestation: { method: 'auto', report_data: 'v2', aa_url: agentUrl },
  })
}

/** Operators grant at the finalized block: what is younger does not exist for them. */
async function waitForFinality(rpcUrl: string): Promise<void> {
  const client = createClient({ transport: http(rpcUrl, { retryCount: 0 }) })
  const { number: target } = await getBlock(client, { blockTag: 'latest' })
  const deadline = Date.now() + FINALITY_TIMEOUT_MS
  while (Date.now() < deadline) {
    const { number } = await getBlock(client, { blockTag: 'finalized' })
    if (number !== null && target !== null && number >= target) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new EigenxError({
    code: 'TIMEOUT',
    message: 'the release did not become final',
    stage: 'chain',
    details: { what: 'finality', afterMs: FINALITY_TIMEOUT_MS },
  })
}
