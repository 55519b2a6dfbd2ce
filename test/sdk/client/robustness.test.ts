import { createServer } from 'node:http'
import { fc, test as property } from '@fast-check/vitest'
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'
import { parseUnsealRequest } from '../../../helper/unseal.ts'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { requestBytes } from '../../../sdk/client/node-http.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import {
  type Client,
  createClient,
  type DerivedKey,
  type EigenxError,
  type Transport,
} from '../../../sdk/index.ts'

/** The value, or the code of the refusal; anything else fails the property. */
async function outcome(asking: Promise<unknown>): Promise<unknown> {
  try {
    return await asking
  } catch (error) {
    if (isEigenxError(error)) return error.code
    throw error
  }
}

describe('whatever a helper answers, a client gives a value of its type or an EigenxError', () => {
  const methods: readonly ((client: Client) => Promise<unknown>)[] = [
    (client) => client.getMnemonic(),
    (client) => client.getAddresses(),
    (client) => client.getKey('a'),
    (client) => client.getTlsKey({ domain: 'a' }),
    (client) => client.getStorageKey(),
    (client) => client.getSecret('a'),
    (client) => client.listSecrets(),
    (client) => client.info(),
    (client) => client.version(),
  ]

  property.prop([fc.oneof(fc.json(), fc.string()), fc.constantFrom(200, 400, 500, 503)])(
    'any text with any status',
    async (body, status) => {
      const transport: Transport = async () => ({ status, body })
      for (const method of methods) await outcome(method(createClient({ transport })))
    },
  )

  property.prop([
    fc.record({
      code: fc.oneof(fc.string(), fc.constantFrom('TIMEOUT', 'QUORUM_NOT_REACHED', '__proto__')),
      message: fc.anything(),
      stage: fc.oneof(fc.string(), fc.constant('quorum')),
      details: fc.anything(),
    }),
  ])('any problem', async (problem) => {
    const body = JSON.stringify(problem, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    const transport: Transport = async () => ({ status: 503, body })
    expect(typeof (await outcome(createClient({ transport }).info()))).toBe('string')
  })
})

property.prop([fc.oneof(fc.json().map(utf8ToBytes), fc.uint8Array({ maxLength: 200 }))])(
  'any stdin is a request or refused',
  async (bytes) => {
    await outcome((async () => parseUnsealRequest(bytes))())
  },
)

describe('one HTTP exchange', () => {
  const stops: (() => void)[] = []
  afterEach(() => {
    for (const stop of stops.splice(0)) stop()
  })

  async function echo(): Promise<string> {
    const server = createServer((request, response) => {
      const { method, url, headers } = request
      let body = ''
      request.on('data', (chunk) => {
        body += String(chunk)
      })
      request.on('end', () =>
        response.end(JSON.stringify({ method, url, type: headers['content-type'], body })),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stops.push(() => {
      server.close()
      server.closeAllConnections()
    })
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  }
  const limits = { timeoutMs: 3000, maxBytes: 1000, peer: 'echo' }

  test('carries method, path, query, headers and body', async () => {
    const url = `${await echo()}/a?b=%20c`
    const headers = { 'content-type': 'text/x' }
    const answer = await requestBytes({ method: 'POST', url, headers, body: 'grüße', ...limits })
    expect(JSON.parse(new TextDecoder().decode(answer.body))).toEqual({
      method: 'POST',
      url: '/a?b=%20c',
      type: 'text/x',
      body: 'grüße',
    })
  })

  test('does not begin when the caller has given up already', async () => {
    const url = await echo()
    const signal = AbortSignal.abort()
    await expect(requestBytes({ method: 'GET', url, signal, ...limits })).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
    })
  })

  test('accepts exactly as many bytes as allowed, and not one more', async () => {
    const url = await echo()
    const size = (await requestBytes({ method: 'GET', url, ...limits })).body.length
    const ask = (maxBytes: number) => requestBytes({ method: 'GET', url, ...limits, maxBytes })
    expect((await ask(size)).body).toHaveLength(size)
    await expect(ask(size - 1)).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' })
  })

  test('names the peer as the caller calls it, never its URL', async () => {
    const url = 'http://user:hunter2@127.0.0.1:1/?key=hunter2'
    const error = await requestBytes({ method: 'GET', url, ...limits }).catch((e: unknown) => e)
    expect(isEigenxError(error) ? JSON.stringify(error) : 'answered').not.toContain('hunter2')
  })
})

test('the public types say what they hold', () => {
  expectTypeOf(createClient).returns.toEqualTypeOf<Client>()
  expectTypeOf<Client['getMnemonic']>().returns.resolves.toBeString()
  expectTypeOf<Client['getStorageKey']>().returns.resolves.toEqualTypeOf<Uint8Array>()
  expectTypeOf<DerivedKey['privateKey']>().toEqualTypeOf<Uint8Array>()
  expectTypeOf<EigenxError<'SEALED_VALUE'>['details']>().toEqualTypeOf<{ name: string }>()
  expectTypeOf<Client['env']>().returns.toEqualTypeOf<string | undefined>()
})
