/**
 * Collateral of one TDX platform as it is kept and sent: two signed JSON texts, their signers, two revocation lists.
 *
 * The JSON object has the members that Intel's quote verification tools use for the same parts, so bundles of other programs can be
 * read:
 *   tcb_info, qe_identity                          the signed text, exactly as served
 *   tcb_info_signature, qe_identity_signature      128 hex digits, r || s
 *   tcb_info_issuer_chain, qe_identity_issuer_chain, pck_crl_issuer_chain      PEM, root last
 *   root_ca_crl, pck_crl                           hex of DER
 * Nothing is verified here.
 * @module
 */
import { bytesToHex, parseHex } from '../bytes.ts'
import { malformed, tooLarge } from './checks.ts'
import { asObject, type EvidenceObject, parseEvidenceJson } from './evidence-json.ts'
import { encodeCertificatePem, parsePemChain } from './pem.ts'
import { hashParts } from './tdx-memory.ts'
import { CERTIFICATE_LIMIT } from './x509.ts'

/** The largest known has 24 KB. */
export const COLLATERAL_LIMIT = 192 * 1024
/** Today's largest TCB info has 6.3 KB. */
const SIGNED_TEXT_LIMIT = 64 * 1024
const CHAIN_LIMIT = 3

/** An Intel document: the text is what is signed. */
export type SignedText = {
  text: string
  /** r || s. */
  signature: Uint8Array
  /** DER, root last. */
  issuerChain: readonly Uint8Array[]
}

export type TdxCollateral = {
  tcbInfo: SignedText
  qeIdentity: SignedText
  /** DER. */
  rootCrl: Uint8Array
  pckCrl: Uint8Array
  pckCrlIssuerChain: readonly Uint8Array[]
}

/** @throws EVIDENCE_MALFORMED naming the member, INPUT_TOO_LARGE */
export function parseTdxCollateral(text: string): TdxCollateral {
  if (text.length > COLLATERAL_LIMIT) throw tooLarge('collateral', COLLATERAL_LIMIT)
  return readTdxCollateral(parseEvidenceJson(text, 'collateral'))
}

/** As `parseTdxCollateral`, for an object inside other evidence. */
export function readTdxCollateral(value: unknown): TdxCollateral {
  const object = asObject(value)
  if (object === undefined) throw malformed('collateral', 'collateral is not an object')
  return {
    tcbInfo: readSigned(object, 'tcb_info'),
    qeIdentity: readSigned(object, 'qe_identity'),
    rootCrl: readCrl(object, 'root_ca_crl'),
    pckCrl: readCrl(object, 'pck_crl'),
    pckCrlIssuerChain: readChain(object, 'pck_crl_issuer_chain'),
  }
}

export function encodeTdxCollateral(collateral: TdxCollateral): Record<string, string> {
  const chain = (certificates: readonly Uint8Array[]) =>
    certificates.map(encodeCertificatePem).join('')
  const { tcbInfo, qeIdentity } = collateral
  return {
    pck_crl_issuer_chain: chain(collateral.pckCrlIssuerChain),
    root_ca_crl: bytesToHex(collateral.rootCrl),
    pck_crl: bytesToHex(collateral.pckCrl),
    tcb_info_issuer_chain: chain(tcbInfo.issuerChain),
    tcb_info: tcbInfo.text,
    tcb_info_signature: bytesToHex(tcbInfo.signature),
    qe_identity_issuer_chain: chain(qeIdentity.issuerChain),
    qe_identity: qeIdentity.text,
    qe_identity_signature: bytesToHex(qeIdentity.signature),
  }
}

/** Two bundles with one hash have the same meaning. */
export function hashCollateral(collateral: TdxCollateral): string {
  const signed = ({ text, signature, issuerChain }: SignedText) => [
    new TextEncoder().encode(text),
    signature,
    hashed(issuerChain),
  ]
  return hashParts([
    ...signed(collateral.tcbInfo),
    ...signed(collateral.qeIdentity),
    collateral.rootCrl,
    collateral.pckCrl,
    hashed(collateral.pckCrlIssuerChain),
  ])
}

function hashed(parts: readonly Uint8Array[]): Uint8Array {
  return new TextEncoder().encode(hashParts(parts))
}

const RESPONSES = {
  tcbInfo:
    /^\s*\{\s*"tcbInfo"\s*:\s*(\{[\s\S]*\})\s*,\s*"signature"\s*:\s*"([0-9a-fA-F]{128})"\s*\}\s*$/,
  enclaveIdentity:
    /^\s*\{\s*"enclaveIdentity"\s*:\s*(\{[\s\S]*\})\s*,\s*"signature"\s*:\s*"([0-9a-fA-F]{128})"\s*\}\s*$/,
} as const

/**
 * Cuts the signed text out of an answer of Intel's service, `{"tcbInfo": {...}, "signature": "..."}`, without reading and writing it again.
 * @throws EVIDENCE_MALFORMED when the answer has any other form.
 */
export function splitSignedResponse(
  response: string,
  member: keyof typeof RESPONSES,
): Pick<SignedText, 'text' | 'signature'> {
  if (response.length > SIGNED_TEXT_LIMIT) throw tooLarge(member, SIGNED_TEXT_LIMIT)
  const found = RESPONSES[member].exec(response)
  const signature = parseHex(found?.[2] ?? '', 64)
  const text = found?.[1]
  if (text === undefined || signature === undefined)
    throw malformed(member, `the answer is not ${member} with its signature`)
  return { text, signature }
}

function readSigned(object: EvidenceObject, name: string): SignedText {
  const text = readText(object, name)
  if (text.length > SIGNED_TEXT_LIMIT) throw tooLarge(`collateral.${name}`, SIGNED_TEXT_LIMIT)
  const signature = parseHex(readText(object, `${name}_signature`), 64)
  if (signature === undefined) throw bad(`${name}_signature`)
  return { text, signature, issuerChain: readChain(object, `${name}_issuer_chain`) }
}

function readChain(object: EvidenceObject, name: string): Uint8Array[] {
  const text = readText(object, name)
  if (text.length > 2 * CHAIN_LIMIT * CERTIFICATE_LIMIT)
    throw tooLarge(`collateral.${name}`, 2 * CHAIN_LIMIT * CERTIFICATE_LIMIT)
  const chain = parsePemChain(text, CHAIN_LIMIT)
  if (chain === undefined) throw bad(name)
  return chain
}

/** Intel's provider library hands lists out as C strings: the final NUL is no part of the DER. */
function readCrl(object: EvidenceObject, name: string): Uint8Array {
  const bytes = parseHex(readText(object, name))
  if (bytes === undefined || bytes.length === 0) throw bad(name)
  const [tag, form, high = 0, low = 0] = bytes
  const whole = 4 + 256 * high + low
  const terminated = tag === 0x30 && form === 0x82 && bytes.length === whole + 1
  return terminated && bytes[whole] === 0 ? bytes.subarray(0, whole) : bytes
}

function readText(object: EvidenceObject, name: string): string {
  const value = object[name]
  if (typeof value !== 'string') throw bad(name)
  return value
}

const bad = (name: string) => malformed(`collateral.${name}`, `collateral: bad or missing ${name}`)
