/**
 * Evidence of Azure's confidential VMs as the Attestation Agent answers it: JSON in, bytes out.
 *
 * Source: the agent's attesters `az-snp-vtpm` and `az-tdx-vtpm`. Their forms, by version:
 *   az-snp 0      {quote: Q, report: [u8..], vcek: PEM}                          no `version`
 *   az-snp 1, 2   {version, tpm_quote: Q, hcl_report: base64url, vcek: base64url of DER}
 *   az-tdx 0      {tpm_quote: Q, hcl_report: [u8..], td_quote: [u8..]}           no `version`
 *   az-tdx 1, 2   {version, tpm_quote: Q, hcl_report: base64url, td_quote: base64url}
 * Q is {signature, message, pcrs: 24 of them}: integers in version 0, hex since. Version 2 says that the report was made for this
 * request. The version is the sender's word; the verifier looks at what the hardware signed.
 * On the way to an operator az-tdx may have one member more, `collateral`: Intel's, which the agent does not know about.
 * @module
 */
import { parseAnyBase64, parseHex } from '../bytes.ts'
import { HCL_LIMIT } from './azure-hcl.ts'
import { malformed, tooLarge } from './checks.ts'
import { readTdxCollateral, type TdxCollateral } from './collateral-bundle.ts'
import { asObject, type EvidenceObject, parseEvidenceJson } from './evidence-json.ts'
import { parseCertificatePem } from './pem.ts'
import { ATTEST_LIMIT } from './tpm-attest.ts'
import { CERTIFICATE_LIMIT } from './x509.ts'

export const PCR_COUNT = 24
const PCR_SIZE = 32
/** RSA-2048. */
const SIGNATURE_SIZE = 256
/** Azure pads quotes to about 5 KB. */
const TD_QUOTE_LIMIT = 16 * 1024
const PEM_LIMIT = 2 * CERTIFICATE_LIMIT

export type AzureEvidenceVersion = 0 | 1 | 2

export type TpmQuoteEvidence = {
  /** RSASSA-PKCS1-v1_5, 256 bytes. */
  signature: Uint8Array
  /** TPMS_ATTEST. */
  message: Uint8Array
  /** SHA-256 bank, 24 registers of 32 bytes. */
  pcrs: readonly Uint8Array[]
}

type Common = { version: AzureEvidenceVersion; quote: TpmQuoteEvidence; hclReport: Uint8Array }
/** `vcek` is DER. */
export type AzureSnpEvidence = Common & { vcek: Uint8Array }
export type AzureTdxEvidence = Common & { tdQuote: Uint8Array; collateral?: TdxCollateral }

/** Reads bytes in the form of one version. */
type ReadBytes = (value: unknown, field: string, limit: number) => Uint8Array
type Form = { version: AzureEvidenceVersion; quote: ReadBytes; body: ReadBytes }

const INTEGERS: Form = { version: 0, quote: readIntegers, body: readIntegers }

/** @throws EVIDENCE_MALFORMED naming the field, INPUT_TOO_LARGE */
export function parseAzureSnpEvidence(text: string): AzureSnpEvidence {
  const object = parseEvidenceJson(text, 'evidence')
  const form = readForm(object)
  if (form.version === 0) {
    demandKeys(object, ['quote', 'report', 'vcek'])
    return {
      version: 0,
      quote: readQuote(object.quote, 'quote', form),
      hclReport: readIntegers(object.report, 'report', HCL_LIMIT),
      vcek: readPem(object.vcek, 'vcek'),
    }
  }
  demandKeys(object, ['version', 'tpm_quote', 'hcl_report', 'vcek'])
  return { ...readCommon(object, form), vcek: form.body(object.vcek, 'vcek', CERTIFICATE_LIMIT) }
}

/** @throws EVIDENCE_MALFORMED naming the field, INPUT_TOO_LARGE */
export function parseAzureTdxEvidence(text: string): AzureTdxEvidence {
  const object = parseEvidenceJson(text, 'evidence')
  const form = readForm(object)
  const version = form.version === 0 ? [] : ['version']
  demandKeys(object, [...version, 'tpm_quote', 'hcl_report', 'td_quote', 'collateral'])
  const { collateral } = object
  return {
    ...readCommon(object, form),
    tdQuote: form.body(object.td_quote, 'td_quote', TD_QUOTE_LIMIT),
    ...(collateral == null ? {} : { collateral: readTdxCollateral(collateral) }),
  }
}

function readForm({ version }: EvidenceObject): Form {
  if (version === undefined) return INTEGERS
  if (version !== 1n && version !== 2n)
    throw malformed('version', 'Azure evidence of an unknown version')
  return { version: version === 1n ? 1 : 2, quote: readHex, body: readBase64Url }
}

/** A member that nobody reads could mean something to another reader. */
function demandKeys(object: EvidenceObject, names: readonly string[], path = 'evidence'): void {
  const unknown = Object.keys(object).find((name) => !names.includes(name))
  if (unknown !== undefined) throw malformed(path, `${path} has a member that is not of its form`)
}

function readCommon(object: EvidenceObject, form: Form): Common {
  return {
    version: form.version,
    quote: readQuote(object.tpm_quote, 'tpm_quote', form),
    hclReport: form.body(object.hcl_report, 'hcl_report', HCL_LIMIT),
  }
}

function readQuote(value: unknown, path: string, form: Form): TpmQuoteEvidence {
  const quote = asObject(value)
  if (quote === undefined) throw malformed(path, `${path} is not an object`)
  demandKeys(quote, ['signature', 'message', 'pcrs'], path)
  const signature = form.quote(quote.signature, `${path}.signature`, SIGNATURE_SIZE)
  if (signature.length !== SIGNATURE_SIZE)
    throw malformed(`${path}.signature`, `${path}.signature is not of RSA-2048`)
  const { pcrs } = quote
  if (!Array.isArray(pcrs) || pcrs.length !== PCR_COUNT)
    throw malformed(`${path}.pcrs`, `${path}.pcrs is not a list of ${PCR_COUNT} registers`)
  return {
    signature,
    message: form.quote(quote.message, `${path}.message`, ATTEST_LIMIT),
    pcrs: pcrs.map((item: unknown, index) => {
      const field = `${path}.pcrs[${index}]`
      const pcr = form.quote(item, field, PCR_SIZE)
      if (pcr.length !== PCR_SIZE)
        throw malformed(field, `${field} does not have ${PCR_SIZE} bytes`)
      return pcr
    }),
  }
}

function readIntegers(value: unknown, field: string, limit: number): Uint8Array {
  if (!Array.isArray(value)) throw malformed(field, `${field} is not an array of bytes`)
  if (value.length > limit) throw tooLarge(field, limit)
  return Uint8Array.from(value, (item: unknown) => {
    if (typeof item !== 'bigint' || item < 0n || item > 255n)
      throw malformed(field, `${field} is not an array of bytes`)
    return Number(item)
  })
}

/** Lower case, as the agent writes it. */
function readHex(value: unknown, field: string, limit: number): Uint8Array {
  if (typeof value === 'string' && value.length > 2 * limit) throw tooLarge(field, limit)
  const isHex = typeof value === 'string' && /^[0-9a-f]*$/.test(value)
  const bytes = isHex ? parseHex(value) : undefined
  if (bytes === undefined) throw malformed(field, `${field} is not hex`)
  return bytes
}

/** With padding or without: agents wrote both. */
function readBase64Url(value: unknown, field: string, limit: number): Uint8Array {
  if (typeof value === 'string' && value.length > 2 * limit) throw tooLarge(field, limit)
  const urlSafe = typeof value === 'string' && !/[+/]/.test(value)
  const bytes = urlSafe ? parseAnyBase64(value) : undefined
  if (bytes === undefined) throw malformed(field, `${field} is not base64url`)
  if (bytes.length > limit) throw tooLarge(field, limit)
  return bytes
}

function readPem(value: unknown, field: string): Uint8Array {
  if (typeof value === 'string' && value.length > PEM_LIMIT) throw tooLarge(field, PEM_LIMIT)
  const der = typeof value === 'string' ? parseCertificatePem(value) : undefined
  if (der === undefined) throw malformed(field, `${field} is not one PEM certificate`)
  return der
}
