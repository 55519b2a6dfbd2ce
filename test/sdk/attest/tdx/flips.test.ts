import { describe, expect, it } from 'vitest'
import { verifyTdx } from '../../../../sdk/attest/tdx-verify.ts'
import { EigenxError } from '../../../../sdk/errors.ts'
import { flipBit } from '../kit.ts'
import { issueTdx, NOW, tdxAuthority } from './kit.ts'

describe('every single bit of a quote counts', () => {
  it.each([
    { version: 4, tdVersion: '1.0' },
    { version: 5, tdVersion: '1.5' },
  ] as const)('of version $version, of its certificates one in each character', async (form) => {
    const { anchors } = await tdxAuthority()
    const { quote, collateral } = await issueTdx({
      ...form,
      quote: () => ({ trailing: new Uint8Array(8) }),
    })
    verifyTdx({ quote, collateral }, anchors, NOW)
    const survivors: number[] = []
    const pem = Buffer.from(quote).indexOf('-----BEGIN')
    for (let bit = 0; bit < 8 * quote.length; bit++) {
      const at = bit >> 3
      if (at >= pem && bit % 8 !== at % 8) continue
      try {
        verifyTdx({ quote: flipBit(quote, bit), collateral }, anchors, NOW)
      } catch (error) {
        if (error instanceof EigenxError) continue
      }
      survivors.push(bit)
    }
    expect(survivors).toEqual([])
  })
})
