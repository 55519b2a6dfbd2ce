/**
 * `verify`: every check of a hardware report, of an initdata document, or of one against the other,
 * with what was compared and the outcome. Offline.
 * @module
 */

import { sha384 } from '@noble/hashes/sha2.js'
import { analysePolicy } from '../../policy/analyse.ts'
import { MAX_INITDATA_ENCODED, parseInitdata } from '../../policy/initdata.ts'
import type { Finding, Initdata } from '../../policy/types.ts'
import { type EatClaims, toEatClaims } from '../../sdk/attest/eat.ts'
import type { Check, InitdataBinding } from '../../sdk/attest/types.ts'
import { bytesToHex, equalBytes, parseHex, utf8ToBytes } from '../../sdk/bytes.ts'
import { EigenxError, type EigenxErrorJson, isEigenxError } from '../../sdk/errors.ts'
import { type ExitCode, type Io, readInput, UsageError } from './io.ts'
import { examine, isEvidence, teeOf } from './verify-evidence.ts'
import { printVerification } from './verify-print.ts'
import {
  readAuthorities,
  readCertificates,
  readCollateral,
  readCrls,
  readEventLog,
  type Trust,
  trustOf,
} from './verify-sources.ts'
import type { EvidenceSources, EvidenceSummary, Examined } from './verify-summary.ts'

export type VerifyInput = {
  files: readonly string[]
  certificate?: readonly string[]
  reportData?: string
  at?: string
  /** Privilege level that the report must be of; default 0. */
  vmpl?: number
  /** Files or folders. */
  collateral?: readonly string[]
  crl?: readonly string[]
  eventLog?: string
  snpRoots?: string
  tdxRoots?: string
  json: boolean
  /** Nothing cut short, and where each rule comes from. */
  explain: boolean
  /** The verdict as claims of an Entity Attestation Token. */
  eat: boolean
}

/** What `--json` prints. */
export type Verification = {
  accepted: boolean
  /** ISO 8601: the time for which certificates were checked. */
  at: string
  trust: Trust
  checks: readonly Check[]
  evidence?: EvidenceSummary
  initdata?: InitdataSummary
  binding?: InitdataBinding
  refusal?: EigenxErrorJson
}

export type InitdataSummary = {
  algorithm: string
  encoding: string
  sha384: string
  files: readonly string[]
  findings: readonly Finding[]
}

const DOCUMENT = { field: 'evidence or initdata', maxBytes: MAX_INITDATA_ENCODED }
const REPORT_DATA_BYTES = 64

export async function verifyFiles(io: Io, input: VerifyInput): Promise<ExitCode> {
  const at = parseDate(input.at, io)
  const wanted = parseReportData(input.reportData)
  const { evidence, initdata } = await readFiles(io, input.files)
  demandFitting(input, evidence)
  const authorities = await readAuthorities(io, input)
  const nowSeconds = Math.floor(at.getTime() / 1000)
  const sources: EvidenceSources = {
    authorities,
    certificates: await readCertificates(io, input.certificate ?? []),
    collateral: await readCollateral(io, input.collateral ?? [], authorities.tdx, nowSeconds),
    crls: await readCrls(io, input.crl ?? []),
    eventLog: input.eventLog === undefined ? undefined : await readEventLog(io, input.eventLog),
    vmpls: [input.vmpl ?? 0],
    nowSeconds,
  }
  if (input.eat && evidence === undefined) throw new UsageError('--eat goes with an evidence file')
  const { claims, ...result } = verifyAll({
    evidence: evidence === undefined ? undefined : (checks) => examine(evidence, sources, checks),
    initdata,
    wanted,
  })
  const trust = trustOf(evidence === undefined ? 'snp' : teeOf(evidence), input)
  const verification: Verification = { ...result, at: at.toISOString(), trust }
  if (input.eat) io.out(JSON.stringify(eatOf(verification, claims, nowSeconds), null, 2))
  else if (input.json) io.out(JSON.stringify(verification, null, 2))
  else printVerification(io, verification, input.explain)
  return verification.accepted ? 0 : 1
}

function eatOf(
  verification: Verification,
  claims: Examined['claims'] | undefined,
  at: number,
): EatClaims {
  const { checks, binding, refusal, trust } = verification
  return toEatClaims({
    checks,
    at,
    ...(claims === undefined ? {} : { claims }),
    ...(binding === undefined ? {} : { binding }),
    ...(refusal === undefined ? {} : { refusal: refusal.code }),
    ...(trust.startsWith('NOT') ? { trust } : {}),
  })
}

/** An option that would not be looked at is a mistake, and not knowing so could be taken for a check that passed. */
function demandFitting(input: VerifyInput, evidence: Uint8Array | undefined): void {
  const first = (options: Readonly<Record<string, unknown>>) =>
    Object.keys(options).find((name) => options[name] !== undefined)
  const { certificate, collateral, crl, eventLog, reportData, snpRoots, tdxRoots } = input
  if (evidence === undefined) {
    const stray = first({
      '--report-data': reportData,
      '--certificate': certificate,
      '--collateral': collateral,
      '--crl': crl,
      '--event-log': eventLog,
    })
    if (stray !== undefined) throw new UsageError(`${stray} goes with an evidence file`)
    return
  }
  const foreign = first(
    teeOf(evidence) === 'snp'
      ? { '--collateral': collateral, '--event-log': eventLog, '--tdx-roots': tdxRoots }
      : { '--certificate': certificate, '--crl': crl, '--snp-roots': snpRoots },
  )
  if (foreign !== undefined)
    throw new UsageError(`${foreign} does not go with evidence of this processor`)
}

type Verifiable = {
  evidence: ((checks: Check[]) => Examined) | undefined
  initdata: Uint8Array | undefined
  wanted: Uint8Array | undefined
}

/** Checks run until one fails; what was learnt before it stays in the answer. */
function verifyAll(
  input: Verifiable,
): Omit<Verification, 'at' | 'trust'> & { claims?: Examined['claims'] } {
  const checks: Check[] = []
  const found: Pick<Verification, 'evidence' | 'initdata' | 'binding'> & {
    claims?: Examined['claims']
  } = {}
  try {
    const evidence = input.evidence?.(checks)
    if (evidence !== undefined) {
      found.evidence = evidence.summary
      found.claims = evidence.claims
      evidence.appraise(checks)
      if (input.wanted !== undefined) demandReportData(evidence, input.wanted, checks)
    }
    if (input.initdata !== undefined) {
      const document = parseInitdata(input.initdata)
      found.initdata = summariseInitdata(document)
      if (evidence !== undefined) {
        found.binding = evidence.bind(document, checks)
        if (found.binding === 'report_data') demandGuestsWord(evidence, document, checks)
      }
      demandPolicy(found.initdata)
    }
    return { accepted: true, checks, ...found }
  } catch (error) {
    if (!isEigenxError(error)) throw error
    return { accepted: false, checks, ...found, refusal: error.toJSON() }
  }
}

function demandReportData(evidence: Examined, wanted: Uint8Array, checks: Check[]): void {
  const { reportData } = evidence
  const demanded = evidence.expected(wanted)
  const passed = equalBytes(reportData, demanded)
  checks.push({
    name: 'report-data.equals-demanded',
    result: passed ? 'passed' : 'failed',
    inputs: { report: bytesToHex(reportData), demanded: bytesToHex(demanded) },
    source: '--report-data',
  })
  if (!passed)
    throw new EigenxError({
      code: 'REPORT_DATA_MISMATCH',
      message: 'REPORT_DATA is not the demanded one',
      stage: 'evidence',
      details: { version: 0 },
    })
}

/**
 * The launch anchored nothing, so the guest must at least have named this document in REPORT_DATA:
 * version 2 puts 32 bytes of the TOML's digest into its upper half, version 1 hex of 16 bytes of the
 * digest of the document as received.
 */
function demandGuestsWord({ reportData }: Examined, document: Initdata, checks: Check[]): void {
  const half = reportData.subarray(REPORT_DATA_BYTES / 2)
  const asVersion2 = document.sha384.subarray(0, REPORT_DATA_BYTES / 2)
  const asVersion1 = utf8ToBytes(bytesToHex(sha384(document.received).subarray(0, 16)))
  const passed = equalBytes(half, asVersion2) || equalBytes(half, asVersion1)
  checks.push({
    name: 'report-data.names-initdata',
    result: passed ? 'passed' : 'failed',
    inputs: { reportDataUpperHalf: bytesToHex(half), sha384: bytesToHex(document.sha384) },
    source: 'docs/protocol.md, REPORT_DATA',
  })
  if (!passed)
    throw new EigenxError({
      code: 'INITDATA_MISMATCH',
      message: 'neither the launch nor REPORT_DATA names this document',
      stage: 'initdata',
      details: { anchor: 'report_data' },
      hint: 'The vTPM of an Azure VM names a document in register 8 alone.',
    })
}

/** What operators refuse unless the release pins the whole document. */
function demandPolicy(initdata: InitdataSummary): void {
  const excess = initdata.findings.filter((finding) => finding.severity === 'refuse')
  if (excess.length === 0) return
  throw new EigenxError({
    code: 'POLICY_TOO_PERMISSIVE',
    message: 'the policy in the initdata admits more than the image of a release',
    stage: 'policy',
    details: { findings: excess.map(({ code, path, message }) => ({ code, path, message })) },
    hint: 'Only a release that pins this very document could be served. `eigenx-tee policy explain` lists what it admits.',
  })
}

async function readFiles(
  io: Io,
  paths: readonly string[],
): Promise<{ evidence?: Uint8Array; initdata?: Uint8Array }> {
  let evidence: Uint8Array | undefined
  let initdata: Uint8Array | undefined
  for (const path of paths) {
    const bytes = await readInput(io, path, DOCUMENT)
    if (isEvidence(bytes)) {
      if (evidence !== undefined) throw new UsageError('two evidence files: give one')
      evidence = bytes
    } else {
      if (initdata !== undefined) throw new UsageError('two initdata files: give one')
      initdata = bytes
    }
  }
  return {
    ...(evidence === undefined ? {} : { evidence }),
    ...(initdata === undefined ? {} : { initdata }),
  }
}

function parseDate(text: string | undefined, io: Io): Date {
  if (text === undefined) return io.now()
  const date = new Date(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(date.getTime()))
    throw new UsageError('--at: expected a date such as 2026-05-01 or 2026-05-01T12:00:00Z')
  return date
}

function parseReportData(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  const bytes = parseHex(text, REPORT_DATA_BYTES)
  if (bytes === undefined) throw new UsageError('--report-data: expected 64 bytes as hex')
  return bytes
}

function summariseInitdata(document: Initdata): InitdataSummary {
  const rego = document.data['policy.rego']
  return {
    algorithm: document.algorithm,
    encoding: document.encoding,
    sha384: bytesToHex(document.sha384),
    files: Object.keys(document.data),
    findings:
      rego === undefined
        ? [
            {
              code: 'POLICY_MISSING',
              severity: 'refuse',
              path: 'initdata.data',
              message: 'There is no policy.rego: the agent in the pod then allows everything.',
            },
          ]
        : analysePolicy(rego).findings,
  }
}
