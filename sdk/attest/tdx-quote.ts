/**
 * Intel TDX quotes, versions 4 and 5: bytes in, record out. No signature, no policy, no I/O.
 *
 * Source: Intel TDX DCAP Quoting Library API, appendix "Quote format"; Intel TDX Module ABI, TDREPORT_STRUCT. All integers of the
 * container are little-endian; the two ECDSA signatures and the attestation key are big-endian.
 *
 *   header (48) | version 5: body type u16, body size u32 | TD report (584 or 648) | u32 length | signature data | zeros
 *
 * Every byte is in a field below, or refused unless zero. The certificate chain is PEM text that no signature covers, so it
 * must be the one text that our own encoder writes for its certificates: one quote has one form.
 * @module
 */
import { isZero, parseUtf8 } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { encodeCertificatePem, parsePemChain } from './pem.ts'
import { CERTIFICATE_LIMIT } from './x509.ts'

/** Providers pad to 5 or 8 KB. */
export const QUOTE_LIMIT = 16 * 1024

const HEADER_SIZE = 48
const TDX = 0x81
const TD_REPORT_SIZE = { '1.0': 584, '1.5': 648 } as const
const QE_REPORT_SIZE = 384
/** Signature, key, type, size; then QE report, its signature, length of the auth data. */
const CERTIFICATION_AT = 128
const QE_REPORT_AT = 134
/** Intel's quoting enclave writes 32. */
const AUTH_DATA_LIMIT = 1024
const CHAIN_LENGTH = 3
const PEM_LIMIT = 2 * CHAIN_LENGTH * CERTIFICATE_LIMIT

/** Names of certification data, for refusals. */
const CERTIFICATION_TYPES: Readonly<Record<number, string>> = {
  1: 'PPID in clear text',
  2: 'PPID encrypted with RSA-2048',
  3: 'PPID encrypted with RSA-3072',
  4: 'PCK leaf certificate alone',
  5: 'PCK certificate chain',
  6: 'QE report with certification data',
  7: 'platform manifest',
}

export type TdReport = {
  teeTcbSvn: Uint8Array
  mrSeam: Uint8Array
  mrSignerSeam: Uint8Array
  seamAttributes: bigint
  tdAttributes: bigint
  xfam: bigint
  mrTd: Uint8Array
  mrConfigId: Uint8Array
  mrOwner: Uint8Array
  mrOwnerConfig: Uint8Array
  rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  reportData: Uint8Array
  /** TD 1.5. */
  teeTcbSvn2?: Uint8Array
  mrServiceTd?: Uint8Array
}

/** The report of the quoting enclave, an SGX REPORT body. */
export type QeReport = {
  cpuSvn: Uint8Array
  miscSelect: number
  /** 16 bytes: flags, then XFRM. */
  attributes: Uint8Array
  mrEnclave: Uint8Array
  mrSigner: Uint8Array
  isvProdId: number
  isvSvn: number
  reportData: Uint8Array
}

export type TdxQuote = {
  version: 4 | 5
  qeVendorId: Uint8Array
  userData: Uint8Array
  tdVersion: '1.0' | '1.5'
  report: TdReport
  /** Header to end of the report: what the attestation key signed. */
  signed: Uint8Array
  /** r || s. */
  signature: Uint8Array
  /** x || y. */
  attestationKey: Uint8Array
  qe: {
    report: QeReport
    /** The 384 bytes that the PCK signed. */
    signed: Uint8Array
    signature: Uint8Array
    authData: Uint8Array
  }
  /** DER in the order of the text: leaf, intermediate, root. */
  certificates: readonly Uint8Array[]
}

/**
 * @param bytes - One quote, with zeros behind it as some providers pad.
 * @throws EVIDENCE_MALFORMED naming the first field that does not fit and where it is; INPUT_TOO_LARGE
 */
export function parseTdxQuote(bytes: Uint8Array): TdxQuote {
  if (bytes.length > QUOTE_LIMIT) throw tooLarge('quote', QUOTE_LIMIT)
  const read = createReader(bytes)
  const version = readHeader(read)
  const { tdVersion, at } = version === 4 ? readV4(read) : readV5(read)
  const end = at + TD_REPORT_SIZE[tdVersion]
  const report = readTdReport(read, at, tdVersion)
  const start = end + 4
  const length = read.u32(end, 'signature data length')
  read.need(start, length, 'signature data')
  const quote = {
    version,
    qeVendorId: read.field(12, 16),
    userData: read.field(28, 20),
    tdVersion,
    report,
    signed: read.field(0, end),
    ...readSignatureData(createReader(bytes.subarray(0, start + length)), start),
  }
  read.zero(start + length, bytes.length, 'trailing bytes')
  return quote
}

/** The header is the same in both versions; only what follows differs. */
function readHeader(read: Reader): 4 | 5 {
  read.need(0, HEADER_SIZE, 'header')
  const version = read.u16(0, 'version')
  if (version !== 4 && version !== 5)
    throw malformed('version', `TDX quote: version ${version} is not supported`, 0)
  const keyType = read.u16(2, 'attestation key type')
  if (keyType !== 2)
    throw malformed('attestation key type', `TDX quote: key type ${keyType} is not ECDSA P-256`, 2)
  const tee = read.u32(4, 'TEE type')
  if (tee !== TDX)
    throw malformed('TEE type', tee === 0 ? 'this is an SGX quote' : 'this is not a TDX quote', 4)
  read.zero(8, 12, 'reserved')
  return version
}

const readV4 = (_read: Reader) => ({ tdVersion: '1.0' as const, at: HEADER_SIZE })

function readV5(read: Reader): { tdVersion: '1.0' | '1.5'; at: number } {
  const type = read.u16(HEADER_SIZE, 'body type')
  const size = read.u32(HEADER_SIZE + 2, 'body size')
  const refused = (why: string) =>
    malformed('body type', `TDX quote: body type ${type} ${why}`, HEADER_SIZE)
  if (type === 1) throw refused('is an SGX enclave report in a quote that says TDX')
  if (type === 4) throw refused('is a TD 1.5 ex report, which this verifier does not support')
  if (type !== 2 && type !== 3) throw refused('is unknown')
  const tdVersion = type === 2 ? '1.0' : '1.5'
  if (size !== TD_REPORT_SIZE[tdVersion])
    throw malformed('body size', `TDX quote: body size ${size} is not that of type ${type}`, 50)
  return { tdVersion, at: HEADER_SIZE + 6 }
}

function readTdReport(read: Reader, at: number, tdVersion: '1.0' | '1.5'): TdReport {
  read.need(at, TD_REPORT_SIZE[tdVersion], 'TD report')
  const field = (offset: number, size: number) => read.field(at + offset, size)
  return {
    teeTcbSvn: field(0x000, 16),
    mrSeam: field(0x010, 48),
    mrSignerSeam: field(0x040, 48),
    seamAttributes: read.u64(at + 0x070),
    tdAttributes: read.u64(at + 0x078),
    xfam: read.u64(at + 0x080),
    mrTd: field(0x088, 48),
    mrConfigId: field(0x0b8, 48),
    mrOwner: field(0x0e8, 48),
    mrOwnerConfig: field(0x118, 48),
    rtmrs: [field(0x148, 48), field(0x178, 48), field(0x1a8, 48), field(0x1d8, 48)],
    reportData: field(0x208, 64),
    ...(tdVersion === '1.0' ? {} : { teeTcbSvn2: field(0x248, 16), mrServiceTd: field(0x258, 48) }),
  }
}

/** `read` ends with the signature data, so that no field reaches into the padding. */
function readSignatureData(
  read: Reader,
  start: number,
): Pick<TdxQuote, 'signature' | 'attestationKey' | 'qe' | 'certificates'> {
  const certificationAt = start + CERTIFICATION_AT
  requireType(read, certificationAt, 6, 'certification data type')
  const size = read.u32(certificationAt + 2, 'certification data size')
  const qeAt = start + QE_REPORT_AT
  if (size !== read.length - qeAt)
    throw malformed(
      'certification data size',
      `TDX quote: certification data of ${size} bytes does not fill the signature data`,
      certificationAt + 2,
    )
  const qeSignatureAt = qeAt + QE_REPORT_SIZE
  const authLengthAt = qeSignatureAt + 64
  const authLength = read.u16(authLengthAt, 'auth data length')
  if (authLength > AUTH_DATA_LIMIT)
    throw malformed('auth data length', 'TDX quote: QE auth data is too long', authLengthAt)
  const authAt = authLengthAt + 2
  read.need(authAt, authLength, 'auth data')
  return {
    signature: read.field(start, 64),
    attestationKey: read.field(start + 64, 64),
    qe: {
      report: readQeReport(read, qeAt),
      signed: read.field(qeAt, QE_REPORT_SIZE),
      signature: read.field(qeSignatureAt, 64),
      authData: read.field(authAt, authLength),
    },
    certificates: readChain(read, authAt + authLength),
  }
}

function readQeReport(read: Reader, at: number): QeReport {
  read.need(at, QE_REPORT_SIZE, 'QE report')
  for (const [from, to] of [
    [20, 32],
    [96, 128],
    [160, 192],
    [262, 304],
  ] as const)
    read.zero(at + from, at + to, 'QE report reserved')
  // Extended product id, configuration and family id: an Intel quoting enclave uses none of them.
  for (const [from, to] of [
    [32, 48],
    [192, 256],
    [260, 262],
    [304, 320],
  ] as const)
    read.zero(at + from, at + to, 'QE report configuration')
  return {
    cpuSvn: read.field(at, 16),
    miscSelect: read.u32(at + 16, 'QE report'),
    attributes: read.field(at + 48, 16),
    mrEnclave: read.field(at + 64, 32),
    mrSigner: read.field(at + 128, 32),
    isvProdId: read.u16(at + 256, 'QE report'),
    isvSvn: read.u16(at + 258, 'QE report'),
    reportData: read.field(at + 320, 64),
  }
}

function readChain(read: Reader, at: number): Uint8Array[] {
  requireType(read, at, 5, 'PCK certification data type')
  const size = read.u32(at + 2, 'PCK certification data size')
  const textAt = at + 6
  if (size !== read.length - textAt)
    throw malformed(
      'PCK certification data size',
      `TDX quote: a PCK chain of ${size} bytes does not fill the certification data`,
      at + 2,
    )
  if (size > PEM_LIMIT) throw tooLarge('PCK chain', PEM_LIMIT)
  const whole = parseUtf8(read.field(textAt, size)) ?? ''
  // Intel's library counts the end of the C string; Google's quotes come without.
  const text = whole.endsWith('\0') ? whole.slice(0, -1) : whole
  const chain = parsePemChain(text, CHAIN_LENGTH)
  if (chain?.length !== CHAIN_LENGTH || chain.map(encodeCertificatePem).join('') !== text)
    throw malformed('PCK chain', 'TDX quote: the PCK chain is not three PEM certificates', textAt)
  return chain
}

function requireType(read: Reader, at: number, wanted: 5 | 6, field: string): void {
  const type = read.u16(at, field)
  if (type === wanted) return
  const name = CERTIFICATION_TYPES[type] ?? 'unknown'
  throw malformed(field, `TDX quote: ${field} ${type} (${name}) is not supported`, at)
}

type Reader = {
  length: number
  need: (at: number, size: number, field: string) => void
  u16: (at: number, field: string) => number
  u32: (at: number, field: string) => number
  u64: (at: number) => bigint
  field: (at: number, size: number) => Uint8Array
  zero: (from: number, to: number, field: string) => void
}

function createReader(bytes: Uint8Array): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const need: Reader['need'] = (at, size, field) => {
    if (at + size > bytes.length)
      throw malformed(field, `TDX quote ends inside ${field}`, Math.min(at, bytes.length))
  }
  return {
    length: bytes.length,
    need,
    u16: (at, field) => {
      need(at, 2, field)
      return view.getUint16(at, true)
    },
    u32: (at, field) => {
      need(at, 4, field)
      return view.getUint32(at, true)
    },
    u64: (at) => view.getBigUint64(at, true),
    field: (at, size) => bytes.slice(at, at + size),
    zero: (from, to, field) => {
      if (isZero(bytes.subarray(from, to))) return
      const at = from + bytes.subarray(from, to).findIndex((byte) => byte !== 0)
      throw malformed(field, `TDX quote: ${field} not zero at byte ${at}`, at)
    },
  }
}
