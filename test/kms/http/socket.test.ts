/** What holds on a real socket before a handler runs. */
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Listener, listen } from '../../../kms/http/server.ts'
import { makeBody } from '../kit.ts'
import { makeWorld, type World, type WorldOptions } from '../world.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const TIGHT = `
[limits]
header_timeout_ms = 200
body_timeout_ms = 400
request_timeout_ms = 2000
header_bytes = 2048
shutdown_ms = 300
`
/** The same with time enough for a busy machine, where time is not what is asked about. */
const PATIENT = TIGHT.replace('= 200', '= 30000')
  .replace('= 400', '= 30000')
  .replace('= 2000', '= 30000')

async function serve(
  options: WorldOptions = {},
): Promise<{ world: World; listener: Listener; port: number }> {
  const world = await makeWorld({ toml: TIGHT, ...options })
  const listener = await listen(world.app, {
    host: '127.0.0.1',
    port: 0,
    limits: world.config.limits,
  })
  cleanups.push(() => listener.close())
  return { world, listener, port: Number(new URL(listener.url).port) }
}

function open(port: number): { socket: Socket; closed: Promise<string> } {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  cleanups.push(() => {
    socket.destroy()
  })
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve(text))) }
}

const healthy = async (listener: Listener) => (await fetch(`${listener.url}/health`)).status

describe('the socket of an operator', () => {
  it('grants over HTTP what the app grants', async () => {
    const { world, listener } = await serve({ toml: PATIENT })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    const answer = await fetch(`${listener.url}/secrets`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    expect(answer.status).toBe(200)
    expect(world.log()).toContain('"caller":"127.0.0.1"')
  })

  it('cuts off a sender that trickles its headers', async () => {
    const { listener, port } = await serve()
    const { socket, closed } = open(port)
    socket.write('POST /secrets HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    const timer = setInterval(() => socket.write('a'), 50)
    const answer = await closed
    clearInterval(timer)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(await healthy(listener)).toBe(200)
  })

  it('cuts off a sender that trickles its body', async () => {
    const { listener, port } = await serve()
    const { socket, closed } = open(port)
    socket.write('POST /secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{')
    const timer = setInterval(() => socket.write(' '), 50)
    await closed
    clearInterval(timer)
    expect(await healthy(listener)).toBe(200)
  })

  it('scenario 24: serves others while slow senders hold their connections', async () => {
    const { world, listener, port } = await serve({
      toml: TIGHT.replace('body_timeout_ms = 400', 'body_timeout_ms = 5000').concat(
        'secrets = { concurrent = 2 }\n',
      ),
    })
    // As many as one address may have, which is not all that there are.
    for (let i = 0; i < 2; i++)
      open(port).socket.write('POST /secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await healthy(listener)).toBe(200)
    const answer = await world.app.request('/secrets', { method: 'POST', body: '{}' })
    expect(answer.status).toBe(400)
  })

  it('refuses headers above the limit', async () => {
    const { listener } = await serve({ toml: PATIENT })
    const answer = await fetch(`${listener.url}/health`, {
      headers: { 'x-large': 'a'.repeat(4096) },
    })
    expect(answer.status).toBe(431)
    expect(await healthy(listener)).toBe(200)
  })

  it('answers an oversize body with Go’s 400 and reads no further', async () => {
    const { listener, port } = await serve({ toml: PATIENT })
    const { socket, closed } = open(port)
    socket.write('POST /secrets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`
    for (let i = 0; i < 40; i++) socket.write(chunk)
    const answer = await closed
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('Failed to parse request: http: request body too large\n')
    expect(await healthy(listener)).toBe(200)
  })

  it.each([
    [
      'two lengths',
      'POST /secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    ],
    [
      'length and chunks',
      'POST /secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a bad request line', 'GET\r\n\r\n'],
  ])('refuses a request with %s', async (_name, text) => {
    const { listener, port } = await serve({ toml: PATIENT })
    const { socket, closed } = open(port)
    socket.write(text)
    expect(await closed).toMatch(/^HTTP\/1\.1 400 /)
    expect(await healthy(listener)).toBe(200)
  })

  it('finishes answers in progress at shutdown and takes no new ones', async () => {
    let release = () => {}
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    const { world, listener } = await serve({
      toml: PATIENT.replace('shutdown_ms = 300', 'shutdown_ms = 30000'),
      chain: { demandFresh: () => blocked },
    })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    const pending = fetch(`${listener.url}/secrets`, { method: 'POST', body: JSON.stringify(body) })
    await new Promise((resolve) => setTimeout(resolve, 100))
    const closing = listener.close()
    await expect(fetch(`${listener.url}/health`)).rejects.toThrow()
    release()
    expect((await pending).status).toBe(200)
    await closing
  })

  it('cuts what does not end within the shutdown time', async () => {
    const { listener, port } = await serve()
    const { socket, closed } = open(port)
    socket.write('GET /hea')
    await new Promise((resolve) => setTimeout(resolve, 30))
    const started = Date.now()
    await listener.close()
    await closed
    expect(Date.now() - started).toBeLessThan(1500)
  })

  it('says that a port is taken, as a configuration error', async () => {
    const { world, port } = await serve()
    await expect(
      listen(world.app, { host: '127.0.0.1', port, limits: world.config.limits }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
