import { encodeAzureSnpJson, encodeAzureTdxJson } from '../../helper/sim/azure-evidence.ts'
import { parseAzureSnpEvidence, parseAzureTdxEvidence } from '../../sdk/attest/azure-evidence.ts'
import { parseHclReport, parseHclRuntimeData } from '../../sdk/attest/azure-hcl.ts'
import { parseAgentTextLog } from '../../sdk/attest/event-log-aael.ts'
import { agentEvents, parseCcel } from '../../sdk/attest/event-log-ccel.ts'
import { parseDstackLog } from '../../sdk/attest/event-log-dstack.ts'
import { parseTpmQuote } from '../../sdk/attest/tpm-attest.ts'
import { concatBytes, utf8ToBytes } from '../../sdk/bytes.ts'
import { azureSnp, azureTdx, u16, u32 } from './issued.ts'
import { JSON_TOKENS, json, ofText, stable, type Target, total } from './kit.ts'

const azureVersions = [0, 1, 2] as const
const digestOf = (fill: number) => new Uint8Array(48).fill(fill)

/** A TCG event log with a header for SHA-384, an agent's record and a plain one. */
function ccel(): Uint8Array {
  const spec = concatBytes(
    utf8ToBytes('Spec ID Event03\0'),
    new Uint8Array(8),
    u32(1),
    u16(0x0c),
    u16(48),
    Uint8Array.of(0),
  )
  const header = concatBytes(u32(0), u32(3), new Uint8Array(20), u32(spec.length), spec)
  const text = utf8ToBytes('image-rs Pull alpine:3')
  const agent = concatBytes(utf8ToBytes('LEAA'), u32(text.length), text)
  const record = (index: number, data: Uint8Array) =>
    concatBytes(u32(index), u32(6), u32(1), u16(0x0c), digestOf(index), u32(data.length), data)
  return concatBytes(header, record(1, Uint8Array.of(1, 2, 3)), record(4, agent))
}
const dstackEvent = (name: string, payload: string, rest: object = {}) => ({
  imr: 3,
  event_type: 0x08000001,
  digest: '',
  event: name,
  event_payload: payload,
  ...rest,
})

export const VTPM_TARGETS: readonly Target[] = [
  {
    name: 'azure-snp',
    seeds: async () => {
      const { issue } = await azureSnp()
      return Promise.all(
        azureVersions.map(async (version) =>
          utf8ToBytes(encodeAzureSnpJson(await issue({ version }))),
        ),
      )
    },
    dictionary: [
      ...JSON_TOKENS,
      '"version"',
      '"hcl_report"',
      '"tpm_quote"',
      '"vcek"',
      '"pcrs"',
      '256',
    ],
    prepare: () =>
      stable(ofText(parseAzureSnpEvidence), (value) => utf8ToBytes(encodeAzureSnpJson(value))),
    cost: 10,
  },
  {
    name: 'azure-tdx',
    seeds: async () => {
      const { issue } = await azureTdx()
      return Promise.all(
        azureVersions.map(async (version) =>
          utf8ToBytes(encodeAzureTdxJson(await issue({ version }))),
        ),
      )
    },
    dictionary: [...JSON_TOKENS, '"version"', '"hcl_report"', '"tpm_quote"', '"td_quote"', '256'],
    prepare: () =>
      stable(ofText(parseAzureTdxEvidence), (value) => utf8ToBytes(encodeAzureTdxJson(value))),
    cost: 10,
  },
  {
    name: 'azure-hcl',
    seeds: async () => [
      (await (await azureSnp()).issue({ version: 2 })).hclReport,
      (await (await azureTdx()).issue({ version: 2 })).hclReport,
    ],
    dictionary: [u32(1), u32(2), u32(4), 'HCLA', ...JSON_TOKENS],
    prepare: () => total(parseHclReport),
    cost: 1,
  },
  {
    name: 'azure-runtime-data',
    seeds: async () => [
      parseHclReport((await (await azureSnp()).issue({ version: 2 })).hclReport).runtimeData,
    ],
    dictionary: [...JSON_TOKENS, '"keys"', '"kid"', '"HCLAkPub"', '"vm-configuration"', '"AQAB"'],
    prepare: () => total(parseHclRuntimeData),
    cost: 4,
  },
  {
    name: 'azure-tpm-quote',
    seeds: async () => [(await (await azureSnp()).issue({ version: 2 })).quote.message],
    dictionary: [
      u16(0x0b),
      u16(0x0c),
      Uint8Array.of(0x80, 0x18),
      Uint8Array.of(0xff, 0x54, 0x43, 0x47),
    ],
    prepare: () => total(parseTpmQuote),
    cost: 1,
  },
  {
    name: 'log-ccel',
    seeds: () => [ccel()],
    dictionary: [u16(0x0b), u16(0x0c), u16(0x0d), u32(3), u32(0x80000001), 'LEAA', u32(0xffffffff)],
    prepare: () =>
      total((bytes) => ({ events: parseCcel(bytes), agent: agentEvents(parseCcel(bytes)) })),
    cost: 1,
  },
  {
    name: 'log-agent-text',
    seeds: () => [utf8ToBytes(`INIT sha384/${'00'.repeat(48)}\nimage-rs Pull alpine:3 x\na b c\n`)],
    dictionary: ['INIT sha384/', '\n', '\r\n', ' ', '\u0000', '\u2028'],
    prepare: () =>
      total(
        ofText(parseAgentTextLog),
        ({ events, entries }) => events.length === entries.length + 1,
      ),
    cost: 1,
  },
  {
    name: 'log-dstack',
    seeds: () => [
      json([
        { imr: 0, event_type: 1, digest: '11'.repeat(48), event: '', event_payload: '' },
        dstackEvent('app-id', '0102'),
        dstackEvent('system-ready', ''),
        dstackEvent('custom', '03'),
      ]),
    ],
    dictionary: [
      ...JSON_TOKENS,
      '"imr"',
      '"event_type"',
      '134217729',
      '"system-ready"',
      '"digest"',
    ],
    prepare: () =>
      total(ofText(parseDstackLog), ({ events, trusted }) => trusted.length <= events.length),
    cost: 1,
  },
]
