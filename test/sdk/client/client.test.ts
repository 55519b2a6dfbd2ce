import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createClient } from '../../../sdk/client/client.ts'
import { parseEndpoint, SIMULATOR_ENDPOINT } from '../../../sdk/client/endpoint.ts'
import { parseProblem } from '../../../sdk/client/problem.ts'
import { createHelperTransport } from '../../../sdk/client/transport.ts'
import type { Transport, TransportRequest } from '../../../sdk/client/types.ts'
import { EigenxError, isEigenxError } from '../../../sdk/errors.ts'
import { refusalOf } from '../../kit/errors.ts'

const origin = { appId: '0x1', masterPublicKey: 'ab', threshold: 3, operators: 4, epoch: 0 }
const key = { algorithm: 'ed25519', path: 'a', scope: 'app', privateKey: '11'.repeat(32), origin }

const rsaKey = {
  ...key,
  algorithm: 'rsa-2048',
  privateKey: `30${'11'.repeat(1000)}`,
  publicKey: `30${'22'.repeat(290)}`,
}

const answering =
  (value: unknown, status = 200, seen: TransportRequest[] = []): Transport =>
  async (request) => {
    seen.push(request)
    return { status, body: typeof value === 'string' ? value : JSON.stringify(value) }
  }

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => (isEigenxError(error) ? error.code : `threw ${String(error)}`),
  )

describe('each method', () => {
  test('sends one request and gives typed values', async () => {
    const seen: TransportRequest[] = []
    const mnemonic = Array(24).fill('abandon').join(' ')
    const client = createClient({
      transport: answering({ mnemonic, words: 24, source: 'derived', origin }, 200, seen),
      timeoutMs: 1234,
    })
    expect(await client.getMnemonic({ words: 24, scope: 'app' })).toBe(mnemonic)
    expect(await client.getMnemonicInfo()).toMatchObject({ source: 'derived', origin })
    expect(seen).toEqual([
      { path: '/GetMnemonic', body: '{"words":24,"scope":"app"}', timeoutMs: 1234 },
      { path: '/GetMnemonic', body: '{}', timeoutMs: 1234 },
    ])
  })

  test('gives keys as bytes that can be wiped', async () => {
    const client = createClient({ transport: answering(key) })
    const found = await client.getKey('a', { algorithm: 'ed25519' })
    expect(found.privateKey).toEqual(new Uint8Array(32).fill(0x11))
    found.wipe()
    expect(found.privateKey).toEqual(new Uint8Array(32))
  })

  test('gives RSA keys as DER, and waits for them longer unless told', async () => {
    const seen: TransportRequest[] = []
    const transport = answering(rsaKey, 200, seen)
    const { privateKey, publicKey } = await createClient({ transport }).getKey('a', {
      algorithm: 'rsa-2048',
    })
    expect([privateKey.length, publicKey?.length]).toEqual([1001, 291])
    await createClient({ transport, timeoutMs: 5 }).getKey('a', { algorithm: 'rsa-2048' })
    expect(seen.map(({ timeoutMs }) => timeoutMs)).toEqual([600_000, 5])
  })

  test('gives addresses, TLS keys, storage keys, secrets, info and version', async () => {
    const address = { index: 0, path: 'm', address: '0x0' }
    const via = (value: unknown) => createClient({ transport: answering(value) })
    expect((await via({ evm: [address], solana: [], origin }).getAddresses()).evm).toEqual([
      address,
    ])
    const pem = { privateKey: '-----BEGIN PRIVATE KEY-----\n', publicKey: 'p' }
    expect(
      (
        await via({ kind: 'tls', domain: 'a', version: 0, ...pem, origin }).getTlsKey({
          domain: 'a',
        })
      ).domain,
    ).toBe('a')
    expect(await via({ key: '22'.repeat(32), origin }).getStorageKey('db')).toEqual(
      new Uint8Array(32).fill(0x22),
    )
    expect(await via({ name: 'A', value: '1', sealed: true }).getSecret('A')).toBe('1')
    expect(await via({ names: ['A'] }).listSecrets()).toEqual(['A'])
    expect(await via({ name: 'h', version: '1', api: 1 }).version()).toMatchObject({ api: 1 })
    const info = {
      version: '1',
      origin,
      initdataSha384: '00',
      reportDataVersion: 2,
      quorum: [],
      refusals: [],
      marks: [],
    }
    expect(await via(info).info()).toEqual(info)
  })
})

describe('an answer that is not the one asked for is refused', () => {
  test.each<[string, unknown, (c: ReturnType<typeof createClient>) => Promise<unknown>]>([
    ['not JSON', '<html>', (c) => c.getMnemonic()],
    ['null', null, (c) => c.getMnemonic()],
    ['a list', [], (c) => c.info()],
    ['no mnemonic', { words: 24, source: 'derived', origin }, (c) => c.getMnemonic()],
    [
      'fewer words than stated',
      { mnemonic: 'a b', words: 24, source: 'derived', origin },
      (c) => c.getMnemonic(),
    ],
    ['a short key', { ...key, privateKey: '11' }, (c) => c.getKey('a', { algorithm: 'ed25519' })],
    [
      'a key that is not hex',
      { ...key, privateKey: 'zz'.repeat(32) },
      (c) => c.getKey('a', { algorithm: 'ed25519' }),
    ],
    [
      'a key for another path',
      { ...key, path: 'b' },
      (c) => c.getKey('a', { algorithm: 'ed25519' }),
    ],
    ['a key of another algorithm', key, (c) => c.getKey('a')],
    [
      'a key of another scope',
      { ...key, scope: 'instance:1' },
      (c) => c.getKey('a', { algorithm: 'ed25519' }),
    ],
    [
      'an RSA key of 32 bytes',
      { ...rsaKey, privateKey: '30'.repeat(32) },
      (c) => c.getKey('a', { algorithm: 'rsa-2048' }),
    ],
    [
      'an RSA key that is no DER',
      { ...rsaKey, privateKey: '11'.repeat(1000) },
      (c) => c.getKey('a', { algorithm: 'rsa-2048' }),
    ],
    [
      'an RSA key without its public half',
      { ...rsaKey, publicKey: undefined },
      (c) => c.getKey('a', { algorithm: 'rsa-2048' }),
    ],
    ['an RSA key of another size', rsaKey, (c) => c.getKey('a', { algorithm: 'rsa-4096' })],
    ['another secret', { name: 'B', value: '1', sealed: true }, (c) => c.getSecret('A')],
    ['names instead of a value', { names: [] }, (c) => c.getSecret('A')],
    ['a value instead of names', { name: 'B', value: '1', sealed: true }, (c) => c.listSecrets()],
    [
      'a negative count',
      { evm: [{ index: -1, path: 'm', address: 'a' }], solana: [], origin },
      (c) => c.getAddresses(),
    ],
    [
      'a certificate instead of a key',
      { kind: 'tls', privateKey: '-----BEGIN CERTIFICATE-----', publicKey: 'p', origin },
      (c) => c.getTlsKey({ domain: 'a' }),
    ],
  ])('%s', async (_, value, call) => {
    expect(await codeOf(call(createClient({ transport: answering(value) })))).toBe('AGENT_PROTOCOL')
  })
})

describe('refusals', () => {
  const refusals = [{ operator: '0x1', code: 'RELEASE_MISMATCH', message: 'other image' }]
  const sent = new EigenxError({
    code: 'QUORUM_NOT_REACHED',
    message: '1 of 2',
    stage: 'quorum',
    details: { needed: 2, got: 1, refusals },
    hint: 'look at details',
    requestId: 'r-1',
  })

  test('arrive as the error they were', async () => {
    const client = createClient({ transport: answering(sent.toJSON(), 503) })
    const error = await client.getMnemonic().catch((reason: unknown) => reason)
    expect(isEigenxError(error, 'QUORUM_NOT_REACHED')).toBe(true)
    if (isEigenxError(error, 'QUORUM_NOT_REACHED')) {
      expect(error.details.refusals).toEqual(refusals)
      expect(error).toMatchObject({ stage: 'quorum', hint: 'look at details', requestId: 'r-1' })
    }
  })

  test.each([
    ['no JSON', 'Bad Gateway'],
    [
      'a code of a later version',
      JSON.stringify({ code: 'NEW_CODE', message: 'm', stage: 'key', details: {} }),
    ],
    [
      'details of another form',
      JSON.stringify({ ...sent.toJSON(), details: { needed: '2', got: 1, refusals } }),
    ],
    [
      'refusals of another form',
      JSON.stringify({ ...sent.toJSON(), details: { needed: 2, got: 1, refusals: [1] } }),
    ],
    [
      'a code that is a property of every object',
      JSON.stringify({ code: 'constructor', message: 'm', stage: 'key', details: {} }),
    ],
    ['an unknown stage', JSON.stringify({ ...sent.toJSON(), stage: 'x' })],
    ['null', 'null'],
  ])('with %s become AGENT_PROTOCOL', (_, body) => {
    expect(parseProblem(503, body).code).toBe('AGENT_PROTOCOL')
  })
})

describe('isReachable', () => {
  test('never throws and does not wait for attestation', async () => {
    expect(
      await createClient({
        transport: answering({ name: 'h', version: '1', api: 1 }),
      }).isReachable(),
    ).toBe(true)
    expect(await createClient({ transport: answering('nonsense') }).isReachable()).toBe(false)
    expect(
      await createClient({ transport: () => Promise.reject(new Error('down')) }).isReachable(),
    ).toBe(false)
    expect(await createClient({ endpoint: 'nonsense' }).isReachable()).toBe(false)
    const seen: TransportRequest[] = []
    await createClient({ transport: answering({}, 200, seen), timeoutMs: 60_000 }).isReachable()
    expect(seen[0]?.timeoutMs).toBe(500)
  })
})

describe('env', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('gives the variable, unless nobody unsealed it', () => {
    vi.stubEnv('EIGENX_TEST_OPEN', 'value')
    vi.stubEnv('EIGENX_TEST_SEALED', 'sealed.eyJ9.eyJ9.c2ln')
    const client = createClient({ transport: answering({}) })
    expect(client.env('EIGENX_TEST_OPEN')).toBe('value')
    expect(client.env('EIGENX_TEST_ABSENT')).toBeUndefined()
    expect(refusalOf(() => client.env('EIGENX_TEST_SEALED'))).toEqual({
      code: 'SEALED_VALUE',
      details: { name: 'EIGENX_TEST_SEALED' },
    })
  })
})

describe('the endpoint', () => {
  test.each([
    ['/run/a.sock', { kind: 'socket', path: '/run/a.sock', name: '/run/a.sock' }],
    ['unix:///run/a.sock', { kind: 'socket', path: '/run/a.sock', name: '/run/a.sock' }],
    [
      'http://127.0.0.1:8007/',
      { kind: 'http', url: 'http://127.0.0.1:8007', name: 'http://127.0.0.1:8007' },
    ],
    ['http://127.0.0.2:1', { kind: 'http', url: 'http://127.0.0.2:1', name: 'http://127.0.0.2:1' }],
    ['http://[::1]:1', { kind: 'http', url: 'http://[::1]:1', name: 'http://[::1]:1' }],
    [
      'https://helper.example/x',
      { kind: 'http', url: 'https://helper.example/x', name: 'https://helper.example' },
    ],
  ])('%s is taken', (text, endpoint) => {
    expect(parseEndpoint(text, 'option')).toEqual(endpoint)
  })

  test.each([
    '',
    'eigenx.sock',
    'http://10.0.0.1:8007',
    'http://localhost.evil.example',
    'ftp://127.0.0.1',
    'https://user:pass@helper.example',
    'http://127.0.0.1?x=1',
    `/${'x'.repeat(108)}`,
    '/a\0b',
  ])('%j is refused', (text) => {
    expect(refusalOf(() => parseEndpoint(text, 'option'))).toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('from the environment stays on this machine, because others may set it', () => {
    expect(refusalOf(() => parseEndpoint('https://evil.example', 'environment'))).toMatchObject({
      details: { path: SIMULATOR_ENDPOINT },
    })
    expect(parseEndpoint('http://localhost:1', 'environment').kind).toBe('http')
  })
})

describe('over real sockets', () => {
  let folder: string
  const stops: (() => Promise<void>)[] = []
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eigenx-client-'))
  })
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()))
    await rm(folder, { recursive: true, force: true })
  })

  async function helperAt(path: string | 0, handler: RequestListener): Promise<string> {
    const server = createServer(handler)
    await new Promise<void>((resolve) => {
      if (path === 0) server.listen(0, '127.0.0.1', resolve)
      else server.listen(path, resolve)
    })
    stops.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    )
    const address = server.address()
    return typeof address === 'object' && address !== null
      ? `http://127.0.0.1:${address.port}`
      : String(path)
  }

  const version: RequestListener = (_, response) =>
    response.end('{"name":"helper","version":"1","api":1}')

  test('the simulator wins over the default sockets, an option over both', async () => {
    const named =
      (name: string): RequestListener =>
      (_, response) =>
        response.end(`{"name":"${name}","version":"1","api":1}`)
    const simulator = await helperAt(0, named('simulator'))
    const pod = await helperAt(join(folder, 'pod.sock'), named('pod'))
    const option = await helperAt(join(folder, 'option.sock'), named('option'))
    const defaults = { defaultSockets: [join(folder, 'absent.sock'), pod] }
    const nameVia = async (options: Parameters<typeof createHelperTransport>[0]) =>
      (await createClient({ transport: createHelperTransport(options) }).version()).name
    const environment = (name: string) => (name === SIMULATOR_ENDPOINT ? simulator : undefined)
    expect(await nameVia({ ...defaults, environment: () => undefined })).toBe('pod')
    expect(await nameVia({ ...defaults, environment })).toBe('simulator')
    expect(await nameVia({ ...defaults, environment, endpoint: option })).toBe('option')
  })

  test('a missing helper is told with every place that was tried', async () => {
    const defaultSockets = [join(folder, 'a.sock'), join(folder, 'b.sock')]
    const transport = createHelperTransport({ defaultSockets, environment: () => undefined })
    const error = await createClient({ transport })
      .getMnemonic()
      .catch((reason: unknown) => reason)
    expect(isEigenxError(error, 'AGENT_UNREACHABLE')).toBe(true)
    if (isEigenxError(error, 'AGENT_UNREACHABLE'))
      expect(error.details.endpoint).toBe(defaultSockets.join(', '))
  })

  test('silence, floods, broken text and redirects end in an error', async () => {
    const cases: [RequestListener, string][] = [
      [() => {}, 'TIMEOUT'],
      [(_, response) => response.end(Buffer.alloc(5 * 1024 * 1024, 0x61)), 'INPUT_TOO_LARGE'],
      [(_, response) => response.end(Buffer.from([0xff])), 'AGENT_PROTOCOL'],
      [
        (_, response) => response.writeHead(302, { location: 'http://evil.example' }).end(),
        'AGENT_PROTOCOL',
      ],
      [(request) => request.socket.destroy(), 'AGENT_UNREACHABLE'],
    ]
    for (const [index, [handler, code]] of cases.entries()) {
      const endpoint = await helperAt(join(folder, `${index}.sock`), handler)
      expect(await codeOf(createClient({ endpoint, timeoutMs: 1500 }).version()), code).toBe(code)
    }
  })

  test('fifty requests at once are fifty answers', async () => {
    const endpoint = await helperAt(join(folder, 'many.sock'), version)
    const client = createClient({ endpoint })
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.version()))
    expect(answers).toHaveLength(50)
  })
})
