/**
 * The JSON that an Attestation Agent answers for SEV-SNP, in each form it has had: the struct of the `sev` crate as serde writes it.
 *
 * `sev-1`: integers, reserved arrays, `current_build` and its like (crate 1 to 5). `sev-6.0`: `key_info`, nullable `fmc`, CPU
 * fields, `current` objects. `sev-6.3`: the same with mitigation vectors.
 * @module
 */
import { parseSnpReport, SIGNATURE_HALF, SIGNED_SIZE } from '../../sdk/attest/snp-report.ts'

export type AaShape = 'sev-1' | 'sev-6.0' | 'sev-6.3'

/** @param chain - AA's `cert_type` names with their bytes; `null` is what AA sends when the host gave none. */
export function encodeAaJson(
  report: Uint8Array,
  chain: readonly { type: unknown; data: Uint8Array }[] | null,
  shape: AaShape,
): string {
  const body = shape === 'sev-1' ? encodeOld(report) : encodeNew(report, shape === 'sev-6.3')
  const certificates =
    chain === null
      ? 'null'
      : `[${chain.map(({ type, data }) => `{"cert_type":${JSON.stringify(type)},"data":[${data}]}`)}]`
  return `{"attestation_report":{${body.join(',')}},"cert_chain":${certificates}}`
}

/** Written by hand because u64 values beyond 2^53 have no JavaScript number. */
function encodeOld(report: Uint8Array): string[] {
  const { at, u32, u64, byte } = reader(report)
  const tcb = (offset: number) =>
    `{"bootloader":${byte(offset)},"tee":${byte(offset + 1)},"_reserved":[${at(offset + 2, 4)}],"snp":${byte(offset + 6)},"microcode":${byte(offset + 7)}}`
  return [
    ...head(report, tcb),
    `"plat_info":${u64(0x40)}`,
    `"_author_key_en":${u32(0x48)}`,
    `"_reserved_0":${u32(0x4c)}`,
    ...middle(report, tcb),
    `"_reserved_1":[${at(0x188, 24)}]`,
    `"chip_id":[${at(0x1a0, 64)}]`,
    `"committed_tcb":${tcb(0x1e0)}`,
    `"current_build":${byte(0x1e8)},"current_minor":${byte(0x1e9)},"current_major":${byte(0x1ea)}`,
    `"_reserved_2":${byte(0x1eb)}`,
    `"committed_build":${byte(0x1ec)},"committed_minor":${byte(0x1ed)},"committed_major":${byte(0x1ee)}`,
    `"_reserved_3":${byte(0x1ef)}`,
    `"launch_tcb":${tcb(0x1f0)}`,
    `"_reserved_4":[${at(0x1f8, 168)}]`,
    `"signature":{"r":[${at(SIGNED_SIZE, 72)}],"s":[${at(SIGNED_SIZE + SIGNATURE_HALF, 72)}],"_reserved":[${at(0x330, 368)}]}`,
  ]
}

function encodeNew(report: Uint8Array, withMitigations: boolean): string[] {
  const { at, u32, u64, byte } = reader(report)
  const { version, cpuid } = parseSnpReport(report)
  const turin = cpuid?.family === 0x1a
  const tcb = (offset: number) =>
    turin
      ? `{"fmc":${byte(offset)},"bootloader":${byte(offset + 1)},"tee":${byte(offset + 2)},"snp":${byte(offset + 3)},"microcode":${byte(offset + 7)}}`
      : `{"fmc":null,"bootloader":${byte(offset)},"tee":${byte(offset + 1)},"snp":${byte(offset + 6)},"microcode":${byte(offset + 7)}}`
  const cpu = (offset: number) => (version < 3 ? 'null' : byte(offset))
  const vector = (offset: number) => (version < 5 ? 'null' : u64(offset))
  const firmware = (offset: number) =>
    `{"major":${byte(offset + 2)},"minor":${byte(offset + 1)},"build":${byte(offset)}}`
  return [
    ...head(report, tcb),
    `"plat_info":${u64(0x40)}`,
    `"key_info":${u32(0x48)}`,
    ...middle(report, tcb),
    `"cpuid_fam_id":${cpu(0x188)},"cpuid_mod_id":${cpu(0x189)},"cpuid_step":${cpu(0x18a)}`,
    `"chip_id":[${at(0x1a0, 64)}]`,
    `"committed_tcb":${tcb(0x1e0)}`,
    `"current":${firmware(0x1e8)}`,
    `"committed":${firmware(0x1ec)}`,
    `"launch_tcb":${tcb(0x1f0)}`,
    ...(withMitigations
      ? [`"launch_mit_vector":${vector(0x1f8)},"current_mit_vector":${vector(0x200)}`]
      : []),
    `"signature":{"r":[${at(SIGNED_SIZE, 72)}],"s":[${at(SIGNED_SIZE + SIGNATURE_HALF, 72)}]}`,
  ]
}

/** VERSION to CURRENT_TCB: the same fields in every shape. */
function head(report: Uint8Array, tcb: (offset: number) => string): string[] {
  const { at, u32, u64 } = reader(report)
  return [
    `"version":${u32(0x00)},"guest_svn":${u32(0x04)},"policy":${u64(0x08)}`,
    `"family_id":[${at(0x10, 16)}],"image_id":[${at(0x20, 16)}]`,
    `"vmpl":${u32(0x30)},"sig_algo":${u32(0x34)},"current_tcb":${tcb(0x38)}`,
  ]
}

/** REPORT_DATA to REPORTED_TCB. */
function middle(report: Uint8Array, tcb: (offset: number) => string): string[] {
  const { at } = reader(report)
  return [
    `"report_data":[${at(0x50, 64)}],"measurement":[${at(0x90, 48)}],"host_data":[${at(0xc0, 32)}]`,
    `"id_key_digest":[${at(0xe0, 48)}],"author_key_digest":[${at(0x110, 48)}]`,
    `"report_id":[${at(0x140, 32)}],"report_id_ma":[${at(0x160, 32)}],"reported_tcb":${tcb(0x180)}`,
  ]
}

function reader(report: Uint8Array) {
  const view = new DataView(report.buffer, report.byteOffset, report.byteLength)
  return {
    at: (offset: number, size: number) => Array.from(report.subarray(offset, offset + size)),
    u32: (offset: number) => String(view.getUint32(offset, true)),
    u64: (offset: number) => String(view.getBigUint64(offset, true)),
    byte: (offset: number) => String(view.getUint8(offset)),
  }
}
