import { describe, expect, it } from 'vitest'
import { verifyAzureSnp } from '../../../../sdk/attest/azure-verify.ts'
import { NOW } from '../../../kit/snp-authority.ts'
import { survivingFlips } from '../flips.ts'
import { snpAnchors, snpVm } from './kit.ts'

/** The SNP report inside is flipped bit by bit elsewhere: here every so many. */
const STRIDE = 11

describe('every single bit of an HCL report counts', () => {
  it('in header, runtime data and padding', async () => {
    const evidence = await (await snpVm()).issue()
    const anchors = await snpAnchors()
    const flip = (from: number, to: number, stride: number) =>
      survivingFlips(
        evidence.hclReport.slice(from, to),
        (part) => {
          const hclReport = Uint8Array.from(evidence.hclReport)
          hclReport.set(part, from)
          return verifyAzureSnp({ ...evidence, hclReport }, anchors, NOW)
        },
        stride,
      )
    expect(flip(0, 0x20, 1)).toEqual([])
    expect(flip(0x20, 0x4c0, STRIDE)).toEqual([])
    expect(flip(0x4c0, evidence.hclReport.length, 1)).toEqual([])
  })
})
