/**
 * From a verified hardware report to the registers of the vTPM: the part that Azure's SNP and TDX evidence share.
 *
 * The report's REPORT_DATA is the hash of the runtime data; that holds the attestation key; this key signed the quote; the quote
 * has the digest of the registers, and the caller's nonce.
 * Source: Microsoft, "Azure confidential VMs guest attestation design"; TCG TPM 2.0 Library, Parts 1 to 3 (TPM2_Quote).
 * @module
 */
import { constants, createHash, type KeyObject, verify } from 'node:crypto'
import { bytesToHex, concatBytes, equalBytes } from '../bytes.ts'
import type { AzureEvidenceVersion, TpmQuoteEvidence } from './azure-evidence.ts'
import { PCR_COUNT } from './azure-evidence.ts'
import { type AzureVm, type HclReport, hclReportData, parseHclRuntimeData } from './azure-hcl.ts'
import type { VtpmClaims } from './azure-types.ts'
import type { CheckLog, Rule } from './checks.ts'
import { parseTpmQuote } from './tpm-attest.ts'

const MICROSOFT = 'Microsoft, CVM guest attestation design'
const TPM = 'TCG TPM 2.0 Library, Part 2'
const RULES = {
  runtimeData: { name: 'azure.runtime-data-hash', source: MICROSOFT },
  signature: { name: 'azure.quote-signature', source: 'RFC 8017, RSASSA-PKCS1-v1_5' },
  selection: { name: 'azure.quote-pcr-selection', source: TPM },
  digest: { name: 'azure.quote-pcr-digest', source: TPM },
  userData: {
    name: 'azure.user-data-equals-nonce',
    source: 'CoCo az-snp-vtpm evidence, version 2',
  },
} as const satisfies Record<string, Rule>

export type VerifiedVtpm = { vtpm: VtpmClaims; vm: AzureVm; userData: Uint8Array }

/**
 * @param reportData - REPORT_DATA of the hardware report, whose signature was verified.
 * @throws EVIDENCE_INVALID, EVIDENCE_MALFORMED, INPUT_TOO_LARGE
 */
export function verifyVtpm(
  input: {
    version: AzureEvidenceVersion
    reportData: Uint8Array
    hcl: HclReport
    quote: TpmQuoteEvidence
  },
  log: CheckLog,
): VerifiedVtpm {
  const { version, reportData, hcl, quote } = input
  const expected = hclReportData(hcl)
  log.demand(
    RULES.runtimeData,
    equalBytes(reportData, expected),
    { hash: hcl.hash, reportData: bytesToHex(reportData), expected: bytesToHex(expected) },
    'the hardware report does not vouch for the runtime data',
  )
  const { attestationKey, vm, userData } = parseHclRuntimeData(hcl.runtimeData)
  const vtpm = verifyQuote(quote, attestationKey, log)
  checkUserData(version, userData, vtpm.nonce, log)
  return { vtpm, vm, userData }
}

function verifyQuote(quote: TpmQuoteEvidence, publicKey: KeyObject, log: CheckLog): VtpmClaims {
  const key = { key: publicKey, padding: constants.RSA_PKCS1_PADDING }
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const keySha256 = createHash('sha256').update(spki).digest('hex')
  log.demand(
    RULES.signature,
    verify('sha256', quote.message, key, quote.signature),
    { key: keySha256 },
    'the quote is not signed by the vTPM of the report',
  )
  const info = parseTpmQuote(quote.message)
  log.demand(
    RULES.selection,
    info.pcrs.length === PCR_COUNT,
    { selected: info.pcrs.join(', ') },
    'the quote is not over all registers',
  )
  const digest = createHash('sha256')
    .update(concatBytes(...quote.pcrs))
    .digest()
  log.demand(
    RULES.digest,
    equalBytes(info.pcrDigest, digest),
    { quoted: bytesToHex(info.pcrDigest), computed: bytesToHex(digest) },
    'the registers are not those of the quote',
  )
  const { extraData: nonce, resetCount, clock } = info
  return { nonce, pcrs: quote.pcrs, keySha256, resetCount, clock }
}

/** Evidence of version 2 is made with a report for the same request; before, the report is as old as the boot. */
function checkUserData(
  version: AzureEvidenceVersion,
  userData: Uint8Array,
  nonce: Uint8Array,
  log: CheckLog,
): void {
  const inputs = {
    version: String(version),
    userData: bytesToHex(userData),
    nonce: bytesToHex(nonce),
  }
  if (version < 2) log.skip(RULES.userData, inputs)
  else
    log.demand(
      RULES.userData,
      isUserDataOf(userData, nonce),
      inputs,
      'the hardware report was made for another request than the quote',
    )
}

/** The nonce and zeros behind it. */
export function isUserDataOf(userData: Uint8Array, nonce: Uint8Array): boolean {
  if (nonce.length === 0 || nonce.length > userData.length) return false
  const expected = new Uint8Array(userData.length)
  expected.set(nonce)
  return equalBytes(userData, expected)
}
