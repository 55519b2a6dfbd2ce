/**
 * Our helper against our operators: the operator's whole HTTP app with real verification of SNP and TDX, policy
 * analysis and key service; only the chain is a plain function and the wire a function call.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { parseEigenxToml } from '../../helper/config.ts'
import {
  carrierOf,
  type Evidence,
  type Platform,
  parseAgentEvidence,
  protocolError,
} from '../../helper/evidence.ts'
import { obtainAppKey, type QuorumView } from '../../helper/identity.ts'
import { createRequestKey, type RequestKey } from '../../helper/request-key.ts'
import {
  type AzureSnpMachine,
  type AzureTdxMachine,
  createAzureSnpMachine,
  createAzureTdxMachine,
  encodeAzureSnpJson,
  encodeAzureTdxJson,
} from '../../helper/sim/azure-evidence.ts'
import type { SnpAuthority } from '../../helper/sim/evidence.ts'
import { healthyReport } from '../../helper/sim/evidence-report.ts'
import { SIM_BOOT_LOG, SIM_BOOT_RTMRS } from '../../helper/sim/tdx-event-log.ts'
import type { IssuedTdxEvidence, TdxAuthority } from '../../helper/sim/tdx-evidence.ts'
import { createKmsApp } from '../../kms/app.ts'
import { decisionSettings } from '../../kms/authorize/settings.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { createLog } from '../../kms/log.ts'
import { reportStatus } from '../../kms/status.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { azureNonce } from '../../sdk/attest/azure-binding.ts'
import { fitDigest } from '../../sdk/attest/binding.ts'
import { createCrlMemory } from '../../sdk/attest/crl-memory.ts'
import { createSnpRevocationMemory } from '../../sdk/attest/snp-crl.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import type { Release } from '../../sdk/chain/types.ts'
import type { HttpExchange } from '../../sdk/client/node-http.ts'
import { verifyPartial } from '../../sdk/crypto/recombine.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import {
  APP,
  annotated,
  DOMAIN,
  FRESH_BLOCK,
  KEY_VERSION,
  keyServiceOf,
  keyVersionOf,
  makeInitdata,
  makePolicy,
  makeRelease,
  makeSharing,
  TEST_TIME,
} from '../kms/kit.ts'
import { honestChain, operatorToml, WIDE_LIMITS } from '../kms/world.ts'
import { tdxAuthority } from '../sdk/attest/tdx/kit.ts'

const FIRST_OPERATOR = `0x${'01'.repeat(20)}`
const sharing = makeSharing(4)
/** The operators know the guest image that the simulated machine measures. */
const KNOWN_IMAGE = `
[[attestation.measurements]]
value = "${bytesToHex(healthyReport('Milan', 'VCEK').measurement)}"
covers_image = true
[attestation]
methods = ["eigenx-snp", "eigenx-tdx", "az-snp-vtpm", "az-tdx-vtpm"]
[[attestation.tdx.measurements]]
mrtd = "${'7d'.repeat(48)}"
rtmr1 = "${bytesToHex(SIM_BOOT_RTMRS[1])}"
rtmr2 = "${bytesToHex(SIM_BOOT_RTMRS[2])}"
covers_image = true
[attestation.azure]
id_key_digests = ["${'1d'.repeat(48)}"]
mrtds = ["${'7d'.repeat(48)}"]
images = [{ pcr4 = "${'44'.repeat(32)}", pcr11 = "${'bb'.repeat(32)}", covers_image = true }]
`

let authority: SnpAuthority
let intel: TdxAuthority
let honest: IssuedTdxEvidence
let key: RequestKey
let vms: { snp: AzureSnpMachine; tdx: AzureTdxMachine }
beforeAll(async () => {
  authority = await authorityOf()
  intel = await tdxAuthority()
  honest = await intel.issue()
  key = await createRequestKey()
  vms = { snp: createAzureSnpMachine(authority), tdx: createAzureTdxMachine(intel) }
})

/** An address alone would be read as a number, and a number as an IP address. */
const hostOf = (address: string): string => `operator-${address.slice(2).toLowerCase()}`

/** Four operators, each with its own configuration and share. */
function operatorsServing(release: Release): HttpExchange {
  const apps = new Map(
    sharing.operators.map((operator) => {
      const toml = operatorToml(DOMAIN, WIDE_LIMITS + KNOWN_IMAGE).replace(FIRST_OPERATOR, operator)
      const config = parseKmsConfig(toml)
      const keys = keyServiceOf(keyVersionOf(sharing, operator))
      const now = () => TEST_TIME * 1000
      const node = { startedAtMs: now(), accepting: true }
      const app = createKmsApp({
        operator,
        config,
        decision: {
          settings: decisionSettings(config),
          anchors: authority.anchors,
          revocation: { lists: () => [], memory: createSnpRevocationMemory() },
          // As from a folder of the operator: pods bring no collateral.
          tdx: {
            anchors: intel.anchors,
            sources: { crls: createCrlMemory(), findCollateral: () => honest.collateral },
          },
          chain: honestChain(release),
          keys,
        },
        log: createLog({ level: 'error', destination: { write: () => {} } }),
        now,
        status: () =>
          reportStatus({ operator, chainId: DOMAIN.chainId, node, keys, epoch: undefined }, now()),
        peers: () => undefined,
      })
      return [hostOf(operator), app] as const
    }),
  )
  return async ({ url, method, body, headers }) => {
    const { hostname, pathname } = new URL(url)
    const app = apps.get(hostname)
    if (app === undefined || body === undefined) throw new Error(`nobody at ${url}`)
    const response = await app.request(pathname, {
      method,
      body: typeof body === 'string' ? body : Uint8Array.from(body),
      headers: { ...headers },
    })
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      body: new Uint8Array(await response.arrayBuffer()),
    }
  }
}

type PodOptions = { reportData?: 'v1' | 'v2'; policy?: string; method?: string }

/** The kit's pod with an eigenx.toml of its own. */
function makePod({ reportData = 'v2', policy = makePolicy(), method = 'auto' }: PodOptions) {
  const toml = [
    `app_id = "${APP}"`,
    '[chain]',
    `chain_id = ${DOMAIN.chainId}`,
    'rpc_urls = ["http://127.0.0.1:1"]',
    '[operators]',
    `avs_address = "${DOMAIN.avs}"`,
    `operator_set_id = ${DOMAIN.operatorSetId}`,
    `allocation_manager = "${DOMAIN.epochLog}"`,
    `key_registrar = "${DOMAIN.epochLog}"`,
    `epoch_log = "${DOMAIN.epochLog}"`,
    '[attestation]',
    `report_data = "${reportData}"`,
    `method = "${method}"`,
  ].join('\n')
  return {
    config: parseEigenxToml(toml),
    initdata: parseInitdata(annotated(makeInitdata(policy, { 'eigenx.toml': toml }))),
  }
}

const view: QuorumView = {
  operators: sharing.operators.map((address) => ({ address, url: `http://${hostOf(address)}` })),
  threshold: sharing.threshold,
  tables: [
    {
      version: KEY_VERSION,
      epoch: 1,
      threshold: sharing.threshold,
      publicShares: sharing.publicShares,
    },
  ],
  masterPublicKey: sharing.masterPublicKey,
  attestationTime: KEY_VERSION,
  freshness: { number: 9n, hash: FRESH_BLOCK, timestamp: 1_700_000_100 },
}

type Input = PodOptions & {
  release?: Release
  /** What the machine was launched with, where it is not what the pod reads. */
  launchedWith?: Uint8Array
  tee?: Platform
}

async function evidenceOf(
  tee: Platform,
  reportData: Uint8Array,
  launchDigest: Uint8Array,
): Promise<Evidence> {
  const vm = { nonce: azureNonce(reportData), initdataDigest: launchDigest }
  if (tee === 'az-snp-vtpm') return parseAgentEvidence(encodeAzureSnpJson(await vms.snp.issue(vm)))
  if (tee === 'az-tdx-vtpm') {
    const { collateral: _, ...evidence } = await vms.tdx.issue(vm)
    return parseAgentEvidence(encodeAzureTdxJson(evidence))
  }
  if (tee === 'snp') {
    const hostData = fitDigest(launchDigest, 32)
    return parseAgentEvidence((await authority.issue({ reportData, hostData })).aaJson())
  }
  const issued = await intel.issue({
    report: { reportData, mrConfigId: fitDigest(launchDigest, 48), rtmrs: SIM_BOOT_RTMRS },
    logs: { eventLog: SIM_BOOT_LOG },
  })
  return parseAgentEvidence(issued.aaJson())
}

async function obtain(input: Input) {
  const { release = makeRelease(), launchedWith, tee = 'snp' } = input
  const pod = makePod(input)
  return await obtainAppKey(
    {
      exchange: operatorsServing(release),
      evidence: {
        collect: async (data, carrier = 'report') => {
          // As the real ones: a vTPM fails on the length, and a report is not a quote.
          if (carrierOf(tee) !== carrier) throw protocolError('another kind of evidence')
          return await evidenceOf(tee, data, launchedWith ?? pod.initdata.digest)
        },
      },
      viewQuorum: async () => view,
      createKey: async () => key,
    },
    pod,
  )
}

async function refusalCodes(input: Input): Promise<readonly string[]> {
  const error = await obtain(input).catch((reason: unknown) => reason)
  if (!isEigenxError(error, 'QUORUM_NOT_REACHED')) throw error
  return error.details.refusals.map(({ code }) => code)
}

describe('a pod that runs what its release says', () => {
  test.each([
    ['snp', 'v2'],
    ['snp', 'v1'],
    ['tdx', 'v2'],
    ['tdx', 'v1'],
  ] as const)('gets its key on %s with report data %s', async (tee, reportData) => {
    const release = makeRelease({ publicEnv: { A: '1' } })
    const identity = await obtain({ tee, reportData, release })
    const isAppKey = verifyPartial({
      appId: APP,
      partial: identity.appKey,
      publicShare: sharing.masterPublicKey,
    })
    expect(isAppKey).toBe(true)
    expect(identity).toMatchObject({ epoch: 1, keyVersion: KEY_VERSION, threshold: 3 })
    expect(identity.environment.get('A')).toEqual({ value: '1', sealed: false })
    expect(bytesToHex(identity.initdataSha384)).toHaveLength(96)
  })

  test.each([
    ['az-snp-vtpm', 'auto'],
    ['az-snp-vtpm', 'az-snp-vtpm'],
    ['az-tdx-vtpm', 'auto'],
    ['az-tdx-vtpm', 'az-tdx-vtpm'],
  ] as const)('gets its key on %s with the method %s', async (tee, method) => {
    expect(await obtain({ tee, method })).toMatchObject({ threshold: 3, reportDataVersion: 2 })
  })

  test.each([
    ['az-tdx-vtpm', 'az-snp-vtpm', 'CONFIG_INVALID'],
    ['az-snp-vtpm', 'eigenx-snp', 'AGENT_PROTOCOL'],
    ['snp', 'az-snp-vtpm', 'AGENT_PROTOCOL'],
  ] as const)('is not asked for on %s with the method %s', async (tee, method, code) => {
    await expect(obtain({ tee, method })).rejects.toMatchObject({ code })
  })
})

describe('a pod that does not is refused by every operator, each with its reason', () => {
  test.each(['snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm'] as const)(
    'other initdata than the machine was launched with (%s)',
    async (tee) => {
      const launchedWith = new Uint8Array(32).fill(7)
      const codes = await refusalCodes({ tee, launchedWith })
      expect(codes).toEqual(Array(4).fill('INITDATA_MISMATCH'))
    },
  )

  test('another image than the release', async () => {
    const release = makeRelease({ imageDigest: `sha256:${'22'.repeat(32)}` })
    const codes = new Set(await refusalCodes({ release }))
    expect([...codes]).toHaveLength(1)
    expect(['RELEASE_MISMATCH', 'POLICY_TOO_PERMISSIVE']).toContain([...codes][0])
  })

  test('no policy at all', async () => {
    expect(new Set(await refusalCodes({ policy: '' }))).toEqual(new Set(['POLICY_TOO_PERMISSIVE']))
  })
})
