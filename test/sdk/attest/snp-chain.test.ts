import { describe, expect, it } from 'vitest'
import type { SnpTrustAnchors } from '../../../sdk/attest/anchors.ts'
import { findLeaf } from '../../../sdk/attest/snp-chain.ts'
import { authorityOf } from '../../kit/snp-authority.ts'
import { flipBit, issue } from './kit.ts'

const leafOf = async (hwid: number) => {
  const chipId = new Uint8Array(64).fill(hwid)
  const { evidence } = await issue({ chipId })
  return evidence.certificates[0] ?? new Uint8Array()
}

describe('the list of verified certificates', () => {
  it('remembers a certificate only after its signature was verified', async () => {
    const leaf = await leafOf(0xc1)
    const { anchors } = await authorityOf()
    const fresh: SnpTrustAnchors = new Map(anchors)
    const first = findLeaf(leaf, fresh)
    expect(findLeaf(leaf, fresh)).not.toBe(first)
    const verified = first?.verify()
    expect(verified?.leaf.kind).toBe('VCEK')
    expect(findLeaf(leaf, fresh)?.verify()).toBe(verified)
  })

  it('does not remember a certificate that AMD did not sign', async () => {
    const leaf = await leafOf(0xc1)
    const forged = flipBit(leaf, leaf.length * 8 - 1)
    const { anchors } = await authorityOf()
    const found = findLeaf(forged, anchors)
    expect(found?.verify()).toBeUndefined()
    expect(findLeaf(forged, anchors)).not.toBe(found)
    expect(findLeaf(forged, anchors)?.verify()).toBeUndefined()
  })

  it('is of one set of anchors', async () => {
    const leaf = await leafOf(0xc1)
    const { anchors } = await authorityOf()
    const [one, two]: SnpTrustAnchors[] = [new Map(anchors), new Map(anchors)]
    if (one === undefined || two === undefined) throw new Error('two sets')
    const verified = findLeaf(leaf, one)?.verify()
    expect(findLeaf(leaf, two)?.verify()).not.toBe(verified)
    expect(findLeaf(leaf, one)?.verify()).toBe(verified)
  })

  it('is bounded: the certificate that was used longest ago is forgotten', async () => {
    const { anchors } = await authorityOf()
    const fresh: SnpTrustAnchors = new Map(anchors)
    const authority = await authorityOf()
    const leaves = await Promise.all(
      Array.from({ length: 4 }, async (_, at) => {
        const chipId = new Uint8Array(64).fill(at + 1)
        return (await authority.issue({ chipId })).certificates[0] ?? new Uint8Array()
      }),
    )
    const limit = 3
    const verify = (at: number) => findLeaf(leaves[at] ?? new Uint8Array(), fresh, limit)?.verify()
    const [a, b, c] = [verify(0), verify(1), verify(2)]
    expect(verify(0)).toBe(a)
    verify(3)
    expect(verify(0)).toBe(a)
    expect(verify(2)).toBe(c)
    expect(verify(1)).not.toBe(b)
  })
})
