/**
 * AMD's revocation lists: is the authority that signed an endorsement key certificate still good? Values in, values out; no I/O.
 *
 * Source: AMD 57230 (VCEK Certificate and KDS Interface Specification), CRL; RFC 5280, 5 and 6.3. The ARK of a product line signs two
 * lists, one served beside the VCEKs and one beside the VLEKs. Both carry the same issuer and nothing inside tells them apart, yet
 * each has its own series of numbers: whoever loads a list says which one it is, and they are never mixed.
 * AMD's endorsement key certificates all have the serial 0, so what a list can revoke is the ASK or ASVK. An older list would
 * undo a revocation: the highest number seen is remembered by the caller and given back here.
 * A list that comes with evidence does not say which of the two it is, and a sender would choose the one that suits it: such lists add
 * revocations and never count as the list that a policy demands.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { equalBytes } from '../bytes.ts'
import type { SnpTrustAnchors } from './anchors.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import { type Crl, isRevoked, parseCrl, verifyCrlSignature } from './crl.ts'
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
  shown: { name: 'snp.crl.seen-before', source: 'RFC 5280, 5.3.1' },
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

/** Authorities that a root of AMD was seen to revoke, whoever brought the list: a sender without it cannot hide them again. */
export type SnpRevocationMemory = {
  /** @param crl - A list whose issuer was verified. */
  learn: (product: SnpProduct, crl: Crl) => void
  /** Serial numbers as `serialHex` writes them. */
  revoked: (product: SnpProduct) => ReadonlySet<string>
}

/** AMD has revoked one authority so far; what does not fit is still refused by the list that names it. */
const REMEMBERED_SERIALS = 4096

export function createSnpRevocationMemory(): SnpRevocationMemory {
  const known = new Map<SnpProduct, Set<string>>()
  const of = (product: SnpProduct) => known.get(product) ?? new Set<string>()
  return {
    revoked: of,
    learn: (product, crl) => {
      const serials = of(product)
      for (const serial of crl.revoked.keys())
        if (serials.size < REMEMBERED_SERIALS) serials.add(serial)
      if (serials.size > 0) known.set(product, serials)
    },
  }
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
  const { product, kind } = input
  const log: CheckLog = createCheckLog(trace)
  const crl = openList({ ...input, label: `${kind.toLowerCase()}-crl` }, anchors, nowSeconds, log)
  const inputs = { list: `${product} ${kind}`, sha256: crl.sha256 }
  const highest = numbers.get(seriesOf({ product, kind })) ?? 0n
  log.demand(
    RULES.number,
    crl.number >= highest,
    { ...inputs, number: String(crl.number), highest: String(highest) },
    'a newer revocation list of this series was seen before',
  )
  return { product, kind, crl }
}

/**
 * A list that came with evidence.
 * @throws as `openSnpCrl`, but for the number
 */
export function openCarriedSnpCrl(
  input: { product: SnpProduct; der: Uint8Array },
  anchors: SnpTrustAnchors,
  nowSeconds: number,
  trace: Check[] = [],
): Crl {
  return openList({ ...input, label: 'crl' }, anchors, nowSeconds, createCheckLog(trace))
}

function openList(
  { product, der, label }: { product: SnpProduct; der: Uint8Array; label: string },
  anchors: SnpTrustAnchors,
  nowSeconds: number,
  log: CheckLog,
): Crl {
  const crl = parseCrl(der, label)
  const inputs = { list: `${product} ${label}`, sha256: crl.sha256 }
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
  return crl
}

/** @returns The numbers with this list's in it; the argument is left as it is. */
export function rememberCrlNumber(numbers: SnpCrlNumbers, list: SnpCrl): SnpCrlNumbers {
  const series = seriesOf(list)
  const known = numbers.get(series) ?? 0n
  return new Map(numbers).set(series, list.crl.number > known ? list.crl.number : known)
}

/** @param claims - From `verifySnp`. */
export function snpChainOf({
  product,
  signer: kind,
  leaf,
}: Pick<SnpClaims, 'product' | 'signer' | 'leaf'>): SnpChain {
  return { product, kind, intermediateSerial: leaf.issuerSerial, leafSerial: leaf.serial }
}

/**
 * @param lists - From `openSnpCrl`; of several of one series the highest number counts.
 * @param shown - Revocations that any other list of the root has shown; they hold for good.
 * @throws EVIDENCE_INVALID when the chain is revoked, EVIDENCE_NOT_ALLOWED when the policy demands a current list and there is none.
 */
export function checkSnpRevocation(
  chain: SnpChain,
  lists: readonly SnpCrl[],
  policy: SnpCrlPolicy,
  nowSeconds: number,
  trace: Check[] = [],
  shown?: SnpRevocationMemory,
): readonly Check[] {
  const log = createCheckLog(trace)
  const list = newestOf(lists, chain)
  // What is revoked is so whether or not the list is current, and that is the better reason to give.
  if (list !== undefined) {
    checkSerial(RULES.intermediate, list.crl, chain.intermediateSerial, log)
    // Zero is the serial of every endorsement key certificate: a list cannot mean one of them by it.
    if (chain.leafSerial === '00') log.skip(RULES.leaf, { serial: chain.leafSerial })
    else checkSerial(RULES.leaf, list.crl, chain.leafSerial, log)
  }
  checkShown(chain, shown, log)
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
  if (list !== undefined) checkCurrent(list.crl, policy, nowSeconds, inputs, log)
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

/** The root numbers all its certificates in one series, so it does not matter in which of its lists a serial is named. */
function checkShown(
  { product, intermediateSerial, leafSerial }: SnpChain,
  shown: SnpRevocationMemory | undefined,
  log: CheckLog,
): void {
  const inputs = { product, serial: intermediateSerial, leaf: leafSerial }
  const known = shown?.revoked(product) ?? new Set<string>()
  if (known.size === 0) log.skip(RULES.shown, inputs)
  else
    log.demand(
      RULES.shown,
      !known.has(intermediateSerial),
      { ...inputs, known: String(known.size) },
      'AMD revoked the authority that signed the certificate',
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
