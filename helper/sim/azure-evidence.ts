/**
 * Evidence of a simulated Azure confidential VM over a throw-away AMD or Intel: what the Attestation Agent in it would collect.
 *
 * The hardware report is issued by the simulated chip; the attestation key of the vTPM is an RSA-2048 key of this process. Every part
 * can be made to lie before or after it is signed.
 * @module
 */
import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type {
  AzureSnpEvidence,
  AzureTdxEvidence,
  TpmQuoteEvidence,
} from '../../sdk/attest/azure-evidence.ts'
import { encodeTdxCollateral, type TdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { encodeCertificatePem } from '../../sdk/attest/pem.ts'
import { bytesToHex, toBase64Url, utf8ToBytes } from '../../sdk/bytes.ts'
import {
  type AzureFields,
  encodeHcl,
  encodeQuote,
  encodeRuntimeData,
  hashRuntimeData,
  healthyVm,
  readRegisters,
} from './azure-vm.ts'
import type { SnpAuthority } from './evidence.ts'
import type { SnpReportFields } from './evidence-report.ts'
import type { TdxAuthority, TdxIssueOptions } from './tdx-evidence.ts'

const MICROSOFT_ID_KEY = new Uint8Array(48).fill(0x1d)
const TDREPORT_SIZE = 1024

/** Each changes one step of honest issuing. */
export type AzureIssueOptions = {
  /** Last say over the runtime data, before the hardware signs its hash. */
  editRuntimeData?: (json: string) => string
  /** Last say over TPMS_ATTEST, before the vTPM signs it. */
  editQuote?: (message: Uint8Array) => Uint8Array
  /** Last say over the HCL report. */
  editHcl?: (bytes: Uint8Array) => void
  /** Another key than the one in the runtime data. */
  signingKey?: KeyObject
}
export type AzureSnpOptions = AzureIssueOptions & { report?: Partial<SnpReportFields> }
export type AzureTdxOptions = AzureIssueOptions & {
  tdx?: TdxIssueOptions
  /** Changes the TDREPORT, whose MAC no remote verifier can check. */
  editTdReport?: (bytes: Uint8Array) => void
}

export type AzureSnpMachine = {
  issue: (fields?: Partial<AzureFields>, options?: AzureSnpOptions) => Promise<AzureSnpEvidence>
}
export type AzureTdxMachine = {
  issue: (
    fields?: Partial<AzureFields>,
    options?: AzureTdxOptions,
  ) => Promise<AzureTdxEvidence & { collateral: TdxCollateral }>
}

/** The keys of one VM: they live as long as it does. */
type Vtpm = { privateKey: KeyObject; publicKey: KeyObject; endorsement: KeyObject }

export function createAzureSnpMachine(authority: SnpAuthority): AzureSnpMachine {
  const vtpm = createVtpm()
  return {
    issue: async (changes = {}, options = {}) => {
      const { fields, runtimeData, reportData } = describe(vtpm, changes, options)
      const { report, certificates } = await authority.issue({
        idKeyDigest: MICROSOFT_ID_KEY,
        reportData,
        ...options.report,
      })
      const hclReport = encodeHcl(fields, 'snp', report, runtimeData)
      options.editHcl?.(hclReport)
      const [vcek = new Uint8Array()] = certificates
      return { version: fields.version, quote: signQuote(vtpm, fields, options), hclReport, vcek }
    },
  }
}

export function createAzureTdxMachine(authority: TdxAuthority): AzureTdxMachine {
  const vtpm = createVtpm()
  return {
    issue: async (changes = {}, options = {}) => {
      const { fields, runtimeData, reportData } = describe(vtpm, changes, options)
      const { quote: tdQuote, collateral } = await authority.issue({
        ...options.tdx,
        report: { reportData, ...options.tdx?.report },
      })
      const tdReport = encodeTdReport(tdQuote)
      options.editTdReport?.(tdReport)
      const hclReport = encodeHcl(fields, 'tdx', tdReport, runtimeData)
      options.editHcl?.(hclReport)
      const quote = signQuote(vtpm, fields, options)
      return { version: fields.version, quote, hclReport, tdQuote, collateral }
    },
  }
}

function createVtpm(): Vtpm {
  const endorsement = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  return { ...generateKeyPairSync('rsa', { modulusLength: 2048 }), endorsement }
}

function describe(vtpm: Vtpm, changes: Partial<AzureFields>, options: AzureIssueOptions) {
  const fields = { ...healthyVm(changes), ...changes }
  const text = encodeRuntimeData(fields, vtpm.publicKey, vtpm.endorsement)
  const runtimeData = utf8ToBytes(options.editRuntimeData?.(text) ?? text)
  return { fields, runtimeData, reportData: hashRuntimeData(runtimeData, fields.hashType) }
}

function signQuote(
  vtpm: Vtpm,
  fields: AzureFields,
  { editQuote, signingKey }: AzureIssueOptions,
): TpmQuoteEvidence {
  const pcrs = readRegisters(fields)
  const honest = encodeQuote(fields, pcrs)
  const message = editQuote?.(honest) ?? honest
  const key = { key: signingKey ?? vtpm.privateKey, padding: constants.RSA_PKCS1_PADDING }
  return { signature: new Uint8Array(sign('sha256', message, key)), message, pcrs }
}

/** The TDREPORT that a quote is made from: same fields, hashes over both parts, and a MAC that nobody here can check. */
function encodeTdReport(quote: Uint8Array): Uint8Array {
  const body = quote.subarray(quote[0] === 5 ? 54 : 48)
  const bytes = new Uint8Array(TDREPORT_SIZE)
  bytes[0] = 0x81
  bytes.set(body.subarray(520, 584), 128)
  bytes.fill(0xac, 224, 256)
  bytes.set(body.subarray(0, 120), 264)
  bytes.set(body.subarray(120, 520), 512)
  const hash = (from: number, to: number) =>
    createHash('sha384').update(bytes.subarray(from, to)).digest()
  bytes.set(hash(256, 495), 32)
  bytes.set(hash(512, 1024), 80)
  return bytes
}

/** What the Attestation Agent answers. */
export function encodeAzureSnpJson(evidence: AzureSnpEvidence, padded = false): string {
  const { version, quote, hclReport, vcek } = evidence
  if (version === 0)
    return JSON.stringify({
      quote: encodeIntegers(quote),
      report: [...hclReport],
      vcek: encodeCertificatePem(vcek),
    })
  const encode = (bytes: Uint8Array) => encodeBase64Url(bytes, padded)
  return JSON.stringify({
    version,
    tpm_quote: encodeHex(quote),
    hcl_report: encode(hclReport),
    vcek: encode(vcek),
  })
}

/** With the collateral that an agent does not know about, where the evidence has it. */
export function encodeAzureTdxJson(evidence: AzureTdxEvidence, padded = false): string {
  const { version, quote, hclReport, tdQuote, collateral } = evidence
  const beside = collateral === undefined ? {} : { collateral: encodeTdxCollateral(collateral) }
  if (version === 0)
    return JSON.stringify({
      tpm_quote: encodeIntegers(quote),
      hcl_report: [...hclReport],
      td_quote: [...tdQuote],
      ...beside,
    })
  const encode = (bytes: Uint8Array) => encodeBase64Url(bytes, padded)
  return JSON.stringify({
    version,
    tpm_quote: encodeHex(quote),
    hcl_report: encode(hclReport),
    td_quote: encode(tdQuote),
    ...beside,
  })
}

function encodeIntegers({ signature, message, pcrs }: TpmQuoteEvidence) {
  return { signature: [...signature], message: [...message], pcrs: pcrs.map((pcr) => [...pcr]) }
}

function encodeHex({ signature, message, pcrs }: TpmQuoteEvidence) {
  return {
    signature: bytesToHex(signature),
    message: bytesToHex(message),
    pcrs: pcrs.map(bytesToHex),
  }
}

function encodeBase64Url(bytes: Uint8Array, padded: boolean): string {
  const text = toBase64Url(bytes)
  return padded ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text
}
