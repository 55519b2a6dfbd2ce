import { describe, expect, it } from 'vitest'
import { verifyPckChain } from '../../../../sdk/attest/tdx-chain.ts'
import { parseTdxQuote } from '../../../../sdk/attest/tdx-quote.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { flipBit } from '../kit.ts'
import { issueTdx, NOW, tdxAuthority } from './kit.ts'

/** The bits of one certificate, in parts that run side by side. */
describe('every single bit of a PCK certificate counts', () => {
  it.each([0, 1, 2, 3])('in quarter %i', async (quarter) => {
    const { anchors } = await tdxAuthority()
    const [leaf = new Uint8Array(), ...issuers] = parseTdxQuote(
      (await issueTdx()).quote,
    ).certificates
    const verify = (der: Uint8Array) => verifyPckChain([der, ...issuers], anchors, NOW, [])
    verify(leaf)
    const survivors: number[] = []
    const part = 2 * leaf.length
    for (let bit = quarter * part; bit < (quarter + 1) * part; bit++)
      if (typeof refusalOf(() => verify(flipBit(leaf, bit))) === 'string') survivors.push(bit)
    expect(survivors).toEqual([])
  })
})
