import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { createAaClient } from '../../helper/aa.ts'
import { startAttestationAgent } from '../../helper/sim/aa.ts'
import { toBase64Url, utf8ToBytes } from '../../sdk/bytes.ts'
import { requestBytes } from '../../sdk/client/node-http.ts'
import { evidenceJson, listen } from './kit.ts'

const RAW = Uint8Array.from({ length: 64 }, (_, i) => 255 - i)
const HEX_TEXT = utf8ToBytes('0123456789abcdef'.repeat(4))

const running: { stop: () => Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
})

async function agent(knowsEncoding = true) {
  const started = await startAttestationAgent({ getEvidence: evidenceJson, knowsEncoding })
  running.push(started)
  return started
}

async function server(handler: RequestListener) {
  const started = await listen(handler)
  running.push(started)
  return started
}

function collect(url: string, reportData = RAW, timeoutMs = 5000) {
  return createAaClient({ exchange: requestBytes }, { url, timeoutMs }).collect(reportData)
}

const answering =
  (status: number, body: string): RequestListener =>
  (_, response) => {
    response.writeHead(status).end(body)
  }

describe('the agent of a current image', () => {
  test('attests raw bytes and text alike', async () => {
    const { url } = await agent()
    for (const reportData of [RAW, HEX_TEXT, new Uint8Array(64)]) {
      const { report } = await collect(`${url}/`, reportData)
      expect(report).toHaveLength(1184)
      expect(report.slice(0x50, 0x90)).toEqual(reportData)
    }
  })

  test('is asked in URL-safe base64 without padding for raw bytes, and plainly for text', async () => {
    const urls: string[] = []
    const { url } = await server((request, response) => {
      urls.push(request.url ?? '')
      response.end(evidenceJson(urls.length === 1 ? RAW : HEX_TEXT))
    })
    await collect(url)
    await collect(url, HEX_TEXT)
    expect(urls).toEqual([
      `/aa/evidence?runtime_data=${toBase64Url(RAW)}&encoding=base64`,
      `/aa/evidence?runtime_data=${'0123456789abcdef'.repeat(4)}`,
    ])
  })
})

describe('the agent of an old image', () => {
  test('is found out by what it attests: the base64 text itself', async () => {
    const { url } = await server((request, response) => {
      const text = new URL(request.url ?? '', 'http://x').searchParams.get('runtime_data') ?? ''
      response.end(evidenceJson(utf8ToBytes(text).slice(0, 64)))
    })
    await expect(collect(url)).rejects.toMatchObject({ code: 'VERSION_UNSUPPORTED' })
  })

  test('still attests text', async () => {
    const { url } = await agent(false)
    const { report } = await collect(url, HEX_TEXT)
    expect(report.slice(0x50, 0x90)).toEqual(HEX_TEXT)
  })
})

describe('anything else is refused', () => {
  test.each<[string, RequestListener, string]>([
    [
      'evidence for other report data',
      (_, response) => response.end(evidenceJson(RAW)),
      'AGENT_PROTOCOL',
    ],
    [
      'the sample attester of a machine without TEE',
      answering(200, '{"svn":"1","report_data":"AA"}'),
      'NOT_IN_TEE',
    ],
    ['garbage', answering(200, '\u0000\u0001'), 'AGENT_PROTOCOL'],
    ['an empty body', answering(200, ''), 'AGENT_PROTOCOL'],
    ['evidence of another kind', answering(200, '{"quote":"AAAA"}'), 'AGENT_PROTOCOL'],
    [
      'bytes that are no text',
      (_, response) => response.end(Buffer.from([0xff, 0xfe])),
      'AGENT_PROTOCOL',
    ],
    ['the route switched off', answering(404, 'not found'), 'AGENT_PROTOCOL'],
    ['a failing attester', answering(500, 'internal error'), 'AGENT_PROTOCOL'],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: 'http://evil.example' }).end(),
      'AGENT_PROTOCOL',
    ],
    [
      'more than fits',
      (_, response) => response.end(Buffer.alloc(2 * 1024 * 1024, 0x20)),
      'INPUT_TOO_LARGE',
    ],
    ['silence', () => {}, 'TIMEOUT'],
  ])('%s', async (_, handler, code) => {
    const { url } = await server(handler)
    await expect(collect(url, HEX_TEXT, 1500)).rejects.toMatchObject({ code })
  })

  test('nobody there', async () => {
    const { url, stop } = await server(() => {})
    await stop()
    running.length = 0
    await expect(collect(url)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' })
  })

  test('report data of another length is a mistake of the caller', async () => {
    await expect(collect('http://127.0.0.1:1', new Uint8Array(63))).rejects.toThrow(RangeError)
  })
})
