import { describe, expect, it } from 'vitest'
import { AMD_CERTIFICATES } from '../../../certs/amd.ts'
import { AMD_ANCHORS, encodeSnpRoots, parseSnpRoots } from '../../../sdk/attest/anchors.ts'
import { encodeCertificatePem } from '../../../sdk/attest/pem.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf } from '../../kit/snp-authority.ts'

describe('the production anchors', () => {
  it('are AMD’s nine certificates and nothing else', () => {
    expect([...AMD_ANCHORS.keys()]).toEqual(['Milan', 'Genoa', 'Turin'])
    for (const [product, [only, ...more]] of AMD_ANCHORS) {
      expect(more).toEqual([])
      for (const role of ['ark', 'ask', 'asvk'] as const)
        expect(encodeCertificatePem(only?.[role] ?? new Uint8Array())).toBe(
          AMD_CERTIFICATES[product][role].pem,
        )
    }
  })
})

describe('a file of other roots', () => {
  it('reads back as it was written', async () => {
    const { anchors } = await authorityOf('Genoa')
    expect(parseSnpRoots(encodeSnpRoots(anchors))).toEqual(anchors)
  })

  const pem = AMD_CERTIFICATES.Milan.ark.pem
  it.each([
    ['garbage', 'x', 'snp_roots'],
    ['an array', '[]', 'snp_roots'],
    ['no product', '{}', 'snp_roots'],
    ['an unknown product', '{"Rome":[]}', 'snp_roots.Rome'],
    ['an empty list', '{"Milan":[]}', 'snp_roots.Milan'],
    ['a missing role', JSON.stringify({ Milan: [{ ark: pem, ask: pem }] }), 'snp_roots.Milan[0]'],
    [
      'a role too many',
      JSON.stringify({ Milan: [{ ark: pem, ask: pem, asvk: pem, x: pem }] }),
      'snp_roots.Milan[0]',
    ],
    [
      'a role that is no PEM',
      JSON.stringify({ Milan: [{ ark: pem, ask: pem, asvk: 'x' }] }),
      'snp_roots.Milan[0].asvk',
    ],
    ['four generations', JSON.stringify({ Milan: [{}, {}, {}, {}] }), 'snp_roots.Milan'],
  ])('is refused as %s', (_, text, path) => {
    expect(refusalOf(() => parseSnpRoots(text))).toEqual({
      code: 'CONFIG_INVALID',
      details: { path },
    })
  })
})
