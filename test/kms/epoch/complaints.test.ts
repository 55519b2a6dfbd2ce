/** What a false complaint costs whom. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createCourt } from '../../../kms/epoch/complaints.ts'
import { makeDealing } from '../../../kms/epoch/deal.ts'
import { thresholdOf } from '../../../sdk/crypto/bls.ts'
import { type Complaint, makeComplaint } from '../../../sdk/protocol/complaint.ts'
import { type Dealing, encodeDealing } from '../../../sdk/protocol/dealing.ts'
import { randomRistrettoScalar, ristrettoPublicKey } from '../../../sdk/protocol/ristretto.ts'
import { NO_OUTPUT } from '../../../sdk/protocol/terms.ts'
import type { Terms } from '../../../sdk/protocol/types.ts'
import { createIdentities, DOMAIN, seededRng } from './kit.ts'
import { spoilShare } from './liars.ts'

/** Large enough for a commitment that is checked in more than one piece. */
const N = 16
const identities = createIdentities(N)
const secrets = identities.map((_, i) => randomRistrettoScalar(seededRng(i, 'ek')))
const terms: Terms = {
  epoch: 0,
  prev: NO_OUTPUT,
  configBlock: { number: 7n, hash: `0x${'07'.repeat(32)}`, timestamp: 1000 },
  leaves: [],
  members: identities.map(({ info }, i) => ({
    address: info.address,
    encryptionKey: ristrettoPublicKey(secrets[i] ?? 1n),
  })),
  threshold: thresholdOf(N),
}
const LIAR = 3
const HONEST = 4
let good: Dealing
let spoilt: Dealing

beforeAll(async () => {
  const dealer = terms.members[0]?.address ?? '0x'
  const seed = new Uint8Array(32).fill(1)
  const unsigned = await makeDealing({ domain: DOMAIN, terms, dealer, seed }, async () => undefined)
  good = { ...unsigned, signature: new Uint8Array(65) }
  spoilt = { ...good, shares: spoilShare(good.shares, HONEST) }
})

function complaintOf(member: number, dealing: Dealing, nonce = 7n): Complaint {
  const made = makeComplaint(
    {
      recipient: terms.members[member]?.address ?? '0x',
      secret: secrets[member] ?? 1n,
      dealing,
      bytes: encodeDealing(dealing),
    },
    nonce,
  )
  if (made === undefined) throw new Error('no complaint')
  return made
}

function openCourt() {
  const work = { pauses: 0, atOnce: 0, most: 0 }
  const court = createCourt(DOMAIN, {
    rng: seededRng(1, 'court'),
    pause: async () => {
      work.pauses += 1
      work.atOnce += 1
      work.most = Math.max(work.most, work.atOnce)
      await new Promise(setImmediate)
      work.atOnce -= 1
    },
  })
  return { court, work }
}

describe('a false complaint', () => {
  it('is judged in pieces, and its accuser is judged once in a session', async () => {
    const { court, work } = openCourt()
    expect(await court.judge(terms, complaintOf(LIAR, good), good)).toBe('wrong')
    // Each point of the commitment, and their sum in two pieces.
    expect(work.pauses).toBeGreaterThan(terms.threshold)
    const { pauses } = work
    expect(await court.judge(terms, complaintOf(LIAR, good), good)).toBe('unheard')
    expect(await court.judge(terms, complaintOf(LIAR, good, 8n), good)).toBe('unheard')
    const other = { ...good, signature: new Uint8Array(65).fill(1) }
    expect(await court.judge(terms, complaintOf(LIAR, other), other)).toBe('unheard')
    expect(work.pauses).toBe(pauses)
    expect(court.size()).toBe(1)
    court.keep(new Set([good.sid]))
    expect(court.size()).toBe(1)
    court.keep(new Set())
    expect(court.size()).toBe(0)
  })

  it('sent many times at once is judged once, and one piece at a time', async () => {
    const { court, work } = openCourt()
    const [first, ...others] = Array.from({ length: 8 }, (_, i) =>
      court.judge(terms, complaintOf(LIAR, good, BigInt(i + 2)), good),
    )
    expect(await first).toBe('wrong')
    const { pauses } = work
    expect(await Promise.all(others)).toEqual(Array(7).fill('unheard'))
    expect(work.pauses).toBe(pauses)
    expect(work.most).toBe(1)
  })

  it('silences nobody else, also not the one in whose name it comes', async () => {
    const { court } = openCourt()
    expect(await court.judge(terms, complaintOf(LIAR, good), good)).toBe('wrong')
    const forged = { ...complaintOf(HONEST, good), proof: new Uint8Array(64).fill(1) }
    await expect(court.judge(terms, forged, good)).rejects.toMatchObject({
      code: 'COMPLAINT_INVALID',
    })
    const replayed = {
      ...complaintOf(LIAR, good),
      recipient: terms.members[HONEST]?.address ?? '0x',
    }
    await expect(court.judge(terms, replayed, good)).rejects.toMatchObject({
      code: 'COMPLAINT_INVALID',
    })
    expect(court.size()).toBe(1)
    expect(await court.judge(terms, complaintOf(HONEST, spoilt), spoilt)).toBe('right')
  })

  it('is followed by one of the same accuser only about a dealing that is held here, and once', async () => {
    const { court, work } = openCourt()
    expect(await court.judge(terms, complaintOf(HONEST, good), good)).toBe('wrong')
    expect(await court.judge(terms, complaintOf(HONEST, spoilt), spoilt)).toBe('unheard')
    expect(await court.judge(terms, complaintOf(HONEST, spoilt), spoilt, '0xa')).toBe('right')
    expect(await court.judge(terms, complaintOf(HONEST, good), good, '0xb')).toBe('wrong')
    const { pauses } = work
    expect(await court.judge(terms, complaintOf(HONEST, good, 8n), good, '0xb')).toBe('unheard')
    expect(work.pauses).toBe(pauses)
  })

  it('is told from a right one as the log tells it: a share that opens and does not fit is none', async () => {
    const { court } = openCourt()
    const commitment = [...good.commitment.slice(0, -1), good.commitment[0] ?? new Uint8Array(96)]
    const unfit = { ...good, commitment }
    expect(await court.judge(terms, complaintOf(HONEST, unfit), unfit)).toBe('right')
    const noPoints = { ...good, commitment: good.commitment.map(() => new Uint8Array(96)) }
    expect(await court.judge(terms, complaintOf(HONEST, noPoints), noPoints)).toBe('right')
    expect(await court.judge(terms, complaintOf(HONEST, good), good)).toBe('wrong')
  })
})
