import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAaClient, type EvidenceSource } from '../../helper/aa.ts'
import { type EigenxConfig, parseEigenxToml } from '../../helper/config.ts'
import { type AppIdentity, obtainAppKey, type QuorumView } from '../../helper/identity.ts'
import { createRequestKey, type RequestKey } from '../../helper/request-key.ts'
import { startAttestationAgent } from '../../helper/sim/aa.ts'
import type { Initdata } from '../../policy/types.ts'
import { reportDataV1, reportDataV2 } from '../../sdk/attest/report-data.ts'
import { parseTdxQuote } from '../../sdk/attest/tdx-quote.ts'
import { parseWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { parseWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { bytesToHex, utf8ToBytes } from '../../sdk/bytes.ts'
import { requestBytes } from '../../sdk/client/node-http.ts'
import { encryptForApp } from '../../sdk/crypto/ibe.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { parseRsaPublicKeyPem } from '../../sdk/wire/rsa-oaep.ts'
import { parseSecretsRequest, type SecretsRequest } from '../../sdk/wire/secrets.ts'
import { issueTdx } from '../sdk/attest/tdx/kit.ts'
import {
  APP_ID,
  AVS,
  evidenceJson,
  type Listening,
  listen,
  makeCluster,
  makeInitdata,
  operatorHandler,
} from './kit.ts'

const VERSION = 1_700_000_000
const BLOCK = { number: 7n, hash: `0x${'b1'.repeat(32)}`, timestamp: VERSION + 5 } as const
const cluster = makeCluster(3)

function makeConfig(
  reportData: string,
  method?: string,
): { config: EigenxConfig; initdata: Initdata } {
  const toml = [
    'version = 1',
    `app_id = "${APP_ID}"`,
    '[chain]',
    'chain_id = 31337',
    'rpc_urls = ["http://127.0.0.1:1"]',
    '[operators]',
    `avs_address = "${AVS}"`,
    'operator_set_id = 2',
    `allocation_manager = "${AVS}"`,
    `key_registrar = "${AVS}"`,
    `epoch_log = "${AVS}"`,
    '[attestation]',
    ...(reportData === 'auto' ? [] : [`report_data = "${reportData}"`]),
    ...(method === undefined ? [] : [`method = "${method}"`]),
    '',
  ].join('\n')
  return { config: parseEigenxToml(toml), initdata: makeInitdata(toml) }
}

const running: { stop: () => Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
})

type Round = { identity: AppIdentity; requests: SecretsRequest[] }

async function obtain(
  reportData: string,
  source: EvidenceSource,
  answer: { encryptedEnv?: string; publicEnv?: string } = {},
  createKey = async () => key,
  method?: string,
): Promise<Round> {
  const requests: SecretsRequest[] = []
  const servers: Listening[] = await Promise.all(
    cluster.addresses.map((address) =>
      listen(
        operatorHandler(cluster, address, { version: VERSION, ...answer }, (body) =>
          requests.push(parseSecretsRequest(body)),
        ),
      ),
    ),
  )
  running.push(...servers)
  const view: QuorumView = {
    operators: servers.map(({ url }, i) => ({
      address: cluster.addresses[i] ?? `0x${'0'.repeat(40)}`,
      url,
    })),
    threshold: cluster.threshold,
    tables: [cluster.table(VERSION, 4)],
    masterPublicKey: cluster.masterPublicKey,
    attestationTime: VERSION,
    freshness: BLOCK,
  }
  const identity = await obtainAppKey(
    { exchange: requestBytes, evidence: source, viewQuorum: async () => view, createKey },
    makeConfig(reportData, method),
  )
  return { identity, requests }
}

async function agentSource(knowsEncoding: boolean): Promise<EvidenceSource> {
  const agent = await startAttestationAgent({ getEvidence: evidenceJson, knowsEncoding })
  running.push(agent)
  return createAaClient({ exchange: requestBytes }, { url: agent.url })
}

function reportDataOf(request: SecretsRequest): Uint8Array {
  return parseWireSnpEvidence(request.attestation).report.slice(0x50, 0x90)
}

let current: EvidenceSource
let key: RequestKey
beforeAll(async () => {
  key = await createRequestKey()
  current = { collect: async (reportData) => await (await agentSource(true)).collect(reportData) }
})

describe('the way from evidence to the app key', () => {
  test('ends with the verified key and the opened environment', async () => {
    const plaintext = utf8ToBytes('{"DB":"hunter2"}')
    const encryptedEnv = bytesToHex(
      encryptForApp({ appId: APP_ID, masterPublicKey: cluster.masterPublicKey, plaintext }),
    )
    const { identity } = await obtain('v2', current, { encryptedEnv, publicEnv: '{"A":"1"}' })
    expect(bytesToHex(identity.appKey)).toBe(bytesToHex(cluster.appKey))
    expect(identity).toMatchObject({ epoch: 4, keyVersion: VERSION, threshold: 2, operators: 3 })
    expect(identity.environment.get('DB')).toEqual({ value: 'hunter2', sealed: true })
    expect(identity.environment.get('A')).toEqual({ value: '1', sealed: false })
  })

  test('binds RSA key, app, operators, block and initdata in report data v2', async () => {
    const { requests } = await obtain('v2', current)
    const { initdata } = makeConfig('v2')
    const request = requests[0]
    if (request === undefined) throw new Error('nobody was asked')
    const { spkiDer, bits } = parseRsaPublicKeyPem(request.rsaPubkeyTmp)
    expect(bits).toBe(3072)
    expect(request).toMatchObject({
      appId: APP_ID,
      stackId: '',
      attestationMethod: 'eigenx-snp',
      attestationTime: VERSION,
      reportDataVersion: 2,
      freshnessBlock: BLOCK.hash,
    })
    expect(request.ccInitData).toEqual(initdata.received)
    expect(reportDataOf(request)).toEqual(
      reportDataV2({
        tee: 'snp',
        method: 'eigenx-snp',
        rsaSpkiDer: spkiDer,
        appId: APP_ID,
        chainId: 31337,
        avs: AVS,
        operatorSetId: 2,
        freshnessBlock: BLOCK.hash,
        extraData: new Uint8Array(),
        initdataSha384: initdata.sha384,
      }),
    )
  })

  test('uses another RSA key each time', async () => {
    const first = await obtain('v1', current, {}, createRequestKey)
    const second = await obtain('v1', current, {}, createRequestKey)
    expect(first.requests[0]?.rsaPubkeyTmp).not.toEqual(second.requests[0]?.rsaPubkeyTmp)
  })

  test('speaks report data v1 to operators that know nothing else', async () => {
    const { identity, requests } = await obtain('v1', current)
    const request = requests[0]
    if (request === undefined) throw new Error('nobody was asked')
    expect(identity.reportDataVersion).toBe(1)
    expect(request.reportDataVersion).toBe(1)
    expect(request.freshnessBlock).toBeUndefined()
    expect(reportDataOf(request)).toEqual(
      reportDataV1({
        rsaPem: request.rsaPubkeyTmp,
        extraData: new Uint8Array(),
        initdataReceived: request.ccInitData,
      }),
    )
  })
})

describe('a TD', () => {
  /** An agent that answers with quotes, and what it was asked for. */
  function tdSource() {
    const asked: Uint8Array[] = []
    const source: EvidenceSource = {
      collect: async (reportData) => {
        asked.push(reportData)
        const { quote } = await issueTdx({ report: { reportData } })
        return { tee: 'tdx', quote }
      },
    }
    return { source, asked }
  }
  const reported = (request: SecretsRequest) =>
    parseTdxQuote(parseWireTdxEvidence(request.attestation).quote).report.reportData

  test.each([undefined, 'auto', 'eigenx-tdx'])(
    'asks for a key with report data of its own processor and method (method %s)',
    async (method) => {
      const { source, asked } = tdSource()
      const { identity, requests } = await obtain('v2', source, {}, undefined, method)
      expect(bytesToHex(identity.appKey)).toBe(bytesToHex(cluster.appKey))
      const [request] = requests
      if (request === undefined) throw new Error('nobody was asked')
      expect(request).toMatchObject({ attestationMethod: 'eigenx-tdx', reportDataVersion: 2 })
      const wanted = {
        rsaSpkiDer: parseRsaPublicKeyPem(request.rsaPubkeyTmp).spkiDer,
        appId: APP_ID,
        chainId: 31337,
        avs: AVS,
        operatorSetId: 2,
        freshnessBlock: BLOCK.hash,
        extraData: new Uint8Array(),
        initdataSha384: makeConfig('v2', method).initdata.sha384,
      } as const
      const ofTd = reportDataV2({ tee: 'tdx', method: 'eigenx-tdx', ...wanted })
      expect(reported(request)).toEqual(ofTd)
      // The first guess is spent where the configuration does not say what the machine is.
      const guess = reportDataV2({ tee: 'snp', method: 'eigenx-snp', ...wanted })
      expect(asked).toEqual(method === 'eigenx-tdx' ? [ofTd] : [guess, ofTd])
    },
  )

  test('is asked once for report data v1, which names no processor', async () => {
    const { source, asked } = tdSource()
    const { requests } = await obtain('v1', source)
    expect(requests[0]).toMatchObject({ attestationMethod: 'eigenx-tdx', reportDataVersion: 1 })
    expect(asked).toHaveLength(1)
  })

  test.each<[string, string]>([
    ['v2', 'eigenx-snp'],
    ['v1', 'eigenx-snp'],
  ])('is refused where the configuration names AMD (report data %s)', async (version, method) => {
    const { source } = tdSource()
    await expect(obtain(version, source, {}, undefined, method)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { path: 'attestation.method' },
    })
  })

  test('is refused where the agent tells of another processor each time', async () => {
    const { source, asked } = tdSource()
    const fickle: EvidenceSource = {
      collect: (reportData) => (asked.length === 0 ? source : current).collect(reportData),
    }
    await expect(obtain('v2', fickle)).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
  })
})

test('a machine of AMD is refused where the configuration names Intel', async () => {
  await expect(obtain('v2', current, {}, undefined, 'eigenx-tdx')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
})

describe('a guest image that cannot attest raw bytes', () => {
  test('gets report data v1 where the configuration leaves the choice', async () => {
    const { identity } = await obtain('auto', await agentSource(false))
    expect(identity.reportDataVersion).toBe(1)
  })

  test('is told to be renewed where the configuration demands v2', async () => {
    const source: EvidenceSource = {
      collect: async () => {
        throw new EigenxError({
          code: 'VERSION_UNSUPPORTED',
          message: 'old',
          stage: 'agent',
          details: { needed: 'a', got: 'b' },
        })
      },
    }
    await expect(obtain('v2', source)).rejects.toMatchObject({ code: 'VERSION_UNSUPPORTED' })
  })

  test('is not confused with an agent that is down', async () => {
    let asked = 0
    const source: EvidenceSource = {
      collect: async () => {
        asked++
        throw new EigenxError({
          code: 'AGENT_UNREACHABLE',
          message: 'down',
          stage: 'agent',
          details: { endpoint: 'Attestation Agent' },
        })
      },
    }
    await expect(obtain('auto', source)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' })
    expect(asked).toBe(1)
  })
})

test('an environment sealed to another app is refused, not half used', async () => {
  const encryptedEnv = bytesToHex(
    encryptForApp({
      appId: AVS,
      masterPublicKey: cluster.masterPublicKey,
      plaintext: utf8ToBytes('{}'),
    }),
  )
  await expect(obtain('v2', current, { encryptedEnv })).rejects.toMatchObject({
    code: 'CIPHERTEXT_INVALID',
  })
})
