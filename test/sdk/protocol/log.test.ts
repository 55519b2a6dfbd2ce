import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../sdk/bytes.ts'
import { encodeComplaint, makeComplaint } from '../../../sdk/protocol/complaint.ts'
import { blobHash, encodeDealing } from '../../../sdk/protocol/dealing.ts'
import {
  claimsOf,
  decidingBlock,
  EMPTY_LOG,
  isBarred,
  type LogState,
  lastWinner,
  resolveLog,
  versionAt,
} from '../../../sdk/protocol/log.ts'
import { encodeCertifiedBody, outputHash } from '../../../sdk/protocol/output.ts'
import { proveKnowledge, ristrettoPublicKey } from '../../../sdk/protocol/ristretto.ts'
import { sidOf } from '../../../sdk/protocol/terms.ts'
import type { LogComplaint, LogEntry, Output } from '../../../sdk/protocol/types.ts'
import {
  CONFIG_BLOCK,
  certify,
  DOMAIN,
  entryOf,
  GENESIS,
  hashOf,
  OPERATORS,
  SETS,
  successorOf,
} from './kit.ts'

const resolve = (
  entries: readonly LogEntry[],
  complaints: readonly LogComplaint[] = [],
  sets = SETS,
): LogState => resolveLog(DOMAIN, EMPTY_LOG, { entries, complaints }, sets)

const winnersOf = (state: LogState) =>
  state.winners.map(({ output }) => [output.epoch, output.activateAt])

const SECOND = successorOf(GENESIS)

const LATER_BLOCK = { number: 20n, hash: hashOf('block 20'), timestamp: 1_020 }

/** A dealing of the first operator that opens to nothing for anybody, and the genesis that uses it. */
const badDealing = encodeDealing({
  sid: sidOf(DOMAIN, GENESIS),
  dealer: OPERATORS[0]?.address ?? '0x',
  commitment: GENESIS.publicShares.slice(0, 3),
  ephemeral: ristrettoPublicKey(9n),
  possession: proveKnowledge(9n, new Uint8Array(0), 3n),
  constantProof: new Uint8Array(0),
  shares: OPERATORS.map(() => new Uint8Array(48)),
  signature: new Uint8Array(65),
})
const TAINTED: Output = {
  ...GENESIS,
  dealings: GENESIS.dealings.map((used, i) =>
    i === 0 ? { ...used, hash: blobHash(badDealing) } : used,
  ),
}

function complaintAt(timestamp: number, change: Partial<LogComplaint> = {}): LogComplaint {
  // The kit gives member i the secret encryption key i + 2.
  const complaint = makeComplaint(
    {
      recipient: OPERATORS[1]?.address ?? '0x',
      secret: 3n,
      dealing: {
        sid: sidOf(DOMAIN, GENESIS),
        dealer: OPERATORS[0]?.address ?? '0x',
        commitment: [],
        ephemeral: ristrettoPublicKey(9n),
        possession: new Uint8Array(64),
        constantProof: new Uint8Array(0),
        shares: [],
        signature: new Uint8Array(65),
      },
      bytes: badDealing,
    },
    7n,
  )
  if (complaint === undefined) throw new Error('no complaint')
  return {
    block: { number: BigInt(timestamp), hash: hashOf(`block ${timestamp}`), timestamp },
    logIndex: 1,
    epoch: 0,
    poster: DOMAIN.avs,
    body: encodeComplaint(complaint),
    ...change,
  }
}

describe('resolveLog', () => {
  it('lets the first valid entry win and follow another', () => {
    const state = resolve([entryOf(GENESIS, 1_050), entryOf(SECOND, 1_250)])
    expect(winnersOf(state)).toEqual([
      [0, 1_300],
      [1, 2_300],
    ])
    expect(state.nextEpoch).toBe(2)
  })

  it('gives the same state in one piece as in two', () => {
    const [first, second] = [entryOf(GENESIS, 1_050), entryOf(SECOND, 1_250)]
    const half = resolve([first])
    expect(resolveLog(DOMAIN, half, { entries: [second], complaints: [] }, SETS)).toEqual(
      resolve([first, second]),
    )
  })

  it('ignores a second candidate of the epoch and a repeated entry', () => {
    const rival = { ...GENESIS, activateAt: 1_290 }
    expect(
      winnersOf(resolve([entryOf(GENESIS, 1_050), entryOf(rival, 1_051), entryOf(GENESIS, 1_052)])),
    ).toEqual([[0, 1_300]])
    expect(winnersOf(resolve([entryOf(rival, 1_049), entryOf(GENESIS, 1_050)]))).toEqual([
      [0, 1_290],
    ])
  })

  it('goes by chain order, not by the order of the list', () => {
    const rival = { ...GENESIS, activateAt: 1_290 }
    const sameBlock = entryOf(rival, 1_050, { logIndex: 1 })
    expect(winnersOf(resolve([sameBlock, entryOf(GENESIS, 1_050)]))).toEqual([[0, 1_300]])
  })

  it.each<[string, LogEntry]>([
    ['garbage for a body', entryOf(GENESIS, 1_050, { body: new Uint8Array(100) })],
    [
      'a byte too many',
      entryOf(GENESIS, 1_050, { body: concatBytes(certify(GENESIS), new Uint8Array(1)) }),
    ],
    ['another hash than its body', entryOf(GENESIS, 1_050, { outputHash: hashOf('x') })],
    ['another epoch than its body', entryOf(GENESIS, 1_050, { epoch: 1 })],
    [
      'two signatures of three',
      entryOf(GENESIS, 1_050, { body: certify(GENESIS, OPERATORS.slice(0, 2)) }),
    ],
    ['a block after its postBy', entryOf(GENESIS, 1_101)],
    [
      'a block that is not after its config block',
      entryOf(GENESIS, 1_050, { block: { ...CONFIG_BLOCK } }),
    ],
    ['windows out of order', entryOf({ ...GENESIS, vetoBy: 1_099 }, 1_050)],
    ['an activation inside the veto window', entryOf({ ...GENESIS, activateAt: 1_150 }, 1_050)],
    ['a predecessor that is not there', entryOf(SECOND, 1_050)],
    ['too few dealings', entryOf({ ...GENESIS, dealings: GENESIS.dealings.slice(0, 2) }, 1_050)],
    [
      'a dealer who is no member',
      entryOf(
        {
          ...GENESIS,
          dealings: [
            { dealer: `0x${'00'.repeat(20)}` as const, hash: hashOf('x') },
            ...GENESIS.dealings.slice(1),
          ],
        },
        1_050,
      ),
    ],
    [
      'an unknown config block',
      entryOf({ ...GENESIS, configBlock: { ...CONFIG_BLOCK, hash: hashOf('fork') } }, 1_050),
    ],
    [
      'a wrong time for its config block',
      entryOf({ ...GENESIS, configBlock: { ...CONFIG_BLOCK, timestamp: 1_001 } }, 1_050),
    ],
    [
      'a subset of the operator set',
      entryOf(
        {
          ...GENESIS,
          members: GENESIS.members.slice(0, 3),
          publicShares: GENESIS.publicShares.slice(0, 3),
          dealings: GENESIS.dealings.slice(0, 3),
          threshold: 2,
        },
        1_050,
      ),
    ],
    ['a threshold of its own choice', entryOf({ ...GENESIS, threshold: 2 }, 1_050)],
  ])('ignores an entry with %s', (_name, entry) => {
    expect(resolve([entry])).toEqual(EMPTY_LOG)
  })

  it.each<[string, Output, number]>([
    [
      'another master public key',
      successorOf(GENESIS, { mpk: GENESIS.publicShares[0] ?? GENESIS.mpk }),
      1_250,
    ],
    ["a block inside its predecessor's veto window", SECOND, 1_200],
    [
      "an activation before its predecessor's",
      successorOf(GENESIS, { postBy: 1_260, vetoBy: 1_270, activateAt: 1_300 }),
      1_250,
    ],
    ['the epoch number of its predecessor', successorOf(GENESIS, { epoch: 0 }), 1_250],
    [
      'an older config block',
      successorOf(GENESIS, {
        configBlock: { number: 9n, hash: hashOf('block 9'), timestamp: 998 },
      }),
      1_250,
    ],
  ])('ignores a successor with %s', (_name, output, timestamp) => {
    const sets = new Map([
      ...SETS,
      [
        hashOf('block 9'),
        { number: 9n, timestamp: 998, operators: OPERATORS.map(({ info }) => info) },
      ] as const,
    ])
    expect(
      winnersOf(resolve([entryOf(GENESIS, 1_050), entryOf(output, timestamp)], [], sets)),
    ).toEqual([[0, 1_300]])
  })

  it('ignores an entry whose operator set is older than six hours', () => {
    const late = { ...GENESIS, postBy: 30_000, vetoBy: 30_000, activateAt: 30_000 }
    expect(winnersOf(resolve([entryOf(late, 22_600)]))).toEqual([[0, 30_000]])
    expect(resolve([entryOf(late, 22_601)])).toEqual(EMPTY_LOG)
  })

  it('voids a winner on a valid complaint in the window, burns its number and bars the dealer', () => {
    const voided = resolve([entryOf(TAINTED, 1_050)], [complaintAt(1_200)])
    expect(voided.winners).toEqual([])
    expect(voided.nextEpoch).toBe(1)
    const [dealer] = OPERATORS
    const barred = (epoch: number, timestamp: number) =>
      isBarred(voided, dealer?.address ?? '0x', {
        epoch,
        configBlock: { ...GENESIS.configBlock, timestamp },
      })
    expect(barred(8, 1_200)).toBe(true)
    expect(barred(9, 1_200)).toBe(false)
    // No epoch may come without it: then a day ends the bar.
    expect(barred(1, 1_200 + 86_400)).toBe(true)
    expect(barred(1, 1_201 + 86_400)).toBe(false)
    const again = (change: Partial<Output>) =>
      winnersOf(
        resolve(
          [
            entryOf(TAINTED, 1_050),
            entryOf(
              { ...GENESIS, postBy: 1_400, vetoBy: 1_500, activateAt: 1_600, ...change },
              1_250,
            ),
          ],
          [complaintAt(1_200)],
        ),
      )
    expect(again({ epoch: 0 })).toEqual([])
    expect(again({ epoch: 1 })).toEqual([])
    expect(again({ epoch: 1, dealings: GENESIS.dealings.slice(1) })).toEqual([[1, 1_600]])
  })

  it.each<[string, LogComplaint, Output]>([
    ['after the window', complaintAt(1_201), TAINTED],
    ['before the entry', complaintAt(1_049), TAINTED],
    ['about another epoch', complaintAt(1_100, { epoch: 1 }), TAINTED],
    ['that is garbage', complaintAt(1_100, { body: new Uint8Array(300) }), TAINTED],
    ['against a dealing that is not used', complaintAt(1_100), GENESIS],
  ])('is not moved by a complaint %s', (_name, complaint, output) => {
    expect(winnersOf(resolve([entryOf(output, 1_050)], [complaint]))).toEqual([[0, 1_300]])
  })

  it('takes a successor of fewer members with as many dealings as the old set needs, and no fewer', () => {
    const fewer = (dealings: number) => {
      const members = GENESIS.members.slice(0, 3)
      const output = successorOf(GENESIS, {
        members,
        threshold: 2,
        publicShares: GENESIS.publicShares.slice(0, 3),
        dealings: GENESIS.dealings.slice(0, dealings),
        configBlock: LATER_BLOCK,
      })
      const body = certify(output, OPERATORS.slice(0, 3))
      const set = { ...LATER_BLOCK, operators: OPERATORS.slice(0, 3).map(({ info }) => info) }
      const sets = new Map([...SETS, [LATER_BLOCK.hash, set] as const])
      return winnersOf(
        resolve([entryOf(GENESIS, 1_050), entryOf(output, 1_250, { body })], [], sets),
      )
    }
    expect(fewer(3)).toEqual([
      [0, 1_300],
      [1, 2_300],
    ])
    // t of the new set, one less than t of the old one.
    expect(fewer(2)).toEqual([[0, 1_300]])
  })
})

describe('decidingBlock', () => {
  const after = resolve([entryOf(GENESIS, 1_050)])
  const next = (change: Partial<Output>, rest: Partial<LogEntry> = {}) =>
    entryOf(successorOf(GENESIS, change), 1_250, rest)
  const forged = (output: Output, count = OPERATORS.length) =>
    encodeCertifiedBody({
      output,
      certificate: {
        signatures: OPERATORS.slice(0, count).map(({ address: operator }) => ({
          operator,
          signature: new Uint8Array(65),
        })),
      },
    })

  it('is the config block of what could win, whoever signed it: only the set can tell', () => {
    expect(decidingBlock(DOMAIN, EMPTY_LOG, entryOf(GENESIS, 1_050))).toEqual(CONFIG_BLOCK)
    expect(decidingBlock(DOMAIN, after, entryOf(SECOND, 1_250))).toEqual(CONFIG_BLOCK)
    expect(decidingBlock(DOMAIN, after, next({}, { body: forged(SECOND) }))).toEqual(CONFIG_BLOCK)
  })

  it.each<[string, LogEntry]>([
    ['nonsense', next({}, { body: new Uint8Array(3) })],
    ['no signatures', next({}, { body: forged(SECOND, 0) })],
    ['fewer signatures than the threshold', next({}, { body: forged(SECOND, 2) })],
    [
      'a signature of no member',
      next({
        members: SECOND.members.slice(1),
        publicShares: SECOND.publicShares.slice(1),
        threshold: 2,
      }),
    ],
    ['an epoch that is over', entryOf(GENESIS, 1_250)],
    ['another predecessor', next({ prev: hashOf('another') })],
    ['another epoch than its event', next({ epoch: 999 }, { epoch: 1 })],
    ['another hash than its event', next({}, { outputHash: hashOf('another') })],
    [
      "a config block before its predecessor's",
      next({ configBlock: { ...CONFIG_BLOCK, number: 1n } }),
    ],
    [
      'a config block that is too old',
      entryOf(successorOf(GENESIS, { postBy: 30_000, vetoBy: 30_000, activateAt: 30_000 }), 22_601),
    ],
    ['another master public key', next({ mpk: GENESIS.publicShares[0] ?? GENESIS.mpk })],
    ['too few dealings', next({ dealings: GENESIS.dealings.slice(1, 3) })],
  ])('is none for an entry with %s', (_name, entry) => {
    expect(decidingBlock(DOMAIN, after, entry)).toBeUndefined()
  })

  it('names the claims that are sane in some log', () => {
    const entries = [
      entryOf(GENESIS, 1_050),
      next({ epoch: 999 }),
      next({ epoch: 999 }, { body: forged(successorOf(GENESIS, { epoch: 999 }), 0) }),
      entryOf(GENESIS, 1_060, { body: new Uint8Array(3) }),
    ]
    expect(claimsOf(DOMAIN, entries).map(({ entry }) => entry)).toEqual(entries.slice(0, 2))
  })
})

describe('versionAt', () => {
  const { winners } = resolve([entryOf(GENESIS, 1_050), entryOf(SECOND, 1_250)])
  it.each([
    [1_299, undefined],
    [1_300, 0],
    [2_299, 0],
    [2_300, 1],
    [9_999, 1],
  ])('at %i is the version of epoch %s', (time, epoch) => {
    expect(versionAt(winners, time)?.output.epoch).toBe(epoch)
  })

  it('counts a time before the oldest kept output as the oldest kept', () => {
    expect(versionAt(winners.slice(1), 5)?.output.epoch).toBe(1)
    expect(versionAt([], 5)).toBeUndefined()
  })

  it('keeps the hash of the last winner for the next epoch', () => {
    expect(lastWinner(resolve([entryOf(GENESIS, 1_050)]))?.hash).toBe(outputHash(DOMAIN, GENESIS))
  })
})
