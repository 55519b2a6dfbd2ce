import type { RequestListener } from 'node:http'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAaClient } from '../../helper/aa.ts'
import { encodeEvidence, openLogs, readSignedFields } from '../../helper/evidence.ts'
import { startAttestationAgent } from '../../helper/sim/aa.ts'
import { encodeAzureSnpJson, encodeAzureTdxJson } from '../../helper/sim/azure-evidence.ts'
import type { AzureFields } from '../../helper/sim/azure-vm.ts'
import { SIM_BOOT_LOG, SIM_BOOT_RTMRS } from '../../helper/sim/tdx-event-log.ts'
import type { TdxIssueOptions } from '../../helper/sim/tdx-evidence.ts'
import { azureNonce } from '../../sdk/attest/azure-binding.ts'
import { replayEvents } from '../../sdk/attest/event-log.ts'
import { parseAgentTextLog } from '../../sdk/attest/event-log-aael.ts'
import { trimCcel } from '../../sdk/attest/event-log-ccel.ts'
import { parseWireTdxEvidence, WIRE_TDX_LIMIT } from '../../sdk/attest/wire-tdx.ts'
import { toBase64, toBase64Url, utf8ToBytes } from '../../sdk/bytes.ts'
import { requestBytes } from '../../sdk/client/node-http.ts'
import { snpVm, tdxVm } from '../sdk/attest/azure/kit.ts'
import { issueTdx } from '../sdk/attest/tdx/kit.ts'
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
      const evidence = await collect(`${url}/`, reportData)
      expect(evidence).toMatchObject({ tee: 'snp', report: { length: 1184 } })
      expect(readSignedFields(evidence).reportData).toEqual(reportData)
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
    expect(readSignedFields(await collect(url, HEX_TEXT)).reportData).toEqual(HEX_TEXT)
  })
})

describe('the agent of a TD', () => {
  const tdx = (options: TdxIssueOptions = {}) =>
    startAttestationAgent({
      getEvidence: async (reportData) =>
        (await issueTdx({ ...options, report: { ...options.report, reportData } })).aaJson(),
    }).then((started) => {
      running.push(started)
      return started
    })

  test('attests raw bytes and text alike, in quotes of both versions', async () => {
    for (const version of [4, 5] as const) {
      const { url } = await tdx({ version })
      for (const reportData of [RAW, HEX_TEXT]) {
        const evidence = await collect(url, reportData)
        expect(evidence.tee).toBe('tdx')
        expect(readSignedFields(evidence).reportData).toEqual(reportData)
      }
    }
  })

  test('may pad the quote, as providers with fixed buffers do', async () => {
    const { url } = await tdx({ quote: () => ({ trailing: new Uint8Array(3000) }) })
    expect(readSignedFields(await collect(url)).reportData).toEqual(RAW)
  })

  test('has its event log passed on without the padding of the firmware', async () => {
    const { url } = await tdx({
      logs: { eventLog: SIM_BOOT_LOG },
      report: { rtmrs: SIM_BOOT_RTMRS },
    })
    const { eventLog, collateral } = parseWireTdxEvidence(encodeEvidence(await collect(url)))
    expect(eventLog).toEqual(trimCcel(SIM_BOOT_LOG))
    expect(collateral).toBeUndefined()
  })

  test.each<[string, TdxIssueOptions]>([
    ['leads elsewhere', { logs: { eventLog: SIM_BOOT_LOG } }],
    ['is no log', { logs: { eventLog: Uint8Array.of(1, 2, 3) } }],
    ['has no beginning', { logs: { agentLog: 'image-rs Pull alpine:3' } }],
  ])('has no event log passed on that %s: operators need none', async (_, options) => {
    const { url } = await tdx(options)
    const evidence = await collect(url)
    const wire = parseWireTdxEvidence(encodeEvidence(evidence))
    expect(Object.keys(wire)).toEqual(['quote'])
  })

  test('has no event log passed on that is larger than operators take', async () => {
    const events = Array.from({ length: 3000 }, (_, i) => `a b ${'c'.repeat(100)}${i}`)
    const agentLog = `INIT sha384/${'0'.repeat(96)}\n${events.join('\n')}\n`
    const { events: all } = parseAgentTextLog(agentLog)
    const { url } = await tdx({ logs: { agentLog }, report: { rtmrs: replayEvents(all) } })
    const evidence = await collect(url)
    if (evidence.tee !== 'tdx') throw new Error('no TDX evidence')
    expect(openLogs(evidence).state).toBe('leads')
    const wire = encodeEvidence(evidence)
    expect(wire.length).toBeLessThan(WIRE_TDX_LIMIT)
    expect(Object.keys(parseWireTdxEvidence(wire))).toEqual(['quote'])
  })

  test('is refused where the quote carries other report data', async () => {
    const { quote } = await issueTdx({ report: { reportData: RAW } })
    const { url } = await server(answering(200, JSON.stringify({ quote: toBase64(quote) })))
    await expect(collect(url, HEX_TEXT)).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
    await expect(collect(url, RAW.toReversed())).rejects.toMatchObject({
      code: 'VERSION_UNSUPPORTED',
    })
  })

  test.each<[string, (quote: Uint8Array) => object]>([
    ['cut short', (quote) => ({ quote: toBase64(quote.subarray(0, -1)) })],
    ['of an SGX enclave', (quote) => ({ quote: toBase64(quote.with(4, 0)) })],
    ['of version 3', (quote) => ({ quote: toBase64(quote.with(0, 3)) })],
    ['of 17 KiB', () => ({ quote: toBase64(new Uint8Array(17 * 1024)) })],
    ['that is no text', () => ({ quote: [1, 2, 3] })],
    ['that is null', () => ({ quote: null })],
    ['beside a log that is no base64', (quote) => ({ quote: toBase64(quote), cc_eventlog: '!' })],
    ['beside a report of AMD', (quote) => ({ quote: toBase64(quote), attestation_report: {} })],
    ['beside an HCL report of Azure', (quote) => ({ td_quote: toBase64(quote), hcl_report: 'AA' })],
  ])('is refused with a quote %s', async (_, lie) => {
    const { quote } = await issueTdx({ report: { reportData: HEX_TEXT } })
    const { url } = await server(answering(200, JSON.stringify(lie(quote))))
    await expect(collect(url, HEX_TEXT)).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
  })
})

describe('the agent of an Azure confidential VM', () => {
  // Their keys are slow to make, and an agent's answer is waited for.
  beforeAll(() => Promise.all([snpVm(), tdxVm()]))

  const vtpm = async (
    getEvidence: (nonce: Uint8Array) => Promise<string>,
    knowsEncoding = true,
  ) => {
    const started = await startAttestationAgent({ getEvidence, vtpm: true, knowsEncoding })
    running.push(started)
    return createAaClient({ exchange: requestBytes }, { url: started.url })
  }
  const snp = (fields: Partial<AzureFields>) => async (nonce: Uint8Array) =>
    encodeAzureSnpJson(await (await snpVm()).issue({ nonce, ...fields }))
  const tdx = (fields: Partial<AzureFields>) => async (nonce: Uint8Array) => {
    const { collateral: _, ...evidence } = await (await tdxVm()).machine.issue({ nonce, ...fields })
    return encodeAzureTdxJson(evidence)
  }
  const forms: [string, Parameters<typeof vtpm>[0]][] = ([0, 1, 2] as const).flatMap((version) => [
    [`az-snp-vtpm, version ${version}`, snp({ version })],
    [`az-tdx-vtpm, version ${version}`, tdx({ version })],
  ])

  test.each(forms)(
    'has the nonce in its quote and its answer passed on: %s',
    async (form, make) => {
      for (const knowsEncoding of [true, false]) {
        let answer = ''
        const source = await vtpm(async (nonce) => (answer = await make(nonce)), knowsEncoding)
        const evidence = await source.collect(RAW, 'vtpm')
        expect(form).toContain(evidence.tee)
        expect(readSignedFields(evidence).reportData).toEqual(azureNonce(RAW))
        expect(new TextDecoder().decode(encodeEvidence(evidence))).toBe(answer)
      }
    },
  )

  test('fails on 64 bytes of report data, as a vTPM does', async () => {
    const source = await vtpm(snp({}))
    for (const reportData of [RAW, HEX_TEXT])
      await expect(source.collect(reportData)).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
  })

  test.each<[string, (nonce: Uint8Array) => Promise<string>]>([
    ['another nonce', () => snp({ nonce: azureNonce(HEX_TEXT) })(new Uint8Array())],
    ['the report data itself', () => snp({ nonce: RAW, version: 1 })(new Uint8Array())],
    ['a report of AMD', async (nonce) => evidenceJson(new Uint8Array(64).with(0, nonce[0] ?? 0))],
    ['no quote', async (nonce) => (await snp({})(nonce)).replace('tpm_quote', 'tpm')],
    ['a quote of something else', async () => '{"hcl_report":"","td_quote":"","tpm_quote":{}}'],
    ['both kinds', async (nonce) => (await snp({})(nonce)).replace('{', '{"td_quote":"",')],
    ['more members', async (nonce) => (await tdx({})(nonce)).replace('{', '{"more":1,')],
  ])('is refused with %s', async (_, make) => {
    const source = await vtpm(make)
    await expect(source.collect(RAW, 'vtpm')).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
  })

  test('is not believed where a report was asked for', async () => {
    const json = await snp({ version: 1 })(RAW)
    const { url } = await server(answering(200, json))
    await expect(collect(url, RAW)).rejects.toMatchObject({
      details: { reason: expect.stringContaining('asked for a report') },
    })
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
    ['a list', answering(200, '[]'), 'AGENT_PROTOCOL'],
    ['nothing known', answering(200, '{"report":"AAAA"}'), 'AGENT_PROTOCOL'],
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
