/**
 * `eigenx.toml`: the helper's whole configuration, read from the `[data]` table of the pod's initdata.
 *
 * SHA-384(initdata) is in the attestation report, so an operator sees which configuration a pod runs,
 * and nobody can change it under a granted key. That is why nothing here comes from flags, the
 * environment or stdin. Unknown keys are errors. The flat keys of the Go helper are accepted too; such
 * a document means a Go operator set, hence REPORT_DATA version 1 unless it says otherwise.
 * @module
 */
import { parse as parseToml } from 'smol-toml'
import { z } from 'zod'
import type { Address } from '../sdk/chain/types.ts'
import { EigenxError } from '../sdk/errors.ts'
import { isLoopbackHost } from '../sdk/loopback.ts'
import { carrierOf, METHODS, type Method, platformOf } from './evidence.ts'

const MAX_CONFIG_BYTES = 64 * 1024
/** By convention of anvil and hardhat. */
const DEVNET_CHAIN_ID = 31337

/** How the helper fills REPORT_DATA; `auto` is v2, and v1 where the guest image cannot carry v2. */
type ReportDataMode = 'v2' | 'v1' | 'auto'

/** `auto` takes the method from what the Attestation Agent gives. */
export type MethodChoice = Method | 'auto'

export type EigenxConfig = {
  /** Exactly as written: the key belongs to this spelling. */
  appId: string
  /** The app is a Go operator set's "stack": its release is not on chain. */
  isStack: boolean
  chain: { chainId: number; rpcUrls: readonly string[]; quorum: number } | undefined
  operators: {
    avs: Address
    operatorSetId: number
    allocationManager: Address | undefined
    keyRegistrar: Address | undefined
    epochLog: Address | undefined
    /** 192 lower-case hex digits. */
    masterPublicKey: string | undefined
    /** One operator at a fixed place instead of the set on chain; needs `masterPublicKey`. */
    single: { url: string; address: Address } | undefined
  }
  attestation: {
    method: MethodChoice
    reportData: ReportDataMode
    /** Who makes the evidence: the Attestation Agent, or, where none runs, the guest's kernel. */
    source: 'agent' | 'configfs-tsm'
    /** http or unix; `undefined`: wherever the agent is found. */
    aaUrl: string | undefined
  }
  /** What the author of the document should know; for the log. */
  warnings: readonly string[]
}

/** The address that a lone Go development server reports. */
const SINGLE_OPERATOR_DEFAULT: Address = '0x0000000000000000000000000000000000000001'

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected 0x and 40 hex digits')
  .transform((text): Address => `0x${text.slice(2).toLowerCase()}`)
// The spelling is hashed to a curve point, so it is kept; operators accept addresses only.
const appId = z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'expected 0x and 40 hex digits')
const httpUrl = z
  .string()
  .max(2048)
  .refine((text) => parseHttpUrl(text) !== undefined, 'expected an http or https URL')
/** A path is no longer than a socket's name may be. */
const agentUrl = z
  .string()
  .max(2048)
  .refine(
    (text) => isLoopback(text) || /^unix:\/\/\/[!-~]{1,106}$/.test(text),
    'the Attestation Agent is reached over loopback, or unix:// and an absolute path',
  )
const publicKey = z
  .string()
  .regex(/^(0x)?[0-9a-fA-F]{192}$/, 'expected 192 hex digits')
  .transform((text) => text.replace(/^0x/, '').toLowerCase())

const DocumentSchema = z.strictObject({
  version: z.literal(1).optional(),
  app_id: appId.optional(),
  chain: z
    .strictObject({
      chain_id: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
      rpc_urls: z.array(httpUrl).min(1).max(16).optional(),
      rpc_url: httpUrl.optional(),
      /** Default: the smallest majority of the providers. */
      quorum: z.int().min(1).max(16).optional(),
    })
    .optional(),
  operators: z
    .strictObject({
      avs_address: address,
      operator_set_id: z.int().min(0).max(0xffffffff).optional(),
      allocation_manager: address.optional(),
      key_registrar: address.optional(),
      epoch_log: address.optional(),
      master_public_key: publicKey.optional(),
    })
    .optional(),
  attestation: z
    .strictObject({
      method: z.enum(['auto', ...Object.values(METHODS)]).default('auto'),
      report_data: z.enum(['v1', 'v2', 'auto']).optional(),
      source: z.enum(['agent', 'configfs-tsm']).default('agent'),
      aa_url: agentUrl.optional(),
    })
    .optional(),
  // Flat keys of the Go helper.
  stack_id: appId.optional(),
  kms_url: httpUrl.optional(),
  operator_address: address.optional(),
  avs_address: address.optional(),
  operator_set_id: z.int().min(0).max(0xffffffff).optional(),
  rpc_url: httpUrl.optional(),
  chain_id: z.int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  allocation_manager: address.optional(),
  key_registrar: address.optional(),
  epoch_log: address.optional(),
  master_public_key: publicKey.optional(),
  platform_secrets_url: z.string().max(2048).optional(),
  platform_internal_api_key: z.string().max(4096).optional(),
})

type Document = z.infer<typeof DocumentSchema>
type OperatorSection = NonNullable<Document['operators']>
type OperatorKeys = { [K in keyof OperatorSection]?: OperatorSection[K] | undefined }

/**
 * Pure and total.
 * @throws EigenxError CONFIG_INVALID naming the field; its value is never quoted.
 */
export function parseEigenxToml(text: string): EigenxConfig {
  if (text.length > MAX_CONFIG_BYTES)
    throw invalid('eigenx.toml', `is larger than ${MAX_CONFIG_BYTES} bytes`)
  const document = parseDocument(text)
  const warnings: string[] = []
  const isFlat = document.operators === undefined
  const operators = readOperators(document)
  const chain = readChain(document)
  const single = readSingle(document)
  const app = pickOne(document.app_id, document.stack_id, 'app_id', 'stack_id')
  if (app === undefined) throw invalid('app_id', 'is missing')
  if (document.platform_internal_api_key !== undefined)
    warnings.push(
      'platform_internal_api_key is ignored: whoever runs the host can read initdata, so it holds no secrets',
    )
  if (document.platform_secrets_url !== undefined)
    warnings.push('platform_secrets_url is ignored: secrets come with the release on chain')
  const reportData = document.attestation?.report_data ?? (isFlat ? 'v1' : 'auto')
  if (document.attestation?.source === 'configfs-tsm' && document.attestation.aa_url !== undefined)
    throw invalid('attestation.aa_url', 'is not used where attestation.source is "configfs-tsm"')
  const config: EigenxConfig = {
    appId: app,
    isStack: document.stack_id !== undefined,
    chain,
    operators: { ...operators, single },
    attestation: {
      method: document.attestation?.method ?? 'auto',
      reportData,
      source: document.attestation?.source ?? 'agent',
      aaUrl: document.attestation?.aa_url,
    },
    warnings,
  }
  checkTrust(config)
  return config
}

function parseDocument(text: string): Document {
  let raw: unknown
  try {
    raw = parseToml(text)
  } catch (cause) {
    throw invalid('eigenx.toml', 'is not TOML', cause)
  }
  const parsed = DocumentSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path.map(String).join('.') ?? ''
  throw invalid(path === '' ? 'eigenx.toml' : path, issue?.message ?? 'does not fit its schema')
}

function readOperators(document: Document): Omit<EigenxConfig['operators'], 'single'> {
  const section: OperatorKeys = document.operators ?? {}
  const flat: OperatorKeys = document
  const choose = <K extends keyof OperatorKeys>(name: K) =>
    pickOne(section[name], flat[name], `operators.${name}`, name)
  const avs = choose('avs_address')
  if (avs === undefined) throw invalid('operators.avs_address', 'is missing')
  return {
    avs,
    operatorSetId: choose('operator_set_id') ?? 0,
    allocationManager: choose('allocation_manager'),
    keyRegistrar: choose('key_registrar'),
    epochLog: choose('epoch_log'),
    masterPublicKey: choose('master_public_key'),
  }
}

function readChain(document: Document): EigenxConfig['chain'] {
  const section = document.chain
  if (section === undefined) {
    if (document.rpc_url === undefined) return undefined
    // The Go helper knows Ethereum mainnet without being told.
    return { chainId: document.chain_id ?? 1, rpcUrls: [document.rpc_url], quorum: 1 }
  }
  const inner = section.rpc_url === undefined ? undefined : [section.rpc_url]
  const outer = document.rpc_url === undefined ? undefined : [document.rpc_url]
  const alias = pickOne(inner, outer, 'chain.rpc_url', 'rpc_url')
  const rpcUrls = pickOne(section.rpc_urls, alias, 'chain.rpc_urls', 'rpc_url')
  if (rpcUrls === undefined) throw invalid('chain.rpc_urls', 'is missing')
  if (new Set(rpcUrls).size !== rpcUrls.length)
    throw invalid('chain.rpc_urls', 'names one provider twice')
  const quorum = section.quorum ?? Math.floor(rpcUrls.length / 2) + 1
  if (quorum > rpcUrls.length)
    throw invalid('chain.quorum', 'is larger than the number of rpc_urls')
  if (2 * quorum <= rpcUrls.length)
    throw invalid('chain.quorum', 'must be more than half of the rpc_urls')
  return { chainId: section.chain_id, rpcUrls, quorum }
}

function readSingle(document: Document): EigenxConfig['operators']['single'] {
  if (document.kms_url === undefined) {
    if (document.operator_address !== undefined)
      throw invalid('operator_address', 'goes with kms_url only')
    return undefined
  }
  return { url: document.kms_url, address: document.operator_address ?? SINGLE_OPERATOR_DEFAULT }
}

/** Whoever can put a master public key into the helper's hands owns the app's key: no such road stays open. */
function checkTrust(config: EigenxConfig): void {
  const { chain, operators, attestation } = config
  if (operators.single === undefined && chain === undefined)
    throw invalid('chain.rpc_urls', 'is missing')
  if (operators.single === undefined)
    for (const [path, value] of [
      ['operators.allocation_manager', operators.allocationManager],
      ['operators.key_registrar', operators.keyRegistrar],
    ] as const)
      if (value === undefined) throw invalid(path, 'is missing')
  const pinned = operators.masterPublicKey !== undefined
  if (operators.single !== undefined && !pinned)
    throw invalid(
      'kms_url',
      'needs master_public_key beside it: one server at a fixed place proves nothing',
    )
  if (chain === undefined && attestation.reportData !== 'v1')
    throw invalid('attestation.report_data', 'must be "v1" where there is no chain to be fresh on')
  const platform = platformOf(attestation.method)
  if (platform !== undefined && carrierOf(platform) === 'vtpm' && attestation.reportData === 'v1')
    throw invalid('attestation.report_data', 'must be "v2" on Azure: no vTPM has room for "v1"')
  if (pinned) return
  if (operators.epochLog === undefined)
    throw invalid('operators.epoch_log', 'or operators.master_public_key is needed')
  if (chain?.rpcUrls.length === 1 && !isOwnChain(chain))
    throw invalid(
      'chain.rpc_urls',
      'must name at least two providers, better three, where operators.master_public_key is not pinned: a single one would choose the key',
    )
  const open = chain?.rpcUrls.some((url) => url.startsWith('http:') && !isLoopback(url)) ?? false
  if (open)
    throw invalid(
      'chain.rpc_urls',
      'must be https where operators.master_public_key is not pinned: the network would choose the key',
    )
}

/** A development chain, or a node in the pod: there is no provider to be trusted. */
function isOwnChain({ chainId, rpcUrls }: NonNullable<EigenxConfig['chain']>): boolean {
  return chainId === DEVNET_CHAIN_ID || rpcUrls.every(isLoopback)
}

function pickOne<T>(first: T | undefined, second: T | undefined, a: string, b: string) {
  if (first !== undefined && second !== undefined) throw invalid(b, `is given twice: keep ${a}`)
  return first ?? second
}

function parseHttpUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  return url.hostname === '' ? undefined : url
}

function isLoopback(text: string): boolean {
  const host = parseHttpUrl(text)?.hostname
  return host !== undefined && isLoopbackHost(host)
}

function invalid(path: string, problem: string, cause?: unknown): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: `eigenx.toml: ${path} ${problem}`,
    stage: 'config',
    details: { path },
    hint: 'The file is the "eigenx.toml" entry of the [data] table in the pod\'s initdata.',
    ...(cause === undefined ? {} : { cause }),
  })
}
