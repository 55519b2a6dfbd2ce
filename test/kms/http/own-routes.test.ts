import { describe, expect, it } from 'vitest'
import type { PeerHandler, PushResult } from '../../../kms/epoch/ports.ts'
import { openApi } from '../../../kms/http/openapi.ts'
import { toBase64 } from '../../../sdk/bytes.ts'
import type { Hash32 } from '../../../sdk/chain/types.ts'
import { parseCertifiedBody } from '../../../sdk/protocol/output.ts'
import { KEY_VERSION, keyServiceOf, TEST_TIME } from '../kit.ts'
import { makeWorld, post, WIDE_LIMITS } from '../world.ts'

const HASH: Hash32 = `0x${'b1'.repeat(32)}`
const BODY = new Uint8Array([1, 2, 3])

function makePeers(result: PushResult = 'accepted') {
  const received: Uint8Array[] = []
  const handler: PeerHandler = {
    receive: async (message) => {
      received.push(message)
      return result
    },
    blob: async (hash) => (hash === HASH ? BODY : undefined),
    encryptionKey: async () => BODY,
  }
  return { handler, received }
}

const bytesOf = async (answer: Response) => new Uint8Array(await answer.arrayBuffer())

describe('GET /health', () => {
  it('is 200 with the key in force when the operator can serve', async () => {
    const world = await makeWorld({ anchors: new Map() })
    const answer = await world.app.request('/health')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({
      status: 'ready',
      reasons: [],
      operator: world.operator,
      keyVersion: KEY_VERSION,
      epoch: 1,
      threshold: 3,
      participants: 4,
      shareHeld: true,
      uptimeSeconds: 5,
    })
  })

  it('is 503 with the reason before the first key', async () => {
    const world = await makeWorld({ anchors: new Map(), keys: keyServiceOf() })
    const answer = await world.app.request('/health')
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({
      status: 'waiting',
      keyVersion: null,
      shareHeld: false,
    })
  })
})

describe('/v2', () => {
  it('tells the protocol, the operator set and the key', async () => {
    const world = await makeWorld({ anchors: new Map() })
    const info: Record<string, unknown> = await (await world.app.request('/v2/info')).json()
    expect(info).toMatchObject({
      protocol: 'eigenx-tee/v2',
      operator: world.operator,
      chainId: 31337,
      methods: ['eigenx-snp'],
      reportDataVersions: [1, 2],
      key: { version: KEY_VERSION, threshold: 3 },
    })
  })

  it('says so when report data v1 is switched off', async () => {
    const world = await makeWorld({
      anchors: new Map(),
      toml: '[attestation]\naccept_report_data_v1 = false',
    })
    const info: unknown = await (await world.app.request('/v2/info')).json()
    expect(info).toMatchObject({ reportDataVersions: [2] })
  })

  it('serves the certified output as bytes, or as JSON for those who ask', async () => {
    const world = await makeWorld({ anchors: new Map() })
    const binary = await world.app.request('/v2/output')
    expect(binary.headers.get('content-type')).toBe('application/octet-stream')
    expect(binary.headers.get('x-output-hash')).toBe(`0x${'0d'.repeat(32)}`)
    const body = await bytesOf(binary)
    expect(parseCertifiedBody(body).output.mpk).toEqual(world.sharing.masterPublicKey)
    const json = await world.app.request('/v2/output', { headers: { accept: 'application/json' } })
    expect(await json.json()).toEqual({ outputHash: `0x${'0d'.repeat(32)}`, body: toBase64(body) })
  })

  it('has no output before the first key', async () => {
    const world = await makeWorld({ anchors: new Map(), keys: keyServiceOf() })
    const answer = await world.app.request('/v2/output')
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'KEY_NOT_READY' })
  })

  it.each<[string, number, string]>([
    [`/v2/blob/0x${'00'.repeat(32)}`, 404, 'BODY_UNAVAILABLE'],
    ['/v2/blob/0x12', 400, 'REQUEST_INVALID'],
    [`/v2/blob/${HASH.toUpperCase()}`, 400, 'REQUEST_INVALID'],
    ['/v2/blob/..%2f..%2fetc%2fpasswd', 400, 'REQUEST_INVALID'],
  ])('%s is refused as problem JSON', async (path, status, code) => {
    const world = await makeWorld({ anchors: new Map(), peers: makePeers().handler })
    const answer = await world.app.request(path)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toMatchObject({ code })
  })

  it('serves bodies by hash', async () => {
    const world = await makeWorld({ anchors: new Map(), peers: makePeers().handler })
    expect(await bytesOf(await world.app.request(`/v2/blob/${HASH}`))).toEqual(BODY)
    expect(await bytesOf(await world.app.request('/v2/peer/encryption-key'))).toEqual(BODY)
  })

  it('hands peers’ messages on byte for byte and says what became of them', async () => {
    for (const result of ['accepted', 'later', 'refused'] as const) {
      const { handler, received } = makePeers(result)
      const world = await makeWorld({ anchors: new Map(), peers: handler })
      const message = new Uint8Array([0, 255, 10, 13])
      expect(await (await post(world, '/v2/peer/messages', message)).json()).toEqual({ result })
      expect(received).toEqual([message])
    }
  })

  it('gives an address a tenth of the time for messages that are not taken, and does not count those that are', async () => {
    let now = TEST_TIME * 1000
    let result: PushResult = 'refused'
    let received = 0
    const handler: PeerHandler = {
      ...makePeers().handler,
      receive: async () => {
        received += 1
        const until = performance.now() + 60
        // As long as it takes to find out that a signature of a large curve is none.
        while (performance.now() < until);
        return result
      },
    }
    const world = await makeWorld({ anchors: new Map(), peers: handler, now: () => now })
    const send = async () => (await post(world, '/v2/peer/messages', BODY)).status
    result = 'accepted'
    for (let i = 0; i < 20; i++) expect(await send()).toBe(200)
    result = 'refused'
    const answers: number[] = []
    for (let i = 0; i < 20; i++) answers.push(await send())
    const taken = answers.filter((status) => status === 200).length
    expect(taken).toBeGreaterThan(3)
    expect(taken).toBeLessThan(18)
    expect(answers.slice(taken)).toEqual(Array(20 - taken).fill(429))
    expect(received).toBe(20 + taken)
    now += 10_000
    expect(await send()).toBe(200)
  })

  it('asks peers to come later before the protocol has started', async () => {
    const world = await makeWorld({ anchors: new Map() })
    expect(await (await post(world, '/v2/peer/messages', BODY)).json()).toEqual({ result: 'later' })
    expect((await world.app.request('/v2/peer/encryption-key')).status).toBe(503)
  })

  it('refuses a message above the limit without handing it on', async () => {
    const { handler, received } = makePeers()
    const world = await makeWorld({ anchors: new Map(), peers: handler })
    expect((await post(world, '/v2/peer/messages', new Uint8Array(65_536))).status).toBe(200)
    const answer = await post(world, '/v2/peer/messages', new Uint8Array(65_537))
    expect(answer.status).toBe(413)
    expect(received).toHaveLength(1)
  })

  it('limits peers apart from pods', async () => {
    const world = await makeWorld({
      anchors: new Map(),
      peers: makePeers().handler,
      toml: '[limits]\npeer = { per_second = 1, burst = 1 }',
    })
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await post(world, '/v2/peer/messages', BODY)).status)
    expect(statuses).toContain(429)
    expect((await world.app.request('/health')).status).toBe(200)
  })
})

describe('/openapi.json', () => {
  it('describes exactly the routes that exist', async () => {
    const world = await makeWorld({ anchors: new Map(), toml: WIDE_LIMITS })
    const document: unknown = await (await world.app.request('/openapi.json')).json()
    expect(document).toEqual(openApi)
    const described = Object.keys(openApi.paths).sort()
    const existing = world.app.routes
      .filter((route) => route.path !== '/*')
      .map((route) => route.path.replace(/:(\w+)/g, '{$1}'))
    expect([...new Set(existing)].sort()).toEqual(described)
  })

  it('names the method that each route takes', async () => {
    const world = await makeWorld({ anchors: new Map() })
    for (const [path, item] of Object.entries(openApi.paths)) {
      const wrong = 'get' in item ? 'POST' : 'GET'
      const right = 'get' in item ? 'GET' : 'POST'
      const answer = await world.app.request(path, { method: wrong })
      expect(answer.status, path).toBe(405)
      expect(answer.headers.get('allow'), path).toBe(right)
    }
  })

  it('has no dangling reference', () => {
    const names = [...JSON.stringify(openApi).matchAll(/#\/components\/schemas\/(\w+)/g)]
    for (const [, name = ''] of names) expect(openApi.components.schemas).toHaveProperty(name)
  })
})
