/**
 * Is this SEV-SNP report genuine? One report and its endorsement key certificate against pinned AMD authorities, offline.
 *
 * Sources: AMD 56860 (SEV-SNP Firmware ABI) for the report, AMD 57230 for the certificates. Says nothing about whether the guest is
 * wanted: that is `appraiseSnp`. Every claim is read from the signed bytes.
 *
 * ECDSA signatures have a twin (r, n - s) and real firmware writes both, so both are accepted: never use the bytes of a
 * report, or their hash, to recognise a replay.
 * @module
 */
import { verify } from 'node:crypto'
import { p384 } from '@noble/curves/nist.js'
import { bytesToHex, concatBytes, equalBytes, fromUintBE, isZero } from '../bytes.ts'
import type { SnpTrustAnchors } from './anchors.ts'
import { type CheckLog, createCheckLog, type Rule, tooLarge } from './checks.ts'
import { adviseSnp } from './snp-advisories.ts'
import {
  findLeaf,
  isTrustedAuthority,
  type NamedLeaf,
  type Validity,
  type VerifiedLeaf,
} from './snp-chain.ts'
import { describeVersion, versionAtMost } from './snp-firmware.ts'
import { parseSnpReport, productOfCpuid, type SnpReport, unpackTcb } from './snp-report.ts'
import type { Check, SnpClaims, SnpProduct, SnpTcb, Verified } from './types.ts'
import { describeTime } from './x509.ts'

/** DER certificates in any order: the endorsement key's, and AMD's authorities if the sender likes. */
export type SnpEvidence = {
  report: Uint8Array
  certificates: readonly Uint8Array[]
  /** DER revocation lists that came along, of either kind: see `openCarriedSnpCrl`. */
  crls?: readonly Uint8Array[]
}

/** A leaf, two authorities and room for the other signer's. */
const CERTIFICATE_COUNT_LIMIT = 10
/** Field size of P-384 in bytes. */
const SCALAR = 48

const ABI = 'AMD 56860, ATTESTATION_REPORT'
const KDS = 'AMD 57230, VCEK and VLEK certificates'
const RULES = {
  signer: { name: 'snp.signer', source: ABI },
  signatureForm: { name: 'snp.signature-form', source: ABI },
  cpu: { name: 'snp.cpu-known', source: 'AMD 56860, CPUID_FAM_ID and CPUID_MOD_ID' },
  roles: { name: 'snp.one-leaf', source: KDS },
  issuer: { name: 'snp.leaf-issuer', source: KDS },
  signerMatches: { name: 'snp.leaf-kind-equals-signer', source: KDS },
  product: { name: 'snp.product', source: KDS },
  leafSignature: { name: 'snp.leaf-signature', source: 'RFC 8017, RSASSA-PSS' },
  leafKind: { name: 'snp.leaf-kind-equals-issuer', source: KDS },
  leafValidity: { name: 'snp.leaf-validity', source: 'RFC 5280, 4.1.2.5' },
  askValidity: { name: 'snp.intermediate-validity', source: 'RFC 5280, 4.1.2.5' },
  arkValidity: { name: 'snp.root-validity', source: 'RFC 5280, 4.1.2.5' },
  productName: { name: 'snp.leaf-product-name', source: KDS },
  leafTcb: { name: 'snp.leaf-tcb-equals-reported', source: KDS },
  hwid: { name: 'snp.leaf-hwid-equals-chip-id', source: KDS },
  signature: { name: 'snp.report-signature', source: ABI },
  tcbOrder: { name: 'snp.tcb-order', source: 'AMD 56860, TCB_VERSION' },
  firmwareOrder: {
    name: 'snp.firmware-order',
    source: 'AMD 56860, CURRENT_MAJOR to COMMITTED_BUILD',
  },
} as const satisfies Record<string, Rule>

/**
 * @param nowSeconds - Unix time at which certificates must be valid.
 * @param trace - Filled with every check in order, also when one of them throws.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID
 */
export function verifySnp(
  evidence: SnpEvidence,
  anchors: SnpTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
): Verified<SnpClaims> {
  const log: CheckLog = createCheckLog(trace)
  const report = parseSnpReport(evidence.report)
  const signer = checkSigner(report, log)
  const signature = readSignature(report, log)
  const cpuProduct = checkCpu(report, log)

  const leafDer = selectLeaf(evidence.certificates, anchors, log)
  const named = checkIssuer(leafDer, { signer, cpuProduct }, anchors, log)
  const verified = checkLeaf(named, nowSeconds, log)
  const { product } = named
  const tcb = readTcbs(report, product)
  checkLeafFits(report, tcb.reported, verified.leaf, product, log)

  log.demand(
    RULES.signature,
    verifySignature(report.signed, signature, verified),
    { algorithm: 'ECDSA P-384 with SHA-384' },
    'the report is not signed by the key of its certificate',
  )
  checkTcbOrder(tcb, log)
  checkFirmwareOrder(report, log)
  return {
    claims: readClaims(report, { named, tcb, verified }),
    checks: log.checks,
  }
}

/** A report signed by no key carries a zero signature; so does one whose chip key the host masked. */
function checkSigner(report: SnpReport, log: CheckLog): 'VCEK' | 'VLEK' {
  const { signingKey, maskChipKey } = report
  log.demand(
    RULES.signer,
    !maskChipKey && (signingKey === 'VCEK' || signingKey === 'VLEK'),
    { signingKey, maskChipKey: String(maskChipKey) },
    maskChipKey ? 'the host masked the chip key' : 'the report is not signed by a VCEK or VLEK',
    'The host must let the firmware sign with a VCEK or a VLEK.',
  )
  return signingKey
}

/** @returns r || s, big-endian, 48 bytes each. */
function readSignature(report: SnpReport, log: CheckLog): Uint8Array {
  const halves = [report.signature.r, report.signature.s]
  const scalars = halves.map((half) => half.slice(0, SCALAR).reverse())
  const inRange = scalars.every((bytes) => {
    const value = fromUintBE(bytes)
    return value > 0n && value < p384.Point.Fn.ORDER
  })
  const padded = halves.every((half) => isZero(half.subarray(SCALAR)))
  log.demand(
    RULES.signatureForm,
    inRange && padded,
    { inRange: String(inRange), paddingIsZero: String(padded) },
    'the signature is not two P-384 scalars',
  )
  return concatBytes(...scalars)
}

function checkCpu(report: SnpReport, log: CheckLog): SnpProduct | undefined {
  const { cpuid } = report
  if (cpuid === undefined) {
    log.skip(RULES.cpu, { version: String(report.version) })
    return undefined
  }
  const product = productOfCpuid(cpuid)
  const { family, model, stepping } = cpuid
  log.demand(
    RULES.cpu,
    product !== undefined,
    { cpuid: bytesToHex(Uint8Array.of(family, model, stepping)), product: product ?? 'unknown' },
    'the report is of a processor that this verifier does not know',
  )
  return product
}

/** Trusted authorities may come along; of everything else there must be exactly one certificate. */
function selectLeaf(
  certificates: readonly Uint8Array[],
  anchors: SnpTrustAnchors,
  log: CheckLog,
): Uint8Array {
  if (certificates.length > CERTIFICATE_COUNT_LIMIT)
    throw tooLarge('certificates', CERTIFICATE_COUNT_LIMIT)
  const others = certificates.filter((der) => !isTrustedAuthority(der, anchors))
  const [leaf] = others
  log.demand(
    RULES.roles,
    leaf !== undefined && others.length === 1,
    { given: String(certificates.length), notAnAuthority: String(others.length) },
    leaf === undefined
      ? 'the evidence carries no endorsement key certificate'
      : 'the evidence carries more than one certificate that is not a trusted authority',
    'Send the VCEK or VLEK certificate of the report; authorities other than the pinned ones are refused.',
  )
  return leaf
}

/** Whom the leaf names as its issuer decides product and kind; the report must agree with both. */
function checkIssuer(
  leafDer: Uint8Array,
  report: { signer: 'VCEK' | 'VLEK'; cpuProduct: SnpProduct | undefined },
  anchors: SnpTrustAnchors,
  log: CheckLog,
): NamedLeaf {
  const leaf = findLeaf(leafDer, anchors)
  const trusted = [...anchors.keys()].join(', ')
  log.demand(
    RULES.issuer,
    leaf !== undefined,
    { trusted, issuer: leaf === undefined ? 'none of them' : `${leaf.product} ${leaf.kind}` },
    'the certificate names no trusted authority as its issuer',
  )
  log.demand(
    RULES.signerMatches,
    leaf.kind === report.signer,
    { signer: report.signer, issuedAs: leaf.kind },
    `the report is signed by a ${report.signer}, the certificate is of another kind`,
  )
  // Turin never wrote version 2, and its TCB cannot be told from Milan's without the CPU fields.
  const { cpuProduct } = report
  log.demand(
    RULES.product,
    cpuProduct === undefined ? leaf.product !== 'Turin' : cpuProduct === leaf.product,
    { issuer: leaf.product, report: cpuProduct ?? 'not in this version' },
    'the certificate is of another product line than the report',
  )
  return leaf
}

function checkLeaf(named: NamedLeaf, nowSeconds: number, log: CheckLog): VerifiedLeaf {
  const verified = named.verify()
  log.demand(
    RULES.leafSignature,
    verified !== undefined,
    { leaf: named.sha256, issuer: `${named.product} ${named.kind}` },
    'the certificate is not signed by AMD',
  )
  log.demand(
    RULES.leafKind,
    verified.leaf.kind === named.kind,
    { subject: `SEV-${verified.leaf.kind}`, issuedAs: named.kind },
    'subject and issuer of the certificate disagree about its kind',
  )
  checkValidity(RULES.leafValidity, verified.leaf, nowSeconds, log)
  checkValidity(RULES.askValidity, verified.authorities.intermediate, nowSeconds, log)
  checkValidity(RULES.arkValidity, verified.authorities.ark, nowSeconds, log)
  return verified
}

function checkValidity(rule: Rule, validity: Validity, nowSeconds: number, log: CheckLog): void {
  log.demand(
    rule,
    validity.notBefore <= nowSeconds && nowSeconds <= validity.notAfter,
    {
      notBefore: describeTime(validity.notBefore),
      notAfter: describeTime(validity.notAfter),
      now: describeTime(nowSeconds),
    },
    nowSeconds < validity.notBefore
      ? 'a certificate of the chain is not valid yet'
      : 'a certificate of the chain has expired',
    'Fetch the current certificate from the host or AMD; also compare the clock.',
  )
}

/** The certificate is for this chip at this TCB: otherwise an old key could vouch for a new level. */
function checkLeafFits(
  report: SnpReport,
  reported: SnpTcb,
  leaf: VerifiedLeaf['leaf'],
  product: SnpProduct,
  log: CheckLog,
): void {
  const nameFits = leaf.productName.split('-')[0] === product
  const names = { productName: leaf.productName, product }
  // AMD wrote wrong names into some certificates; from version 3 on the report itself names the processor.
  if (report.version >= 3 && !nameFits) log.skip(RULES.productName, names)
  else log.demand(RULES.productName, nameFits, names, 'the certificate names another product')

  log.demand(
    RULES.leafTcb,
    describeTcb(leaf.tcb) === describeTcb(reported),
    { leaf: describeTcb(leaf.tcb), reported: describeTcb(reported) },
    'the certificate is for another TCB than the report states',
    'Fetch the certificate for the reported TCB of this chip.',
  )
  const inputs = { chipId: bytesToHex(report.chipId) }
  if (leaf.hwid === undefined) {
    log.skip(RULES.hwid, { ...inputs, cspId: leaf.cspId ?? '' })
    return
  }
  const hwid = new Uint8Array(64)
  hwid.set(leaf.hwid)
  log.demand(
    RULES.hwid,
    equalBytes(hwid, report.chipId) && !isZero(hwid),
    { ...inputs, hwid: bytesToHex(leaf.hwid) },
    isZero(report.chipId)
      ? 'the host masked the chip id, so the certificate cannot be tied to the report'
      : 'the certificate is of another chip',
  )
}

function verifySignature(signed: Uint8Array, signature: Uint8Array, by: VerifiedLeaf): boolean {
  const key = { key: by.leaf.publicKey, dsaEncoding: 'ieee-p1363' } as const
  return verify('sha384', signed, key, signature)
}

type Tcbs = SnpClaims['tcb']

function readTcbs(report: SnpReport, product: SnpProduct): Tcbs {
  return {
    reported: unpackTcb(report.reportedTcb, product, 'reported_tcb'),
    current: unpackTcb(report.currentTcb, product, 'current_tcb'),
    committed: unpackTcb(report.committedTcb, product, 'committed_tcb'),
    launch: unpackTcb(report.launchTcb, product, 'launch_tcb'),
  }
}

/** Genuine hosts differ in all three, but only in this direction. */
function checkTcbOrder(tcb: Tcbs, log: CheckLog): void {
  log.demand(
    RULES.tcbOrder,
    tcbAtMost(tcb.reported, tcb.committed) && tcbAtMost(tcb.committed, tcb.current),
    {
      reported: describeTcb(tcb.reported),
      committed: describeTcb(tcb.committed),
      current: describeTcb(tcb.current),
    },
    'the report claims a TCB above what is committed, or committed above what runs',
  )
}

/** As the TCBs: firmware cannot go back behind what it has committed to. */
function checkFirmwareOrder({ current, committed }: SnpReport, log: CheckLog): void {
  log.demand(
    RULES.firmwareOrder,
    versionAtMost(committed, current),
    { committed: describeVersion(committed), current: describeVersion(current) },
    'the report claims that newer firmware is committed than runs',
  )
}

/** Every component of `a` at most that of `b`. */
function tcbAtMost(a: SnpTcb, b: SnpTcb): boolean {
  return (
    (a.fmc ?? 0) <= (b.fmc ?? 0) &&
    a.bootloader <= b.bootloader &&
    a.tee <= b.tee &&
    a.snp <= b.snp &&
    a.microcode <= b.microcode
  )
}

/** One text per TCB: `bl4.tee0.snp24.uc219`, on Turin with `fmc1.` in front. */
export function describeTcb(tcb: SnpTcb): string {
  const fmc = tcb.fmc === undefined ? '' : `fmc${tcb.fmc}.`
  return `${fmc}bl${tcb.bootloader}.tee${tcb.tee}.snp${tcb.snp}.uc${tcb.microcode}`
}

function readClaims(
  report: SnpReport,
  found: { named: NamedLeaf; tcb: Tcbs; verified: VerifiedLeaf },
): SnpClaims {
  const { named, tcb, verified } = found
  const { product, kind: signer } = named
  const { cspId, notBefore, notAfter } = verified.leaf
  const { version: reportVersion, platformInfo, cpuid } = report
  const { launchMitigations, currentMitigations } = report
  return {
    tee: 'snp',
    product,
    reportVersion,
    signer,
    ...(cspId === undefined ? {} : { cspId }),
    tcb,
    vmpl: report.vmpl,
    guestSvn: report.guestSvn,
    measurement: report.measurement,
    reportData: report.reportData,
    hostData: report.hostData,
    chipId: report.chipId,
    idKeyDigest: report.idKeyDigest,
    authorKeyDigest: report.authorKeyDigest,
    familyId: report.familyId,
    imageId: report.imageId,
    authorKeyEnabled: report.authorKeyEnabled,
    reportId: report.reportId,
    reportIdMa: report.reportIdMa,
    policy: report.policy,
    platformInfo,
    firmware: { current: report.current, committed: report.committed },
    ...(cpuid === undefined ? {} : { cpuid }),
    ...(launchMitigations === undefined ? {} : { launchMitigations }),
    ...(currentMitigations === undefined ? {} : { currentMitigations }),
    leaf: {
      sha256: named.sha256,
      notBefore,
      notAfter,
      serial: verified.serials.leaf,
      issuerSerial: verified.serials.intermediate,
    },
    advisories: adviseSnp({ product, reportVersion, platformInfo }),
  }
}
