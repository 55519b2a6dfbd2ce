import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { verifyAzureSnp } from '../../../../sdk/attest/azure-verify.ts'
import { bytesToHex, concatBytes } from '../../../../sdk/bytes.ts'
import { NOW } from '../../../kit/snp-authority.ts'
import { survivingFlips } from '../flips.ts'
import { snpAnchors, snpVm } from './kit.ts'

describe('every single bit counts', () => {
  it('of the quote, its signature and the registers', async () => {
    const evidence = await (await snpVm()).issue()
    const anchors = await snpAnchors()
    const { quote } = evidence
    const verify = (changed: Partial<typeof quote>) =>
      verifyAzureSnp({ ...evidence, quote: { ...quote, ...changed } }, anchors, NOW)
    expect(survivingFlips(quote.message, (message) => verify({ message }))).toEqual([])
    expect(survivingFlips(quote.signature, (signature) => verify({ signature }))).toEqual([])
    for (const [index, pcr] of quote.pcrs.entries()) {
      const replace = (flipped: Uint8Array) =>
        verify({ pcrs: quote.pcrs.map((one, at) => (at === index ? flipped : one)) })
      expect(survivingFlips(pcr, replace, 5)).toEqual([])
    }
  })
})

describe('the digest of the registers', () => {
  it('is over all of them in order', async () => {
    const { quote } = await (await snpVm()).issue()
    const digest = createHash('sha256')
      .update(concatBytes(...quote.pcrs))
      .digest('hex')
    expect(bytesToHex(quote.message).endsWith(digest)).toBe(true)
  })
})
