import { describe, expect, test } from 'vitest'
import { createHelperApp, type HelperAppDeps } from '../../helper/app.ts'
import type { AppIdentity } from '../../helper/identity.ts'
import { createIdentityHolder, type HolderState } from '../../helper/identity-holder.ts'
import { answers } from '../../helper/schemas.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { APP_ID, makeCluster } from './kit.ts'

const cluster = makeCluster(3)
const SECRET = 'hunter2'
const RSA_PAIR = { privateKey: Uint8Array.of(0x30, 0, 1), publicKey: Uint8Array.of(0x30, 2) }

function makeIdentity(): AppIdentity {
  return {
    appId: APP_ID,
    appKey: cluster.appKey.slice(),
    masterPublicKey: cluster.masterPublicKey,
    environment: new Map([['DB', { value: SECRET, sealed: true }]]),
    threshold: 2,
    operators: 3,
    epoch: undefined,
    keyVersion: undefined,
    used: cluster.addresses.slice(0, 2),
    refusals: [{ operator: '0x3', code: 'TIMEOUT', message: 'did not answer' }],
    marks: [],
    reportDataVersion: 1,
    initdataSha384: new Uint8Array(48),
  }
}

function makeApp(deps: Partial<HelperAppDeps> = {}) {
  const identity = makeIdentity()
  const logged: string[] = []
  const app = createHelperApp({
    identity: {
      get: async () => identity,
      state: () => ({ status: 'ready', attempts: 1 }),
      stop: () => {},
    },
    rsa: { make: async () => RSA_PAIR },
    version: '1.2.3',
    carrier: 'socket',
    log: (event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
    ...deps,
  })
  return { app, logged }
}

const post = (body: string) => ({ method: 'POST', body })

async function refusal(
  response: Response,
): Promise<{ status: number; code: unknown; path: unknown }> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const problem = await response.json()
  expect(problem).toMatchObject({ status: response.status, title: problem.message })
  expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/)
  return { status: response.status, code: problem.code, path: problem.details.path }
}

describe('requests', () => {
  test('are the same as JSON and as a query', async () => {
    const { app } = makeApp()
    const byBody = await app.request('/GetAddresses', post('{"count":3}'))
    const byQuery = await app.request('/GetAddresses?count=3')
    expect(byBody.status).toBe(200)
    expect(await byBody.json()).toEqual(await byQuery.json())
    expect(byQuery.headers.get('cache-control')).toBe('no-store')
  })

  test('without a body ask for the defaults', async () => {
    const { app } = makeApp()
    const answer = await (await app.request('/GetMnemonic', { method: 'POST' })).json()
    expect(answers.GetMnemonic.parse(answer).words).toBe(24)
    expect((await (await app.request('/GetMnemonic?words=12')).json()).words).toBe(12)
  })

  test('every endpoint answers in its stated form', async () => {
    const { app } = makeApp()
    const paths = {
      GetMnemonic: '',
      GetAddresses: '?count=2&start=1',
      GetKey: '?path=wallet/hot&algorithm=ed25519&scope=instance:7',
      GetTlsKey: '?domain=a.example&version=3',
      GetStorageKey: '?name=db',
      GetSecret: '?name=DB',
      Info: '',
      Version: '',
    } as const
    for (const [name, query] of Object.entries(paths)) {
      const response = await app.request(`/${name}${query}`)
      expect(response.status, name).toBe(200)
      const schema = answers[name as keyof typeof paths]
      expect(schema.safeParse(await response.json()).success, name).toBe(true)
    }
  })

  test('for an RSA key are answered in DER, and told when too many are being made', async () => {
    const seeds: Uint8Array[] = []
    const made = makeApp({
      rsa: {
        make: async ({ seed, bits }) => {
          expect(bits).toBe(3072)
          seeds.push(seed)
          return RSA_PAIR
        },
      },
    })
    for (const path of ['a', 'b', 'a']) {
      const answer = await made.app.request(`/GetKey?path=${path}&algorithm=rsa-3072`)
      expect(answers.GetKey.parse(await answer.json())).toMatchObject({
        algorithm: 'rsa-3072',
        path,
        privateKey: '300001',
        publicKey: '3002',
      })
    }
    expect(seeds.map((seed) => seed.length)).toEqual([32, 32, 32])
    expect(seeds[0]).toEqual(seeds[2])
    expect(seeds[0]).not.toEqual(seeds[1])
    expect(seeds[0]).not.toEqual(cluster.appKey.slice(0, 32))
    const overloaded = new EigenxError({
      code: 'OVERLOADED',
      message: 'm',
      stage: 'key',
      details: { limit: 16 },
    })
    const full = makeApp({ rsa: { make: () => Promise.reject(overloaded) } })
    const refused = await full.app.request('/GetKey?path=a&algorithm=rsa-2048')
    expect(await refusal(refused)).toMatchObject({ status: 503, code: 'OVERLOADED' })
  })

  test.each([
    ['not JSON', '/GetKey', '{', 400, ''],
    ['a list', '/GetKey', '[]', 400, ''],
    ['a missing field', '/GetKey', '{}', 400, 'path'],
    ['an unknown field', '/GetKey', '{"path":"a","purpose":"b"}', 400, ''],
    ['an unknown algorithm', '/GetKey', '{"path":"a","algorithm":"rsa"}', 400, 'algorithm'],
    ['a scope of no kind', '/GetKey', '{"path":"a","scope":"operator"}', 400, 'scope'],
    ['a scope with blanks', '/GetKey', '{"path":"a","scope":"instance: x"}', 400, 'scope'],
    ['a path with a line break', '/GetKey', '{"path":"a\\nb"}', 400, 'path'],
    ['13 words', '/GetMnemonic', '{"words":13}', 400, 'words'],
    ['too many addresses', '/GetAddresses', '{"count":1000}', 400, 'count'],
    ['half an address', '/GetAddresses', '{"count":1.5}', 400, 'count'],
    ['a domain with a slash', '/GetTlsKey', '{"domain":"a/b"}', 400, 'domain'],
    ['a domain of dots', '/GetTlsKey', '{"domain":".."}', 400, 'domain'],
    ['a query where none fits', '/Info', '{"a":1}', 400, ''],
  ])('with %s are refused and the place is named', async (_, path, body, status, field) => {
    const { app } = makeApp()
    expect(await refusal(await app.request(path, post(body)))).toEqual({
      status,
      code: 'REQUEST_INVALID',
      path: field,
    })
  })

  test('that are too large, doubled, unknown or of another method are refused', async () => {
    const { app } = makeApp()
    const large = await app.request('/GetKey', post(JSON.stringify({ path: 'x'.repeat(20_000) })))
    expect(await refusal(large)).toMatchObject({ status: 413, code: 'INPUT_TOO_LARGE' })
    expect(await refusal(await app.request('/GetKey?path=a&path=b'))).toMatchObject({
      path: 'path',
    })
    expect(await refusal(await app.request('/GetAppKey'))).toMatchObject({ status: 404 })
    const wrongMethod = await app.request('/GetKey', { method: 'DELETE' })
    expect(wrongMethod.headers.get('allow')).toBe('GET, POST')
    expect(await refusal(wrongMethod)).toEqual({
      status: 405,
      code: 'REQUEST_INVALID',
      path: '/GetKey',
    })
  })

  test('for a prototype name find nothing', async () => {
    const { app } = makeApp()
    expect(await refusal(await app.request('/GetSecret?name=__proto__'))).toMatchObject({
      status: 404,
      code: 'SECRET_NOT_FOUND',
    })
    expect(await refusal(await app.request('/constructor'))).toMatchObject({ status: 404 })
  })
})

describe('web pages', () => {
  test('cannot use the loopback port, by origin or by a name that points there', async () => {
    const { app } = makeApp({ carrier: 'loopback' })
    const ask = (headers: Record<string, string>) => app.request('/GetMnemonic', { headers })
    expect((await ask({ host: '127.0.0.1:8007' })).status).toBe(200)
    expect((await ask({ host: 'localhost' })).status).toBe(200)
    for (const headers of [
      { host: 'evil.example' },
      { host: '127.0.0.1.evil.example' },
      { host: 'localhost', origin: 'http://evil.example' },
    ])
      expect(await refusal(await ask(headers))).toMatchObject({ status: 403 })
  })

  test('do not exist on the socket, where any host name will do', async () => {
    const { app } = makeApp()
    expect((await app.request('/Version', { headers: { host: 'eigenx' } })).status).toBe(200)
  })
})

describe('refusals', () => {
  const quorum = new EigenxError({
    code: 'QUORUM_NOT_REACHED',
    message: '1 of 2',
    stage: 'quorum',
    details: {
      needed: 2,
      got: 1,
      refusals: [{ operator: '0x1', code: 'RELEASE_MISMATCH', message: 'm' }],
    },
  })

  test('of the operators reach the app with every reason', async () => {
    const { app } = makeApp({
      identity: {
        get: () => Promise.reject(quorum),
        state: () => ({ status: 'retrying', attempts: 1, code: quorum.code, message: 'm' }),
        stop: () => {},
      },
    })
    const response = await app.request('/GetMnemonic')
    expect(response.status).toBe(503)
    expect((await response.json()).details).toEqual(quorum.details)
    const health = await app.request('/health')
    expect([health.status, (await health.json()).code]).toEqual([503, 'QUORUM_NOT_REACHED'])
    expect((await app.request('/Version')).status).toBe(200)
  })

  test.each([
    ['CONTRACT_UNEXPECTED', { contract: 'AllocationManager', call: 'getMembers' }],
    ['OPERATOR_SET_INVALID', { reason: 'empty' }],
  ] as const)("because of %s are the chain's, not the helper's", async (code, details) => {
    const reason = new EigenxError({ code, message: 'm', stage: 'chain', details })
    const { app } = makeApp({
      identity: {
        get: () => Promise.reject(reason),
        state: () => ({ status: 'retrying', attempts: 1, code, message: 'm' }),
        stop: () => {},
      },
    })
    expect(await refusal(await app.request('/GetMnemonic'))).toMatchObject({ status: 502, code })
  })

  test('by a bug say nothing about it', async () => {
    const { app, logged } = makeApp({
      identity: {
        get: () => Promise.reject(new Error(SECRET)),
        state: () => ({ status: 'starting', attempts: 0 }),
        stop: () => {},
      },
    })
    const text = await (await app.request('/GetMnemonic')).text()
    expect(JSON.parse(text).code).toBe('INTERNAL')
    expect(text + logged.join()).not.toContain(SECRET)
  })

  test('and answers are logged without what they carry', async () => {
    const { app, logged } = makeApp()
    await app.request('/GetSecret?name=DB')
    await app.request(`/GetSecret?name=${SECRET}`)
    expect(logged).toHaveLength(1)
    expect(logged[0]).toContain('SECRET_NOT_FOUND')
    expect(logged[0]).not.toContain(SECRET)
  })
})

test('openapi.json names every endpoint, by body and by query', async () => {
  const { app } = makeApp()
  const document = await (await app.request('/openapi.json')).json()
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toHaveLength(9)
  expect(Object.keys(document.paths['/health'].get.responses)).toEqual(['200', '503'])
  expect(
    document.paths['/GetTlsKey'].post.requestBody.content['application/json'].schema.properties
      .version.anyOf[0].maximum,
  ).toBe(2 ** 24 - 1)
  expect(
    document.paths['/GetKey'].post.requestBody.content['application/json'].schema.required,
  ).toEqual(['path'])
  expect(
    document.paths['/GetKey'].get.parameters.map(({ name }: { name: string }) => name),
  ).toEqual(['path', 'algorithm', 'scope'])
})

describe('the identity', () => {
  test('is obtained once for all who wait', async () => {
    let attempts = 0
    const holder = createIdentityHolder({
      obtain: async () => {
        attempts++
        return makeIdentity()
      },
    })
    const [a, b] = await Promise.all([holder.get(), holder.get()])
    expect(a).toBe(b)
    expect(attempts).toBe(1)
    holder.stop()
    expect(a.appKey.every((byte) => byte === 0)).toBe(true)
  })

  test('is tried for again with growing pauses, and the last reason is told meanwhile', async () => {
    const states: HolderState[] = []
    let attempts = 0
    const holder = createIdentityHolder({
      obtain: async () => {
        if (++attempts < 3) throw new Error('operators are starting')
        return makeIdentity()
      },
      onAttempt: (state) => states.push(state),
      firstPauseMs: 5,
      longestPauseMs: 10,
    })
    await expect(holder.get()).rejects.toThrow()
    await expect.poll(() => holder.state().status).toBe('ready')
    expect((await holder.get()).appId).toBe(APP_ID)
    expect(states.map(({ status }) => status)).toEqual(['retrying', 'retrying', 'ready'])
    holder.stop()
  })

  test('that arrives after the end is wiped', async () => {
    const identity = makeIdentity()
    let deliver: (identity: AppIdentity) => void = () => {}
    const holder = createIdentityHolder({
      obtain: () => new Promise((resolve) => (deliver = resolve)),
    })
    const waiting = holder.get()
    holder.stop()
    deliver(identity)
    await expect(waiting).rejects.toMatchObject({ code: 'KEY_NOT_READY' })
    expect(identity.appKey.every((byte) => byte === 0)).toBe(true)
  })
})
