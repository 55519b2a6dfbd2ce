import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAaTdxEvidence } from '../../../../sdk/attest/aa-tdx.ts'
import { parseQeIdentity, parseTcbInfo } from '../../../../sdk/attest/collateral-json.ts'
import { checkReplay, replayEvents } from '../../../../sdk/attest/event-log.ts'
import { parseAgentTextLog } from '../../../../sdk/attest/event-log-aael.ts'
import { agentEvents, parseCcel, trimCcel } from '../../../../sdk/attest/event-log-ccel.ts'
import { parseDstackLog } from '../../../../sdk/attest/event-log-dstack.ts'
import { INTEL_ANCHORS } from '../../../../sdk/attest/tdx-anchors.ts'
import { verifyPckChain } from '../../../../sdk/attest/tdx-chain.ts'
import { checkTdxEventLogs } from '../../../../sdk/attest/tdx-event-log.ts'
import { appraiseTdx, DEFAULT_TDX_POLICY } from '../../../../sdk/attest/tdx-policy.ts'
import { parseTdxQuote } from '../../../../sdk/attest/tdx-quote.ts'
import { evaluateTcb } from '../../../../sdk/attest/tdx-tcb.ts'
import { verifyTdx } from '../../../../sdk/attest/tdx-verify.ts'
import { bytesToHex } from '../../../../sdk/bytes.ts'
import { refusalOf } from '../../../kit/errors.ts'
import {
  collateralOf,
  genuineTdx,
  isNotYetValid,
  isWithoutLists,
  quoteFiles,
  readBytes,
  readGenuineTdx,
  readQuote,
  readTable,
  readText,
  refusalInTable,
  STATUS,
  verifyGenuineTdx,
} from './genuine.ts'

const cases = readGenuineTdx()

describe.skipIf(genuineTdx === undefined)('genuine TDX quotes', () => {
  it('are there', () => {
    expect(cases.length).toBeGreaterThanOrEqual(55)
    expect(new Set(cases.map(({ row }) => row.quote))).toEqual(new Set(quoteFiles()))
  })

  it.each(cases)('$name gets the verdict of the table', (genuine) => {
    const { row } = genuine
    const details = refusalInTable(genuine)
    if (details !== undefined)
      return expect(refusalOf(() => verifyGenuineTdx(genuine))).toMatchObject({ details })
    const { claims } = verifyGenuineTdx(genuine)
    expect(claims.tcb.status).toBe(row[STATUS])
    expect(claims).toMatchObject({
      quoteVersion: Number(row.ver),
      tdVersion: row.body === '648' ? '1.5' : '1.0',
      fmspc: row.fmspc,
    })
    expect(bytesToHex(claims.teeTcbSvn)).toBe(row.tee_tcb_svn)
    expect(claims.leaf.pceSvn).toBe(Number(row.pcesvn))
    return undefined
  })

  it.each(cases.filter(({ bundle }) => bundle !== undefined))(
    "$name gets the status of Intel's rule, dates aside",
    ({ row, quote, bundle }) => {
      const parsed = parseTdxQuote(quote)
      const late = Date.UTC(2026, 8, 1) / 1000
      const { sgx } = verifyPckChain(parsed.certificates, INTEL_ANCHORS, late, [])
      const { tcb_info: tcbInfo, qe_identity: qeIdentity } = JSON.parse(bundle ?? '')
      const { teeTcbSvn, teeTcbSvn2 } = parsed.report
      const { tcb } = evaluateTcb({
        tcbInfo: parseTcbInfo(tcbInfo),
        qeIdentity: parseQeIdentity(qeIdentity),
        sgxComponents: sgx.components,
        pceSvn: sgx.pceSvn,
        teeTcbSvn,
        ...(teeTcbSvn2 === undefined ? {} : { teeTcbSvn2 }),
        qeIsvSvn: parsed.qe.report.isvSvn,
      })
      expect(tcb.status).toBe(row[STATUS])
    },
  )

  it.each(readTable('QUOTE_FIELDS.tsv'))('$quote has the fields of the table', (row) => {
    const { report, qe, userData, certificates } = parseTdxQuote(readQuote(row.quote ?? ''))
    const shown = (bytes: Uint8Array | undefined) => {
      if (bytes === undefined) return '-'
      const hex = bytesToHex(bytes)
      return /^0*$/.test(hex) ? '0' : bytes.length > 20 ? `${hex.slice(0, 24)}..` : hex
    }
    expect({
      mrseam: shown(report.mrSeam),
      mrtd: shown(report.mrTd),
      mrconfigid: shown(report.mrConfigId),
      mrowner: shown(report.mrOwner),
      mrownerconfig: shown(report.mrOwnerConfig),
      rtmr0: shown(report.rtmrs[0]),
      rtmr1: shown(report.rtmrs[1]),
      rtmr2: shown(report.rtmrs[2]),
      rtmr3: shown(report.rtmrs[3]),
      report_data: shown(report.reportData),
      mrservicetd: shown(report.mrServiceTd),
      user_data: bytesToHex(userData),
      qe_isvsvn: String(qe.report.isvSvn),
      qe_isvprodid: String(qe.report.isvProdId),
      qe_attr: bytesToHex(qe.report.attributes),
      nCerts: String(certificates.length),
    }).toEqual(
      Object.fromEntries(
        Object.entries(row).filter(([name]) =>
          /^(mrseam|mrtd|mrconfigid|mrowner|mrownerconfig|rtmr.|report_data|mrservicetd|user_data|qe_isvsvn|qe_isvprodid|qe_attr|nCerts)$/.test(
            name,
          ),
        ),
      ),
    )
  })

  it('are allowed by default only when nothing is wrong with the TD', () => {
    const verdicts = new Map<string, unknown>()
    for (const genuine of cases) {
      const { row, quote, now, bundle } = genuine
      if (bundle === undefined || row[STATUS] !== 'UpToDate') continue
      if (isNotYetValid(genuine) || isWithoutLists(genuine)) continue
      const { claims } = verifyTdx({ quote, collateral: collateralOf(genuine) }, INTEL_ANCHORS, now)
      verdicts.set(
        row.quote ?? '',
        refusalOf(() => appraiseTdx(claims, DEFAULT_TDX_POLICY, now)),
      )
    }
    expect(verdicts.get('NEG-v4-debug-td-trustee.dat')).toEqual({
      code: 'EVIDENCE_NOT_ALLOWED',
      details: { check: 'tdx.policy.debug' },
    })
    verdicts.delete('NEG-v4-debug-td-trustee.dat')
    expect(verdicts.size).toBeGreaterThanOrEqual(8)
    expect(new Set(verdicts.values())).toEqual(new Set(['accepted']))
  })

  it('are refused by policy when a service TD is bound or SEPT_VE_DISABLE is clear', () => {
    const policy = { ...DEFAULT_TDX_POLICY, statuses: ['UpToDate', 'OutOfDate'] as const }
    for (const [file, bundle, check] of [
      ['v5-td15-alibaba-automata.dat', '202603-90c06f.json', 'tdx.policy.service-td'],
      ['v4-azure-septve0-trustee.dat', '202601-00806f.json', 'tdx.policy.sept-ve-disable'],
    ]) {
      const genuine = cases.find(({ row }) => row.quote === file && row.bundle === bundle)
      if (genuine === undefined) throw new Error(`no ${file}`)
      const { quote, now } = genuine
      const { claims } = verifyTdx({ quote, collateral: collateralOf(genuine) }, INTEL_ANCHORS, now)
      expect(refusalOf(() => appraiseTdx(claims, policy, now))).toEqual({
        code: 'EVIDENCE_NOT_ALLOWED',
        details: { check },
      })
    }
  })

  it('may have zeros behind them, and nothing else', () => {
    const folder = join(genuineTdx ?? '', 'quotes-padded')
    const files = readdirSync(folder)
    expect(files.length).toBeGreaterThanOrEqual(9)
    for (const file of files) {
      const padded = readBytes(`quotes-padded/${file}`)
      const bare = readQuote(file.replace('.orig.dat', '.dat'))
      if (file.startsWith('v4-tdx10-sprprod'))
        expect(refusalOf(() => parseTdxQuote(padded))).toMatchObject({
          code: 'EVIDENCE_MALFORMED',
          details: { field: 'trailing bytes' },
        })
      else expect(parseTdxQuote(padded)).toEqual(parseTdxQuote(bare))
    }
  })

  it('are refused with the collateral of another kind of platform', () => {
    const byPlatform = new Map(cases.map((genuine) => [genuine.row.bundle?.slice(7, 13), genuine]))
    for (const genuine of cases) {
      if (genuine.bundle === undefined || isWithoutLists(genuine)) continue
      for (const other of byPlatform.values()) {
        if (other.bundle === undefined || isWithoutLists(other)) continue
        if (other.row.fmspc === genuine.row.fmspc) continue
        const refusal = refusalOf(() =>
          verifyTdx(
            { quote: genuine.quote, collateral: collateralOf(other) },
            INTEL_ANCHORS,
            other.now,
          ),
        )
        expect(typeof refusal).toBe('object')
      }
    }
  })
})

describe.skipIf(genuineTdx === undefined)('genuine event logs', () => {
  const rtmrsOf = (file: string) => parseTdxQuote(readQuote(file)).report.rtmrs
  const hexes = (registers: readonly Uint8Array[]) => registers.map((value) => bytesToHex(value))

  it("lead to the registers of Google's quote", () => {
    const events = parseCcel(readBytes('eventlog/gcp-cos113-ccel_data.dat'))
    expect(checkReplay(events, rtmrsOf('v4-gcp-cos113-gotdxguest.dat'))).toHaveLength(4)
  })

  it('lead to three of four registers of a quote whose third one differs', () => {
    const events = parseCcel(readBytes('eventlog/cdai-live-ccel.bin'))
    const rtmrs = rtmrsOf('v4-cdai-live.dat')
    const differs = hexes(replayEvents(events)).map((value, index) => value !== hexes(rtmrs)[index])
    expect(differs).toEqual([false, false, true, false])
    expect(refusalOf(() => checkReplay(events, rtmrs))).toEqual({
      code: 'EVIDENCE_INVALID',
      details: { check: 'tdx.event-log-replay' },
    })
  })

  it.each([
    ['eventlog/dstack-nearmpc-tcb_info.json', 'v4-dstack-nearmpc.dat'],
    ['eventlog/dstack-tdx-lite-getquote.json', 'v4-dstack-lite.dat'],
  ])('of dstack in %s lead to the registers of %s', (file, quote) => {
    const { event_log: log } = JSON.parse(readText(file))
    const { events, trusted } = parseDstackLog(typeof log === 'string' ? log : JSON.stringify(log))
    expect(checkReplay(events, rtmrsOf(quote))).toHaveLength(4)
    const names = trusted.map(({ name }) => name)
    expect(names[0]).toBe('system-preparing')
    expect(names.at(-1)).toBe('system-ready')
    expect(names).toContain('compose-hash')
  })

  it('of dstack belong to the quote beside them', () => {
    const { event_log: log, quote } = JSON.parse(readText('eventlog/dstack-quote-report.json'))
    const bytes = Uint8Array.from(Buffer.from(quote, 'hex'))
    const { rtmrs } = parseTdxQuote(bytes).report
    expect(checkReplay(parseDstackLog(log).events, rtmrs)).toHaveLength(4)
    expect(
      refusalOf(() => checkReplay(parseDstackLog(log).events, rtmrsOf('v4-dstack-lite.dat'))),
    ).toMatchObject({
      code: 'EVIDENCE_INVALID',
    })
  })

  it('with the tail of the agent replay to the known registers', () => {
    const events = parseCcel(readBytes('eventlog/trustee-CCEL_AAEL_alibabacloud'))
    const [first = '', , , last = ''] = hexes(replayEvents(events))
    expect([first.slice(0, 8), last.slice(0, 8)]).toEqual(['b796e1c1', '5e4ecd49'])
    expect(agentEvents(events).length).toBeGreaterThan(0)
  })

  it.each([
    ['trustee-AAEL_data_1', undefined],
    ['trustee-AAEL_data_2', '31fa1788'],
    ['trustee-AAEL_data_3', '0de62b45'],
  ])('of the agent as text in %s replay to RTMR3', (file, start) => {
    const { events } = parseAgentTextLog(readText(`eventlog/${file}`))
    const rtmr3 = bytesToHex(replayEvents(events)[3])
    if (start === undefined) expect(rtmr3).toBe(bytesToHex(rtmrsOf('v4-aael-trustee.dat')[3]))
    else expect(rtmr3.slice(0, 8)).toBe(start)
  })

  it.each(['dstack-ccel.bin', 'trustee-CCEL_data_ovmf'])('in %s are read to their end', (file) => {
    expect(parseCcel(readBytes(`eventlog/${file}`)).length).toBeGreaterThan(10)
  })
})

describe.skipIf(genuineTdx === undefined)("genuine evidence in the agent's JSON", () => {
  const read = (file: string) => parseAaTdxEvidence(readText(`evidence/${file}`))

  it('has a quote and the log that leads to it', () => {
    const { quote, ...logs } = read('derived-aa-tdx-gcp-cos113.json')
    const { rtmrs } = parseTdxQuote(quote).report
    const events = checkTdxEventLogs(logs, rtmrs)
    expect(events.length).toBeGreaterThan(10)
    const whole = readBytes('eventlog/gcp-cos113-ccel_data.dat')
    expect(whole).toHaveLength(256 * 1024)
    expect(checkTdxEventLogs({ eventLog: trimCcel(whole) }, rtmrs)).toEqual(events)
    expect(trimCcel(whole).length).toBeLessThan(32 * 1024)
  })

  it('may have no log', () => {
    const { quote, eventLog } = read('derived-aa-tdx-v5-nolog.json')
    expect(parseTdxQuote(quote).version).toBe(5)
    expect(eventLog).toBeUndefined()
  })

  it('may have a log of something else', () => {
    const { quote, ...logs } = read('derived-aa-tdx-cdai-live-RTMR2-MISMATCH.json')
    const { rtmrs } = parseTdxQuote(quote).report
    expect(refusalOf(() => checkTdxEventLogs(logs, rtmrs))).toMatchObject({
      code: 'EVIDENCE_INVALID',
    })
  })
})
