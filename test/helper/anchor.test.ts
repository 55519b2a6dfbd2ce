import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { anchoredEvidence } from '../../helper/anchor.ts'
import { parseAgentEvidence } from '../../helper/evidence.ts'
import { startHelper } from '../../helper/serve.ts'
import { startAttestationAgent } from '../../helper/sim/aa.ts'
import { encodeAzureSnpJson } from '../../helper/sim/azure-evidence.ts'
import { encodeAaJson } from '../../helper/sim/evidence-json.ts'
import { encodeReport, healthyReport } from '../../helper/sim/evidence-report.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import type { Initdata } from '../../policy/types.ts'
import { azureNonce } from '../../sdk/attest/azure-binding.ts'
import { utf8ToBytes } from '../../sdk/bytes.ts'
import { createClient } from '../../sdk/client/client.ts'
import { deriveMnemonic } from '../../sdk/crypto/mnemonic.ts'
import { snpVm } from '../sdk/attest/azure/kit.ts'
import { issueTdx } from '../sdk/attest/tdx/kit.ts'
import { initdataToml, listen, makeCluster, operatorHandler, singleOperatorToml } from './kit.ts'

const cluster = makeCluster(1)
const running: { stop: () => Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
})

const SIZES = { snp: 32, tdx: 48 } as const
type Tee = keyof typeof SIZES

async function evidenceOf(tee: Tee, reportData: Uint8Array, anchor: Uint8Array): Promise<string> {
  if (tee === 'tdx')
    return (await issueTdx({ report: { reportData, mrConfigId: anchor } })).aaJson()
  const fields = { ...healthyReport('Milan', 'VCEK'), reportData, hostData: anchor }
  const chain = [{ type: 'VCEK', data: new Uint8Array([0x30, 0]) }] as const
  return encodeAaJson(encodeReport(fields, 'Milan'), [...chain], 'sev-6.3')
}

/** A pod whose host put `anchorOf(digest of the document)` into the launch, and the document that the helper is told to read. */
async function bootWith(tee: Tee, anchorOf: (digest: Uint8Array) => Uint8Array) {
  const folder = await mkdtemp(join(tmpdir(), 'eigenx-anchor-'))
  running.push({ stop: () => rm(folder, { recursive: true, force: true }) })
  let anchor = new Uint8Array()
  const agent = await startAttestationAgent({
    getEvidence: (reportData) => evidenceOf(tee, reportData, anchor),
  })
  const [address] = cluster.addresses
  if (address === undefined) throw new Error('no operator')
  const operator = await listen(operatorHandler(cluster, address))
  const toml = initdataToml(singleOperatorToml({ kmsUrl: operator.url, aaUrl: agent.url, cluster }))
  anchor = Uint8Array.from(anchorOf(parseInitdata(utf8ToBytes(toml)).digest))
  const path = join(folder, 'initdata')
  await writeFile(path, toml)
  const helper = await startHelper({
    socketPath: join(folder, 'run', 'eigenx.sock'),
    initdataPaths: [path],
    version: '0.0.0',
    log: () => {},
  })
  running.push(agent, operator, helper)
  return { client: createClient({ endpoint: helper.socketPath }), asked: operator.requests }
}

describe.each<Tee>(['snp', 'tdx'])('on %s, a document that names the operators', (tee) => {
  const size = SIZES[tee]

  test('is believed where the launch anchored it', async () => {
    const { client } = await bootWith(tee, (digest) => digest.subarray(0, size))
    expect(await client.getMnemonic()).toBe(deriveMnemonic(cluster.appKey))
  })

  test('is believed where the launch anchored nothing: then the guest image decides what the helper reads', async () => {
    const { client } = await bootWith(tee, () => new Uint8Array(size))
    expect(await client.getMnemonic()).toBe(deriveMnemonic(cluster.appKey))
  })

  test.each<[string, (digest: Uint8Array) => Uint8Array]>([
    ['another document', () => new Uint8Array(size).fill(7)],
    [
      'one bit more',
      (digest) => digest.slice(0, size).map((byte, i) => (i === size - 1 ? byte ^ 1 : byte)),
    ],
    ['a digest cut short', (digest) => digest.slice(0, size).fill(0, size - 8)],
  ])(
    'is refused where the launch anchored %s, and its operators are never asked',
    async (_, anchorOf) => {
      const { client, asked } = await bootWith(tee, anchorOf)
      await expect(client.getMnemonic()).rejects.toMatchObject({ code: 'INITDATA_MISMATCH' })
      expect(asked()).toBe(0)
    },
  )
})

describe('on Azure, where the agent extends register 8 with the digest', () => {
  const document = (algorithm: string) =>
    parseInitdata(utf8ToBytes(`version = "0.1.0"\nalgorithm = "${algorithm}"\n\n[data]\na = "b"\n`))
  const collect = async (initdata: Initdata, initdataDigest?: Uint8Array) => {
    const source = anchoredEvidence(
      {
        collect: async (reportData) => {
          const nonce = azureNonce(reportData)
          const issued = await (await snpVm()).issue({ nonce, initdataDigest })
          return parseAgentEvidence(encodeAzureSnpJson(issued))
        },
      },
      initdata,
    )
    return (await source.collect(new Uint8Array(64), 'vtpm')).tee
  }

  test('a document is believed where it is the one, and where there is none', async () => {
    const initdata = document('sha256')
    expect(await collect(initdata, initdata.digest)).toBe('az-snp-vtpm')
    expect(await collect(initdata)).toBe('az-snp-vtpm')
    expect(await collect(document('sha384'))).toBe('az-snp-vtpm')
  })

  test('any other is refused, and one whose digest no agent extends', async () => {
    const refused = { code: 'INITDATA_MISMATCH', details: { anchor: 'pcr8' } }
    const initdata = document('sha256')
    const other = initdata.digest.with(0, 1 ^ (initdata.digest[0] ?? 0))
    await expect(collect(initdata, other)).rejects.toMatchObject(refused)
    const long = document('sha384')
    await expect(collect(long, long.digest)).rejects.toMatchObject(refused)
    await expect(collect(long, long.digest.slice(0, 32))).rejects.toMatchObject(refused)
  })
})
