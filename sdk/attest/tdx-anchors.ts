/**
 * Whom a verifier of TDX evidence trusts: root certificates, passed in and never read from evidence or ambient state.
 * @module
 */
import { INTEL_ROOTS } from '../../certs/intel.ts'
import { EigenxError } from '../errors.ts'
import { encodeCertificatePem, parseCertificatePem, parsePemChain } from './pem.ts'

/** DER. Compared byte for byte: pre-production roots of Intel carry the same names. */
export type TdxTrustAnchors = { roots: readonly Uint8Array[] }

/** Two roots during a rotation, and one to spare. */
const ROOTS_LIMIT = 3

/** The only trust anchors of a production process. */
export const INTEL_ANCHORS: TdxTrustAnchors = {
  roots: INTEL_ROOTS.map(({ pem, sha256 }) => {
    const der = parseCertificatePem(pem)
    if (der === undefined) throw new Error(`embedded certificate ${sha256} is not PEM`)
    return der
  }),
}

/**
 * Other roots than Intel's, for a devnet: one to three PEM certificates. Nothing is verified here; the verifier refuses a root
 * that does not fit the profile.
 * @throws CONFIG_INVALID
 */
export function parseTdxRoots(text: string): TdxTrustAnchors {
  const roots = parsePemChain(text, ROOTS_LIMIT)
  if (roots === undefined)
    throw new EigenxError({
      code: 'CONFIG_INVALID',
      message: `TDX roots must be one to ${ROOTS_LIMIT} PEM certificates`,
      stage: 'config',
      details: { path: 'tdx_roots' },
    })
  return { roots }
}

/** The file that `parseTdxRoots` reads. */
export function encodeTdxRoots(anchors: TdxTrustAnchors): string {
  return anchors.roots.map(encodeCertificatePem).join('')
}
