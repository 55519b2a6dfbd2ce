/** How files of collateral are called. @module */
import type { SnpCrlKind } from '../../sdk/attest/snp-crl.ts'
import type { SnpProduct } from '../../sdk/attest/types.ts'

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

/** `tdx-00806f050000.json`: as it is fetched; the folder takes any `*.json`. */
export function tdxBundleFile(fmspc: string): string {
  return `tdx-${fmspc}.json`
}
