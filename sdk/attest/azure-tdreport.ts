/**
 * The TDREPORT in an Azure TDX report against the quote that was made from it.
 *
 * Source: Intel TDX Module ABI, REPORTMACSTRUCT, TEE_TCB_INFO and TDINFO_STRUCT. A TDREPORT is authenticated to its own CPU only, by a
 * MAC, so the quote is what counts; every field that both have must be equal, and what the MAC structure hashes must hash so.
 * What a remote verifier cannot know, and nobody reads, is the MAC itself and CPUSVN: 48 bytes.
 * @module
 */
import { createHash } from 'node:crypto'
import { equalBytes, isZero } from '../bytes.ts'
import { malformed } from './checks.ts'

const SIZE = 1024
const TCB_INFO = [256, 495] as const
const TD_INFO = [512, 1024] as const
const SERVICE_TD_HASH = [912, 960] as const
/** TDREPORT range, then where the quote's TD report has the same bytes. */
const SAME: readonly (readonly [from: number, to: number, inBody: number])[] = [
  [264, 384, 0], // TEE_TCB_SVN, MRSEAM, MRSIGNERSEAM, SEAMATTRIBUTES
  [512, 912, 120], // TDATTRIBUTES to RTMR3
  [128, 192, 520], // REPORTDATA
]

export type TdReportStruct = { bytes: Uint8Array; reportData: Uint8Array }

/** @throws EVIDENCE_MALFORMED */
export function parseTdReportStruct(bytes: Uint8Array): TdReportStruct {
  if (bytes.length !== SIZE) throw bad('length', 0)
  const [type, subtype, version, last] = bytes
  // Version 1 says that service TDs are bound, and only then their hash is there.
  const expectedVersion = isZero(bytes.subarray(...SERVICE_TD_HASH)) ? 0 : 1
  if (type !== 0x81 || subtype !== 0 || version !== expectedVersion || last !== 0)
    throw bad('report_type', 0)
  for (const [from, to] of [
    [4, 16],
    [192, 224],
    [495, 512],
  ] as const)
    if (!isZero(bytes.subarray(from, to))) throw bad('reserved', from)
  return { bytes, reportData: bytes.slice(128, 192) }
}

/** TEE_TCB_INFO_HASH and TEE_INFO_HASH are those of the structures behind them. */
export function tdReportHashesHold({ bytes }: TdReportStruct): boolean {
  const hash = (range: readonly [number, number]) =>
    createHash('sha384')
      .update(bytes.subarray(...range))
      .digest()
  return (
    equalBytes(bytes.subarray(32, 80), hash(TCB_INFO)) &&
    equalBytes(bytes.subarray(80, 128), hash(TD_INFO))
  )
}

/** @param quote - Parsed and verified: version 5 has six bytes more before the TD report. */
export function tdReportEqualsQuote({ bytes }: TdReportStruct, quote: Uint8Array): boolean {
  const body = quote.subarray(quote[0] === 5 ? 54 : 48)
  return SAME.every(([from, to, inBody]) =>
    equalBytes(bytes.subarray(from, to), body.subarray(inBody, inBody + to - from)),
  )
}

const bad = (field: string, offset: number) =>
  malformed(`hcl_report.tdreport.${field}`, `TDREPORT: bad ${field}`, offset)
