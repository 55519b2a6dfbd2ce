/**
 * From a certificate to a pinned Intel root: PCK chains of quotes, and the chains that come with collateral.
 *
 * Sources: Intel SGX PCK Certificate and CRL Profile Specification; RFC 5280. The root that is sent along is compared with the
 * anchors byte for byte: Intel's pre-production root carries the same names. Chains have exactly one form: leaf first, root last.
 * @module
 */
import { equalBytes } from '../bytes.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import type { TdxTrustAnchors } from './tdx-anchors.ts'
import { createRememberedPerAnchors, hashParts, type RememberedCount } from './tdx-memory.ts'
import { type PckExtension, parsePckExtension } from './tdx-pck.ts'
import { type IntelX509, parseIntelCertificate } from './tdx-x509.ts'
import type { Check } from './types.ts'
import { describeTime } from './x509.ts'

/** Verified PCK chains remembered per set of anchors; one is about 8 KB. */
const REMEMBERED_CHAINS = 512
const REMEMBERED_AUTHORITIES = 16

const ROOT_NAME = 'Intel SGX Root CA'
const PLATFORM_CA_NAME = 'Intel SGX PCK Platform CA'
const PROCESSOR_CA_NAME = 'Intel SGX PCK Processor CA'
const PCK_NAME = 'Intel SGX PCK Certificate'
const TCB_SIGNER_NAME = 'Intel SGX TCB Signing'

const PROFILE = 'Intel SGX PCK Certificate and CRL Profile'
const rule = (name: string, source: string = PROFILE): Rule => ({ name, source })

/** What is remembered: everything but the dates. */
export type PckChain = {
  leaf: IntelX509
  platformCa: IntelX509
  root: IntelX509
  sgx: PckExtension
}

export type SignerChain = { signer: IntelX509; root: IntelX509 }

const chains = createRememberedPerAnchors<PckChain>(REMEMBERED_CHAINS)
/** Many certificates and documents have the same few authorities. */
const authorities =
  createRememberedPerAnchors<Pick<PckChain, 'platformCa' | 'root'>>(REMEMBERED_AUTHORITIES)
const roots = createRememberedPerAnchors<IntelX509>(REMEMBERED_AUTHORITIES)
const signers = createRememberedPerAnchors<SignerChain>(REMEMBERED_AUTHORITIES)

export function countRememberedChains(anchors: TdxTrustAnchors): readonly RememberedCount[] {
  const limit = REMEMBERED_AUTHORITIES
  return [
    { kind: 'tdx-pck', entries: chains(anchors).size(), limit: REMEMBERED_CHAINS },
    { kind: 'tdx-authority', entries: authorities(anchors).size(), limit },
    { kind: 'tdx-root', entries: roots(anchors).size(), limit },
    { kind: 'tdx-signer', entries: signers(anchors).size(), limit },
  ]
}

/**
 * @param certificates - Leaf, Platform CA, root.
 * @throws EVIDENCE_INVALID, EVIDENCE_MALFORMED
 */
export function verifyPckChain(
  certificates: readonly Uint8Array[],
  anchors: TdxTrustAnchors,
  nowSeconds: number,
  trace: Check[],
): PckChain {
  const chain = chains(anchors).get(hashParts(certificates), trace, (built) =>
    openPckChain(certificates, anchors, built),
  )
  checkValidity('tdx.pck', chain.leaf, nowSeconds, trace)
  checkValidity('tdx.pck-platform-ca', chain.platformCa, nowSeconds, trace)
  checkValidity('tdx.pck-root', chain.root, nowSeconds, trace)
  return chain
}

function openPckChain(
  certificates: readonly Uint8Array[],
  anchors: TdxTrustAnchors,
  trace: Check[],
): PckChain {
  const log: CheckLog = createCheckLog(trace)
  const [leafDer, caDer, rootDer] = certificates
  log.demand(
    rule('tdx.pck-chain.leaf'),
    leafDer !== undefined &&
      caDer !== undefined &&
      rootDer !== undefined &&
      certificates.length === 3,
    { given: String(certificates.length) },
    'the quote does not carry a PCK certificate, its authority and the root',
  )
  const issuers = openAuthorities('tdx.pck-chain', [caDer, rootDer], anchors, trace)
  const { platformCa } = issuers
  const leaf = parseIntelCertificate(leafDer, 'leaf', 'pck')
  log.demand(
    rule('tdx.pck-chain.leaf-name'),
    leaf.subject === PCK_NAME && leaf.issuer === PLATFORM_CA_NAME,
    { subject: leaf.subject, issuer: leaf.issuer },
    'the first certificate is not a PCK certificate of the Platform CA',
  )
  log.demand(
    rule('tdx.pck-chain.leaf-signature', 'RFC 5758, ECDSA'),
    leaf.isSignedBy(platformCa.publicKey),
    { leaf: leaf.sha256 },
    'the PCK certificate is not signed by the Platform CA',
  )
  if (leaf.sgx === undefined) throw new Error('a leaf without its extension was parsed')
  return { leaf, ...issuers, sgx: parsePckExtension(leaf.sgx) }
}

/** Platform CA and root, as they come with the PCK revocation list. */
export function openCrlIssuerChain(
  certificates: readonly Uint8Array[],
  anchors: TdxTrustAnchors,
  trace: Check[],
): Pick<PckChain, 'platformCa' | 'root'> {
  return openAuthorities('tdx.crl-chain', certificates, anchors, trace)
}

function openAuthorities(
  prefix: string,
  certificates: readonly Uint8Array[],
  anchors: TdxTrustAnchors,
  trace: Check[],
): Pick<PckChain, 'platformCa' | 'root'> {
  return authorities(anchors).get(`${prefix} ${hashParts(certificates)}`, trace, (built) => {
    const [caDer, rootDer] = demandPair(prefix, certificates, built)
    const root = verifyRoot(prefix, rootDer, anchors, built)
    return { platformCa: verifyPlatformCa(prefix, caDer, root, built), root }
  })
}

/** TCB signing certificate and root, as they come with TCB info and QE identity. */
export function openSignerChain(
  prefix: string,
  certificates: readonly Uint8Array[],
  anchors: TdxTrustAnchors,
  trace: Check[],
): SignerChain {
  return signers(anchors).get(`${prefix} ${hashParts(certificates)}`, trace, (built) =>
    verifySignerChain(prefix, certificates, anchors, built),
  )
}

function verifySignerChain(
  prefix: string,
  certificates: readonly Uint8Array[],
  anchors: TdxTrustAnchors,
  trace: Check[],
): SignerChain {
  const log: CheckLog = createCheckLog(trace)
  const [signerDer, rootDer] = demandPair(prefix, certificates, trace)
  const root = verifyRoot(prefix, rootDer, anchors, trace)
  const signer = parseIntelCertificate(signerDer, 'signer', 'tcb-signer')
  log.demand(
    rule(`${prefix}.signer-name`),
    signer.subject === TCB_SIGNER_NAME && signer.issuer === ROOT_NAME,
    { subject: signer.subject, issuer: signer.issuer },
    'the collateral is not signed by a TCB signing certificate',
  )
  log.demand(
    rule(`${prefix}.signer-signature`, 'RFC 5758, ECDSA'),
    signer.isSignedBy(root.publicKey),
    { signer: signer.sha256 },
    'the TCB signing certificate is not signed by the root',
  )
  return { signer, root }
}

function demandPair(
  prefix: string,
  certificates: readonly Uint8Array[],
  trace: Check[],
): readonly [Uint8Array, Uint8Array] {
  const [first, second] = certificates
  const log: CheckLog = createCheckLog(trace)
  log.demand(
    rule(`${prefix}.length`),
    first !== undefined && second !== undefined && certificates.length === 2,
    { given: String(certificates.length) },
    'the chain is not a certificate and the root',
  )
  return [first, second]
}

function verifyRoot(
  prefix: string,
  der: Uint8Array,
  anchors: TdxTrustAnchors,
  trace: Check[],
): IntelX509 {
  const log: CheckLog = createCheckLog(trace)
  log.demand(
    rule(`${prefix}.root`, 'pinned trust anchors'),
    anchors.roots.some((anchor) => equalBytes(anchor, der)),
    { given: hashParts([der]), trusted: String(anchors.roots.length) },
    'the chain does not end in a trusted root',
    "Pre-production and simulated platforms have roots of their own; production trusts Intel's alone.",
  )
  return roots(anchors).get(`${prefix} ${hashParts([der])}`, trace, (built) =>
    openRoot(prefix, der, built),
  )
}

function openRoot(prefix: string, der: Uint8Array, trace: Check[]): IntelX509 {
  const log: CheckLog = createCheckLog(trace)
  const root = parseIntelCertificate(der, 'authority', 'root')
  log.demand(
    rule(`${prefix}.root-self-signed`),
    root.subject === ROOT_NAME &&
      root.issuer === ROOT_NAME &&
      root.pathLength === 1 &&
      root.isSignedBy(root.publicKey),
    { root: root.sha256 },
    'the root does not sign itself under its own name',
  )
  return root
}

/** Client platforms have PCKs of the Processor CA; no TDX platform does. */
function verifyPlatformCa(
  prefix: string,
  der: Uint8Array,
  root: IntelX509,
  trace: Check[],
): IntelX509 {
  const log: CheckLog = createCheckLog(trace)
  const authority = parseIntelCertificate(der, 'authority', 'platform-ca')
  log.demand(
    rule(`${prefix}.platform-ca-name`),
    authority.subject === PLATFORM_CA_NAME &&
      authority.issuer === ROOT_NAME &&
      authority.pathLength === 0,
    { subject: authority.subject, issuer: authority.issuer },
    authority.subject === PROCESSOR_CA_NAME
      ? 'the PCK is of the Processor CA, which has no TDX platforms'
      : 'the intermediate is not the PCK Platform CA',
  )
  log.demand(
    rule(`${prefix}.platform-ca-signature`, 'RFC 5758, ECDSA'),
    authority.isSignedBy(root.publicKey),
    { authority: authority.sha256 },
    'the Platform CA is not signed by the root',
  )
  return authority
}

/** Both ends count. */
export function checkValidity(
  prefix: string,
  period: { notBefore: number; notAfter: number },
  nowSeconds: number,
  trace: Check[],
): void {
  const log: CheckLog = createCheckLog(trace)
  log.demand(
    rule(`${prefix}.validity`, 'RFC 5280, 4.1.2.5'),
    period.notBefore <= nowSeconds && nowSeconds <= period.notAfter,
    {
      notBefore: describeTime(period.notBefore),
      notAfter: describeTime(period.notAfter),
      now: describeTime(nowSeconds),
    },
    nowSeconds < period.notBefore ? `${prefix} is not valid yet` : `${prefix} has run out`,
    'Fetch the current one; also compare the clock.',
  )
}
