/**
 * From an endorsement key certificate to a pinned AMD root: which authority signed it, and what it then says.
 *
 * The signature is checked before the certificate is read in detail, so nobody but AMD reaches the detailed reader. Authorities
 * in evidence are never used: the issuer is one of the trust anchors, whose own signatures and profile are checked once.
 * What does not depend on the clock is remembered per set of anchors, by the SHA-256 of the certificate, in a bounded list;
 * dates are compared by the caller on every use.
 * @module
 */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { equalBytes } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import type { SnpAuthorityCertificates, SnpTrustAnchors } from './anchors.ts'
import { malformed, tooLarge } from './checks.ts'
import { serialHex } from './crl.ts'
import { parseSnpLeaf, type SnpLeaf } from './snp-leaf.ts'
import type { RememberedCount } from './tdx-memory.ts'
import type { SnpProduct } from './types.ts'
import { CERTIFICATE_LIMIT, isRsa4096, parseAmdCertificate, readAuthority } from './x509.ts'

/** Verified leaves remembered per set of anchors; one is about 3 KB. */
const REMEMBERED_LEAVES = 512

type SigningKind = SnpLeaf['kind']

/** A period in Unix seconds, both ends included. */
export type Validity = { notBefore: number; notAfter: number }

/** A leaf that names a trusted authority as its issuer. The signature is not checked before `verify`. */
export type NamedLeaf = {
  /** SHA-256 of the DER, lower-case hex. */
  sha256: string
  product: SnpProduct
  kind: SigningKind
  /**
   * @returns The leaf and the validity of what vouches for it, or `undefined` when the issuer did not sign it.
   * @throws EVIDENCE_MALFORMED when AMD signed it but it is not an endorsement key certificate.
   */
  verify: () => VerifiedLeaf | undefined
}

export type VerifiedLeaf = {
  leaf: SnpLeaf
  authorities: { ark: Validity; intermediate: Validity }
  /** As `serialHex` writes them: what a revocation list can name. */
  serials: { leaf: string; intermediate: string }
}

/** One intermediate authority of the anchors. */
type Issuer = { product: SnpProduct; kind: SigningKind; authority: SigningAuthority }

type SigningAuthority = {
  certificate: X509Certificate
  /** Node makes a new key object on each reading of a certificate. */
  publicKey: KeyObject
  serial: string
  /** Checks the authority itself, once. */
  verified: () => VerifiedLeaf['authorities']
}

type TrustState = {
  issuers: readonly Issuer[]
  authorities: readonly Uint8Array[]
  leaves: Map<string, NamedLeaf>
}

const states = new WeakMap<SnpTrustAnchors, TrustState>()

export function countRememberedLeaves(anchors: SnpTrustAnchors): RememberedCount {
  return { kind: 'snp-leaf', entries: trustState(anchors).leaves.size, limit: REMEMBERED_LEAVES }
}

/** Byte for byte one of the trusted authorities: evidence may carry it, but it says nothing new. */
export function isTrustedAuthority(der: Uint8Array, anchors: SnpTrustAnchors): boolean {
  return trustState(anchors).authorities.some((authority) => equalBytes(authority, der))
}

/**
 * @param rememberedLeaves - Bound of the list of verified leaves.
 * @returns The leaf under the authority that it names, or `undefined` when it names none of the anchors.
 * @throws EVIDENCE_MALFORMED when the bytes are not one X.509 certificate.
 */
export function findLeaf(
  der: Uint8Array,
  anchors: SnpTrustAnchors,
  rememberedLeaves = REMEMBERED_LEAVES,
): NamedLeaf | undefined {
  const { leaves, issuers } = trustState(anchors)
  const sha256 = fingerprint(der)
  const known = leaves.get(sha256)
  if (known !== undefined) {
    // Last in the map = used last; the first one is dropped when the list is full.
    leaves.delete(sha256)
    leaves.set(sha256, known)
    return known
  }
  const certificate = openCertificate(der)
  // More than one only while authorities of the same name are rotated.
  const named = issuers.filter(({ authority }) => certificate.checkIssued(authority.certificate))
  const [issuer] = named
  if (issuer === undefined) return undefined
  const { product, kind } = issuer
  const verify = () => {
    const signer = named.find(({ authority }) => certificate.verify(authority.publicKey))
    if (signer === undefined) return undefined
    const verified: VerifiedLeaf = {
      leaf: parseSnpLeaf(der, product),
      authorities: signer.authority.verified(),
      serials: {
        leaf: serialHex(certificate.serialNumber),
        intermediate: signer.authority.serial,
      },
    }
    remember(leaves, { sha256, product, kind, verify: () => verified }, rememberedLeaves)
    return verified
  }
  return { sha256, product, kind, verify }
}

/** Only what was verified, so that nobody but AMD can fill the list. */
function remember(leaves: Map<string, NamedLeaf>, leaf: NamedLeaf, limit: number): void {
  leaves.set(leaf.sha256, leaf)
  const [oldest] = leaves.keys()
  if (leaves.size > limit && oldest !== undefined) leaves.delete(oldest)
}

function fingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

/** Node reads the first certificate and ignores what follows: demand that it is the whole input. */
function openCertificate(der: Uint8Array): X509Certificate {
  if (der.length > CERTIFICATE_LIMIT) throw tooLarge('leaf', CERTIFICATE_LIMIT)
  // Node takes PEM as well; DER of a certificate starts with a SEQUENCE of two length bytes.
  if (der[0] !== 0x30 || der[1] !== 0x82) throw malformed('leaf', 'leaf certificate: not DER')
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(der)
  } catch {
    throw malformed('leaf', 'leaf certificate: not an X.509 certificate')
  }
  if (!equalBytes(new Uint8Array(certificate.raw), der))
    throw malformed('leaf.encoding', 'leaf certificate: bytes around the certificate')
  return certificate
}

function trustState(anchors: SnpTrustAnchors): TrustState {
  const known = states.get(anchors)
  if (known !== undefined) return known
  const issuers: Issuer[] = []
  const authorities: Uint8Array[] = []
  for (const [product, generations] of anchors)
    for (const generation of generations) {
      authorities.push(generation.ark, generation.ask, generation.asvk)
      issuers.push(
        { product, kind: 'VCEK', authority: openAuthority(product, 'VCEK', generation) },
        { product, kind: 'VLEK', authority: openAuthority(product, 'VLEK', generation) },
      )
    }
  const state: TrustState = { issuers, authorities, leaves: new Map() }
  states.set(anchors, state)
  return state
}

function openAuthority(
  product: SnpProduct,
  kind: SigningKind,
  generation: SnpAuthorityCertificates,
): SigningAuthority {
  const der = kind === 'VCEK' ? generation.ask : generation.asvk
  const path = `anchors.${product}.${kind === 'VCEK' ? 'ask' : 'asvk'}`
  let verified: VerifiedLeaf['authorities'] | undefined
  const certificate = openAnchor(der, path)
  return {
    certificate,
    publicKey: certificate.publicKey,
    serial: serialHex(certificate.serialNumber),
    verified: () => {
      verified ??= verifyAuthority(product, kind, { der, ark: generation.ark, path })
      return verified
    },
  }
}

/** ARK signs itself, ARK signs the intermediate, and both carry the names, keys and limits of AMD's authorities. */
function verifyAuthority(
  product: SnpProduct,
  kind: SigningKind,
  input: { der: Uint8Array; ark: Uint8Array; path: string },
): VerifiedLeaf['authorities'] {
  const root = openAnchor(input.ark, `anchors.${product}.ark`)
  const signed =
    root.verify(root.publicKey) && openAnchor(input.der, input.path).verify(root.publicKey)
  const ark = parseAmdCertificate(input.ark, 'ark')
  const intermediate = parseAmdCertificate(input.der, 'intermediate')
  const arkName = `ARK-${product}`
  const named =
    ark.subject === arkName &&
    ark.issuer === arkName &&
    intermediate.issuer === arkName &&
    intermediate.subject === (kind === 'VCEK' ? `SEV-${product}` : `SEV-VLEK-${product}`)
  const keys = isRsa4096(ark.publicKey) && isRsa4096(intermediate.publicKey)
  readAuthority(ark, 'ark')
  const leavesOnly = readAuthority(intermediate, 'intermediate').pathLength === 0
  if (!signed || !named || !keys || !leavesOnly) throw badAnchor(input.path)
  const validity = ({ notBefore, notAfter }: Validity) => ({ notBefore, notAfter })
  return { ark: validity(ark), intermediate: validity(intermediate) }
}

function openAnchor(der: Uint8Array, path: string): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch {
    throw badAnchor(path)
  }
}

const badAnchor = (path: string) =>
  new EigenxError({
    code: 'CONFIG_INVALID',
    message: 'a trust anchor is not an SEV-SNP certificate authority of its product',
    stage: 'config',
    details: { path },
  })
