import { bls12_381 } from '@noble/curves/bls12-381.js'
import { describe, expect, it } from 'vitest'
import { type DealInput, makeDealing } from '../../../kms/epoch/deal.ts'
import {
  buildKeyTable,
  checkDealings,
  checkOutput,
  combineShares,
  type OpenedDealing,
  type SessionContext,
} from '../../../kms/epoch/verify.ts'
import { concatBytes, fromUintBE, toHex, uintBE } from '../../../sdk/bytes.ts'
import { operatorX, publicShareOf, thresholdOf } from '../../../sdk/crypto/bls.ts'
import { lagrangeAtZero } from '../../../sdk/crypto/shamir.ts'
import { makeComplaint, verifyComplaint } from '../../../sdk/protocol/complaint.ts'
import {
  blobHash,
  type Dealing,
  dealingStatement,
  encodeDealing,
} from '../../../sdk/protocol/dealing.ts'
import { outputHash } from '../../../sdk/protocol/output.ts'
import { randomRistrettoScalar, ristrettoPublicKey } from '../../../sdk/protocol/ristretto.ts'
import { NO_OUTPUT, operatorsByAddress, sidOf } from '../../../sdk/protocol/terms.ts'
import type { Output, Terms } from '../../../sdk/protocol/types.ts'
import { findOffSubgroupG2 } from '../../sdk/crypto/points.ts'
import { createIdentities, DOMAIN, type Identity, seededRng } from './kit.ts'

const work = { rng: seededRng(1, 'work'), pause: async () => undefined }
const identities = createIdentities(5)
const secrets = identities.map((_, i) => randomRistrettoScalar(seededRng(i, 'ek')))

function termsFor(
  members: readonly number[],
  previous?: { epoch: number; hash: `0x${string}` },
): Terms {
  return {
    epoch: previous === undefined ? 0 : previous.epoch + 1,
    prev: previous?.hash ?? NO_OUTPUT,
    configBlock: { number: 7n, hash: `0x${'07'.repeat(32)}`, timestamp: 1000 },
    leaves: [],
    members: members.map((i) => ({
      address: identityAt(i).info.address,
      encryptionKey: ristrettoPublicKey(secrets[i] ?? 1n),
    })),
    threshold: thresholdOf(members.length),
  }
}

function identityAt(index: number): Identity {
  const identity = identities[index]
  if (identity === undefined) throw new RangeError('no such operator')
  return identity
}

function contextFor(terms: Terms, self: number, previous?: Output): SessionContext {
  return {
    domain: DOMAIN,
    terms,
    sid: sidOf(DOMAIN, terms),
    previous,
    dealers: operatorsByAddress(identities.map(({ info }) => info)),
    self: identityAt(self).info.address,
    decryptionKey: secrets[self],
    certified: false,
  }
}

async function signed(dealer: number, unsigned: Omit<Dealing, 'signature'>): Promise<Dealing> {
  const signature = await identityAt(dealer).signer.sign(dealingStatement(DOMAIN, unsigned))
  return { ...unsigned, signature }
}

const dealing = (input: DealInput) => makeDealing(input, async () => undefined)

async function dealFor(terms: Terms, dealer: number, currentShare?: bigint): Promise<Dealing> {
  const unsigned = await dealing({
    domain: DOMAIN,
    terms,
    dealer: identityAt(dealer).info.address,
    seed: new Uint8Array(32).fill(dealer + 1),
    ...(currentShare === undefined ? {} : { currentShare }),
  })
  return signed(dealer, unsigned)
}

async function openAll(
  context: SessionContext,
  dealings: readonly Dealing[],
): Promise<OpenedDealing[]> {
  const verdicts = await checkDealings(work, context, dealings)
  return verdicts.map((verdict) => {
    if (verdict.verdict !== 'good') throw new Error(JSON.stringify(verdict))
    return verdict.opened
  })
}

function outputOf(
  terms: Terms,
  dealings: readonly Dealing[],
  table: Pick<Output, 'publicShares' | 'mpk'>,
): Output {
  return {
    ...terms,
    ...table,
    dealings: dealings.map((dealing) => ({
      dealer: dealing.dealer,
      hash: blobHash(encodeDealing(dealing)),
    })),
    postBy: 2000,
    vetoBy: 2010,
    activateAt: 2020,
  }
}

const genesisTerms = termsFor([0, 1, 2, 3])
const genesisDealings = await Promise.all([0, 1, 2, 3].map((i) => dealFor(genesisTerms, i)))
const opened = await Promise.all(
  [0, 1, 2, 3].map((self) => openAll(contextFor(genesisTerms, self), genesisDealings)),
)
const genesis = outputOf(
  genesisTerms,
  genesisDealings,
  await buildKeyTable(work, genesisTerms, opened[0] ?? []),
)
const shares = opened.map((mine) => combineShares(genesisTerms, mine) ?? 0n)

describe('makeDealing', () => {
  it('gives the same bytes for the same seed and terms, other bytes for other terms', async () => {
    const input = { domain: DOMAIN, dealer: identityAt(0).info.address, seed: new Uint8Array(32) }
    const first = await dealing({ ...input, terms: genesisTerms })
    expect(await dealing({ ...input, terms: genesisTerms })).toEqual(first)
    const other = await dealing({ ...input, terms: { ...genesisTerms, epoch: 1 } })
    expect(toHex(other.ephemeral)).not.toBe(toHex(first.ephemeral))
    expect(toHex(other.commitment[0] ?? first.ephemeral)).not.toBe(
      toHex(first.commitment[0] ?? first.ephemeral),
    )
  })

  it('lets others run after every point and every share', async () => {
    let pauses = 0
    const input = { domain: DOMAIN, dealer: identityAt(0).info.address, seed: new Uint8Array(32) }
    await makeDealing({ ...input, terms: genesisTerms }, async () => {
      pauses++
    })
    expect(pauses).toBe(genesisTerms.threshold + genesisTerms.members.length)
  })

  it('refuses a genesis with a share and a reshare without one', async () => {
    const input = { domain: DOMAIN, dealer: identityAt(0).info.address, seed: new Uint8Array(32) }
    await expect(dealing({ ...input, terms: genesisTerms, currentShare: 5n })).rejects.toThrow(
      RangeError,
    )
    await expect(
      dealing({ ...input, terms: { ...genesisTerms, prev: `0x${'01'.repeat(32)}` } }),
    ).rejects.toThrow(RangeError)
  })

  it('keeps a dealing for thirty operators under five kilobytes', async () => {
    const everybody = createIdentities(30)
    const terms: Terms = {
      ...genesisTerms,
      members: everybody.map(({ info }) => ({
        address: info.address,
        encryptionKey: ristrettoPublicKey(3n),
      })),
      threshold: thresholdOf(30),
    }
    const made = await dealing({
      domain: DOMAIN,
      terms,
      dealer: terms.members[0]?.address ?? '0x',
      seed: new Uint8Array(32),
    })
    expect(encodeDealing({ ...made, signature: new Uint8Array(65) }).length).toBeLessThan(5_000)
  })
})

/** The same point, one coordinate written p larger. */
function alias(point: Uint8Array): Uint8Array {
  const { ORDER } = bls12_381.fields.Fp
  const c0 = fromUintBE(point.subarray(48)) + ORDER
  return concatBytes(point.subarray(0, 48), uintBE(c0, 48))
}

describe('checkDealings', () => {
  it.each<[string, string, (dealing: Dealing) => Partial<Dealing>]>([
    [
      'one point too many',
      'wrong degree',
      ({ commitment }) => ({ commitment: [...commitment, ...commitment.slice(0, 1)] }),
    ],
    [
      'one point too few',
      'wrong degree',
      ({ commitment }) => ({ commitment: commitment.slice(1) }),
    ],
    ['no commitment', 'wrong degree', () => ({ commitment: [] })],
    [
      'a missing ciphertext',
      'wrong number of shares',
      ({ shares: sealed }) => ({ shares: sealed.slice(1) }),
    ],
    [
      'bytes that are no point',
      'a commitment is no valid point',
      ({ commitment }) => ({ commitment: commitment.map(() => new Uint8Array(96).fill(9)) }),
    ],
    [
      'the point at infinity',
      'a commitment is no valid point',
      ({ commitment }) => ({
        commitment: commitment.map((point, i) =>
          i === 1 ? Uint8Array.of(0xc0, ...new Uint8Array(95)) : point,
        ),
      }),
    ],
    ...(
      [
        ['a point outside the subgroup', () => findOffSubgroupG2()],
        ['a point that is not written canonically', alias],
      ] satisfies [string, (point: Uint8Array) => Uint8Array][]
    ).map(([name, spoil]): [string, string, (dealing: Dealing) => Partial<Dealing>] => [
      name,
      'a commitment is no valid point',
      ({ commitment }) => ({
        commitment: commitment.map((point, i) => (i === 2 ? spoil(point) : point)),
      }),
    ]),
    ...[new Uint8Array(32), new Uint8Array(32).fill(255)].map(
      (ephemeral): [string, string, (dealing: Dealing) => Partial<Dealing>] => [
        `an ephemeral key that is ${ephemeral[0] === 0 ? 'the identity' : 'no point'}`,
        'no proof of the ephemeral key',
        () => ({ ephemeral }),
      ],
    ),
    [
      'no proof of its constant',
      'wrong constant term',
      () => ({ constantProof: new Uint8Array(0) }),
    ],
    [
      'a proof of another constant',
      'wrong constant term',
      () => ({ constantProof: genesisDealings[1]?.constantProof ?? new Uint8Array(0) }),
    ],
    [
      "another dealer's ephemeral key",
      'no proof of the ephemeral key',
      () => ({
        ephemeral: genesisDealings[1]?.ephemeral ?? new Uint8Array(32),
        possession: genesisDealings[1]?.possession ?? new Uint8Array(64),
      }),
    ],
    ['another session', 'another session', () => ({ sid: `0x${'11'.repeat(32)}` })],
  ])(
    'scenario 30: names the fault of a dealing with %s, beside good ones',
    async (_name, reason, change) => {
      const base = genesisDealings[0]
      if (base === undefined) throw new Error('no dealing')
      const bad = await signed(0, { ...base, ...change(base) })
      const verdicts = await checkDealings(work, contextFor(genesisTerms, 2), [
        ...genesisDealings.slice(1),
        bad,
      ])
      expect(verdicts.slice(0, 3).every(({ verdict }) => verdict === 'good')).toBe(true)
      expect(verdicts[3]).toEqual({ verdict: 'bad', reason })
    },
  )

  it('refuses a dealing signed by somebody else', async () => {
    const base = genesisDealings[0]
    if (base === undefined) throw new Error('no dealing')
    const [verdict] = await checkDealings(work, contextFor(genesisTerms, 2), [
      await signed(1, base),
    ])
    expect(verdict).toEqual({ verdict: 'bad', reason: 'not signed by a dealer' })
  })

  it('names the one wrong share in a batch, and its complaint convinces everybody', async () => {
    const base = genesisDealings[0]
    if (base === undefined) throw new Error('no dealing')
    // The share of member 3 in place of member 2's, properly encrypted to member 2: it opens, but does not fit.
    const swapped: Terms = {
      ...genesisTerms,
      members: [0, 1, 2, 3].map((i) => ({
        address: identityAt(i).info.address,
        encryptionKey: ristrettoPublicKey(secrets[2] ?? 1n),
      })),
    }
    const foreign = await dealing({
      domain: DOMAIN,
      terms: { ...swapped, threshold: 3 },
      dealer: base.dealer,
      seed: new Uint8Array(32).fill(77),
    })
    const bad = await signed(0, {
      ...base,
      shares: base.shares.map((share, i) => (i === 2 ? (foreign.shares[2] ?? share) : share)),
    })
    const context = contextFor(genesisTerms, 2)
    const verdicts = await checkDealings(work, context, [bad, ...genesisDealings.slice(1)])
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['badShare', 'good', 'good', 'good'])
    const accuse = (dealing: Dealing) =>
      makeComplaint(
        {
          recipient: context.self,
          secret: secrets[2] ?? 1n,
          dealing,
          bytes: encodeDealing(dealing),
        },
        99n,
      )
    const complaint = accuse(bad)
    const unfounded = accuse(base)
    if (complaint === undefined || unfounded === undefined) throw new Error('no complaint')
    expect(() => verifyComplaint(DOMAIN, genesisTerms, complaint)).not.toThrow()
    expect(() => verifyComplaint(DOMAIN, genesisTerms, unfounded)).toThrow(/the share is good/)
    // The same proof says nothing about another dealing, recipient or value.
    expect(() =>
      verifyComplaint(DOMAIN, genesisTerms, { ...complaint, dealing: encodeDealing(base) }),
    ).toThrow()
    expect(() =>
      verifyComplaint(DOMAIN, genesisTerms, {
        ...complaint,
        recipient: identityAt(1).info.address,
      }),
    ).toThrow(/not proven/)
    expect(() =>
      verifyComplaint(DOMAIN, genesisTerms, { ...complaint, shared: ristrettoPublicKey(4n) }),
    ).toThrow(/not proven/)
    expect(() => verifyComplaint(DOMAIN, { ...genesisTerms, epoch: 5 }, complaint)).toThrow(
      /another session/,
    )
  })
})

describe('checkOutput', () => {
  it('gives every member the share of its public share', async () => {
    for (const self of [0, 1, 2, 3]) {
      const share = await checkOutput(
        work,
        contextFor(genesisTerms, self),
        genesis,
        opened[self] ?? [],
      )
      expect(share).toBe(shares[self])
      expect(toHex(publicShareOf(share ?? 0n))).toBe(
        toHex(genesis.publicShares[self] ?? new Uint8Array()),
      )
    }
  })

  it.each<[string, (output: Output) => Partial<Output>]>([
    [
      'a public share changed',
      ({ publicShares }) => ({
        publicShares: publicShares.map((point, i) => (i === 3 ? publicShareOf(12n) : point)),
      }),
    ],
    [
      'two public shares swapped',
      ({ publicShares: [a, b, ...rest] }) => ({
        publicShares: [b ?? new Uint8Array(96), a ?? new Uint8Array(96), ...rest],
      }),
    ],
    ['another master public key', () => ({ mpk: publicShareOf(12n) })],
    ['a dealing left out', ({ dealings }) => ({ dealings: dealings.slice(1) })],
    ['too few dealings', ({ dealings }) => ({ dealings: dealings.slice(2) })],
    ['another threshold', () => ({ threshold: 2 })],
    ['another epoch', () => ({ epoch: 3 })],
  ])('refuses an output with %s', async (_name, change) => {
    const output = { ...genesis, ...change(genesis) }
    const used = (opened[0] ?? []).slice(-output.dealings.length)
    await expect(checkOutput(work, contextFor(genesisTerms, 0), output, used)).rejects.toThrow(
      /does not hold/,
    )
  })
})

describe('reshare', () => {
  it('moves the key from four members to five, without one of the old dealers, and the old shares no longer fit', async () => {
    const terms = termsFor([0, 1, 2, 3, 4], { epoch: 0, hash: outputHash(DOMAIN, genesis) })
    const dealings = await Promise.all([0, 2, 3].map((i) => dealFor(terms, i, shares[i])))
    const views = await Promise.all(
      [0, 1, 2, 3, 4].map((self) => openAll(contextFor(terms, self, genesis), dealings)),
    )
    const output = outputOf(terms, dealings, await buildKeyTable(work, terms, views[1] ?? []))
    expect(toHex(output.mpk)).toBe(toHex(genesis.mpk))
    const fresh: bigint[] = []
    for (const self of [0, 1, 2, 3, 4])
      fresh.push(
        (await checkOutput(work, contextFor(terms, self, genesis), output, views[self] ?? [])) ??
          0n,
      )
    expect(publicShareOf(atZero([4, 2, 1, 0].map((i) => [i, fresh[i] ?? 0n])))).toEqual(genesis.mpk)
    expect(
      publicShareOf(atZero([4, 2, 1, 0].map((i) => [i, (i === 2 ? shares[2] : fresh[i]) ?? 0n]))),
    ).not.toEqual(genesis.mpk)
  })

  it('refuses a dealer that deals anything but its current share, and one dealing too few', async () => {
    const terms = termsFor([0, 1, 2], { epoch: 0, hash: outputHash(DOMAIN, genesis) })
    const wrong = await dealFor(terms, 0, 12345n)
    const good = await Promise.all([1, 2].map((i) => dealFor(terms, i, shares[i])))
    const context = contextFor(terms, 1, genesis)
    const verdicts = await checkDealings(work, context, [wrong, ...good])
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['bad', 'good', 'good'])
    // Two dealings are enough for the new threshold (2 of 3), but not for the old degree (3 of 4).
    const two = await openAll(context, good)
    const output = outputOf(terms, good, await buildKeyTable(work, terms, two))
    await expect(checkOutput(work, context, output, two)).rejects.toThrow(
      /not those of the session/,
    )
  })
})

function atZero(points: readonly (readonly [number, bigint])[]): bigint {
  const order = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n
  const lambdas = lagrangeAtZero(points.map(([i]) => operatorX(identityAt(i).info.address)))
  return points.reduce((sum, [, share], i) => (sum + share * (lambdas[i] ?? 0n)) % order, 0n)
}
