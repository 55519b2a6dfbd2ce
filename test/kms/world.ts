/** One operator's app over plain functions for the chain, with everything else real. */
import type { Hono } from 'hono'
import type { SnpAuthority } from '../../helper/sim/evidence.ts'
import { SIMULATED_MEASUREMENT } from '../../helper/sim/evidence-report.ts'
import { createKmsApp } from '../../kms/app.ts'
import { type ChainQuestions, decisionSettings } from '../../kms/authorize/settings.ts'
import type { SnpRevocation } from '../../kms/authorize/snp-platform.ts'
import type { TdxDeps } from '../../kms/authorize/tdx.ts'
import type { TokenDeps } from '../../kms/authorize/token.ts'
import { type KmsConfig, parseKmsConfig } from '../../kms/config.ts'
import type { PeerHandler } from '../../kms/epoch/ports.ts'
import type { Foreground } from '../../kms/foreground.ts'
import type { Env } from '../../kms/http/answers.ts'
import type { KeyService } from '../../kms/keys.ts'
import { createLog } from '../../kms/log.ts'
import type { Metrics } from '../../kms/metrics.ts'
import { reportStatus } from '../../kms/status.ts'
import type { SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import { createSnpRevocationMemory } from '../../sdk/attest/snp-crl.ts'
import type { Address, AppDecision } from '../../sdk/chain/types.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import {
  APP,
  DOMAIN,
  FRESH_BLOCK,
  keyServiceOf,
  keyVersionOf,
  makeRelease,
  makeRsa,
  makeSharing,
  type RsaPair,
  type Sharing,
  TEST_TIME,
} from './kit.ts'

const CREATOR: Address = `0x${'c7'.repeat(20)}`

export type WorldOptions = {
  /** Sections of operator.toml beside the minimal ones. */
  toml?: string
  chain?: Partial<ChainQuestions>
  keys?: KeyService
  anchors?: SnpTrustAnchors
  tdx?: TdxDeps
  revocation?: SnpRevocation
  peers?: PeerHandler
  domain?: typeof DOMAIN
  tokens?: TokenDeps
  metrics?: Metrics
  foreground?: Pick<Foreground, 'run'>
  /** Unix milliseconds. */
  now?: () => number
}

export type World = {
  app: Hono<Env>
  config: KmsConfig
  operator: Address
  sharing: Sharing
  authority: SnpAuthority
  rsa: RsaPair
  /** Every log line so far. */
  log: () => string
}

const NOBODY: SnpTrustAnchors = new Map()
let rsa: RsaPair | undefined

export function operatorToml(domain = DOMAIN, extra = ''): string {
  return `
[operator]
address = "0x${'01'.repeat(20)}"
signing_key_file = "signing.key"
[chain]
chain_id = ${domain.chainId}
rpc_urls = ["http://127.0.0.1:1"]
[contracts]
allocation_manager = "0x${'02'.repeat(20)}"
key_registrar = "0x${'03'.repeat(20)}"
app_controller = "0x${'04'.repeat(20)}"
epoch_log = "${domain.epochLog}"
avs = "${domain.avs}"
operator_set_id = ${domain.operatorSetId}
[store]
path = "operator.db"
key_file = "store.key"
${extra}
`
}

/** The operator knows the simulated guest image; sections with an `[attestation]` of their own say so themselves. */
export const KNOWN_IMAGE = `[[attestation.measurements]]
value = "${SIMULATED_MEASUREMENT}"
covers_image = true`

/** Limits that do not get in the way of a test. */
export const WIDE_LIMITS = `
[limits]
secrets = { per_second = 10000, burst = 10000, concurrent = 100 }
app_sign = { per_second = 10000, burst = 10000, concurrent = 100 }
read = { per_second = 10000, burst = 10000, concurrent = 100 }
peer = { per_second = 10000, burst = 10000, concurrent = 100 }
`

export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const sections = options.toml ?? WIDE_LIMITS
  const attestation = sections.includes('[attestation]') ? '' : KNOWN_IMAGE
  const config = parseKmsConfig(operatorToml(options.domain, `${sections}\n${attestation}`))
  const authority = options.anchors === undefined ? await authorityOf() : undefined
  const sharing = makeSharing()
  const operator = config.operator.address
  const keys = options.keys ?? keyServiceOf(keyVersionOf(sharing, operator))
  const lines: string[] = []
  const now = options.now ?? (() => TEST_TIME * 1000)
  const app = createKmsApp({
    operator,
    config,
    decision: {
      settings: decisionSettings(config),
      anchors: options.anchors ?? authority?.anchors ?? NOBODY,
      revocation: options.revocation ?? { lists: () => [], memory: createSnpRevocationMemory() },
      chain: { ...honestChain(), ...options.chain },
      keys,
      ...(options.tdx === undefined ? {} : { tdx: options.tdx }),
      ...(options.tokens === undefined ? {} : { tokens: options.tokens }),
    },
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    ...(options.foreground === undefined ? {} : { foreground: options.foreground }),
    log: createLog({ level: 'debug', destination: { write: (line) => void lines.push(line) } }),
    now,
    status: () =>
      reportStatus(
        {
          operator,
          chainId: config.chain.chainId,
          node: { startedAtMs: now() - 5000, accepting: true },
          keys,
          epoch: undefined,
        },
        now(),
      ),
    peers: () => options.peers,
  })
  rsa ??= makeRsa()
  return {
    app,
    config,
    operator,
    sharing,
    get authority() {
      if (authority === undefined) throw new Error('this world trusts nobody')
      return authority
    },
    rsa,
    log: () => lines.join(''),
  }
}

/** A chain on which the app of the kit runs its release and one block is fresh. */
export function honestChain(release = makeRelease()): ChainQuestions {
  const block = { number: 9n, hash: FRESH_BLOCK, timestamp: 1_700_000_100 }
  const decision: AppDecision = {
    creator: CREATOR,
    status: 'STARTED',
    release,
    block,
    latest: block,
  }
  return {
    decideApp: async (app) => {
      if (app !== APP) throw new Error(`the test asked about ${app}`)
      return decision
    },
    creatorOf: async () => CREATOR,
    demandFresh: async (hash) => {
      if (hash !== FRESH_BLOCK) throw new Error('the test asked about another block')
    },
  }
}

export function post(
  world: Pick<World, 'app'>,
  path: string,
  body: BodyInit | Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const plain = typeof body === 'object' && Object.getPrototypeOf(body) === Object.prototype
  return Promise.resolve(
    world.app.request(path, {
      method: 'POST',
      body: plain ? JSON.stringify(body) : (body as BodyInit),
      headers,
    }),
  )
}

export const PROBLEM = { accept: 'application/problem+json' }
