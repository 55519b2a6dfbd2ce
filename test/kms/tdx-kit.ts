/** Evidence and request of a pod on Intel TDX. */

import type { TdxAuthority, TdxIssueOptions } from '../../helper/sim/tdx-evidence.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { fitDigest } from '../../sdk/attest/binding.ts'
import { createCrlMemory } from '../../sdk/attest/crl-memory.ts'
import { reportDataV2 } from '../../sdk/attest/report-data.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import type { TdxSources } from '../../sdk/attest/tdx-verify.ts'
import { encodeWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { toBase64 } from '../../sdk/bytes.ts'
import type { Hash32, Release } from '../../sdk/chain/types.ts'
import { tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import {
  APP,
  annotated,
  DOMAIN,
  FRESH_BLOCK,
  makeInitdata,
  makeRelease,
  type RsaPair,
  type SecretsBody,
  TEST_TIME,
} from './kit.ts'
import { honestChain, makeWorld, PROBLEM, post, WIDE_LIMITS, type World } from './world.ts'

export type TdxPod = {
  authority: TdxAuthority
  rsa: RsaPair
  domain?: typeof DOMAIN
  appId?: string
  freshnessBlock?: Hash32
  issue?: TdxIssueOptions
  report?: TdxIssueOptions['report']
  initdata?: Uint8Array
  /** The host put the digest of the initdata into MRCONFIGID. */
  anchored?: boolean
  /** What the evidence is bound to; the request is made as an honest pod's. */
  bind?: { tee?: 'snp' | 'tdx'; method?: string; rsaSpkiDer?: Uint8Array; appId?: string }
  withCollateral?: boolean
  body?: SecretsBody
}

/** Of an honest pod, but for what is asked for. */
export async function makeTdxBody(pod: TdxPod): Promise<SecretsBody> {
  const { appId = APP, freshnessBlock = FRESH_BLOCK, domain = DOMAIN } = pod
  const received = pod.initdata ?? annotated(makeInitdata())
  const initdata = parseInitdata(received)
  const reportData = reportDataV2({
    tee: 'tdx',
    method: 'eigenx-tdx',
    rsaSpkiDer: pod.rsa.spkiDer,
    appId,
    chainId: domain.chainId,
    avs: domain.avs,
    operatorSetId: domain.operatorSetId,
    freshnessBlock,
    extraData: new Uint8Array(),
    initdataSha384: initdata.sha384,
    ...pod.bind,
  })
  const mrConfigId = pod.anchored === false ? new Uint8Array(48) : fitDigest(initdata.digest, 48)
  const issued = await pod.authority.issue({
    ...pod.issue,
    report: { reportData, mrConfigId, ...pod.report },
  })
  const { quote } = issued
  const wire = pod.withCollateral === false ? encodeWireTdxEvidence({ quote }) : issued.wire()
  return {
    app_id: appId,
    attestation_method: 'eigenx-tdx',
    attestation: toBase64(wire),
    rsa_pubkey_tmp: toBase64(pod.rsa.pem),
    attestation_time: 0,
    cc_init_data: toBase64(received),
    report_data_version: 2,
    freshness_block: freshnessBlock,
    ...pod.body,
  }
}

/** 48 equal bytes in hex. */
export const repeated = (byte: string) => byte.repeat(48)
const IMAGE_ENTRY = `mrtd = "${repeated('7d')}", rtmr1 = "${repeated('a1')}", rtmr2 = "${repeated('a2')}"`
/** The simulated launch as one that covers the guest image. */
export const COVERING = `measurements = [{ ${IMAGE_ENTRY}, covers_image = true }]`

export type TdxSetup = {
  anchors?: TdxTrustAnchors
  /** Lines of `[attestation]` and of `[attestation.tdx]`. */
  attestation?: string
  tdx?: string
  methods?: string
  sources?: TdxSources
  release?: Partial<Release>
  nowSeconds?: number
}

export async function tdxWorld(setup: TdxSetup = {}): Promise<World> {
  const anchors = setup.anchors ?? (await tdxAuthority()).anchors
  return makeWorld({
    toml: `${WIDE_LIMITS}
[attestation]
methods = [${setup.methods ?? '"eigenx-snp", "eigenx-tdx"'}]
${setup.attestation ?? ''}
[attestation.tdx]
${setup.tdx ?? COVERING}
`,
    anchors: new Map(),
    tdx: { anchors, sources: setup.sources ?? { crls: createCrlMemory() } },
    chain: honestChain(makeRelease(setup.release)),
    now: () => 1000 * (setup.nowSeconds ?? TEST_TIME),
  })
}

export type TdxAnswer = {
  status: number
  code?: string
  checks?: { name: string; result: string }[]
  encrypted_partial_sig: string
  binding?: string
  marks?: string[]
}

export async function askTdx(world: World, body: SecretsBody): Promise<TdxAnswer> {
  const response = await post(world, '/secrets', body, PROBLEM)
  const answer: Omit<TdxAnswer, 'status'> = await response.json()
  return { ...answer, status: response.status }
}
