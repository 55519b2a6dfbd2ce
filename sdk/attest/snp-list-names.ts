/**
 * How files of AMD's revocation lists are called: nothing inside tells the two lists of a product line apart, so the name does.
 * @module
 */
import type { SnpCrlKind } from './snp-crl.ts'
import type { SnpProduct } from './types.ts'

export type SnpListName = { product: SnpProduct; kind: SnpCrlKind }

/** Every list that AMD publishes. */
export const SNP_LISTS: readonly SnpListName[] = (['Milan', 'Genoa', 'Turin'] as const).flatMap(
  (product) => (['VCEK', 'VLEK'] as const).map((kind) => ({ product, kind })),
)

/** `vcek-milan` */
export function snpListName({ product, kind }: SnpListName): string {
  return `${kind}-${product}`.toLowerCase()
}

/** `vcek-milan.crl` */
export function snpListFile(list: SnpListName): string {
  return `${snpListName(list)}.crl`
}
