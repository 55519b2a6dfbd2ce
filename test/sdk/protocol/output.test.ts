import { describe, expect, it } from 'vitest'
import {
  outputHash,
  publicSharesOf,
  verifyCertifiedBody,
  verifyOutput,
} from '../../../sdk/protocol/output.ts'
import { certify, DOMAIN, GENESIS, INFOS, OPERATORS } from './kit.ts'

describe('verifyCertifiedBody', () => {
  const verify = (
    body: Uint8Array,
    change: Partial<Parameters<typeof verifyCertifiedBody>[0]> = {},
  ) => verifyCertifiedBody({ body, domain: DOMAIN, members: INFOS, ...change })

  it('accepts a certified output and returns it with its hash', () => {
    const { output, hash } = verify(certify(GENESIS))
    expect(output).toEqual(GENESIS)
    expect(hash).toBe(outputHash(DOMAIN, GENESIS))
    expect([...publicSharesOf(output).keys()]).toEqual(OPERATORS.map(({ address }) => address))
  })

  it('accepts operator addresses in any case', () => {
    const members = INFOS.map((info) => ({
      ...info,
      address: `0x${info.address.slice(2).toUpperCase()}` as const,
    }))
    expect(() => verify(certify(GENESIS), { members })).not.toThrow()
  })

  it.each<[string, string, () => unknown]>([
    [
      'too few signatures',
      'CERTIFICATE_INVALID',
      () => verify(certify(GENESIS, OPERATORS.slice(0, 2))),
    ],
    [
      'another domain',
      'CERTIFICATE_INVALID',
      () => verify(certify(GENESIS), { domain: { ...DOMAIN, chainId: 2 } }),
    ],
    [
      'a larger set',
      'CERTIFICATE_INVALID',
      () => verify(certify(GENESIS), { members: INFOS.slice(1) }),
    ],
    [
      'a replaced key',
      'CERTIFICATE_INVALID',
      () =>
        verify(certify(GENESIS), {
          members: INFOS.map((info, i) =>
            i === 0 ? { ...info, signingKey: (INFOS[1] ?? info).signingKey } : info,
          ),
        }),
    ],
    [
      'a changed share under a fresh certificate',
      'CANDIDATE_INVALID',
      () =>
        verify(
          certify({
            ...GENESIS,
            publicShares: GENESIS.publicShares.map((share, i) =>
              i === 0 ? (GENESIS.publicShares[1] ?? share) : share,
            ),
          }),
        ),
    ],
    [
      'another master key under a fresh certificate',
      'CANDIDATE_INVALID',
      () => verify(certify({ ...GENESIS, mpk: GENESIS.publicShares[0] ?? GENESIS.mpk })),
    ],
    [
      'a share that is no point',
      'CANDIDATE_INVALID',
      () =>
        verify(
          certify({
            ...GENESIS,
            publicShares: GENESIS.publicShares.map(() => new Uint8Array(96).fill(1)),
          }),
        ),
    ],
    [
      'too few dealings',
      'CANDIDATE_INVALID',
      () => verify(certify({ ...GENESIS, dealings: GENESIS.dealings.slice(2) })),
    ],
  ])('refuses %s', (_name, code, work) => {
    expect(work).toThrow(expect.objectContaining({ code }))
  })

  it('notices every wrong public share, the last one too', () => {
    for (let i = 0; i < 4; i++) {
      const publicShares = GENESIS.publicShares.map((share, j) => (i === j ? GENESIS.mpk : share))
      expect(() => verifyOutput({ ...GENESIS, publicShares })).toThrow(/does not hold/)
    }
  })
})
