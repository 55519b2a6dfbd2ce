/**
 * `verify`: every check of a hardware report, of an initdata document, or of one against the other,
 * with what was compared and the outcome. Offline.
 * @module
 */

import { sha384 } from '@noble/hashes/sha2.js'
import { analysePolicy } from '../../policy/analyse.ts'
import { MAX_INITDATA_ENCODED, parseInitdata } from '../../policy/initdata.ts'
import type { Finding, Initdata } from '../../policy/types.ts'
import { parseAaSnpEvidence } from '../../sdk/attest/aa-snp.ts'
import {
  AMD_ANCHORS,
  parseSnpRoots,
  ROOTS_FILE,
  type SnpTrustAnchors,
} from '../../sdk/attest/anchors.ts'
import { bindInitdata } from '../../sdk/attest/binding.ts'
import { parseCertificatePem } from '../../sdk/attest/pem.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY, type SnpPolicy } from '../../sdk/attest/snp-policy.ts'
import { type SnpEvidence, verifySnp } from '../../sdk/attest/snp-verify.ts'
import type { Check, InitdataBinding, SnpClaims } from '../../sdk/attest/types.ts'
import { parseWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { bytesToHex, equalBytes, parseHex, parseUtf8, utf8ToBytes } from '../../sdk/bytes.ts'
import { EigenxError, type EigenxErrorJson, isEigenxError } from '../../sdk/errors.ts'
import { type ExitCode, type Io, readInput, readTextInput, UsageError } from './io.ts'
import { printVerification } from './verify-print.ts'

export type VerifyInput = {
  files: readonly string[]
  certificate?: readonly string[]
  reportData?: string
  at?: string
  /** Privilege level that the report must be of; default 0. */
  vmpl?: number
  snpRoots?: string
  json: boolean
}

/** What `--json` prints. */
export type Verification = {
  accepted: boolean
  /** ISO 8601: the time for which certificates were checked. */
  at: string
  trust: 'amd' | 'NOT AMD: roots given on the command line'
  checks: readonly Check[]
  evidence?: EvidenceSummary
  initdata?: InitdataSummary
  binding?: InitdataBinding
  refusal?: EigenxErrorJson
}

export type EvidenceSummary = {
  product: string
  reportVersion: number
  signer: string
  vmpl: number
  measurement: string
  reportData: string
  hostData: string
  tcb: SnpClaims['tcb']['reported']
  advisories: SnpClaims['advisories']
}

export type InitdataSummary = {
  algorithm: string
  encoding: string
  sha384: string
  files: readonly string[]
  findings: readonly Finding[]
}

/** An operator's defaults, but for old hosts: whoever inspects a report wants to know whether it is genuine. */
const INSPECTION_POLICY: SnpPolicy = { ...DEFAULT_SNP_POLICY, minimumReportVersion: 2 }
const BINARY_REPORT_BYTES = 1184
const DOCUMENT = { field: 'evidence or initdata', maxBytes: MAX_INITDATA_ENCODED }
const CERTIFICATES = { field: 'a chain of certificates', maxBytes: 64 * 1024 }
const REPORT_DATA_BYTES = 64
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

export async function verifyFiles(io: Io, input: VerifyInput): Promise<ExitCode> {
  const at = parseDate(input.at, io)
  const { anchors, trust } = await readAnchors(io, input.snpRoots)
  const wanted = parseReportData(input.reportData)
  const { evidence, initdata } = await readFiles(io, input)
  if (evidence === undefined && (wanted !== undefined || input.certificate !== undefined))
    throw new UsageError('--report-data and --certificate go with an evidence file')
  const policy = { ...INSPECTION_POLICY, vmpls: [input.vmpl ?? 0] }
  const result = verifyAll({ evidence, initdata, anchors, at, wanted, policy })
  const verification: Verification = { ...result, at: at.toISOString(), trust }
  if (input.json) io.out(JSON.stringify(verification, null, 2))
  else printVerification(io, verification)
  return verification.accepted ? 0 : 1
}

type Verifiable = {
  evidence: (() => SnpEvidence) | undefined
  initdata: Uint8Array | undefined
  anchors: SnpTrustAnchors
  at: Date
  wanted: Uint8Array | undefined
  policy: SnpPolicy
}

/** Checks run until one fails; what was learnt before it stays in the answer. */
function verifyAll(input: Verifiable): Omit<Verification, 'at' | 'trust'> {
  const checks: Check[] = []
  const found: Pick<Verification, 'evidence' | 'initdata' | 'binding'> = {}
  try {
    let claims: SnpClaims | undefined
    if (input.evidence !== undefined) {
      const nowSeconds = Math.floor(input.at.getTime() / 1000)
      claims = verifySnp(input.evidence(), input.anchors, nowSeconds, checks).claims
      found.evidence = summariseClaims(claims)
      appraiseSnp(claims, input.policy, checks)
      if (input.wanted !== undefined) demandReportData(claims, input.wanted, checks)
    }
    if (input.initdata !== undefined) {
      const document = parseInitdata(input.initdata)
      found.initdata = summariseInitdata(document)
      if (claims !== undefined) {
        const { measurements } = input.policy
        found.binding = bindInitdata(claims, document, measurements, checks).binding
        if (found.binding === 'report_data') demandGuestsWord(claims, document, checks)
      }
      demandPolicy(found.initdata)
    }
    return { accepted: true, checks, ...found }
  } catch (error) {
    if (!isEigenxError(error)) throw error
    return { accepted: false, checks, ...found, refusal: error.toJSON() }
  }
}

function demandReportData(claims: SnpClaims, wanted: Uint8Array, checks: Check[]): void {
  const passed = equalBytes(claims.reportData, wanted)
  checks.push({
    name: 'report-data.equals-demanded',
    result: passed ? 'passed' : 'failed',
    inputs: { report: bytesToHex(claims.reportData), demanded: bytesToHex(wanted) },
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
function demandGuestsWord(claims: SnpClaims, document: Initdata, checks: Check[]): void {
  const half = claims.reportData.subarray(REPORT_DATA_BYTES / 2)
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
      message: 'neither HOST_DATA nor REPORT_DATA names this document',
      stage: 'initdata',
      details: { anchor: 'report_data' },
      hint: 'On a cloud that keeps the digest elsewhere (Azure: PCR 8 of the vTPM), this version cannot check it.',
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
  input: VerifyInput,
): Promise<Pick<Verifiable, 'evidence' | 'initdata'>> {
  let evidence: Verifiable['evidence']
  let initdata: Uint8Array | undefined
  const certificates = await readCertificates(io, input.certificate ?? [])
  for (const path of input.files) {
    const bytes = await readInput(io, path, DOCUMENT)
    if (isEvidence(bytes)) {
      if (evidence !== undefined) throw new UsageError('two evidence files: give one')
      evidence = () => parseEvidence(bytes, certificates)
    } else {
      if (initdata !== undefined) throw new UsageError('two initdata files: give one')
      initdata = bytes
    }
  }
  return { evidence, initdata }
}

/** Evidence is JSON or binary; initdata is TOML or base64, and begins with neither `{` nor NUL-ridden bytes. */
function isEvidence(bytes: Uint8Array): boolean {
  const text = parseUtf8(bytes)
  return text === undefined || text.includes('\0') || text.trimStart().startsWith('{')
}

function parseEvidence(bytes: Uint8Array, certificates: readonly Uint8Array[]): SnpEvidence {
  const text = parseUtf8(bytes)
  if (bytes.length === BINARY_REPORT_BYTES || text === undefined)
    return { report: bytes, certificates }
  // The agent's report is an object of fields; on the wire to the operators it is base64 text.
  const isWire = /"attestation_report"\s*:\s*"/.test(text)
  const parsed = isWire ? parseWireSnpEvidence(bytes) : parseAaSnpEvidence(text)
  return { report: parsed.report, certificates: [...parsed.certificates, ...certificates] }
}

async function readCertificates(io: Io, paths: readonly string[]): Promise<Uint8Array[]> {
  const certificates: Uint8Array[] = []
  for (const path of paths) {
    const bytes = await readInput(io, path, CERTIFICATES)
    // AMD's key server gives several PEM blocks in one file; anything else is DER.
    const blocks = parseUtf8(bytes)?.match(PEM_BLOCK) ?? []
    if (blocks.length === 0) certificates.push(bytes)
    for (const block of blocks) {
      const der = parseCertificatePem(block)
      if (der === undefined) throw new UsageError(`${path}: a PEM block is not a certificate`)
      certificates.push(der)
    }
  }
  return certificates
}

async function readAnchors(
  io: Io,
  path: string | undefined,
): Promise<{ anchors: SnpTrustAnchors; trust: Verification['trust'] }> {
  if (path === undefined) return { anchors: AMD_ANCHORS, trust: 'amd' }
  return {
    anchors: parseSnpRoots(await readTextInput(io, path, ROOTS_FILE)),
    trust: 'NOT AMD: roots given on the command line',
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

function summariseClaims(claims: SnpClaims): EvidenceSummary {
  return {
    product: claims.product,
    reportVersion: claims.reportVersion,
    signer: claims.cspId === undefined ? claims.signer : `${claims.signer} of ${claims.cspId}`,
    vmpl: claims.vmpl,
    measurement: bytesToHex(claims.measurement),
    reportData: bytesToHex(claims.reportData),
    hostData: bytesToHex(claims.hostData),
    tcb: claims.tcb.reported,
    advisories: claims.advisories,
  }
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
