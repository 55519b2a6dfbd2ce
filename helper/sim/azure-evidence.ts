/**
 * Evidence of a simulated Azure confidential VM over a throw-away SNP authority: paravisor, vTPM and agent in one.
 *
 * The hardware report is issued by the simulated chip; the attestation key is an RSA-2048 key of this process. Every part can be
 * made to lie before or after it is signed.
 * @module
 */
import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { AzureEvidenceVersion, AzureSnpEvidence } from '../../sdk/attest/azure-evidence.ts'
import { encodeCertificatePem } from '../../sdk/attest/pem.ts'
import { bytesToHex, concatBytes, toBase64Url, uintBE, utf8ToBytes } from '../../sdk/bytes.ts'
import type { SnpAuthority } from './evidence.ts'
import type { SnpReportFields } from './evidence-report.ts'

const HCL_SIZE = 2600
const HARDWARE_SIZE = 1184
const ATTEST_HEAD = Uint8Array.of(0xff, 0x54, 0x43, 0x47, 0x80, 0x18)
const MICROSOFT_ID_KEY = new Uint8Array(48).fill(0x1d)

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

export type AzureIssueOptions = {
  report?: Partial<SnpReportFields>
  /** Last say over the runtime data, before the hardware signs its hash. */
  editRuntimeData?: (json: string) => string
  /** Last say over TPMS_ATTEST, before the vTPM signs it. */
  editQuote?: (message: Uint8Array) => Uint8Array
  /** Last say over the HCL report; only the hardware report and the runtime data inside are bound by anything. */
  editHcl?: (bytes: Uint8Array) => void
  /** Another key than the one in the runtime data. */
  signingKey?: KeyObject
}

export type AzureMachine = {
  issue: (fields?: Partial<AzureFields>, options?: AzureIssueOptions) => Promise<AzureSnpEvidence>
}

/** One VM: its attestation key lives as long as the object. */
export function createAzureMachine(authority: SnpAuthority): AzureMachine {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const endorsement = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  return {
    issue: async (changes = {}, options = {}) => {
      const fields = { ...healthyVm(changes), ...changes }
      const text = encodeRuntimeData(fields, publicKey, endorsement)
      const runtimeData = utf8ToBytes(options.editRuntimeData?.(text) ?? text)
      const reportData = hashRuntimeData(runtimeData, fields.hashType)
      const { report, certificates } = await authority.issue({
        idKeyDigest: MICROSOFT_ID_KEY,
        reportData,
        ...options.report,
      })
      const hclReport = encodeHcl(fields, report, runtimeData)
      options.editHcl?.(hclReport)
      const pcrs = readRegisters(fields)
      const attest = encodeQuote(fields, pcrs)
      const message = options.editQuote?.(attest) ?? attest
      const key = { key: options.signingKey ?? privateKey, padding: constants.RSA_PKCS1_PADDING }
      const signature = new Uint8Array(sign('sha256', message, key))
      const [vcek = new Uint8Array()] = certificates
      return { version: fields.version, quote: { signature, message, pcrs }, hclReport, vcek }
    },
  }
}

function healthyVm({
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

function encodeRuntimeData(
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

function hashRuntimeData(runtimeData: Uint8Array, type: 1 | 2 | 3): Uint8Array {
  const algorithm = (['sha256', 'sha384', 'sha512'] as const)[type - 1] ?? 'sha256'
  const out = new Uint8Array(64)
  out.set(createHash(algorithm).update(runtimeData).digest())
  return out
}

function encodeHcl(fields: AzureFields, hardware: Uint8Array, runtimeData: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HCL_SIZE)
  const view = new DataView(bytes.buffer)
  const put = (at: number, ...values: number[]) => {
    for (const [index, value] of values.entries()) view.setUint32(at + 4 * index, value, true)
  }
  const dataSize = 20 + runtimeData.length
  bytes.set(utf8ToBytes('HCLA'))
  put(0x004, fields.hclVersion, 32 + HARDWARE_SIZE + dataSize, 2, 0)
  bytes.set(hardware, 0x020)
  put(0x4c0, dataSize, 1, 2, fields.hashType, runtimeData.length)
  bytes.set(runtimeData, 0x4d4)
  return bytes
}

function readRegisters({ pcrs, initdataDigest }: AzureFields): Uint8Array[] {
  const registers = Array.from({ length: 24 }, (_, at) => pcrs.get(at) ?? new Uint8Array(32))
  if (initdataDigest !== undefined) registers[8] = sha256(registers[8] ?? [], initdataDigest)
  return registers
}

function encodeQuote(fields: AzureFields, pcrs: readonly Uint8Array[]): Uint8Array {
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

/** What the Attestation Agent answers. */
export function encodeAzureAaJson(evidence: AzureSnpEvidence, padded = false): string {
  const { version, quote, hclReport, vcek } = evidence
  if (version === 0)
    return JSON.stringify({
      quote: {
        signature: [...quote.signature],
        message: [...quote.message],
        pcrs: quote.pcrs.map((pcr) => [...pcr]),
      },
      report: [...hclReport],
      vcek: encodeCertificatePem(vcek),
    })
  const encode = (bytes: Uint8Array) => {
    const text = toBase64Url(bytes)
    return padded ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text
  }
  return JSON.stringify({
    version,
    tpm_quote: {
      signature: bytesToHex(quote.signature),
      message: bytesToHex(quote.message),
      pcrs: quote.pcrs.map(bytesToHex),
    },
    hcl_report: encode(hclReport),
    vcek: encode(vcek),
  })
}
