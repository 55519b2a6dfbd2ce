/**
 * Whom a verifier trusts: a value that is passed in, never read from evidence or ambient state.
 * @module
 */
import { AMD_CERTIFICATES, type AmdCertificate, type AmdProduct } from '../../certs/amd.ts'
import { EigenxError } from '../errors.ts'
import { asObject, parseEvidenceJson } from './evidence-json.ts'
import { encodeCertificatePem, parseCertificatePem } from './pem.ts'
import type { SnpProduct } from './types.ts'

/** One generation of a product line's authorities, DER. Several may be trusted during a rotation. */
export type SnpAuthorityCertificates = { ark: Uint8Array; ask: Uint8Array; asvk: Uint8Array }

export type SnpTrustAnchors = ReadonlyMap<SnpProduct, readonly SnpAuthorityCertificates[]>

const PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const satisfies readonly AmdProduct[]
const ROLES = ['ark', 'ask', 'asvk'] as const
/** Two generations of authorities during a rotation, and one to spare. */
const GENERATIONS_LIMIT = 3
/** Of a file of roots that takes the place of the embedded ones, AMD's or Intel's. */
export const ROOTS_FILE = { field: 'a set of roots', maxBytes: 256 * 1024 } as const

/** The only trust anchors of a production process. */
export const AMD_ANCHORS: SnpTrustAnchors = new Map(
  PRODUCTS.map((product) => {
    const { ark, ask, asvk } = AMD_CERTIFICATES[product]
    return [product, [{ ark: toDer(ark), ask: toDer(ask), asvk: toDer(asvk) }]]
  }),
)

function toDer(certificate: AmdCertificate): Uint8Array {
  const der = parseCertificatePem(certificate.pem)
  if (der === undefined) throw new Error(`embedded certificate ${certificate.sha256} is not PEM`)
  return der
}

/**
 * Other anchors than AMD's, for a devnet: `{"Milan": [{"ark": PEM, "ask": PEM, "asvk": PEM}], ...}`. Nothing is verified here;
 * the verifier refuses authorities that do not fit together.
 * @throws CONFIG_INVALID naming the entry that does not fit.
 */
export function parseSnpRoots(text: string): SnpTrustAnchors {
  const products = Object.entries(readJson(text))
  const anchors = new Map(
    products.map(([name, generations]): [SnpProduct, SnpAuthorityCertificates[]] => {
      const product = PRODUCTS.find((known) => known === name)
      if (product === undefined || !Array.isArray(generations)) throw invalid(name)
      if (generations.length === 0 || generations.length > GENERATIONS_LIMIT) throw invalid(name)
      return [
        product,
        generations.map((entry, index) => readGeneration(entry, `${name}[${index}]`)),
      ]
    }),
  )
  if (anchors.size === 0) throw invalid('')
  return anchors
}

/** The file that `parseSnpRoots` reads. */
export function encodeSnpRoots(anchors: SnpTrustAnchors): string {
  const products = [...anchors].map(([product, generations]) => [
    product,
    generations.map((generation) =>
      Object.fromEntries(ROLES.map((role) => [role, encodeCertificatePem(generation[role])])),
    ),
  ])
  return `${JSON.stringify(Object.fromEntries(products), null, 2)}\n`
}

function readJson(text: string): Readonly<Record<string, unknown>> {
  try {
    return parseEvidenceJson(text, 'snp_roots')
  } catch (cause) {
    throw invalid('', cause)
  }
}

function readGeneration(entry: unknown, path: string): SnpAuthorityCertificates {
  const object = asObject(entry)
  if (object === undefined || Object.keys(object).length !== ROLES.length) throw invalid(path)
  const read = (role: (typeof ROLES)[number]) => {
    const pem = object[role]
    const der = typeof pem === 'string' ? parseCertificatePem(pem) : undefined
    if (der === undefined) throw invalid(`${path}.${role}`)
    return der
  }
  return { ark: read('ark'), ask: read('ask'), asvk: read('asvk') }
}

const invalid = (path: string, cause?: unknown) =>
  new EigenxError({
    code: 'CONFIG_INVALID',
    message: 'SNP roots must be JSON: per product, a list of ark, ask and asvk in PEM',
    stage: 'config',
    details: { path: path === '' ? 'snp_roots' : `snp_roots.${path}` },
    cause,
  })
