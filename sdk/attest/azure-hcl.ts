/**
 * The report that Azure's paravisor keeps in the vTPM (NV index 0x01400001): a hardware report, and the data that it vouches for.
 *
 * Source: Microsoft, "Azure confidential VMs guest attestation design", attestation report format. Little-endian:
 *
 *   0x000 "HCLA", u32 version, u32 report size, u32 request type, u32 status, 12 reserved
 *   0x020 hardware report, 1184 bytes; a TDREPORT has 1024, the rest is zero
 *   0x4c0 u32 data size, u32 version, u32 report type, u32 hash type, u32 size of the runtime data, runtime data (JSON), zeros
 *
 * The hardware signs a hash of the runtime data in its REPORT_DATA; everything else here is not signed, so it has one accepted
 * value each. The runtime data is parsed only after its hash was compared.
 * @module
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { isZero, parseAnyBase64, parseHex, parseUtf8, toBase64Url } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { asObject, type EvidenceObject, parseEvidenceJson } from './evidence-json.ts'

/** The NV index has 2600 bytes. */
export const HCL_LIMIT = 8192
const HARDWARE_AT = 0x020
const HARDWARE_SIZE = 1184
const DATA_AT = 0x4c0
const RUNTIME_AT = 0x4d4
const TDREPORT_SIZE = 1024
const USER_DATA_SIZE = 64

export type HclHash = 'sha256' | 'sha384' | 'sha512'

const HASHES: ReadonlyMap<number, HclHash> = new Map([
  [1, 'sha256'],
  [2, 'sha384'],
  [3, 'sha512'],
])

export type HclReport = {
  version: 1 | 2
  tee: 'snp' | 'tdx'
  /** The SNP report, 1184 bytes, or the TDREPORT, 1024 bytes. */
  hardware: Uint8Array
  hash: HclHash
  /** JSON as the paravisor wrote it. */
  runtimeData: Uint8Array
}

export type HclRuntimeData = {
  /** The vTPM's attestation key, RSA-2048. */
  attestationKey: KeyObject
  vm: AzureVm
  /** 64 bytes that the guest wrote before the report was made; zero where it wrote none. */
  userData: Uint8Array
}

/** What the paravisor says about the configuration of the VM. */
export type AzureVm = {
  id: string
  secureBoot: boolean
  tpmEnabled: boolean
  consoleEnabled: boolean
}

/** @throws EVIDENCE_MALFORMED naming the field and where it is, INPUT_TOO_LARGE */
export function parseHclReport(bytes: Uint8Array): HclReport {
  if (bytes.length > HCL_LIMIT) throw tooLarge('hcl_report', HCL_LIMIT)
  if (bytes.length < RUNTIME_AT) throw bad('length', 0)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u32 = (at: number) => view.getUint32(at, true)
  const demand = (at: number, value: number, field: string) => {
    if (u32(at) !== value) throw bad(field, at)
  }
  demand(0x000, 0x414c4348, 'signature') // "HCLA"
  const version = u32(0x004)
  if (version !== 1 && version !== 2) throw bad('version', 0x004)
  const runtimeSize = u32(0x4d0)
  if (runtimeSize === 0 || runtimeSize > bytes.length - RUNTIME_AT)
    throw bad('variable_size', 0x4d0)
  demand(DATA_AT, runtimeSize + RUNTIME_AT - DATA_AT, 'data_size')
  demand(0x008, runtimeSize + RUNTIME_AT, 'report_size')
  demand(0x00c, 2, 'request_type')
  demand(0x010, 0, 'status')
  demand(0x4c4, 1, 'data_version')
  const tee = u32(0x4c8) === 2 ? 'snp' : u32(0x4c8) === 4 ? 'tdx' : undefined
  if (tee === undefined) throw bad('report_type', 0x4c8)
  const hash = HASHES.get(u32(0x4cc))
  if (hash === undefined) throw bad('hash_type', 0x4cc)
  const hardwareSize = tee === 'snp' ? HARDWARE_SIZE : TDREPORT_SIZE
  for (const [from, to] of [
    [0x014, HARDWARE_AT],
    [HARDWARE_AT + hardwareSize, DATA_AT],
    [RUNTIME_AT + runtimeSize, bytes.length],
  ] as const)
    if (!isZero(bytes.subarray(from, to))) throw bad('reserved', from)
  return {
    version,
    tee,
    hardware: bytes.slice(HARDWARE_AT, HARDWARE_AT + hardwareSize),
    hash,
    runtimeData: bytes.slice(RUNTIME_AT, RUNTIME_AT + runtimeSize),
  }
}

/** The REPORT_DATA that vouches for this runtime data: its hash, then zeros. */
export function hclReportData(hcl: HclReport): Uint8Array {
  const out = new Uint8Array(64)
  out.set(createHash(hcl.hash).update(hcl.runtimeData).digest())
  return out
}

/**
 * @param bytes - Runtime data whose hash the hardware signed.
 * @throws EVIDENCE_MALFORMED
 */
export function parseHclRuntimeData(bytes: Uint8Array): HclRuntimeData {
  const text = parseUtf8(bytes)
  if (text === undefined) throw bad('runtime_data')
  const object = parseEvidenceJson(text, 'hcl_report.runtime_data')
  const vm = asObject(object['vm-configuration'])
  const userData = object['user-data']
  const user = typeof userData === 'string' ? parseHex(userData, USER_DATA_SIZE) : undefined
  if (vm === undefined) throw bad('vm-configuration')
  if (user === undefined) throw bad('user-data')
  const flag = (name: string) => {
    const value = vm[name]
    if (typeof value !== 'boolean') throw bad(`vm-configuration.${name}`)
    return value
  }
  const id = vm.vmUniqueId
  if (typeof id !== 'string' || id.length > 64) throw bad('vm-configuration.vmUniqueId')
  return {
    attestationKey: readAttestationKey(object.keys),
    vm: {
      id,
      secureBoot: flag('secure-boot'),
      tpmEnabled: flag('tpm-enabled'),
      consoleEnabled: flag('console-enabled'),
    },
    userData: user,
  }
}

/** Exactly one key with the attestation key's id, for signatures, RSA-2048. */
function readAttestationKey(keys: unknown): KeyObject {
  const entries = Array.isArray(keys) ? keys.map(asObject) : []
  const named = entries.filter((entry) => entry?.kid === 'HCLAkPub')
  const [jwk] = named
  if (jwk === undefined || named.length !== 1) throw bad('keys')
  const operations = jwk.key_ops
  const signs = Array.isArray(operations) && operations.length === 1 && operations[0] === 'sign'
  if (jwk.kty !== 'RSA' || jwk.e !== 'AQAB' || !signs) throw bad('keys.HCLAkPub')
  return readRsa2048(jwk)
}

function readRsa2048({ n }: EvidenceObject): KeyObject {
  const modulus = typeof n === 'string' ? parseAnyBase64(n) : undefined
  if (modulus?.length !== 256 || (modulus[0] ?? 0) < 0x80) throw bad('keys.HCLAkPub.n')
  const jwk = { kty: 'RSA', n: toBase64Url(modulus), e: 'AQAB' }
  return createPublicKey({ key: jwk, format: 'jwk' })
}

const bad = (field: string, offset = -1) =>
  malformed(`hcl_report.${field}`, `HCL report: bad ${field}`, offset)
