/**
 * Our chains beside OpenSSL's reading of the same certificates (through `node:crypto`): what it does not accept, we never do. We may refuse more:
 * profiles, names, canonical encoding.
 */
import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { verifySnp } from '../../../sdk/attest/snp-verify.ts'
import { verifyPckChain } from '../../../sdk/attest/tdx-chain.ts'
import { parseTdxQuote } from '../../../sdk/attest/tdx-quote.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { createMutator, createRandom } from '../../fuzz/mutate.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { issue } from './kit.ts'
import { issueTdx, tdxAuthority } from './tdx/kit.ts'

const MUTANTS = 1500

/** Leaf first; OpenSSL parses the whole, and each is issued and signed by the next, at that time. */
function opensslAccepts(chain: readonly Uint8Array[], nowSeconds: number): boolean {
  try {
    const certificates = chain.map((der) => new X509Certificate(der))
    return certificates.every((certificate, i) => {
      const issuer = certificates[i + 1] ?? certificate
      const { validFrom, validTo } = certificate
      return (
        certificate.checkIssued(issuer) &&
        certificate.verify(issuer.publicKey) &&
        Date.parse(validFrom) <= nowSeconds * 1000 &&
        nowSeconds * 1000 <= Date.parse(validTo)
      )
    })
  } catch {
    return false
  }
}

function weAccept(verify: () => unknown): boolean {
  try {
    verify()
    return true
  } catch (error) {
    if (isEigenxError(error)) return false
    throw error
  }
}

/** Splices of honest certificates of both kinds, so that many mutants still parse. */
function mutantsOf(leaf: Uint8Array, others: readonly Uint8Array[], seed: number): Uint8Array[] {
  const mutate = createMutator([leaf, ...others], [], createRandom(seed))
  return Array.from({ length: MUTANTS }, () => mutate())
}

type Side = {
  name: string
  chain: Uint8Array[]
  accepts: (leaf: Uint8Array, now: number) => boolean
}

async function amd(): Promise<Side> {
  const authority = await authorityOf('Milan', 'VCEK')
  const { evidence } = await issue({}, {}, authority)
  const [generation] = authority.anchors.get('Milan') ?? []
  const [leaf] = evidence.certificates
  if (generation === undefined || leaf === undefined) throw new Error('no chain')
  const { ask, ark } = generation
  return {
    name: 'AMD',
    chain: [leaf, ask, ark],
    accepts: (der, now) =>
      weAccept(() => verifySnp({ ...evidence, certificates: [der] }, authority.anchors, now)),
  }
}

async function intel(): Promise<Side> {
  const { anchors } = await tdxAuthority()
  const [leaf = new Uint8Array(), ...issuers] = parseTdxQuote((await issueTdx()).quote).certificates
  return {
    name: 'Intel',
    chain: [leaf, ...issuers],
    accepts: (der, now) => weAccept(() => verifyPckChain([der, ...issuers], anchors, now, [])),
  }
}

describe('what OpenSSL does not accept is not accepted here', () => {
  it.each([
    ['AMD', amd, intel],
    ['Intel', intel, amd],
  ])('%s', async (_name, side, foreign) => {
    const { chain, accepts } = await side()
    const [leaf = new Uint8Array(), ...issuers] = chain
    const others = [...issuers, ...(await foreign()).chain]
    for (const now of [NOW, NOW - 40 * 86_400, NOW + 30 * 365 * 86_400])
      expect([now, accepts(leaf, now)]).toEqual([now, opensslAccepts(chain, now)])
    const judged = mutantsOf(leaf, others, 7).map((mutant) => ({
      ours: accepts(mutant, NOW),
      openssl: opensslAccepts([mutant, ...issuers], NOW),
    }))
    expect(judged.filter(({ ours, openssl }) => ours && !openssl)).toEqual([])
    // The mutants are no use when none of them gets past OpenSSL's parser.
    const parsed = mutantsOf(leaf, others, 7).filter((mutant) => opensslParses(mutant))
    expect(parsed.length).toBeGreaterThan(50)
    // A certificate of the other side is issued by somebody else.
    for (const other of others) expect(accepts(other, NOW)).toBe(false)
  })
})

function opensslParses(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).serialNumber !== undefined
  } catch {
    return false
  }
}
