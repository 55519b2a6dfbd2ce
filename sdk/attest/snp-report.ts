/**
 * AMD SEV-SNP ATTESTATION_REPORT, versions 2 to 5: bytes in, record out. No signature, no policy, no I/O.
 *
 * Source: AMD 56860 (SEV-SNP Firmware ABI), ATTESTATION_REPORT and TCB_VERSION tables. Offsets are that table's, in bytes; all
 * integers are little-endian. Every byte of a report is either in a field below or refused unless zero.
 * @module
 */
import { malformed } from './checks.ts'
import type { FirmwareVersion, SnpGuestPolicy, SnpProduct, SnpTcb } from './types.ts'

/** Size of a report in every version. */
export const REPORT_SIZE = 0x4a0
/** The signature covers the bytes before this offset. */
export const SIGNED_SIZE = 0x2a0
/** One half of the signature: little-endian, the upper 24 bytes zero on P-384. */
export const SIGNATURE_HALF = 72

export type SigningKey = 'VCEK' | 'VLEK' | 'none' | 'reserved'

export type SnpReport = {
  version: number
  guestSvn: number
  policy: SnpGuestPolicy
  familyId: Uint8Array
  imageId: Uint8Array
  /** 0..3; 0xffffffff when the host asked for the report. */
  vmpl: number
  currentTcb: Uint8Array
  platformInfo: bigint
  authorKeyEnabled: boolean
  maskChipKey: boolean
  signingKey: SigningKey
  reportData: Uint8Array
  measurement: Uint8Array
  hostData: Uint8Array
  idKeyDigest: Uint8Array
  authorKeyDigest: Uint8Array
  reportId: Uint8Array
  reportIdMa: Uint8Array
  /** The TCB that the signing key was derived for. Packed: read it with `unpackTcb`. */
  reportedTcb: Uint8Array
  /** Version 3 and up. */
  cpuid?: { family: number; model: number; stepping: number }
  chipId: Uint8Array
  committedTcb: Uint8Array
  current: FirmwareVersion
  committed: FirmwareVersion
  launchTcb: Uint8Array
  /** Version 5. */
  launchMitigations?: bigint
  currentMitigations?: bigint
  /** The signed bytes and both halves of the signature as the firmware wrote them. */
  signed: Uint8Array
  signature: { r: Uint8Array; s: Uint8Array }
}

/**
 * @param bytes - Exactly one report: bytes behind it would not be covered by the signature.
 * @throws EVIDENCE_MALFORMED naming the first field that does not fit, and where it is.
 */
export function parseSnpReport(bytes: Uint8Array): SnpReport {
  if (bytes.length !== REPORT_SIZE)
    throw malformed('length', `an SNP report has ${REPORT_SIZE} bytes, not ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u32 = (at: number) => view.getUint32(at, true)
  const u64 = (at: number) => view.getBigUint64(at, true)
  const u8 = (at: number) => view.getUint8(at)
  const field = (at: number, size: number) => bytes.slice(at, at + size)
  const tcb = (at: number) => field(at, 8)
  const firmware = (at: number) => ({ build: u8(at), minor: u8(at + 1), major: u8(at + 2) })

  const version = u32(0x000)
  if (version < 2 || version > 5) throw bad('version', 0x000)
  if (u32(0x034) !== 1) throw bad('signature algorithm', 0x034) // 1 = ECDSA P-384 with SHA-384
  const keyInfo = u32(0x048)
  if (keyInfo >>> 5 !== 0) throw bad('reserved', 0x048)
  requireZero(bytes, 0x04c, 0x050)
  requireZero(bytes, version < 3 ? 0x188 : 0x18b, 0x1a0)
  requireZero(bytes, 0x1eb, 0x1ec)
  requireZero(bytes, 0x1ef, 0x1f0)
  requireZero(bytes, version < 5 ? 0x1f8 : 0x208, SIGNED_SIZE)
  // Not signed: any other value would make a second valid byte string for the same report.
  requireZero(bytes, SIGNED_SIZE + 2 * SIGNATURE_HALF, REPORT_SIZE)

  return {
    version,
    guestSvn: u32(0x004),
    policy: readPolicy(u64(0x008)),
    familyId: field(0x010, 16),
    imageId: field(0x020, 16),
    vmpl: u32(0x030),
    currentTcb: tcb(0x038),
    platformInfo: u64(0x040),
    authorKeyEnabled: (keyInfo & 1) !== 0,
    maskChipKey: (keyInfo & 2) !== 0,
    signingKey: readSigningKey((keyInfo >>> 2) & 7),
    reportData: field(0x050, 64),
    measurement: field(0x090, 48),
    hostData: field(0x0c0, 32),
    idKeyDigest: field(0x0e0, 48),
    authorKeyDigest: field(0x110, 48),
    reportId: field(0x140, 32),
    reportIdMa: field(0x160, 32),
    reportedTcb: tcb(0x180),
    ...(version < 3 ? {} : { cpuid: { family: u8(0x188), model: u8(0x189), stepping: u8(0x18a) } }),
    chipId: field(0x1a0, 64),
    committedTcb: tcb(0x1e0),
    current: firmware(0x1e8),
    committed: firmware(0x1ec),
    launchTcb: tcb(0x1f0),
    ...(version < 5 ? {} : { launchMitigations: u64(0x1f8), currentMitigations: u64(0x200) }),
    signed: field(0, SIGNED_SIZE),
    signature: {
      r: field(SIGNED_SIZE, SIGNATURE_HALF),
      s: field(SIGNED_SIZE + SIGNATURE_HALF, SIGNATURE_HALF),
    },
  }
}

/** Family 19h: Milan, Genoa with Bergamo and Siena. Family 1Ah: Turin. Anything else is not known here. */
export function productOfCpuid(cpuid: { family: number; model: number }): SnpProduct | undefined {
  const { family, model } = cpuid
  if (family === 0x19 && model <= 0x0f) return 'Milan'
  if (family === 0x19 && model >= 0x10 && model <= 0x1f) return 'Genoa'
  if (family === 0x19 && model >= 0xa0 && model <= 0xaf) return 'Genoa'
  if (family === 0x1a && model <= 0x11) return 'Turin'
  return undefined
}

/**
 * Byte positions of TCB_VERSION: Turin put the FMC first and moved the rest.
 * @throws EVIDENCE_MALFORMED when a reserved byte is set.
 */
export function unpackTcb(packed: Uint8Array, product: SnpProduct, field: string): SnpTcb {
  const at = (index: number) => packed[index] ?? 0
  const turin = product === 'Turin'
  const reserved = turin ? [4, 5, 6] : [2, 3, 4, 5]
  if (packed.length !== 8 || reserved.some((index) => at(index) !== 0))
    throw malformed(field, `SNP report: reserved byte set in ${field}`)
  if (turin) return { fmc: at(0), bootloader: at(1), tee: at(2), snp: at(3), microcode: at(7) }
  return { bootloader: at(0), tee: at(1), snp: at(6), microcode: at(7) }
}

/** The inverse of `unpackTcb`. */
export function packTcb(tcb: SnpTcb, product: SnpProduct): Uint8Array {
  return product === 'Turin'
    ? Uint8Array.of(tcb.fmc ?? 0, tcb.bootloader, tcb.tee, tcb.snp, 0, 0, 0, tcb.microcode)
    : Uint8Array.of(tcb.bootloader, tcb.tee, 0, 0, 0, 0, tcb.snp, tcb.microcode)
}

function readPolicy(raw: bigint): SnpGuestPolicy {
  const bit = (index: bigint) => ((raw >> index) & 1n) === 1n
  return {
    raw,
    abiMinor: Number(raw & 0xffn),
    abiMajor: Number((raw >> 8n) & 0xffn),
    smt: bit(16n),
    migrateMa: bit(18n),
    debug: bit(19n),
    singleSocket: bit(20n),
    cxl: bit(21n),
    memAes256Xts: bit(22n),
    raplDisabled: bit(23n),
    ciphertextHiding: bit(24n),
    pageSwapDisabled: bit(25n),
  }
}

function readSigningKey(value: number): SigningKey {
  if (value === 0) return 'VCEK'
  if (value === 1) return 'VLEK'
  return value === 7 ? 'none' : 'reserved'
}

function requireZero(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) throw bad('reserved', at)
}

const bad = (field: string, offset: number) =>
  malformed(field, `SNP report: bad ${field} at byte ${offset}`, offset)
