/**
 * Writes SEV-SNP reports, versions 2 to 5, with any field chosen: what the firmware of the simulated host does.
 *
 * Source: AMD 56860, ATTESTATION_REPORT. The signature is left to the caller.
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { packTcb, REPORT_SIZE } from '../../sdk/attest/snp-report.ts'
import type { FirmwareVersion, SnpProduct, SnpTcb } from '../../sdk/attest/types.ts'

/** The launch digest of the simulated guest image, 48 bytes in hex. */
export const SIMULATED_MEASUREMENT = '5a'.repeat(48)

export type SnpReportFields = {
  version: 2 | 3 | 4 | 5
  guestSvn: number
  policy: bigint
  familyId: Uint8Array
  imageId: Uint8Array
  vmpl: number
  signatureAlgorithm: number
  currentTcb: SnpTcb
  platformInfo: bigint
  authorKeyEnabled: boolean
  maskChipKey: boolean
  /** 0 VCEK, 1 VLEK, 7 none. */
  signingKey: number
  reportData: Uint8Array
  measurement: Uint8Array
  hostData: Uint8Array
  idKeyDigest: Uint8Array
  authorKeyDigest: Uint8Array
  reportId: Uint8Array
  reportIdMa: Uint8Array
  reportedTcb: SnpTcb
  cpuid: { family: number; model: number; stepping: number }
  chipId: Uint8Array
  committedTcb: SnpTcb
  current: FirmwareVersion
  committed: FirmwareVersion
  launchTcb: SnpTcb
  launchMitigations: bigint
  currentMitigations: bigint
}

const CPUID = {
  Milan: { family: 0x19, model: 0x01, stepping: 0x01 },
  Genoa: { family: 0x19, model: 0x11, stepping: 0x01 },
  Turin: { family: 0x1a, model: 0x02, stepping: 0x01 },
} as const

const TCB: Record<SnpProduct, SnpTcb> = {
  Milan: { bootloader: 4, tee: 0, snp: 24, microcode: 219 },
  Genoa: { bootloader: 10, tee: 0, snp: 27, microcode: 84 },
  Turin: { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81 },
}

/** A healthy guest on a patched host, as the product's firmware would report it today. */
export function healthyReport(product: SnpProduct, kind: 'VCEK' | 'VLEK'): SnpReportFields {
  const chipId = new Uint8Array(64)
  if (kind === 'VCEK') chipId.set(new Uint8Array(product === 'Turin' ? 8 : 64).fill(0xc1))
  const tcb = TCB[product]
  const firmware = { major: 1, minor: 55, build: 43 }
  return {
    version: 5,
    guestSvn: 0,
    policy: 0x30000n,
    familyId: new Uint8Array(16),
    imageId: new Uint8Array(16),
    vmpl: 0,
    signatureAlgorithm: 1,
    currentTcb: tcb,
    platformInfo: 0x25n,
    authorKeyEnabled: false,
    maskChipKey: false,
    signingKey: kind === 'VCEK' ? 0 : 1,
    reportData: new Uint8Array(64),
    measurement: hexToBytes(SIMULATED_MEASUREMENT),
    hostData: new Uint8Array(32),
    idKeyDigest: new Uint8Array(48),
    authorKeyDigest: new Uint8Array(48),
    reportId: new Uint8Array(32).fill(0x77),
    reportIdMa: new Uint8Array(32).fill(0xff),
    reportedTcb: tcb,
    cpuid: CPUID[product],
    chipId,
    committedTcb: tcb,
    current: firmware,
    committed: firmware,
    launchTcb: tcb,
    launchMitigations: 0x3fn,
    currentMitigations: 0x3fn,
  }
}

/** The report with an empty signature. */
export function encodeReport(fields: SnpReportFields, product: SnpProduct): Uint8Array {
  const bytes = new Uint8Array(REPORT_SIZE)
  const view = new DataView(bytes.buffer)
  const firmware = (at: number, version: FirmwareVersion) =>
    bytes.set([version.build, version.minor, version.major], at)
  view.setUint32(0x000, fields.version, true)
  view.setUint32(0x004, fields.guestSvn, true)
  view.setBigUint64(0x008, fields.policy, true)
  bytes.set(fields.familyId, 0x010)
  bytes.set(fields.imageId, 0x020)
  view.setUint32(0x030, fields.vmpl, true)
  view.setUint32(0x034, fields.signatureAlgorithm, true)
  bytes.set(packTcb(fields.currentTcb, product), 0x038)
  view.setBigUint64(0x040, fields.platformInfo, true)
  const flags = (fields.authorKeyEnabled ? 1 : 0) | (fields.maskChipKey ? 2 : 0)
  view.setUint32(0x048, flags | (fields.signingKey << 2), true)
  bytes.set(fields.reportData, 0x050)
  bytes.set(fields.measurement, 0x090)
  bytes.set(fields.hostData, 0x0c0)
  bytes.set(fields.idKeyDigest, 0x0e0)
  bytes.set(fields.authorKeyDigest, 0x110)
  bytes.set(fields.reportId, 0x140)
  bytes.set(fields.reportIdMa, 0x160)
  bytes.set(packTcb(fields.reportedTcb, product), 0x180)
  if (fields.version >= 3)
    bytes.set([fields.cpuid.family, fields.cpuid.model, fields.cpuid.stepping], 0x188)
  bytes.set(fields.chipId, 0x1a0)
  bytes.set(packTcb(fields.committedTcb, product), 0x1e0)
  firmware(0x1e8, fields.current)
  firmware(0x1ec, fields.committed)
  bytes.set(packTcb(fields.launchTcb, product), 0x1f0)
  if (fields.version >= 5) {
    view.setBigUint64(0x1f8, fields.launchMitigations, true)
    view.setBigUint64(0x200, fields.currentMitigations, true)
  }
  return bytes
}
