/**
 * Published weaknesses of SEV-SNP that no check of a report can undo, told by the facts of the report.
 *
 * A forged or weakened platform produces perfect reports, so these are not checks: they are for whoever chooses the minimum TCB,
 * the platform rules and the products of an operator. They are told whenever the report cannot show that the weakness is closed.
 * @module
 */
import type { Advisory, SnpProduct } from './types.ts'

/** PLATFORM_INFO bit 5: the firmware checked at boot that no memory is aliased. */
export const ALIAS_CHECK_COMPLETE = 1n << 5n

export function adviseSnp(facts: {
  product: SnpProduct
  reportVersion: number
  platformInfo: bigint
}): readonly Advisory[] {
  const { product, reportVersion, platformInfo } = facts
  const advisories: Advisory[] = [
    {
      id: 'CVE-2024-56161',
      message:
        'AMD-SB-3019 and AMD-SB-7033: microcode signatures could be forged on Zen 1 to Zen 5. Demand a fixed microcode level in the minimum TCB.',
    },
    {
      id: 'CVE-2025-0033',
      message:
        'AMD-SB-3020: the reverse map table was not protected while it was set up. Demand a fixed SNP firmware level in the minimum TCB.',
    },
  ]
  if (reportVersion < 3 || (platformInfo & ALIAS_CHECK_COMPLETE) === 0n)
    advisories.push({
      id: 'CVE-2024-21944',
      message:
        'AMD-SB-3015: memory modules that lie about their size alias protected memory. This report does not state that the alias check ran.',
    })
  if (product === 'Milan')
    advisories.push({
      id: 'arXiv:2605.12990',
      message:
        'Milan: chip secrets can be extracted in software and reports forged for any TCB. No minimum TCB helps; only refusing Milan or listing its chips does.',
    })
  return advisories
}
