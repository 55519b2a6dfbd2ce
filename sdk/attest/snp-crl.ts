/**
 * AMD's revocation lists: is the authority that signed an endorsement key certificate still good? Values in, values out; no I/O.
 *
 * Source: AMD 57230 (VCEK Certificate and KDS Interface Specification), CRL; RFC 5280, 5 and 6.3. The ARK of a product line signs two
 * lists, one served beside the VCEKs and one beside the VLEKs. Both carry the same issuer and nothing inside tells them apart, yet
 * each has its own series of numbers: whoever loads a list says which one it is, and they are never mixed.
 * AMD's endorsement key certificates all have the serial 0, so what a list can revoke is the ASK or ASVK. An older list would
 * undo a revocation: the highest number seen is remembered by the caller and given back here.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { equalBytes } from '../bytes.ts'
import type { SnpAuthorityCertificates, SnpTrustAnchors } from './anchors.ts'
import { type CheckLog, createCheckLog, malformed, type Rule } from './checks.ts'
import { type Crl, isRevoked, parseCrl, serialHex, verifyCrlSignature } from './crl.ts'
import type { SnpEvidence } from './snp-verify.ts'
import type { Check, SnpClaims, SnpProduct } from './types.ts'
import { decodeCertificate, describeTime } from './x509.ts'

const KDS = 'AMD 57230, certificate revocation lists'
const RULES = {
  issuer: { name: 'snp.crl.issuer', source: KDS },
  signature: { name: 'snp.crl.signature', source: 'RFC 8017, RSASSA-PSS' },
  issued: { name: 'snp.crl.issued', source: 'RFC 5280, 5.1.2.4' },
  number: { name: 'snp.crl.number', source: 'RFC 5280, 5.2.3' },
  present: { name: 'snp.crl.present', source: 'operator policy' },
  current: { name: 'snp.crl.current', source: 'RFC 5280, 5.1.2.5' },
  intermediate: { name: 'snp.crl.intermediate', source: KDS },
  leaf: { name: 'snp.crl.leaf', source: KDS },
} as const satisfies Record<string, Rule>

/** Which of a product line's two lists. */
export type SnpCrlKind = 'VCEK' | 'VLEK'

/** A list whose issuer was verified. */
export type SnpCrl = { product: SnpProduct; kind: SnpCrlKind; crl: Crl }

/** `<product>/<kind>` -> highest number seen. The caller stores it. */
export type SnpCrlNumbers = ReadonlyMap<string, bigint>

export type SnpCrlPolicy = {
  /** Without a list, or with one that has run out, nobody is served. */
  required: boolean
  /** How long after nextUpdate a list still counts as current. */
  graceSeconds: number
}

/** The serial numbers that a list can name. */
export type SnpChain = {
  product: SnpProduct
  kind: SnpCrlKind
  /** As `serialHex` writes them. */
  intermediateSerial: string
  leafSerial: string
}

/**
 * @param input - `kind` is what the list was published as.
 * @param numbers - Highest numbers seen so far.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE; EVIDENCE_INVALID when it is not this product's list, or older than one seen.
 */
export function openSnpCrl(
  input: { product: SnpProduct; kind: SnpCrlKind; der: Uint8Array },
  anchors: SnpTrustAnchors,
  numbers: SnpCrlNumbers,
  nowSeconds: number,
  trace: Check[] = [],
): SnpCrl {
  const { product, kind, der } = input
  const log: CheckLog = createCheckLog(trace)
  const label = `${kind.toLowerCase()}-crl`
  const crl = parseCrl(der, label)
  const inputs = { list: `${product} ${kind}`, sha256: crl.sha256 }
  const arks = (anchors.get(product) ?? []).map(({ ark }) => ark)
  const named = arks.filter((ark) => equalBytes(subjectOf(ark), crl.issuer))
  log.demand(
    RULES.issuer,
    named.length > 0,
    { ...inputs, issuer: crl.issuerCommonName },
    'the revocation list is not of the root of its product line',
  )
  const { algorithm } = crl
  const isAmd = algorithm.kind === 'rsa-pss' && algorithm.hash === 'sha384'
  log.demand(
    RULES.signature,
    isAmd && named.some((ark) => verifyCrlSignature(crl, new X509Certificate(ark).publicKey)),
    inputs,
    'the revocation list is not signed by AMD',
  )
  log.demand(
    RULES.issued,
    crl.thisUpdate <= nowSeconds,
    { ...inputs, thisUpdate: describeTime(crl.thisUpdate), now: describeTime(nowSeconds) },
    'the revocation list is of the future',
    'Compare the clock.',
  )
  const highest = numbers.get(seriesOf({ product, kind })) ?? 0n
  log.demand(
    RULES.number,
    crl.number >= highest,
    { ...inputs, number: String(crl.number), highest: String(highest) },
    'a newer revocation list of this series was seen before',
  )
  return { product, kind, crl }
}

/** @returns The numbers with this list's in it; the argument is left as it is. */
export function rememberCrlNumber(numbers: SnpCrlNumbers, list: SnpCrl): SnpCrlNumbers {
  const series = seriesOf(list)
  const known = numbers.get(series) ?? 0n
  return new Map(numbers).set(series, list.crl.number > known ? list.crl.number : known)
}

/**
 * @param evidence - The one that `claims` were read from by `verifySnp` under the same anchors.
 */
export function readSnpChain(
  evidence: SnpEvidence,
  claims: Pick<SnpClaims, 'product' | 'signer'>,
  anchors: SnpTrustAnchors,
): SnpChain {
  const { product, signer: kind } = claims
  const intermediateOf = (generation: SnpAuthorityCertificates) =>
    new X509Certificate(kind === 'VCEK' ? generation.ask : generation.asvk)
  for (const generation of anchors.get(product) ?? []) {
    const intermediate = intermediateOf(generation)
    for (const der of evidence.certificates) {
      const leaf = new X509Certificate(der)
      if (leaf.checkIssued(intermediate) && leaf.verify(intermediate.publicKey))
        return {
          product,
          kind,
          intermediateSerial: serialHex(intermediate.serialNumber),
          leafSerial: serialHex(leaf.serialNumber),
        }
    }
  }
  throw malformed('certificates', 'no certificate of the evidence is of a trusted authority')
}

/**
 * @param lists - From `openSnpCrl`; of several of one series the highest number counts.
 * @throws EVIDENCE_INVALID when the chain is revoked, EVIDENCE_NOT_ALLOWED when the policy demands a current list and there is none.
 */
export function checkSnpRevocation(
  chain: SnpChain,
  lists: readonly SnpCrl[],
  policy: SnpCrlPolicy,
  nowSeconds: number,
  trace: Check[] = [],
): readonly Check[] {
  const log = createCheckLog(trace)
  const list = newestOf(lists, chain)
  const inputs = { list: `${chain.product} ${chain.kind}`, required: String(policy.required) }
  if (list === undefined && !policy.required) {
    log.skip(RULES.present, inputs)
    return log.checks
  }
  log.allow(
    RULES.present,
    list !== undefined,
    inputs,
    `this operator holds no revocation list for ${chain.product} ${chain.kind}`,
    'The operator must load the current list.',
  )
  if (list === undefined) return log.checks
  checkCurrent(list.crl, policy, nowSeconds, inputs, log)
  checkSerial(RULES.intermediate, list.crl, chain.intermediateSerial, log)
  // Zero is the serial of every endorsement key certificate: a list cannot mean one of them by it.
  if (chain.leafSerial === '00') log.skip(RULES.leaf, { serial: chain.leafSerial })
  else checkSerial(RULES.leaf, list.crl, chain.leafSerial, log)
  return log.checks
}

function newestOf(lists: readonly SnpCrl[], chain: SnpChain): SnpCrl | undefined {
  return lists
    .filter((list) => seriesOf(list) === seriesOf(chain))
    .reduce<SnpCrl | undefined>(
      (best, list) => (best === undefined || list.crl.number > best.crl.number ? list : best),
      undefined,
    )
}

/** A list that ran out still revokes what it names, whatever the policy says about its age. */
function checkCurrent(
  crl: Crl,
  policy: SnpCrlPolicy,
  nowSeconds: number,
  about: Readonly<Record<string, string>>,
  log: CheckLog,
): void {
  const current = nowSeconds <= crl.nextUpdate + policy.graceSeconds
  const inputs = {
    ...about,
    number: String(crl.number),
    nextUpdate: describeTime(crl.nextUpdate),
    graceSeconds: String(policy.graceSeconds),
    now: describeTime(nowSeconds),
  }
  if (!current && !policy.required) log.skip(RULES.current, inputs)
  else
    log.allow(
      RULES.current,
      current,
      inputs,
      'the revocation list that this operator holds has run out',
      'The operator must load the current list.',
    )
}

function checkSerial(rule: Rule, crl: Crl, serial: string, log: CheckLog): void {
  log.demand(
    rule,
    !isRevoked(crl, serial),
    { serial, list: crl.sha256, number: String(crl.number) },
    'AMD revoked a certificate of the chain',
  )
}

function seriesOf({ product, kind }: { product: SnpProduct; kind: SnpCrlKind }): string {
  return `${product}/${kind}`
}

function subjectOf(ark: Uint8Array): Uint8Array {
  const { subject } = decodeCertificate(ark, 'ark').tbsCertificate
  return new Uint8Array(AsnConvert.serialize(subject))
}
