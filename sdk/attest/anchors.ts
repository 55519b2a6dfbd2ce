/**
 * Whom a verifier trusts: a value that is passed in, never read from evidence or ambient state.
 * @module
 */
import { AMD_CERTIFICATES, type AmdCertificate, type AmdProduct } from '../../certs/amd.ts'
import { parseCertificatePem } from './pem.ts'
import type { SnpProduct } from './types.ts'

/** One generation of a product line's authorities, DER. Several may be trusted during a rotation. */
export type SnpAuthorityCertificates = { ark: Uint8Array; ask: Uint8Array; asvk: Uint8Array }

export type SnpTrustAnchors = ReadonlyMap<SnpProduct, readonly SnpAuthorityCertificates[]>

/** The only trust anchors of a production process. */
export const AMD_ANCHORS: SnpTrustAnchors = new Map(
  (['Milan', 'Genoa', 'Turin'] as const satisfies readonly AmdProduct[]).map((product) => {
    const { ark, ask, asvk } = AMD_CERTIFICATES[product]
    return [product, [{ ark: toDer(ark), ask: toDer(ask), asvk: toDer(asvk) }]]
  }),
)

function toDer(certificate: AmdCertificate): Uint8Array {
  const der = parseCertificatePem(certificate.pem)
  if (der === undefined) throw new Error(`embedded certificate ${certificate.sha256} is not PEM`)
  return der
}
