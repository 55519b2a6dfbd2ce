/**
 * Writes TDX quotes, true ones and ones that lie about their own form. For the simulator and for tests.
 *
 * The layout is that of `sdk/attest/tdx-quote.ts`, written from the same sources in the other direction.
 * @module
 */
import type { QeReport, TdReport } from '../../sdk/attest/tdx-quote.ts'
import { concatBytes, parseHex, utf8ToBytes } from '../../sdk/bytes.ts'

/** A quote without its signatures. */
export type TdxQuoteFields = {
  version: number
  keyType: number
  tee: number
  reserved: Uint8Array
  qeVendorId: Uint8Array
  userData: Uint8Array
  /** Version 5: 2 is TD 1.0, 3 is TD 1.5. */
  bodyType: number
  /** Version 5; the true size where absent. */
  bodySize?: number
  report: TdReport
  qe: QeReport
  authData: Uint8Array
  outerType: number
  innerType: number
  /** Behind the PEM text. */
  terminator: Uint8Array
  trailing: Uint8Array
}

export type QuoteParts = {
  signature: Uint8Array
  attestationKey: Uint8Array
  qeReport: Uint8Array
  qeSignature: Uint8Array
  pem: string
}

export const INTEL_QE_VENDOR = bytesOf('939a7233f79c4ca9940a0db3957f0607')
/** The simulated firmware. */
export const SIM_MRTD = new Uint8Array(48).fill(0x7d)
/** The simulator's quoting enclave. */
export const SIM_QE_SIGNER = new Uint8Array(32).fill(0x51)
const SIM_QE_ATTRIBUTES = bytesOf('1500000000000000e700000000000000')
/** A module of major version 1, minor 5, and microcode 3. */
export const SIM_TEE_TCB_SVN = bytesOf('05010300000000000000000000000000')

export function healthyQuote(version: 4 | 5, tdVersion: '1.0' | '1.5'): TdxQuoteFields {
  return {
    version,
    keyType: 2,
    tee: 0x81,
    reserved: new Uint8Array(4),
    qeVendorId: INTEL_QE_VENDOR,
    userData: new Uint8Array(20),
    bodyType: tdVersion === '1.0' ? 2 : 3,
    report: healthyReport(tdVersion),
    qe: {
      cpuSvn: new Uint8Array(16),
      miscSelect: 0,
      attributes: SIM_QE_ATTRIBUTES,
      mrEnclave: new Uint8Array(32).fill(0xe1),
      mrSigner: SIM_QE_SIGNER,
      isvProdId: 2,
      isvSvn: 6,
      reportData: new Uint8Array(64), // replaced by the binding of the key
    },
    authData: Uint8Array.from({ length: 32 }, (_, index) => index),
    outerType: 6,
    innerType: 5,
    terminator: Uint8Array.of(0),
    trailing: new Uint8Array(),
  }
}

function healthyReport(tdVersion: '1.0' | '1.5'): TdReport {
  const hash = (byte: number) => new Uint8Array(48).fill(byte)
  return {
    teeTcbSvn: SIM_TEE_TCB_SVN,
    mrSeam: hash(0x5e),
    mrSignerSeam: new Uint8Array(48),
    seamAttributes: 0n,
    tdAttributes: 1n << 28n,
    xfam: 0x602e7n,
    mrTd: SIM_MRTD,
    mrConfigId: new Uint8Array(48),
    mrOwner: new Uint8Array(48),
    mrOwnerConfig: new Uint8Array(48),
    rtmrs: [hash(0xa0), hash(0xa1), hash(0xa2), new Uint8Array(48)],
    reportData: new Uint8Array(64),
    ...(tdVersion === '1.0'
      ? {}
      : { teeTcbSvn2: SIM_TEE_TCB_SVN, mrServiceTd: new Uint8Array(48) }),
  }
}

/** Header to end of the report: what the attestation key signs. */
export function encodeSigned(fields: TdxQuoteFields): Uint8Array {
  const body = encodeReport(fields.report)
  return concatBytes(
    u16(fields.version),
    u16(fields.keyType),
    u32(fields.tee),
    fields.reserved,
    fields.qeVendorId,
    fields.userData,
    ...(fields.version === 5 ? [u16(fields.bodyType), u32(fields.bodySize ?? body.length)] : []),
    body,
  )
}

export function encodeQeReport(qe: QeReport): Uint8Array {
  const bytes = new Uint8Array(384)
  bytes.set(qe.cpuSvn, 0)
  bytes.set(u32(qe.miscSelect), 16)
  bytes.set(qe.attributes, 48)
  bytes.set(qe.mrEnclave, 64)
  bytes.set(qe.mrSigner, 128)
  bytes.set(u16(qe.isvProdId), 256)
  bytes.set(u16(qe.isvSvn), 258)
  bytes.set(qe.reportData, 320)
  return bytes
}

export function encodeQuote(
  signed: Uint8Array,
  fields: TdxQuoteFields,
  parts: QuoteParts,
): Uint8Array {
  const pem = concatBytes(utf8ToBytes(parts.pem), fields.terminator)
  const inner = concatBytes(
    parts.qeReport,
    parts.qeSignature,
    u16(fields.authData.length),
    fields.authData,
    u16(fields.innerType),
    u32(pem.length),
    pem,
  )
  const data = concatBytes(
    parts.signature,
    parts.attestationKey,
    u16(fields.outerType),
    u32(inner.length),
    inner,
  )
  return concatBytes(signed, u32(data.length), data, fields.trailing)
}

function encodeReport(report: TdReport): Uint8Array {
  return concatBytes(
    report.teeTcbSvn,
    report.mrSeam,
    report.mrSignerSeam,
    u64(report.seamAttributes),
    u64(report.tdAttributes),
    u64(report.xfam),
    report.mrTd,
    report.mrConfigId,
    report.mrOwner,
    report.mrOwnerConfig,
    ...report.rtmrs,
    report.reportData,
    report.teeTcbSvn2 ?? new Uint8Array(),
    report.mrServiceTd ?? new Uint8Array(),
  )
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8)
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

function bytesOf(hex: string): Uint8Array {
  const bytes = parseHex(hex)
  if (bytes === undefined) throw new Error('not hex')
  return bytes
}
