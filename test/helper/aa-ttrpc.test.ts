/** The Attestation Agent over its socket: a real server on a real socket, honest and otherwise. */
import type { Socket } from 'node:net'
import { hexToBytes } from '@noble/hashes/utils.js'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { AGENT_SOCKET, createTtrpcSource } from '../../helper/aa-ttrpc.ts'
import { readSignedFields } from '../../helper/evidence.ts'
import { encodeAzureSnpJson } from '../../helper/sim/azure-evidence.ts'
import { createEvidenceSource, describeSource } from '../../helper/source.ts'
import {
  encodeBytesMessage,
  encodeTtrpcRequest,
  parseBytesMessage,
  parseTtrpcResponse,
} from '../../helper/ttrpc-messages.ts'
import { bytesToHex, concatBytes, utf8ToBytes } from '../../sdk/bytes.ts'
import {
  encodeField,
  encodeFrame,
  encodeResponse,
  readField,
  startTtrpcAgent,
  type TtrpcAsked,
} from '../kit/ttrpc-agent.ts'
import { snpVm } from '../sdk/attest/azure/kit.ts'
import { issueTdx } from '../sdk/attest/tdx/kit.ts'
import { evidenceJson } from './kit.ts'

const RAW = Uint8Array.from({ length: 64 }, (_, i) => 255 - i)

// Its keys are slow to make, and an agent's answer is waited for.
beforeAll(() => snpVm())

const running: { stop: () => Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
})

async function agent(answer: (asked: TtrpcAsked, socket: Socket) => unknown) {
  const started = await startTtrpcAgent(answer)
  running.push(started)
  return started
}

/** An agent that gives this evidence, as JSON. */
const giving =
  (make: (runtimeData: Uint8Array) => string | Promise<string>) =>
  async ({ payload }: TtrpcAsked, socket: Socket) => {
    const json = await make(readField(payload))
    socket.write(encodeFrame(encodeResponse(encodeField(utf8ToBytes(json)))))
  }

const source = (socketPath: string, timeoutMs = 30_000) =>
  createTtrpcSource({ socketPath, timeoutMs })

describe('the agent at its socket', () => {
  test('attests raw bytes on each processor, and is asked as its contract says', async () => {
    for (const make of [
      evidenceJson,
      async (reportData: Uint8Array) => (await issueTdx({ report: { reportData } })).aaJson(),
    ]) {
      const { socketPath, asked } = await agent(giving(make))
      const evidence = await source(socketPath).collect(RAW)
      expect(readSignedFields(evidence).reportData).toEqual(RAW)
      expect(asked).toEqual([
        {
          streamId: 1,
          service: 'attestation_agent.AttestationAgentService',
          method: 'GetEvidence',
          payload: encodeField(RAW),
          timeoutNano: 30_000_000_000n,
        },
      ])
    }
  })

  test('gives the quote of an Azure vTPM for a digest of the report data', async () => {
    const { socketPath } = await agent(
      giving(async (nonce) => encodeAzureSnpJson(await (await snpVm()).issue({ nonce }))),
    )
    const { tee } = await source(socketPath).collect(RAW, 'vtpm')
    expect(tee).toBe('az-snp-vtpm')
  })

  test('is found where the configuration names it, or where it lies', async () => {
    const { socketPath } = await agent(giving(evidenceJson))
    const named = { source: 'agent', aaUrl: `unix://${socketPath}` } as const
    expect((await createEvidenceSource(named).collect(RAW)).tee).toBe('snp')
    expect(describeSource(named)).toContain(socketPath)
    const unnamed = { source: 'agent', aaUrl: undefined } as const
    expect(describeSource(unnamed, (path) => path === AGENT_SOCKET)).toContain(AGENT_SOCKET)
    expect(describeSource(unnamed, () => false)).toContain('http://127.0.0.1:8006')
  })

  test('may answer byte by byte, and say more than is asked', async () => {
    const { socketPath } = await agent(({ payload }, socket) => {
      const unknown = encodeField(Uint8Array.of(1, 2, 3), 9)
      const evidence = concatBytes(
        unknown,
        encodeField(utf8ToBytes(evidenceJson(readField(payload)))),
      )
      const frame = encodeFrame(concatBytes(encodeResponse(evidence), unknown))
      for (let at = 0; at < 20; at++) socket.write(frame.subarray(at, at + 1))
      socket.write(concatBytes(frame.subarray(20), Uint8Array.of(7, 7, 7)))
    })
    const evidence = await source(socketPath).collect(RAW)
    expect(readSignedFields(evidence).reportData).toEqual(RAW)
  })

  test('tells its TEE, and the devices that it has evidence of besides', async () => {
    const { socketPath, asked } = await agent(({ method }, socket) => {
      const answer = method === 'GetTeeType' ? 'snp' : '{"nvidia":{"device_evidence_list":[]}}'
      socket.write(encodeFrame(encodeResponse(encodeField(utf8ToBytes(answer)))))
    })
    const about = await source(socketPath).inspect?.(RAW)
    expect(about).toEqual({ tee: 'snp', devices: ['nvidia'] })
    expect(asked.map(({ method, payload }) => [method, payload.length])).toEqual([
      ['GetTeeType', 0],
      ['GetAdditionalEvidence', 66],
    ])
  })

  test('may have no devices, or be too old to know the question', async () => {
    for (const other of [encodeResponse(new Uint8Array()), encodeResponse(new Uint8Array(), 12)]) {
      const { socketPath } = await agent(({ method }, socket) => {
        const tee = encodeResponse(encodeField(utf8ToBytes('azsnpvtpm')))
        socket.write(encodeFrame(method === 'GetTeeType' ? tee : other))
      })
      expect(await source(socketPath).inspect?.(RAW)).toEqual({ tee: 'azsnpvtpm', devices: [] })
    }
  })

  test.each(['SNP\u001b[2J', '', 'x'.repeat(33)])('has no TEE called %j', async (tee) => {
    const { socketPath } = await agent((_, socket) =>
      socket.write(encodeFrame(encodeResponse(encodeField(utf8ToBytes(tee))))),
    )
    await expect(source(socketPath).inspect?.(RAW)).rejects.toMatchObject({
      code: 'AGENT_PROTOCOL',
    })
  })
})

describe('anything else is refused', () => {
  const good = () => encodeResponse(encodeField(utf8ToBytes(evidenceJson(RAW))))
  const header = (length: number) => encodeFrame(new Uint8Array()).with(0, length >>> 24)
  const writing = (bytes: () => Uint8Array) => (_: TtrpcAsked, socket: Socket) =>
    void socket.write(bytes())
  const ending = (bytes: () => Uint8Array) => (_: TtrpcAsked, socket: Socket) =>
    void socket.end(bytes())

  test.each<[string, Parameters<typeof startTtrpcAgent>[0], string]>([
    [
      'evidence for other report data',
      giving(() => evidenceJson(RAW.toReversed())),
      'AGENT_PROTOCOL',
    ],
    ['the sample attester', giving(() => '{"svn":"1","report_data":"AA"}'), 'NOT_IN_TEE'],
    ['no evidence', giving(() => ''), 'AGENT_PROTOCOL'],
    ['garbage for evidence', giving(() => '\u0000'), 'AGENT_PROTOCOL'],
    [
      'bytes that are no text',
      writing(() => encodeFrame(encodeResponse(encodeField(Uint8Array.of(0xff, 0xfe))))),
      'AGENT_PROTOCOL',
    ],
    ['an empty response', writing(() => encodeFrame(new Uint8Array())), 'AGENT_PROTOCOL'],
    ['a status', writing(() => encodeFrame(encodeResponse(good(), 13))), 'AGENT_PROTOCOL'],
    [
      'a status out of range',
      writing(() => encodeFrame(encodeResponse(good(), -1))),
      'AGENT_PROTOCOL',
    ],
    [
      'a status that is no message',
      writing(() =>
        encodeFrame(concatBytes(encodeField(Uint8Array.of(0xff)), encodeField(good(), 2))),
      ),
      'AGENT_PROTOCOL',
    ],
    [
      'a payload that is a number',
      writing(() => encodeFrame(Uint8Array.of(0x10, 1))),
      'AGENT_PROTOCOL',
    ],
    ['garbage for a response', writing(() => encodeFrame(RAW)), 'AGENT_PROTOCOL'],
    [
      'a response cut short inside',
      writing(() => encodeFrame(good().subarray(0, -1))),
      'AGENT_PROTOCOL',
    ],
    ['another stream', writing(() => encodeFrame(good(), 3)), 'AGENT_PROTOCOL'],
    ['a request', writing(() => encodeFrame(good(), 1, 1)), 'AGENT_PROTOCOL'],
    ['stream data', writing(() => encodeFrame(good(), 1, 3)), 'AGENT_PROTOCOL'],
    ['what is no frame', writing(() => utf8ToBytes('\0\0\0HTTP/1.1 200 OK\r\n')), 'AGENT_PROTOCOL'],
    ['a frame of 4 GiB', writing(() => header(0xff000000)), 'INPUT_TOO_LARGE'],
    ['half a header', ending(() => encodeFrame(good()).subarray(0, 5)), 'AGENT_PROTOCOL'],
    ['half a frame', ending(() => encodeFrame(good()).subarray(0, 500)), 'AGENT_PROTOCOL'],
    ['hanging up', (_, socket) => socket.destroy(), 'AGENT_PROTOCOL'],
    ['silence', () => {}, 'TIMEOUT'],
    ['silence inside a frame', writing(() => encodeFrame(good()).subarray(0, 500)), 'TIMEOUT'],
  ])('%s', async (_, answer, code) => {
    const { socketPath } = await agent(answer)
    const silent = code === 'TIMEOUT'
    await expect(source(socketPath, silent ? 100 : 30_000).collect(RAW)).rejects.toMatchObject({
      code,
    })
  })

  test('what the agent says in words is not passed on', async () => {
    const { socketPath } = await agent((_, socket) =>
      socket.write(encodeFrame(encodeResponse(new Uint8Array(), 13, 'a secret of the guest'))),
    )
    const error = await source(socketPath)
      .collect(RAW)
      .catch((reason: unknown) => reason)
    expect(String(error)).toContain('GetEvidence with INTERNAL')
    expect(JSON.stringify(error)).not.toContain('secret')
  })

  test('nobody at the socket', async () => {
    const { socketPath, stop } = await agent(() => {})
    await stop()
    running.length = 0
    await expect(source(socketPath).collect(RAW)).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
    })
  })

  test('report data of another length is a mistake of the caller', async () => {
    await expect(source('/nowhere').collect(RAW.subarray(1))).rejects.toThrow(RangeError)
  })
})

test('the messages are those of the protocol, byte by byte', () => {
  // By hand: tag = field << 3 | wire type; 5 ms are 5,000,000 ns = 0xc0 0x96 0xb1 0x02 as a varint.
  const request = encodeTtrpcRequest({
    service: 'a.B',
    method: 'C',
    payload: encodeBytesMessage(Uint8Array.of(0xee)),
    timeoutNano: 5_000_000n,
  })
  expect(bytesToHex(request)).toBe('0a03612e421201431a030a01ee20c096b102')
  expect(parseTtrpcResponse(hexToBytes('0a02080512020a00'))).toEqual({
    code: 5,
    payload: Uint8Array.of(0x0a, 0),
  })
  expect(parseBytesMessage(hexToBytes('0a01ee'))).toEqual(Uint8Array.of(0xee))
})
