/**
 * Is this TDX quote genuine, and what is its platform worth? One quote and its collateral against pinned Intel roots, offline.
 *
 * Sources: Intel TDX DCAP Quoting Library API (quote format), Intel SGX and TDX PCS API version 4 (collateral), Intel SGX PCK
 * Certificate and CRL Profile. Says nothing about whether the TD is wanted: that is `appraiseTdx`. Every claim is read from
 * signed bytes.
 *
 * A quote is signed twice: the platform's PCK vouches for the quoting enclave, whose report names the attestation key, which signs the
 * TD's report. ECDSA signatures have a twin (r, n - s), so never use the bytes of a quote, or their hash, to recognise a replay.
 * @module
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { bytesToHex, equalBytes, isZero, toBase64Url } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import type { TdxCollateral } from './collateral-bundle.ts'
import type { QeIdentity, TcbInfo } from './collateral-json.ts'
import {
  checkPckRevocation,
  type VerifiedCollateral,
  verifyCollateral,
} from './collateral-verify.ts'
import type { CrlMemory } from './crl-memory.ts'
import type { TdxTrustAnchors } from './tdx-anchors.ts'
import { type PckChain, verifyPckChain } from './tdx-chain.ts'
import { parseTdxQuote, type QeReport, type TdReport, type TdxQuote } from './tdx-quote.ts'
import { evaluateTcb, moduleIdOf, type TcbResult } from './tdx-tcb.ts'
import { verifyRaw } from './tdx-x509.ts'
import type { Check, TdxClaims, Verified } from './types.ts'

/** The sender may bring collateral along; without any the evidence cannot be verified. */
export type TdxEvidence = { quote: Uint8Array; collateral?: TdxCollateral }

/** What a process knows besides the evidence. */
export type TdxSources = {
  /** The operator's own collateral for a kind of platform, lower-case hex; it counts before the sender's. */
  findCollateral?: (platform: { fmspc: string; pceId: string }) => TdxCollateral | undefined
  /** Makes revocations stick that a newer list has shown. */
  crls?: CrlMemory
}

/** Vendor id of Intel's quoting enclave. */
const INTEL_QE_VENDOR = '939a7233f79c4ca9940a0db3957f0607'
/** SGX attribute flags, first byte. */
const SGX_DEBUG = 0x02

const QUOTE = 'Intel TDX DCAP Quoting Library API, quote format'
const PCS = 'Intel SGX and TDX PCS API version 4'
const RULES = {
  vendor: { name: 'tdx.qe-vendor', source: QUOTE },
  qeSignature: { name: 'tdx.qe-report-signature', source: QUOTE },
  key: { name: 'tdx.attestation-key', source: 'SEC 1, 3.2.2' },
  binding: { name: 'tdx.attestation-key-binding', source: QUOTE },
  signature: { name: 'tdx.quote-signature', source: QUOTE },
  qeDebug: { name: 'tdx.qe-not-debug', source: 'Intel SDM, SGX ATTRIBUTES' },
  collateral: { name: 'tdx.collateral', source: PCS },
  fmspc: { name: 'tdx.platform-equals-collateral', source: PCS },
  qeSigner: { name: 'tdx.qe-mrsigner', source: PCS },
  qeProduct: { name: 'tdx.qe-isvprodid', source: PCS },
  qeMisc: { name: 'tdx.qe-miscselect', source: PCS },
  qeAttributes: { name: 'tdx.qe-attributes', source: PCS },
  module: { name: 'tdx.module-identity', source: PCS },
  moduleNow: { name: 'tdx.module-identity-now', source: PCS },
  tcb: { name: 'tdx.tcb-status', source: PCS },
} as const satisfies Record<string, Rule>

/**
 * @param nowSeconds - Unix time at which certificates, lists and collateral must be valid.
 * @param trace - Filled with every check in order, also when one of them throws.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID; COLLATERAL_UNAVAILABLE where neither the evidence nor `sources` has collateral
 *   for the platform
 */
export function verifyTdx(
  evidence: TdxEvidence,
  anchors: TdxTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
  sources: TdxSources = {},
): Verified<TdxClaims> {
  const log: CheckLog = createCheckLog(trace)
  const { quote, chain } = verifyTdxQuote(evidence.quote, anchors, nowSeconds, trace)
  const collateral = findCollateral(evidence, chain, sources, log)
  const verified = verifyCollateral(collateral, anchors, nowSeconds, trace, sources.crls)
  checkPckRevocation(chain, verified, trace)
  checkPlatform(chain, verified.tcbInfo, log)
  checkQuotingEnclave(quote.qe.report, verified.qeIdentity, log)
  checkModules(quote.report, verified.tcbInfo, log)
  const result = evaluate(quote, chain, verified, log)
  return { claims: readClaims(quote, chain, verified, result), checks: log.checks }
}

/**
 * The part of `verifyTdx` that needs no collateral. It says that an enclave on a genuine Intel platform signed this report, and neither which
 * enclave that is nor what the platform is worth: nothing may be granted on it.
 *
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID
 */
export function verifyTdxQuote(
  bytes: Uint8Array,
  anchors: TdxTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
): { quote: TdxQuote; chain: PckChain } {
  const log: CheckLog = createCheckLog(trace)
  const quote = parseTdxQuote(bytes)
  const vendor = bytesToHex(quote.qeVendorId)
  log.demand(
    RULES.vendor,
    vendor === INTEL_QE_VENDOR,
    { vendor },
    "the quote is not of Intel's quoting enclave",
  )
  const chain = verifyPckChain(quote.certificates, anchors, nowSeconds, trace)
  checkSignatures(quote, chain, log)
  return { quote, chain }
}

/** Which collateral a quote needs, from its PCK certificate once that is verified. */
export function platformOf(chain: PckChain): { fmspc: string; pceId: string } {
  return { fmspc: bytesToHex(chain.sgx.fmspc), pceId: bytesToHex(chain.sgx.pceId) }
}

function checkSignatures(quote: TdxQuote, chain: PckChain, log: CheckLog): void {
  const { qe, attestationKey } = quote
  log.demand(
    RULES.qeSignature,
    verifyRaw(qe.signed, qe.signature, chain.leaf.publicKey),
    { pck: chain.leaf.sha256 },
    'the quoting enclave is not signed for by the PCK of the platform',
  )
  const bound = createHash('sha256').update(attestationKey).update(qe.authData).digest('hex')
  const named = qe.report.reportData
  log.demand(
    RULES.binding,
    bytesToHex(named.subarray(0, 32)) === bound && isZero(named.subarray(32)),
    { expected: bound, reported: bytesToHex(named) },
    'the quoting enclave does not vouch for this attestation key',
  )
  const key = readKey(attestationKey)
  log.demand(
    RULES.key,
    key !== undefined,
    { key: bytesToHex(attestationKey) },
    'the attestation key is not a point of P-256',
  )
  log.demand(
    RULES.signature,
    verifyRaw(quote.signed, quote.signature, key),
    { algorithm: 'ECDSA P-256 with SHA-256' },
    'the quote is not signed by its attestation key',
  )
  const attributes = qe.report.attributes
  log.demand(
    RULES.qeDebug,
    ((attributes[0] ?? 0) & SGX_DEBUG) === 0,
    { attributes: bytesToHex(attributes) },
    'the quoting enclave runs in debug mode: its key is not secret',
  )
}

function readKey(point: Uint8Array): KeyObject | undefined {
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map(toBase64Url)
  if (x === undefined || y === undefined) return undefined
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  } catch {
    return undefined // off the curve
  }
}

/** Says nothing against the quote, of which nobody can tell more than that Intel's platform key signed it. */
function noCollateral(fmspc: string): EigenxError<'COLLATERAL_UNAVAILABLE'> {
  return new EigenxError({
    code: 'COLLATERAL_UNAVAILABLE',
    message: 'there is no collateral for this platform',
    stage: 'evidence',
    details: { files: `collateral for FMSPC ${fmspc}` },
    hint: "Send Intel's collateral with the quote, or have the operator keep it for this FMSPC.",
  })
}

function findCollateral(
  evidence: TdxEvidence,
  chain: PckChain,
  sources: TdxSources,
  log: CheckLog,
): TdxCollateral {
  const platform = platformOf(chain)
  const own = sources.findCollateral?.(platform)
  const collateral = own ?? evidence.collateral
  const inputs = { ...platform, from: own === undefined ? 'evidence' : 'operator' }
  log.expect(RULES.collateral, collateral !== undefined, inputs, () => noCollateral(platform.fmspc))
  return collateral
}

function checkPlatform(chain: PckChain, tcbInfo: TcbInfo, log: CheckLog): void {
  const platform = platformOf(chain)
  log.demand(
    RULES.fmspc,
    platform.fmspc === tcbInfo.fmspc && platform.pceId === tcbInfo.pceId,
    { ...platform, collateral: `${tcbInfo.fmspc} ${tcbInfo.pceId}` },
    'the collateral is for another kind of platform',
  )
}

/** The same PCK vouches for every Intel enclave that asks: only the TD quoting enclave may speak for TDs. */
function checkQuotingEnclave(report: QeReport, identity: QeIdentity, log: CheckLog): void {
  const { mrSigner, isvProdId, miscSelect, attributes } = report
  log.demand(
    RULES.qeSigner,
    equalBytes(mrSigner, identity.mrSigner),
    { mrSigner: bytesToHex(mrSigner), expected: bytesToHex(identity.mrSigner) },
    "the enclave is not signed by Intel's quoting enclave signer",
  )
  log.demand(
    RULES.qeProduct,
    isvProdId === identity.isvProdId,
    { isvProdId: String(isvProdId), expected: String(identity.isvProdId) },
    'the enclave is not the TD quoting enclave',
  )
  const { value, mask } = identity.miscSelect
  log.demand(
    RULES.qeMisc,
    (miscSelect & mask) >>> 0 === value >>> 0,
    { miscSelect: hex32(miscSelect), mask: hex32(mask), expected: hex32(value) },
    'the quoting enclave saves other state than Intel says',
  )
  log.demand(
    RULES.qeAttributes,
    attributes.every(
      (byte, index) =>
        (byte & (identity.attributes.mask[index] ?? 0)) === identity.attributes.value[index],
    ),
    {
      attributes: bytesToHex(attributes),
      mask: bytesToHex(identity.attributes.mask),
      expected: bytesToHex(identity.attributes.value),
    },
    'the quoting enclave has other attributes than Intel says',
  )
}

function checkModules(report: TdReport, tcbInfo: TcbInfo, log: CheckLog): void {
  checkModule(RULES.module, report.teeTcbSvn, report, tcbInfo, log)
  if (report.teeTcbSvn2 === undefined) log.skip(RULES.moduleNow, { tdVersion: '1.0' })
  else checkModule(RULES.moduleNow, report.teeTcbSvn2, report, tcbInfo, log)
}

/** Intel's module has an all-zero signer and no attributes; the mask in the collateral is not used by Intel either. */
function checkModule(
  rule: Rule,
  svn: Uint8Array,
  report: TdReport,
  tcbInfo: TcbInfo,
  log: CheckLog,
): void {
  const id = moduleIdOf(svn)
  const identity =
    id === undefined ? tcbInfo.module : tcbInfo.modules.find((module) => module.id === id)
  const { mrSignerSeam, seamAttributes } = report
  const inputs = {
    module: id ?? 'major version 0',
    mrSignerSeam: bytesToHex(mrSignerSeam),
    seamAttributes: seamAttributes.toString(16),
  }
  if (identity === undefined) {
    // Without an identity there is no level either: the status is NotSupported.
    log.skip(rule, { ...inputs, collateral: 'does not know this module' })
    return
  }
  log.demand(
    rule,
    equalBytes(mrSignerSeam, identity.mrSigner) &&
      seamAttributes === 0n &&
      isZero(identity.attributes),
    { ...inputs, expected: bytesToHex(identity.mrSigner) },
    "the TDX module is not Intel's",
  )
}

/** Every status is a fact here; the policy decides which are good enough. */
function evaluate(
  quote: TdxQuote,
  chain: PckChain,
  verified: VerifiedCollateral,
  log: CheckLog,
): TcbResult {
  const { teeTcbSvn, teeTcbSvn2 } = quote.report
  const result = evaluateTcb({
    tcbInfo: verified.tcbInfo,
    qeIdentity: verified.qeIdentity,
    sgxComponents: chain.sgx.components,
    pceSvn: chain.sgx.pceSvn,
    teeTcbSvn,
    ...(teeTcbSvn2 === undefined ? {} : { teeTcbSvn2 }),
    qeIsvSvn: quote.qe.report.isvSvn,
  })
  const { tcb, advisories } = result
  log.demand(
    RULES.tcb,
    true,
    {
      status: tcb.status,
      platform: tcb.platform,
      module: tcb.module ?? 'none',
      quotingEnclave: tcb.quotingEnclave,
      current: tcb.current ?? 'none',
      advisories: advisories.join(' '),
    },
    '',
  )
  return result
}

function readClaims(
  quote: TdxQuote,
  chain: PckChain,
  verified: VerifiedCollateral,
  { tcb, advisories }: TcbResult,
): TdxClaims {
  const { leaf, sgx } = chain
  return {
    tee: 'tdx',
    quoteVersion: quote.version,
    tdVersion: quote.tdVersion,
    ...platformOf(chain),
    tcb,
    ...quote.report,
    quotingEnclave: { isvSvn: quote.qe.report.isvSvn, mrEnclave: quote.qe.report.mrEnclave },
    leaf: {
      sha256: leaf.sha256,
      notBefore: leaf.notBefore,
      notAfter: leaf.notAfter,
      ppid: sgx.ppid,
      pceSvn: sgx.pceSvn,
      platformInstanceId: sgx.platformInstanceId,
      dynamicPlatform: sgx.dynamicPlatform,
      cachedKeys: sgx.cachedKeys,
      smt: sgx.smt,
    },
    collateralExpires: verified.expires,
    advisories: advisories.map((id) => ({
      id,
      message: 'Intel lists it for the TCB level reached',
    })),
  }
}

const hex32 = (value: number) => (value >>> 0).toString(16).padStart(8, '0')
