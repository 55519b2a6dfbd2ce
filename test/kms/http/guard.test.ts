/** What every request passes before its handler. */
import { describe, expect, it, vi } from 'vitest'
import { makeBody } from '../kit.ts'
import { makeWorld, PROBLEM, post, type World } from '../world.ts'
import { expectPlain } from './plain.ts'

/** What the HTTP server tells the app about the TCP peer. */
const connectionFrom = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } })

describe('request ids and limits', () => {
  it('takes a sane id over and replaces any other', async () => {
    const world = await makeWorld()
    const echo = async (id: string) =>
      (await world.app.request('/pubkey', { headers: { 'x-request-id': id } })).headers.get(
        'x-request-id',
      )
    expect(await echo('abc-123_X.9')).toBe('abc-123_X.9')
    for (const bad of ['short', 'a'.repeat(65), 'with space in it', '<script>alert(1)</script>'])
      expect(await echo(bad)).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('answers Go’s 429 with Retry-After above the rate, and a wrong method costs a token', async () => {
    const world = await makeWorld({ toml: '[limits]\nsecrets = { per_second = 1, burst = 2 }' })
    for (let i = 0; i < 3; i++) expect((await world.app.request('/secrets')).status).toBe(405)
    const answer = await post(world, '/secrets', '{}')
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    await expectPlain(answer, 429, 'too many requests')
  })

  it('answers Go’s 503 when all places are taken, and serves again after', async () => {
    let release = () => {}
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    const world = await makeWorld({
      toml: '[limits]\nsecrets = { concurrent = 1 }',
      chain: { demandFresh: () => blocked },
    })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    const first = post(world, '/secrets', body)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await expectPlain(await post(world, '/secrets', body), 503, 'service unavailable')
    release()
    expect((await first).status).toBe(200)
    expect((await post(world, '/secrets', body)).status).toBe(200)
  })

  it('keeps places for others when one caller has as many slow requests as it may', async () => {
    let atWork = 0
    let release = () => {}
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    const world = await makeWorld({
      toml: '[limits]\nsecrets = { concurrent = 5 }\n[listen]\ntrusted_proxies = ["10.0.0.1"]',
      chain: {
        demandFresh: () => {
          atWork++
          return blocked
        },
      },
    })
    const body = JSON.stringify(await makeBody(world.authority, { rsa: world.rsa }))
    const postFrom = (caller: string) =>
      Promise.resolve(
        world.app.request(
          '/secrets',
          { method: 'POST', body, headers: { 'x-forwarded-for': caller } },
          connectionFrom('10.0.0.1'),
        ),
      )
    const held = [1, 2, 3, 4].map(() => postFrom('198.51.100.1'))
    await vi.waitFor(() => expect(atWork).toBe(4))
    await expectPlain(await postFrom('198.51.100.1'), 503, 'service unavailable')
    const other = postFrom('198.51.100.2')
    release()
    expect((await other).status).toBe(200)
    for (const answer of held) expect((await answer).status).toBe(200)
  })

  it('warns once of a proxy that is not listed, and never of one that is', async () => {
    const ask = async (world: World, peer: string) => {
      const headers = { 'x-forwarded-for': '198.51.100.1' }
      await world.app.request('/pubkey', { headers }, connectionFrom(peer))
    }
    const count = (world: World) => world.log().split('"event":"forwarded-not-believed"').length - 1
    const world = await makeWorld({ toml: '[listen]\ntrusted_proxies = ["10.0.0.1"]' })
    await ask(world, '10.0.0.1')
    await world.app.request('/pubkey')
    expect(count(world)).toBe(0)
    for (const peer of ['10.0.0.2', '10.0.0.3']) await ask(world, peer)
    await world.app.request('/health', { headers: { 'x-forwarded-for': '198.51.100.1' } })
    expect(count(world)).toBe(1)
    expect(world.log()).toContain('"peer":"10.0.0.2"')
  })

  it('answers in time even when the chain does not', async () => {
    const world = await makeWorld({
      toml: '[limits]\nrequest_timeout_ms = 100',
      chain: { decideApp: () => new Promise(() => undefined) },
    })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    await expectPlain(await post(world, '/secrets', body), 503, 'service unavailable')
  })

  it('turns a bug into a constant answer', async () => {
    const world = await makeWorld({
      chain: { decideApp: () => Promise.reject(new Error('secret detail http://rpc.example/key')) },
    })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    const answer = await post(world, '/secrets', body, PROBLEM)
    const text = await answer.text()
    expect(answer.status).toBe(500)
    expect(text).not.toMatch(/secret detail|rpc\.example/)
    expect(world.log()).not.toMatch(/secret detail|rpc\.example/)
  })
})
