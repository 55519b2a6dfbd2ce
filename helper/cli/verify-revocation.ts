/** AMD's revocation lists as `verify` sees them: those that came with the evidence, and those that were given beside it. @module */
import {
  checkSnpRevocation,
  createSnpRevocationMemory,
  openCarriedSnpCrl,
  openSnpCrl,
  snpChainOf,
} from '../../sdk/attest/snp-crl.ts'
import type { Check, SnpClaims } from '../../sdk/attest/types.ts'
import type { EvidenceSources } from './verify-summary.ts'

/**
 * The rule of an operator: a list from the sender revokes, and never counts as the current one; where lists were given, there must be one.
 * @param carried - DER, from the evidence.
 * @throws EVIDENCE_INVALID, EVIDENCE_NOT_ALLOWED, EVIDENCE_MALFORMED, INPUT_TOO_LARGE
 */
export function demandNotRevoked(
  claims: SnpClaims,
  carried: readonly Uint8Array[],
  sources: EvidenceSources,
  trace: Check[],
): void {
  const { authorities, nowSeconds, crls } = sources
  const { product } = claims
  const memory = createSnpRevocationMemory()
  for (const der of carried)
    memory.learn(product, openCarriedSnpCrl({ product, der }, authorities.snp, nowSeconds, trace))
  const lists = crls
    .filter((list) => list.product === product)
    .map((list) => openSnpCrl(list, authorities.snp, new Map(), nowSeconds, trace))
  for (const { crl } of lists) memory.learn(product, crl)
  const policy = { required: crls.length > 0, graceSeconds: 0 }
  checkSnpRevocation(snpChainOf(claims), lists, policy, nowSeconds, trace, memory)
}
