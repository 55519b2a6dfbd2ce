import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AMD_ANCHORS, type SnpTrustAnchors } from '../../../sdk/attest/anchors.ts'
import {
  checkSnpRevocation,
  createSnpRevocationMemory,
  openCarriedSnpCrl,
  openSnpCrl,
  rememberCrlNumber,
  type SnpChain,
  type SnpCrl,
  type SnpCrlKind,
  snpChainOf,
} from '../../../sdk/attest/snp-crl.ts'
import { verifySnp } from '../../../sdk/attest/snp-verify.ts'
import type { Check, SnpProduct } from '../../../sdk/attest/types.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { DAY, type ListFields, makeList } from './crl-kit.ts'
import { genuineFolder, readVerifying } from './genuine.ts'
import { invalid, issue } from './kit.ts'

const FRESH: ReadonlyMap<string, bigint> = new Map()
const STRICT = { required: true, graceSeconds: 0 }
const LAX = { required: false, graceSeconds: 0 }
const anchorsOf = async (): Promise<SnpTrustAnchors> => (await authorityOf()).anchors
const open = async (
  changes: Partial<ListFields> = {},
  kind: SnpCrlKind = 'VCEK',
  numbers = FRESH,
  now = NOW,
) => {
  const der = await makeList(changes)
  const anchors = await anchorsOf()
  return openSnpCrl({ product: 'Milan', kind, der }, anchors, numbers, now)
}
const refusal = async (action: () => Promise<unknown>) => {
  const outcome = await action().then(
    () => () => undefined,
    (error: unknown) => () => {
      throw error
    },
  )
  return refusalOf(outcome)
}
const chain: SnpChain = {
  product: 'Milan',
  kind: 'VCEK',
  intermediateSerial: '010001',
  leafSerial: '00',
}
const results = (checks: readonly Check[]) =>
  Object.fromEntries(checks.map(({ name, result }) => [name, result]))
const notAllowed = (check: string) => ({ code: 'EVIDENCE_NOT_ALLOWED', details: { check } })

const wrong: [string, Partial<ListFields>, string][] = [
  ['of another product line', { product: 'Genoa' }, 'snp.crl.issuer'],
  ['of an intermediate', { issuer: 'ask', signedBy: 'ask' }, 'snp.crl.issuer'],
  ['in the name of the root, signed by the ASK', { signedBy: 'ask' }, 'snp.crl.signature'],
  ['of a look-alike root', { keySet: 'look-alike' }, 'snp.crl.signature'],
  ['with a weaker hash than AMD uses', { hash: 'sha256', saltLength: 32 }, 'snp.crl.signature'],
  ['of tomorrow', { thisUpdate: NOW + DAY }, 'snp.crl.issued'],
]

describe('loading a list of AMD', () => {
  it('takes one that the root of the product line signed', async () => {
    const { crl, product, kind } = await open()
    expect({ product, kind, number: crl.number }).toEqual({
      product: 'Milan',
      kind: 'VCEK',
      number: 7n,
    })
  })

  it.each(wrong)('refuses one %s', async (_, changes, check) => {
    expect(await refusal(() => open(changes))).toEqual(invalid(check))
  })

  it('refuses one of a product line that is not trusted', async () => {
    const der = await makeList()
    const load = () => openSnpCrl({ product: 'Milan', kind: 'VCEK', der }, new Map(), FRESH, NOW)
    expect(refusalOf(load)).toEqual(invalid('snp.crl.issuer'))
  })

  it('refuses a number below the highest one seen, of the same series alone', async () => {
    const numbers = rememberCrlNumber(FRESH, await open({ number: 9 }))
    expect(FRESH.size).toBe(0)
    expect(await refusal(() => open({ number: 8 }, 'VCEK', numbers))).toEqual(
      invalid('snp.crl.number'),
    )
    expect(await refusal(() => open({ number: 9 }, 'VCEK', numbers))).toBe('accepted')
    expect(await refusal(() => open({ number: 1 }, 'VLEK', numbers))).toBe('accepted')
    const after = rememberCrlNumber(numbers, await open({ number: 3 }))
    expect(after.get('Milan/VCEK')).toBe(9n)
  })
})

describe('a chain under a list', () => {
  it('passes when neither of its serials is named', async () => {
    const lists = [await open({ revoked: ['010002'] })]
    expect(results(checkSnpRevocation(chain, lists, STRICT, NOW))).toEqual({
      'snp.crl.seen-before': 'not-applicable',
      'snp.crl.present': 'passed',
      'snp.crl.current': 'passed',
      'snp.crl.intermediate': 'passed',
      'snp.crl.leaf': 'not-applicable',
    })
  })

  it('is refused when its intermediate or its leaf is named', async () => {
    const lists = [await open({ revoked: ['010001', '77'] })]
    const check = (changes: Partial<SnpChain>) =>
      refusalOf(() => checkSnpRevocation({ ...chain, ...changes }, lists, STRICT, NOW))
    expect(check({})).toEqual(invalid('snp.crl.intermediate'))
    expect(check({ intermediateSerial: '05' })).toBe('accepted')
    expect(check({ intermediateSerial: '05', leafSerial: '77' })).toEqual(invalid('snp.crl.leaf'))
  })

  it('is not judged by the list of the other kind or product', async () => {
    const lists = [await open({ revoked: ['010001'] }, 'VLEK')]
    const check = (changes: Partial<SnpChain>, required: boolean) =>
      refusalOf(() =>
        checkSnpRevocation({ ...chain, ...changes }, lists, { required, graceSeconds: 0 }, NOW),
      )
    expect(check({}, true)).toEqual(notAllowed('snp.crl.present'))
    expect(check({}, false)).toBe('accepted')
    expect(check({ kind: 'VLEK' }, false)).toEqual(invalid('snp.crl.intermediate'))
    expect(check({ kind: 'VLEK', product: 'Genoa' }, false)).toBe('accepted')
  })

  it('is judged by the newest list of its series', async () => {
    const older = await open({ number: 3, revoked: [] })
    const newer = await open({ number: 4, revoked: ['010001'] })
    for (const lists of [
      [older, newer],
      [newer, older],
    ])
      expect(refusalOf(() => checkSnpRevocation(chain, lists, STRICT, NOW))).toEqual(
        invalid('snp.crl.intermediate'),
      )
  })

  it('is refused after the list ran out, as the policy says', async () => {
    const list = await open({ nextUpdate: NOW + 10 })
    const check = (at: number, policy = STRICT) =>
      refusalOf(() => checkSnpRevocation(chain, [list], policy, at))
    expect(check(NOW + 10)).toBe('accepted')
    expect(check(NOW + 11)).toEqual(notAllowed('snp.crl.current'))
    expect(check(NOW + 70, { required: true, graceSeconds: 60 })).toBe('accepted')
    expect(check(NOW + 71, { required: true, graceSeconds: 60 })).toEqual(
      notAllowed('snp.crl.current'),
    )
    expect(check(NOW + 71, { required: false, graceSeconds: 0 })).toBe('accepted')
  })

  it('stays revoked by a list that ran out', async () => {
    const list = await open({ nextUpdate: NOW + 10, revoked: ['010001'] })
    const lax = { required: false, graceSeconds: 0 }
    expect(refusalOf(() => checkSnpRevocation(chain, [list], lax, NOW + DAY))).toEqual(
      invalid('snp.crl.intermediate'),
    )
  })

  it('is recorded even when it is refused', async () => {
    const trace: Check[] = []
    refusalOf(() => checkSnpRevocation(chain, [], STRICT, NOW, trace))
    expect(trace.at(-1)).toMatchObject({ name: 'snp.crl.present', result: 'failed' })
  })
})

describe('the serials of a chain', () => {
  it.each([
    ['VCEK', '010001'],
    ['VLEK', '010101'],
  ] as const)('are those of the %s and of who signed it', async (kind, intermediateSerial) => {
    const authority = await authorityOf('Milan', kind)
    const { evidence } = await issue({}, {}, authority)
    const { claims } = verifySnp(evidence, authority.anchors, NOW)
    expect(snpChainOf(claims)).toEqual({
      product: 'Milan',
      kind,
      intermediateSerial,
      leafSerial: '01',
    })
  })
})

describe('what lists have shown', () => {
  it('is revoked for good, whichever list it was in', async () => {
    const memory = createSnpRevocationMemory()
    const check = (changes: Partial<SnpChain> = {}) =>
      refusalOf(() => checkSnpRevocation({ ...chain, ...changes }, [], LAX, NOW, [], memory))
    expect(check()).toBe('accepted')
    const older = await makeList({ number: 3, revoked: ['010001'], nextUpdate: NOW })
    memory.learn(
      'Milan',
      openCarriedSnpCrl({ product: 'Milan', der: older }, await anchorsOf(), NOW),
    )
    memory.learn('Milan', (await open({ number: 4 }, 'VLEK')).crl)
    expect(check()).toEqual(invalid('snp.crl.seen-before'))
    expect(check({ intermediateSerial: '010101' })).toBe('accepted')
    expect(check({ product: 'Genoa' })).toBe('accepted')
  })

  it.each(wrong)('is not learnt from a list %s', async (_, changes, check) => {
    const der = await makeList(changes)
    const anchors = await anchorsOf()
    expect(refusalOf(() => openCarriedSnpCrl({ product: 'Milan', der }, anchors, NOW))).toEqual(
      invalid(check),
    )
  })
})

describe.skipIf(genuineFolder === undefined)('genuine lists of August 2026', () => {
  const at = Date.UTC(2026, 7, 20) / 1000
  const load = (product: SnpProduct, kind: SnpCrlKind, name: string): SnpCrl => {
    const file = join(genuineFolder ?? '', 'snp', 'crl', `kds_${name}.crl.der`)
    const der = new Uint8Array(readFileSync(file))
    return openSnpCrl({ product, kind, der }, AMD_ANCHORS, FRESH, at)
  }
  const lists = () => [
    load('Milan', 'VCEK', 'vcek_milan_20260819'),
    load('Genoa', 'VCEK', 'vcek_genoa_20260819'),
    load('Turin', 'VCEK', 'vcek_turin_20260819'),
    load('Milan', 'VLEK', 'vlek_milan_20260622'),
  ]

  it('let every genuine chain pass, the VLEK ones with an old list by policy only', () => {
    const loaded = lists()
    for (const { evidence, now } of readVerifying()) {
      const { claims } = verifySnp(evidence, AMD_ANCHORS, now)
      const facts = snpChainOf(claims)
      expect(facts.leafSerial).toBe('00')
      const strict = refusalOf(() => checkSnpRevocation(facts, loaded, STRICT, at))
      expect(strict).toEqual(facts.kind === 'VCEK' ? 'accepted' : notAllowed('snp.crl.current'))
      const grace = { required: true, graceSeconds: 30 * DAY }
      expect(refusalOf(() => checkSnpRevocation(facts, loaded, grace, at))).toBe('accepted')
    }
  })

  it("name Genoa's first ASK", () => {
    const revoked: SnpChain = {
      product: 'Genoa',
      kind: 'VCEK',
      intermediateSerial: '020001',
      leafSerial: '00',
    }
    expect(refusalOf(() => checkSnpRevocation(revoked, lists(), STRICT, at))).toEqual(
      invalid('snp.crl.intermediate'),
    )
  })

  it('are refused under another product line', () => {
    expect(refusalOf(() => load('Milan', 'VCEK', 'vcek_genoa_20260819'))).toEqual(
      invalid('snp.crl.issuer'),
    )
  })
})
