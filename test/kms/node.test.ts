/** Whole operators in one process: a real chain, real stores, genesis over HTTP, then keys. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from '@noble/hashes/utils.js'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createApp,
  type Devnet,
  deployDevnet,
  registerOperators,
} from '../../helper/sim/contracts.ts'
import { createSnpAuthority, type SnpAuthority } from '../../helper/sim/evidence.ts'
import { healthyReport } from '../../helper/sim/evidence-report.ts'
import { createTdxAuthority, type TdxAuthority } from '../../helper/sim/tdx-evidence.ts'
import { SIM_MRTD } from '../../helper/sim/tdx-quote.ts'
import { loadKmsConfig } from '../../kms/load-config.ts'
import { createLog } from '../../kms/log.ts'
import { type RunningOperator, startOperator } from '../../kms/node.ts'
import { showStatus } from '../../kms/status-actions.ts'
import { createStoreKey } from '../../kms/store/key-file.ts'
import { encodeSnpRoots } from '../../sdk/attest/anchors.ts'
import { encodeTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { encodeTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { recentBlock } from '../../sdk/chain/freshness.ts'
import { createChainReader } from '../../sdk/chain/reader.ts'
import type { Address, OperatorInfo } from '../../sdk/chain/types.ts'
import { recombine } from '../../sdk/crypto/recombine.ts'
import { parseCertifiedBody } from '../../sdk/protocol/output.ts'
import { type Anvil, startAnvil } from '../kit/anvil.ts'
import {
  COMMAND,
  IMAGE,
  makeBody,
  makeRsa,
  openPartial,
  REPOSITORY,
  type RsaPair,
  type SecretsBody,
} from './kit.ts'
import { makeTdxBody, type TdxPod } from './tdx-kit.ts'

const N = 4
const READY_MS = 150_000

type Setup = { configFile: string; signingKey: string; info: OperatorInfo }

let anvil: Anvil
let devnet: Devnet
let authority: SnpAuthority
let intel: TdxAuthority
let folder: string
let setups: Setup[]
let app: Address
let rsa: RsaPair
const operators: RunningOperator[] = []
const logLines: string[] = []

beforeAll(async () => {
  anvil = await startAnvil({ blockTimeSeconds: 1 })
  folder = await mkdtemp(join(tmpdir(), 'eigenx-node-'))
  rsa = makeRsa()
  authority = await createSnpAuthority({
    product: 'Milan',
    kind: 'VCEK',
    now: Math.floor(Date.now() / 1000),
  })
  intel = await createTdxAuthority({ now: Math.floor(Date.now() / 1000) })
  devnet = await deployDevnet({ rpcUrl: anvil.url })
  setups = await Promise.all(Array.from({ length: N }, (_, index) => prepare(index)))
  await Promise.all(setups.map(({ info }) => fund(info.address)))
  await registerOperators(
    devnet,
    setups.map(({ info }) => info),
  )
  app = await createApp(devnet, {
    release: {
      imageDigest: IMAGE,
      registry: REPOSITORY,
      containerPolicy: { args: COMMAND },
    },
  })
  for (const setup of setups) operators.push(await start(setup))
  await Promise.all(operators.map(ready))
}, 200_000)

afterAll(async () => {
  await Promise.all(operators.map((operator) => operator.stop()))
  await anvil.stop()
  await rm(folder, { recursive: true, force: true })
})

async function prepare(index: number): Promise<Setup> {
  const home = join(folder, `operator-${index}`)
  await mkdir(home)
  const signingKey = generatePrivateKey()
  const address = lower(privateKeyToAccount(signingKey).address)
  const port = await freePort()
  await writeFile(join(home, 'signing.key'), signingKey.slice(2), { mode: 0o600 })
  await createStoreKey(join(home, 'store.key'), randomBytes)
  await writeFile(join(home, 'roots.json'), encodeSnpRoots(authority.anchors))
  await writeFile(join(home, 'roots.pem'), encodeTdxRoots(intel.anchors))
  await mkdir(join(home, 'collateral'))
  const { collateral } = await intel.issue()
  const bundle = JSON.stringify(encodeTdxCollateral(collateral))
  await writeFile(join(home, 'collateral', 'platform.json'), bundle)
  const configFile = join(home, 'operator.toml')
  await writeFile(
    configFile,
    `
[operator]
address = "${address}"
signing_key_file = "signing.key"
[listen]
port = ${port}
[chain]
chain_id = 31337
rpc_urls = ["${anvil.url}"]
[contracts]
allocation_manager = "${devnet.allocationManager}"
key_registrar = "${devnet.keyRegistrar}"
app_controller = "${devnet.appController}"
epoch_log = "${devnet.epochLog}"
avs = "${devnet.avs}"
operator_set_id = ${devnet.operatorSetId}
[metrics]
port = 0
[store]
path = "operator.db"
key_file = "store.key"
[epoch]
genesis = true
post_seconds = 2
veto_seconds = 1
activation_delay_seconds = 0
poll_ms = 150
# Four operators share this process and its machine with other tests: nobody is late before a minute.
session_ms = 120000
[limits]
peer_timeout_ms = 60000
[[attestation.measurements]]
value = "${bytesToHex(healthyReport('Milan', 'VCEK').measurement)}"
covers_image = true
[attestation]
methods = ["eigenx-snp", "eigenx-tdx"]
[attestation.tdx]
collateral_dir = "collateral"
[[attestation.tdx.measurements]]
mrtd = "${bytesToHex(SIM_MRTD)}"
rtmr1 = "${'a1'.repeat(48)}"
rtmr2 = "${'a2'.repeat(48)}"
covers_image = true
[development]
snp_roots_file = "roots.json"
tdx_roots_file = "roots.pem"
`,
  )
  const socket = `http://127.0.0.1:${port}`
  return {
    configFile,
    signingKey: signingKey.slice(2),
    info: { address, socket, signingKey: { curve: 'ecdsa', address } },
  }
}

async function start(setup: Setup): Promise<RunningOperator> {
  const config = await loadKmsConfig(setup.configFile)
  return startOperator(config, {
    log: createLog({
      level: 'debug',
      operator: config.operator.address,
      destination: { write: (line) => void logLines.push(line) },
    }),
  })
}

async function ready(operator: RunningOperator): Promise<void> {
  const deadline = Date.now() + READY_MS
  while (Date.now() < deadline) {
    // On a busy machine a kept-alive connection may end under a request.
    const answer = await fetch(`${operator.url}/health`).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const report = await fetch(`${operator.url}/health`).then((answer) => answer.text(), String)
  throw new Error(`operator not ready: ${report}\n${logLines.slice(-60).join('')}`)
}

async function fund(address: Address): Promise<void> {
  const params = [address, '0x56bc75e2d63100000']
  await rpc('anvil_setBalance', params)
}

async function rpc(method: string, params: readonly unknown[]): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(anvil.url, { method: 'POST', headers, body })
  const answer: { error?: unknown } = await response.json()
  if (answer.error !== undefined) throw new Error(`${method} failed`)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address()
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : 0))
    })
  })
}

const lower = (address: string): Address => `0x${address.slice(2).toLowerCase()}`

type Tee = 'snp' | 'tdx'

/** An honest pod's request with a block of now. @param pod - What is not so honest about its TD. */
async function bodyOf(tee: Tee, pod: Partial<TdxPod> = {}): Promise<SecretsBody> {
  const reader = createChainReader({ rpcUrls: [anvil.url], quorum: 1, chainId: 31337 })
  const { hash } = await recentBlock(reader)
  reader.close()
  const { epochLog, avs, operatorSetId, chainId } = devnet
  const request = {
    rsa,
    appId: app,
    freshnessBlock: hash,
    domain: { epochLog, avs, operatorSetId, chainId },
  }
  if (tee === 'snp') return makeBody(authority, request)
  // The operators keep the collateral in their folders.
  return makeTdxBody({ authority: intel, ...request, withCollateral: false, ...pod })
}

async function askAll(
  count: number,
  tee: Tee = 'snp',
): Promise<{ operator: Address; partial: Uint8Array }[]> {
  const body = await bodyOf(tee)
  return Promise.all(
    operators.slice(0, count).map(async ({ url, address }) => {
      const answer = await fetch(`${url}/secrets`, { method: 'POST', body: JSON.stringify(body) })
      if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
      const grant: { encrypted_partial_sig: string } = await answer.json()
      return { operator: address, partial: openPartial(rsa, grant) }
    }),
  )
}

async function certified() {
  const response = await fetch(`${operators[0]?.url}/v2/output`)
  return parseCertifiedBody(new Uint8Array(await response.arrayBuffer())).output
}

describe('four operators', () => {
  it('tell their metrics on an address of their own', async () => {
    for (const { url, metricsUrl } of operators) {
      const text = await (await fetch(`${metricsUrl}/metrics`)).text()
      expect(text).toContain('eigenx_tee_ready 1')
      expect(text).toMatch(/eigenx_tee_peer_calls_total\{[^}]*result="accepted"\} \d/)
      expect(text).toContain('process_cpu_seconds_total')
      expect((await fetch(`${url}/metrics`)).status).toBe(404)
      expect((await fetch(`${metricsUrl}/secrets`, { method: 'POST' })).status).toBe(404)
    }
  })

  it('make one key together and tell the same output', async () => {
    const hashes = await Promise.all(
      operators.map(async ({ url }) =>
        (await fetch(`${url}/v2/output`)).headers.get('x-output-hash'),
      ),
    )
    expect(new Set(hashes).size).toBe(1)
    expect(hashes[0]).toMatch(/^0x[0-9a-f]{64}$/)
  })

  it('grant partial keys that recombine to the app’s key, whichever three answer', async () => {
    const { mpk, threshold } = await certified()
    const partials = await askAll(N)
    const keys = [0, 1, 2, 3].map(
      (left) =>
        recombine({
          appId: app,
          masterPublicKey: mpk,
          threshold,
          partials: partials.filter((_, index) => index !== left),
        }).appKey,
    )
    for (const key of keys) expect(key).toEqual(keys[0])
  })

  it('grant the same on evidence of Intel TDX, with collateral from their folders', async () => {
    expect(await askAll(N, 'tdx')).toEqual(await askAll(N, 'snp'))
    for (const { metricsUrl } of operators)
      expect(await (await fetch(`${metricsUrl}/metrics`)).text()).toMatch(
        /kind="tdx-collateral",name="51806f000000"/,
      )
  })

  it('refuse a TD that the host can debug, and a quote of a look-alike vendor', async () => {
    const lookAlike = await createTdxAuthority({ now: Math.floor(Date.now() / 1000) })
    for (const [pod, code, check] of [
      [{ report: { tdAttributes: (1n << 28n) | 1n } }, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.debug'],
      [{ authority: lookAlike }, 'EVIDENCE_INVALID', 'tdx.pck-chain.root'],
    ] as const) {
      const answer = await fetch(`${operators[0]?.url}/secrets`, {
        method: 'POST',
        headers: { accept: 'application/problem+json' },
        body: JSON.stringify(await bodyOf('tdx', pod)),
      })
      const problem: { code: string; checks: { name: string }[] } = await answer.json()
      expect([answer.status, problem.code]).toEqual([401, code])
      expect(problem.checks.at(-1)?.name).toBe(check)
    }
  })

  it('keep their share over a restart', async () => {
    const setup = setups[0]
    const first = operators[0]
    if (setup === undefined || first === undefined) throw new Error('no operator')
    const before = (await askAll(1))[0]?.partial
    await first.stop()
    operators[0] = await start(setup)
    await ready(operators[0])
    expect((await askAll(1))[0]?.partial).toEqual(before)
  })

  it('tell their state on the command line', async () => {
    const text = await showStatus({ url: operators[1]?.url ?? '', json: false })
    expect(text).toMatch(/status\s+ready/)
    expect(text).toMatch(/epoch 0, 3 of 4\), share held/)
    const config = setups[1]?.configFile ?? ''
    const json: unknown = JSON.parse(await showStatus({ config, json: true }))
    expect(json).toMatchObject({ status: 'ready', participants: 4, shareHeld: true })
  })

  it('have logged no secret, no RPC URL and no peer body', async () => {
    const text = logLines.join('').toLowerCase()
    expect(text).toContain('"event":"audit"')
    expect(text).toContain('"event":"listening"')
    const secrets = setups.map(({ signingKey }) => signingKey.toLowerCase())
    for (const { partial } of await askAll(N))
      secrets.push(
        Buffer.from(partial).toString('hex'),
        Buffer.from(partial).toString('base64').toLowerCase(),
      )
    for (const secret of secrets) expect(text.includes(secret)).toBe(false)
    expect(text).not.toContain(anvil.url)
    expect(text).not.toContain('begin public key')
  })

  it('refuse to start with a signing key that others can read', async () => {
    const setup = setups[0]
    if (setup === undefined) throw new Error('no operator')
    const config = await loadKmsConfig(setup.configFile)
    await chmod(config.operator.signingKeyFile ?? '', 0o644)
    await expect(start(setup)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await chmod(config.operator.signingKeyFile ?? '', 0o600)
  })
})
