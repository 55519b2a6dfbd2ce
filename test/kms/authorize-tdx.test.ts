/** The method `eigenx-tdx` from request to answer, on evidence of a simulated authority. Each refusal changes one thing. */
import { describe, expect, it } from 'vitest'
import type { TdxAuthority, TdxIssueOptions } from '../../helper/sim/tdx-evidence.ts'
import { createCrlMemory } from '../../sdk/attest/tdx-crl.ts'
import { type TdxSources, verifyTdx } from '../../sdk/attest/tdx-verify.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { encodeWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { reportDataV2 } from '../../sdk/attest/report-data.ts'
import { fitDigest } from '../../sdk/attest/binding.ts'
import { toBase64 } from '../../sdk/bytes.ts'
import { partialVerify } from '../../sdk/crypto/bls.ts'
import type { Release } from '../../sdk/chain/types.ts'
import { DAY, tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import {
  annotated,
  APP,
  DOMAIN,
  FRESH_BLOCK,
  makeInitdata,
  makePolicy,
  makeRelease,
  makeRsa,
  openPartial,
  type SecretsBody,
  TEST_TIME,
} from './kit.ts'
import { honestChain, makeWorld, post, PROBLEM, type World, WIDE_LIMITS } from './world.ts'

const hex = (byte: string) => byte.repeat(48)
const IMAGE_ENTRY = `mrtd = "${hex('7d')}", rtmr1 = "${hex('a1')}", rtmr2 = "${hex('a2')}"`
const COVERING = `measurements = [{ ${IMAGE_ENTRY}, covers_image = true }]`
const RSA = makeRsa()
const OTHER_RSA = makeRsa()

type Setup = {
  /** Lines of `[attestation]` and of `[attestation.tdx]`. */
  attestation?: string
  tdx?: string
  methods?: string
  sources?: TdxSources
  release?: Partial<Release>
  nowSeconds?: number
}

async function tdxWorld(setup: Setup = {}): Promise<World> {
  const { anchors } = await tdxAuthority()
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

type Pod = {
  authority?: TdxAuthority
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

async function tdxBody(pod: Pod = {}): Promise<SecretsBody> {
  const authority = pod.authority ?? (await tdxAuthority())
  const received = pod.initdata ?? annotated(makeInitdata())
  const initdata = parseInitdata(received)
  const reportData = reportDataV2({
    tee: 'tdx',
    method: 'eigenx-tdx',
    rsaSpkiDer: RSA.spkiDer,
    appId: APP,
    chainId: DOMAIN.chainId,
    avs: DOMAIN.avs,
    operatorSetId: DOMAIN.operatorSetId,
    freshnessBlock: FRESH_BLOCK,
    extraData: new Uint8Array(),
    initdataSha384: initdata.sha384,
    ...pod.bind,
  })
  const mrConfigId =
    pod.anchored === false ? new Uint8Array(48) : fitDigest(initdata.digest, 48)
  const issued = await authority.issue({
    ...pod.issue,
    report: { reportData, mrConfigId, ...pod.report },
  })
  const { quote } = issued
  const wire = pod.withCollateral === false ? encodeWireTdxEvidence({ quote }) : issued.wire()
  return {
    app_id: APP,
    attestation_method: 'eigenx-tdx',
    attestation: toBase64(wire),
    rsa_pubkey_tmp: toBase64(RSA.pem),
    attestation_time: 0,
    cc_init_data: toBase64(received),
    report_data_version: 2,
    freshness_block: FRESH_BLOCK,
    ...pod.body,
  }
}

type Answer = { status: number; code?: string; details?: Record<string, unknown> }

async function ask(world: World, body: SecretsBody): Promise<Answer> {
  const response = await post(world, '/secrets', body, PROBLEM)
  const answer = (await response.json()) as Omit<Answer, 'status'>
  return { ...answer, status: response.status }
}

/** The audit line of the one decision. */
function audit(world: World): { marks: string[]; binding: string; checks: { name: string; result: string }[] } {
  const line = world.log().split('\n').find((text) => text.includes('"verdict"') || text.includes('report-data'))
  return JSON.parse(line ?? '{}')
}

describe('a grant on TDX evidence', () => {
  it('probe', async () => {
    const world = await tdxWorld()
    const response = await post(world, '/secrets', await tdxBody(), PROBLEM)
    console.log(response.status, await response.text(), world.log())
    console.log(await ask(await tdxWorld({ tdx: '' }), await tdxBody()))
  })
})
