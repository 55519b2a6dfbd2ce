import { fc, test } from '@fast-check/vitest'
import { p384 } from '@noble/curves/nist.js'
import { describe, expect, it } from 'vitest'
import { AMD_ANCHORS, type SnpTrustAnchors } from '../../../sdk/attest/anchors.ts'
import { SIGNATURE_HALF, SIGNED_SIZE } from '../../../sdk/attest/snp-report.ts'
import { verifySnp } from '../../../sdk/attest/snp-verify.ts'
import type { Check, SnpProduct } from '../../../sdk/attest/types.ts'
import { fromUintBE, uintBE } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { invalid, issue } from './kit.ts'

const N = p384.Point.Fn.ORDER
describe('genuine evidence', () => {
  const products: SnpProduct[] = ['Milan', 'Genoa', 'Turin']
  const kinds = ['VCEK', 'VLEK'] as const
  const versions = [2, 3, 4, 5] as const
  const cases = products.flatMap((product) =>
    kinds.flatMap((kind) =>
      versions
        .filter((version) => product !== 'Turin' || version > 2)
        .map((version) => ({ product, kind, version })),
    ),
  )

  it.each(cases)('of $product, $kind, version $version is accepted', async (wanted) => {
    const authority = await authorityOf(wanted.product, wanted.kind)
    const { evidence } = await issue({ version: wanted.version, guestSvn: 9 }, {}, authority)
    const { claims, checks } = verifySnp(evidence, authority.anchors, NOW)
    expect(claims).toMatchObject({
      tee: 'snp',
      product: wanted.product,
      signer: wanted.kind,
      reportVersion: wanted.version,
      guestSvn: 9,
    })
    expect(claims.cspId).toBe(wanted.kind === 'VLEK' ? 'CN=cc-sim.example.com' : undefined)
    expect(claims.tcb.reported.fmc).toBe(wanted.product === 'Turin' ? 1 : undefined)
    expect(claims.cpuid === undefined).toBe(wanted.version === 2)
    expect(claims.currentMitigations).toBe(wanted.version === 5 ? 0x3fn : undefined)
    expect(checks.every(({ result }) => result !== 'failed')).toBe(true)
    expect(checks).toHaveLength(18)
    expect(new Set(checks.map(({ name }) => name)).size).toBe(18)
  })

  it('may bring the trusted authorities along, in any order', async () => {
    const { evidence, authority } = await issue()
    const { ark, ask, asvk } = authority.certificates
    const certificates = [ask, ...evidence.certificates, asvk, ark, ask]
    expect(verifySnp({ ...evidence, certificates }, authority.anchors, NOW).claims.product).toBe(
      'Milan',
    )
  })

  it('may have the high or the low s: firmware writes both', async () => {
    const { evidence, authority } = await issue()
    const twin = Uint8Array.from(evidence.report)
    const at = SIGNED_SIZE + SIGNATURE_HALF
    const s = fromUintBE(twin.slice(at, at + 48).reverse())
    twin.set(uintBE(N - s, 48).reverse(), at)
    expect(verifySnp({ ...evidence, report: twin }, authority.anchors, NOW).claims.vmpl).toBe(0)
  })

  it('of a host that is ahead of what it reports is accepted', async () => {
    const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 217 }
    const { evidence, authority } = await issue({
      reportedTcb: tcb,
      committedTcb: { ...tcb, microcode: 219 },
      currentTcb: { ...tcb, microcode: 220 },
    })
    expect(verifySnp(evidence, authority.anchors, NOW).claims.tcb.current.microcode).toBe(220)
  })

  it('of two generations of authorities with the same names is accepted from either', async () => {
    const old = await authorityOf('Milan', 'VCEK', 'default')
    const next = await authorityOf('Milan', 'VCEK', 'look-alike')
    const both: SnpTrustAnchors = new Map([['Milan', [old.certificates, next.certificates]]])
    for (const authority of [old, next]) {
      const { evidence } = await issue({}, {}, authority)
      expect(verifySnp(evidence, both, NOW).claims.product).toBe('Milan')
    }
  })
})

const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }

describe('trust', () => {
  it('in AMD does not extend to a simulated authority', async () => {
    const { evidence } = await issue()
    expect(refusalOf(() => verifySnp(evidence, AMD_ANCHORS, NOW))).toEqual(
      invalid('snp.leaf-signature'),
    )
  })

  it('is not remembered from one set of anchors to another', async () => {
    const { evidence, authority } = await issue()
    verifySnp(evidence, authority.anchors, NOW)
    const foreign = await authorityOf('Milan', 'VCEK', 'look-alike')
    expect(refusalOf(() => verifySnp(evidence, foreign.anchors, NOW))).toEqual(
      invalid('snp.leaf-signature'),
    )
  })

  it('in a remembered certificate ends with its validity', async () => {
    const { evidence, authority } = await issue()
    const { leaf } = verifySnp(evidence, authority.anchors, NOW).claims
    verifySnp(evidence, authority.anchors, leaf.notAfter)
    const late = () => verifySnp(evidence, authority.anchors, leaf.notAfter + 1)
    expect(refusalOf(late)).toEqual(invalid('snp.leaf-validity'))
  })

  it.each([
    ['the ASK of another product', { ask: 'Genoa' }],
    ['the ARK of another product', { ark: 'Genoa' }],
  ] as const)('is not placed in anchors with %s', async (_, swap) => {
    const { evidence, authority } = await issue()
    const genoa = await authorityOf('Genoa')
    const certificates = {
      ...authority.certificates,
      ...('ask' in swap ? { ask: genoa.certificates.ask } : { ark: genoa.certificates.ark }),
    }
    const anchors: SnpTrustAnchors = new Map([['Milan', [certificates]]])
    const refusal = refusalOf(() => verifySnp(evidence, anchors, NOW))
    expect(refusal).toEqual(
      'ask' in swap
        ? invalid('snp.leaf-issuer')
        : { code: 'CONFIG_INVALID', details: { path: 'anchors.Milan.ask' } },
    )
  })

  it('is not placed in anchors whose ASK and ASVK are swapped', async () => {
    const { evidence, authority } = await issue()
    const { ark, ask, asvk } = authority.certificates
    const anchors: SnpTrustAnchors = new Map([['Milan', [{ ark, ask: asvk, asvk: ask }]]])
    expect(refusalOf(() => verifySnp(evidence, anchors, NOW))).toEqual(
      invalid('snp.leaf-kind-equals-signer'),
    )
  })
})

describe('the trace', () => {
  it('of a refusal ends with the check that failed, and shows both sides', async () => {
    const { evidence, authority } = await issue({}, { leaf: { tcb: { ...tcb, snp: 25 } } })
    const trace: Check[] = []
    expect(() => verifySnp(evidence, authority.anchors, NOW, trace)).toThrow()
    expect(trace.at(-1)).toEqual({
      name: 'snp.leaf-tcb-equals-reported',
      result: 'failed',
      inputs: { leaf: 'bl4.tee0.snp25.uc219', reported: 'bl4.tee0.snp24.uc219' },
      source: 'AMD 57230, VCEK and VLEK certificates',
    })
    expect(trace.slice(0, -1).every(({ result }) => result !== 'failed')).toBe(true)
  })
})

test.prop([fc.uint8Array({ maxLength: 1300 }), fc.array(fc.uint8Array({ maxLength: 600 }))])(
  'garbage gets a typed refusal',
  (report, certificates) => {
    const refusal = refusalOf(() => verifySnp({ report, certificates }, AMD_ANCHORS, NOW))
    expect(refusal).toMatchObject({ code: expect.stringMatching(/^(EVIDENCE_|INPUT_)/) })
  },
)
