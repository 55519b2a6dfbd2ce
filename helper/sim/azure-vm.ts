/**
 * The paravisor and the vTPM of a simulated Azure confidential VM: runtime data, HCL report, registers and quote, any of it a lie.
 *
 * Sources: Microsoft, "Azure confidential VMs guest attestation design"; TCG TPM 2.0 Library, Part 2. Signatures are the caller's.
 * @module
 */
import { createHash, type KeyObject } from 'node:crypto'
import type { AzureEvidenceVersion } from '../../sdk/attest/azure-evidence.ts'
import { bytesToHex, concatBytes, uintBE, utf8ToBytes } from '../../sdk/bytes.ts'

const HCL_SIZE = 2600
const HARDWARE_SIZE = 1184
const ATTEST_HEAD = Uint8Array.of(0xff, 0x54, 0x43, 0x47, 0x80, 0x18)

/** What the simulated VM is and does; every field can be made to lie. */
export type AzureFields = {
  version: AzureEvidenceVersion
  hclVersion: number
  nonce: Uint8Array
  /** 64 bytes; from version 2 on the agent writes the nonce there. */
  userData: Uint8Array
  /** Register -> value; the others are zero. */
  pcrs: ReadonlyMap<number, Uint8Array>
  /** The digest that the agent extends register 8 with. */
  initdataDigest: Uint8Array | undefined
  secureBoot: boolean
  tpmEnabled: boolean
  consoleEnabled: boolean
  /** 1 SHA-256, 2 SHA-384, 3 SHA-512. */
  hashType: 1 | 2 | 3
  /** Registers of the selection; the digest is over these. */
  selection: readonly number[]
}

export function healthyVm({
  version = 2,
  nonce = utf8ToBytes('nonce'),
}: Partial<AzureFields>): AzureFields {
  const userData = new Uint8Array(64)
  if (version === 2) userData.set(nonce)
  return {
    version,
    hclVersion: 2,
    nonce,
    userData,
    pcrs: new Map([
      [4, new Uint8Array(32).fill(0x44)],
      [11, new Uint8Array(32).fill(0xbb)],
    ]),
    initdataDigest: undefined,
    secureBoot: true,
    tpmEnabled: true,
    consoleEnabled: true,
    hashType: 1,
    selection: Array.from({ length: 24 }, (_, index) => index),
  }
}

export function encodeRuntimeData(
  fields: AzureFields,
  attestation: KeyObject,
  endorsement: KeyObject,
): string {
  const jwk = (kid: string, key: KeyObject, use: string) => {
    const { kty, e, n } = key.export({ format: 'jwk' })
    return { kid, key_ops: [use], kty, e, n }
  }
  return JSON.stringify({
    keys: [jwk('HCLAkPub', attestation, 'sign'), jwk('HCLEkPub', endorsement, 'encrypt')],
    'vm-configuration': {
      'console-enabled': fields.consoleEnabled,
      'secure-boot': fields.secureBoot,
      'tpm-enabled': fields.tpmEnabled,
      'tpm-persisted': true,
      vmUniqueId: '00000000-0000-4000-8000-00000000E16E',
    },
    'user-data': bytesToHex(fields.userData).toUpperCase(),
  })
}

export function hashRuntimeData(runtimeData: Uint8Array, type: 1 | 2 | 3): Uint8Array {
  const algorithm = (['sha256', 'sha384', 'sha512'] as const)[type - 1] ?? 'sha256'
  const out = new Uint8Array(64)
  out.set(createHash(algorithm).update(runtimeData).digest())
  return out
}

export function encodeHcl(
  fields: AzureFields,
  tee: 'snp' | 'tdx',
  hardware: Uint8Array,
  runtimeData: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(HCL_SIZE)
  const view = new DataView(bytes.buffer)
  const put = (at: number, ...values: number[]) => {
    for (const [index, value] of values.entries()) view.setUint32(at + 4 * index, value, true)
  }
  const dataSize = 20 + runtimeData.length
  bytes.set(utf8ToBytes('HCLA'))
  put(0x004, fields.hclVersion, 32 + HARDWARE_SIZE + dataSize, 2, 0)
  bytes.set(hardware, 0x020)
  put(0x4c0, dataSize, 1, tee === 'snp' ? 2 : 4, fields.hashType, runtimeData.length)
  bytes.set(runtimeData, 0x4d4)
  return bytes
}

export function readRegisters({ pcrs, initdataDigest }: AzureFields): Uint8Array[] {
  const registers = Array.from({ length: 24 }, (_, at) => pcrs.get(at) ?? new Uint8Array(32))
  if (initdataDigest !== undefined) registers[8] = sha256(registers[8] ?? [], initdataDigest)
  return registers
}

export function encodeQuote(fields: AzureFields, pcrs: readonly Uint8Array[]): Uint8Array {
  const sized = (bytes: Uint8Array) => concatBytes(uintBE(bytes.length, 2), bytes)
  const mask = new Uint8Array(3)
  for (const index of fields.selection)
    mask[index >> 3] = (mask[index >> 3] ?? 0) | (1 << (index & 7))
  const selected = fields.selection.map((index) => pcrs[index] ?? new Uint8Array(32))
  return concatBytes(
    ATTEST_HEAD,
    sized(concatBytes(Uint8Array.of(0, 0x0b), new Uint8Array(32).fill(0xa4))),
    sized(fields.nonce),
    uintBE(123_456, 8),
    uintBE(3, 4),
    uintBE(0, 4),
    Uint8Array.of(1),
    uintBE(0x2020_0312_0012_0003n, 8),
    uintBE(1, 4),
    Uint8Array.of(0, 0x0b, 3),
    mask,
    sized(sha256(...selected)),
  )
}

function sha256(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(Uint8Array.from(part))
  return new Uint8Array(hash.digest())
}
