import { createPrivateKey, createPublicKey } from 'node:crypto'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type RunningHelper, startHelper } from '../../helper/serve.ts'
import { startAttestationAgent } from '../../helper/sim/aa.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { createClient } from '../../sdk/client/client.ts'
import { requestBytes } from '../../sdk/client/node-http.ts'
import { deriveMnemonic } from '../../sdk/crypto/mnemonic.ts'
import {
  evidenceJson,
  initdataToml,
  listen,
  makeCluster,
  operatorHandler,
  singleOperatorToml,
} from './kit.ts'

const cluster = makeCluster(1)
let folder: string
const running: { stop: () => Promise<void> }[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenx-serve-'))
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
  await rm(folder, { recursive: true, force: true })
})

/** A pod with one operator: everything is real but the hardware and the chain. */
async function writePod(): Promise<string> {
  const agent = await startAttestationAgent({ getEvidence: evidenceJson })
  const [address] = cluster.addresses
  if (address === undefined) throw new Error('no operator')
  const operator = await listen(operatorHandler(cluster, address, { publicEnv: '{"A":"1"}' }))
  running.push(agent, operator)
  const path = join(folder, 'initdata')
  const toml = singleOperatorToml({ kmsUrl: operator.url, aaUrl: agent.url, cluster })
  await writeFile(path, initdataToml(toml))
  return path
}

async function serve(options: {
  initdata?: string
  socketPath?: string
  socketMode?: number
  port?: number
}): Promise<RunningHelper & { lines: string[] }> {
  const lines: string[] = []
  const { initdata, ...rest } = options
  const helper = await startHelper({
    socketPath: join(folder, 'run', 'eigenx.sock'),
    ...rest,
    initdataPaths: [join(folder, 'absent'), initdata ?? (await writePod())],
    version: '0.0.0',
    log: (level, event, fields) => lines.push(JSON.stringify({ level, event, ...fields })),
  })
  running.push(helper)
  return { ...helper, lines }
}

describe('a running helper', () => {
  test('gives the app its keys over the socket, to those who may open it', async () => {
    const helper = await serve({})
    const client = createClient({ endpoint: helper.socketPath })
    expect(await client.getMnemonic()).toBe(deriveMnemonic(cluster.appKey))
    expect(await client.getSecret('A')).toBe('1')
    expect((await stat(helper.socketPath)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'run'))).mode & 0o777).toBe(0o700)
    expect(helper.lines.join('\n')).not.toContain(bytesToHex(cluster.appKey))
  })

  test('makes an RSA key in a thread, answers others meanwhile, and remembers it', async () => {
    const helper = await serve({})
    const client = createClient({ endpoint: helper.socketPath })
    await client.info()
    const order: string[] = []
    const asked = client
      .getKey('signing', { algorithm: 'rsa-2048' })
      .finally(() => order.push('rsa'))
    await client.version()
    order.push('version')
    const { privateKey, publicKey = new Uint8Array() } = await asked
    expect(order).toEqual(['version', 'rsa'])
    const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
    expect(key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65537n })
    expect(createPublicKey(key).export({ format: 'der', type: 'spki' })).toEqual(
      Buffer.from(publicKey),
    )
    const again = await client.getKey('signing', { algorithm: 'rsa-2048' })
    expect(again.privateKey).toEqual(privateKey)
  })

  test('stops although an RSA key is being made', async () => {
    const helper = await serve({})
    const client = createClient({ endpoint: helper.socketPath })
    await client.info()
    const asked = client.getKey('slow', { algorithm: 'rsa-4096' })
    const failure = expect(asked).rejects.toMatchObject({ code: expect.any(String) })
    await client.version()
    await helper.stop()
    await failure
  })

  test('opens its socket before it has the key, and answers those who waited', async () => {
    const helper = await serve({})
    expect(helper.state().status).toBe('starting')
    expect(helper.lines[0]).toContain('"listening"')
    const client = createClient({ endpoint: helper.socketPath })
    expect(await client.isReachable()).toBe(true)
    expect((await client.info()).quorum).toHaveLength(1)
  })

  test('lets others in only as far as it is told', async () => {
    const helper = await serve({ socketMode: 0o660 })
    expect((await stat(helper.socketPath)).mode & 0o777).toBe(0o660)
  })

  test('serves a loopback port too, for curl but not for web pages', async () => {
    const helper = await serve({ port: 0 })
    const ask = (headers: Record<string, string>) =>
      requestBytes({
        method: 'GET',
        url: `http://127.0.0.1:${helper.port}/GetSecret?name=A`,
        headers,
        timeoutMs: 20_000,
        maxBytes: 10_000,
        peer: 'helper',
      })
    expect((await ask({})).status).toBe(200)
    expect((await ask({ origin: 'http://evil.example' })).status).toBe(403)
    expect((await ask({ host: 'evil.example' })).status).toBe(403)
  })

  test('removes its socket at the end', async () => {
    const helper = await serve({})
    await helper.stop()
    await expect(stat(helper.socketPath)).rejects.toThrow()
  })
})

describe('the socket path', () => {
  test('left by a crash is taken over', async () => {
    const first = await serve({})
    const path = first.socketPath
    // A socket file without anybody behind it, as after SIGKILL.
    const orphan = join(folder, 'run', 'orphan.sock')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(orphan, resolve))
    await first.stop()
    const { rename } = await import('node:fs/promises')
    await rename(orphan, path)
    await new Promise((resolve) => server.close(resolve))
    const second = await serve({ socketPath: path })
    expect(await createClient({ endpoint: second.socketPath }).isReachable()).toBe(true)
  })

  test('in use, taken, in an open folder or too long is refused', async () => {
    const helper = await serve({})
    const file = join(folder, 'file')
    await writeFile(file, 'x')
    const open = join(folder, 'open')
    const { mkdir } = await import('node:fs/promises')
    await mkdir(open)
    await chmod(open, 0o777)
    for (const socketPath of [
      helper.socketPath,
      file,
      join(open, 'a.sock'),
      join(folder, 'x'.repeat(120)),
      'relative.sock',
      join(file, 'a.sock'),
    ])
      await expect(serve({ socketPath }), socketPath).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        details: { path: 'socket' },
      })
    expect(await createClient({ endpoint: helper.socketPath }).isReachable()).toBe(true)
  })
})

describe('the configuration', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['is missing', '', 'CONFIG_INVALID'],
    ['is not initdata', 'hello', 'INITDATA_INVALID'],
    ['has no eigenx.toml', 'version = "0.1.0"\nalgorithm = "sha384"\n[data]\n', 'CONFIG_INVALID'],
    ['has a broken eigenx.toml', initdataToml('app_id = 1\n'), 'CONFIG_INVALID'],
    ['is too large', 'x'.repeat(8 * 1024 * 1024 + 1), 'INPUT_TOO_LARGE'],
    ['is binary', new Uint8Array(1000), 'INITDATA_INVALID'],
  ])('that %s stops the start', async (what, content, code) => {
    const initdata = join(folder, 'initdata')
    if (what !== 'is missing') await writeFile(initdata, content)
    await expect(serve({ initdata })).rejects.toMatchObject({ code })
  })
})
