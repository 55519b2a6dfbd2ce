/**
 * The pod's identity: from evidence to the app key, in one pass.
 *
 * 1. An ephemeral RSA key is made while the chain is read: the operators, their certified public
 *    shares, the master public key, a recent block.
 * 2. REPORT_DATA binds that RSA key, the app, the operator set, the block and the initdata; the
 *    Attestation Agent has the hardware sign it.
 * 3. The quorum round returns a key that fits the master public key, or a refusal that says why.
 *
 * The app key lives in this process's memory only.
 * @module
 */
import type { Initdata } from '../policy/types.ts'
import { reportDataV1, reportDataV2 } from '../sdk/attest/report-data.ts'
import { utf8ToBytes } from '../sdk/bytes.ts'
import type { Address, BlockRef } from '../sdk/chain/types.ts'
import type { HttpExchange } from '../sdk/client/node-http.ts'
import { EigenxError, isEigenxError, type OperatorRefusal } from '../sdk/errors.ts'
import { encodeSecretsRequest } from '../sdk/wire/secrets.ts'
import type { EvidenceSource } from './aa.ts'
import type { EigenxConfig, MethodChoice } from './config.ts'
import { type Environment, openEnvironment } from './environment.ts'
import {
  carrierOf,
  type Evidence,
  encodeEvidence,
  METHODS,
  type Platform,
  PROCESSORS,
  platformOf,
  protocolError,
  TEE_NAMES,
} from './evidence.ts'
import { askQuorum, type KeyTable } from './quorum.ts'
import type { RequestKey } from './request-key.ts'

/** What the helper must know about the operators before it asks them. */
export type QuorumView = {
  operators: readonly { address: Address; url: string }[]
  threshold: number
  /** Certified versions of the operators' key, newest last; empty for a Go operator set. */
  tables: readonly KeyTable[]
  /** 96 bytes: the pin, or from the certified log. */
  masterPublicKey: Uint8Array
  /** Operators answer with the newest version up to this time (Unix seconds); 0 is "the active one". */
  attestationTime: number
  /** A recent block, where there is a chain. */
  freshness: BlockRef | undefined
}

export type QuorumViewer = () => Promise<QuorumView>

export type IdentityDeps = {
  exchange: HttpExchange
  evidence: EvidenceSource
  viewQuorum: QuorumViewer
  /** `createRequestKey`: a fresh key for this attempt. */
  createKey: () => Promise<RequestKey>
}

export type IdentityInput = {
  config: EigenxConfig
  initdata: Initdata
  /** For each operator, in milliseconds. */
  operatorTimeoutMs?: number
  signal?: AbortSignal
}

export type AppIdentity = {
  appId: string
  /** 48 bytes. Secret: never log, never write. */
  appKey: Uint8Array
  masterPublicKey: Uint8Array
  environment: Environment
  threshold: number
  operators: number
  /** Undefined where the operators publish no certified outputs. */
  epoch: number | undefined
  keyVersion: number | undefined
  used: readonly Address[]
  refusals: readonly OperatorRefusal[]
  marks: readonly string[]
  reportDataVersion: 1 | 2
  initdataSha384: Uint8Array
}

const DEFAULT_OPERATOR_TIMEOUT_MS = 15_000
const NO_BYTES = new Uint8Array()

/**
 * @throws EigenxError of the agent, chain or quorum; RELEASE_INVALID and CIPHERTEXT_INVALID when the
 *   release's environment does not open.
 */
export async function obtainAppKey(
  deps: IdentityDeps,
  { config, initdata, operatorTimeoutMs, signal }: IdentityInput,
): Promise<AppIdentity> {
  const [key, view] = await Promise.all([deps.createKey(), deps.viewQuorum()])
  const { evidence, version, freshness } = await collectEvidence(deps, {
    config,
    initdata,
    key,
    view,
  })
  const body = encodeSecretsRequest({
    appId: config.appId,
    // Go operators look a stack's release up with their platform instead of the chain.
    stackId: config.isStack ? config.appId : '',
    attestationMethod: METHODS[evidence.tee],
    attestation: encodeEvidence(evidence),
    rsaPubkeyTmp: key.publicPem,
    attestationTime: view.attestationTime,
    challenge: NO_BYTES,
    publicKey: NO_BYTES,
    extraData: NO_BYTES,
    ccInitData: initdata.received,
    reportDataVersion: version,
    ...(freshness === undefined ? {} : { freshnessBlock: freshness.hash }),
  })
  const answer = await askQuorum(
    { exchange: deps.exchange, unwrap: key.unwrap },
    {
      appId: config.appId,
      masterPublicKey: view.masterPublicKey,
      operators: view.operators,
      threshold: view.threshold,
      tables: view.tables,
      body: utf8ToBytes(body),
      timeoutMs: operatorTimeoutMs ?? DEFAULT_OPERATOR_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    },
  )
  return {
    appId: config.appId,
    appKey: answer.appKey,
    masterPublicKey: view.masterPublicKey,
    environment: openEnvironment({ appId: config.appId, ...answer }),
    threshold: answer.threshold,
    operators: view.operators.length,
    epoch: answer.table?.epoch,
    keyVersion: answer.table?.version,
    used: answer.used,
    refusals: answer.refusals,
    marks: answer.marks,
    reportDataVersion: version,
    initdataSha384: initdata.sha384,
  }
}

type Attested = { evidence: Evidence; version: 1 | 2; freshness: BlockRef | undefined }
type AttestInput = { config: EigenxConfig; initdata: Initdata; key: RequestKey; view: QuorumView }

/** `auto` steps down to version 1 only when the guest image cannot carry version 2; operators decide whether they take it. */
async function collectEvidence(deps: IdentityDeps, input: AttestInput): Promise<Attested> {
  const { reportData } = input.config.attestation
  if (reportData === 'v1') return await attestV1(deps, input)
  try {
    return await attestV2(deps, input)
  } catch (error) {
    const tooOld = isEigenxError(error, 'VERSION_UNSUPPORTED')
    // Images that ignore `encoding` may also fail on the length of the base64 text.
    if (reportData === 'v2' || !(tooOld || isEigenxError(error, 'AGENT_PROTOCOL'))) throw error
    return await attestV1(deps, input).catch((second: unknown) => {
      throw tooOld ? second : error
    })
  }
}

async function attestV1(deps: IdentityDeps, input: AttestInput): Promise<Attested> {
  const { config, initdata, key } = input
  const reportData = reportDataV1({
    rsaPem: key.publicPem,
    extraData: NO_BYTES,
    initdataReceived: initdata.received,
  })
  const evidence = await deps.evidence.collect(reportData)
  demandMethod(config, evidence.tee)
  return { evidence, version: 1, freshness: undefined }
}

/** Report data of version 2 names the processor, which may be known only from the first answer: then the agent is asked again. */
async function attestV2(deps: IdentityDeps, input: AttestInput): Promise<Attested> {
  const { config, initdata, key, view } = input
  const { freshness } = view
  if (config.chain === undefined || freshness === undefined)
    throw new EigenxError({
      code: 'CONFIG_INVALID',
      message: 'report data of version 2 needs a chain for its freshness block',
      stage: 'config',
      details: { path: 'attestation.report_data' },
    })
  const { chainId } = config.chain
  const collect = (platform: Platform) =>
    deps.evidence.collect(
      reportDataV2({
        tee: PROCESSORS[platform],
        method: METHODS[platform],
        rsaSpkiDer: key.publicSpki,
        appId: config.appId,
        chainId,
        avs: config.operators.avs,
        operatorSetId: config.operators.operatorSetId,
        freshnessBlock: freshness.hash,
        extraData: NO_BYTES,
        initdataSha384: initdata.sha384,
      }),
      carrierOf(platform),
    )
  const { guess, evidence: first } = await collectFirst(collect, config.attestation.method)
  demandMethod(config, first.tee)
  if (first.tee === guess) return { evidence: first, version: 2, freshness }
  const second = await collect(first.tee)
  if (second.tee !== first.tee)
    throw protocolError('the evidence is of another processor each time')
  return { evidence: second, version: 2, freshness }
}

/** A vTPM of Azure fails on the length of REPORT_DATA; what it takes tells no other processor anything. */
async function collectFirst(
  collect: (platform: Platform) => Promise<Evidence>,
  method: MethodChoice,
): Promise<{ guess: Platform; evidence: Evidence }> {
  const guess = platformOf(method) ?? 'snp'
  try {
    return { guess, evidence: await collect(guess) }
  } catch (error) {
    if (method !== 'auto' || !isEigenxError(error, 'AGENT_PROTOCOL')) throw error
    const evidence = await collect('az-snp-vtpm').catch(() => undefined)
    if (evidence === undefined) throw error
    return { guess: 'az-snp-vtpm', evidence }
  }
}

/** @throws EigenxError CONFIG_INVALID where the configuration names another method than the evidence has. */
function demandMethod({ attestation: { method } }: EigenxConfig, tee: Platform): void {
  if (method === 'auto' || method === METHODS[tee]) return
  throw new EigenxError({
    code: 'CONFIG_INVALID',
    message: `eigenx.toml: attestation.method is ${method}, but this machine gives ${TEE_NAMES[tee]} evidence`,
    stage: 'config',
    details: { path: 'attestation.method' },
    hint: 'Leave the line out, or deploy on the processor that it names.',
  })
}
