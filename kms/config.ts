/**
 * `operator.toml`: TOML text in, frozen `KmsConfig` out. Pure and total.
 *
 * Unknown keys are errors, names carry their unit, defaults stand beside the field. Secrets are
 * paths, never values. Shortcuts for development are refused outside a loopback devnet.
 * @module
 */
import { parse as parseToml } from 'smol-toml'
import { z } from 'zod'
import { EigenxError } from '../sdk/errors.ts'
import { isLoopbackHost } from '../sdk/loopback.ts'
import { attestationSection } from './config-attestation.ts'
import { collateralSection } from './config-collateral.ts'
import { address, count, httpUrl, path, plainUrl } from './config-fields.ts'

/** Chain id of a throw-away development chain, by convention of anvil and hardhat. */
const DEVNET_CHAIN_ID = 31337

/** By chain id, the intervals of the Go operators. */
const RESHARE_SECONDS: ReadonlyMap<number, number> = new Map([
  [1, 600],
  [11_155_111, 120],
  [DEVNET_CHAIN_ID, 30],
])

/** Blocks of a devnet may come on demand only, and its clock is set at will. */
const MAX_LAG_SECONDS: ReadonlyMap<number, number> = new Map([[DEVNET_CHAIN_ID, 0]])

export const MAX_CONFIG_BYTES = 256 * 1024

/** Requests per second and burst of one caller, and how many run at once in the whole process. */
const routeLimit = (perSecond: number, burst: number, concurrent: number) =>
  z
    .strictObject({
      per_second: count(1, 100_000).default(perSecond),
      burst: count(1, 100_000).default(burst),
      concurrent: count(1, 10_000).default(concurrent),
    })
    .prefault({})

/** The file as it is written, before names turn to camelCase; docs/operators.md lists every key of it. */
export const ConfigSchema = z.strictObject({
  operator: z.strictObject({
    /** The address under which this operator is registered. */
    address,
    /** File with the hex key that is registered for signing; not where a Web3Signer holds it. */
    signing_key_file: path.optional(),
    /** The operator set's curve, as its key registrar says. */
    signing_curve: z.enum(['ecdsa', 'bn254']).default('ecdsa'),
    /** File with the hex secp256k1 key that pays for transactions. Default: the signing key, where it is one. */
    transaction_key_file: path.optional(),
    /** A Web3Signer that holds the secp256k1 key: for signing, and for transactions where no file is named for them. */
    web3signer_url: plainUrl.optional(),
    /** Which of its keys: x and y, as its list of public keys shows them. */
    web3signer_public_key: z
      .string()
      .regex(/^0x[0-9a-fA-F]{128}$/, 'expected 0x and 128 hex digits')
      .optional(),
  }),
  listen: z
    .strictObject({
      host: z.string().min(1).max(255).default('127.0.0.1'),
      port: count(0, 65535).default(8000),
      /** What peers and pods use; shown in /v2/info. */
      public_url: httpUrl.optional(),
      /** Believe the last X-Forwarded-For entry when the connection comes from one of these addresses. */
      trusted_proxies: z.array(z.string().min(1).max(64)).max(64).default([]),
    })
    .prefault({}),
  chain: z.strictObject({
    chain_id: count(1, Number.MAX_SAFE_INTEGER),
    rpc_urls: z.array(httpUrl).min(1).max(16),
    /** How many providers must give the same answer: more than half of them, which is the default. */
    quorum: count(1, 16).optional(),
    finality: z.enum(['finalized', 'safe', 'latest']).default('finalized'),
    timeout_ms: count(100, 120_000).default(10_000),
    /** How far the newest block may lie behind this machine's clock for a grant; 0 asks for nothing. Default: 900, on a devnet 0. */
    max_lag_seconds: count(0, 86_400).optional(),
  }),
  contracts: z.strictObject({
    allocation_manager: address,
    key_registrar: address,
    app_controller: address,
    epoch_log: address,
    avs: address,
    operator_set_id: count(0, 0xffffffff),
  }),
  store: z.strictObject({ path, key_file: path }),
  epoch: z
    .strictObject({
      /** Take part in making a fresh master key when the log is empty. */
      genesis: z.boolean().default(false),
      /** For a certificate to get into a block. Default: twenty looks at the chain. */
      post_seconds: count(1, 86_400).optional(),
      /** In which a complaint on chain voids an entry. */
      veto_seconds: count(0, 86_400).default(300),
      /** From the end of the veto window to activation: the chain's time to finality. */
      activation_delay_seconds: count(0, 604_800).default(1200),
      /** Between two looks at the chain. */
      poll_ms: count(50, 600_000).default(6000),
      /** How long each member in turn has the first word. Default: three looks, 2 to 5 seconds. */
      slot_ms: count(50, 3_600_000).optional(),
      /** How long to wait for members that are late. */
      patience_ms: count(50, 3_600_000).default(5000),
      /** After this time without a result a new session begins. Default: forty looks, 20 to 60 seconds. */
      session_ms: count(1000, 86_400_000).optional(),
      /** How long a replaced share is kept. */
      grace_seconds: count(0, 604_800).default(600),
      /**
       * From an activation to the next refresh of the shares; 0 refreshes only when members or their keys change.
       * Default by chain: 600 on Ethereum, 120 on Sepolia, 30 on a devnet, 600 elsewhere.
       */
      reshare_seconds: count(0, 31_536_000).optional(),
      /** Age at which this operator replaces its encryption key; 0 keeps it for ever. */
      key_rotation_seconds: count(0, 31_536_000).default(86_400),
    })
    .prefault({}),
  attestation: attestationSection,
  collateral: collateralSection,
  policy: z
    .strictObject({
      /** Serve releases that pin an image digest, but not its command or environment, nor the initdata. */
      allow_digest_only: z.boolean().default(false),
      serve_stopped_apps: z.boolean().default(false),
      /** Serve these app ids only (exact text); absent means all. */
      allowed_apps: z.array(z.string().min(1).max(256)).max(10_000).optional(),
    })
    .prefault({}),
  routes: z
    .strictObject({
      /** POST /app/sign: partial keys without attestation. For migrations and tests only. */
      app_sign: z.boolean().default(false),
      /** The older ecdsa message, which does not cover the RSA key. */
      ecdsa_legacy: z.boolean().default(false),
    })
    .prefault({}),
  limits: z
    .strictObject({
      secrets: routeLimit(10, 20, 10),
      app_sign: routeLimit(50, 100, 20),
      /** Public reads: /pubkey, /health, /v2/info, /v2/output, /v2/blob. */
      read: routeLimit(50, 200, 64),
      /** Messages between operators. */
      peer: routeLimit(50, 200, 16),
      /** Callers remembered by the rate limiter. */
      callers: count(16, 1_000_000).default(20_000),
      connections: count(8, 100_000).default(512),
      header_bytes: count(1024, 1_048_576).default(16_384),
      header_timeout_ms: count(100, 120_000).default(10_000),
      body_timeout_ms: count(100, 600_000).default(30_000),
      request_timeout_ms: count(100, 600_000).default(60_000),
      peer_timeout_ms: count(100, 120_000).default(10_000),
      shutdown_ms: count(0, 120_000).default(10_000),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') })
    .prefault({}),
  /** GET /metrics on an address of its own; without this section there is none. */
  metrics: z
    .strictObject({
      host: z.string().min(1).max(255).default('127.0.0.1'),
      port: count(0, 65535).default(9464),
    })
    .optional(),
  development: z
    .strictObject({
      /** PEM or JSON roots of a simulated SNP authority: a devnet on loopback only. */
      snp_roots_file: path.optional(),
      /** PEM roots of a simulated TDX authority: likewise. */
      tdx_roots_file: path.optional(),
    })
    .prefault({}),
})

type CamelKey<S extends string> = S extends `${infer A}_${infer B}`
  ? `${A}${Capitalize<CamelKey<B>>}`
  : S
type Camel<T> = T extends readonly (infer E)[]
  ? readonly Camel<E>[]
  : T extends object
    ? { readonly [K in keyof T as K extends string ? CamelKey<K> : K]: Camel<T[K]> }
    : T

type Parsed = Camel<z.output<typeof ConfigSchema>>
/** With the defaults that depend on other fields filled in. */
export type KmsConfig = Omit<Parsed, 'chain' | 'epoch'> & {
  readonly chain: Filled<Parsed['chain'], 'quorum' | 'maxLagSeconds'>
  readonly epoch: Filled<Parsed['epoch'], 'postSeconds' | 'slotMs' | 'sessionMs' | 'reshareSeconds'>
}
type Filled<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]: number }
export type RouteLimit = KmsConfig['limits']['secrets']

/**
 * @param text - The content of operator.toml.
 * @throws EigenxError CONFIG_INVALID; the message names every wrong field, never a value.
 */
export function parseKmsConfig(text: string): KmsConfig {
  const config = withDefaults(toCamel(parseConfigDocument(text)))
  checkConsistency(config)
  return deepFreeze(config)
}

/**
 * The file by its own names, with the defaults that stand beside a field. What fields say together is not checked.
 * @throws EigenxError CONFIG_INVALID
 */
export function parseConfigDocument(text: string): z.output<typeof ConfigSchema> {
  if (text.length > MAX_CONFIG_BYTES) throw refuse('', 'the file is larger than 256 KiB')
  let document: unknown
  try {
    document = parseToml(text, { maxDepth: 16, unsafeKeyBehaviour: 'throw' })
  } catch (cause) {
    const line = cause instanceof Error && 'line' in cause ? ` (line ${String(cause.line)})` : ''
    throw refuse('', `not valid TOML${line}`)
  }
  const parsed = ConfigSchema.safeParse(document)
  if (!parsed.success) throw refuseIssues(parsed.error.issues)
  return parsed.data
}

/** The configuration as it may be printed: RPC URLs can carry API keys, so only their hosts stay. */
export function describeConfig(config: KmsConfig): Record<string, unknown> {
  return {
    ...config,
    chain: {
      ...config.chain,
      rpcUrls: config.chain.rpcUrls.map(
        (url) => `${new URL(url).protocol}//${new URL(url).hostname}/…`,
      ),
    },
  }
}

function withDefaults(config: Parsed): KmsConfig {
  const { chain, epoch } = config
  const looks = (n: number) => n * epoch.pollMs
  return {
    ...config,
    chain: {
      ...chain,
      quorum: chain.quorum ?? Math.floor(chain.rpcUrls.length / 2) + 1,
      maxLagSeconds: chain.maxLagSeconds ?? MAX_LAG_SECONDS.get(chain.chainId) ?? 900,
    },
    epoch: {
      ...epoch,
      postSeconds: epoch.postSeconds ?? Math.ceil(looks(20) / 1000),
      slotMs: epoch.slotMs ?? clamp(looks(3), 2000, 5000),
      sessionMs: epoch.sessionMs ?? clamp(looks(40), 20_000, 60_000),
      reshareSeconds: epoch.reshareSeconds ?? RESHARE_SECONDS.get(chain.chainId) ?? 600,
    },
  }
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

function checkConsistency(config: KmsConfig): void {
  checkKeys(config.operator)
  const providers = config.chain.rpcUrls.length
  if (config.chain.quorum > providers || 2 * config.chain.quorum <= providers)
    throw refuse('chain.quorum', `more than half and at most all of the ${providers} rpc_urls`)
  if (config.routes.ecdsaLegacy && !config.attestation.methods.includes('ecdsa'))
    throw refuse('routes.ecdsa_legacy', 'the method ecdsa is not enabled')
  for (const method of ['gcp', 'intel'] as const)
    if (config.attestation.methods.includes(method) && config.attestation[method] === undefined)
      throw refuse(`attestation.${method}`, 'the method is enabled, so project_id must be given')
  if (config.attestation.requireCrl && config.attestation.crlDir === undefined)
    throw refuse('attestation.require_crl', 'crl_dir must be given')
  const { crlDir, tdx } = config.attestation
  if (config.collateral.refreshHours > 0 && crlDir === undefined && tdx.collateralDir === undefined)
    throw refuse('collateral.refresh_hours', 'attestation names no folder for what is fetched')
  const { required, refused } = config.attestation.platformInfo
  if (required.some((bit) => refused.includes(bit)))
    throw refuse('attestation.platform_info.refused', 'a bit cannot be required and refused')
  checkParavisors(config)
  if (config.development.snpRootsFile !== undefined)
    demandDevnet(config, 'development.snp_roots_file')
  if (config.development.tdxRootsFile !== undefined)
    demandDevnet(config, 'development.tdx_roots_file')
}

function checkKeys(operator: KmsConfig['operator']): void {
  const { signingCurve, signingKeyFile, transactionKeyFile, web3signerUrl } = operator
  const isRemote = web3signerUrl !== undefined
  if (isRemote !== (operator.web3signerPublicKey !== undefined))
    throw refuse('operator.web3signer_public_key', 'given together with web3signer_url, or not')
  const holdsSigningKey = isRemote && signingCurve === 'ecdsa'
  if (holdsSigningKey === (signingKeyFile !== undefined))
    throw refuse(
      'operator.signing_key_file',
      holdsSigningKey ? 'the Web3Signer holds that key' : 'required',
    )
  if (signingCurve === 'bn254' && transactionKeyFile === undefined && !isRemote)
    throw refuse('operator.transaction_key_file', 'a BN254 signing key cannot sign transactions')
}

/** Anybody who owns the hardware can write a vTPM: without a paravisor that is known its word is worth nothing. */
function checkParavisors({ attestation }: KmsConfig): void {
  const { methods, azure } = attestation
  for (const [method, field, list] of [
    ['az-snp-vtpm', 'id_key_digests', azure.idKeyDigests],
    ['az-tdx-vtpm', 'mrtds', azure.mrtds],
  ] as const)
    if (methods.includes(method) && list.length === 0)
      throw refuse(`attestation.azure.${field}`, `${method} is enabled, so it must be given`)
}

/** A throw-away root of trust must never meet a chain or a network with something to lose. */
function demandDevnet(config: KmsConfig, field: string): void {
  const loopback =
    isLoopbackHost(config.listen.host) &&
    config.chain.rpcUrls.every((url) => isLoopbackHost(new URL(url).hostname))
  if (config.chain.chainId !== DEVNET_CHAIN_ID || !loopback)
    throw refuse(
      field,
      `allowed only with chain_id = ${DEVNET_CHAIN_ID}, every rpc_url and listen.host on loopback`,
    )
}

function refuseIssues(issues: readonly z.core.$ZodIssue[]): EigenxError<'CONFIG_INVALID'> {
  const lines = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        path: [...issue.path, key].join('.'),
        text: 'unknown key',
      }))
    return [{ path: issue.path.join('.'), text: issue.message }]
  })
  const first = lines[0]?.path ?? ''
  return refuse(
    first,
    lines
      .slice(0, 20)
      .map((line) => `${line.path || '(top level)'}: ${line.text}`)
      .join('; '),
  )
}

function refuse(field: string, reason: string): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message:
      field === '' || reason.startsWith(field)
        ? `operator.toml: ${reason}`
        : `operator.toml: ${field}: ${reason}`,
    stage: 'config',
    details: { path: field },
    hint: 'See docs/operators.md for every field, its unit and its default.',
  })
}

function toCamel<T>(value: T): Camel<T> {
  const convert = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(convert)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(
      Object.entries(node).map(([key, child]) => [
        key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
        convert(child),
      ]),
    )
  }
  // The schema has just checked this value; only its key names change.
  return convert(value) as Camel<T>
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) deepFreeze(child)
    Object.freeze(value)
  }
  return value
}
