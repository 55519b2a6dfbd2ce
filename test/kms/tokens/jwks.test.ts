import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  createJwksSource,
  type JwksSource,
  type JwksSourceOptions,
} from '../../../kms/tokens/jwks.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { type KeyServer, serveText, startKeyServer } from '../../kit/key-server.ts'
import { type IssuerKey, makeIssuerKey, makeJwks } from '../../kit/token-issuer.ts'

let first: IssuerKey
let second: IssuerKey
let server: KeyServer
let looks: string[]
let nowMs: number
const open: JwksSource[] = []

beforeAll(() => {
  first = makeIssuerKey('first')
  second = makeIssuerKey('second')
})
beforeEach(async () => {
  server = await startKeyServer()
  looks = []
  nowMs = 1_000_000
})
afterEach(async () => {
  for (const source of open.splice(0)) await source.stop()
  await server.stop()
})

function makeSource(changes: Partial<JwksSourceOptions> = {}): JwksSource {
  const source = createJwksSource({
    method: 'gcp',
    location: { url: server.url },
    refreshMs: 3_600_000,
    maxAgeMs: 86_400_000,
    timeoutMs: 2000,
    now: () => nowMs,
    onLook: (result) => looks.push(result),
    ...changes,
  })
  open.push(source)
  return source
}

const kids = (source: JwksSource) => source.keys().map(({ kid }) => kid)
const codeOf = (source: JwksSource) => {
  try {
    source.keys()
    return 'keys'
  } catch (error) {
    return isEigenxError(error) ? error.code : 'other'
  }
}

describe('the keys of a token issuer', () => {
  it('are not there before the first good look, and the method says so', async () => {
    const source = makeSource()
    expect(codeOf(source)).toBe('METHOD_NOT_READY')
    expect(source.ageSeconds()).toBeUndefined()
    await source.refresh()
    expect(codeOf(source)).toBe('METHOD_NOT_READY')
    expect(looks).toEqual(['status'])
    server.answer(serveText(makeJwks(first)))
    await source.refresh()
    expect(kids(source)).toEqual(['first'])
  })

  it('follow a rotation, and a withdrawn key is gone at once', async () => {
    const source = makeSource()
    server.answer(serveText(makeJwks(first)))
    await source.refresh()
    server.answer(serveText(makeJwks(first, second)))
    await source.refresh()
    expect(kids(source)).toEqual(['first', 'second'])
    server.answer(serveText(makeJwks(second)))
    await source.refresh()
    expect(kids(source)).toEqual(['second'])
  })

  it.each([
    ['an error', serveText('no', 500), 'status'],
    ['an empty set', serveText('{"keys":[]}'), 'not-a-key-set'],
    ['a page', serveText('<html></html>'), 'not-a-key-set'],
    ['no content', serveText('', 204), 'status'],
    [
      'a set of symmetric keys',
      serveText('{"keys":[{"kty":"oct","k":"AA","kid":"first","alg":"RS256"}]}'),
      'not-a-key-set',
    ],
    ['a key given twice', serveText('{"keys":[],"keys":[]}'), 'not-a-key-set'],
  ])('stay as they were when the issuer answers with %s', async (_name, listener, result) => {
    const source = makeSource()
    server.answer(serveText(makeJwks(first)))
    await source.refresh()
    nowMs += 5000
    server.answer(listener)
    await source.refresh()
    expect(kids(source)).toEqual(['first'])
    expect(looks).toEqual(['loaded', result])
    expect(source.ageSeconds()).toBe(5)
  })

  it('stay as they were when the issuer floods, announced or not', async () => {
    const source = makeSource()
    server.answer(serveText(makeJwks(first)))
    await source.refresh()
    server.answer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000000000' })
      response.write('{')
    })
    await source.refresh()
    let sent = 0
    server.answer((_request, response) => {
      const chunk = Buffer.alloc(65_536, 32)
      const more = () => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += chunk.length
          if (!response.write(chunk)) {
            response.once('drain', more)
            return
          }
        }
      }
      more()
    })
    await source.refresh()
    expect(sent).toBeLessThan(20_000_000)
    expect(kids(source)).toEqual(['first'])
    expect(looks).toEqual(['loaded', 'unreachable', 'unreachable'])
  })

  it('stay as they were when the issuer hangs, before and within its answer', async () => {
    const source = makeSource({ timeoutMs: 200 })
    server.answer(serveText(makeJwks(first)))
    await source.refresh()
    server.answer(() => undefined)
    await source.refresh()
    server.answer((_request, response) => void response.writeHead(200).write('{"keys":'))
    await source.refresh()
    expect(kids(source)).toEqual(['first'])
    expect(looks).toEqual(['loaded', 'timeout', 'timeout'])
  })

  it('never come from where a redirect points', async () => {
    const other = await startKeyServer()
    try {
      other.answer(serveText(makeJwks(second)))
      for (const status of [301, 302, 303, 307, 308])
        for (const location of [other.url, 'file:///etc/passwd', 'http://169.254.169.254/']) {
          server.answer((_request, response) => response.writeHead(status, { location }).end())
          const source = makeSource()
          await source.refresh()
          expect(codeOf(source)).toBe('METHOD_NOT_READY')
        }
      expect(other.count()).toBe(0)
    } finally {
      await other.stop()
    }
  })

  it('are refused once they are too old, and good again after a look', async () => {
    const source = makeSource({ maxAgeMs: 60_000 })
    server.answer(serveText(makeJwks(first)))
    await source.refresh()
    nowMs += 60_000
    expect(codeOf(source)).toBe('keys')
    nowMs += 1
    expect(codeOf(source)).toBe('METHOD_NOT_READY')
    expect(source.ageSeconds()).toBe(60)
    await source.refresh()
    expect(codeOf(source)).toBe('keys')
  })

  it('are looked at early for an unknown key, at most once a minute', async () => {
    const source = makeSource()
    server.answer(serveText(makeJwks(first)))
    await source.refresh()
    for (let i = 0; i < 50; i++) source.missed()
    nowMs += 59_999
    source.missed()
    expect(server.count()).toBe(1)
    nowMs += 1
    for (let i = 0; i < 50; i++) source.missed()
    await source.refresh()
    expect(server.count()).toBe(2)
  })

  it('are looked at once, however many ask meanwhile', async () => {
    const source = makeSource()
    server.answer(serveText(makeJwks(first)))
    await Promise.all(Array.from({ length: 20 }, () => source.refresh()))
    expect(server.count()).toBe(1)
  })

  it('are looked at in the background, again soon after a failure', async () => {
    const source = makeSource({ retryMs: 20 })
    source.start()
    while (server.count() < 3) await new Promise((resolve) => setTimeout(resolve, 10))
    server.answer(serveText(makeJwks(first)))
    while (codeOf(source) !== 'keys') await new Promise((resolve) => setTimeout(resolve, 10))
    await source.stop()
    const count = server.count()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(server.count()).toBe(count)
    await source.refresh()
    expect(server.count()).toBe(count)
  })

  it('cut a look short when the operator stops', async () => {
    server.answer(() => undefined)
    const source = makeSource({ timeoutMs: 60_000 })
    source.start()
    while (server.count() === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await source.stop()
    expect(looks).toEqual([])
  })

  it('come from a file that the operator keeps, and follow it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jwks-'))
    try {
      const file = join(folder, 'keys.json')
      const source = makeSource({ location: { file } })
      await source.refresh()
      expect(looks).toEqual(['unreachable'])
      await writeFile(file, makeJwks(first))
      await source.refresh()
      expect(kids(source)).toEqual(['first'])
      await writeFile(`${file}.new`, makeJwks(second))
      await rename(`${file}.new`, file)
      await source.refresh()
      expect(kids(source)).toEqual(['second'])
      await writeFile(file, ' '.repeat(300_000))
      await source.refresh()
      expect(kids(source)).toEqual(['second'])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
