/** `verify` on TDX evidence: of a simulated authority, and genuine where the vectors are there. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Verification } from '../../helper/cli/verify.ts'
import { DEMO_POD } from '../../helper/sim/app.ts'
import { SIM_BOOT_LOG, SIM_BOOT_RTMRS } from '../../helper/sim/tdx-event-log.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { prepareRelease } from '../../policy/prepare.ts'
import { encodeTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { EVENT_LOG_LIMIT, replayEvents } from '../../sdk/attest/event-log.ts'
import { parseAgentTextLog } from '../../sdk/attest/event-log-aael.ts'
import { parseDstackLog } from '../../sdk/attest/event-log-dstack.ts'
import { encodeTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import { encodeWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { bytesToHex, concatBytes } from '../../sdk/bytes.ts'
import { runCli } from '../kit/cli.ts'
import { genuineTdx, readBytes, readQuote, readText } from '../sdk/attest/tdx/genuine.ts'
import { NOW, tdxAuthority } from '../sdk/attest/tdx/kit.ts'

const now = new Date(NOW * 1000)
const toml = prepareRelease({ podYaml: DEMO_POD, files: {} }).initdataToml
const initdata = parseInitdata(new TextEncoder().encode(toml))
const reportData = concatBytes(new Uint8Array(32).fill(7), initdata.sha384.subarray(0, 32))

const DSTACK_LOG = JSON.stringify([
  { imr: 0, event_type: 1, digest: 'ab'.repeat(48), event: '', event_payload: '' },
  { imr: 3, event_type: 0x08000001, digest: '', event: 'app-id', event_payload: '0102' },
])
const DSTACK_RTMRS = replayEvents(parseDstackLog(DSTACK_LOG).events)
const AGENT_LOG = `INIT sha384/${'00'.repeat(48)}\nimage-rs Pull alpine:3\n`
const AGENT_RTMRS = replayEvents(parseAgentTextLog(AGENT_LOG).events)

let files: Record<string, string | Uint8Array>
beforeAll(async () => {
  const authority = await tdxAuthority()
  const other = await tdxAuthority('other')
  const mrConfigId = initdata.digest
  const logs = { eventLog: SIM_BOOT_LOG }
  const report = { reportData, mrConfigId, rtmrs: SIM_BOOT_RTMRS }
  const honest = await authority.issue({ version: 5, report, logs })
  const { quote, collateral } = honest
  const late = await authority.issue({ at: NOW + 20 * 24 * 3600, report })
  const bundle = JSON.stringify(encodeTdxCollateral(collateral))
  files = {
    'roots.pem': encodeTdxRoots(authority.anchors),
    'agent.json': honest.aaJson(),
    'wire.json': honest.wire(),
    'bare.json': encodeWireTdxEvidence({ quote }),
    'quote.bin': quote,
    'self.json': (await authority.issue({ report: { reportData } })).wire(),
    'debug.json': (await authority.issue({ report: { tdAttributes: (1n << 28n) | 1n } })).wire(),
    'log.json': (await authority.issue({ report: { reportData }, logs })).wire(),
    'folder/now.json': bundle,
    'folder/later.json': JSON.stringify(encodeTdxCollateral(late.collateral)),
    'folder/readme.txt': 'no bundle',
    'foreign.json': JSON.stringify(encodeTdxCollateral((await other.issue()).collateral)),
    'initdata.toml': toml,
    'other.toml': toml.replace('0.1.0', '0.1.1'),
    'snp.json': '{"attestation_report":{}}',
    'ccel.bin': SIM_BOOT_LOG,
    'dstack.json': DSTACK_LOG,
    'dstack.bin': (await authority.issue({ report: { rtmrs: DSTACK_RTMRS } })).wire(),
    'agent.log': AGENT_LOG,
    'garbage.log': new Uint8Array(4096).fill(0xa5),
    // Behind the last event there is filling only, which is not missed.
    'cut.log': SIM_BOOT_LOG.slice(0, SIM_BOOT_LOG.findLastIndex((byte) => byte !== 0xff) - 2),
    'huge.log': new Uint8Array(EVENT_LOG_LIMIT + 1),
    'agent.bin': (await authority.issue({ report: { rtmrs: AGENT_RTMRS } })).wire(),
  }
}, 60_000)

const verify = async (...argv: string[]) => {
  const result = await runCli(['verify', ...argv, '--json'], files, { now })
  const text = result.out[0]
  return { ...result, json: (text === undefined ? undefined : JSON.parse(text)) as Verification }
}
const devnet = ['--tdx-roots', 'roots.pem']
const folder = ['--collateral', 'folder']

test('evidence in each of its forms is accepted under its roots, every check listed', async () => {
  for (const argv of [
    ['wire.json'],
    ['agent.json', ...folder],
    ['bare.json', ...folder],
    ['quote.bin', '--collateral', 'folder/now.json'],
  ]) {
    const { code, json } = await verify(...argv, ...devnet)
    expect(json.refusal).toBeUndefined()
    expect([code, json.trust]).toEqual([0, 'NOT INTEL: roots given on the command line'])
    expect(json.evidence).toMatchObject({
      tee: 'tdx',
      quoteVersion: 5,
      tdVersion: '1.5',
      fmspc: '51806f000000',
      tcbStatus: 'UpToDate',
      mrConfigId: bytesToHex(initdata.digest),
      reportData: bytesToHex(reportData),
    })
    const replay = json.checks.filter(({ name }) => name === 'tdx.event-log-replay')
    const hasLog = argv[0] === 'wire.json' || argv[0] === 'agent.json'
    expect(replay.map(({ result }) => result)).toEqual(
      hasLog ? Array(4).fill('passed') : ['not-applicable'],
    )
    expect(json.checks.find(({ name }) => name === 'tdx.quote-signature')?.result).toBe('passed')
    expect(json.checks.filter(({ result }) => result === 'failed')).toEqual([])
  }
})

test.each([
  ['of the firmware', 'quote.bin', 'ccel.bin'],
  ['of dstack', 'dstack.bin', 'dstack.json'],
  ['of an old agent', 'agent.bin', 'agent.log'],
])('a log %s that is given beside the quote leads to its registers', async (_, quote, log) => {
  const { code, json } = await verify(quote, '--event-log', log, ...folder, ...devnet)
  expect(json.refusal).toBeUndefined()
  expect(code).toBe(0)
  const replay = json.checks.filter(({ name }) => name === 'tdx.event-log-replay')
  expect(replay.filter(({ result }) => result === 'passed')).toHaveLength(4)
})

test('what is printed names the processor, the collateral, and loudly the roots', async () => {
  const { out, err } = await runCli(['verify', 'agent.json', ...devnet, ...folder], files, { now })
  expect(out[0]).toBe('!! NOT INTEL: checked against roots from a file on the command line.')
  const text = out.join('\n')
  expect(text).toContain('Intel TDX, FMSPC 51806f000000')
  expect(text).toContain('UpToDate, by collateral until 2026-06-30T00:00:00.000Z')
  expect(out.at(-1)).toBe('ACCEPTED')
  // Issued twenty days from now.
  expect(err).toEqual([
    expect.stringMatching(/^folder\/later\.json is not used: EVIDENCE_INVALID: /),
  ])
})

test.each<[string, string[], string, string | undefined]>([
  ['only Intel is trusted by itself', ['wire.json'], 'EVIDENCE_INVALID', 'tdx.pck-chain.root'],
  ['no collateral', ['bare.json', ...devnet], 'COLLATERAL_UNAVAILABLE', 'tdx.collateral'],
  [
    'collateral of another authority',
    ['bare.json', '--collateral', 'foreign.json', ...devnet],
    'COLLATERAL_UNAVAILABLE',
    'tdx.collateral',
  ],
  [
    'collateral that has run out',
    ['wire.json', '--at', '2026-07-15', ...devnet],
    'EVIDENCE_INVALID',
    'tdx.tcb-info.validity',
  ],
  ['a TD in debug mode', ['debug.json', ...devnet], 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.debug'],
  ['the log of another boot', ['log.json', ...devnet], 'EVIDENCE_INVALID', 'tdx.event-log-replay'],
  [
    'the log of another guest beside the quote',
    ['dstack.bin', '--event-log', 'ccel.bin', ...devnet],
    'EVIDENCE_INVALID',
    'tdx.event-log-replay',
  ],
  [
    'other report data',
    ['wire.json', '--report-data', '00'.repeat(64), ...devnet],
    'REPORT_DATA_MISMATCH',
    'report-data.equals-demanded',
  ],
  [
    'another document at launch',
    ['wire.json', 'other.toml', ...devnet],
    'INITDATA_MISMATCH',
    'initdata.mr-config-id',
  ],
  [
    'another document in REPORTDATA',
    ['self.json', 'other.toml', ...devnet],
    'INITDATA_MISMATCH',
    'report-data.names-initdata',
  ],
])('%s: refused, and the failed check is the last one', async (_, argv, refusal, check) => {
  const { code, json } = await verify(...argv)
  expect([code, json.accepted, json.refusal?.code]).toEqual([1, false, refusal])
  expect(json.checks.at(-1)).toMatchObject({ name: check, result: 'failed' })
})

test.each(['garbage.log', 'cut.log'])('a log that is none (%s) is refused as such', async (log) => {
  const { code, json } = await verify('quote.bin', '--event-log', log, ...folder, ...devnet)
  expect([code, json.accepted, json.refusal?.code]).toEqual([1, false, 'EVIDENCE_MALFORMED'])
})

test('the document that the launch or the guest names is accepted, and which of them is told', async () => {
  const anchored = await verify('initdata.toml', 'wire.json', ...devnet)
  expect([anchored.code, anchored.json.binding]).toEqual([0, 'mr_config_id'])
  const self = await verify('self.json', 'initdata.toml', ...devnet)
  expect([self.code, self.json.binding]).toEqual([0, 'report_data'])
})

test.each([
  ['collateral without evidence', ['initdata.toml', ...folder]],
  ['collateral of AMD evidence', ['snp.json', ...folder]],
  ['AMD certificates of a quote', ['wire.json', '--certificate', 'quote.bin']],
  ['AMD roots of a quote', ['wire.json', '--snp-roots', 'roots.pem']],
  ['a log of AMD evidence', ['snp.json', '--event-log', 'ccel.bin']],
  ['a revocation list of AMD beside a quote', ['wire.json', '--crl', 'ccel.bin']],
  ['a log above the limit', ['quote.bin', '--event-log', 'huge.log', ...folder]],
  ['a folder that is not there', ['wire.json', '--collateral', 'gone']],
  ['roots that are none', ['wire.json', '--tdx-roots', 'initdata.toml']],
  ['33 bundles', ['wire.json', '--collateral', ...Array(33).fill('folder/now.json')]],
])('%s: exit 2', async (_, argv) => {
  const { code, out } = await runCli(['verify', ...argv], files, { now })
  expect([code, out]).toEqual([2, []])
})

test.each([
  ['a quote of three bytes', '{"quote":"AAAA"}'],
  ['a quote that is a list', '{"quote":[1,2],"cc_eventlog":null}'],
  ['an SGX quote', new Uint8Array(5000).with(0, 4).with(2, 2)],
  ['a quote of nothing', new Uint8Array(5000).with(0, 4).with(2, 2).with(4, 0x81)],
  ['a quote of 17 KiB', new Uint8Array(17 * 1024).with(0, 4).with(2, 2).with(4, 0x81)],
  ['deep nesting', `{"quote":${'['.repeat(50_000)}`],
])('%s is refused as evidence, not a crash', async (_, content) => {
  const { code, out } = await runCli(['verify', 'f', '--json'], { f: content }, { now })
  expect(code).toBe(1)
  expect(JSON.parse(out[0] ?? '')).toMatchObject({ accepted: false })
})

describe.runIf(genuineTdx !== undefined)('genuine TDX evidence', () => {
  const verifyAt = async (evidence: string | Uint8Array, bundle: string, at: string) => {
    const given = { e: evidence, 'c/b.json': readText(`bundles/${bundle}`) }
    const argv = ['verify', 'e', '--collateral', 'c', '--at', at, '--json']
    const { code, out } = await runCli(argv, given)
    const json: Verification = JSON.parse(out[0] ?? '')
    return { code, last: json.checks.at(-1)?.name, refusal: json.refusal?.code, trust: json.trust }
  }

  test('is accepted with its event log, and as a bare quote', async () => {
    const at = '2025-03-19T12:01:49Z'
    const agent = readText('evidence/derived-aa-tdx-gcp-cos113.json')
    const accepted = { code: 0, trust: 'intel' }
    expect(await verifyAt(agent, '202503-00806f.json', at)).toMatchObject(accepted)
    const quote = readQuote('v4-gcp-cos113-gotdxguest.dat')
    expect(await verifyAt(quote, '202503-00806f.json', at)).toMatchObject(accepted)
  })

  test('is accepted without a log', async () => {
    const agent = readBytes('evidence/derived-aa-tdx-v5-nolog.json')
    expect(await verifyAt(agent, '202603-90c06f.json', '2026-03-31T22:20:07Z')).toMatchObject({
      code: 0,
    })
  })

  test('of dstack is accepted with its log, and refused with that of another guest', async () => {
    const log = (file: string) => {
      const { event_log } = JSON.parse(readText(`eventlog/${file}`))
      return typeof event_log === 'string' ? event_log : JSON.stringify(event_log)
    }
    const given = {
      q: readQuote('v4-dstack-nearmpc.dat'),
      'c/b.json': readText('bundles/202608-b0c06f.json'),
      own: log('dstack-nearmpc-tcb_info.json'),
      other: log('dstack-tdx-lite-getquote.json'),
    }
    const argv = ['verify', 'q', '--collateral', 'c', '--at', '2026-08-28T05:21:24Z', '--event-log']
    expect((await runCli([...argv, 'own'], given)).out.at(-1)).toBe('ACCEPTED')
    expect((await runCli([...argv, 'other'], given)).code).toBe(1)
  })

  test('is refused with a log that does not lead to its registers', async () => {
    const agent = readText('evidence/derived-aa-tdx-cdai-live-RTMR2-MISMATCH.json')
    expect(await verifyAt(agent, '202608-b0c06f.json', '2026-08-28T05:21:24Z')).toMatchObject({
      code: 1,
      refusal: 'EVIDENCE_INVALID',
      last: 'tdx.event-log-replay',
    })
  })
})
