/** A verification for people: facts first, then each check, then the verdict. @module */

import { layoutColumns } from '../../kms/terminal.ts'
import type { Check } from '../../sdk/attest/types.ts'
import { printable } from '../printable.ts'
import type { Io } from './io.ts'
import { createPaint, type Paint, shorten } from './terminal.ts'
import type { InitdataSummary, Verification } from './verify.ts'
import type { AzureSummary, EvidenceSummary, SnpSummary, TdxSummary } from './verify-summary.ts'

/** @param explain - Every input whole, one a line, and the source of each rule. */
export function printVerification(io: Io, verification: Verification, explain = false): void {
  const paint = createPaint(io.color)
  if (verification.trust.startsWith('NOT ')) {
    const [whose] = verification.trust.split(':')
    io.out(paint('red', `!! ${whose}: checked against roots from a file on the command line.`))
    io.out(paint('red', '!! This says nothing about real hardware.'))
    io.out('')
  }
  if (verification.evidence !== undefined) printEvidence(io, paint, verification.evidence)
  if (verification.initdata !== undefined) printInitdata(io, paint, verification.initdata)
  if (verification.binding !== undefined)
    io.out(`${paint('bold', 'Binding')}  the initdata is anchored by ${verification.binding}\n`)
  io.out(paint('bold', `Checks as of ${verification.at}`))
  const describe = explain ? explainChecks : describeChecks
  for (const line of describe(verification.checks, paint)) io.out(line)
  if (verification.checks.length === 0) io.out('  none was reached')
  io.out('')
  if (verification.accepted) {
    io.out(paint('green', 'ACCEPTED'))
    return
  }
  const { refusal } = verification
  io.out(paint('red', `REFUSED  ${refusal?.code}: ${refusal?.message}`))
  if (refusal?.hint !== undefined) io.out(`  ${refusal.hint}`)
}

/** One line a check: mark, name, what was compared, and where the rule comes from. */
function describeChecks(checks: readonly Check[], paint: Paint): string[] {
  const rows = checks.map((check) => [
    MARKS[check.result],
    check.name,
    Object.entries(check.inputs)
      .map(([name, value]) => `${name} ${shorten(printable(value), 16)}`)
      .join(', '),
  ])
  return layoutColumns(rows).map((line, index) => {
    const style = STYLES[checks[index]?.result ?? 'not-applicable']
    return `  ${paint(style, line.slice(0, 4))}${line.slice(4)}`
  })
}

function explainChecks(checks: readonly Check[], paint: Paint): string[] {
  return checks.flatMap(({ name, result, inputs, source }) => [
    `  ${paint(STYLES[result], MARKS[result])} ${paint('bold', name)}  (${printable(source)})`,
    ...layoutColumns(Object.entries(inputs).map(([input, value]) => [input, printable(value)])).map(
      (line) => `        ${line}`,
    ),
  ])
}

const STYLES = { passed: 'green', failed: 'red', 'not-applicable': 'dim' } as const
const MARKS = { passed: 'ok  ', failed: 'FAIL', 'not-applicable': ' -  ' } as const

function printEvidence(io: Io, paint: Paint, evidence: EvidenceSummary): void {
  const rows = rowsOf(evidence)
  io.out(paint('bold', 'Evidence'))
  for (const line of layoutColumns(rows)) io.out(`  ${line}`)
  for (const { id, message } of evidence.advisories)
    io.out(`  ${paint('yellow', 'advisory')} ${id}: ${message}`)
  io.out('')
}

function rowsOf(evidence: EvidenceSummary): string[][] {
  if (evidence.tee === 'snp') return rowsOfSnp(evidence)
  return evidence.tee === 'tdx' ? rowsOfTdx(evidence) : rowsOfAzure(evidence)
}

function rowsOfAzure(evidence: AzureSummary): string[][] {
  const { secureBoot, console, pcrs, hardware } = evidence
  return [
    ['Azure VM', printable(evidence.vm)],
    [
      'started',
      `${secureBoot ? 'with' : 'WITHOUT'} secure boot, ${console ? 'with' : 'without'} a console`,
    ],
    ['nonce', evidence.nonce],
    ...Object.entries(pcrs).map(([index, value]) => [`PCR ${index}`, value]),
    ...rowsOf(hardware).map(([name = '', ...rest]) => [`paravisor's ${name}`, ...rest]),
  ]
}

function rowsOfSnp(evidence: SnpSummary): string[][] {
  const { tcb } = evidence
  return [
    ['processor', `${evidence.product}, report version ${evidence.reportVersion}`],
    ['signed by', evidence.signer],
    ['VMPL', String(evidence.vmpl)],
    [
      'TCB',
      Object.entries(tcb)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ],
    ['measurement', evidence.measurement],
    ['report data', evidence.reportData],
    ['host data', evidence.hostData],
  ]
}

function rowsOfTdx(evidence: TdxSummary): string[][] {
  return [
    [
      'processor',
      `Intel TDX, FMSPC ${evidence.fmspc}, quote version ${evidence.quoteVersion}, TD ${evidence.tdVersion}`,
    ],
    ['TCB', `${evidence.tcbStatus}, by collateral until ${evidence.collateralExpires}`],
    ['MRTD', evidence.mrTd],
    ...evidence.rtmrs.map((value, index) => [`RTMR${index}`, value]),
    ['report data', evidence.reportData],
    ['MRCONFIGID', evidence.mrConfigId],
  ]
}

function printInitdata(io: Io, paint: Paint, initdata: InitdataSummary): void {
  io.out(paint('bold', 'Initdata'))
  const rows = [
    ['encoding', `${initdata.encoding}, algorithm ${initdata.algorithm}`],
    ['SHA-384', initdata.sha384],
    ['files', initdata.files.map(printable).join(', ')],
  ]
  for (const line of layoutColumns(rows)) io.out(`  ${line}`)
  for (const { severity, code, path, message } of initdata.findings) {
    const style = severity === 'refuse' ? 'red' : severity === 'warn' ? 'yellow' : 'dim'
    io.out(`  ${paint(style, severity.padEnd(6))} ${code} at ${printable(path)}`)
    io.out(`         ${printable(message)}`)
  }
  io.out('')
}
