import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { startHelper } from '../../helper/serve.ts'
import { startAttestationAgent } from '../../helper/sim/aa.ts'
import { encodeAaJson } from '../../helper/sim/evidence-json.ts'
import { encodeReport, healthyReport } from '../../helper/sim/evidence-report.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { utf8ToBytes } from '../../sdk/bytes.ts'
import { createClient } from '../../sdk/client/client.ts'
import { deriveMnemonic } from '../../sdk/crypto/mnemonic.ts'
import { initdataToml, listen, makeCluster, operatorHandler, singleOperatorToml } from './kit.ts'

const cluster = makeCluster(1)
const running: { stop: () => Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
})

/** A pod whose host put `hostDataOf(document)` into the launch, and the document that the helper is told to read. */
async function bootWith(hostDataOf: (digest: Uint8Array) => Uint8Array) {
  const folder = await mkdtemp(join(tmpdir(), 'eigenx-anchor-'))
  running.push({ stop: () => rm(folder, { recursive: true, force: true }) })
  let hostData = new Uint8Array(32)
  const agent = await startAttestationAgent({
    getEvidence: async (reportData) => {
      const fields = { ...healthyReport('Milan', 'VCEK'), reportData, hostData }
      const chain = [{ type: 'VCEK', data: new Uint8Array([0x30, 0]) }] as const
      return encodeAaJson(encodeReport(fields, 'Milan'), [...chain], 'sev-6.3')
    },
  })
  const [address] = cluster.addresses
  if (address === undefined) throw new Error('no operator')
  const operator = await listen(operatorHandler(cluster, address))
  const toml = initdataToml(singleOperatorToml({ kmsUrl: operator.url, aaUrl: agent.url, cluster }))
  hostData = Uint8Array.from(hostDataOf(parseInitdata(utf8ToBytes(toml)).digest))
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

describe('a document that names the operators', () => {
  test('is believed where the launch anchored it', async () => {
    const { client } = await bootWith((digest) => digest.subarray(0, 32))
    expect(await client.getMnemonic()).toBe(deriveMnemonic(cluster.appKey))
  })

  test('is believed where the launch anchored nothing: then the guest image decides what the helper reads', async () => {
    const { client } = await bootWith(() => new Uint8Array(32))
    expect(await client.getMnemonic()).toBe(deriveMnemonic(cluster.appKey))
  })

  test.each<[string, (digest: Uint8Array) => Uint8Array]>([
    ['another document', () => new Uint8Array(32).fill(7)],
    [
      'one bit more',
      (digest) => digest.slice(0, 32).map((byte, i) => (i === 31 ? byte ^ 1 : byte)),
    ],
    ['a digest cut short', (digest) => digest.slice(0, 32).fill(0, 31)],
  ])(
    'is refused where the launch anchored %s, and its operators are never asked',
    async (_, hostDataOf) => {
      const { client, asked } = await bootWith(hostDataOf)
      await expect(client.getMnemonic()).rejects.toMatchObject({ code: 'INITDATA_MISMATCH' })
      expect(asked()).toBe(0)
    },
  )
})
