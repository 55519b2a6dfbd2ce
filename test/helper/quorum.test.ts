import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { askQuorum, type QuorumRequest } from '../../helper/quorum.ts'
import { createRequestKey, type RequestKey } from '../../helper/request-key.ts'
import { bytesToHex, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address } from '../../sdk/chain/types.ts'
import { requestBytes } from '../../sdk/client/node-http.ts'
import { partialSign, randomScalar } from '../../sdk/crypto/bls.ts'
import { isEigenxError, type OperatorRefusal } from '../../sdk/errors.ts'
import { marshalGo } from '../../sdk/wire/go-json.ts'
import { encodeSecretsRequest } from '../../sdk/wire/secrets.ts'
import {
  APP_ID,
  type Cluster,
  type Listening,
  listen,
  makeCluster,
  operatorHandler,
} from './kit.ts'

const VERSION = 1_700_000_000
const NO_BYTES = new Uint8Array()

let key: RequestKey
let body: Uint8Array
const running: Listening[] = []

beforeAll(async () => {
  key = await createRequestKey()
  body = utf8ToBytes(
    encodeSecretsRequest({
      appId: APP_ID,
      stackId: '',
      attestationMethod: 'eigenx-snp',
      attestation: utf8ToBytes('{}'),
      rsaPubkeyTmp: key.publicPem,
      attestationTime: VERSION,
      challenge: NO_BYTES,
      publicKey: NO_BYTES,
      extraData: NO_BYTES,
      ccInitData: NO_BYTES,
      reportDataVersion: 1,
    }),
  )
})

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
})

type Setup = Partial<Omit<QuorumRequest, 'operators'>> & { handlers: readonly RequestListener[] }

/** Real servers, one for each handler, in the order of the cluster's addresses. */
async function ask(cluster: Cluster, { handlers, ...rest }: Setup) {
  const servers = await Promise.all(handlers.map(listen))
  running.push(...servers)
  const operators = servers.map(({ url }, i) => ({ address: addressOf(cluster, i), url }))
  return await askQuorum(
    { exchange: requestBytes, unwrap: key.unwrap },
    {
      appId: APP_ID,
      masterPublicKey: cluster.masterPublicKey,
      operators,
      threshold: cluster.threshold,
      tables: [cluster.table(VERSION)],
      body,
      timeoutMs: 5000,
      ...rest,
    },
  )
}

async function refusalsOf(asking: Promise<unknown>): Promise<readonly OperatorRefusal[]> {
  const error = await asking.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isEigenxError(error, 'QUORUM_NOT_REACHED')) throw error
  return error.details.refusals
}

function addressOf(cluster: Cluster, index: number): Address {
  const address = cluster.addresses[index]
  if (address === undefined) throw new Error(`no operator ${index}`)
  return address
}

function honest(cluster: Cluster, index: number, answer = {}): RequestListener {
  return operatorHandler(cluster, addressOf(cluster, index), { version: VERSION, ...answer })
}

const hang: RequestListener = () => {}
const problem =
  (status: number, code: string, message: string): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ type: 'about:blank', title: 't', status, code, message }))
  }
const text =
  (status: number, line: string): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`${line}\n`)
  }

describe('a round with honest operators', () => {
  test('gives the app key and stops at the threshold, without waiting for the slow', async () => {
    const cluster = makeCluster(4)
    const handlers = [0, 1, 2].map((i) =>
      honest(cluster, i, { marks: ['self-asserted', 'x\u001b[31m', 'a'.repeat(99)] }),
    )
    const started = performance.now()
    const answer = await ask(cluster, { handlers: [...handlers, hang], timeoutMs: 60_000 })
    expect(bytesToHex(answer.appKey)).toBe(bytesToHex(cluster.appKey))
    expect(answer.used).toHaveLength(3)
    expect(answer.table?.version).toBe(VERSION)
    expect(answer.marks).toEqual(['self-asserted'])
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('needs no answer field that Go operators do not send', async () => {
    const cluster = makeCluster(3)
    const handlers = [0, 1, 2].map((i) => honest(cluster, i, { version: undefined }))
    const answer = await ask(cluster, { handlers })
    expect(bytesToHex(answer.appKey)).toBe(bytesToHex(cluster.appKey))
  })

  test('works against operators that publish no public shares', async () => {
    const cluster = makeCluster(4)
    const handlers = [0, 1, 2, 3].map((i) => honest(cluster, i, { version: undefined }))
    const answer = await ask(cluster, { handlers, tables: [] })
    expect(bytesToHex(answer.appKey)).toBe(bytesToHex(cluster.appKey))
    expect(answer.table).toBeUndefined()
  })

  test('tells each operator to explain itself and follows the caller who gives up', async () => {
    const cluster = makeCluster(3)
    const accepts: (string | undefined)[] = []
    const giveUp = new AbortController()
    const handler: RequestListener = (request) => {
      accepts.push(request.headers.accept)
      if (accepts.length === 3) giveUp.abort()
    }
    const refusals = await refusalsOf(
      ask(cluster, { handlers: [handler, handler, handler], signal: giveUp.signal }),
    )
    expect(refusals.map(({ code }) => code)).toEqual(Array(3).fill('OPERATOR_UNREACHABLE'))
    expect(accepts.every((accept) => accept?.includes('application/problem+json'))).toBe(true)
  })
})

describe('lying operators are named and cost the others nothing', () => {
  const stranger = () => partialSign(randomScalar(), APP_ID)

  test.each<[string, (cluster: Cluster) => RequestListener, string]>([
    [
      'a partial key of another share',
      (c) => honest(c, 0, { partial: stranger() }),
      'OPERATOR_PROTOCOL',
    ],
    [
      "another operator's partial key",
      (c) => honest(c, 0, { partial: partialSign(c.shareOf(addressOf(c, 1)), APP_ID) }),
      'OPERATOR_PROTOCOL',
    ],
    [
      '48 bytes that are no point',
      (c) => honest(c, 0, { partial: new Uint8Array(48).fill(0xff) }),
      'OPERATOR_PROTOCOL',
    ],
    [
      'the point at infinity',
      (c) => honest(c, 0, { partial: Uint8Array.of(0xc0, ...new Uint8Array(47)) }),
      'OPERATOR_PROTOCOL',
    ],
    [
      'a version that nobody certified',
      (c) => honest(c, 0, { version: 1 }),
      'KEY_VERSION_NOT_FOUND',
    ],
    [
      'the name of another operator',
      (c) => honest(c, 0, { operator: addressOf(c, 1) }),
      'OPERATOR_PROTOCOL',
    ],
    [
      'a ciphertext for another key',
      () => text(200, '{"encrypted_env":"","public_env":"","encrypted_partial_sig":"AAAA"}'),
      'OPERATOR_PROTOCOL',
    ],
    ['200 with a web page', () => text(200, '<html>'), 'OPERATOR_PROTOCOL'],
    ['200 with nothing', () => text(200, ''), 'OPERATOR_PROTOCOL'],
    [
      'a redirect',
      () => (_, response) => {
        response.writeHead(307, { location: 'http://127.0.0.1:1/secrets' }).end()
      },
      'OPERATOR_PROTOCOL',
    ],
    [
      'an answer without end',
      () => (_, response) => {
        response.writeHead(200)
        const more = setInterval(() => response.write('x'.repeat(65_536)), 1)
        response.on('close', () => clearInterval(more))
      },
      'INPUT_TOO_LARGE',
    ],
    [
      'half an answer',
      () => (_, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('{"encry')
        setTimeout(() => response.destroy(), 20)
      },
      'OPERATOR_UNREACHABLE',
    ],
    ['silence', () => hang, 'TIMEOUT'],
  ])('%s', async (_, liar, code) => {
    const cluster = makeCluster(3)
    const handlers = [liar(cluster), honest(cluster, 1), honest(cluster, 2)]
    const alone = await refusalsOf(
      ask(cluster, {
        handlers: [
          liar(cluster),
          problem(403, 'RELEASE_MISMATCH', 'no'),
          problem(403, 'RELEASE_MISMATCH', 'no'),
        ],
        timeoutMs: 700,
      }),
    )
    expect(alone.find(({ operator }) => operator === addressOf(cluster, 0))?.code).toBe(code)
    const answer = await ask(cluster, { handlers })
    expect(bytesToHex(answer.appKey)).toBe(bytesToHex(cluster.appKey))
    expect(answer.used).not.toContain(addressOf(cluster, 0))
  })

  test('with n = 10, all n - t liars together change nothing', async () => {
    const cluster = makeCluster(10)
    const handlers = cluster.addresses.map((_, i) =>
      honest(cluster, i, i < 3 ? { partial: stranger() } : {}),
    )
    const answer = await ask(cluster, { handlers })
    expect(bytesToHex(answer.appKey)).toBe(bytesToHex(cluster.appKey))
  })

  test('without public shares one liar among t + 1 is outvoted by the master public key', async () => {
    const cluster = makeCluster(4)
    for (const liar of [0, 1, 2, 3]) {
      const handlers = cluster.addresses.map((_, i) =>
        honest(cluster, i, { version: undefined, ...(i === liar ? { partial: stranger() } : {}) }),
      )
      const answer = await ask(cluster, { handlers, tables: [] })
      expect(bytesToHex(answer.appKey)).toBe(bytesToHex(cluster.appKey))
    }
  })

  test('without public shares and with too many liars the key is refused, never wrong', async () => {
    const cluster = makeCluster(3)
    const handlers = cluster.addresses.map((_, i) =>
      honest(cluster, i, { version: undefined, ...(i < 2 ? { partial: stranger() } : {}) }),
    )
    await expect(ask(cluster, { handlers, tables: [] })).rejects.toMatchObject({
      code: 'KEY_MISMATCH',
    })
  })

  test('a public share of another set makes no key of the pinned one', async () => {
    const cluster = makeCluster(3)
    const other = makeCluster(3)
    const handlers = [0, 1, 2].map((i) => honest(other, i))
    await expect(ask(cluster, { handlers, tables: [other.table(VERSION)] })).rejects.toMatchObject({
      code: 'KEY_MISMATCH',
    })
  })
})

describe('what operators say about the release', () => {
  test('is believed when t of them say the same', async () => {
    const cluster = makeCluster(4)
    const env = { encryptedEnv: 'aa', publicEnv: '{"A":"1"}' }
    const handlers = [0, 1, 2, 3].map((i) =>
      honest(cluster, i, i === 0 ? { ...env, encryptedEnv: 'evil' } : env),
    )
    const answer = await ask(cluster, { handlers })
    expect(answer.encryptedEnv).toBe('aa')
    expect(answer.publicEnv).toBe('{"A":"1"}')
    expect(answer.used).not.toContain(addressOf(cluster, 0))
  })

  test('is refused when good partial keys come with different environments', async () => {
    const cluster = makeCluster(4)
    const handlers = [0, 1, 2, 3].map((i) =>
      honest(cluster, i, { publicEnv: i < 2 ? '{"A":"1"}' : '{"A":"2"}' }),
    )
    await expect(ask(cluster, { handlers })).rejects.toMatchObject({ code: 'OPERATORS_DISAGREE' })
  })
})

test('an environment as large as operators serve it gets through', async () => {
  const cluster = makeCluster(3)
  const encryptedEnv = 'ab'.repeat(256 * 1024)
  // As many bytes on chain. One '<' is six characters in Go's JSON and seven in the answer, one '"' two and four.
  for (const text of ['<'.repeat(128 * 1024 - 8), '"'.repeat(64 * 1024 - 4)]) {
    const publicEnv = marshalGo(new Map([['K', text]]))
    const handlers = [0, 1, 2].map((i) => honest(cluster, i, { encryptedEnv, publicEnv }))
    const answer = await ask(cluster, { handlers })
    expect(answer.publicEnv === publicEnv && answer.encryptedEnv === encryptedEnv).toBe(true)
  }
})

describe('key versions', () => {
  test('partials of two versions are never mixed', async () => {
    const old = makeCluster(4)
    const table = old.table(VERSION - 100)
    // A reshare: new shares of the same secret cannot be made here, so the old table carries the same shares.
    const handlers = [0, 1, 2, 3].map((i) =>
      honest(old, i, { version: i < 2 ? VERSION : VERSION - 100 }),
    )
    const refused = await ask(old, { handlers, tables: [table, old.table(VERSION)] }).catch(
      (error: unknown) => error,
    )
    expect(isEigenxError(refused, 'QUORUM_NOT_REACHED')).toBe(true)
    if (isEigenxError(refused, 'QUORUM_NOT_REACHED'))
      expect(refused.details).toMatchObject({ needed: 3, got: 2 })
  })

  test('the version that reaches its threshold wins', async () => {
    const cluster = makeCluster(4)
    const handlers = [0, 1, 2, 3].map((i) =>
      honest(cluster, i, { version: i === 0 ? VERSION - 100 : VERSION }),
    )
    const answer = await ask(cluster, {
      handlers,
      tables: [cluster.table(VERSION - 100, 1), cluster.table(VERSION, 2)],
    })
    expect(answer.table?.epoch).toBe(2)
  })
})

describe('every refusal is kept and explained', () => {
  test.each([
    [problem(403, 'RELEASE_MISMATCH', 'image differs'), 'RELEASE_MISMATCH', 'image differs'],
    // As long as with a record of many checks.
    [problem(401, 'TCB_TOO_OLD', 'x'.repeat(100_000)), 'TCB_TOO_OLD', 'x'.repeat(300)],
    [
      text(403, 'Image digest mismatch - unauthorized image'),
      'RELEASE_MISMATCH',
      'Image digest mismatch - unauthorized image',
    ],
    [
      text(401, "Invalid attestation: verification failed with method 'x'"),
      'EVIDENCE_INVALID',
      "Invalid attestation: verification failed with method 'x'",
    ],
    [text(404, 'Release not found'), 'RELEASE_NOT_FOUND', 'Release not found'],
    [
      text(404, 'No key version found for the specified attestation time'),
      'KEY_VERSION_NOT_FOUND',
      undefined,
    ],
    [text(503, 'No valid key share'), 'KEY_SHARE_MISSING', undefined],
    [text(429, 'too many requests'), 'RATE_LIMITED', undefined],
    [text(503, 'service unavailable'), 'OVERLOADED', undefined],
    [text(418, ''), 'REQUEST_INVALID', 'answered with status 418'],
    [problem(500, 'not a code', 'x'), 'INTERNAL', undefined],
    [text(403, '\u001b[31mred'), 'EVIDENCE_NOT_ALLOWED', '[31mred'],
  ])('%#', async (handler, code, message) => {
    const cluster = makeCluster(3)
    const refusals = await refusalsOf(ask(cluster, { handlers: [handler, handler, handler] }))
    expect(refusals).toHaveLength(3)
    expect(refusals[0]?.code).toBe(code)
    if (message !== undefined) expect(refusals[0]?.message).toBe(message)
  })

  test('an address where nobody listens', async () => {
    const cluster = makeCluster(3)
    const placeholder = createServer()
    const port = await new Promise<number>((resolve) => {
      placeholder.listen(0, '127.0.0.1', () => {
        const address = placeholder.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    await new Promise((resolve) => placeholder.close(resolve))
    const refusals = await refusalsOf(
      askQuorum(
        { exchange: requestBytes, unwrap: key.unwrap },
        {
          appId: APP_ID,
          masterPublicKey: cluster.masterPublicKey,
          operators: cluster.addresses.map((address) => ({
            address,
            url: `http://127.0.0.1:${port}`,
          })),
          threshold: 2,
          tables: [],
          body,
          timeoutMs: 2000,
        },
      ),
    )
    expect(refusals.map(({ code }) => code)).toEqual(Array(3).fill('OPERATOR_UNREACHABLE'))
    expect(JSON.stringify(refusals)).not.toContain('127.0.0.1')
  })
})
