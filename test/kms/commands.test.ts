import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registerKmsCommands } from '../../kms/cli.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { initFolder } from '../../kms/init.ts'
import { readKeyFile } from '../../kms/key-file.ts'
import { loadKmsConfig } from '../../kms/load-config.ts'
import { readOperatorKeys } from '../../kms/signer.ts'
import { showStatus } from '../../kms/status-actions.ts'
import { readStoreKey } from '../../kms/store/key-file.ts'
import { toHex } from '../../sdk/bytes.ts'
import { operatorToml } from './world.ts'

const SIGNING_KEY = { what: 'the signing key', field: 'operator.signing_key_file' }

let folder: string
const cleanups: (() => Promise<void>)[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenx-kms-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
  await rm(folder, { recursive: true, force: true })
})

describe('kms init', () => {
  it('writes private key files and a configuration that names them', async () => {
    const text = await initFolder(folder)
    for (const name of ['signing.key', 'store.key'])
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    const { address } = privateKeyToAccount(
      toHex(await readKeyFile(join(folder, 'signing.key'), SIGNING_KEY)),
    )
    expect(text).toContain(address)
    expect(await readStoreKey(join(folder, 'store.key'))).toHaveLength(32)
    const sample = await readFile(join(folder, 'operator.toml'), 'utf8')
    const filled = sample.replaceAll('https://…', 'https://rpc.example')
    const { operator, listen } = parseKmsConfig(filled)
    expect(operator.address).toBe(address.toLowerCase())
    expect(listen.trustedProxies).toEqual([listen.host])
  })

  it('makes the operator fill in the chain before it starts', async () => {
    await initFolder(folder)
    await expect(loadKmsConfig(join(folder, 'operator.toml'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { path: 'chain.rpc_urls.0' },
    })
  })

  it('overwrites nothing', async () => {
    await initFolder(folder)
    const before = await readFile(join(folder, 'signing.key'), 'utf8')
    await expect(initFolder(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await readFile(join(folder, 'signing.key'), 'utf8')).toBe(before)
  })

  it.each(['store.key', 'operator.toml'])('writes nothing where there is a %s', async (name) => {
    await writeFile(join(folder, name), 'kept')
    await expect(initFolder(folder)).rejects.toThrow(new RegExp(`${name} exists already`))
    expect(await readdir(folder)).toEqual([name])
  })

  it('on BN254 writes a second key that pays, and its address', async () => {
    const text = await initFolder(folder, 'bn254')
    const filled = (await readFile(join(folder, 'operator.toml'), 'utf8')).replaceAll(
      'https://…',
      'https://rpc.example',
    )
    await writeFile(join(folder, 'operator.toml'), filled)
    const { operator } = await loadKmsConfig(join(folder, 'operator.toml'))
    const keys = await readOperatorKeys(operator)
    expect(keys.signingKey.curve).toBe('bn254')
    expect(keys.account.address.toLowerCase()).toBe(operator.address)
    expect(text).toContain(keys.account.address)
    for (const name of ['signing.key', 'transaction.key', 'store.key'])
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
  })
})

describe('the configuration file', () => {
  it('takes paths from its own folder', async () => {
    const file = join(folder, 'operator.toml')
    await writeFile(
      file,
      operatorToml(
        undefined,
        `[development]
snp_roots_file = "sub/roots.json"
[attestation.gcp]
project_id = "pods"
jwks_file = "sub/keys.json"
[attestation.intel]
project_id = "pods"
jwks_url = "https://issuer.example/keys"`,
      ),
    )
    const config = await loadKmsConfig(file)
    expect(config.operator.signingKeyFile).toBe(join(folder, 'signing.key'))
    expect(config.store).toEqual({
      path: join(folder, 'operator.db'),
      keyFile: join(folder, 'store.key'),
    })
    expect(config.development.snpRootsFile).toBe(join(folder, 'sub/roots.json'))
    expect(config.attestation.gcp?.jwks).toEqual({ file: join(folder, 'sub/keys.json') })
    expect(config.attestation.intel?.jwks).toEqual({ url: 'https://issuer.example/keys' })
  })

  it('is missed with a hint', async () => {
    await expect(loadKmsConfig(join(folder, 'none.toml'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})

describe('a key file', () => {
  it.each<[string, string, number, RegExp]>([
    ['readable by others', 'ab'.repeat(32), 0o644, /readable by others/],
    ['without a key', 'hello', 0o600, /no key/],
    ['with a short key', 'ab'.repeat(31), 0o600, /no key/],
    ['empty', '', 0o600, /no key/],
    ['too large', 'ab'.repeat(600), 0o600, /more than 1024 bytes/],
  ])('is refused when %s, by its own name and setting, and never quoted', async (...row) => {
    const [, text, mode, message] = row
    const file = join(folder, 'key')
    await writeFile(file, text, { mode })
    const refusal: unknown = await readKeyFile(file, SIGNING_KEY).catch((error: unknown) => error)
    expect(refusal).toMatchObject({
      code: 'CONFIG_INVALID',
      shortMessage: expect.stringMatching(/^The file of the signing key cannot be used/),
      details: { path: 'operator.signing_key_file' },
    })
    expect(refusal).toHaveProperty('shortMessage', expect.stringMatching(message))
    if (text !== '') expect(JSON.stringify(refusal)).not.toContain(text)
  })
})

describe('kms status', () => {
  async function answering(body: string, status = 200): Promise<string> {
    const server = createServer((_request, response) => response.writeHead(status).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => server.close(() => resolve())))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const waiting = {
    status: 'waiting',
    reasons: ['no key version is active yet'],
    operator: `0x${'01'.repeat(20)}`,
    chainId: 1,
    keyVersion: null,
    epoch: null,
    threshold: null,
    participants: null,
    outputHash: null,
    shareHeld: false,
    dealers: [],
    finality: null,
    protocol: null,
    uptimeSeconds: 1,
  }

  it('fails with the reasons when the operator waits', async () => {
    const url = await answering(JSON.stringify(waiting), 503)
    await expect(showStatus({ url, json: true })).rejects.toMatchObject({
      code: 'KEY_NOT_READY',
      shortMessage: 'The operator cannot serve keys: no key version is active yet.',
    })
  })

  it.each(['{}', 'hello', '[]', '{"status":"ready"}'])('does not believe %s', async (body) => {
    const url = await answering(body)
    await expect(showStatus({ url, json: false })).rejects.toMatchObject({
      code: expect.stringMatching(/AGENT_PROTOCOL|AGENT_UNREACHABLE/),
    })
  })

  it('tells epoch, who dealt, who is late and what is due', async () => {
    const operator = (byte: string) => `0x${byte.repeat(20)}`
    const protocol = {
      phase: 'certifying',
      nextEpoch: 8,
      openSeconds: 45,
      stalled: true,
      nextEpochAt: 1_800_000_600,
      nextActivation: null,
      dealt: [operator('01'), operator('02')],
      dealingsNeeded: 2,
      signatures: 1,
      signaturesNeeded: 2,
      late: [operator('03')],
      leaving: [operator('04')],
    }
    const key = { keyVersion: 1_800_000_000, epoch: 7, threshold: 2, participants: 3 }
    const ready = { ...waiting, ...key, status: 'ready', reasons: [], shareHeld: true }
    const report = { ...ready, dealers: [operator('01')], protocol }
    const text = await showStatus({ url: await answering(JSON.stringify(report)), json: false })
    expect(text).toContain(`dealt by  ${operator('01')}`)
    expect(text).toContain('version 1800000000, active since 2027-01-15T08:00:00.000Z (epoch 7,')
    expect(text).toContain('epoch 8 certifying, open for 45 s, STALLED')
    expect(text).toContain('2 dealings of at least 2, 1 signatures of 2')
    expect(text).toContain(`late      ${operator('03')}`)
    expect(text).toContain(`leaving   ${operator('04')}`)
    expect(text).toContain('epoch due from 2027-01-15T08:10:00.000Z')
    const next = { ...report, protocol: { ...protocol, nextActivation: 1_800_000_300 } }
    expect(await showStatus({ url: await answering(JSON.stringify(next)), json: false })).toContain(
      'active from 2027-01-15T08:05:00.000Z',
    )
    for (const lie of [
      { late: ['\u001b[2J'] },
      { leaving: ['\u001b[2J'] },
      { phase: '\u001b[2J' },
      { openSeconds: 'x' },
    ])
      await expect(
        showStatus({
          url: await answering(JSON.stringify({ ...report, protocol: { ...protocol, ...lie } })),
          json: false,
        }),
      ).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
  })

  it.each([
    { operator: '0x01' },
    { operator: `0x${'01'.repeat(20)}\n` },
    { reasons: ['\u001b[2J'] },
    { reasons: ['x'.repeat(501)] },
    { expiring: [{ kind: 'crl', name: 'a\u009bb', expiresAt: 1 }] },
  ])('prints nothing that a terminal obeys: %j', async (lie) => {
    const url = await answering(JSON.stringify({ ...waiting, ...lie }))
    await expect(showStatus({ url, json: false })).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
  })

  it('reads no more than 256 KiB', async () => {
    const [largest, larger] = [0, 1].map((more) =>
      JSON.stringify(waiting).padEnd(262_144 + more, ' '),
    )
    await expect(
      showStatus({ url: await answering(largest ?? '', 503), json: true }),
    ).rejects.toMatchObject({ code: 'KEY_NOT_READY' })
    await expect(
      showStatus({ url: await answering(larger ?? '', 503), json: true }),
    ).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' })
  })

  it('says that nobody answers', async () => {
    await expect(showStatus({ url: 'http://127.0.0.1:1', json: false })).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
    })
  })

  it('needs to know whom to ask', async () => {
    await expect(showStatus({ json: false })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('the command line', () => {
  it('has subcommands, each with help that says what it does', () => {
    const program = new Command('eigenx-tee')
    registerKmsCommands(program)
    const kms = program.commands.find((command) => command.name() === 'kms')
    expect(kms?.commands.map((command) => command.name())).toEqual([
      'serve',
      'status',
      'init',
      'register',
      'deregister',
      'join',
      'leave',
      'backup',
      'restore',
      'import',
      'collateral',
      'config',
    ])
    for (const command of kms?.commands ?? []) expect(command.description()).not.toBe('')
  })
})
