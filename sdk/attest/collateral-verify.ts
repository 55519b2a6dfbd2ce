/**
 * Is this collateral Intel's, and in date? Signatures up to the pinned root, dates, and revocation of what it is signed with.
 *
 * Sources: Intel SGX and TDX PCS API version 4; RFC 5280. Fail closed: there is no collateral without revocation lists, and a document
 * before its issue date is as bad as one after its end. What does not depend on the clock is remembered by hash.
 * @module
 */
import { equalBytes, utf8ToBytes } from '../bytes.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import { hashCollateral, type SignedText, type TdxCollateral } from './collateral-bundle.ts'
import { parseQeIdentity, parseTcbInfo, type QeIdentity, type TcbInfo } from './collateral-json.ts'
import { type Crl, isRevoked, parseCrl, verifyCrlSignature } from './crl.ts'
import type { CrlMemory } from './crl-memory.ts'
import type { TdxTrustAnchors } from './tdx-anchors.ts'
import { checkValidity, openCrlIssuerChain, openSignerChain, type PckChain } from './tdx-chain.ts'
import { createRememberedPerAnchors, type RememberedCount } from './tdx-memory.ts'
import { type IntelX509, verifyRaw } from './tdx-x509.ts'
import type { Check } from './types.ts'

/** One bundle per kind of platform and recovery event; one is about 60 KB when read. */
const REMEMBERED_COLLATERAL = 64

const PCS = 'Intel SGX and TDX PCS API version 4'
const PROFILE = 'Intel SGX PCK Certificate and CRL Profile'
const rule = (name: string, source: string): Rule => ({ name, source })

/** What is remembered: everything but the dates and newer revocation lists. */
export type VerifiedCollateral = {
  tcbInfo: TcbInfo
  qeIdentity: QeIdentity
  /** TCB info's and QE identity's: the same certificate or two generations of it. */
  signers: readonly IntelX509[]
  platformCa: IntelX509
  root: IntelX509
  rootCrl: Crl
  pckCrl: Crl
  /** Unix seconds: when the first of the documents, or of the certificates that they are signed with, runs out. */
  expires: number
}

const remembered = createRememberedPerAnchors<VerifiedCollateral>(REMEMBERED_COLLATERAL)

export function countRememberedCollateral(anchors: TdxTrustAnchors): RememberedCount {
  const entries = remembered(anchors).size()
  return { kind: 'tdx-collateral', entries, limit: REMEMBERED_COLLATERAL }
}

/**
 * @param crls - Newer revocation lists that this process has seen.
 * @throws EVIDENCE_INVALID, EVIDENCE_MALFORMED, INPUT_TOO_LARGE
 */
export function verifyCollateral(
  collateral: TdxCollateral,
  anchors: TdxTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
  crls?: CrlMemory,
): VerifiedCollateral {
  const verified = remembered(anchors).get(hashCollateral(collateral), trace, (built) =>
    openCollateral(collateral, anchors, built),
  )
  checkDates(verified, nowSeconds, trace)
  const rootCrl = newest(verified.rootCrl, verified.root, crls)
  const pckCrl = newest(verified.pckCrl, verified.platformCa, crls)
  for (const signer of verified.signers) checkRevoked('tdx.tcb-signer', signer, rootCrl, trace)
  checkRevoked('tdx.crl-issuer', verified.platformCa, rootCrl, trace)
  return { ...verified, rootCrl, pckCrl }
}

/** The quote's own chain against the lists of its collateral. */
export function checkPckRevocation(
  chain: PckChain,
  collateral: VerifiedCollateral,
  trace: Check[],
): void {
  const log: CheckLog = createCheckLog(trace)
  log.demand(
    rule('tdx.pck-crl.of-platform-ca', PROFILE),
    equalBytes(chain.platformCa.spki, collateral.platformCa.spki) &&
      equalBytes(chain.root.spki, collateral.root.spki),
    { quote: chain.platformCa.sha256, collateral: collateral.platformCa.sha256 },
    'the revocation list is of another authority than the PCK certificate',
  )
  checkRevoked('tdx.pck-platform-ca', chain.platformCa, collateral.rootCrl, trace)
  checkRevoked('tdx.pck', chain.leaf, collateral.pckCrl, trace)
}

function openCollateral(
  collateral: TdxCollateral,
  anchors: TdxTrustAnchors,
  trace: Check[],
): VerifiedCollateral {
  const { tcbInfo, qeIdentity, pckCrlIssuerChain } = collateral
  const tcbSigner = openSigned('tdx.tcb-info', tcbInfo, anchors, trace)
  const qeSigner = openSigned('tdx.qe-identity', qeIdentity, anchors, trace)
  const { platformCa, root } = openCrlIssuerChain(pckCrlIssuerChain, anchors, trace)
  const rootCrl = openCrl('tdx.root-crl', collateral.rootCrl, root, trace)
  const pckCrl = openCrl('tdx.pck-crl', collateral.pckCrl, platformCa, trace)
  const read = { tcbInfo: parseTcbInfo(tcbInfo.text), qeIdentity: parseQeIdentity(qeIdentity.text) }
  const signers = tcbSigner.sha256 === qeSigner.sha256 ? [tcbSigner] : [tcbSigner, qeSigner]
  return {
    ...read,
    signers,
    platformCa,
    root,
    rootCrl,
    pckCrl,
    expires: Math.min(
      read.tcbInfo.nextUpdate,
      read.qeIdentity.nextUpdate,
      rootCrl.nextUpdate,
      pckCrl.nextUpdate,
      ...[...signers, platformCa, root].map(({ notAfter }) => notAfter),
    ),
  }
}

/** Over the text itself: another spelling of the same JSON is another document. */
function openSigned(
  name: string,
  document: SignedText,
  anchors: TdxTrustAnchors,
  trace: Check[],
): IntelX509 {
  const log: CheckLog = createCheckLog(trace)
  const { signer } = openSignerChain(`${name}.chain`, document.issuerChain, anchors, trace)
  log.demand(
    rule(`${name}.signature`, PCS),
    verifyRaw(utf8ToBytes(document.text), document.signature, signer.publicKey),
    { signer: signer.sha256 },
    'the document is not signed by the TCB signing certificate',
  )
  return signer
}

function openCrl(name: string, der: Uint8Array, issuer: IntelX509, trace: Check[]): Crl {
  const log: CheckLog = createCheckLog(trace)
  const crl = parseCrl(der, name.slice('tdx.'.length))
  log.demand(
    rule(`${name}.issuer`, PROFILE),
    equalBytes(crl.issuer, issuer.subjectName),
    { issuer: crl.issuerCommonName, expected: issuer.subject },
    'the revocation list is of another authority',
  )
  const { algorithm } = crl
  const isIntel = algorithm.kind === 'ecdsa' && algorithm.hash === 'sha256'
  log.demand(
    rule(`${name}.signature`, PROFILE),
    isIntel && verifyCrlSignature(crl, issuer.publicKey),
    { issuer: issuer.sha256 },
    'the revocation list is not signed by its authority',
  )
  return crl
}

function checkDates(verified: VerifiedCollateral, nowSeconds: number, trace: Check[]): void {
  const { tcbInfo, qeIdentity, rootCrl, pckCrl, signers, platformCa, root } = verified
  const issue = ({ issueDate, nextUpdate }: { issueDate: number; nextUpdate: number }) => ({
    notBefore: issueDate,
    notAfter: nextUpdate,
  })
  const update = ({ thisUpdate, nextUpdate }: Crl) => ({
    notBefore: thisUpdate,
    notAfter: nextUpdate,
  })
  checkValidity('tdx.tcb-info', issue(tcbInfo), nowSeconds, trace)
  checkValidity('tdx.qe-identity', issue(qeIdentity), nowSeconds, trace)
  checkValidity('tdx.root-crl', update(rootCrl), nowSeconds, trace)
  checkValidity('tdx.pck-crl', update(pckCrl), nowSeconds, trace)
  for (const signer of signers) checkValidity('tdx.tcb-signer', signer, nowSeconds, trace)
  checkValidity('tdx.crl-issuer', platformCa, nowSeconds, trace)
  checkValidity('tdx.collateral-root', root, nowSeconds, trace)
}

function newest(crl: Crl, issuer: IntelX509, crls: CrlMemory | undefined): Crl {
  return crls === undefined ? crl : crls.newest(issuer.spki, crl)
}

function checkRevoked(prefix: string, subject: IntelX509, crl: Crl, trace: Check[]): void {
  const log: CheckLog = createCheckLog(trace)
  log.demand(
    rule(`${prefix}.not-revoked`, 'RFC 5280, 6.3'),
    subject.issuer === crl.issuerCommonName && !isRevoked(crl, subject.serial),
    { serial: subject.serial, list: crl.issuerCommonName, revoked: String(crl.revoked.size) },
    `${prefix} has been revoked`,
  )
}
