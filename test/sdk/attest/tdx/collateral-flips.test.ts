import { describe, expect, it } from 'vitest'
import { verifyCollateral } from '../../../../sdk/attest/collateral-verify.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { COLLATERAL_PARTS } from './collateral-parts.ts'
import { NOW, tdxAuthority } from './kit.ts'

describe('every single bit of the signed collateral counts', () => {
  const quarters = COLLATERAL_PARTS.flatMap((part) =>
    [0, 1, 2, 3].map((quarter) => ({ ...part, quarter })),
  )

  it.each(quarters)('of $name, quarter $quarter', async ({ flip, length, quarter }) => {
    const authority = await tdxAuthority()
    const { collateral } = await authority.issue({ pckCrl: () => ({ revoked: ['0102'] }) })
    verifyCollateral(collateral, authority.anchors, NOW)
    const survivors: number[] = []
    const part = 2 * length(collateral)
    for (let bit = quarter * part; bit < (quarter + 1) * part; bit++) {
      const refusal = refusalOf(() =>
        verifyCollateral(flip(collateral, bit), authority.anchors, NOW),
      )
      if (typeof refusal === 'string') survivors.push(bit)
    }
    expect(survivors).toEqual([])
  })
})
