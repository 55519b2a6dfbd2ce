/**
 * Throw-away SNP authorities shared by the tests of one file: their keys take seconds to make.
 * @module
 */
import {
  createSnpAuthority,
  type IssueOptions,
  type SnpAuthority,
} from '../../../helper/sim/evidence.ts'
import type { SnpReportFields } from '../../../helper/sim/evidence-report.ts'
import type { SnpEvidence } from '../../../sdk/attest/snp-verify.ts'
import type { SnpProduct } from '../../../sdk/attest/types.ts'

/** 2026-06-01T00:00:00Z */
export const NOW = 1_780_272_000

const authorities = new Map<string, Promise<SnpAuthority>>()

export function authorityOf(
  product: SnpProduct = 'Milan',
  kind: 'VCEK' | 'VLEK' = 'VCEK',
  keySet = 'default',
): Promise<SnpAuthority> {
  const name = `${product} ${kind} ${keySet}`
  const making = authorities.get(name) ?? createSnpAuthority({ product, kind, now: NOW, keySet })
  authorities.set(name, making)
  return making
}

/** Evidence with a certificate list that a test can change. */
export async function issue(
  fields: Partial<SnpReportFields> = {},
  options: IssueOptions = {},
  authority?: SnpAuthority,
): Promise<{ evidence: SnpEvidence; authority: SnpAuthority }> {
  const used = authority ?? (await authorityOf())
  const { report, certificates } = await used.issue(fields, options)
  return { evidence: { report, certificates }, authority: used }
}

/** A copy with one bit turned. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}
